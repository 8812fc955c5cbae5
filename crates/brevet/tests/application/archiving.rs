//! Old entries move to a file when two people agree, and everything still verifies.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command as Process, Output, Stdio};

use brevet_core::{ARCHIVE_MULTIPLE, Command, NewUser, Reply, Span, UserId};

use brevet_store::NextKey;

use crate::house::{ADA, BOB, House, SetClock, origin, secret, user};
use crate::support::server::Server;
use crate::support::{BREVET, PASSWORD};

const DAY: Span = Span::hours(24);

fn verify(data: &Path, more: &[&str]) -> Output {
    Process::new(env!("CARGO_BIN_EXE_brevet"))
        .args(["audit", "verify", "--data"])
        .arg(data)
        .args(more)
        .output()
        .unwrap()
}

/// What the second verifier, which was written from the documents alone, says of the same.
fn second(data: &Path, more: &[&str]) -> Option<i32> {
    let program = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/independent/verify.py");
    let output = Process::new("python3").args(["-S", "-B", program]).arg(data).args(more).output().unwrap();
    output.status.code()
}

/// An office of five hundred days ago, with a second administrator and some work since.
async fn old(data: &Path) -> (House, UserId) {
    let house = House::found(data).await;
    let adam = work_for_years(&house).await;
    (house, adam)
}

/// Entries enough for an archive.
async fn fill(house: &House) {
    while house.app.published().size < ARCHIVE_MULTIPLE {
        house.system(Command::Beat { every: Span::seconds(60) }).await;
    }
}

async fn work_for_years(house: &House) -> UserId {
    for _ in 0..20 {
        house.ask(None).await;
    }
    fill(house).await;
    house.clock.forward(Span::from_micros(DAY.micros() * 500).unwrap());
    house.system(Command::Beat { every: Span::seconds(60) }).await;
    let adam = NewUser { administrator: true, ..user("adam") };
    let Reply::User(adam) = house.by(ADA, Command::AddUser(adam)).await.unwrap().reply else { panic!() };
    house.ask(None).await;
    adam
}

/// Archives all that is older than 450 days.
async fn archive(house: &House, data: &Path, adam: UserId) -> PathBuf {
    let before = house.app.now().minus(Span::from_micros(DAY.micros() * 450).unwrap());
    house.app.ask_for_archive(origin(ADA), before, None).await.unwrap();
    let size = house.app.read(|state| state.archive().asked.as_ref().unwrap().size);
    let (file, _) = house.app.agree_to_archive(origin(adam), size, None).await.unwrap();
    house.app.tend().await.unwrap();
    data.join("archive").join(&file.name)
}

#[tokio::test]
async fn archive_and_rest_verify_together_and_the_rest_alone_says_what_is_missing() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let (house, adam) = old(&data).await;
    let before = house.app.now();
    let before = before.minus(Span::from_micros(DAY.micros() * 450).unwrap());
    house.app.ask_for_archive(origin(ADA), before, None).await.unwrap();
    let size = house.app.read(|state| state.archive().asked.as_ref().unwrap().size);
    assert!(house.app.agree_to_archive(origin(ADA), size, None).await.is_err());
    assert!(
        house.app.agree_to_archive(origin(adam), size - 1, None).await.is_err(),
        "not what was asked for"
    );
    assert!(!data.join("archive").exists(), "who may not agree makes no file");
    let (file, done) = house.app.agree_to_archive(origin(adam), size, None).await.unwrap();
    assert_eq!((file.first, file.size), (0, ARCHIVE_MULTIPLE), "whole files of entries");
    assert_eq!(done.entry, Some(done.position - 1), "whoever agreed can ask for their receipt");
    house.app.tend().await.unwrap();
    let entry = house.app.stored(|reader| reader.entry(0)).await;
    assert!(!matches!(entry, Ok(Some(_))), "the entry has left the database");
    // A proof of what is archived is still made.
    assert!(house.app.stored(|reader| reader.consistency(3, 20)).await.is_ok());
    house.ask(None).await;
    let code = house.app.issue_code(origin(ADA), BOB, None).await.unwrap().code;
    house.app.enrol("bob", code, secret(PASSWORD), "").await.unwrap();
    let archive = data.join("archive").join(&file.name);
    let digest = {
        use sha2::Digest as _;
        <[u8; 32]>::from(sha2::Sha256::digest(std::fs::read(&archive).unwrap()))
    };
    assert_eq!(digest, file.digest);
    drop(house);
    let together = verify(&data, &["--archive", archive.to_str().unwrap()]);
    let said = String::from_utf8_lossy(&[together.stdout, together.stderr].concat()).into_owned();
    assert_eq!(together.status.code(), Some(0), "{said}");
    assert_eq!(second(&data, &["--archive", archive.to_str().unwrap()]), Some(0));
    assert_eq!(verify(&data, &[]).status.code(), second(&data, &[]));
    published_verifies(&data, &archive);
    let kept = std::fs::read_to_string(&archive).unwrap();
    let forged = kept.replacen("\"texts\":[]", "\"texts\":[{\"slot\":0,\"salt\":\"00\",\"text\":\"x\"}]", 1);
    assert_ne!(kept, forged);
    std::fs::write(&archive, forged).unwrap();
    let forged = verify(&data, &["--archive", archive.to_str().unwrap()]);
    assert_eq!(forged.status.code(), Some(10), "{}", String::from_utf8_lossy(&forged.stderr));
    assert_eq!(second(&data, &["--archive", archive.to_str().unwrap()]), Some(10));
}

/// A server starts although few entries are left, and shows what it still knows of what is in the archive.
fn shows_what_is_left(server: &Server) {
    let given = serde_json::json!({"name": "bob", "password": PASSWORD});
    let session = server.connect("").post("/api/v1/sessions", &given).unwrap().ok();
    let mut bob = server.connect(session["token"].as_str().unwrap());
    let all = bob.get("/api/v1/requests?limit=100").unwrap().ok();
    let reasons = all["items"].as_array().unwrap().iter().map(|request| request["reason"].is_null());
    assert_eq!(reasons.clone().filter(|is_gone| *is_gone).count(), 20, "{all}");
    assert_eq!(reasons.filter(|is_gone| !is_gone).count(), 2, "{all}");
    assert!(bob.get("/api/v1/requests/req-1").unwrap().ok()["reason"].is_null());
}

/// What a server publishes verifies, with the archive and without.
fn published_verifies(data: &Path, archive: &Path) {
    let (settings, tasks) = (data.with_file_name("brevet.toml"), data.with_file_name("tasks.d"));
    std::fs::write(&settings, "[ledger]\npublic_entries = true\n").unwrap();
    std::fs::set_permissions(&settings, Permissions::from_mode(0o600)).unwrap();
    std::fs::create_dir(&tasks).unwrap();
    let mut command = Process::new(BREVET);
    command.args(["serve", "--listen", "127.0.0.1:0", "--data"]).arg(data);
    command.arg("--tasks").arg(&tasks).arg("--config").arg(&settings);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let server = Server::start_as(command);
    shows_what_is_left(&server);
    let key = data.join("ledger.vkey");
    for (more, misses) in [(&["--archive", archive.to_str().unwrap()][..], false), (&[], true)] {
        let mut command = Process::new(BREVET);
        command.args(["audit", "verify", &server.url(), "--key"]).arg(&key).args(more);
        let verified = command.output().unwrap();
        let said = String::from_utf8_lossy(&[verified.stdout, verified.stderr].concat()).into_owned();
        assert!(verified.status.success(), "{more:?}: {said}");
        assert_eq!(said.contains("256 entries are in an archive file"), misses, "{more:?}: {said}");
    }
}

#[tokio::test]
async fn a_server_goes_on_after_archiving_as_before() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let (house, adam) = old(&data).await;
    let clock: SetClock = house.clock.clone();
    let before = house.app.now().minus(Span::from_micros(DAY.micros() * 450).unwrap());
    house.app.ask_for_archive(origin(ADA), before, None).await.unwrap();
    let size = house.app.read(|state| state.archive().asked.as_ref().unwrap().size);
    let (file, _) = house.app.agree_to_archive(origin(adam), size, None).await.unwrap();
    let path = data.join("archive").join(&file.name);
    let written = std::fs::read(&path).unwrap();
    std::fs::write(&path, "something else").unwrap();
    assert!(house.app.tend().await.unwrap_err().to_string().contains("not what was archived"));
    std::fs::write(&path, written).unwrap();
    drop(house);
    let house = loop {
        match House::open(&data, clock.clone()).await {
            Ok(house) => break house,
            Err(error) => assert!(error.to_string().contains("another server"), "{error}"),
        }
        tokio::task::yield_now().await;
    };
    // What was not taken out before the restart is now.
    house.app.tend().await.unwrap();
    let files = house.app.archives().await.unwrap().files;
    assert!(files.iter().all(|file| file.pruned == file.size), "{files:?}");
    let old = house.app.read(|state| state.users().len());
    assert_eq!(old, 4);
}

/// What `brevet audit …` says of a folder, without a server.
fn asks(words: &[&str], data: &Path, more: &[&str]) -> (Option<i32>, String) {
    let mut command = Process::new(env!("CARGO_BIN_EXE_brevet"));
    let output = command.arg("audit").args(words).arg("--data").arg(data).args(more).output().unwrap();
    (output.status.code(), String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned())
}

#[tokio::test]
async fn a_change_of_the_key_whose_entry_is_archived_is_held_to_its_leaf_hash() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let house = House::found(&data).await;
    let first = house.app.verifier_key();
    let changed = house.app.rotate_key(origin(ADA), Span::hours(0), NextKey::Configured, None).await;
    let index = changed.unwrap().entry.unwrap();
    let adam = work_for_years(&house).await;
    let file = archive(&house, &data, adam).await;
    let entry = house.app.stored(move |reader| reader.entry(index)).await;
    assert!(!matches!(entry, Ok(Some(_))), "the entry has left the database");
    drop(house);
    let file = file.to_str().unwrap();
    // With the first key alone, the row is what leads to the key of now.
    let check = |more: &[&str]| {
        let output = verify(&data, &[&["-o", "json", "--key", &first], more].concat());
        (output.status.code(), String::from_utf8(output.stdout).unwrap())
    };
    let differs = format!("the change of the key in entry {index} is not what was written");
    let (code, said) = check(&["--archive", file]);
    assert_eq!((code, said.contains(&differs)), (Some(0), false), "{said}");
    let (alone, said) = check(&[]);
    assert!(!said.contains(&differs) && !said.contains("bad-signature"), "{alone:?}: {said}");

    let connection = rusqlite::Connection::open(data.join("brevet.db")).unwrap();
    let whole: Vec<u8> = connection.query_row("SELECT bytes FROM ledger_key", [], |row| row.get(0)).unwrap();
    let set = |bytes: &[u8]| {
        assert_eq!(connection.execute("UPDATE ledger_key SET bytes = ?1", [bytes]).unwrap(), 1);
    };
    for place in [0, whole.len() / 2, whole.len() - 1] {
        let mut forged = whole.clone();
        forged[place] ^= 1;
        set(&forged);
        for more in [&["--archive", file][..], &[]] {
            let (code, said) = check(more);
            assert!(code != Some(0) && said.contains(&differs), "byte {place}, {more:?}, {code:?}: {said}");
        }
    }
    set(&whole);
    assert_eq!(check(&["--archive", file]).0, Some(0));
}

#[tokio::test]
async fn what_is_archived_is_answered_offline_by_folder_and_archive_together() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let house = House::found(&data).await;
    let authorization = house.grant(None).await;
    fill(&house).await;
    // The clock stands: this is the instant of everything so far.
    let during = "2025-06-15T15:06:40Z";
    house.clock.forward(Span::from_micros(DAY.micros() * 500).unwrap());
    house.system(Command::Beat { every: Span::seconds(60) }).await;
    let adam = NewUser { administrator: true, ..user("adam") };
    let Reply::User(adam) = house.by(ADA, Command::AddUser(adam)).await.unwrap().reply else { panic!() };
    let before = house.app.now().minus(Span::from_micros(DAY.micros() * 450).unwrap());
    house.app.ask_for_archive(origin(ADA), before, None).await.unwrap();
    let size = house.app.read(|state| state.archive().asked.as_ref().unwrap().size);
    let (file, _) = house.app.agree_to_archive(origin(adam), size, None).await.unwrap();
    house.app.tend().await.unwrap();
    drop(house);

    let bundle = folder.path().join("req-1.bundle");
    let out = ["--out", bundle.to_str().unwrap()];
    let told = asks(&["as-of", during, "-o", "json"], &data, &[]);
    let ways: serde_json::Value = serde_json::from_str(&told.1).unwrap_or_else(|_| panic!("{}", told.1));
    assert_eq!(ways.as_array().unwrap().len(), 1, "{ways}");
    assert_eq!((&ways[0]["user"]["name"], &ways[0]["request"]), (&"bob".into(), &"req-1".into()), "{ways}");
    assert_eq!(ways[0]["authorization"], authorization.to_string());
    assert_eq!(ways[0]["approvers"][0]["name"], "alice");
    let nobody = asks(&["as-of", during, "--user", "alice", "-o", "json"], &data, &[]);
    assert_eq!((nobody.0, nobody.1.trim()), (Some(0), "[]"));
    let told = asks(&["bundle", "req-1"], &data, &out);
    assert_eq!(told.0, Some(0), "{}", told.1);
    let key = data.join("ledger.vkey");
    let checked = Process::new(env!("CARGO_BIN_EXE_brevet"))
        .args(["audit", "verify", "--bundle", out[1], "--key"])
        .arg(&key)
        .output()
        .unwrap();
    assert_eq!(checked.status.code(), Some(0), "{}", String::from_utf8_lossy(&checked.stderr));
    assert!(String::from_utf8_lossy(&checked.stdout).contains("because"), "the reason is in it");

    // The archive may lie elsewhere; without it nothing is answered, and one that was changed is not believed.
    let elsewhere = folder.path().join("elsewhere.jsonl");
    std::fs::rename(data.join("archive").join(&file.name), &elsewhere).unwrap();
    for words in [&["as-of", during][..], &["bundle", "req-1", "--out", "x"]] {
        let (code, said) = asks(words, &data, &[]);
        assert!(code == Some(1) && said.contains("--archive FILE"), "{said}");
    }
    let archive = ["--archive", elsewhere.to_str().unwrap()];
    assert_eq!(
        asks(&["as-of", during, "-o", "json"], &data, &archive).1,
        serde_json::to_string_pretty(&ways).unwrap() + "\n"
    );
    let text = std::fs::read_to_string(&elsewhere).unwrap();
    let second = text.lines().nth(2).unwrap().replacen("\"index\":1", "\"index\":2", 1);
    let third = text.lines().nth(3).unwrap();
    std::fs::write(&elsewhere, text.replace(third, &second)).unwrap();
    let (code, said) = asks(&["as-of", during], &data, &archive);
    assert!(code == Some(1) && said.contains("another entry than the ledger"), "{said}");
}
