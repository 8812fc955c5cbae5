//! What each fuzz target does with the bytes it is given.
//!
//! A target returns whether the bytes are what it reads. It panics when something never holds that always must: above
//! all that what is read is printed as the same bytes.

#![forbid(unsafe_code)]

mod entries;
mod evidence;
mod exports;
mod notes;
mod tree;

pub use entries::{core_names, entry, entry_body, verifier};
pub use evidence::evidence_bundle;
pub use exports::export_file;
pub use notes::{
    add_checkpoint, checkpoint, cosignature, note, policy, private_key, signature_lines, tlog_proof,
    verifier_key,
};
pub use tree::{entry_bundle, fetched_tiles, proofs, right_edge, tile_path};

/// The checker of the product, as it is: it is not part of a library.
#[path = "../../crates/brevet/src/bundle/mod.rs"]
#[allow(dead_code, unused_imports, reason = "not all of the product is here")]
mod bundle;

/// Set by `scripts/fuzz` when it runs the kept seeds: each of them must be read.
const SEEDS_ONLY: &str = "BREVET_FUZZ_SEEDS";

/// Makes the program that fuzzes one target.
#[macro_export]
macro_rules! fuzz {
    ($target:ident) => {
        libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
            let is_read = $crate::$target(bytes);
            assert!(
                is_read || !$crate::is_seed(),
                "this seed is not read any more; is it still of the format?"
            );
        });
    };
}

/// Whether the bytes are a seed, that must be read.
pub fn is_seed() -> bool {
    #[expect(clippy::disallowed_methods, reason = "the switch of scripts/fuzz; no part of the product")]
    static IS_SEED: std::sync::LazyLock<bool> =
        std::sync::LazyLock::new(|| std::env::var_os(SEEDS_ONLY).is_some());
    *IS_SEED
}

/// Reads a text and asserts that it is printed alike.
fn read_and_print<T: std::str::FromStr + std::fmt::Display>(bytes: &[u8]) -> Option<T> {
    let text = std::str::from_utf8(bytes).ok()?;
    let value: T = text.parse().ok()?;
    assert_eq!(value.to_string(), text, "what is read is printed alike");
    Some(value)
}
