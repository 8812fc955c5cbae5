//! What runs wrote, in pieces, for the servers that did not run them. Where the database is a file nobody needs it, and
//! nothing is written.
//!
//! The pieces of a run are the bytes of its recording in their order, without a gap. They prove nothing: the ledger has
//! the digest of the whole, and whoever shows a recording holds it against that. They are kept as long as the database.

use brevet_core::ExecutionId;

use crate::engine::{Connection, OptionalExtension as _, params};
use crate::error::{StoreError, writing};
use crate::place::DatabasePlace;
use crate::reader::{Reader, as_limit};
use crate::row::signed;

/// The longest piece, in bytes.
pub const PIECE_BYTES_MAX: usize = 256 * 1024;

/// Where the server that runs a task puts what it writes. It has a connection of its own, so that a long output is not
/// in the way of a decision.
#[derive(Debug)]
pub struct Recordings {
    connection: Connection,
}

/// How far a recording has come, at one instant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// The piece that begins at the place asked for, when there is one; it has a byte at least.
    pub piece: Option<Vec<u8>>,
    /// Whether its run is over, so that no piece will follow.
    pub is_over: bool,
}

impl Recordings {
    /// Connects; `None` where the database is a file, which no other server reads.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub fn open(database: &DatabasePlace) -> Result<Option<Self>, StoreError> {
        Ok(database.open_beside()?.map(|connection| Self { connection }))
    }

    /// Keeps a piece that begins at this byte of the recording; when it answers the piece is durable. The same piece may
    /// come again: whoever had no answer asks again.
    ///
    /// # Errors
    /// [`StoreError::Piece`] for a piece that is too long, or another one than was put there before: it is not tried
    /// again. Any other error says that the connection is of no use any more.
    pub fn put(&self, execution: ExecutionId, place: u64, bytes: &[u8]) -> Result<(), StoreError> {
        if bytes.len() > PIECE_BYTES_MAX {
            return Err(StoreError::Piece(format!(
                "a piece of {execution} has more than {PIECE_BYTES_MAX} bytes"
            )));
        }
        let values = params![signed(execution.number()), signed(place), bytes];
        let sql =
            "INSERT INTO recording (execution, place, bytes) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING";
        if self.connection.execute(sql, values).map_err(writing)? == 1 {
            return Ok(());
        }
        let sql = "SELECT count(*) FROM recording WHERE execution = ?1 AND place = ?2 AND bytes = ?3";
        match self.connection.query_row(sql, values, |row| row.get::<_, i64>(0))? {
            0 => Err(StoreError::Piece(format!("the database has other bytes of {execution} at {place}"))),
            _ => Ok(()),
        }
    }
}

impl Reader {
    /// The piece of a recording that begins at this byte, and whether there can be more. No more than
    /// [`PIECE_BYTES_MAX`] bytes are read, whatever is there.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn recorded(&self, execution: ExecutionId, place: u64) -> Result<Recorded, StoreError> {
        // One statement sees one instant: a run that is over has all its pieces.
        let sql = "SELECT execution.state, substr(recording.bytes, 1, ?3) FROM execution
                   LEFT JOIN recording ON recording.execution = execution.id AND recording.place = ?2
                   WHERE execution.id = ?1";
        let values = params![signed(execution.number()), signed(place), as_limit(PIECE_BYTES_MAX)];
        let mut statement = self.connection.prepare_cached(sql)?;
        let found =
            statement.query_row(values, |row| Ok((row.get::<_, i64>(0)? != 0, row.get(1)?))).optional()?;
        let (is_over, piece) = found.unwrap_or((true, None));
        let piece = piece.filter(|piece: &Vec<u8>| !piece.is_empty());
        Ok(Recorded { piece, is_over })
    }
}
