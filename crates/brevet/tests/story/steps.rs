//! The five steps: from a task that anybody assigned may run to one that needs an approval, and back.

use crate::support::patience::until;
use crate::support::stage::{Stage, text};

const REFUSED: &str = "Insufficient permissions. Raise an access request for this task.";

#[test]
fn a_task_is_run_then_refused_asked_for_approved_run_and_refused_again() {
    let stage = Stage::set();
    stage.types("ada", "access disable", 0);
    stage.types("ada", "assignment add --user bob --task Linux/Say", 0);
    assert_eq!(stage.types("bob", "run Linux/Say -p text=hello", 0).0, "hello\n");

    stage.types("ada", "access enable --approvers Approvers", 0);
    stage.policy("Linux/Say", "");
    let (output, said) = stage.types("bob", "run Linux/Say -p text=hello", 3);
    assert_eq!(output, "");
    assert!(said.contains(REFUSED), "{said}");
    assert!(said.contains("brevet request new --task Linux/Say -p text=hello --reason \"WHY\""), "{said}");

    let request = stage.request("bob", "--task Linux/Say --duration 8s");
    assert_eq!(stage.asks("alice", "request list --for-me")[0]["id"], request.as_str());
    stage.types("bob", "run Linux/Say -p text=hello", 3);
    let approved = stage.asks("alice", &format!("request approve {request} --comment \"Go ahead\""));
    let authorization = text(&approved, "authorization");
    for text in ["once", "twice", "thrice"] {
        assert_eq!(stage.types("bob", &format!("run Linux/Say -p text={text}"), 0).0, format!("{text}\n"));
    }
    let show = format!("authorization show {authorization}");
    until("the window ends", || stage.asks("bob", &show)["state"] == "ended");
    assert_eq!(stage.asks("bob", &show)["ending"], "ran-out");
    assert!(stage.types("bob", "run Linux/Say -p text=hello", 3).1.contains(REFUSED));

    let story = stage.asks("otto", &format!("audit search --request {request}"));
    let kinds: Vec<&str> =
        story.as_array().unwrap().iter().map(|entry| entry["kind"].as_str().unwrap()).collect();
    for kind in [
        "request.submitted",
        "request.decided",
        "authorization.granted",
        "execution.started",
        "authorization.ended",
    ] {
        assert!(kinds.contains(&kind), "{kind} is not in {kinds:?}");
    }
    stage.verify();
}

#[test]
fn the_exit_code_says_how_it_went() {
    let stage = Stage::with_policy("Linux/Exit", "");
    stage.types("bob", "run Linux/Exit -p code=7", 3);
    stage.types("bob", "request new --task Linux/Exit", 2);
    stage.types("bob", "run Linux/Nothing", 1);
    stage.types("bob", "run Linux/Exit -p code=seven", 1);
    stage.types("bob", "user list", 1);
    stage.grant("bob", "--task Linux/Exit");
    for code in [0, 1, 3, 4, 7, 125, 255] {
        stage.types("bob", &format!("run Linux/Exit -p code={code}"), code);
    }
    let nobody = crate::support::person::Person::named(&stage.place, "nobody");
    nobody.types(&stage.server, "whoami", 4);
    nobody.types(&stage.server, "run Linux/Exit -p code=7", 4);
}

#[test]
fn a_program_that_is_gone_is_brevets_failure_and_not_the_tasks() {
    let stage = Stage::set();
    // Not below `/tmp`: what others could change is not run.
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let program = folder.path().join("program");
    std::fs::copy("/usr/bin/true", &program).unwrap();
    let task = r#"
[workload]
name = "Gone"
kind = "command"
[[task]]
name = "Program"
description = "Goes away"
run = ["PROGRAM"]
"#;
    stage.place.define("gone.toml", &task.replace("PROGRAM", program.to_str().unwrap()));
    stage.server.signal(rustix::process::Signal::HUP);
    until("the task is defined", || {
        assert!(stage.server.errors().is_empty(), "{}", stage.server.errors());
        stage.asks("bob", "task list").as_array().unwrap().iter().any(|task| task["name"] == "Gone\\Program")
    });
    stage.policy("Gone/Program", "");
    stage.grant("bob", "--task Gone/Program");
    stage.types("bob", "run Gone/Program", 0);
    std::fs::remove_file(program).unwrap();
    let (_, said) = stage.types("bob", "run Gone/Program", 125);
    assert!(said.contains("could not be started"), "{said}");
}

#[test]
fn machine_readable_output_is_json_and_yaml() {
    let stage = Stage::with_policy("Linux/Say", "");
    let authorization = stage.grant("bob", "--task Linux/Say");
    for line in [
        "whoami",
        "task list",
        "task show Linux/Say",
        "role list",
        "request list",
        "authorization list",
        "group list",
        "policy list",
        "execution list",
        "access show",
        "run Linux/Say -p text=hello --check",
    ] {
        let json = stage.asks("bob", line);
        assert!(json.is_object() || json.is_array(), "{line}");
        let yaml = stage.types("bob", &format!("{line} -o yaml"), 0).0;
        assert!(yaml.lines().all(|line| line.is_ascii() && !line.starts_with('\t')), "{yaml}");
        let first = json.as_object().or_else(|| json.as_array()?.first()?.as_object());
        let field = first.and_then(|object| object.keys().next().cloned());
        assert!(field.is_none_or(|field| yaml.contains(&format!("{field}:"))), "{line}: {yaml}");
    }
    let run = stage.asks("bob", "run Linux/Say -p text=hello");
    assert_eq!((&run["state"], &run["stdout"]), (&"succeeded".into(), &"aGVsbG8K".into()));
    assert_eq!(run["authorization"], authorization.as_str());
}
