//! Measures a run through the spawner against a bare `posix_spawn` and wait of the same program, interleaved, first
//! from a small process and then from one with 1 GiB in memory. Ratios are what counts.
//!
//!     cargo run --release -p brevet-workloads --example spawn_latency [ROUNDS]
#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a measurement reads the clock and prints"
)]

use std::error::Error;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use brevet_workloads::spawn::{Executable, Launch, Spawner, Streams, no_input, spawner_main};

const PROGRAM: &str = "/usr/bin/true";
const ROUNDS: usize = 2_000;
const LARGE_BYTES: usize = 1 << 30;

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let argument = std::env::args().nth(1);
    if argument.as_deref() == Some("spawner") {
        return Ok(spawner_main());
    }
    let rounds = argument.map_or(Ok(ROUNDS), |text| text.parse())?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    let spawner = Spawner::start(Path::new("/proc/self/exe"), &["spawner"])?;
    let measure = |label: &str| runtime.block_on(measure(&spawner, rounds, label));
    measure("small")?;
    let memory = vec![1_u8; LARGE_BYTES];
    measure("1 GiB")?;
    drop(std::hint::black_box(memory));
    Ok(ExitCode::SUCCESS)
}

async fn measure(spawner: &Spawner, rounds: usize, label: &str) -> Result<(), Box<dyn Error>> {
    let (mut bare, mut spawned) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        let start = Instant::now();
        Command::new(PROGRAM).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status()?;
        bare.push(start.elapsed());
        let start = Instant::now();
        run(spawner).await?;
        spawned.push(start.elapsed());
    }
    let (bare, spawned) = (median(bare), median(spawned));
    let ratio = spawned.as_secs_f64() / bare.as_secs_f64();
    println!("{label}: posix_spawn {bare:?}, spawner {spawned:?}, ratio {ratio:.2}");
    Ok(())
}

async fn run(spawner: &Spawner) -> Result<(), Box<dyn Error>> {
    let streams = Streams { stdin: no_input()?, stdout: no_input()?, stderr: no_input()? };
    let launch = Launch::new(Executable::open(Path::new(PROGRAM))?, [""; 0], streams)?;
    spawner.spawn(launch).await?.wait().await?;
    Ok(())
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}
