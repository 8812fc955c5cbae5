//! A secret is in the standard input of its task and nowhere else.

use std::path::Path;

use crate::fixture::{House, block_on};

const CANARY: &str = "canary-5f2d9a";

/// Says how many bytes it read, and shows all that others could see of it; then of its whole family.
const TASK: &str = r#"
[[task]]
name = "T"
run = ["$SH", "-c", "IFS= read -r s; printf '%s' \"$s\" | wc -c; for p in $PPID $$; do cat /proc/$p/cmdline /proc/$p/environ; done"]
stdin = "{password}"
[task.parameters.password]
type = "string"
secret = true
min_length = 4
"#;

#[test]
fn it_reaches_the_program_and_no_process_list_environment_recording_or_file_name() {
    let mut house = House::new(TASK);
    let ran = house.run(&[], &[("password", CANARY)]);
    let output = ran.output();
    assert!(output.starts_with(&format!("{}\n", CANARY.len())), "{output}");
    assert!(output.contains("BREVET_EXECUTION=exe-1\0") && !output.contains(CANARY));
    assert_eq!(files_with(house.data.path(), CANARY), Vec::<String>::new());
}

#[test]
fn while_its_task_runs_no_process_of_the_system_shows_it() {
    let text = TASK.replace("for p in", "echo ready; read never; for p in");
    let text = text.replace("read never", "sleep 1000 & echo $!; wait");
    let mut house = House::new(&text);
    let permit = house.gate.permit("T", &[], &[("password", CANARY)]);
    block_on(async {
        let started = house.start(permit);
        let mut tail = started.live.tail();
        let look = async {
            let mut seen = String::new();
            while seen.lines().count() < 3 {
                seen.push_str(&String::from_utf8(tail.next().await.unwrap().unwrap().bytes).unwrap());
            }
            let shown: Vec<_> = std::fs::read_dir("/proc").unwrap().flatten().collect();
            for file in ["cmdline", "environ"] {
                for process in &shown {
                    let bytes = std::fs::read(process.path().join(file)).unwrap_or_default();
                    assert!(!contains(&bytes, CANARY), "{:?}/{file}", process.path());
                }
            }
            started.stop.send_replace(Some(brevet_core::StopCause::Revoked));
        };
        let ((), finished) = tokio::join!(look, started.running);
        assert_eq!(finished.result, brevet_core::ExecutionResult::Stopped(brevet_core::StopCause::Revoked));
    });
}

#[test]
fn a_refusal_does_not_quote_it() {
    let mut house = House::new(TASK);
    let permit = house.gate.permit("T", &[], &[("password", CANARY)]);
    // The permit is for the definition of before: this one would not take the value.
    house
        .workload
        .replace(crate::fixture::definitions(&TASK.replace("min_length = 4", "max_length = 4")).commands);
    let shown = format!("{permit:?}");
    let finished = block_on(async {
        let started = house.start(permit);
        started.running.await
    });
    let shown = format!("{shown}{finished:?}");
    assert!(!shown.contains(CANARY), "{shown}");
}

/// The files whose name or content holds the text.
fn files_with(folder: &Path, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        let name = path.display().to_string();
        if path.is_dir() {
            found.extend(files_with(&path, text));
        } else if contains(&std::fs::read(&path).unwrap(), text) || name.contains(text) {
            found.push(name);
        }
    }
    found
}

fn contains(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}
