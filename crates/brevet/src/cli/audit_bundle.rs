//! `brevet audit bundle`: one request's whole story in one file.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::PathBuf;

use clap::Args;

use super::client::{query, segment};
use super::context::Context;
use super::exit::{Done, Failure};
use crate::bundle::Bundle;

/// Write one request's whole story into one file, which verifies alone
///
/// The file has the request, its decisions, its authorization and the runs under it, and what was in force for each,
/// with proofs to one signed checkpoint. Whoever has the verifier key of the ledger needs nothing else to check it.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  brevet audit bundle req-42\n  \
    brevet audit bundle req-42 --with-outputs --out incident-4711.brevet-bundle\n  \
    brevet audit bundle req-42 --data /var/lib/brevet\n  \
    brevet audit verify --bundle req-42.brevet-bundle --key ledger.vkey")]
pub(crate) struct BundleArgs {
    /// Whose story
    #[arg(value_name = "REQUEST")]
    request: String,
    /// Where to; nobody else can read the file, and none is written over [default: REQUEST.brevet-bundle]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Embed what the runs wrote; otherwise its digest and length stand for it
    #[arg(long)]
    with_outputs: bool,
    /// Read this data folder, and the archive files in it, instead of asking a server: for what is archived
    #[arg(long, value_name = "DIR")]
    pub(super) data: Option<PathBuf>,
    /// Archive files with older entries
    #[arg(long, value_name = "FILE", requires = "data", num_args = 1..)]
    archive: Vec<PathBuf>,
}

/// A question to a data folder.
pub(crate) struct AskedBundle {
    pub(crate) data: PathBuf,
    pub(crate) archive: Vec<PathBuf>,
    pub(crate) request: String,
    pub(crate) outputs: bool,
}

/// Mode of the file: reasons and outputs are nobody else's business.
const FILE_MODE: u32 = 0o600;

pub(super) async fn run(context: &mut Context, args: BundleArgs) -> Result<Done, Failure> {
    let BundleArgs { request, out, with_outputs, data: _, archive: _ } = args;
    let path = format!("/audit/bundles/{}", segment(&request));
    let outputs = with_outputs.then(|| "true".to_owned());
    let answer = context.client()?.get(&query(&path, &[("outputs", outputs)])).await?;
    let bundle: Bundle = answer.read()?;
    write(context, &bundle, out)
}

/// The same without a server.
pub(super) fn offline(
    context: &mut Context,
    args: BundleArgs,
    ask: fn(&AskedBundle) -> Result<Bundle, String>,
) -> Result<Done, Failure> {
    let BundleArgs { request, out, with_outputs: outputs, data, archive } = args;
    let asked = AskedBundle { data: data.unwrap_or_default(), archive, request, outputs };
    write(context, &ask(&asked).map_err(Failure::Failed)?, out)
}

fn write(context: &mut Context, bundle: &Bundle, out: Option<PathBuf>) -> Result<Done, Failure> {
    let out = out.unwrap_or_else(|| PathBuf::from(format!("{}.brevet-bundle", bundle.request)));
    let unwritable = || Failure::io(format!("{} cannot be written", out.display()));
    let mut text =
        serde_json::to_string_pretty(bundle).map_err(|error| Failure::Failed(error.to_string()))?;
    text.push('\n');
    let file = OpenOptions::new().write(true).create_new(true).mode(FILE_MODE).open(&out);
    let mut file = file.map_err(unwritable())?;
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(unwritable())?;
    let written = serde_json::json!({
        "request": bundle.request,
        "file": out,
        "entries": bundle.entries.len(),
        "outputs": bundle.outputs.len(),
    });
    let sentence = format!(
        "Wrote the story of {} ({} entries) to {}.\nCheck it anywhere with: brevet audit verify --bundle {} --key KEY",
        bundle.request,
        bundle.entries.len(),
        out.display(),
        out.display()
    );
    context.console.done(&sentence, &written)?;
    Ok(Done::Well)
}
