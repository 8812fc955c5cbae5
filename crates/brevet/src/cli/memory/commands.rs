//! `brevet audit receipts | proof | checkpoint`: what was kept, checked again, and proofs to take away.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::path::{Path, PathBuf};

use brevet_ledger::{Checkpoint, EntryRef, Note, TlogProof, VerifierKey, leaf_hash};
use brevet_wire::{self as wire, Time, reason};
use clap::{Args, Subcommand};
use serde::Serialize;

use super::folder::{KeptReceipt, Memory, RECEIPT, Remembered, keep_receipt, receipts, replace};
use super::judge::{self, Contradiction, Known, Seen};
use super::{Keeping, keep};
use crate::cli::client::Client;
use crate::cli::connect::Open;
use crate::cli::console::{Show, View, safe, safe_lines};
use crate::cli::context::Context;
use crate::cli::exit::{Done, FAILED, Failure};
use crate::cli::table::{Row, Shown, Tone, plain, toned};

/// How long a server has for one answer.
const ANSWER_SECONDS_MAX: u64 = 60;

/// Show and check the receipts of what you did
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Show the receipts that are kept, without asking a server
    #[command(after_help = "Example:\n  brevet audit receipts list")]
    List,
    /// Check every receipt again, and that the server still shows the history that they are from
    #[command(after_help = "Example:\n  brevet audit receipts check\n\n\
        Exit code: 1 when one does not hold, or the server shows another history.")]
    Check,
    /// Trust this key for the server from now on, whatever was seen of it before
    #[command(
        after_help = "Example:\n  brevet audit receipts trust 'brevet.local/0a1b2c3d+530d903a+AekyP…'\n\n\
        Have the key told by your auditor, not by the server."
    )]
    Trust {
        /// The verifier key of its ledger, as in ledger.vkey
        key: String,
    },
}

/// Write a proof that an entry is in the ledger, which verifies offline
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  brevet audit proof 1042 --out entry-1042.tlog-proof\n  brevet audit proof 1042 > entry-1042.tlog-proof"
)]
pub(crate) struct ProofArgs {
    /// The entry's place in the ledger, from 0: one of your own, or any for auditors
    index: u64,
    /// Where to; a name without an ending gets .tlog-proof, a folder a file in it [default: standard output]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// Shows, or checks.
pub(crate) async fn run(context: &mut Context, command: Option<Command>) -> Result<Done, Failure> {
    match command.unwrap_or(Command::List) {
        Command::List => list(context),
        Command::Check => check(context).await,
        Command::Trust { key } => trust(context, &key).await,
    }
}

/// `brevet audit proof`.
pub(crate) async fn prove(context: &mut Context, args: ProofArgs) -> Result<Done, Failure> {
    let ProofArgs { index, out } = args;
    let answer = context.client()?.get(&format!("/ledger/receipts/{index}")).await?;
    let receipt: wire::Receipt = answer.read()?;
    let Some(out) = out else {
        context.console.one(&receipt, &answer.value()?)?;
        return Ok(Done::Well);
    };
    let path = match out.is_dir() {
        true => out.join(format!("{index}.{RECEIPT}")),
        false if out.extension().is_none() => out.with_extension(RECEIPT),
        false => out,
    };
    replace(&path, &receipt.proof)?;
    let written = serde_json::json!({"index": index, "file": path});
    context.console.done(&format!("Wrote the proof of entry {index} to {}.", path.display()), &written)?;
    Ok(Done::Well)
}

/// `brevet audit checkpoint`: shows it, and remembers it.
pub(crate) async fn checkpoint(context: &mut Context) -> Result<Done, Failure> {
    let answer = context.client()?.get("/audit/checkpoint").await?;
    let shown: wire::Checkpoint = answer.read()?;
    context.console.one(&shown, &answer.value()?)?;
    let Some(memory) = memory(context) else { return Ok(Done::Well) };
    let client = context.client()?;
    let checked = look(&memory, &client, &mut None, Some(shown.note)).await?;
    if let Looked::Against { warning, .. } = checked {
        context.console.note(&safe_lines(&warning));
    }
    Ok(Done::Well)
}

async fn trust(context: &mut Context, key: &str) -> Result<Done, Failure> {
    let bad = |error: brevet_ledger::Error| Failure::Usage(format!("'{key}' is not a verifier key: {error}"));
    let key: VerifierKey = key.trim().parse().map_err(bad)?;
    let origin = brevet_ledger::Origin::parse(key.name().as_str()).map_err(bad)?;
    let known = Known { origin, keys: vec![key], rotations: Vec::new(), seen: None };
    let memory = memory(context).ok_or_else(off)?;
    let server = context.anonymous_client()?.server().to_string();
    let lock = memory.lock().await?;
    memory.trust(&lock, &server, &known)?;
    let said = serde_json::json!({"server": server, "origin": known.origin.to_string()});
    context
        .console
        .done(&format!("{server} is trusted to show the ledger {} from now on.", known.origin), &said)?;
    Ok(Done::Well)
}

fn memory(context: &Context) -> Option<Memory> {
    match context.keeping() {
        Keeping::In(folder) => Some(Memory::new(folder)),
        Keeping::Off | Keeping::NoPlace => None,
    }
}

fn off() -> Failure {
    Failure::Failed(
        "no receipts are kept here: BREVET_RECEIPTS is off, or neither HOME nor XDG_STATE_HOME is set".into(),
    )
}

/// A receipt as it is shown.
#[derive(Debug, Serialize)]
struct Told {
    origin: String,
    index: Option<u64>,
    time: Option<Time>,
    kind: Option<String>,
    size: Option<u64>,
    holds: bool,
    problem: Option<String>,
    file: PathBuf,
}

impl Told {
    fn of(known: &Known, kept: &KeptReceipt) -> (Self, Option<Checkpoint>) {
        let mut told = Self {
            origin: known.origin.to_string(),
            index: kept.path.file_stem().and_then(|stem| stem.to_str()?.parse().ok()),
            time: None,
            kind: None,
            size: None,
            holds: false,
            problem: None,
            file: kept.path.clone(),
        };
        let checked = kept.proof.as_ref().map_err(Clone::clone).and_then(|proof| told.verify(known, proof));
        match checked {
            Ok(checkpoint) => (Self { holds: true, size: Some(checkpoint.size()), ..told }, Some(checkpoint)),
            Err(problem) => (Self { problem: Some(problem), ..told }, None),
        }
    }

    /// Checks the file alone: that the entry in it is in a tree that a believed key signed for.
    fn verify(&mut self, known: &Known, proof: &TlogProof) -> Result<Checkpoint, String> {
        let say = |error: brevet_ledger::Error| error.to_string();
        let entry = proof.unauthenticated_extra().ok_or("the entry is not in it")?;
        let says = EntryRef::decode(entry).map_err(say)?;
        if says.index != proof.index() {
            return Err(format!("it proves entry {}, and holds entry {}", proof.index(), says.index));
        }
        self.time = Some(Time::from_micros(says.time_micros));
        self.kind = Some(says.kind.to_owned());
        proof.verify(leaf_hash(entry), &known.origin, &known.keys_for(proof.checkpoint())).map_err(say)
    }
}

impl Row for Told {
    const HEADS: &'static [&'static str] = &["ENTRY", "TIME", "WHAT", "IN THE FIRST", "RECEIPT"];

    fn row(&self, view: &View) -> Vec<Shown> {
        let or = |text: Option<String>| plain(text.unwrap_or_else(|| "?".into()));
        vec![
            or(self.index.map(|index| index.to_string())),
            or(self.time.map(|time| view.clock.local(time))),
            or(self.kind.clone()),
            or(self.size.map(|size| size.to_string())),
            match &self.problem {
                None => toned("holds", Tone::Good),
                Some(problem) => toned(problem, Tone::Bad),
            },
        ]
    }
}

fn list(context: &mut Context) -> Result<Done, Failure> {
    let memory = memory(context).ok_or_else(off)?;
    let mut told = Vec::new();
    for (servers, ledger) in memory.ledgers()? {
        let known = &ledger.known;
        let size = known.seen.as_ref().map_or(0, |seen| seen.checkpoint.size());
        let keys: Vec<String> = known.keys.iter().map(ToString::to_string).collect();
        context.console.note(&safe(&format!(
            "{} at {}: {size} entries seen; key {}",
            known.origin,
            if servers.is_empty() { "no server any more".to_owned() } else { servers.join(", ") },
            keys.join(", then ")
        )));
        told.extend(receipts(&ledger.folder)?.iter().map(|kept| Told::of(known, kept).0));
    }
    show(context, &told)?;
    Ok(Done::Well)
}

fn show(context: &mut Context, told: &[Told]) -> Result<(), Failure> {
    let values = told.iter().map(serde_json::to_value).collect::<Result<Vec<_>, _>>();
    let values = values.map_err(|error| Failure::Failed(error.to_string()))?;
    context.console.list(told, &values, "No receipts are kept yet.")
}

/// What a look at the server gave.
enum Looked {
    /// Nothing was known of it.
    New,
    /// It fits what was seen before; this is the newest.
    Fits { ledger: Remembered, now: Seen, witnessed: u64 },
    /// It does not: the warning, what was known before, and what is shown now where a believed key signed it.
    Against { warning: String, ledger: Remembered, now: Option<Seen> },
}

/// Compares what the server shows now with the newest checkpoint that is kept, and keeps what is newer.
async fn look(
    memory: &Memory,
    client: &Client,
    open: &mut Option<Open>,
    note: Option<String>,
) -> Result<Looked, Failure> {
    let server = client.server().to_string();
    let keys: wire::LedgerKeys = client.get_on(open, "/ledger/keys", ANSWER_SECONDS_MAX).await?.read()?;
    let state: wire::Ledger = client.get_on(open, "/ledger", ANSWER_SECONDS_MAX).await?.read()?;
    let text = note.unwrap_or(state.checkpoint);
    let note: Note = text.parse().map_err(|error: brevet_ledger::Error| Failure::Unexpected {
        server: server.clone(),
        why: error.to_string(),
    })?;
    let lock = memory.lock().await?;
    let before = match memory.of_server(&server)? {
        None => memory.of_origin(&keys.origin)?,
        before => before,
    };
    let offered = judge::Offered { origin: &keys.origin, keys: &keys.keys, handovers: &keys.handovers };
    let known = before.as_ref().map(|before| &before.known);
    let opened = judge::believed(known, offered, &note)
        .and_then(|(known, is_new_key)| Ok((judge::open(&known, &note)?, known, is_new_key)));
    let (now, known, is_new_key) = match (opened, before.as_ref()) {
        (Ok(opened), _) => opened,
        (Err(wrong), Some(_)) => {
            let Some(ledger) = before else { return Ok(Looked::New) };
            let warning = keep::against(&server, &ledger, &wrong, &text);
            return Ok(Looked::Against { warning, ledger, now: None });
        }
        (Err(_), None) => return Ok(Looked::New),
    };
    let kept = known.seen.clone();
    if let (Some(kept), Some(ledger)) = (&kept, &before) {
        let proof = growth(client, open, &kept.checkpoint, &now.checkpoint).await?;
        if let Err(wrong) = judge::compare(&kept.checkpoint, &now.checkpoint, proof.as_deref()) {
            let warning = keep::against(&server, ledger, &wrong, &text);
            let ledger = Remembered { folder: ledger.folder.clone(), known: ledger.known.clone() };
            return Ok(Looked::Against { warning, ledger, now: Some(now) });
        }
    }
    let is_newer = kept.as_ref().is_none_or(|kept| now.checkpoint.size() > kept.checkpoint.size());
    let newest = if is_newer { Some(now.clone()) } else { kept };
    let known = Known { seen: newest, ..known };
    let folder = match before {
        Some(before) if !is_newer && !is_new_key => before.folder,
        _ => memory.remember(&lock, &server, &known)?,
    };
    Ok(Looked::Fits { ledger: Remembered { folder, known }, now, witnessed: state.witnessed })
}

/// The proof between two sizes, from the smaller to the larger; `None` where the server says that it never had one.
async fn growth(
    client: &Client,
    open: &mut Option<Open>,
    one: &Checkpoint,
    other: &Checkpoint,
) -> Result<Option<Vec<brevet_ledger::Hash>>, Failure> {
    let (old, new) = (one.size().min(other.size()), one.size().max(other.size()));
    if old == new {
        return Ok(Some(Vec::new()));
    }
    let path = format!("/ledger/consistency?old={old}&new={new}");
    let answer = match client.get_on(open, &path, ANSWER_SECONDS_MAX).await {
        Err(Failure::Refused(problem)) if problem.reason.as_deref() == Some(reason::NEVER_SO_LONG) => {
            return Ok(None);
        }
        answer => answer?,
    };
    let proof: wire::Consistency = answer.read()?;
    let unexpected = |error: brevet_ledger::Error| Failure::Unexpected {
        server: client.server().to_string(),
        why: error.to_string(),
    };
    judge::parse_hashes(&proof.hashes).map(Some).map_err(unexpected)
}

async fn check(context: &mut Context) -> Result<Done, Failure> {
    let memory = memory(context).ok_or_else(off)?;
    let client = context.client()?;
    let mut open = None;
    let (ledger, now, witnessed) = match look(&memory, &client, &mut open, None).await? {
        Looked::Fits { ledger, now, witnessed } => (ledger, Some(now), Some(witnessed)),
        Looked::New => return Err(Failure::Failed(format!("nothing is known of {} yet", client.server()))),
        Looked::Against { warning, ledger, now } => {
            context.console.note(&safe_lines(&warning));
            (ledger, now, None)
        }
    };
    let mut told = Vec::new();
    let mut proofs = BTreeMap::new();
    for kept in receipts(&ledger.folder)? {
        let (mut one, checkpoint) = Told::of(&ledger.known, &kept);
        if let (Some(checkpoint), Some(now)) = (checkpoint, &now) {
            let size = checkpoint.size();
            let proof = match proofs.entry(size) {
                Entry::Occupied(known) => known.into_mut(),
                Entry::Vacant(place) => {
                    place.insert(growth(&client, &mut open, &checkpoint, &now.checkpoint).await?)
                }
            };
            if let Err(wrong) = judge::compare(&checkpoint, &now.checkpoint, proof.as_deref()) {
                (one.holds, one.problem) = (false, Some(what_of(&wrong)));
            }
        }
        if let Some(witnessed) = witnessed.filter(|_| one.holds) {
            renew(&memory, &client, &mut open, &ledger, &kept, witnessed).await;
        }
        told.push(one);
    }
    show(context, &told)?;
    match witnessed.is_some() && told.iter().all(|one| one.holds) {
        true => Ok(Done::Well),
        false => Ok(Done::Code(FAILED)),
    }
}

/// What a receipt that holds says against the server.
fn what_of(wrong: &Contradiction) -> String {
    match wrong {
        Contradiction::Shorter { .. } => "it holds, but the server shows a ledger that ends before it",
        _ => "it holds, but the server shows another history",
    }
    .to_owned()
}

/// Takes the receipt with the signatures of witnesses, once they have seen the entry. What does not come or fit is
/// left as it is: the one that is kept holds.
async fn renew(
    memory: &Memory,
    client: &Client,
    open: &mut Option<Open>,
    ledger: &Remembered,
    kept: &KeptReceipt,
    witnessed: u64,
) {
    let Some(proof) = kept.proof.as_ref().ok().filter(|proof| {
        proof.index() < witnessed && proof.checkpoint().signatures().len() <= ledger.known.keys.len()
    }) else {
        return;
    };
    let (index, size) = (proof.index(), ledger.known.seen.as_ref().map_or(0, |seen| seen.checkpoint.size()));
    let path = format!("/ledger/receipts/{index}?kept={size}");
    let Ok(answer) = client.get_on(open, &path, ANSWER_SECONDS_MAX).await else { return };
    let Ok(answer) = answer.read::<wire::Receipt>() else { return };
    let Ok(fits) = judge::receipt(Some(&ledger.known), index, &answer) else { return };
    if Some(fits.entry.as_slice()) == proof.unauthenticated_extra()
        && let Ok(lock) = memory.lock().await
    {
        drop(keep_receipt(&lock, Path::new(&ledger.folder), &fits.proof));
    }
}

impl Show for wire::Receipt {
    /// The file itself.
    fn show(&self, _: &View) -> String {
        self.proof.split('\n').map(safe).collect::<Vec<_>>().join("\n")
    }
}
