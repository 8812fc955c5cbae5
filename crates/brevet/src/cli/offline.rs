//! What needs no server, because it is about one that cannot start.

use std::path::PathBuf;

use clap::Args;

/// Write the anchor of a ledger whose anchor is missing: only when you know why it is
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  brevet audit anchor --data /var/lib/brevet --anchor /mnt/other/brevet.anchor"
)]
pub struct AnchorArgs {
    /// Settings of the server [default: those that are built in]
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// The data folder of the server, which must not run
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// Where the anchor is [default: as set, or in the data folder]
    #[arg(long, value_name = "FILE")]
    pub anchor: Option<PathBuf>,
}

/// Go on under a new name after a backup was restored or a history was forked: writes a new data folder
#[derive(Debug, Args)]
#[command(
    after_help = "The new ledger begins with an entry that holds the last known checkpoint of the one before; the \
                  entries of that one are in an archive file in the new folder. Its key is a new one: in a file, or \
                  the one on the token that [ledger.pkcs11] of the settings names. The old folder stays as it is: keep \
                  it as evidence.\n\nExample:\n  \
                  brevet audit recover --data /var/lib/brevet --into /var/lib/brevet-2 --checkpoint witnessed.txt"
)]
pub struct RecoverArgs {
    /// Settings of the server [default: those that are built in]
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// The data folder that the server does not start with
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// The new data folder, which must not exist yet
    #[arg(long, value_name = "DIR")]
    pub into: PathBuf,
    /// The last checkpoint that witnesses, receipts or the anchor have [default: that of the anchor]
    #[arg(long, value_name = "FILE")]
    pub checkpoint: Option<PathBuf>,
    /// Where the anchor of the new ledger will be [default: in the new folder]
    #[arg(long, value_name = "FILE")]
    pub anchor: Option<PathBuf>,
}
