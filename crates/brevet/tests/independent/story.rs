//! A ledger in which everything happened, made by the real server, and what people keep of it.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use rusqlite::Connection;
use serde_json::json;

use crate::support::place::{Place, write_private};
use crate::support::stage::Stage;
use crate::{both, second, text};

/// How many groups are created: enough entries for stored nodes of level 1.
const GROUPS: usize = 620;

/// The ledger and everything kept of it; the server has stopped.
pub(crate) struct Story {
    place: Place,
}

impl Story {
    /// Requests, approvals, runs, a refusal, another key, somebody erased, and many groups.
    pub(crate) fn told() -> Self {
        let stage = Stage::with_policy("Linux/Say", "");
        let story = |name: &str| stage.place.path().join(name);
        let request = stage.request("bob", "--task Linux/Say --duration 1h");
        stage.types("alice", &format!("request approve {request} --comment Größe"), 0);
        stage.types("bob", "run Linux/Say -p text=now -p aside=then", 0);
        let denied = stage.request("carol", "--task Linux/Say");
        stage.types("anna", &format!("request deny {denied} --comment No"), 0);
        stage.types("otto", &format!("audit proof 5 --out {}", story("early.tlog-proof").display()), 0);
        let note = stage.server.connect("").get("/ledger/checkpoint").unwrap().body;
        std::fs::write(story("early-checkpoint"), note).unwrap();
        std::fs::copy(stage.place.data().join("ledger.vkey"), story("early.vkey")).unwrap();
        back_up(&stage.place.data(), &story("early"));
        add_groups(&stage, 0, GROUPS / 2);
        stage.types("ada", "audit rotate-key --overlap 0", 0);
        stage.types("ada", "user disable carol", 0);
        stage.types("ada", "audit erase --user carol", 0);
        add_groups(&stage, GROUPS / 2, GROUPS);
        stage.types("otto", &format!("audit proof 300 --out {}", story("late.tlog-proof").display()), 0);
        let bundle = story("story.brevet-bundle");
        stage.types("otto", &format!("audit bundle {request} --with-outputs --out {}", bundle.display()), 0);
        stage.types("otto", &format!("audit export --out {}", story("ledger.jsonl").display()), 0);
        let (place, _) = stage.stop();
        let told = Self { place };
        std::fs::copy(told.data().join("ledger.vkey"), told.kept("late.vkey")).unwrap();
        // All in one file, so that a copy of it is the whole.
        let connection = Connection::open(told.data().join("brevet.db")).unwrap();
        connection.execute_batch("PRAGMA wal_checkpoint(TRUNCATE); PRAGMA journal_mode = DELETE").unwrap();
        let note: String = connection.query_row("SELECT checkpoint FROM head", [], |row| row.get(0)).unwrap();
        std::fs::write(told.kept("late-checkpoint"), note).unwrap();
        told
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.place.data()
    }

    /// A file that somebody kept.
    pub(crate) fn kept(&self, name: &str) -> PathBuf {
        self.place.path().join(name)
    }
}

/// An older state of the folder, which is sound in itself.
fn back_up(data: &Path, to: &Path) {
    std::fs::create_dir(to).unwrap();
    make_private(to);
    let connection = Connection::open(data.join("brevet.db")).unwrap();
    connection.busy_timeout(std::time::Duration::from_secs(10)).unwrap();
    let database = to.join("brevet.db");
    write_private(&database, b"");
    connection.execute("VACUUM INTO ?1", [text(&database)]).unwrap();
    std::fs::copy(data.join("ledger.vkey"), to.join("ledger.vkey")).unwrap();
    copy_outputs(data, to);
}

/// A folder that others can look into is none that Brevet reads.
fn make_private(folder: &Path) {
    std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o700)).unwrap();
}

/// What runs wrote lies beside the database.
fn copy_outputs(data: &Path, to: &Path) {
    let copied = Command::new("cp").arg("-a").arg(data.join("blobs")).arg(to).status().unwrap();
    assert!(copied.success());
}

fn add_groups(stage: &Stage, from: usize, until: usize) {
    let mut ada = stage.person("ada").connect(&stage.server);
    for number in from..until {
        ada.post("/api/v1/groups", &json!({"name": format!("g{number}")})).unwrap().ok();
    }
}

/// A copy of the data folder that harm can be done to.
pub(crate) struct Copy {
    folder: tempfile::TempDir,
}

impl Copy {
    pub(crate) fn of(story: &Story) -> Self {
        let folder = tempfile::tempdir().unwrap();
        make_private(folder.path());
        for name in ["brevet.db", "ledger.vkey", "ledger.key", "anchor"] {
            std::fs::copy(story.data().join(name), folder.path().join(name)).unwrap();
        }
        copy_outputs(&story.data(), folder.path());
        Self { folder }
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn open(&self) -> Connection {
        Connection::open(self.path().join("brevet.db")).unwrap()
    }
}

#[test]
fn both_accept_the_whole_ledger_and_all_that_was_kept_of_it() {
    let story = Story::told();
    let data = story.data();
    let kept = |name: &str| text(&story.kept(name)).to_owned();
    let verdict = both(&[text(&data)]);
    assert_eq!(verdict.code, 0, "{verdict:#?}");
    assert_eq!(verdict.value["entries"], verdict.second["entries"]);
    assert!(verdict.value["entries"].as_u64() > Some(600), "{verdict:#?}");
    assert!(verdict.value["texts_erased"].as_u64() > Some(0), "{verdict:#?}");
    for key in ["early.vkey", "late.vkey"] {
        for (option, file) in [
            ("--checkpoint", "early-checkpoint"),
            ("--checkpoint", "late-checkpoint"),
            ("--receipts", "early.tlog-proof"),
            ("--receipts", "late.tlog-proof"),
        ] {
            let verdict = both(&[text(&data), "--key", &kept(key), option, &kept(file)]);
            assert_eq!(verdict.code, 0, "{key} {file}: {verdict:#?}");
        }
    }
    // The key was changed since. An export has the checkpoint that both keys signed, a bundle has not.
    for (file, with_early) in [("ledger.jsonl", 0), ("story.brevet-bundle", 15)] {
        assert_eq!(both(&[&kept(file), "--key", &kept("late.vkey")]).code, 0, "{file}");
        assert_eq!(both(&[&kept(file), "--key", &kept("early.vkey")]).code, with_early, "{file}");
    }
    for (receipt, key) in [("early.tlog-proof", "early.vkey"), ("late.tlog-proof", "late.vkey")] {
        assert_eq!(second(&[&kept(receipt), "--key", &kept(key)]).0, 0, "{receipt} stands alone");
    }
    assert_eq!(second(&[&kept("late.tlog-proof"), "--key", &kept("early.vkey")]).0, 15);
}
