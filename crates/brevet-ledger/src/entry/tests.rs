use proptest::prelude::*;

use crate::{COMMITMENTS_MAX, Commitments, ENTRY_BYTES_MAX, EntryRef, Error};

const COMMITMENTS: [[u8; 32]; 2] = [[0xc0; 32], [0xc1; 32]];

fn sample() -> EntryRef<'static> {
    EntryRef {
        index: 0x0102_0304_0506_0708,
        time_micros: -2,
        kind: "request.submitted",
        kind_version: 0x0a0b,
        actor: "usr-7",
        session: 9,
        commitments: Commitments::from(&COMMITMENTS[..]),
        body: b"\xa1\x01\x02",
    }
}

fn encoded(entry: &EntryRef<'_>) -> Vec<u8> {
    let mut bytes = Vec::new();
    entry.encode(&mut bytes).unwrap();
    bytes
}

#[test]
fn the_layout_is_the_documented_one() {
    let mut expected = vec![1];
    expected.extend([1, 2, 3, 4, 5, 6, 7, 8]);
    expected.extend([255, 255, 255, 255, 255, 255, 255, 254]);
    expected.push(17);
    expected.extend(b"request.submitted");
    expected.extend([0x0a, 0x0b]);
    expected.push(5);
    expected.extend(b"usr-7");
    expected.extend([0, 0, 0, 0, 0, 0, 0, 9]);
    expected.push(2);
    expected.extend([0xc0; 32]);
    expected.extend([0xc1; 32]);
    expected.extend([0, 0, 0, 3, 0xa1, 1, 2]);
    assert_eq!(encoded(&sample()), expected);
    assert_eq!(EntryRef::decode(&expected), Ok(sample()));
}

#[test]
fn encoding_appends_or_does_nothing() {
    let mut out = b"before".to_vec();
    let refused = EntryRef { kind: "", ..sample() }.encode(&mut out);
    assert_eq!(refused, Err(Error::EntryText { field: "kind" }));
    assert_eq!(out, b"before");
    sample().encode(&mut out).unwrap();
    assert_eq!(out.strip_prefix(b"before"), Some(&encoded(&sample())[..]));
}

#[test]
fn an_entry_cut_anywhere_is_refused() {
    let bytes = encoded(&sample());
    for len in 0..bytes.len() {
        assert_eq!(EntryRef::decode(&bytes[..len]), Err(Error::EntryShort), "{len}");
    }
}

#[test]
fn bytes_after_the_entry_are_refused() {
    let bytes = [encoded(&sample()), vec![0, 0]].concat();
    assert_eq!(EntryRef::decode(&bytes), Err(Error::EntryTrailing { len: 2 }));
}

#[test]
fn other_versions_are_refused() {
    let mut bytes = encoded(&sample());
    for version in [0, 2, 255] {
        bytes[0] = version;
        assert_eq!(EntryRef::decode(&bytes), Err(Error::EntryVersion { version }));
    }
}

#[test]
fn kind_and_actor_are_visible_ascii() {
    let longest = "k".repeat(255);
    let too_long = "k".repeat(256);
    let check = |text: &str, allowed: bool| {
        let kind = EntryRef { kind: text, ..sample() }.encode(&mut Vec::new());
        let actor = EntryRef { actor: text, ..sample() }.encode(&mut Vec::new());
        assert_eq!(kind, if allowed { Ok(()) } else { Err(Error::EntryText { field: "kind" }) }, "{text:?}");
        assert_eq!(
            actor,
            if allowed { Ok(()) } else { Err(Error::EntryText { field: "actor" }) },
            "{text:?}"
        );
    };
    check("system", true);
    check("!", true);
    check("~", true);
    check(&longest, true);
    check("", false);
    check("usr 7", false);
    check("usr\n7", false);
    check("usr\u{7f}", false);
    check("müller", false);
    check(&too_long, false);
}

#[test]
fn a_kind_that_is_not_ascii_is_not_decoded_either() {
    let mut bytes = encoded(&sample());
    for byte in [0x00, 0x1f, b' ', 0x7f, 0x80, 0xff] {
        bytes[18] = byte;
        assert_eq!(EntryRef::decode(&bytes), Err(Error::EntryText { field: "kind" }));
    }
}

#[test]
fn the_longest_entry_fits_and_the_next_does_not() {
    let rest = encoded(&sample()).len() - sample().body.len();
    let body = vec![0; ENTRY_BYTES_MAX - rest + 1];
    let longest = encoded(&EntryRef { body: &body[1..], ..sample() });
    assert_eq!(longest.len(), ENTRY_BYTES_MAX);
    assert!(EntryRef::decode(&longest).is_ok());
    let len = ENTRY_BYTES_MAX + 1;
    let refused = Err(Error::EntryLong { len });
    assert_eq!(EntryRef { body: &body, ..sample() }.encode(&mut Vec::new()), refused);
    assert_eq!(EntryRef::decode(&vec![1; len]).map(|_| ()), refused);
}

#[test]
fn an_entry_has_at_most_255_commitments() {
    let many = vec![[0; 32]; COMMITMENTS_MAX + 1];
    let most = EntryRef { commitments: Commitments::from(&many[1..]), ..sample() };
    assert_eq!(EntryRef::decode(&encoded(&most)), Ok(most));
    let refused = EntryRef { commitments: Commitments::from(&many[..]), ..sample() }.encode(&mut Vec::new());
    assert_eq!(refused, Err(Error::EntryCommitments { count: 256 }));
}

proptest! {
    #[test]
    fn what_is_encoded_is_decoded_alike(
        (index, time_micros, kind_version, session) in any::<(u64, i64, u16, u64)>(),
        kind in "[!-~]{1,255}",
        actor in "[!-~]{1,255}",
        commitments in proptest::collection::vec(any::<[u8; 32]>(), 0..256),
        body in proptest::collection::vec(any::<u8>(), 0..2000),
    ) {
        let commitments = Commitments::from(&commitments[..]);
        let entry = EntryRef {
            index, time_micros, kind: &kind, kind_version, actor: &actor, session, commitments, body: &body,
        };
        let bytes = encoded(&entry);
        prop_assert_eq!(EntryRef::decode(&bytes), Ok(entry));
    }

    #[test]
    fn what_is_decoded_is_encoded_alike(at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut bytes = encoded(&sample());
        let at = at.index(bytes.len());
        bytes[at] = byte;
        if let Ok(entry) = EntryRef::decode(&bytes) {
            prop_assert_eq!(encoded(&entry), bytes);
        }
    }

    #[test]
    fn any_bytes_are_decoded_or_refused(mut bytes in proptest::collection::vec(0_u8..40, 0..200)) {
        if let Some(version) = bytes.first_mut() {
            *version = 1;
        }
        if let Ok(entry) = EntryRef::decode(&bytes) {
            prop_assert_eq!(encoded(&entry), bytes);
        }
    }
}
