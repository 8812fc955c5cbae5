//! One story in each format, held against what reads it: a verifier, a reader of tables, the field lists of the schemas.

use std::path::Path;
use std::process::{Command, Stdio};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use brevet_ledger::{
    Checkpoint, Commitment, EntryRef, Note, Origin, RightEdge, Salt, VerifierKey, leaf_hash,
};
use serde_json::Value;

use crate::play;
use crate::support::stage::Stage;

fn export(stage: &Stage, arguments: &str) -> String {
    stage.types("otto", &format!("audit export {arguments}"), 0).0
}

fn json_lines(text: &str) -> Vec<Value> {
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
        .collect()
}

fn story() -> Stage {
    let stage = Stage::set();
    play(&stage);
    stage
}

#[test]
fn an_export_of_everything_is_verified_without_the_server() {
    let stage = story();
    let path = stage.place.site("export.jsonl");
    let told = stage.types("otto", &format!("audit export --out {}", path.display()), 0).0;
    let text = std::fs::read_to_string(&path).unwrap();
    let lines = json_lines(&text);
    let [first, entries @ .., last] = lines.as_slice() else { panic!("{text}") };
    assert!(told.contains(&format!("{} entries", entries.len())), "{told}");
    assert_eq!(
        (&first["brevet"], &first["version"], &first["first"]),
        (&"ledger".into(), &1.into(), &0.into())
    );
    assert_eq!(first["size"], entries.len());
    let mut edge = RightEdge::new();
    for (place, entry) in entries.iter().enumerate() {
        assert_eq!(entry["index"], place);
        let bytes = STANDARD.decode(entry["bytes"].as_str().unwrap()).unwrap();
        edge.append(leaf_hash(&bytes));
        check_texts(&bytes, entry);
    }
    let key: VerifierKey = first["keys"][0].as_str().unwrap().parse().unwrap();
    let note: Note = last["checkpoint"].as_str().unwrap().parse().unwrap();
    let origin = Origin::parse(first["origin"].as_str().unwrap()).unwrap();
    let checkpoint = Checkpoint::open(&note, &origin, &[key]).unwrap();
    assert_eq!((checkpoint.size(), checkpoint.root()), (edge.size(), edge.root()));
    let reason = entries.iter().find(|entry| entry["kind"] == "request.submitted").unwrap();
    assert_eq!(reason["texts"][0]["text"], "Because");
    assert_private(&path);
}

/// Each text opens the commitment of its slot.
fn check_texts(bytes: &[u8], entry: &Value) {
    let envelope = EntryRef::decode(bytes).unwrap();
    let texts = entry["texts"].as_array().unwrap();
    assert_eq!(texts.len(), envelope.commitments.len(), "{entry}");
    for text in texts {
        let hex = text["salt"].as_str().unwrap();
        let byte = |place: usize| u8::from_str_radix(&hex[2 * place..2 * place + 2], 16).unwrap();
        let salt = Salt::from_bytes(std::array::from_fn(byte));
        let slot = usize::try_from(text["slot"].as_u64().unwrap()).unwrap();
        let committed = Commitment::to_text(&salt, text["text"].as_str().unwrap());
        let found = envelope.commitments.iter().nth(slot).unwrap();
        assert_eq!(found.to_bytes(), committed.to_bytes(), "{entry}");
    }
}

fn assert_private(path: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    assert_eq!(std::fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(!path.with_file_name("export.jsonl.part").exists());
}

#[test]
fn a_part_says_that_it_is_one() {
    let stage = story();
    for (condition, kinds) in [
        ("--kind request.submitted", vec!["request.submitted"]),
        ("--kind request.*", vec!["request.submitted", "request.decided"]),
        ("--actor alice --kind authorization.ended", vec!["authorization.ended"]),
    ] {
        let lines = json_lines(&export(&stage, condition));
        let [first, entries @ .., last] = lines.as_slice() else { panic!("{lines:?}") };
        assert_eq!((&first["brevet"], &first["partial"]), (&"excerpt".into(), &true.into()), "{first}");
        assert_eq!((&last["partial"], &last["entries"]), (&true.into(), &entries.len().into()), "{last}");
        assert_eq!(entries.iter().map(|entry| entry["kind"].as_str().unwrap()).collect::<Vec<_>>(), kinds);
    }
    let story = json_lines(&export(&stage, "--request req-1"));
    let kinds: Vec<&str> =
        story[1..story.len() - 1].iter().map(|entry| entry["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds.first(), Some(&"request.submitted"));
    assert!(kinds.contains(&"execution.finished") && !kinds.contains(&"session.opened"), "{kinds:?}");
    let about = json_lines(&export(&stage, "--task linux/say"));
    assert!(about[1..about.len() - 1].iter().all(|entry| entry["task"] == "Linux\\Say"), "{about:?}");
    let nothing = json_lines(&export(&stage, "--until 2020-01-01"));
    assert_eq!(nothing.len(), 2);
    let everything = json_lines(&export(&stage, "--since 2020-01-01"));
    assert!(everything.len() > 20 && everything[0]["partial"] == true);
}

#[test]
fn a_table_is_read_by_a_reader_of_tables() {
    let stage = story();
    let text = export(&stage, "--format csv");
    let script = "import csv,io,json,sys\n\
        rows=list(csv.DictReader(io.StringIO(sys.stdin.buffer.read().decode(),newline=''),strict=True))\n\
        print(json.dumps(rows))";
    let mut python = Command::new("python3");
    python.args(["-c", script]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = python.spawn().unwrap();
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), text.as_bytes()).unwrap();
    let rows: Vec<Value> = serde_json::from_slice(&child.wait_with_output().unwrap().stdout).unwrap();
    let entries = stage.entries();
    assert!(rows.len() > 20 && rows.len() < entries.len());
    for (row, entry) in rows.iter().zip(&entries) {
        assert_eq!(row["index"], entry["index"].to_string());
        assert_eq!(
            (&row["time"], &row["kind"], &row["summary"]),
            (&entry["time"], &entry["kind"], &entry["summary"])
        );
        let details: Value = serde_json::from_str(row["details"].as_str().unwrap()).unwrap();
        assert_eq!(details, entry["details"]);
    }
    assert_eq!(text.matches("\r\n").count(), rows.len() + 1, "one line a row");
}

#[test]
fn office_365_names_who_approved_a_run() {
    let stage = story();
    let records = json_lines(&export(&stage, "--format office365"));
    let runs: Vec<&Value> = records.iter().filter(|record| record["RecordType"] == 10).collect();
    assert_eq!(runs.len(), 2, "started and finished");
    for run in &runs {
        assert_eq!((&run["Operation"], &run["Workload"]), (&"Say".into(), &"Linux".into()));
        assert_eq!(run["ElevationApprover"], "alice");
        assert_eq!((&run["ElevationRole"], &run["ElevationDuration"]), (&"Linux\\Say".into(), &240.into()));
        for field in ["ElevationTime", "ElevationApprovedTime", "StartTime", "EffectiveOrganization"] {
            assert!(run[field].is_string(), "{field} in {run}");
        }
        assert_eq!(run["ElevationRequestId"], runs[0]["ElevationRequestId"]);
    }
    assert_eq!((&runs[0]["UserId"], &runs[0]["ClientIP"]), (&"bob".into(), &"127.0.0.1".into()));
    assert_eq!(runs[1]["ResultStatus"], "Succeeded");
    let named = |operation: &str| {
        let found = records.iter().find(|record| record["Operation"] == operation);
        found.unwrap_or_else(|| panic!("no {operation}"))
    };
    let requested = named("New-ElevatedAccessRequest");
    assert_eq!((&requested["RecordType"], &requested["UserId"]), (&1.into(), &"bob".into()));
    let parameters = requested["Parameters"].as_array().unwrap();
    assert!(
        parameters.iter().any(|pair| pair["Name"] == "reason" && pair["Value"] == "Because"),
        "{requested}"
    );
    for operation in [
        "Enable-ElevatedAccessControl",
        "New-ElevatedAccessApprovalPolicy",
        "Approve-ElevatedAccessRequest",
        "Revoke-ElevatedAccessAuthorization",
        "UserLoggedIn",
        "Add member to group.",
    ] {
        assert_eq!(named(operation)["UserType"].as_u64().map(|kind| kind <= 4), Some(true));
    }
    let again = json_lines(&export(&stage, "--format office365"));
    assert!(records.iter().zip(&again).all(|(one, other)| one["Id"] == other["Id"]), "ids stay the same");
}

#[test]
fn ocsf_tells_the_same_story() {
    let stage = story();
    let events = json_lines(&export(&stage, "--format ocsf"));
    let of = |kind: &str| -> Value {
        let found = events.iter().find(|event| event["metadata"]["event_code"] == kind);
        found.unwrap_or_else(|| panic!("no {kind}")).clone()
    };
    let table = [
        ("ledger.opened", 600_301, 1),
        ("user.added", 300_101, 1),
        ("session.opened", 300_201, 1),
        ("group.member-added", 300_603, 1),
        ("access-control.enabled", 300_408, 1),
        ("policy.created", 300_401, 1),
        ("request.submitted", 300_599, 1),
        ("request.decided", 300_599, 1),
        ("authorization.granted", 300_501, 1),
        ("execution.started", 600_399, 1),
        ("execution.finished", 600_399, 1),
        ("authorization.ended", 300_502, 1),
        ("execution.refused", 600_399, 2),
    ];
    for (kind, type_uid, status) in table {
        let event = of(kind);
        assert_eq!(
            (&event["type_uid"], &event["status_id"]),
            (&type_uid.into(), &status.into()),
            "{kind}: {event}"
        );
    }
    let run = of("execution.finished");
    assert_eq!(run["api"]["operation"], "Linux\\Say");
    assert_eq!(run["unmapped"]["elevation"]["approvers"][0], "alice");
    assert_eq!(run["metadata"]["correlation_uid"], "req-1");
    let started = of("execution.started");
    assert_eq!(
        (&started["actor"]["user"]["name"], &started["src_endpoint"]["ip"]),
        (&"bob".into(), &"127.0.0.1".into())
    );
    assert_eq!(started["actor"]["authorizations"][0]["decision"], "approved by alice");
    let ended = of("authorization.ended");
    assert_eq!((&ended["user"]["name"], &ended["privileges"][0]), (&"bob".into(), &"Linux\\Say".into()));
    assert!(events.iter().enumerate().all(|(place, event)| event["metadata"]["sequence"] == place));
}

#[test]
fn exporting_needs_an_auditor_and_is_itself_on_record() {
    let stage = story();
    for who in ["bob", "alice"] {
        let (_, refused) = stage.types(who, "audit export --format csv", 1);
        assert!(refused.contains("auditor"), "{refused}");
    }
    export(&stage, "--format csv --kind request.decided");
    let read = stage.entries().into_iter().rfind(|entry| {
        entry["kind"] == "ledger.read"
            && entry["details"]["query"].as_str().is_some_and(|query| query.contains("csv"))
    });
    let read = read.expect("the export is an entry");
    assert!(read["details"]["query"].as_str().unwrap().contains("kind=request.decided"), "{read}");
    let (_, wrong) = stage.types("otto", "audit export --kind request.decided --until never", 2);
    assert!(!wrong.is_empty());
}

#[test]
fn many_entries_are_all_there() {
    let stage = Stage::set();
    stage.policy("Linux/Say", "");
    let mut bob = stage.person("bob").connect(&stage.server);
    // More than one stretch, in one connection.
    for _ in 0..350 {
        let ask = serde_json::json!({"task": "Linux/Say", "reason": "again"});
        let request = bob.post("/api/v1/requests", &ask).unwrap().ok();
        let id = request["id"].as_str().unwrap();
        bob.post(&format!("/api/v1/requests/{id}/cancel"), &serde_json::json!({})).unwrap().ok();
    }
    for format in ["jsonl", "csv", "office365", "ocsf"] {
        let text = export(&stage, &format!("--format {format}"));
        assert!(text.lines().count() > 700, "{format}: {}", text.lines().count());
    }
    let lines = json_lines(&export(&stage, ""));
    assert!(lines[1..lines.len() - 1].iter().enumerate().all(|(place, entry)| entry["index"] == place));
}

#[test]
fn as_many_entries_are_counted_as_are_written_whatever_stands_between_them() {
    let stage = Stage::set();
    for _ in 0..2 {
        stage.types("ada", "audit rotate-key --overlap 0", 0);
    }
    for (format, lines_around) in [("jsonl", 4), ("csv", 1), ("office365", 0), ("ocsf", 0)] {
        let path = stage.place.site(format);
        let line = format!("audit export --format {format} --out {} -o json", path.display());
        let told: Value = serde_json::from_str(&stage.types("otto", &line, 0).0).unwrap();
        let lines = std::fs::read_to_string(&path).unwrap().lines().count();
        assert_eq!(told["entries"], lines - lines_around, "{format}");
    }
}
