//! Whole exports and archive files, as an auditor gets them from somebody.

use std::io::{Seek as _, SeekFrom, Write as _};
use std::sync::{LazyLock, Mutex};

use brevet_ledger::{PART_ROWS, Part, Verifier, Watch};
use brevet_store::Source as _;
use tempfile::NamedTempFile;

/// The reader of the product, as it is: it is not part of a library.
#[path = "../../crates/brevet/src/verify/export.rs"]
#[allow(dead_code, reason = "not all of the product is here")]
mod export;

/// A file to be read again and again, in memory where there is such a place.
static FILE: LazyLock<Mutex<NamedTempFile>> = LazyLock::new(|| {
    let file = NamedTempFile::new_in("/dev/shm").or_else(|_| NamedTempFile::new());
    Mutex::new(file.expect("a temporary file"))
});

/// An export: a heading, entries, a checkpoint; each a line of JSON.
pub fn export_file(bytes: &[u8]) -> bool {
    let mut file = FILE.lock().expect("nobody panicked with it and went on");
    file.as_file_mut().set_len(0).expect("an empty file");
    file.seek(SeekFrom::Start(0)).expect("its beginning");
    file.write_all(bytes).expect("room for a small file");
    let Ok(export) = export::ExportFile::open(file.path()) else { return false };
    let Ok(mut reader) = export.reader() else { return false };
    let mut verifier = Verifier::new();
    let mut is_sound = true;
    for first in (0..export.size().min(4 * PART_ROWS)).step_by(usize::try_from(PART_ROWS).expect("small")) {
        let mut part = Part::new(first, &Watch::default());
        if reader.read(first, &mut |item| drop(part.push(&item.row))).is_err() {
            return false;
        }
        is_sound = is_sound && verifier.accept(part).is_ok();
    }
    let size = verifier.size();
    assert!(!is_sound || verifier.finish(None, None).is_ok_and(|derived| derived.size == size));
    true
}
