//! Whether a witness can do its work, in a sentence.

use std::path::Path;

use super::office::{Office, Unreadable};
use super::writer;

/// How far the clock may be behind the last cosignature, in seconds: more, and cosignatures are dated by what was seen
/// rather than by the clock.
const CLOCK_BEHIND_SECONDS_MAX: u64 = 5;
/// Free room on the disk, in bytes, below which it is time to do something.
const DISK_FREE_BYTES_MIN: u64 = 64 << 20;

/// Looks; `Err` says what is wrong and what to do.
pub(super) async fn look(office: &Office) -> Result<String, String> {
    if !office.is_writing() {
        return Err(
            "The witness cannot write its folder and decides nothing; restart it, its log says why.".into()
        );
    }
    let now = office.now();
    if !writer::is_set(now) {
        return Err("This machine's clock is not set, so nothing is cosigned; set it.".into());
    }
    let Ok(standings) = office.standings().await else {
        let Unreadable = Unreadable;
        return Err("The witness's folder cannot be read; its log says why.".into());
    };
    let last = standings.iter().filter_map(|standing| standing.cosigned).map(|(_, time)| time).max();
    if let Some(behind) =
        last.and_then(|last| last.checked_sub(now)).filter(|s| *s > CLOCK_BEHIND_SECONDS_MAX)
    {
        return Err(format!("The clock is {behind} s behind the last cosignature; set it."));
    }
    if let Some(free) = free_bytes(office.data()).filter(|free| *free < DISK_FREE_BYTES_MIN) {
        return Err(format!("The disk has {} KiB left; make room.", free >> 10));
    }
    let watched = standings.iter().filter(|standing| standing.keys > 0).count();
    Ok(match watched {
        0 => "The witness is well, and watches no ledger yet.".into(),
        1 => "The witness is well, and watches 1 ledger.".into(),
        watched => format!("The witness is well, and watches {watched} ledgers."),
    })
}

fn free_bytes(path: &Path) -> Option<u64> {
    let stat = rustix::fs::statvfs(path).ok()?;
    Some(stat.f_bavail.saturating_mul(stat.f_frsize))
}
