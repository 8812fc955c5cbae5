//! A secret reaches its task, and nothing else in the world.

use std::fs;
use std::path::Path;

use crate::support::patience::{SOON, until, within};
use crate::support::person::{People, Typed};
use crate::support::place::{Place, write_private};
use crate::support::server::Server;

const CANARY: &str = "canary-5e1b7f03-never-to-be-seen";

#[test]
fn a_secret_is_seen_by_its_task_and_nowhere_else() {
    let place = Place::new();
    place.define("linux.toml", crate::support::stage::TASKS);
    let server = Server::start_with_log(&place, "trace");
    let people = People::found(&server, &place, &["bob"]);
    people["ada"].types(&server, "policy create --task Linux/Secret --approval-type manual", 0);
    let request =
        people["bob"].asks(&server, "request new --task Linux/Secret --reason Because")["id"].clone();
    people["alice"].types(&server, &format!("request approve {}", request.as_str().unwrap()), 0);
    let file = people["bob"].home.join("password");
    write_private(&file, format!("{CANARY}\n").as_bytes());

    let told =
        people["bob"].run(&server, &["run", "Linux/Secret", "--secret", &format!("password={CANARY}")]);
    assert_eq!(told.code, 2);
    assert!(!told.stderr.contains(CANARY));

    let child =
        people["bob"].begins(&server, &format!("run Linux/Secret --secret password=@{}", file.display()));
    until("the task has it", || fs::read_to_string(place.site("received")).is_ok_and(|text| text == CANARY));
    let shown = shown_by_processes(server.pid());
    assert_eq!(shown, Vec::<String>::new(), "a process shows the secret");
    fs::write(place.site("go"), "").unwrap();
    let ended = Typed::of(child.wait_with_output().unwrap());
    assert_eq!((ended.code, ended.text().as_str(), ended.stderr.as_str()), (0, "", ""));

    let id = within(SOON, "the run is over", || {
        let last = people["bob"].asks(&server, "execution list --mine")[0].clone();
        (last["state"] == "succeeded").then(|| last["id"].as_str().unwrap().to_owned())
    });
    for line in [
        format!("execution show {id} -o json"),
        format!("execution output {id}"),
        "request list -o json".into(),
    ] {
        assert!(!people["bob"].types(&server, &line, 0).text().contains(CANARY), "{line}");
    }
    let export = people["otto"].types(&server, "audit export", 0);
    assert!(export.text().contains("Linux\\\\Secret") && !export.text().contains(CANARY));
    let limits = fs::read_to_string(format!("/proc/{}/limits", server.pid())).unwrap();
    let core = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
    assert_eq!(core.split_whitespace().nth(4), Some("0"), "a crash would write memory to the disk: {core}");

    let (_, log) = server.stop();
    assert!(!log.contains(CANARY), "the log has the secret");
    let mut found = Vec::new();
    search(&place.data(), &mut found);
    assert_eq!(found, Vec::<String>::new(), "the data folder has the secret");
}

/// Arguments and environments of all processes that show it, the test's own and Bob's left out.
fn shown_by_processes(server: u32) -> Vec<String> {
    let mut shown = Vec::new();
    let mut looked_at = 0;
    for entry in fs::read_dir("/proc").unwrap().flatten() {
        for name in ["cmdline", "environ"] {
            let path = entry.path().join(name);
            let bytes = fs::read(&path).unwrap_or_default();
            looked_at +=
                u32::from(entry.file_name().to_str() == Some(&server.to_string()) && !bytes.is_empty());
            if contains(&bytes) {
                shown.push(path.display().to_string());
            }
        }
    }
    assert_eq!(looked_at, 2, "the server's own arguments and environment can be looked at");
    shown
}

fn search(folder: &Path, found: &mut Vec<String>) {
    for entry in fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            search(&path, found);
        } else if contains(&fs::read(&path).unwrap()) {
            found.push(path.display().to_string());
        }
    }
}

fn contains(bytes: &[u8]) -> bool {
    bytes.windows(CANARY.len()).any(|window| window == CANARY.as_bytes())
}
