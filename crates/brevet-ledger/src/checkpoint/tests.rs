use crate::testing::key;
use crate::{Checkpoint, Error, Note, Origin, empty_root};

const SPEC_TEXT: &str =
    "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n";

fn origin(text: &str) -> Origin {
    Origin::parse(text).unwrap()
}

#[test]
fn the_checkpoint_of_the_specification_is_read_and_printed() {
    let checkpoint: Checkpoint = SPEC_TEXT.parse().unwrap();
    assert_eq!(checkpoint.origin().as_str(), "example.com/behind-the-sofa");
    assert_eq!(checkpoint.size(), 20_852_163);
    assert_eq!(checkpoint.root().to_base64(), "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=");
    assert_eq!(checkpoint.to_string(), SPEC_TEXT);
}

#[test]
fn extension_lines_are_kept() {
    let text = format!("{SPEC_TEXT}one\ntwo\n");
    assert_eq!(text.parse::<Checkpoint>().unwrap().to_string(), text);
}

#[test]
fn a_signed_checkpoint_opens_with_its_key_and_origin() {
    let (key, other) = (key("ledger.example"), key("other.example"));
    let checkpoint = Checkpoint::new(origin("ledger.example"), 0, empty_root());
    let note: Note = checkpoint.sign(&key).unwrap().to_string().parse().unwrap();
    let known = [key.verifier().clone()];

    assert_eq!(Checkpoint::open(&note, &origin("ledger.example"), &known), Ok(checkpoint));
    let wrong_origin =
        Error::CheckpointOrigin { expected: "other.example".to_owned(), found: "ledger.example".to_owned() };
    assert_eq!(Checkpoint::open(&note, &origin("other.example"), &known), Err(wrong_origin));
    let opened = Checkpoint::open(&note, &origin("ledger.example"), &[other.verifier().clone()]);
    assert_eq!(opened, Err(Error::NoteUnsigned));
}

#[test]
fn a_signed_text_that_is_no_checkpoint_does_not_open() {
    let note = Note::sign("ledger.example\nhello\n", &key("ledger.example")).unwrap();
    let opened =
        Checkpoint::open(&note, &origin("ledger.example"), &[key("ledger.example").verifier().clone()]);
    assert_eq!(opened, Err(Error::CheckpointForm));
}

#[test]
fn malformed_checkpoints_are_refused() {
    let root = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
    let check = |text: String| assert_eq!(text.parse::<Checkpoint>(), Err(Error::CheckpointForm), "{text:?}");
    for size in ["", "00", "01", "-1", "+1", " 1", "1 ", "0x1", "18446744073709551616", "١"] {
        check(format!("o\n{size}\n{root}\n"));
    }
    check(String::new());
    check("o\n".to_owned());
    check("o\n0\n".to_owned());
    check(format!("o\n0\n{root}"));
    check(format!("\n0\n{root}\n"));
    check(format!("o\n0\n{root}\n\n"));
    check(format!("o\n0\n{root}\n\nextension\n"));
    check(format!("o\n0\n{}\n", &root[1..]));
}

#[test]
fn an_origin_is_one_line() {
    for text in ["", "a\nb", "a\tb"] {
        assert_eq!(Origin::parse(text), Err(Error::Origin));
    }
    assert_eq!(origin("a b").to_string(), "a b");
}
