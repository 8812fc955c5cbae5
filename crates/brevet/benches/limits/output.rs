//! The output of a run through the broker, hashed and stored, and what it costs in memory.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};

use super::Outcome;
use super::measure::{Sizes, float, folder, median, peak_bytes, seconds};
use super::server;
use super::table::{Bar, Line, Unit};

const ROUNDS: usize = 5;
const PIECE_BYTES: usize = 64 * 1024;
const MEGABYTE: f64 = 1e6;
/// The number that must be reached.
const RATE_MIN: f64 = 300.0;
/// What the output of one run may add to the memory of the server.
const MEMORY_MAX_BYTES: u64 = 16 << 20;

pub(crate) fn measure(sizes: &Sizes) -> Outcome {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let data = folder()?;
    let bytes = sizes.output_bytes;
    let run = format!(r#"["/usr/bin/head", "-c", "{bytes}", "/dev/zero"]"#);
    let served = runtime.block_on(server::serve(data.path(), &run))?;
    let before = peak_bytes()?;
    let (mut ours, mut pipe, mut disk) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let (taken, ran) = seconds(|| runtime.block_on(server::run_to_the_end(&served.app)));
        let kept = ran?.ok_or("nothing was recorded")?;
        if kept.bytes < bytes || kept.dropped > 0 {
            return Err(format!("{} of {bytes} bytes were recorded", kept.bytes).into());
        }
        ours.push(float(bytes) / MEGABYTE / taken);
        let (taken, ran) = seconds(|| through_a_pipe(bytes));
        ran?;
        pipe.push(float(bytes) / MEGABYTE / taken);
        let (taken, written) = seconds(|| onto_the_disk(&data.path().join("bare"), bytes));
        written?;
        // Not in the time: ours keeps what it wrote.
        std::fs::remove_file(data.path().join("bare"))?;
        disk.push(float(bytes) / MEGABYTE / taken);
    }
    let grown = peak_bytes()?.saturating_sub(before);
    let (ours, pipe, disk) = (median(ours), median(pipe), median(disk));
    let rate = |limit, limit_is, bar| {
        let what = format!("output, {} MiB, hashed and stored", bytes >> 20);
        Line { what, limit_is, unit: Unit::MegabytesPerSecond, ours, limit, bar }.print();
    };
    rate(RATE_MIN, "the number to reach", Bar::AtLeast(1.0));
    rate(disk, "the same bytes written and synced", Bar::None);
    rate(pipe, "a plain pipe, thrown away", Bar::None);
    Line {
        what: "memory added by it, at its peak".to_owned(),
        limit_is: "16 MiB, whatever its length",
        unit: Unit::Mebibytes,
        ours: float(grown) / float(1 << 20),
        limit: float(MEMORY_MAX_BYTES) / float(1 << 20),
        bar: Bar::AtMost(1.0),
    }
    .print();
    Ok(())
}

fn onto_the_disk(path: &Path, bytes: u64) -> std::io::Result<()> {
    let mut file = File::create(path)?;
    let piece = vec![7; PIECE_BYTES];
    let mut left = bytes;
    while left > 0 {
        let count = piece.len().min(usize::try_from(left).unwrap_or(piece.len()));
        file.write_all(&piece[..count])?;
        left -= count as u64;
    }
    file.sync_data()
}

fn through_a_pipe(bytes: u64) -> std::io::Result<()> {
    let mut head = Command::new("/usr/bin/head");
    head.args(["-c", &bytes.to_string(), "/dev/zero"]).stdin(Stdio::null()).stdout(Stdio::piped());
    let mut child = head.spawn()?;
    let mut buffer = vec![0; PIECE_BYTES];
    if let Some(mut output) = child.stdout.take() {
        while output.read(&mut buffer)? > 0 {}
    }
    child.wait().map(drop)
}
