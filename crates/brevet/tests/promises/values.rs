//! A value is the value, and nothing but: not code, not an option, not a query.

use serde_json::json;

use crate::support::stage::Stage;

const TASKS: &str = r#"
[workload]
name = "Linux"
kind = "command"

[[task]]
name = "Arguments"
description = "Shows each argument, with a NUL after it"
run = ["SH", "-c", "printf '%s\\0' \"$@\"", "sh", "{value}", "--flag={value}", "{rest}"]

[task.parameters.value]
type = "string"
allow_leading_dash = true

[task.parameters.rest]
type = "string"
required = false
"#;

const HOSTILE: &[&str] = &[
    "plain",
    "",
    " ",
    "  two  spaces  ",
    "$(id)",
    "`id`",
    "${HOME}",
    "$1",
    "; id",
    "| id",
    "& id",
    "> /tmp/x",
    "< /etc/passwd",
    "\"quoted\"",
    "'quoted'",
    "it's",
    "\\",
    "\\\\",
    "\\n",
    "%s%n%x",
    "*",
    "?",
    "[a-z]",
    "{a,b}",
    "~",
    "~root",
    "!!",
    "#",
    "a#b",
    "-",
    "--",
    "-rf",
    "--help",
    "--flag=x",
    "-p",
    "@file",
    "=",
    "a=b",
    "{value}",
    "{rest}",
    "{{value}}",
    "line\nline",
    "\r\n",
    "\t",
    "' OR 1=1 --",
    "'; DROP TABLE entry; --",
    "*)(uid=*",
    "../../etc/passwd",
    "ünïcödé ✓",
    "\u{202e}abc",
    "\u{1b}[31m",
    "\u{7f}",
    "%00",
    "&amp;<script>",
    "null",
    "true",
    "1e9",
    "[1,2]",
    "{\"a\":1}",
];

#[test]
fn every_value_arrives_byte_for_byte() {
    let stage = Stage::set_with(TASKS);
    stage.policy("Linux/Arguments", "");
    stage.grant("bob", "--task Linux/Arguments");
    let long = "x".repeat(4_096);
    for value in HOSTILE.iter().copied().chain([long.as_str()]) {
        let given = format!("value={value}");
        let ran = stage.person("bob").run(&stage.server, &["run", "Linux/Arguments", "-p", &given]);
        assert_eq!(ran.code, 0, "{value:?}: {}", ran.stderr);
        let wanted = format!("{value}\0--flag={value}\0");
        assert_eq!(String::from_utf8_lossy(&ran.stdout), wanted, "{value:?}");
    }
    for value in HOSTILE {
        let request = json!({"task": "Linux/Arguments", "parameters": {"value": value}, "reason": format!("Because {value}.")});
        let mut bob = stage.person("bob").connect(&stage.server);
        let answer = bob.post("/api/v1/requests", &request).unwrap();
        if answer.is_success() {
            let made = answer.json();
            assert_eq!(made["parameters"]["value"], *value);
            assert_eq!(made["command"][4], *value, "the approver sees something else");
            bob.post(&format!("/api/v1/requests/{}/cancel", made["id"].as_str().unwrap()), &json!({}))
                .unwrap()
                .ok();
        } else {
            // A reason for people has no control characters in it; a value may.
            assert_eq!(answer.status, 422, "{value:?} {answer:?}");
        }
        stage.person("otto").run(&stage.server, &["audit", "search", "--text", value]);
    }
    stage.verify();
}

#[test]
fn what_looks_like_an_option_is_refused_where_nobody_said_that_it_may() {
    let stage = Stage::set_with(TASKS);
    stage.policy("Linux/Arguments", "");
    stage.grant("bob", "--task Linux/Arguments");
    for value in ["-", "--", "-rf", "--help", "-o/tmp/x"] {
        let words = ["run", "Linux/Arguments", "-p", "value=x", "-p", &format!("rest={value}")];
        let ran = stage.person("bob").run(&stage.server, &words);
        assert_eq!((ran.code, ran.stdout.len()), (1, 0), "{value}: {}", ran.stderr);
    }
    let mut bob = stage.person("bob").connect(&stage.server);
    let run = json!({"task": "Linux/Arguments", "parameters": {"value": "a\0b"}});
    assert!(!bob.post("/api/v1/executions", &run).unwrap().is_success(), "no argument can hold a NUL");
}
