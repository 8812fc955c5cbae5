//! Servers: where several of them share one ledger, each is known from its start to its end.

use minicbor::{Decode, Encode};

use crate::id::ServerId;
use crate::time::Timestamp;

/// One of several servers that is there.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Server {
    /// Its id: another one after each start.
    #[n(0)]
    pub id: ServerId,
    /// When it started.
    #[n(1)]
    pub started: Timestamp,
}
