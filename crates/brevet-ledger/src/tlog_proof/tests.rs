use crate::testing::{MemoryHashes, ORIGIN, key, leaves, mth};
use crate::{Checkpoint, Error, Origin, TlogProof, prove_inclusion};

fn origin() -> Origin {
    Origin::parse(ORIGIN).unwrap()
}

fn receipt(index: u64, size: u64) -> TlogProof {
    let leaves = leaves(size);
    let path = prove_inclusion(&MemoryHashes::new(&leaves), index, size).unwrap();
    TlogProof::new(index, path, Checkpoint::new(origin(), size, mth(&leaves)).sign(&key(ORIGIN)).unwrap())
}

#[test]
fn a_receipt_proves_its_entry_and_no_other() {
    let keys = [key(ORIGIN).verifier().clone()];
    let receipt: TlogProof = receipt(5, 300).to_string().parse().unwrap();
    let leaves = leaves(300);
    assert_eq!(receipt.index(), 5);
    assert_eq!(receipt.verify(leaves[5], &origin(), &keys).map(|checkpoint| checkpoint.size()), Ok(300));
    let unproven = Err(Error::InclusionUnproven { index: 5, size: 300 });
    assert_eq!(receipt.verify(leaves[6], &origin(), &keys), unproven);
    assert_eq!(receipt.verify(leaves[5], &origin(), &[]), Err(Error::NoteUnsigned));
}

#[test]
fn what_is_printed_is_read() {
    let cases = [
        receipt(0, 1),
        receipt(7, 8),
        receipt(7, 8).with_extra(b"hint".to_vec()),
        receipt(0, 1).with_extra(Vec::new()),
    ];
    for receipt in cases {
        assert_eq!(receipt.to_string().parse(), Ok(receipt));
    }
}

#[test]
fn the_text_is_that_of_the_specification() {
    let text = receipt(1, 2).with_extra(b"hint".to_vec()).to_string();
    let sibling = leaves(1)[0].to_base64();
    let begin = format!("c2sp.org/tlog-proof@v1\nextra aGludA==\nindex 1\n{sibling}\n\n{ORIGIN}\n2\n");
    assert!(text.starts_with(&begin), "{text}");
    assert_eq!(text.parse::<TlogProof>().unwrap().unauthenticated_extra(), Some(&b"hint"[..]));
}

#[test]
fn a_path_that_slipped_into_the_checkpoint_proves_nothing() {
    let text = receipt(1, 2).to_string().replacen("index 1\n", "index 1\n\n", 1);
    let receipt: TlogProof = text.parse().unwrap();
    let verified = receipt.verify(leaves(2)[1], &origin(), &[key(ORIGIN).verifier().clone()]);
    assert_eq!(verified, Err(Error::NoteSignatureWrong { name: ORIGIN.to_owned() }));
}

#[test]
fn malformed_receipts_are_refused() {
    let good = receipt(1, 2).to_string();
    let check = |from: &str, to: &str| {
        let text = good.replacen(from, to, 1);
        assert_ne!(text, good);
        assert_eq!(text.parse::<TlogProof>(), Err(Error::TlogProofForm), "{text}");
    };
    check("@v1", "@v2");
    check("index 1\n", "");
    check("index 1\n", "index 01\n");
    check("index 1\n", "index 1\nindex 1\n");
    check("index 1\n", "index 1\nextra AAAA\n");
    check("index 1\n", "extra AAA\nindex 1\n");
    check("index 1\n", "extra AAAA\nextra AAAA\nindex 1\n");
    check("index 1\n", "index 1\nAAAA\n");
    check("c2sp", "C2SP");
}
