//! `brevet completions` and `brevet man`: made of the commands themselves.

use std::path::PathBuf;

use clap::Args;
use clap_complete::Shell;

use super::context::Context;
use super::exit::{Done, Failure};

/// Write completions for a shell
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  brevet completions bash > /etc/bash_completion.d/brevet")]
pub(crate) struct CompletionsArgs {
    /// Which
    shell: Shell,
}

/// Write the man pages, one for each command
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  brevet man --out /usr/local/share/man/man1")]
pub(crate) struct ManArgs {
    /// The folder; it is made where there is none
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

pub(super) fn completions(
    context: &mut Context,
    args: &CompletionsArgs,
    mut command: clap::Command,
) -> Result<Done, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut command, "brevet", &mut script);
    context.console.bytes(&script)?;
    Ok(Done::Well)
}

pub(super) fn man(context: &mut Context, args: &ManArgs, command: clap::Command) -> Result<Done, Failure> {
    let unwritable = || Failure::io(format!("{} cannot be written", args.out.display()));
    std::fs::create_dir_all(&args.out).map_err(unwritable())?;
    clap_mangen::generate_to(command, &args.out).map_err(unwritable())?;
    let sentence = format!("Wrote the man pages to {}.", args.out.display());
    context.console.done(&sentence, &serde_json::json!({"folder": args.out}))?;
    Ok(Done::Well)
}
