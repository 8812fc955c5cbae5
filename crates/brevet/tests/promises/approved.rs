//! What runs is what was approved, and the approval is on the disk before it runs.

use rustix::process::Signal;

use crate::support::BREVET;
use crate::support::patience::until;
use crate::support::stage::Stage;

#[test]
fn a_task_finds_the_entry_that_allowed_it_on_the_disk() {
    let tasks = r#"
[workload]
name = "Linux"
kind = "command"
[[task]]
name = "Look"
description = "Verifies the very ledger that allowed it"
run = ["BREVET", "audit", "verify", "-o", "json", "--data", "SITE/../data"]
"#;
    let stage = Stage::set_with(&tasks.replace("BREVET", BREVET));
    stage.policy("Linux/Look", "");
    stage.types("bob", "run Linux/Look", 3);
    stage.grant("bob", "--task Linux/Look");
    for _ in 0..5 {
        let seen = stage.person("bob").types(&stage.server, "run Linux/Look", 0).json();
        let found = stage.entries().into_iter().rfind(|entry| entry["kind"] == "execution.started").unwrap();
        let (seen, index) = (seen["entries"].as_u64().unwrap(), found["index"].as_u64().unwrap());
        assert!(seen > index, "the task saw {seen} entries, and was allowed by entry {index}");
    }
}

const DEFINITION: &str = r#"
[workload]
name = "Linux"
kind = "command"

[[task]]
name = "Say"
description = "Says something"
run = ["PRINTF", "%s\\n", "{text}"]
timeout = "10s"

[task.parameters.text]
type = "string"
pattern = "[a-z]+"
"#;

#[test]
fn whatever_is_defined_otherwise_after_its_approval_does_not_run() {
    let stage = Stage::set_with(DEFINITION);
    stage.policy("Linux/Say", "");
    let mut changes = vec![
        ("an argument", "\"%s\\\\n\"", "\"%s!\\\\n\""),
        ("the program", "\"PRINTF\", \"%s\\\\n\"", "\"ENV\", \"echo\""),
        ("one more argument", "\"{text}\"]", "\"{text}\", \"{text}\"]"),
        ("the time-out", "timeout = \"10s\"", "timeout = \"20s\""),
        ("the input", "timeout = \"10s\"", "timeout = \"10s\"\nstdin = \"{text}\""),
        ("the environment", "timeout = \"10s\"", "timeout = \"10s\"\nenvironment = { PATH = \"/tmp\" }"),
        ("the directory", "timeout = \"10s\"", "timeout = \"10s\"\ndirectory = \"/usr\""),
        ("the end of the window", "timeout = \"10s\"", "timeout = \"10s\"\non_expiry = \"finish\""),
        ("what a value may be", "[a-z]+", ".*"),
    ];
    match rustix::process::geteuid().is_root() {
        true => changes.push(("the user", "timeout = \"10s\"", "timeout = \"10s\"\nrun_as = \"nobody\"")),
        false => println!("left out: a task that runs as another user needs root"),
    }
    for (what, from, to) in changes {
        let authorization = stage.grant("bob", "--task Linux/Say");
        let waiting = stage.request("carol", "--task Linux/Say");
        stage.types("bob", "run Linux/Say -p text=hello", 0);
        let changed = DEFINITION.replace(from, to);
        assert_ne!(changed, DEFINITION, "{what}");
        redefine(&stage, &changed);
        let show = format!("authorization show {authorization}");
        until(what, || {
            assert_eq!(stage.server.errors(), "", "{what}");
            stage.asks("bob", &show)["ending"] == "voided"
        });
        stage.types("bob", "run Linux/Say -p text=hello", 3);
        let request = &stage.asks("carol", &format!("request show {waiting}"));
        assert_ne!(request["status"], "pending", "{what}: a request for the old definition can be approved");
        stage.types("alice", &format!("request approve {waiting}"), 1);
        let digest = stage.asks("bob", "task show Linux/Say")["digest"].clone();
        redefine(&stage, DEFINITION);
        until("it is defined as before", || stage.asks("bob", "task show Linux/Say")["digest"] != digest);
        stage.types("bob", "run Linux/Say -p text=hello", 3);
    }
}

fn redefine(stage: &Stage, text: &str) {
    stage.place.define("linux.toml", text);
    stage.server.signal(Signal::HUP);
}

#[test]
fn other_values_than_those_approved_do_not_run() {
    let stage = Stage::with_policy("Linux/Say", "--binding exact");
    stage.grant("bob", "--task Linux/Say -p text=this -p aside=that");
    for (other, code) in [
        ("-p text=this -p aside=that", 0),
        ("-p text=this -p aside=That", 3),
        ("-p text=this -p aside=that -p aside=that", 1),
        ("-p text=this", 3),
        ("-p \"text=this \" -p aside=that", 3),
        ("-p aside=this -p text=that", 3),
        ("-p text=this -p aside=that -p more=more", 1),
    ] {
        stage.types("bob", &format!("run Linux/Say {other}"), code);
    }
    stage.types("carol", "run Linux/Say -p text=this -p aside=that", 3);
}
