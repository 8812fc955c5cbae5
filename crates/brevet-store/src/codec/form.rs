//! The one way in which bodies are written: deterministic CBOR (RFC 8949 section 4.2.1) of a few kinds of values, held
//! against the bytes. It needs no knowledge of the events, so it holds for every version of every kind.

/// Values within values: no event comes near it.
const DEPTH_MAX: u32 = 24;

/// Whether these bytes are one value in the only form that Brevet writes: shortest integers and lengths, definite lengths,
/// maps with text keys that ascend, no other simple values than `false`, `true` and `null`, and nothing behind it.
pub fn is_deterministic(body: &[u8]) -> bool {
    value(body, DEPTH_MAX).is_some_and(<[u8]>::is_empty)
}

/// Passes over one value; answers what follows it.
fn value(bytes: &[u8], depth: u32) -> Option<&[u8]> {
    let depth = depth.checked_sub(1)?;
    let (&initial, _) = bytes.split_first()?;
    let (argument, rest) = head(bytes)?;
    match initial >> 5 {
        0 | 1 => Some(rest),
        2 => Some(split(rest, argument)?.1),
        3 => Some(text(bytes)?.1),
        4 => (0..argument).try_fold(rest, |rest, _| value(rest, depth)),
        5 => entries(argument, rest, depth),
        // The head of a simple value of one byte is its number.
        7 if matches!(initial, 0xf4..=0xf6) => Some(rest),
        _ => None,
    }
}

/// The keys are names, in the order of their texts.
fn entries(count: u64, bytes: &[u8], depth: u32) -> Option<&[u8]> {
    let (mut rest, mut last) = (bytes, None);
    for _ in 0..count {
        let (key, behind) = text(rest)?;
        if last.is_some_and(|last| last >= key) {
            return None;
        }
        last = Some(key);
        rest = value(behind, depth)?;
    }
    Some(rest)
}

fn text(bytes: &[u8]) -> Option<(&str, &[u8])> {
    let (argument, rest) = head(bytes)?;
    let (text, rest) = split(rest, argument)?;
    (bytes.first()? >> 5 == 3).then_some((std::str::from_utf8(text).ok()?, rest))
}

fn split(bytes: &[u8], at: u64) -> Option<(&[u8], &[u8])> {
    bytes.split_at_checked(usize::try_from(at).ok()?)
}

/// The argument of a value (RFC 8949 section 3), in its shortest form, and what follows.
#[inline]
fn head(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let (&initial, rest) = bytes.split_first()?;
    match initial & 0x1f {
        small @ 0..=23 => Some((small.into(), rest)),
        24 => long(rest, 1, 24),
        25 => long(rest, 2, 1 << 8),
        26 => long(rest, 4, 1 << 16),
        27 => long(rest, 8, 1 << 32),
        _ => None,
    }
}

/// An argument of so many bytes, which must not fit into fewer.
fn long(bytes: &[u8], width: usize, least: u64) -> Option<(u64, &[u8])> {
    let (argument, rest) = bytes.split_at_checked(width)?;
    let argument = argument.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte));
    (argument >= least).then_some((argument, rest))
}

#[cfg(test)]
mod tests {
    use super::is_deterministic;

    #[track_caller]
    fn check(hex: &str, wanted: bool) {
        let digits: Vec<u8> = hex.bytes().filter(|digit| *digit != b' ').collect();
        let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
        let bytes: Vec<u8> = digits.chunks(2).map(byte).collect();
        assert_eq!(is_deterministic(&bytes), wanted, "{hex}");
    }

    #[test]
    fn there_is_one_spelling_of_everything() {
        for (only, others) in [
            ("00", &["1800", "190000", "1a00000000", "1b0000000000000000", "0000", ""][..]),
            ("17", &["1817"]),
            ("1818", &["190018", "18"]),
            ("18ff", &["1900ff", "1a000000ff"]),
            ("190100", &["1a00000100", "1901"]),
            ("19ffff", &["1a0000ffff"]),
            ("1a00010000", &["1b0000000000010000"]),
            ("1b0000000100000000", &["1b00000001000000"]),
            ("20", &["3800", "c200"]),
            ("40", &["5800", "5f40ff", "41"]),
            ("6161", &["780161", "7f6161ff", "61ff", "6261"]),
            ("80", &["9800", "9fff", "81"]),
            ("8100", &["980100", "9f00ff", "810000", "8118"]),
            ("a0", &["b800", "bfff"]),
            (
                "a2 6161 00 6162 00",
                &["a2 6162 00 6161 00", "a2 6161 00 6161 00", "bf 6161 00 ff", "a1 00 00"],
            ),
            // Names ascend as texts do, not by their lengths.
            ("a2 626161 00 6162 00", &["a2 6162 00 626161 00"]),
            ("f4", &["e0", "f7", "f814", "f90000", "fa00000000", "fb0000000000000000", "ff"]),
            ("f5", &["f815"]),
            ("f6", &["f6f6", "f816"]),
        ] {
            check(only, true);
            others.iter().for_each(|other| check(other, false));
        }
    }

    #[test]
    fn lengths_that_nothing_has_and_depths_that_nobody_writes_end_at_once() {
        check("9bffffffffffffffff", false);
        check("bbffffffffffffffff", false);
        check("5bffffffffffffffff00", false);
        check(&"81".repeat(60_000), false);
        check(&("81".repeat(23) + "00"), true);
        check(&("81".repeat(24) + "00"), false);
    }
}
