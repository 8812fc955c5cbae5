//! Keys, policies, cosignatures, and the clock that they bracket entries with.

use brevet_ledger::{CosigningKey, KeyName, Note, SigningKey};

use crate::ledger::{add_entries, checkpoint, keep, open, size, verify_folder};
use crate::support::place::Place;
use crate::support::stage::Stage;

/// The ledger as it was when a witness looked, its size then, and its checkpoint.
struct Seen {
    place: Place,
    size: u64,
    note: Note,
    witness: CosigningKey,
    policy: String,
}

fn seen() -> Seen {
    let stage = Stage::set();
    let data = stage.place.data();
    let (size, note) = (size(&data), checkpoint(&data).parse().unwrap());
    add_entries(&stage, 0, 2);
    let (place, _) = stage.stop();
    let witness = CosigningKey::from_seed(KeyName::parse("witness.example/w1").unwrap(), &[9; 32]);
    let key = std::fs::read_to_string(place.data().join("ledger.vkey")).unwrap();
    let policy = format!("log {}\nwitness w1 {}\nquorum w1\n", key.trim(), witness.verifier());
    let policy = keep(&place, "policy", &policy);
    Seen { place, size, note, witness, policy }
}

fn now() -> u64 {
    let last = jiff::Timestamp::now();
    u64::try_from(last.as_second()).unwrap()
}

impl Seen {
    /// The witness cosigned at this time, and the server kept that.
    fn cosigned(&self, unix_seconds: u64) {
        let note = self.note.clone().with_signature(self.witness.cosign(&self.note, unix_seconds)).unwrap();
        let sql = "INSERT OR REPLACE INTO cosigned (size, note) VALUES (?1, ?2)";
        open(&self.place.data()).execute(sql, (self.size.cast_signed(), note.to_string())).unwrap();
    }
}

#[test]
fn a_policy_is_met_by_its_quorum_and_by_nothing_less() {
    let seen = seen();
    let data = seen.place.data();
    let verdict = verify_folder(&data, &["--policy", &seen.policy]);
    verdict.is(16, "policy-not-met", "the policy is not met: ");
    seen.cosigned(now());
    let verdict = verify_folder(&data, &["--policy", &seen.policy]);
    let complete = &verdict.is_well().value["completeness"];
    assert_eq!(complete["witnessed_size"], seen.size);
    assert_eq!(complete["witnesses"], serde_json::json!(["w1"]));
    assert_eq!(complete["entries_unwitnessed"], size(&data) - seen.size);
    let other = std::fs::read_to_string(&seen.policy).unwrap();
    let second = CosigningKey::from_seed(KeyName::parse("witness.example/w2").unwrap(), &[10; 32]);
    let other = other.replace(
        "quorum w1\n",
        &format!("witness w2 {}\ngroup both all w1 w2\nquorum both\n", second.verifier()),
    );
    let policy = keep(&seen.place, "policy-of-two", &other);
    verify_folder(&data, &["--policy", &policy]).is(16, "policy-not-met", "w2");
}

#[test]
fn cosignatures_that_are_old_are_stale() {
    let seen = seen();
    let data = seen.place.data();
    seen.cosigned(now() - 60);
    verify_folder(&data, &["--policy", &seen.policy, "--max-age", "10m"]).is_well();
    let verdict = verify_folder(&data, &["--policy", &seen.policy, "--max-age", "30s"]);
    verdict.is(14, "stale", "the ledger is stale: the newest cosignatures are of ");
}

#[test]
fn entries_that_witnesses_date_otherwise_are_back_dated() {
    let seen = seen();
    let data = seen.place.data();
    // The witness saw them an hour after the next entry says that it was written: that one was written later, with a
    // clock that was turned back.
    seen.cosigned(now() + 3_600);
    let verdict = verify_folder(&data, &["--policy", &seen.policy]);
    verdict.is(10, "back-dated", &format!("entry {} is back-dated: it says ", seen.size));
    assert_eq!(verdict.value["entry"], seen.size);
    // The witness saw them an hour before the last of them says that it was written.
    seen.cosigned(now() - 3_600);
    let verdict = verify_folder(&data, &["--policy", &seen.policy]);
    verdict.is(10, "back-dated", &format!("entry {} is dated ", seen.size - 1));
}

#[test]
fn a_cosignature_that_does_not_hold_is_found() {
    let seen = seen();
    let other = CosigningKey::from_seed(KeyName::parse("witness.example/w1").unwrap(), &[11; 32]);
    let line = other.cosign(&seen.note, now());
    // The line claims the id of the true key.
    let line = brevet_ledger::NoteSignature::new(
        line.name().clone(),
        seen.witness.verifier().id(),
        line.bytes().to_vec(),
    );
    let note = seen.note.clone().with_signature(line).unwrap().to_string();
    let sql = "INSERT INTO cosigned (size, note) VALUES (?1, ?2)";
    open(&seen.place.data()).execute(sql, (seen.size.cast_signed(), note)).unwrap();
    let verdict = verify_folder(&seen.place.data(), &["--policy", &seen.policy]);
    verdict.is(16, "policy-not-met", "the policy is not met: ");
}

#[test]
fn a_checkpoint_by_another_key_or_a_changed_one_is_a_bad_signature() {
    let seen = seen();
    let data = seen.place.data();
    let key = std::fs::read_to_string(data.join("ledger.vkey")).unwrap();
    let name = KeyName::parse(key.split('+').next().unwrap()).unwrap();
    let other = SigningKey::from_seed(name, &[1; 32]);
    let verdict = verify_folder(&data, &["--key", &other.verifier().to_string()]);
    verdict.is(
        15,
        "bad-signature",
        "the checkpoint in the folder cannot be believed: none of the known keys signed",
    );
    let note = checkpoint(&data);
    let changed = note.replacen('\n', " \n", 1);
    let kept = keep(&seen.place, "changed", &changed);
    verify_folder(&data, &["--checkpoint", &kept]).is(15, "bad-signature", "cannot be believed");
    verify_folder(&data, &["--key", key.trim()]).is_well();
    let stranger = SigningKey::from_seed(KeyName::parse("other.example").unwrap(), &[1; 32]);
    let verdict = verify_folder(&data, &["--key", &stranger.verifier().to_string()]);
    verdict.is(15, "bad-signature", "none of the keys that are trusted is of that name");
}
