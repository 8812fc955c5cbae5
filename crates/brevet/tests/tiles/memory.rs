//! What the command line remembers: it keeps receipts, and notices when a server shows another history.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use brevet_ledger::{Note, SigningKey};
use serde_json::Value;

use crate::following::{monitor, verifier_key};
use crate::liar::Liar;
use crate::support::person::Person;
use crate::support::place::Place;
use crate::support::server::{Server, command};
use crate::support::stage::Stage;

const WARNING: &str = "THE LEDGER OF THIS SERVER CANNOT BE TRUSTED";

fn memory(person: &Person) -> PathBuf {
    person.home.join("brevet/receipts")
}

/// The folder of the only ledger that somebody knows.
fn ledger(person: &Person) -> PathBuf {
    let mut found = std::fs::read_dir(memory(person).join("ledgers")).unwrap();
    let ledger = found.next().unwrap().unwrap().path();
    assert!(found.next().is_none(), "only one ledger is known");
    ledger
}

fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> =
        entries.filter(|path| path.extension().is_some_and(|found| found == extension)).collect();
    files.sort();
    files
}

fn copy(place: &Place, from: &Path, name: &str) -> PathBuf {
    let to = place.path().join(name);
    let copied = Command::new("cp").arg("-a").arg(from).arg(&to).status().unwrap();
    assert!(copied.success());
    to
}

/// A server over a copy of the data.
fn serve(place: &Place, data: &Path) -> Server {
    let usual = command(place, "warn");
    let mut words = Command::new(usual.get_program());
    words.args(usual.get_args().map(|word| if word == place.data() { data.as_os_str() } else { word }));
    words.env("BREVET_LOG", "warn").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    Server::start_as(words)
}

/// The only evidence there is.
fn evidence(person: &Person) -> Value {
    let files = files(&ledger(person), "evidence");
    assert_eq!(files.len(), 1, "{files:?}");
    serde_json::from_str(&std::fs::read_to_string(&files[0]).unwrap()).unwrap()
}

fn size_in(note: &Value) -> u64 {
    let note = note.as_str().unwrap();
    let note =
        if note.starts_with("c2sp.org/tlog-proof") { note.split_once("\n\n").unwrap().1 } else { note };
    note.lines().nth(1).unwrap().parse().unwrap()
}

#[test]
fn whatever_somebody_does_leaves_a_receipt_that_another_implementation_accepts() {
    let stage = Stage::with_policy("Linux/Say", "");
    let request = stage.request("bob", "--task Linux/Say");
    stage.types("alice", &format!("request approve {request}"), 0);
    let (out, error) = stage.types("bob", "run Linux/Say -p text=hello", 0);
    assert_eq!((out.as_str(), error.as_str()), ("hello\n", ""), "no word about receipts where all is well");
    let authorization = stage.asks("bob", "authorization list --mine")[0]["id"].as_str().unwrap().to_owned();
    stage.types("ada", &format!("authorization revoke {authorization} --comment Enough"), 0);
    let key = verifier_key(&stage.place.data());
    for (who, kinds) in [
        ("bob", &["request.submitted", "execution.started"][..]),
        ("alice", &["request.decided"]),
        ("ada", &["policy.created", "authorization.ended"]),
    ] {
        let receipts = files(&ledger(stage.person(who)), "tlog-proof");
        let found: Vec<Value> = receipts
            .iter()
            .map(|file| monitor(&["receipt", file.to_str().unwrap(), &key]).unwrap())
            .collect();
        let mut found: Vec<_> = found
            .iter()
            .map(|receipt| (receipt["index"].as_u64(), receipt["kind"].as_str().unwrap()))
            .collect();
        found.sort_unstable();
        assert_eq!(found.into_iter().map(|(_, kind)| kind).collect::<Vec<_>>(), kinds, "{who}");
        let checked = stage.asks(who, "audit receipts check");
        assert!(checked.as_array().unwrap().iter().all(|receipt| receipt["holds"] == true), "{checked}");
    }
}

#[test]
fn a_restored_older_copy_is_noticed_and_the_act_keeps_its_exit_code() {
    let stage = Stage::with_policy("Linux/Say", "");
    stage.grant("bob", "--task Linux/Say");
    let (place, people) = stage.stop();
    let older = copy(&place, &place.data(), "older");
    let stage = Stage::again(place, people);
    for _ in 0..5 {
        stage.types("bob", "run Linux/Say -p text=lost", 0);
    }
    let (place, people) = stage.stop();
    let server = serve(&place, &older);
    let bob = &people["bob"];
    let ran = bob.types(&server, "run Linux/Say -p text=again", 0);
    assert_eq!(ran.text(), "again\n");
    assert!(ran.stderr.contains(WARNING) && ran.stderr.contains("it never had that many"), "{}", ran.stderr);
    let found = evidence(bob);
    assert!(size_in(&found["seen_before"]) > size_in(&found["shown_now"]), "{found}");
    assert!(ran.stderr.contains(files(&ledger(bob), "evidence")[0].to_str().unwrap()), "{}", ran.stderr);
    let checked = bob.types(&server, "audit receipts check -o json", 1);
    assert!(checked.stderr.contains(WARNING));
    // Each receipt is told from those that the older copy still knows.
    let checked = checked.json();
    let holds: Vec<bool> =
        checked.as_array().unwrap().iter().map(|receipt| receipt["holds"] == true).collect();
    assert_eq!(holds, [true, false, false, false, false, false], "{checked}");
    // It is said again each time, until somebody does something about it.
    assert!(bob.types(&server, "run Linux/Say -p text=again", 0).stderr.contains(WARNING));
}

#[test]
fn two_servers_with_one_key_and_two_histories_are_evidence_against_each_other() {
    let stage = Stage::with_policy("Linux/Say", "");
    stage.grant("bob", "--task Linux/Say");
    let (place, people) = stage.stop();
    let (one, other) = (copy(&place, &place.data(), "one"), copy(&place, &place.data(), "other"));
    let (one, other) = (serve(&place, &one), serve(&place, &other));
    let (bob, carol) = (&people["bob"], &people["carol"]);
    assert_eq!(bob.types(&one, "run Linux/Say -p text=here", 0).stderr, "");
    // Elsewhere something else happens, and more of it.
    for name in ["first", "second", "third"] {
        people["ada"].types(&other, &format!("group create {name}"), 0);
    }
    let ran = bob.types(&other, "run Linux/Say -p text=there", 0);
    assert!(ran.stderr.contains(WARNING) && ran.stderr.contains("two different histories"), "{}", ran.stderr);
    let found = evidence(bob);
    let key = verifier_key(&place.data());
    assert_eq!(found["keys"][0], key.as_str());
    assert!(found["shown_now"].as_str().unwrap().starts_with("c2sp.org/tlog-proof@v1\n"));
    // Who saw only one of them has nothing to complain about.
    assert_eq!(carol.types(&other, "request new --task Linux/Say --reason Because", 0).stderr, "");
    assert_eq!(bob.types(&one, "audit receipts check", 0).stderr, "");
}

#[test]
fn another_key_at_the_same_address_is_refused_until_somebody_says_otherwise() {
    let stage = Stage::with_policy("Linux/Say", "");
    stage.request("bob", "--task Linux/Say");
    let elsewhere = Stage::with_policy("Linux/Say", "");
    let bob = Person { home: stage.person("bob").home.clone(), ..elsewhere.person("bob").clone() };
    // The other server answers where the first one did.
    let servers = memory(&bob).join("servers");
    let text = std::fs::read_to_string(&servers).unwrap();
    std::fs::write(&servers, text.replace(&stage.server.url(), &elsewhere.server.url())).unwrap();
    let line = "request new --task Linux/Say --reason Because";
    let asked = bob.types(&elsewhere.server, line, 0);
    assert!(
        asked.stderr.contains(WARNING) && asked.stderr.contains("the key that you know"),
        "{}",
        asked.stderr
    );
    bob.types(&elsewhere.server, "audit receipts check", 1);
    let key = verifier_key(&elsewhere.place.data());
    bob.types(&elsewhere.server, &format!("audit receipts trust {key}"), 0);
    assert_eq!(bob.types(&elsewhere.server, line, 0).stderr, "");
    bob.types(&elsewhere.server, "audit receipts trust nonsense", 2);
}

#[test]
fn a_damaged_memory_is_said_and_never_taken_for_none() {
    let stage = Stage::with_policy("Linux/Say", "");
    stage.request("bob", "--task Linux/Say");
    let folder = ledger(stage.person("bob"));
    let line = "request new --task Linux/Say --reason Because";
    for (path, text) in [
        (folder.join("checkpoint"), "nonsense\n"),
        (folder.join("checkpoint"), ""),
        (folder.join("ledger"), "{}"),
        (memory(stage.person("bob")).join("servers"), "{"),
    ] {
        let kept = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, text).unwrap();
        let request = stage.person("bob").types(&stage.server, line, 0);
        let name = path.display().to_string();
        assert!(request.stderr.contains(&format!("{name} is damaged")), "{name}: {}", request.stderr);
        assert_eq!(request.stderr.lines().count(), 1, "{}", request.stderr);
        assert_eq!(std::fs::read_to_string(&path).unwrap(), text, "what is damaged is not written over");
        std::fs::write(&path, kept).unwrap();
        let id = request.text().split_whitespace().find(|word| word.starts_with("req-")).unwrap().to_owned();
        stage.types("bob", &format!("request cancel {}", id.trim_end_matches([':', ',', '.'])), 0);
    }
    // A checkpoint that somebody wrote into the memory has no signature.
    let path = folder.join("checkpoint");
    let forged = std::fs::read_to_string(&path).unwrap().replacen('\n', "\n1", 1);
    std::fs::write(&path, forged).unwrap();
    let request = stage.person("bob").types(&stage.server, line, 0);
    assert!(request.stderr.contains("its signature does not hold"), "{}", request.stderr);
}

#[test]
fn a_receipt_that_was_changed_is_found() {
    let stage = Stage::with_policy("Linux/Say", "");
    stage.request("bob", "--task Linux/Say");
    let receipt = files(&ledger(stage.person("bob")), "tlog-proof").remove(0);
    let text = std::fs::read_to_string(&receipt).unwrap();
    let index: u64 = receipt.file_stem().unwrap().to_str().unwrap().parse().unwrap();
    for changed in [
        text.replacen(&format!("index {index}"), &format!("index {}", index - 1), 1),
        text.replacen("extra AQAA", "extra AQAB", 1),
        text.lines().filter(|line| !line.starts_with("extra")).map(|line| format!("{line}\n")).collect(),
        String::new(),
    ] {
        assert_ne!(changed, text);
        std::fs::write(&receipt, &changed).unwrap();
        let checked = stage.person("bob").types(&stage.server, "audit receipts check -o json", 1).json();
        assert_eq!(
            (checked[0]["holds"].as_bool(), checked[0]["index"].as_u64()),
            (Some(false), Some(index)),
            "{checked}"
        );
        assert!(!checked[0]["problem"].as_str().unwrap().is_empty());
    }
    std::fs::write(&receipt, text).unwrap();
    stage.types("bob", "audit receipts check", 0);
}

#[test]
fn parallel_commands_of_one_person_lose_no_receipt() {
    const COMMANDS: usize = 16;
    let stage = Stage::with_policy("Linux/Say", "");
    stage.grant("bob", "--task Linux/Say");
    let before = files(&ledger(stage.person("bob")), "tlog-proof").len();
    let begin = |place| stage.person("bob").begins(&stage.server, &format!("run Linux/Say -p text={place}"));
    let running: Vec<_> = (0..COMMANDS).map(begin).collect();
    for child in running {
        let output = child.wait_with_output().unwrap();
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success() && error.is_empty(), "{error}");
    }
    let folder = ledger(stage.person("bob"));
    assert_eq!(files(&folder, "tlog-proof").len(), before + COMMANDS);
    assert!(files(&folder, "new").is_empty(), "nothing half written is left");
    let checked = stage.asks("bob", "audit receipts check");
    assert_eq!(checked.as_array().unwrap().len(), before + COMMANDS);
}

#[test]
fn a_memory_that_cannot_be_written_fails_nothing_and_one_that_is_off_says_nothing() {
    let stage = Stage::with_policy("Linux/Say", "");
    let folder = memory(stage.person("bob"));
    std::fs::create_dir_all(folder.parent().unwrap()).unwrap();
    std::fs::write(&folder, "a file is in the way").unwrap();
    let line = "request new --task Linux/Say --reason Because";
    let asked = stage.person("bob").types(&stage.server, line, 0);
    assert!(
        asked.stderr.starts_with("brevet: it was done, but there is no receipt for entry "),
        "{}",
        asked.stderr
    );
    let words: Vec<&str> = line.split(' ').collect();
    let carol = stage.person("carol");
    let asked = carol.command(&stage.server, &words).env("BREVET_RECEIPTS", "off").output().unwrap();
    assert!(asked.status.success() && asked.stderr.is_empty(), "{asked:?}");
    assert!(!memory(carol).exists());
    let nowhere = stage
        .person("ada")
        .command(&stage.server, &["group", "create", "Nowhere"])
        .env_remove("XDG_CONFIG_HOME")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&nowhere.stderr).into_owned();
    assert!(nowhere.status.success() && said.contains("no receipt is kept"), "{said}");
}

#[test]
fn a_proof_is_written_where_it_is_wanted() {
    let stage = Stage::with_policy("Linux/Say", "");
    stage.request("bob", "--task Linux/Say");
    let receipt = files(&ledger(stage.person("bob")), "tlog-proof").remove(0);
    let index = receipt.file_stem().unwrap().to_str().unwrap().to_owned();
    let key = verifier_key(&stage.place.data());
    let folder = stage.place.path().join("proofs");
    std::fs::create_dir(&folder).unwrap();
    let (named, other) = (folder.join("mine"), folder.join("mine.txt"));
    for (out, file) in [
        (&folder, folder.join(format!("{index}.tlog-proof"))),
        (&named, folder.join("mine.tlog-proof")),
        (&other, other.clone()),
    ] {
        stage.types("bob", &format!("audit proof {index} --out {}", out.display()), 0);
        assert_eq!(monitor(&["receipt", file.to_str().unwrap(), &key]).unwrap()["index"].to_string(), index);
    }
    stage.types("carol", &format!("audit proof {index}"), 1);
    let (out, _) = stage.types("otto", &format!("audit proof {index}"), 0);
    assert!(out.starts_with("c2sp.org/tlog-proof@v1\n"), "{out}");
}

#[test]
fn the_memory_is_nobody_elses() {
    use std::os::unix::fs::PermissionsExt as _;
    let stage = Stage::with_policy("Linux/Say", "");
    stage.request("bob", "--task Linux/Say");
    let folder = ledger(stage.person("bob"));
    for (path, mode) in [
        (memory(stage.person("bob")), 0o700),
        (folder.clone(), 0o700),
        (folder.join("checkpoint"), 0o600),
        (files(&folder, "tlog-proof").remove(0), 0o600),
    ] {
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, mode, "{}", path.display());
    }
    std::fs::set_permissions(folder.join("ledger"), std::fs::Permissions::from_mode(0o666)).unwrap();
    let asked = stage.person("bob").types(&stage.server, "request new --task Linux/Say --reason Because", 0);
    assert!(asked.stderr.contains("can be changed by others"), "{}", asked.stderr);
}

#[test]
fn a_new_key_is_followed_when_the_old_one_signed_for_it() {
    let stage = Stage::with_policy("Linux/Say", "");
    stage.grant("bob", "--task Linux/Say");
    for overlap in ["0", "1h"] {
        stage.types("ada", &format!("audit rotate-key --overlap {overlap}"), 0);
        let (_, error) = stage.types("bob", "run Linux/Say -p text=still", 0);
        assert_eq!(error, "", "overlap {overlap}");
    }
    let known = std::fs::read_to_string(ledger(stage.person("bob")).join("ledger")).unwrap();
    let known: Value = serde_json::from_str(&known).unwrap();
    assert_eq!(known["keys"].as_array().unwrap().len(), 3, "{known}");
    stage.types("bob", "audit receipts check", 0);
    // Somebody who was away all the time follows as well.
    stage.types("ada", "audit receipts check", 0);
    stage.types("alice", "audit receipts check", 0);
}

#[test]
fn a_server_that_names_no_entry_is_complained_about_loudly() {
    let stage = Stage::with_policy("Linux/Say", "");
    let request = stage.request("bob", "--task Linux/Say");
    let kept = files(&ledger(stage.person("bob")), "tlog-proof").len();
    let silent = Liar::before(&stage.server, None);
    let bob = |line: &str| silent.types(stage.person("bob"), &stage.server, line);
    for (line, kind) in [
        (format!("request cancel {request}"), "request.cancelled"),
        ("request new --task Linux/Say --reason Because".to_owned(), "request.submitted"),
    ] {
        let said = bob(&line).stderr;
        assert!(said.contains("WARNING: NOTHING SHOWS THAT THIS IS ON RECORD"), "{said}");
        assert!(said.contains(&silent.url()) && said.contains(&format!("--kind {kind}")), "{said}");
    }
    assert_eq!(files(&ledger(stage.person("bob")), "tlog-proof").len(), kept);
    // Who has never been there is told no less.
    let first =
        silent.types(stage.person("carol"), &stage.server, "request new --task Linux/Say --reason Because");
    assert!(first.stderr.contains("NOTHING SHOWS THAT THIS IS ON RECORD"), "{}", first.stderr);
    // What changes nothing has nothing to show.
    for line in ["request list --mine", "policy explain --task Linux/Say"] {
        assert_eq!(bob(line).stderr, "", "{line}");
    }
}

#[test]
fn an_entry_of_something_else_is_no_receipt_for_what_was_done() {
    let stage = Stage::with_policy("Linux/Say", "");
    let (bob, ada) = (stage.person("bob"), stage.person("ada"));
    let request = stage.request("bob", "--task Linux/Say");
    let kept = files(&ledger(bob), "tlog-proof");
    let index: u64 = kept[0].file_stem().unwrap().to_str().unwrap().parse().unwrap();
    let liar = Liar::before(&stage.server, Some(index));
    let ask = "request new --task Linux/Say --reason Because";
    let other = stage.types("ada", ask, 0).0;
    assert!(other.contains("req-"), "{other}");
    for (who, line, why) in [
        (
            bob,
            format!("request cancel {request}"),
            "it says request.submitted, and what you did is request.cancelled",
        ),
        (bob, ask.to_owned(), "it is of what you did before"),
        // An auditor gets the receipt of anybody's entry.
        (ada, "request cancel req-2".to_owned(), "it says request.submitted"),
        (ada, ask.to_owned(), "did it, and you are usr-"),
    ] {
        let said = liar.types(who, &stage.server, &line).stderr;
        assert!(said.contains(WARNING) && said.contains(why), "{line}: {said}");
        assert!(said.contains("the entry that it names is not what you did"), "{line}: {said}");
    }
    assert_eq!(files(&ledger(bob), "tlog-proof"), kept);
    assert!(!files(&ledger(bob), "evidence").is_empty(), "what it showed instead is kept");
    // Without the liar all is well.
    assert_eq!(stage.types("bob", ask, 0).1, "");
}

#[test]
fn a_checkpoint_that_a_replaced_key_signed_is_not_believed_by_the_memory_either() {
    let stage = Stage::with_policy("Linux/Say", "");
    stage.request("bob", "--task Linux/Say");
    let old = std::fs::read_to_string(stage.place.data().join("ledger.key")).unwrap();
    let old = SigningKey::parse(old.trim()).unwrap();
    stage.types("ada", "audit rotate-key --overlap 0", 0);
    stage.types("bob", "request list", 0);
    let again = stage.request("bob", "--task Linux/Say --duration 2h");
    let path = ledger(stage.person("bob")).join("checkpoint");
    let sound: Note = std::fs::read_to_string(&path).unwrap().parse().unwrap();
    std::fs::write(&path, Note::sign(sound.text(), &old).unwrap().to_string()).unwrap();
    let (_, said) = stage.types("bob", &format!("request cancel {again}"), 0);
    assert!(said.contains("its signature does not hold"), "{said}");
}

#[test]
fn whatever_is_changed_leaves_a_receipt_and_no_complaint() {
    let stage = Stage::with_policy("Linux/Say", "");
    let ada = |line: &str| {
        let (out, error) = stage.types("ada", line, 0);
        assert_eq!(error, "", "{line}");
        out
    };
    ada("group create Kept");
    let before = files(&ledger(stage.person("ada")), "tlog-proof").len();
    let lines = [
        "user add dora",
        "user code dora",
        "group create Team",
        "group add-member Team dora",
        "group remove-member Team dora",
        "group delete Team",
        "assignment add --user dora --task Linux/Say",
        "assignment remove asg-1",
        "policy set pol-1 --max-duration 3h",
        "policy remove pol-1",
        "access disable",
        "access enable --approvers Approvers",
        "user disable dora",
        "user enable dora",
        "user disable dora",
        "audit erase --user dora",
        "audit rotate-key --overlap 0",
    ];
    for line in lines {
        ada(line);
    }
    let after = files(&ledger(stage.person("ada")), "tlog-proof").len();
    assert_eq!(after - before, lines.len() + 1, "an account comes with its code");
}
