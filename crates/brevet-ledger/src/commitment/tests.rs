use crate::{Commitment, Commitments, Salt};

const SALT: Salt = Salt::from_bytes(*b"0123456789abcdef");

#[test]
fn a_commitment_is_the_documented_hash() {
    // printf 'brevet/text/v1\n0123456789abcdefZoë' | sha256sum
    let expected = "6425aaf996444053e55c4cb141538b6df63aea2dc04f841a005a865efbf19c62";
    let found: String =
        Commitment::to_text(&SALT, "Zoë").to_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(found, expected);
}

#[test]
fn only_the_same_text_with_the_same_salt_matches() {
    let commitment = Commitment::to_text(&SALT, "nginx is down");
    assert!(commitment.matches(&SALT, "nginx is down"));
    assert!(!commitment.matches(&SALT, "nginx is down "));
    assert!(!commitment.matches(&SALT, ""));
    assert!(!commitment.matches(&Salt::from_bytes([0; 16]), "nginx is down"));
}

#[test]
fn a_salt_does_not_show_itself() {
    assert_eq!(format!("{SALT:?}"), "Salt(..)");
    assert_eq!(SALT.as_bytes(), b"0123456789abcdef");
}

#[test]
fn commitments_keep_their_slots() {
    let bytes = [[1; 32], [2; 32]];
    let commitments = Commitments::from(&bytes[..]);
    assert_eq!(commitments.len(), 2);
    assert!(!commitments.is_empty());
    assert_eq!(commitments.iter().map(Commitment::to_bytes).collect::<Vec<_>>(), bytes);
    assert!(Commitments::default().is_empty());
}
