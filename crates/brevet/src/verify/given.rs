//! What the person who verifies brings along: keys, a policy, and what they kept.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use brevet_core::{Span, Timestamp};
use brevet_ledger::{Claim, KeyType, Policy, VerifierKey};

use super::found::Found;
use crate::cli::VerifyArgs;
use crate::world::World;

/// The longest file of a key, a policy, a checkpoint or a receipt that is read, in bytes.
const FILE_BYTES_MAX: u64 = 4 << 20;

/// All of it, read.
#[derive(Debug)]
pub(super) struct Given {
    /// Keys of ledgers that are trusted.
    pub(super) keys: Vec<VerifierKey>,
    pub(super) policy: Option<Policy>,
    pub(super) claims: Vec<Claim>,
    pub(super) counts: Counts,
    pub(super) max_age: Option<Span>,
    pub(super) now: Timestamp,
}

/// How many things were kept elsewhere.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Counts {
    pub(super) checkpoints: usize,
    pub(super) receipts: usize,
    pub(super) anchors: usize,
}

impl Given {
    pub(super) fn read(args: &VerifyArgs, world: &impl World) -> Result<Self, Found> {
        let mut given = Self {
            keys: Vec::new(),
            policy: None,
            claims: Vec::new(),
            counts: Counts::default(),
            max_age: max_age(args.max_age.as_deref())?,
            now: world.now(),
        };
        for key in &args.key {
            given.keys.extend(keys(key)?);
        }
        if let Some(path) = &args.policy {
            let policy = Policy::parse(&read(path)?).map_err(|error| unusable(path, error))?;
            given.keys.extend(policy.logs().iter().map(|log| log.key.clone()));
            given.policy = Some(policy);
        }
        for path in &args.checkpoint {
            let source = format!("the checkpoint in {}", path.display());
            given.claims.push(Claim::kept(&source, &read(path)?).map_err(|error| unusable(path, error))?);
            given.counts.checkpoints += 1;
        }
        for path in &args.anchor {
            let source = format!("the anchor {}", path.display());
            given.claims.push(Claim::kept(&source, &read(path)?).map_err(|error| unusable(path, error))?);
            given.counts.anchors += 1;
        }
        for path in args.receipts.iter().map(|path| receipts(path)).collect::<Result<Vec<_>, _>>()?.concat() {
            let source = format!("the receipt {}", path.display());
            given
                .claims
                .push(Claim::receipt(&source, &read(&path)?).map_err(|error| unusable(&path, error))?);
            given.counts.receipts += 1;
        }
        Ok(given)
    }

    /// The keys that sign checkpoints of this ledger.
    pub(super) fn keys_of(&self, origin: &str) -> Vec<VerifierKey> {
        let is_its = |key: &&VerifierKey| key.name().as_str() == origin && key.key_type() == KeyType::Ed25519;
        self.keys.iter().filter(is_its).cloned().collect()
    }

    /// Whether anything was given that the owner of the ledger could not have replaced.
    pub(super) fn is_from_elsewhere(&self) -> bool {
        let Counts { checkpoints, receipts, anchors } = self.counts;
        !self.keys.is_empty() || self.policy.is_some() || checkpoints + receipts + anchors > 0
    }

    /// Takes the anchor that lies in a data folder, unless it is of another ledger or no checkpoint: it is no proof
    /// against the folder's owner, but a database that was restored without it shows.
    pub(super) fn take_anchor(&mut self, text: Option<&str>, origin: &str) {
        if let Some(Ok(claim)) = text.map(|text| Claim::kept("the anchor in the folder", text))
            && claim.checkpoint().origin().as_str() == origin
        {
            self.claims.push(claim);
        }
    }
}

fn max_age(text: Option<&str>) -> Result<Option<Span>, Found> {
    let parse = |text: &str| {
        Span::parse(text).map_err(|error| Found::cannot(format!("--max-age {text} cannot be used: {error}")))
    };
    text.map(parse).transpose()
}

/// A verifier key, or a file with one on each line.
fn keys(text: &str) -> Result<Vec<VerifierKey>, Found> {
    if let Ok(key) = text.trim().parse() {
        return Ok(vec![key]);
    }
    let path = Path::new(text);
    if !path.is_file() {
        return Err(Found::cannot(format!("'{text}' is neither a verifier key nor a file with one")));
    }
    let file = read(path)?;
    let lines = file.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.map(|line| line.parse().map_err(|error| unusable(path, error))).collect()
}

/// A receipt, or all in a folder.
fn receipts(path: &Path) -> Result<Vec<PathBuf>, Found> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let unreadable =
        |error: std::io::Error| Found::cannot(format!("{} cannot be read: {error}", path.display()));
    let mut found = Vec::new();
    for entry in std::fs::read_dir(path).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        if path.is_dir() {
            found.extend(receipts(&path)?);
        } else if path.extension().is_some_and(|extension| extension == "tlog-proof") {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

pub(super) fn read(path: &Path) -> Result<String, Found> {
    let bytes = read_bytes(path, FILE_BYTES_MAX)?;
    String::from_utf8(bytes)
        .map_err(|error| Found::cannot(format!("{} cannot be read: {error}", path.display())))
}

/// Reads a file of at most so many bytes, and never more, whatever it grows to meanwhile.
pub(super) fn read_bytes(path: &Path, bytes_max: u64) -> Result<Vec<u8>, Found> {
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(bytes_max + 1).read_to_end(&mut bytes))
        .map_err(|error| Found::cannot(format!("{} cannot be read: {error}", path.display())))?;
    if bytes.len() as u64 > bytes_max {
        let sentence =
            format!("{} has more than {bytes_max} bytes, too many for what it should be", path.display());
        return Err(Found::cannot(sentence));
    }
    Ok(bytes)
}

fn unusable(path: &Path, error: impl std::fmt::Display) -> Found {
    Found::cannot(format!("{} cannot be used: {error}", path.display()))
}
