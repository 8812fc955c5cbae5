use proptest::prelude::*;

use crate::testing::key;
use crate::{
    Error, KeyName, NOTE_BYTES_MAX, NOTE_SIGNATURES_MAX, Note, NoteSignature, SigningKey, VerifierKey,
};

const SPEC_VKEY: &str = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
const SPEC_NOTE: &str = "This is an example message.\n\n— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n";

fn stranger(number: usize) -> NoteSignature {
    NoteSignature::new(KeyName::parse(&format!("stranger-{number}")).unwrap(), 5, vec![1, 2, 3])
}

#[test]
fn the_note_of_the_specification_verifies() {
    let note: Note = SPEC_NOTE.parse().unwrap();
    let keys: [VerifierKey; 1] = [SPEC_VKEY.parse().unwrap()];
    assert_eq!(note.text(), "This is an example message.\n");
    assert_eq!(note.verify(&keys), Ok(vec![&keys[0]]));
    assert_eq!(note.to_string(), SPEC_NOTE);
}

#[test]
fn the_note_of_gos_note_package_is_signed_alike() {
    let key =
        SigningKey::parse("PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz");
    let text = "If you think cryptography is the answer to your problem,\n\
                then you don't know what your problem is.\n";
    let line = "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=";
    assert_eq!(Note::sign(text, &key.unwrap()).unwrap().to_string(), format!("{text}\n{line}\n"));
}

#[test]
fn the_signatures_follow_the_last_empty_line() {
    let signed = Note::sign("one\n\ntwo\n\n\n", &key("k")).unwrap();
    let read: Note = signed.to_string().parse().unwrap();
    assert_eq!(read, signed);
    assert_eq!(read.text(), "one\n\ntwo\n\n\n");
    assert!(read.verify(&[key("k").verifier().clone()]).is_ok());
}

#[test]
fn unknown_keys_are_ignored_and_known_ones_must_verify() {
    let known = [key("known").verifier().clone(), key("other").verifier().clone()];
    let note = Note::sign("text\n", &key("known")).unwrap();
    let wrong = NoteSignature::new(known[1].name().clone(), known[1].id(), vec![0; 64]);
    let other_id = NoteSignature::new(known[0].name().clone(), known[0].id() ^ 1, vec![0; 64]);
    let other_name = NoteSignature::new(KeyName::parse("x").unwrap(), known[0].id(), vec![0; 64]);

    assert_eq!(note.verify(&[]), Err(Error::NoteUnsigned));
    assert_eq!(note.verify(&known[1..]), Err(Error::NoteUnsigned));
    assert_eq!(note.verify(&known), Ok(vec![&known[0]]));
    for ignored in [stranger(0), other_id, other_name] {
        let note = note.clone().with_signature(ignored).unwrap();
        assert_eq!(note.verify(&known), Ok(vec![&known[0]]));
    }
    let note = note.with_signature(wrong).unwrap();
    assert_eq!(note.verify(&known), Err(Error::NoteSignatureWrong { name: "other".to_owned() }));
    assert_eq!(note.verify(&known[..1]), Ok(vec![&known[0]]), "a key that is not known cannot spoil it");
}

#[test]
fn a_key_that_signed_twice_counts_once() {
    let known = [key("known").verifier().clone()];
    let note = Note::sign("text\n", &key("known")).unwrap();
    let again = note.signatures()[0].clone();
    assert_eq!(note.with_signature(again).unwrap().verify(&known), Ok(vec![&known[0]]));
}

#[test]
fn a_changed_text_does_not_verify() {
    let note = Note::sign("text\n", &key("k")).unwrap().to_string().replacen("text", "test", 1);
    let note: Note = note.parse().unwrap();
    let wrong = Err(Error::NoteSignatureWrong { name: "k".to_owned() });
    assert_eq!(note.verify(&[key("k").verifier().clone()]), wrong);
}

#[test]
fn many_signatures_are_read_and_too_many_refused() {
    let mut note = Note::sign("text\n", &key("k")).unwrap();
    for number in 1..NOTE_SIGNATURES_MAX {
        note = note.with_signature(stranger(number)).unwrap();
    }
    let text = note.to_string();
    assert_eq!(text.parse(), Ok(note.clone()));
    assert_eq!(note.with_signature(stranger(0)), Err(Error::NoteSignatures));
    assert_eq!(format!("{text}{}\n", stranger(0)).parse::<Note>(), Err(Error::NoteSignatures));
}

#[test]
fn a_note_that_is_too_long_is_refused() {
    let len = NOTE_BYTES_MAX + 1;
    assert_eq!("x".repeat(len).parse::<Note>(), Err(Error::NoteLong { len }));
}

#[test]
fn texts_that_cannot_stand_in_a_note_are_not_signed() {
    for text in ["", "no line feed", "tab\t\n", "return\r\n", "nul\0\n", "escape\u{1b}[0m\n"] {
        assert_eq!(Note::sign(text, &key("k")), Err(Error::NoteText), "{text:?}");
    }
}

#[test]
fn malformed_notes_are_refused() {
    let check = |note: &str, error: Error| assert_eq!(note.parse::<Note>(), Err(error), "{note:?}");
    check("", Error::NoteForm);
    check("text\n", Error::NoteForm);
    check("text\n\n", Error::NoteForm);
    check("text\n\n\n", Error::NoteForm);
    check("text\n— k AAAAAAE=\n", Error::NoteForm);
    check("text\n\n— k AAAAAAE=", Error::NoteForm);
    check("text\n\n— k AAAAAAE=\n\n", Error::NoteForm);
    check("text\n\n- k AAAAAAE=\n", Error::NoteForm);
    check("text\n\n—k AAAAAAE=\n", Error::NoteForm);
    check("text\n\n— k\n", Error::NoteForm);
    check("text\n\n— k AAAAAA==\n", Error::NoteForm);
    check("text\n\n— k AAAAAAF=\n", Error::NoteForm);
    check("text\n\n— k AAAAAAE=\nmore\n", Error::NoteForm);
    check("text\n\n— k+l AAAAAAE=\n", Error::KeyName { name: "k+l".to_owned() });
    check("text\n\n—  AAAAAAE=\n", Error::KeyName { name: String::new() });
    check("te\txt\n\n— k AAAAAAE=\n", Error::NoteText);
    check("text\r\n\r\n— k AAAAAAE=\r\n", Error::NoteText);
}

fn signatures() -> impl Strategy<Value = NoteSignature> {
    let name = "[^\\s+\\x00-\\x1f]{1,12}".prop_filter_map("a name", |name| KeyName::parse(&name).ok());
    (name, any::<u32>(), prop::collection::vec(any::<u8>(), 1..90))
        .prop_map(|(name, id, bytes)| NoteSignature::new(name, id, bytes))
}

proptest! {
    #[test]
    fn whatever_is_put_together_is_read_back(
        text in "([^\\x00-\\x1f]{0,9}\n){1,5}",
        signatures in prop::collection::vec(signatures(), 1..=NOTE_SIGNATURES_MAX),
    ) {
        let mut lines = signatures.into_iter();
        let note = Note::with_text(&text, lines.next().unwrap()).unwrap();
        let note = lines.try_fold(note, Note::with_signature).unwrap();
        let read: Note = note.to_string().parse().unwrap();
        prop_assert_eq!(&read, &note);
        prop_assert_eq!(read.text(), text);
        let lines: String = note.signatures().iter().map(|line| format!("{line}\n")).collect();
        prop_assert_eq!(NoteSignature::parse_lines(&lines).unwrap(), note.signatures());
    }
}
