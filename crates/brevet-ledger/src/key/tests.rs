use crate::{Error, KeyName, SigningKey, VerifierKey};

const SPEC_VKEY: &str = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
const GO_PRIVATE: &str = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz";
const GO_VKEY: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";

#[test]
fn the_key_of_the_specification_is_read_and_printed() {
    let key: VerifierKey = SPEC_VKEY.parse().unwrap();
    assert_eq!(key.name().as_str(), "example.com/foo");
    assert_eq!(key.id(), 0x530d_903a);
    assert_eq!(key.to_string(), SPEC_VKEY);
}

#[test]
fn a_private_key_of_gos_note_package_is_read_and_printed() {
    let key = SigningKey::parse(GO_PRIVATE).unwrap();
    assert_eq!(key.verifier().to_string(), GO_VKEY);
    assert_eq!(key.reveal_text(str::to_owned), GO_PRIVATE);
    assert!(SigningKey::parse(&format!("{GO_PRIVATE}\n")).is_ok());
}

#[test]
fn a_seed_makes_one_key() {
    let name = || KeyName::parse("ledger.example").unwrap();
    let key = SigningKey::from_seed(name(), &[1; 32]);
    let again = key.reveal_text(SigningKey::parse).unwrap();
    assert_eq!(again.verifier(), key.verifier());
    assert_ne!(SigningKey::from_seed(name(), &[2; 32]).verifier(), key.verifier());
}

#[test]
fn a_point_has_one_spelling() {
    let name = KeyName::parse("ledger.example").unwrap();
    let mut point = [0; 32];
    point[0] = 3;
    VerifierKey::of_ed25519(name.clone(), &point).unwrap();
    // The same, with 2^255 - 19 added.
    let mut again = [0xff; 32];
    (again[0], again[31]) = (0xf0, 0x7f);
    assert_eq!(VerifierKey::of_ed25519(name, &again), Err(Error::VerifierKeyText));
}

#[test]
fn a_private_key_does_not_show_itself() {
    let key = SigningKey::parse(GO_PRIVATE).unwrap();
    let shown = format!("{key:?}");
    assert!(shown.contains("PeterNeumann"));
    assert!(!shown.contains("AYEKFALV") && !shown.contains("810a1402") && !shown.contains("129, 10, 20, 2"));
}

#[test]
fn names_have_no_space_plus_or_control_character() {
    let check = |name: &str, allowed: bool| {
        let refused = Error::KeyName { name: name.to_owned() };
        let expected = if allowed { Ok(name.to_owned()) } else { Err(refused) };
        assert_eq!(KeyName::parse(name).map(|name| name.to_string()), expected, "{name:?}");
    };
    check("ledger.example/a", true);
    check("Zoë", true);
    check("", false);
    check("a b", false);
    check("a\u{a0}b", false);
    check("a\u{2003}b", false);
    check("a+b", false);
    check("a\nb", false);
    check("a\u{1}b", false);
}

#[test]
fn damaged_verifier_keys_are_refused() {
    let check = |text: &str, error: Error| assert_eq!(text.parse::<VerifierKey>(), Err(error), "{text}");
    let id = Error::KeyId { name: "example.com/foo".to_owned(), id: 0x530d_903b };
    let b64 = "AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
    check(&format!("example.com/foo+530d903b+{b64}"), id);
    check("", Error::VerifierKeyText);
    check("example.com/foo", Error::VerifierKeyText);
    check("example.com/foo+530d903a", Error::VerifierKeyText);
    check(&format!("example.com/foo+530D903A+{b64}"), Error::VerifierKeyText);
    check(&format!("example.com/foo+30d903a+{b64}"), Error::VerifierKeyText);
    check(&format!("example.com/foo++30d903a+{b64}"), Error::VerifierKeyText);
    check(&format!("example.com/foo+530d903a+{b64}="), Error::VerifierKeyText);
    check(&format!("example.com/foo+530d903a+{b64}\n"), Error::VerifierKeyText);
    let kind5 = Error::KeyTypeUnknown { name: "example.com/foo".to_owned(), kind: 5 };
    check(&format!("example.com/foo+530d903a+B{}", &b64[1..]), kind5);
    check("example.com/foo+530d903a+", Error::VerifierKeyText);
    check("example.com/foo+530d903a+AQ==", Error::VerifierKeyText);
    check(&format!("+530d903a+{b64}"), Error::KeyName { name: String::new() });
}

#[test]
fn a_key_that_any_signature_fits_is_refused() {
    // The neutral point of the curve as a public key: type 1, then 1 and 31 zeros.
    let weak = crate::base64::encode(&[[1, 1].to_vec(), vec![0; 31]].concat());
    assert_eq!(format!("weak+00000000+{weak}").parse::<VerifierKey>(), Err(Error::VerifierKeyText));
}

#[test]
fn damaged_private_keys_are_refused() {
    let check = |text: &str, error: Error| assert_eq!(SigningKey::parse(text).map(|_| ()), Err(error));
    check(GO_VKEY, Error::SigningKeyText);
    check("", Error::SigningKeyText);
    check(&GO_PRIVATE[..GO_PRIVATE.len() - 1], Error::SigningKeyText);
    check(&format!("{GO_PRIVATE}\n\n"), Error::SigningKeyText);
    let other_id = Error::KeyId { name: "PeterNeumann".to_owned(), id: 0xc74f_20a4 };
    check(&GO_PRIVATE.replace("c74f20a3", "c74f20a4"), other_id);
}
