//! The arguments of `brevet audit verify`.

use std::path::PathBuf;

use clap::Args;

/// Verify a ledger without trusting who runs it: every entry, hash and signature, and what was kept elsewhere
///
/// The ledger is a data folder, an export, what a server shows, or the part of it in an evidence bundle. Without --key, --policy or something that was kept
/// elsewhere, the result proves nothing against whoever owns the ledger.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  brevet audit verify /var/lib/brevet\n  \
    brevet audit verify ledger.jsonl --key ledger.vkey --checkpoint last-month.txt --receipts receipts/\n  \
    brevet audit verify https://brevet.example.org --key ledger.vkey --checkpoint last-month.txt\n  \
    brevet audit verify --data /var/lib/brevet --policy witness.policy --max-age 10m -o json\n\n\
    Exit codes: 0 all well; 1 could not be carried out; 2 usage; 10 changed; 11 missing; 12 truncated;\n\
    13 forked; 14 stale; 15 bad signature; 16 policy not met; 17 rows differ from the entries.")]
pub struct VerifyArgs {
    /// What to verify: a data folder, the file of an export or of an evidence bundle, or the address of a server
    #[arg(value_name = "PATH", conflicts_with_all = ["data", "export", "url", "bundle"])]
    pub path: Option<String>,
    /// The data folder of a server, which may be running
    #[arg(long, value_name = "DIR", conflicts_with = "export")]
    pub data: Option<PathBuf>,
    /// An export in the format that can be verified
    #[arg(long, value_name = "FILE")]
    pub export: Option<PathBuf>,
    /// A server, of which all that it publishes is fetched; with an auditor's BREVET_TOKEN for it, the entries too
    #[arg(long, value_name = "URL", conflicts_with_all = ["data", "export", "bundle"])]
    pub url: Option<String>,
    /// Send BREVET_TOKEN to the server that is verified, also when it is not the one that BREVET_SERVER or the last login names
    #[arg(long)]
    pub send_token: bool,
    /// An evidence bundle: the story of one request
    #[arg(long, value_name = "FILE", conflicts_with_all = ["data", "export"])]
    pub bundle: Option<PathBuf>,
    /// An archive file with older entries, or with those of a ledger before this one; may be repeated
    #[arg(long, value_name = "FILE")]
    pub archive: Vec<PathBuf>,
    /// A verifier key that is trusted, or a file with some; may be repeated [default: the one beside the entries]
    #[arg(long, value_name = "KEY|FILE")]
    pub key: Vec<String>,
    /// A witness policy (C2SP tlog-policy): its log keys are trusted, and its quorum must be met
    #[arg(long, value_name = "FILE")]
    pub policy: Option<PathBuf>,
    /// A checkpoint kept from earlier, which must be part of this history; may be repeated
    #[arg(long, value_name = "FILE")]
    pub checkpoint: Vec<PathBuf>,
    /// A receipt (.tlog-proof), or a folder of them, which must be part of this history; may be repeated
    #[arg(long, value_name = "DIR|FILE")]
    pub receipts: Vec<PathBuf>,
    /// The anchor of the server, on its other storage; may be repeated
    #[arg(long, value_name = "FILE")]
    pub anchor: Vec<PathBuf>,
    /// How old the newest cosignature may be; without a policy with witnesses, the last entry
    #[arg(long, value_name = "TIME")]
    pub max_age: Option<String>,
    /// Where the two checkpoints of a fork go, with the proof that both cannot be [default: standard output]
    #[arg(long, value_name = "FILE")]
    pub evidence: Option<PathBuf>,
    /// Trust these certificates alone: the option that every command has.
    #[arg(skip)]
    pub ca_file: Option<PathBuf>,
}
