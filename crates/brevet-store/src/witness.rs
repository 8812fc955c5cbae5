//! What a witness knows of other people's ledgers: for each the largest checkpoint that it cosigned, and never a
//! smaller one again (C2SP tlog-witness).
//!
//! A database of its own, in a folder of its own: nothing here touches the store of a server. What is decided is
//! decided in one transaction with what is remembered ([`WitnessStore::settle`]), so that however many requests come
//! at once, and wherever the process dies, no two roots of one size are ever cosigned.

mod check;
mod error;
mod evidence;
mod ledgers;
mod read;
mod tables;

use brevet_ledger::{CosigningKey, KeyName, NoteSignature, VerifierKey};
use rusqlite::{Connection, TransactionBehavior, params};

use crate::error::{StoreError, writing};
use crate::folder::DataFolder;
use crate::row::signed;
use crate::sqlite;

pub use check::{Refusal, Submission};
pub use error::WitnessError;
pub use evidence::{EVIDENCE_MAX, Evidence, EvidenceKind};
pub use ledgers::{Watched, WitnessLedgers};
pub use read::{Standing, WitnessReader, witness_key};

use check::{Judgement, Seen, judge};

/// The witness's private key, in its folder.
const KEY_FILE: &str = "witness.key";
/// Its public key, for whoever wants to copy it.
const VERIFIER_FILE: &str = "witness.vkey";

/// What came of a submission.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It is on the disk as the largest of its ledger: here is the signature that says so.
    Cosigned(NoteSignature),
    /// The sender took another size for the last one cosigned; this is it.
    HasSize(u64),
    /// It is not cosigned.
    Refused(Refusal),
}

/// The one writer of a witness, in its folder, which it holds.
#[derive(Debug)]
pub struct WitnessStore {
    connection: Connection,
    folder: DataFolder,
    key: CosigningKey,
}

impl WitnessStore {
    /// Opens the witness in a folder that was claimed. One that does not exist yet is made, when it is given a name;
    /// `seed` is 32 random bytes for its key. A name that is given for one that exists must be its own.
    ///
    /// # Errors
    /// [`WitnessError`], also where key and memory are not of one piece: a witness that forgot what it cosigned is
    /// none.
    pub fn open(folder: DataFolder, name: Option<&KeyName>, seed: &[u8; 32]) -> Result<Self, WitnessError> {
        if folder.database().exists() {
            return Err(WitnessError::BesideLedger { path: folder.path().to_owned() });
        }
        let key = folder.read(KEY_FILE)?.map(|text| parse_key(&text)).transpose()?;
        let path = tables::database(&folder);
        if key.is_some() && !path.exists() {
            return Err(WitnessError::Forgotten { path });
        }
        let Some(key) = key.or_else(|| name.map(|name| CosigningKey::from_seed(name.clone(), seed))) else {
            return Err(WitnessError::Unnamed { path: folder.path().to_owned() });
        };
        if let Some(name) = name.filter(|name| *name != key.verifier().name()) {
            return Err(WitnessError::OtherName {
                is: key.verifier().name().to_string(),
                given: name.to_string(),
            });
        }
        drop(folder.open_private(tables::DATABASE)?);
        let mut connection = sqlite::open_writer(&path)?;
        tables::migrate(&mut connection)?;
        if folder.read(KEY_FILE)?.is_none() {
            tables::take_key(&connection, key.verifier())?;
            tables::check_key(&connection, key.verifier(), &path)?;
            keep_key(&folder, &key)?;
        }
        tables::check_key(&connection, key.verifier(), &path)?;
        Ok(Self { connection, folder, key })
    }

    /// The public key that its cosignatures are checked with.
    pub const fn verifier(&self) -> &VerifierKey {
        self.key.verifier()
    }

    /// The folder it is in.
    pub const fn folder(&self) -> &DataFolder {
        &self.folder
    }

    /// Decides on a submission and remembers it, in one transaction; what is cosigned is on the disk before this
    /// returns. `now` is the witness's clock, in seconds since 1970 UTC; a cosignature is never dated before the last
    /// one of its ledger.
    ///
    /// # Errors
    /// [`WitnessError`]; [`WitnessError::is_uncertain`] says whether anything may be decided before a restart.
    pub fn settle(&mut self, submission: &Submission, now: u64) -> Result<Verdict, WitnessError> {
        let transaction =
            self.connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(writing)?;
        let trusted = read::keys(&transaction, submission.origin())?;
        if !submission.is_signed_by_one_of(&trusted) {
            return Ok(Verdict::Refused(Refusal::NotSigned("its key is not trusted any more".into())));
        }
        let seen = read::seen(&transaction, submission.origin().as_str())?;
        let (verdict, evidence) = match judge(submission, seen.as_ref()) {
            Judgement::Extends => return cosign(transaction, &self.key, submission, seen.as_ref(), now),
            Judgement::OtherSize { mine, evidence } => (Verdict::HasSize(mine), evidence),
            Judgement::Refuted { why, evidence } => (Verdict::Refused(Refusal::Inconsistent(why)), evidence),
        };
        if let Some(kind) = evidence {
            evidence::keep(&transaction, kind, submission, seen.as_ref(), now)?;
        }
        transaction.commit().map_err(writing)?;
        Ok(verdict)
    }
}

/// Remembers the submission as the largest of its ledger, then says so.
fn cosign(
    transaction: rusqlite::Transaction<'_>,
    key: &CosigningKey,
    submission: &Submission,
    seen: Option<&Seen>,
    now: u64,
) -> Result<Verdict, WitnessError> {
    let time = seen.map_or(now, |seen| seen.unix_seconds.max(now));
    let signature = key.cosign(submission.note(), time);
    // The same checkpoint again within the same second is the same statement, and stored already.
    let is_stored =
        seen.is_some_and(|seen| seen.unix_seconds == time && seen.note.text() == submission.note().text());
    if !is_stored {
        let note =
            submission.note().clone().with_signature(signature.clone()).map_err(WitnessError::damaged)?;
        write_seen(&transaction, submission, time, &note.to_string())?;
        evidence::forget_proven(&transaction, submission)?;
    }
    transaction.commit().map_err(writing)?;
    Ok(Verdict::Cosigned(signature))
}

fn write_seen(
    connection: &Connection,
    submission: &Submission,
    time: u64,
    note: &str,
) -> Result<(), StoreError> {
    let sql = "INSERT INTO seen (origin, size, root, time, note) VALUES (?1, ?2, ?3, ?4, ?5)
               ON CONFLICT (origin) DO UPDATE
               SET size = excluded.size, root = excluded.root, time = excluded.time, note = excluded.note";
    let mut statement = connection.prepare_cached(sql).map_err(writing)?;
    let (origin, root) = (submission.origin().as_str(), submission.root());
    statement
        .execute(params![origin, signed(submission.size()), root.as_bytes(), signed(time), note])
        .map(drop)
        .map_err(writing)
}

fn parse_key(text: &str) -> Result<CosigningKey, WitnessError> {
    CosigningKey::parse(text).map_err(|error| WitnessError::damaged(format!("{KEY_FILE}: {error}")))
}

/// Writes a new key. The database knows it already: a key without its memory never exists, and a memory whose key was
/// not written is empty.
fn keep_key(folder: &DataFolder, key: &CosigningKey) -> Result<(), WitnessError> {
    key.reveal_text(|text| folder.write(KEY_FILE, &format!("{text}\n")))?;
    folder.write(VERIFIER_FILE, &format!("{}\n", key.verifier()))?;
    Ok(())
}
