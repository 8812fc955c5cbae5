//! Reading beside the writer: what is watched, what was seen, what is evidence.

use std::collections::BTreeMap;
use std::path::Path;

use brevet_ledger::{AddCheckpoint, Hash, Origin, VerifierKey};
use rusqlite::{Connection, OptionalExtension as _};

use super::check::{Refusal, Seen, Submission};
use super::error::WitnessError;
use super::evidence::{self, Evidence, EvidenceKind};
use super::ledgers::{self, Watched};
use super::{KEY_FILE, parse_key, tables};
use crate::folder::DataFolder;
use crate::sqlite;

/// A reader of a witness's folder.
#[derive(Debug)]
pub struct WitnessReader {
    connection: Connection,
}

/// Where one ledger stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// Which ledger.
    pub origin: String,
    /// How many of its keys are trusted; none where it is not watched any more.
    pub keys: u64,
    /// The size that was cosigned last, and when, in seconds since 1970 UTC; none where there was none yet.
    pub cosigned: Option<(u64, u64)>,
    /// How much evidence there is, by kind.
    pub evidence: Vec<(EvidenceKind, u64)>,
}

impl WitnessReader {
    /// Opens one more reader of a folder.
    ///
    /// # Errors
    /// [`WitnessError`].
    pub fn open(folder: &DataFolder) -> Result<Self, WitnessError> {
        let connection = sqlite::open_reader(&tables::database(folder))?;
        tables::check(&connection)?;
        Ok(Self { connection })
    }

    /// Opens a folder beside the witness that may be running on it.
    ///
    /// # Errors
    /// [`WitnessError::Missing`] where there is no witness; others.
    pub fn visit(path: &Path) -> Result<Self, WitnessError> {
        Self::open(&visit(path)?)
    }

    /// Takes a request apart, if a trusted key signed its checkpoint; what was seen before is not looked at here.
    ///
    /// # Errors
    /// [`WitnessError`] where it cannot be found out.
    pub fn examine(&self, request: &AddCheckpoint) -> Result<Result<Submission, Refusal>, WitnessError> {
        Submission::examine(request, |origin| keys(&self.connection, origin))
    }

    /// The largest checkpoint that was cosigned of the ledger whose origin is meant, with the signatures of the ledger
    /// and the witness; a signed note.
    ///
    /// # Errors
    /// [`WitnessError`].
    pub fn latest(&self, is_meant: impl Fn(&str) -> bool) -> Result<Option<String>, WitnessError> {
        let mut statement = self.connection.prepare_cached("SELECT origin FROM seen")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let origin = row.get_ref(0)?.as_str().map_err(WitnessError::damaged)?;
            if is_meant(origin) {
                return Ok(seen(&self.connection, origin)?.map(|seen| seen.note.to_string()));
            }
        }
        Ok(None)
    }

    /// Where every ledger stands, by origin.
    ///
    /// # Errors
    /// [`WitnessError`].
    pub fn standings(&self) -> Result<Vec<Standing>, WitnessError> {
        let mut found = BTreeMap::new();
        for Watched { origin, .. } in self.watched()? {
            of(&mut found, origin).keys += 1;
        }
        let mut statement = self.connection.prepare_cached("SELECT origin, size, time FROM seen")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let (size, time): (i64, i64) = (row.get(1)?, row.get(2)?);
            of(&mut found, row.get(0)?).cosigned = Some((size.unsigned_abs(), time.unsigned_abs()));
        }
        for (origin, kind, count) in evidence::counts(&self.connection)? {
            of(&mut found, origin).evidence.push((kind, count));
        }
        Ok(found.into_values().collect())
    }

    /// Every key that is trusted, by ledger.
    ///
    /// # Errors
    /// [`WitnessError`].
    pub fn watched(&self) -> Result<Vec<Watched>, WitnessError> {
        ledgers::all(&self.connection)
    }

    /// Evidence, the oldest first; of one ledger, where one is named.
    ///
    /// # Errors
    /// [`WitnessError`].
    pub fn evidence(&self, origin: Option<&str>) -> Result<Vec<Evidence>, WitnessError> {
        evidence::all(&self.connection, origin)
    }
}

fn of(found: &mut BTreeMap<String, Standing>, origin: String) -> &mut Standing {
    found.entry(origin.clone()).or_insert(Standing { origin, keys: 0, cosigned: None, evidence: Vec::new() })
}

/// The folder of a witness that exists, without holding it.
pub(super) fn visit(path: &Path) -> Result<DataFolder, WitnessError> {
    let missing = || WitnessError::Missing { path: path.to_owned() };
    if !path.exists() {
        return Err(missing());
    }
    let folder = DataFolder::visit(path)?;
    match tables::database(&folder).exists() && path.join(KEY_FILE).exists() {
        true => Ok(folder),
        false => Err(missing()),
    }
}

/// The public key of the witness in a folder that another process may hold.
///
/// # Errors
/// [`WitnessError::Missing`] where there is no witness; others.
pub fn witness_key(path: &Path) -> Result<VerifierKey, WitnessError> {
    let folder = visit(path)?;
    let text = folder.read(KEY_FILE)?.ok_or_else(|| WitnessError::Missing { path: path.to_owned() })?;
    Ok(parse_key(&text)?.verifier().clone())
}

/// The keys that are trusted for a ledger; none where it is not watched.
pub(super) fn keys(connection: &Connection, origin: &Origin) -> Result<Vec<VerifierKey>, WitnessError> {
    let mut statement = connection.prepare_cached("SELECT key FROM watched WHERE origin = ?1")?;
    let mut rows = statement.query([origin.as_str()])?;
    let mut keys = Vec::new();
    while let Some(row) = rows.next()? {
        let key = row.get_ref(0)?.as_str().map_err(WitnessError::damaged)?;
        keys.push(key.parse().map_err(WitnessError::damaged)?);
    }
    Ok(keys)
}

/// The largest checkpoint that was cosigned of a ledger.
pub(super) fn seen(connection: &Connection, origin: &str) -> Result<Option<Seen>, WitnessError> {
    let mut statement =
        connection.prepare_cached("SELECT size, root, time, note FROM seen WHERE origin = ?1")?;
    let found: Option<(i64, [u8; Hash::BYTES], i64, String)> = statement
        .query_row([origin], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))
        .optional()?;
    found
        .map(|(size, root, time, note)| {
            let note = note.parse().map_err(WitnessError::damaged)?;
            let (size, unix_seconds) = (size.unsigned_abs(), time.unsigned_abs());
            Ok(Seen { size, root: Hash::from_bytes(root), unix_seconds, note })
        })
        .transpose()
}
