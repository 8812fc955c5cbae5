//! What somebody writes to deceive the reader of an export stays what it is: a value in its own field.

use std::io::Write as _;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::support::stage::{Stage, TASKS};

const HOSTILE: &str = "=cmd|'/C calc'!A0\r\n\"999\",\"2020-01-01T00:00:00Z\",\"request.decided\"\r\n\
    {\"index\":0}\n<110>1 - - - - - -\u{2028}\u{202e}\u{1b}[2J\u{85}\u{7f}";

fn stage() -> Stage {
    let mut stage = Stage::set_with(TASKS);
    stage.policy("Linux/Say", "");
    stage.add(json!({"name": "mallory", "display_name": "@SUM(A1)\r\n\u{202e}rolldab"}));
    let ask = json!({"task": "Linux/Say", "reason": HOSTILE, "parameters": {"text": "=2+3\u{202e}"}});
    stage.person("mallory").connect(&stage.server).post("/api/v1/requests", &ask).unwrap().ok();
    let group = json!({"name": "=Group", "description": HOSTILE});
    stage.person("ada").connect(&stage.server).post("/api/v1/groups", &group).unwrap();
    stage
}

#[test]
fn a_row_cannot_be_forged_or_hidden() {
    let stage = stage();
    let size = stage.entries().len();
    for format in ["jsonl", "csv", "office365", "ocsf"] {
        let text = stage.types("otto", &format!("audit export --format {format}"), 0).0;
        let lines: Vec<&str> = text.lines().collect();
        assert!(lines.len() >= size, "{format}");
        for line in &lines {
            assert_eq!(
                brevet_core::escape_for_display(line),
                *line,
                "{format}: something acts on a terminal"
            );
        }
        match format {
            "csv" => {
                assert!(
                    lines
                        .iter()
                        .skip(1)
                        .enumerate()
                        .all(|(place, row)| row.starts_with(&format!("\"{place}\",")))
                );
                let forged = lines.iter().filter(|row| row.contains("calc")).count();
                assert!(forged >= 1 && !text.contains(",\"=") && !text.contains(",\"@"), "{text}");
            }
            _ => assert!(lines.iter().all(|line| serde_json::from_str::<Value>(line).is_ok())),
        }
    }
}

#[test]
fn what_was_written_is_kept_to_the_letter() {
    let stage = stage();
    let asked = stage.entries().into_iter().find(|entry| entry["kind"] == "request.submitted").unwrap();
    // As it was taken: without the blanks around it.
    assert_eq!(asked["texts"][0]["text"], HOSTILE.trim());
    assert_eq!(asked["details"]["reason"], HOSTILE.trim());
}

#[test]
fn a_spreadsheet_calculates_nothing_at_whatever_it_splits() {
    let mut stage = Stage::set_with(TASKS);
    stage.policy("Linux/Say", "");
    stage.add(json!({"name": "mallory", "display_name": "Mallory;=HYPERLINK(1)"}));
    let formulas = "ok;=cmd|'/C calc'!A0; +1;\"@SUM(A1)\";\t-1\t=2\r\n=3,=4;\u{ff1d}5;;=6";
    let group = json!({"name": "Group;-7", "description": formulas});
    let mut ada = stage.person("ada").connect(&stage.server);
    ada.post("/api/v1/groups", &group).unwrap();
    ada.post("/api/v1/groups", &json!({"name": "Hostile", "description": formulas})).unwrap().ok();
    let ask = json!({"task": "Linux/Say", "reason": formulas, "parameters": {"text": formulas}});
    stage.person("mallory").connect(&stage.server).post("/api/v1/requests", &ask).unwrap().ok();
    let text = stage.types("otto", "audit export --format csv", 0).0;
    assert!(text.contains("calc"), "{text}");
    let script = "import csv,io,sys\n\
        text=sys.stdin.buffer.read().decode()\n\
        for delimiter in ',;\\t':\n\
        \x20 for row in csv.reader(io.StringIO(text,newline=''),delimiter=delimiter):\n\
        \x20   for cell in row:\n\
        \x20     if cell.strip().startswith(tuple('=+-@\\uff1d\\uff0b\\uff0d\\uff20')):\n\
        \x20       sys.exit(f'{delimiter!r}: {cell}')";
    let mut python = Command::new("python3");
    let mut child = python.args(["-c", script]).stdin(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
