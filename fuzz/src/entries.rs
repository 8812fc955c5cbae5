//! Entries: their envelope, their bodies, and the names in them.

use brevet_core::{Event, Span};
use brevet_ledger::{
    Content, EntryRef, KeyHandover, Part, RightEdge, Row, TextBeside, TlogProof, Verifier, Watch, leaf_hash,
};

/// The bytes of an entry.
pub fn entry(bytes: &[u8]) -> bool {
    let Ok(entry) = EntryRef::decode(bytes) else { return false };
    let mut again = Vec::new();
    entry.encode(&mut again).expect("what was decoded is encoded");
    assert_eq!(again, bytes);
    if let Ok(proof) = RECEIPT.parse::<TlogProof>() {
        let _ = KeyHandover { entry: again, proof }.keys();
    }
    entry_body(entry.body);
    let _ = brevet_store::decode_entry(bytes, vec![None; entry.commitments.len()]);
    true
}

/// The body of an entry: CBOR.
pub fn entry_body(bytes: &[u8]) -> bool {
    let has_form = brevet_store::is_deterministic(bytes);
    let Ok(event) = minicbor::decode::<Event>(bytes) else { return false };
    let again = minicbor::to_vec(&event).expect("memory takes every byte");
    assert!(again.len() <= bytes.len(), "the deterministic form is the shortest");
    assert!(brevet_store::is_deterministic(&again), "what Brevet writes has the form that it insists on");
    assert!(has_form || again != bytes, "bytes in another form are not what Brevet writes");
    assert_eq!(minicbor::decode::<Event>(&again).expect("what is encoded is decoded"), event);
    true
}

/// Entries behind their lengths, as the rows of a ledger: what the verifier accepts has the root that appending has.
pub fn verifier(bytes: &[u8]) -> bool {
    let mut part = Part::new(0, &Watch::default());
    let (mut edge, mut rest) = (RightEdge::new(), bytes);
    while let Some((len, behind)) = rest.split_first_chunk() {
        let Some((entry, behind)) = behind.split_at_checked(usize::from(u16::from_be_bytes(*len))) else {
            break;
        };
        rest = behind;
        let texts =
            vec![TextBeside::Erased; EntryRef::decode(entry).map_or(0, |entry| entry.commitments.len())];
        let content = Content::Here { bytes: entry, leaf: None };
        let row = Row { position: edge.size(), content, texts: &texts };
        if part.push(&row).is_err() {
            return false;
        }
        edge.append(leaf_hash(entry));
    }
    let mut verifier = Verifier::new();
    verifier.accept(part).expect("a part that is sound");
    let derived = verifier.finish(None, None).expect("nothing to compare it with");
    assert_eq!((derived.size, derived.root), (edge.size(), edge.root()));
    true
}

/// Names and spans, as people write them.
pub fn core_names(bytes: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(bytes) else { return false };
    let mut read = false;
    if let Ok(span) = Span::parse(text) {
        assert_eq!(Span::parse(&span.to_string()), Ok(span), "a span is read as it is printed");
        read = true;
    }
    if let Ok(name) = brevet_core::QualifiedName::parse(text) {
        assert_eq!(brevet_core::QualifiedName::parse(&name.to_string()).as_ref(), Ok(&name));
        read = true;
    }
    read
}

/// A receipt of any ledger, so that there is one.
const RECEIPT: &str = "c2sp.org/tlog-proof@v1\nindex 0\n\nledger.example\n1\n\
    2Tr1jcObQn9G5CI/k/DIB9Lf92GxnhxMD1B2qHe3sh8=\n\n— ledger.example AAAAAAE=\n";
