//! The only SQL: entries, the texts beside them and the rows that lists need, in one transaction.
//!
//! The ledger is the truth; every other table can be made again from it, and [`verify_folder`] proves that
//! they say the same. Nothing here decides: a batch comes in decided and goes to the disk whole or not at all.
#![forbid(unsafe_code)]

mod anchor;
mod append;
mod asof;
mod bell;
mod bundle;
mod codec;
mod engine;
mod error;
mod export;
mod folder;
mod keys;
mod load;
mod moving;
mod page;
mod place;
mod proof;
mod reader;
mod recordings;
mod recover;
mod retire;
mod row;
mod schema;
mod search;
mod side;
mod sqlite;
mod term;
mod tiles;
mod turn;
mod verify;
mod whole;
mod witness;

pub use anchor::{ANCHOR_FILE, Anchor, AnchorFault};
pub use append::{Appended, Batch, Store};
pub use asof::ReadUpTo;
pub use bell::Bell;
pub use bundle::StoredCheckpoint;
pub use codec::{BadEntry, StoredEntry, decode_entry, is_deterministic};
pub use engine::postgres::Standby;
pub use error::{Aftermath, StoreError};
pub use export::{ExportFilter, Exported, ExportedText, Stretch};
pub use folder::DataFolder;
pub use keys::{KeyFault, KeyMaker, KeyPlace, NextKey, PreparedKey, TokenSettings};
pub use moving::{MoveFault, MoveProgress, MoveStep, MovedLedger, move_ledger};
pub use page::{AuthorizationFilter, ExecutionFilter, Page, RequestFilter, RequestRow};
pub use place::DatabasePlace;
pub use proof::{Consistency, Proven, Receipt, hash_text};
pub use reader::Reader;
pub use recordings::{PIECE_BYTES_MAX, Recorded, Recordings};
pub use retire::ArchiveFile;
pub use search::{EntryFilter, Object};
pub use side::{Credential, Idempotent, SessionRow, SideWrite};
pub use term::{About, BadWords, Gathered, Outcome, Words};
pub use tiles::{FileBytes, LedgerFile};
pub use turn::{Sign, TAIL_ENTRIES_MAX, Tail};
pub use verify::{
    Account, ArchiveStated, Chronicle, ClockStep, Columns, Discrepancy, FolderReport, Gap, Handover, Head,
    Item, Layered, PartReader, Progress, Questions, Recovered, Rows, Snapshot, Source, Tree, VerifiedFolder,
    study_source, verify_folder,
};
pub use whole::WholeCopy;
pub use witness::{
    EVIDENCE_MAX, Evidence, EvidenceKind, Refusal, Standing, Submission, Verdict, Watched, WitnessError,
    WitnessLedgers, WitnessReader, WitnessStore, witness_key,
};

// Some tests in here share what those from outside have.
#[cfg(test)]
extern crate self as brevet_store;
