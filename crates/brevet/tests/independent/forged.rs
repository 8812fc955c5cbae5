//! What whoever owns the folder does: older states, other keys, other histories, texts that come back.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use brevet_ledger::{
    Checkpoint, CosigningKey, EntryRef, KeyName, Note, Origin, RightEdge, SigningKey, leaf_hash,
};
use rusqlite::Connection;

use crate::story::{Copy, Story};
use crate::support::stage::Stage;
use crate::{both, text};

#[test]
fn both_find_that_an_end_is_missing_by_what_was_kept() {
    let story = Story::told();
    let cut = story.kept("early");
    assert_eq!(both(&[text(&cut)]).code, 0, "an older state is sound in itself");
    for (option, file, code) in [
        ("--checkpoint", "early-checkpoint", 0),
        ("--receipts", "early.tlog-proof", 0),
        ("--checkpoint", "late-checkpoint", 15),
        ("--receipts", "late.tlog-proof", 15),
    ] {
        let verdict = both(&[text(&cut), option, text(&story.kept(file))]);
        assert_eq!(verdict.code, code, "{file}: {verdict:#?}");
        let keys = [text(&story.kept("early.vkey")).to_owned(), text(&story.kept("late.vkey")).to_owned()];
        let verdict =
            both(&[text(&cut), "--key", &keys[0], "--key", &keys[1], option, text(&story.kept(file))]);
        assert_eq!(verdict.code, if code == 15 { 12 } else { 0 }, "{file}, both keys: {verdict:#?}");
    }
    std::fs::copy(story.data().join("anchor"), cut.join("anchor")).unwrap();
    assert_eq!(both(&[text(&cut), "--key", text(&story.kept("late.vkey"))]).code, 12, "by the anchor");
}

#[test]
fn both_tell_a_wrong_key_from_the_right_one() {
    let story = Story::told();
    let name = std::fs::read_to_string(story.kept("late.vkey")).unwrap();
    let name = KeyName::parse(name.split('+').next().unwrap()).unwrap();
    let stranger = SigningKey::from_seed(name, &[1; 32]).verifier().to_string();
    let other = SigningKey::from_seed(KeyName::parse("other.example").unwrap(), &[1; 32]);
    for key in [stranger, other.verifier().to_string()] {
        for file in [story.data(), story.kept("ledger.jsonl"), story.kept("story.brevet-bundle")] {
            assert_eq!(both(&[text(&file), "--key", &key]).code, 15, "{}", file.display());
        }
    }
}

/// The ledger's own key, in the wrong hands.
fn stolen(story: &Story) -> SigningKey {
    SigningKey::parse(std::fs::read_to_string(story.data().join("ledger.key")).unwrap().trim()).unwrap()
}

#[test]
fn both_see_that_the_key_signed_another_history() {
    let story = Story::told();
    let key = stolen(&story);
    let origin = Origin::parse(key.verifier().name().as_str()).unwrap();
    let other =
        Checkpoint::new(origin, 450, brevet_ledger::leaf_hash(b"another history")).sign(&key).unwrap();
    std::fs::write(story.kept("other"), other.to_string()).unwrap();
    let arguments = [text(&story.data()).to_owned(), text(&story.kept("other")).to_owned()];
    let verdict = both(&[&arguments[0], "--checkpoint", &arguments[1]]);
    assert_eq!((verdict.code, &verdict.second["finding"]), (13, &"forked".into()), "{verdict:#?}");
    // Beside something that is only not signed, the fork is what counts.
    std::fs::write(story.kept("unsigned"), other.to_string().replacen("450", "451", 1)).unwrap();
    let unsigned = text(&story.kept("unsigned")).to_owned();
    assert_eq!(both(&[&arguments[0], "--checkpoint", &unsigned]).code, 15);
    let more = ["--checkpoint", &unsigned, "--checkpoint", &arguments[1]];
    assert_eq!(both(&[&[arguments[0].as_str()], &more[..]].concat()).code, 13);
}

#[test]
fn both_see_a_text_that_comes_back_after_it_was_erased() {
    let story = Story::told();
    let early = Connection::open(story.kept("early").join("brevet.db")).unwrap();
    let erased = "SELECT seq, salt, value FROM entry_text WHERE value = 'carol'";
    let (seq, salt, value): (i64, Vec<u8>, String) =
        early.query_row(erased, [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).unwrap();
    let copy = Copy::of(&story);
    let back = copy.open().execute("INSERT INTO entry_text VALUES (?1, 0, ?2, ?3)", (seq, salt, value));
    assert_eq!(back.unwrap(), 1);
    assert_eq!(both(&[text(copy.path())]).code, 17);
}

/// The export of another history, in which the entry at `index` has this body, signed with the true key.
fn with_body(story: &Story, index: usize, body: &dyn Fn(&[u8]) -> Vec<u8>) -> String {
    let (key, mut edge) = (stolen(story), RightEdge::new());
    let whole = std::fs::read_to_string(story.kept("ledger.jsonl")).unwrap();
    let mut lines: Vec<serde_json::Value> =
        whole.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    for (place, line) in lines.iter_mut().filter(|line| line["bytes"].is_string()).enumerate() {
        let mut bytes = STANDARD.decode(line["bytes"].as_str().unwrap()).unwrap();
        if place == index {
            let entry = EntryRef::decode(&bytes).unwrap();
            let (body, mut again) = (body(entry.body), Vec::new());
            EntryRef { body: &body, ..entry }.encode(&mut again).unwrap();
            bytes = again;
            line["bytes"] = STANDARD.encode(&bytes).into();
        }
        edge.append(leaf_hash(&bytes));
    }
    let origin = Origin::parse(key.verifier().name().as_str()).unwrap();
    let note = Checkpoint::new(origin, edge.size(), edge.root()).sign(&key).unwrap();
    lines.retain(|line| line["checkpoint"].is_null());
    lines.push(serde_json::json!({"checkpoint": note.to_string()}));
    lines.iter().map(|line| format!("{line}\n")).collect()
}

#[test]
fn both_refuse_a_body_in_another_form_although_it_was_signed() {
    let story = Story::told();
    let key = text(&story.kept("late.vkey")).to_owned();
    let file = story.kept("form.jsonl");
    let check = |body: &dyn Fn(&[u8]) -> Vec<u8>| {
        std::fs::write(&file, with_body(&story, 3, body)).unwrap();
        both(&[text(&file), "--key", &key])
    };
    assert_eq!(check(&<[u8]>::to_vec).code, 0, "the true history, signed once more");
    for body in [
        &|body: &[u8]| [&[0x98, 2], &body[1..]].concat() as Vec<u8>,
        &|body: &[u8]| [&[0x9f], &body[1..], &[0xff]].concat(),
        &|body: &[u8]| [body, &[0xf6]].concat(),
    ] as [&dyn Fn(&[u8]) -> Vec<u8>; 3]
    {
        let verdict = check(body);
        assert_eq!((verdict.code, &verdict.value["entry"]), (10, &3.into()), "{verdict:#?}");
        let sentence = verdict.value["sentence"].as_str().unwrap();
        assert!(
            sentence.starts_with("entry 3 cannot be read: no Brevet writes a body like this"),
            "{sentence}"
        );
    }
}

/// A policy with two witnesses of which both must cosign.
fn policy(story: &Story, witnesses: &[&CosigningKey; 2]) -> String {
    let log = std::fs::read_to_string(story.kept("late.vkey")).unwrap();
    let [one, two] = witnesses.map(|witness| witness.verifier().to_string());
    let policy = format!(
        "# Both\nlog {}\nwitness w1 {one}\nwitness w2 {two}\ngroup both all w1 w2\nquorum both\n",
        log.trim()
    );
    std::fs::write(story.kept("policy"), policy).unwrap();
    text(&story.kept("policy")).to_owned()
}

#[test]
fn both_count_the_same_cosignatures() {
    let story = Story::told();
    let [one, two] = [8, 9].map(|seed| {
        CosigningKey::from_seed(KeyName::parse(&format!("w{seed}.example")).unwrap(), &[seed; 32])
    });
    let policy = policy(&story, &[&one, &two]);
    let note: Note = std::fs::read_to_string(story.kept("late-checkpoint")).unwrap().parse().unwrap();
    let now = u64::try_from(jiff::Timestamp::now().as_second()).unwrap();
    let check = |cosigned: &[(&CosigningKey, u64)]| {
        let copy = Copy::of(&story);
        let with = |note: Note, (key, time): &(&CosigningKey, u64)| {
            let line = key.cosign(&note, *time);
            note.with_signature(line).unwrap()
        };
        let cosigned = cosigned.iter().fold(note.clone(), with).to_string();
        let sql = "INSERT INTO cosigned SELECT size, ?1 FROM head";
        copy.open().execute(sql, [cosigned]).unwrap();
        both(&[text(copy.path()), "--policy", &policy]).code
    };
    assert_eq!(check(&[]), 16);
    assert_eq!(check(&[(&one, now)]), 16);
    assert_eq!(check(&[(&one, now), (&two, now)]), 0);
    assert_eq!(check(&[(&one, now - 3_600), (&two, now)]), 10, "seen an hour before it says it was written");
    let wrong = CosigningKey::from_seed(KeyName::parse("w9.example").unwrap(), &[10; 32]);
    assert_eq!(check(&[(&one, now), (&wrong, now)]), 16);
}

#[test]
fn both_read_a_slot_once_and_a_key_in_one_spelling() {
    let story = Story::told();
    // A text that was never committed to stands in front of the true one.
    let whole = std::fs::read_to_string(story.kept("ledger.jsonl")).unwrap();
    let line = whole.lines().find(|line| line.contains("\"text\":\"Because\"")).unwrap();
    let (front, slot) = line.rsplit_once("{\"slot\"").unwrap();
    let twice = format!(
        "{front}{{\"slot\"{},{{\"slot\"{slot}",
        slot.trim_end_matches("]}").replace("Because", "Lie")
    );
    let twice = whole.replacen(line, &twice, 1);
    std::fs::write(story.kept("twice.jsonl"), twice).unwrap();
    let (file, key) = (story.kept("twice.jsonl"), story.kept("late.vkey"));
    assert_eq!(both(&[text(&file), "--key", text(&key)]).code, 10);
    // The point with y = 3, and the same with 2^255 - 19 added to it: the one is a stranger's key, the other is none.
    let data = story.data();
    let spellings = [
        ("ledger.example+6abf7772+AQMAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", 15),
        ("ledger.example+f47197c4+AfD///////////////////////////////////////9/", 1),
    ];
    for (key, code) in spellings {
        assert_eq!(both(&[text(&data), "--key", key]).code, code, "{key}");
    }
}

#[test]
fn both_believe_each_key_for_as_long_as_it_signed_and_need_only_the_newest() {
    let stage = Stage::set();
    let data = stage.place.data();
    let vkey =
        || std::fs::read_to_string(data.join("ledger.vkey")).unwrap().lines().next().unwrap().to_owned();
    let kept = |name: &str, text: &str| {
        let path = stage.place.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let head = || -> String {
        let connection = Connection::open(data.join("brevet.db")).unwrap();
        connection.query_row("SELECT checkpoint FROM head", [], |row| row.get(0)).unwrap()
    };
    let (mut keys, mut checkpoints) = (vec![vkey()], vec![kept("checkpoint-0", &head())]);
    let stolen = std::fs::read_to_string(data.join("ledger.key")).unwrap();
    for change in 1..=2 {
        stage.types("ada", "audit rotate-key --overlap 0", 0);
        stage.types("ada", &format!("group create g{change}"), 0);
        keys.push(vkey());
        checkpoints.push(kept(&format!("checkpoint-{change}"), &head()));
    }
    let export = stage.place.path().join("ledger.jsonl");
    stage.types("otto", &format!("audit export --out {}", export.display()), 0);
    let sound: Note = head().parse().unwrap();
    let stolen = SigningKey::parse(stolen.trim()).unwrap();
    let forged = kept("forged", &Note::sign(sound.text(), &stolen).unwrap().to_string());
    let (place, _) = stage.stop();
    for subject in [&place.data(), &export] {
        for key in &keys {
            for checkpoint in &checkpoints {
                let verdict = both(&[text(subject), "--key", key, "--checkpoint", text(checkpoint)]);
                assert_eq!(verdict.code, 0, "{key}, {}: {verdict:#?}", checkpoint.display());
            }
            let verdict = both(&[text(subject), "--key", key, "--checkpoint", text(&forged)]);
            assert_eq!(verdict.code, 15, "{key}: {verdict:#?}");
        }
    }
}
