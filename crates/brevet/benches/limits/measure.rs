//! The clock, medians, sizes, folders and this process's own memory.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// How much is measured.
#[derive(Debug)]
pub(crate) struct Sizes {
    /// Rounds in which ours and the limit take turns.
    pub(crate) rounds: usize,
    /// Of one side in one round.
    pub(crate) round: Duration,
    /// Authorizations in force, few and many.
    pub(crate) authorizations: [usize; 2],
    pub(crate) policies: u32,
    /// Entries of the ledger that is started and verified.
    pub(crate) entries: u64,
    /// Requests whose lists are read, few and many.
    pub(crate) requests: [u64; 2],
    /// Entries that are searched, few and many.
    pub(crate) searched: [u64; 2],
    /// Open requests whose memory is measured, and stories that must leave none.
    pub(crate) open: u64,
    pub(crate) ended: usize,
    /// Runs of a program in one round.
    pub(crate) runs: usize,
    /// What is put into the server's memory before the last rounds of `run`.
    pub(crate) ballast_bytes: usize,
    pub(crate) output_bytes: u64,
}

impl Sizes {
    pub(crate) const FULL: Self = Self {
        rounds: 7,
        round: Duration::from_millis(800),
        authorizations: [1_000, 1_000_000],
        policies: 10_000,
        entries: 1_000_000,
        requests: [10_000, 1_000_000],
        searched: [10_000, 10_000_000],
        open: 200_000,
        ended: 60_000,
        runs: 150,
        ballast_bytes: 1 << 30,
        output_bytes: 1 << 30,
    };
    pub(crate) const QUICK: Self = Self {
        rounds: 5,
        round: Duration::from_millis(100),
        authorizations: [1_000, 20_000],
        policies: 1_000,
        entries: 20_000,
        requests: [1_000, 20_000],
        searched: [10_000, 100_000],
        open: 20_000,
        ended: 2_000,
        runs: 30,
        ballast_bytes: 1 << 26,
        output_bytes: 1 << 26,
    };
}

#[expect(clippy::disallowed_methods, reason = "a measurement reads the clock: here only")]
pub(crate) fn clock() -> Instant {
    Instant::now()
}

/// How long something takes, in seconds.
pub(crate) fn seconds<T>(what: impl FnOnce() -> T) -> (f64, T) {
    let start = clock();
    let value = what();
    (start.elapsed().as_secs_f64(), value)
}

pub(crate) fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_unstable_by(f64::total_cmp);
    numbers[numbers.len() / 2]
}

/// A count as a number to divide by.
#[expect(clippy::cast_precision_loss, reason = "a measurement has three digits, not sixteen")]
pub(crate) const fn float(count: u64) -> f64 {
    count as f64
}

/// A private folder on the disk that builds go to: a folder in memory would make every sync free.
pub(crate) fn folder() -> std::io::Result<TempDir> {
    let target = std::env::current_exe()?;
    let target = target.ancestors().find(|path| path.join("CACHEDIR.TAG").exists()).unwrap_or(Path::new("."));
    let private = std::fs::Permissions::from_mode(0o700);
    tempfile::Builder::new().prefix("bench-").permissions(private).tempdir_in(target)
}

/// What this process has in memory, in bytes.
pub(crate) fn resident_bytes() -> std::io::Result<u64> {
    let pages = std::fs::read_to_string("/proc/self/statm")?;
    let resident = pages.split(' ').nth(1).and_then(|pages| pages.parse::<u64>().ok()).unwrap_or(0);
    Ok(resident * 4_096)
}

/// Numbers that look like chance and are the same in every run (SplitMix64).
#[derive(Debug, Clone)]
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) const fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(crate) const fn below(&mut self, end: u64) -> u64 {
        self.roll() % end
    }
}

/// The most that this process ever had in memory, in bytes.
pub(crate) fn peak_bytes() -> std::io::Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kibibytes = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok());
    Ok(kibibytes.unwrap_or(0) * 1_024)
}
