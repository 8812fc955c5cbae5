use crate::{Error, Hash, empty_root, leaf_hash, node_hash};

#[test]
fn hashes_are_those_of_rfc_6962() {
    let three = node_hash(&node_hash(&leaf_hash(b"a"), &leaf_hash(b"b")), &leaf_hash(b"c"));
    assert_eq!(empty_root().to_base64(), "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=");
    assert_eq!(leaf_hash(b"").to_base64(), "bjQLnP+zepicpUTmu3gKLHiQHT+zNzh2hRGjBhevoB0=");
    assert_eq!(three.to_base64(), "NmQuc8JUCrEh46a/lUWwokmCzYMOsT080Z3jzmwCHsE=");
}

#[test]
fn a_message_put_together_at_once_hashes_as_any_other() {
    use sha2::{Digest, Sha256};
    let bytes: Vec<u8> = (0..=255).cycle().take(700).collect();
    for len in 0..bytes.len() {
        for cut in [0, 1, len / 2, len] {
            let (first, second) = bytes[..len].split_at(cut.min(len));
            let whole: [u8; 32] = Sha256::digest(&bytes[..len]).into();
            assert_eq!(super::sha256([first, second]), whole, "{len} bytes, cut at {cut}");
        }
    }
}

#[test]
fn a_hash_prints_as_hexadecimal() {
    let text = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    assert_eq!(empty_root().to_string(), text);
    assert_eq!(format!("{:?}", empty_root()), format!("Hash({text})"));
}

#[test]
fn base64_has_one_spelling() {
    let check = |text: &str, expected| assert_eq!(Hash::parse_base64(text), expected, "{text}");
    check("47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=", Ok(empty_root()));
    check("47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU", Err(Error::HashText));
    check("47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFV=", Err(Error::HashText));
    check("47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU=", Err(Error::HashText));
    check("47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n", Err(Error::HashText));
    check("AAAA", Err(Error::HashText));
    check("", Err(Error::HashText));
}

#[test]
fn a_hash_has_32_bytes() {
    assert_eq!(Hash::from_slice(empty_root().as_bytes()), Ok(empty_root()));
    assert_eq!(Hash::from_slice(&[0; 31]), Err(Error::HashLength { len: 31 }));
    assert_eq!(Hash::from_slice(&[0; 33]), Err(Error::HashLength { len: 33 }));
}
