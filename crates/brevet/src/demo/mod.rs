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
    let folder = tempfile::Builder::new().prefix("brevet-demo-").tempdir().context("no temporary folder")?;
    let mut stage = Stage::set(folder.path(), args.listen)?;
    organization::found(&mut stage)?;
    story::tell(&mut stage)?;
    if !args.once {
        stay(&mut stage)?;
    }
    stage.strike()
}

/// Leaves the server to be played with.
fn stay(stage: &mut Stage) -> anyhow::Result<()> {
    stage.say(&format!(
        "\nThe server stays up at {} until Ctrl-C. In another terminal, for example:\n\n  \
         export BREVET_SERVER={}\n  {} login --user alice\n\nThe accounts, all with the password '{}':\n",
        stage.url(),
        stage.url(),
        stage.program().display(),
        organization::PASSWORD,
    ));
    for person in organization::PEOPLE {
        stage.say(&format!("  {:<8} {}\n", person.name, person.what));
    }
    stage.wait_for_the_end()
}
