//! How long one run of `/usr/bin/true` takes from permit to result, beside a bare `posix_spawn` and `wait`. Run it with
//! `cargo run --release -p brevet-workloads --example run_latency`.
#![expect(clippy::print_stdout, reason = "it is what this program is for")]
#![expect(clippy::unwrap_used, reason = "a measurement that fails is no measurement")]
#![expect(clippy::disallowed_methods, reason = "a measurement reads the clock")]

#[path = "support/bench.rs"]
mod bench;
#[path = "../tests/support/gate.rs"]
mod gate;

use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use bench::Bench;

const RUNS: usize = 2_000;
const ROUNDS: usize = 3;

fn main() -> ExitCode {
    bench::main(|| {
        let mut bench = Bench::new("run = [\"/usr/bin/true\"]");
        for _ in 0..ROUNDS {
            let bare = median(spawn_and_wait);
            let brevet = median(|| bench.run());
            assert_eq!(std::fs::read_dir(bench.data.path().join("blobs/partial")).unwrap().count(), 0);
            println!(
                "brevet {brevet:?}; bare {bare:?}; {:.2} times",
                brevet.as_secs_f64() / bare.as_secs_f64()
            );
        }
    })
}

fn median(mut work: impl FnMut()) -> Duration {
    let mut times: Vec<Duration> = (0..RUNS)
        .map(|_| {
            let start = Instant::now();
            work();
            start.elapsed()
        })
        .collect();
    times.sort_unstable();
    times[RUNS / 2]
}

fn spawn_and_wait() {
    let status =
        Command::new("/usr/bin/true").env_clear().stdin(Stdio::null()).stdout(Stdio::null()).status();
    assert!(status.unwrap().success());
}
