//! The only SQL: entries, the texts beside them and the rows that lists need, in one transaction.
//!
//! The ledger is the truth; every other table can be made again from it, and [`verify_folder`] proves that
//! they say the same. Nothing here decides: a batch comes in decided and goes to the disk whole or not at all.
#![forbid(unsafe_code)]

mod append;
mod codec;
mod error;
mod folder;
mod load;
mod page;
mod proof;
mod reader;
mod row;
mod schema;
mod search;
mod side;
mod sqlite;
mod verify;

pub use append::{Appended, Batch, Store};
pub use codec::{BadEntry, StoredEntry, decode_entry};
pub use error::{Aftermath, StoreError};
pub use folder::DataFolder;
pub use page::{AuthorizationFilter, ExecutionFilter, Page, RequestFilter, RequestRow};
pub use proof::Receipt;
pub use reader::Reader;
pub use search::EntryFilter;
pub use side::{Credential, Idempotent, SessionRow, SideWrite};
pub use verify::{Discrepancy, FolderReport, Progress, verify_folder};
