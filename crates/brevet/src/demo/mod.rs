//! `brevet demo`: a sample organization in a temporary folder, with real tasks of this machine, and the whole
//! story of an approval played on the real server by the real command line.
//!
//! It is a user of Brevet like any other: it starts `brevet serve` and calls `brevet …`; nothing here knows how
//! either works.

mod organization;
mod server;
mod stage;
mod story;

use std::io::Write as _;
use std::process::ExitCode;

use anyhow::Context as _;
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::cli::DemoArgs;
use stage::Stage;

pub(crate) fn run(args: DemoArgs) -> ExitCode {
    match play(&args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            drop(writeln!(std::io::stderr(), "\nbrevet demo: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn play(args: &DemoArgs) -> anyhow::Result<()> {
    let mut goodbye = Goodbye::listen()?;
    let folder = tempfile::Builder::new().prefix("brevet-demo-").tempdir().context("no temporary folder")?;
    let mut stage = Stage::set(folder.path(), args.listen)?;
    organization::found(&mut stage)?;
    story::tell(&mut stage)?;
    if !args.once {
        stay(&stage, &mut goodbye);
    }
    stage.strike()
}

/// Ctrl-C ends the server and removes the folder; by itself it would only end this process.
struct Goodbye {
    runtime: tokio::runtime::Runtime,
    interrupt: Signal,
    terminate: Signal,
}

impl Goodbye {
    /// From here on, being told to end is a word and not an end.
    fn listen() -> anyhow::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let inside = runtime.enter();
        let (interrupt, terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
        drop(inside);
        Ok(Self { runtime, interrupt, terminate })
    }

    fn wait(&mut self) {
        let Self { runtime, interrupt, terminate } = self;
        runtime.block_on(async {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
        });
    }
}

/// Leaves the server to be played with.
fn stay(stage: &Stage, goodbye: &mut Goodbye) {
    stage.say(&farewell(stage.url(), &stage.program().display().to_string()));
    goodbye.wait();
}

/// Where the server is, and who can sign in.
fn farewell(url: &str, program: &str) -> String {
    let password = organization::PASSWORD;
    let mut told = format!(
        "\nThe server stays up until Ctrl-C. Open {url} in a browser and sign in there, or use another terminal, \
         for example:\n\n  export BREVET_SERVER={url}\n  {program} login --user alice\n\n\
         The accounts, all with the password '{password}':\n"
    );
    for person in organization::PEOPLE {
        told.push_str(&format!("  {:<8} {}\n", person.name, person.what));
    }
    told
}

#[cfg(test)]
mod tests {
    use super::farewell;

    #[test]
    fn at_the_end_one_is_told_what_to_open_in_a_browser() {
        let told = farewell("http://127.0.0.1:4713", "/usr/bin/brevet");
        assert!(told.contains("Open http://127.0.0.1:4713 in a browser"), "{told}");
        assert!(told.contains("  alice "), "{told}");
    }
}
