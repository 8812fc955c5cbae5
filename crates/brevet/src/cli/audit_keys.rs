//! `brevet audit keys | rotate-key`: the keys that sign the ledger.

use brevet_wire::{LedgerKeys, RotateKey};
use clap::Args;

use super::console::{Show, View};
use super::context::Context;
use super::exit::{Done, Failure};
use super::table::Sheet;

/// Change the key that signs the ledger; who trusts the old one can follow to the new one
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  brevet audit rotate-key --overlap 7d\n\n  \
    # the key was stolen: the old one signs nothing any more\n  brevet audit rotate-key --overlap 0\n\n  \
    # the new key is on the token that the server is configured with\n  brevet audit rotate-key --token-key ledger-2027\n\n  \
    # the key is on a token: the new one is made in a file again\n  brevet audit rotate-key --to-file")]
pub(crate) struct RotateKeyArgs {
    /// For how long the old key signs too; 0 when it was stolen
    #[arg(long, value_name = "SPAN", default_value = "24h", value_parser = overlap)]
    overlap: u64,
    /// The label of the new key on the token of the server [default: the one in its settings]
    #[arg(long, value_name = "LABEL")]
    token_key: Option<String>,
    /// Make the new key in a file of the server's data folder, although its settings have a token
    #[arg(long, conflicts_with = "token_key")]
    to_file: bool,
}

pub(super) async fn keys(context: &mut Context) -> Result<Done, Failure> {
    context.show::<LedgerKeys>("/ledger/keys").await
}

pub(super) async fn rotate(context: &mut Context, args: RotateKeyArgs) -> Result<Done, Failure> {
    let RotateKeyArgs { overlap, token_key, to_file } = args;
    let body = RotateKey { overlap_seconds: Some(overlap), token_key, to_file };
    let answer = context.client()?.post("/ledger/rotate-key", &body).await?;
    context.console.one(&answer.read::<LedgerKeys>()?, &answer.value()?)?;
    Ok(Done::Well)
}

/// Seconds; `0` needs no unit.
fn overlap(text: &str) -> Result<u64, brevet_core::BadSpan> {
    match text {
        "0" => Ok(0),
        text => brevet_core::Span::parse(text).map(|span| span.micros().unsigned_abs() / 1_000_000),
    }
}

impl Show for LedgerKeys {
    fn show(&self, view: &View) -> String {
        let Self { origin, keys, overlap_until, handovers } = self;
        let mut sheet = Sheet::default().line("Ledger", origin);
        for (place, key) in keys.iter().enumerate() {
            sheet = sheet.line(if place == 0 { "Key" } else { "Signs too" }, key);
        }
        if let Some(until) = overlap_until {
            sheet = sheet.line("Until", view.clock.both(*until));
        }
        let changes = match handovers.len() {
            0 => "never".to_owned(),
            1 => "once".to_owned(),
            times => format!("{times} times"),
        };
        sheet.line("Changed", changes).text(view)
    }
}
