//! A run with both of its entries durable, beside what the system alone needs for a process and two syncs; and a
//! whole `brevet run` beside `sudo -n`.

use std::fs::File;
use std::io::{Seek as _, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};

use tokio::runtime::Runtime;

use super::Outcome;
use super::measure::{Sizes, folder, median, seconds};
use super::server::{self, Connection, Served};
use super::table::{Bar, Line, Unit, note};

type Failure = Box<dyn std::error::Error>;

const PROGRAM: &str = "/usr/bin/true";
const SUDO: &str = "/usr/bin/sudo";
/// In the last event of the stream of a run that did.
const SUCCEEDED: &str = "\"state\":\"succeeded\"";
const PAGE_BYTES: usize = 4_096;

pub(crate) fn measure(sizes: &Sizes) -> Outcome {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let (data, aside) = (folder()?, folder()?);
    let served = runtime.block_on(server::serve(data.path(), &format!("[\"{PROGRAM}\"]")))?;
    let connect = Connection::open(served.address, "/api/v1/executions", &served.token, "text/event-stream");
    let mut connection = runtime.block_on(connect)?;
    let mut bare = File::create(aside.path().join("bare"))?;
    let line = |what: &str, limit_is, unit, ours: f64, limit: f64, bar| {
        Line { what: what.to_owned(), limit_is, unit, ours, limit, bar }.print();
    };

    let small = compare(&runtime, &mut connection, &mut bare, sizes)?;
    let system = "posix_spawn and two fdatasync";
    line("run over an open connection", system, Unit::Microseconds, small.0, small.1, Bar::AtMost(2.0));

    against_sudo(&runtime, &served, sizes)?;

    let ballast = vec![1_u8; sizes.ballast_bytes];
    let large = compare(&runtime, &mut connection, &mut bare, sizes)?;
    drop(std::hint::black_box(ballast));
    let growth = (large.0 / large.1) / (small.0 / small.1);
    let what = "run from a server of 1 GiB, as a multiple of the limit";
    line(what, "the same from a small server", Unit::Times, growth, 1.0, Bar::AtMost(1.2));
    Ok(())
}

/// Microseconds for one run: ours and the system's.
fn compare(
    runtime: &Runtime,
    connection: &mut Connection,
    bare: &mut File,
    sizes: &Sizes,
) -> Result<(f64, f64), Failure> {
    let (mut ours, mut limit) = (Vec::new(), Vec::new());
    for _ in 0..sizes.runs {
        let (taken, ran) = seconds(|| runtime.block_on(connection.ask()));
        let answer = String::from_utf8_lossy(ran?);
        if !answer.contains(SUCCEEDED) {
            return Err(format!("a run did not succeed: {answer}").into());
        }
        ours.push(taken * 1e6);
        let (taken, ran) = seconds(|| spawn_between_syncs(bare));
        ran?;
        limit.push(taken * 1e6);
    }
    Ok((median(ours), median(limit)))
}

fn spawn_between_syncs(file: &mut File) -> std::io::Result<()> {
    sync_a_page(file)?;
    run_quietly(&mut Command::new(PROGRAM))?;
    sync_a_page(file)
}

fn sync_a_page(file: &mut File) -> std::io::Result<()> {
    file.rewind()?;
    file.write_all(&[7; PAGE_BYTES])?;
    file.sync_data()
}

fn run_quietly(command: &mut Command) -> std::io::Result<()> {
    let status = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status()?;
    if status.success() { Ok(()) } else { Err(std::io::Error::other(format!("{command:?}: {status}"))) }
}

fn against_sudo(runtime: &Runtime, served: &Served, sizes: &Sizes) -> Outcome {
    if !Path::new(SUDO).exists() {
        note("there is no sudo here to compare with; on Debian: apt-get install sudo");
        return Ok(());
    }
    let url = format!("http://{}", served.address);
    let (mut ours, mut limit) = (Vec::new(), Vec::new());
    // The server is in this process: its threads work on while this one waits for the program.
    let _inside = runtime.enter();
    for _ in 0..sizes.runs {
        let mut brevet = Command::new(env!("CARGO_BIN_EXE_brevet"));
        brevet.args(["run", "Linux/True"]).env("BREVET_SERVER", &url).env("BREVET_TOKEN", &served.token);
        let (taken, ran) = seconds(|| run_quietly(&mut brevet));
        ran?;
        ours.push(taken * 1e6);
        let (taken, ran) = seconds(|| run_quietly(Command::new(SUDO).args(["-n", PROGRAM])));
        ran?;
        limit.push(taken * 1e6);
    }
    Line {
        what: "a whole `brevet run` process".to_owned(),
        limit_is: "sudo -n of the same program",
        unit: Unit::Microseconds,
        ours: median(ours),
        limit: median(limit),
        bar: Bar::AtMost(1.0),
    }
    .print();
    Ok(())
}
