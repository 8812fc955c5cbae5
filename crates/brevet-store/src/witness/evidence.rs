//! What a ledger signed that it should not have: kept as it came, for others to check without trusting this witness.

use brevet_ledger::leaf_hash;
use rusqlite::{Connection, params};

use super::check::{Seen, Submission};
use super::error::WitnessError;
use crate::error::{StoreError, writing};
use crate::row::signed;

/// Pieces of evidence that are kept of one ledger and kind; the first ones stay, later ones are not added. Somebody
/// who has nothing but public checkpoints can cause [`EvidenceKind::Unproven`] ones, by sending wrong proofs.
pub const EVIDENCE_MAX: u64 = 1_000;

/// What a piece of evidence shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum EvidenceKind {
    /// Two checkpoints of one size with two roots, both signed: the ledger was forked or rewritten, or somebody else
    /// has its key. Nothing else explains it.
    TwoRoots,
    /// A checkpoint without entries that has the root of a tree with entries. Its signature alone shows it.
    ImpossibleRoot,
    /// A larger checkpoint that came without a proof that it continues the one cosigned before. The ledger was
    /// rewritten, or whoever sent it sent a wrong proof: only the ledger can tell, by giving a right one.
    Unproven,
}

impl EvidenceKind {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::TwoRoots, Self::ImpossibleRoot, Self::Unproven];

    /// The word for it, in the table, in the metrics and in the output.
    pub const fn name(self) -> &'static str {
        match self {
            Self::TwoRoots => "two-roots",
            Self::ImpossibleRoot => "impossible-root",
            Self::Unproven => "unproven",
        }
    }

    fn of_name(name: &str) -> Result<Self, WitnessError> {
        let known = Self::ALL.into_iter().find(|kind| kind.name() == name);
        known.ok_or_else(|| WitnessError::damaged(format!("evidence of a kind {name}")))
    }

    pub(super) fn sentence(self, size: u64) -> String {
        match self {
            Self::TwoRoots => {
                format!("another root was cosigned for the size {size}; both are kept as evidence")
            }
            Self::ImpossibleRoot => {
                "a checkpoint of size 0 has the root of the empty tree, and this has not".into()
            }
            Self::Unproven => format!("the checkpoint of size {size} was not proven"),
        }
    }
}

/// Signed checkpoints that do not go together, or were not shown to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evidence {
    /// Its number here, from 1.
    pub id: u64,
    /// Which ledger.
    pub origin: String,
    /// What it shows.
    pub kind: EvidenceKind,
    /// When it came, by this witness's clock: seconds since 1970 UTC.
    pub unix_seconds: u64,
    /// The checkpoint that was cosigned before, a signed note; none where there was none.
    pub cosigned: Option<String>,
    /// The one that was sent then, a signed note.
    pub sent: String,
}

/// Keeps it, unless it is kept already or there is enough of its kind.
pub(super) fn keep(
    connection: &Connection,
    kind: EvidenceKind,
    submission: &Submission,
    seen: Option<&Seen>,
    now: u64,
) -> Result<(), StoreError> {
    let cosigned = seen.map(|seen| seen.note.to_string());
    let sent = submission.note().to_string();
    // Texts alone: the same two checkpoints with other signatures show nothing new.
    let texts = [seen.map_or("", |seen| seen.note.text()), submission.note().text()].join("\n");
    let sql = "INSERT INTO evidence (origin, kind, time, size, root, texts, cosigned, sent)
               SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8
               WHERE (SELECT count(*) FROM evidence WHERE origin = ?1 AND kind = ?2) < ?9
               ON CONFLICT (origin, kind, texts) DO NOTHING";
    let mut statement = connection.prepare_cached(sql).map_err(writing)?;
    let (origin, root, texts) =
        (submission.origin().as_str(), submission.root(), leaf_hash(texts.as_bytes()));
    statement
        .execute(params![
            origin,
            kind.name(),
            signed(now),
            signed(submission.size()),
            root.as_bytes(),
            texts.as_bytes(),
            cosigned,
            sent,
            signed(EVIDENCE_MAX)
        ])
        .map(drop)
        .map_err(writing)
}

/// What was sent without a proof, and has one now, is evidence of nothing.
pub(super) fn forget_proven(connection: &Connection, submission: &Submission) -> Result<(), StoreError> {
    let sql = "DELETE FROM evidence WHERE origin = ?1 AND kind = ?2 AND size = ?3 AND root = ?4";
    let mut statement = connection.prepare_cached(sql).map_err(writing)?;
    let (origin, root) = (submission.origin().as_str(), submission.root());
    let unproven = EvidenceKind::Unproven.name();
    statement
        .execute(params![origin, unproven, signed(submission.size()), root.as_bytes()])
        .map(drop)
        .map_err(writing)
}

/// All of it, the oldest first; of one ledger, where one is named.
pub(super) fn all(connection: &Connection, origin: Option<&str>) -> Result<Vec<Evidence>, WitnessError> {
    let sql = "SELECT id, origin, kind, time, cosigned, sent FROM evidence
               WHERE ?1 IS NULL OR origin = ?1 ORDER BY id";
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query([origin])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let kind = EvidenceKind::of_name(&row.get::<_, String>(2)?)?;
        let (id, unix_seconds) = (row.get::<_, i64>(0)?.unsigned_abs(), row.get::<_, i64>(3)?.unsigned_abs());
        let (origin, cosigned, sent) = (row.get(1)?, row.get(4)?, row.get(5)?);
        found.push(Evidence { id, origin, kind, unix_seconds, cosigned, sent });
    }
    Ok(found)
}

/// How much there is, by ledger and kind.
pub(super) fn counts(connection: &Connection) -> Result<Vec<(String, EvidenceKind, u64)>, WitnessError> {
    let sql = "SELECT origin, kind, count(*) FROM evidence GROUP BY origin, kind";
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query([])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let kind = EvidenceKind::of_name(&row.get::<_, String>(1)?)?;
        found.push((row.get(0)?, kind, row.get::<_, i64>(2)?.unsigned_abs()));
    }
    Ok(found)
}
