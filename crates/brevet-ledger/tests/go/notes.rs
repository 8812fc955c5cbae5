//! Signed notes, key files, cosignatures.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use brevet_ledger::{Checkpoint, CosigningKey, Hash, KeyName, Note, Origin, SigningKey, VerifierKey};

use crate::Dice;
use crate::other::Other;

const ORIGIN: &str = "ledger.example/go";

fn key(name: &str, seed: u8) -> SigningKey {
    SigningKey::from_seed(KeyName::parse(name).unwrap(), &[seed; 32])
}

fn checkpoint(size: u64, key: &SigningKey) -> Note {
    let origin = Origin::parse(ORIGIN).unwrap();
    Checkpoint::new(origin, size, Hash::from_bytes([5; 32])).sign(key).unwrap()
}

fn word(text: &str) -> String {
    STANDARD.encode(text)
}

fn text(word: &str) -> String {
    String::from_utf8(STANDARD.decode(word).unwrap()).unwrap()
}

#[test]
fn the_other_opens_our_notes_with_our_verifier_keys() {
    let Some(mut go) = Other::start() else { return };
    let (ledger, next, stranger) = (key(ORIGIN, 1), key(ORIGIN, 2), key("stranger", 3));
    for size in [0, 1, 255, 1 << 62] {
        let note = checkpoint(size, &ledger);
        let line = next.sign(note.text());
        let note = note.with_signature(line).unwrap();
        let mut open = |note: &str, keys: &[&SigningKey]| {
            let keys: String = keys.iter().map(|key| format!(" {}", key.verifier())).collect();
            go.ask(&format!("open {}{keys}", word(note)))
        };
        let (text, note) = (word(note.text()), note.to_string());
        let origin = ORIGIN.to_owned();
        assert_eq!(open(&note, &[&ledger]), Ok(vec![text.clone(), origin.clone()]));
        assert_eq!(open(&note, &[&ledger, &next]), Ok(vec![text, origin.clone(), origin]));
        assert!(open(&note, &[&stranger]).is_err());
        assert!(open(&note.replacen('\n', "\n1", 1), &[&ledger]).is_err());
    }
}

#[test]
fn the_other_signs_alike_with_our_private_key_files() {
    let Some(mut go) = Other::start() else { return };
    for (name, seed) in [(ORIGIN, 1), ("a", 2), ("Zoë", 3), ("ledger.example:8443/x-y_z~", 4)] {
        let key = key(name, seed);
        let ours = checkpoint(7, &key);
        let theirs = key.reveal_text(|key| go.ask(&format!("sign {} {key}", word(ours.text())))).unwrap();
        assert_eq!(text(&theirs[0]), ours.to_string());
        let read: Note = text(&theirs[0]).parse().unwrap();
        assert!(read.verify(&[key.verifier().clone()]).is_ok());
    }
}

#[test]
fn notes_with_a_byte_changed_are_refused_by_both_or_neither() {
    let Some(mut go) = Other::start() else { return };
    let ledger = key(ORIGIN, 1);
    let good = checkpoint(1_234, &ledger).to_string();
    let mut dice = Dice(7);
    for _ in 0..1500 {
        let mut bytes = good.clone().into_bytes();
        let at = usize::try_from(dice.below(bytes.len() as u64)).unwrap();
        match dice.below(3) {
            0 => bytes[at] = u8::try_from(dice.below(256)).unwrap(),
            1 => bytes.insert(at, *dice.pick(b"\n =A+")),
            _ => drop(bytes.remove(at)),
        }
        let theirs = go.ask(&format!("open {} {}", STANDARD.encode(&bytes), ledger.verifier())).is_ok();
        let note = String::from_utf8(bytes).ok().and_then(|text| text.parse::<Note>().ok());
        let ours = note.is_some_and(|note| note.verify(&[ledger.verifier().clone()]).is_ok());
        assert_eq!(ours, theirs, "at byte {at}");
    }
}

#[test]
fn cosignatures_are_equal_and_each_accepts_the_others() {
    let Some(mut go) = Other::start() else { return };
    let note = checkpoint(9, &key(ORIGIN, 1));
    for (seed, time) in [(11_u8, 0), (12, 1), (13, 1_679_315_147), (14, i64::MAX.unsigned_abs())] {
        let name = format!("witness.example/{seed}");
        let witness = CosigningKey::from_seed(KeyName::parse(&name).unwrap(), &[seed; 32]);
        let line = format!("{}\n", witness.cosign(&note, time));

        let question = format!("cosign {} {name} {} {time}", word(note.text()), STANDARD.encode([seed; 32]));
        let theirs = go.ask(&question).unwrap();
        assert_eq!(theirs, [witness.verifier().to_string(), word(&line)]);
        let known: VerifierKey = theirs[0].parse().unwrap();
        let cosigned =
            note.clone().with_signature_lines(&text(&theirs[1]), std::slice::from_ref(&known)).unwrap();
        assert_eq!(cosigned.cosignatures(&[known]).unwrap()[0].unix_seconds, time);

        let mut check = |text: &str, line: &str| {
            go.ask(&format!("check-cosignature {} {} {}", word(text), word(line), witness.verifier()))
        };
        assert_eq!(check(note.text(), &line), Ok(vec![time.to_string()]));
        assert!(check(&note.text().replacen("\n9\n", "\n8\n", 1), &line).is_err());
        let other = format!("{}\n", witness.cosign(&note, time ^ 1));
        assert_ne!(other, line, "the time is signed");
    }
}
