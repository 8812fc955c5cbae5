//! How fast output goes through Brevet: read, framed, hashed and stored, beside what this machine does at best, a plain
//! copy of a pipe with SHA-256. Run it with `cargo run --release -p brevet-workloads --example output_rate`.
#![expect(clippy::print_stdout, reason = "it is what this program is for")]
#![expect(clippy::unwrap_used, reason = "a measurement that fails is no measurement")]
#![expect(clippy::disallowed_methods, reason = "a measurement reads the clock")]

#[path = "support/bench.rs"]
mod bench;
#[path = "../tests/support/gate.rs"]
mod gate;

use std::io::{Read as _, Write as _};
use std::process::{Command, ExitCode, Stdio};
use std::time::Instant;

use bench::Bench;
use brevet_workloads::recording::Blobs;
use sha2::{Digest as _, Sha256};

const BYTES: u64 = 2_000_000_000;
const ROUNDS: usize = 3;

fn main() -> ExitCode {
    bench::main(|| {
        let run =
            format!("run = [\"/usr/bin/head\", \"-c\", \"{BYTES}\", \"/dev/zero\"]\noutput_limit = \"4GiB\"");
        let mut bench = Bench::new(&run);
        for _ in 0..ROUNDS {
            let copied = rate(|| copy_and_hash(&bench));
            let brevet = rate(|| bench.run());
            println!(
                "brevet {brevet:.0} MB/s; plain copy + SHA-256 + fdatasync {copied:.0} MB/s; {:.0} %; peak {} MiB",
                100.0 * brevet / copied,
                peak_mib()
            );
            forget(&mut bench);
        }
    })
}

#[expect(clippy::cast_precision_loss, reason = "three digits are printed")]
fn rate(work: impl FnOnce()) -> f64 {
    let start = Instant::now();
    work();
    BYTES as f64 / start.elapsed().as_secs_f64() / 1e6
}

fn copy_and_hash(bench: &Bench) {
    let path = bench.data.path().join("plain");
    let mut file = std::fs::File::create(&path).unwrap();
    let mut child = Command::new("/usr/bin/head")
        .args(["-c", &BYTES.to_string(), "/dev/zero"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut pipe = child.stdout.take().unwrap();
    let _refused = rustix::pipe::fcntl_setpipe_size(&pipe, 1 << 20);
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 256 * 1024];
    loop {
        let count = pipe.read(&mut buffer).unwrap();
        if count == 0 {
            break;
        }
        hash.update(&buffer[..count]);
        file.write_all(&buffer[..count]).unwrap();
    }
    assert!(child.wait().unwrap().success());
    file.sync_data().unwrap();
    std::hint::black_box(hash.finalize());
    std::fs::remove_file(&path).unwrap();
}

/// Removes what was recorded.
fn forget(bench: &mut Bench) {
    std::fs::remove_dir_all(bench.data.path().join("blobs")).unwrap();
    bench.blobs = Blobs::open(bench.data.path()).unwrap();
}

/// The most memory that this process had.
fn peak_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() / 1024
}
