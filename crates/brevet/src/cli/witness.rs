//! `brevet witness`: its commands and options. What they do is in [`crate::witness`]; they need no server.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Subcommand};

/// `brevet witness …`.
#[derive(Debug, Subcommand)]
pub enum WitnessCommand {
    /// Run the witness; the first start makes its key
    #[command(after_help = "Examples:\n  \
        brevet witness serve --data /var/lib/brevet-witness --name witness.example.org/w1\n  \
        brevet witness serve --data /var/lib/brevet-witness --listen 0.0.0.0:8430 --tls-cert w1.pem --tls-key w1.key")]
    Serve(WitnessServeArgs),
    /// Write the line that a policy file needs to trust this witness
    #[command(after_help = "Examples:\n  \
        brevet witness key --data /var/lib/brevet-witness --url https://w1.example.org:8430\n  \
        brevet witness key --data /var/lib/brevet-witness --name witness.example.org/w1")]
    Key(WitnessKeyArgs),
    /// Watch a ledger, also while the witness runs; a second key for the same ledger is trusted beside the first
    #[command(after_help = "Example:\n  \
        brevet witness add-log --data /var/lib/brevet-witness \\\n    \
        brevet.example.org/ledger+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k")]
    AddLog(WitnessAddLogArgs),
    /// List the ledgers that are watched, and what was seen of them
    #[command(after_help = "Example:\n  brevet witness list-logs --data /var/lib/brevet-witness -o json")]
    ListLogs(WitnessDataArgs),
    /// Watch a ledger no longer, or trust one of its keys no longer; what was seen of it is never forgotten
    #[command(
        after_help = "Example:\n  brevet witness remove-log --data /var/lib/brevet-witness brevet.example.org/ledger"
    )]
    RemoveLog(WitnessRemoveLogArgs),
    /// Write the signed checkpoints that contradict each other
    #[command(
        after_help = "Example:\n  brevet witness evidence --data /var/lib/brevet-witness --log brevet.example.org/ledger"
    )]
    Evidence(WitnessEvidenceArgs),
}

/// Where the witness is.
#[derive(Debug, Args)]
pub struct WitnessDataArgs {
    /// The witness's own folder
    #[arg(long, value_name = "DIR")]
    pub data: PathBuf,
}

/// Options of `brevet witness serve`.
#[derive(Debug, Args)]
pub struct WitnessServeArgs {
    /// The witness's own folder; it is made where there is none
    #[arg(long, value_name = "DIR")]
    pub data: PathBuf,
    /// What the witness is called for ever; needed for the first start
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// Where to listen; without TLS only on this machine
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8430")]
    pub listen: SocketAddr,
    /// The certificate, with the chain behind it (PEM)
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    pub tls_cert: Option<PathBuf>,
    /// Its private key (PEM)
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    pub tls_key: Option<PathBuf>,
}

/// Options of `brevet witness key`.
#[derive(Debug, Args)]
pub struct WitnessKeyArgs {
    /// The witness's own folder
    #[arg(long, value_name = "DIR")]
    pub data: PathBuf,
    /// Make the witness, under this name, where there is none yet
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// Where ledgers reach it, for the line; without it the line is enough to verify with, not to ask the witness
    #[arg(long, value_name = "URL")]
    pub url: Option<String>,
}

/// Options of `brevet witness add-log`.
#[derive(Debug, Args)]
pub struct WitnessAddLogArgs {
    /// The witness's own folder
    #[arg(long, value_name = "DIR")]
    pub data: PathBuf,
    /// The ledger's public key
    #[arg(value_name = "KEY")]
    pub key: String,
    /// The first line of its checkpoints [default: the name of the key]
    #[arg(long, value_name = "TEXT")]
    pub origin: Option<String>,
}

/// Options of `brevet witness remove-log`.
#[derive(Debug, Args)]
pub struct WitnessRemoveLogArgs {
    /// The witness's own folder
    #[arg(long, value_name = "DIR")]
    pub data: PathBuf,
    /// The ledger's origin, for all its keys; or one public key
    #[arg(value_name = "ORIGIN|KEY")]
    pub log: String,
}

/// Options of `brevet witness evidence`.
#[derive(Debug, Args)]
pub struct WitnessEvidenceArgs {
    /// The witness's own folder
    #[arg(long, value_name = "DIR")]
    pub data: PathBuf,
    /// Of this ledger only, by its origin
    #[arg(long, value_name = "ORIGIN")]
    pub log: Option<String>,
}
