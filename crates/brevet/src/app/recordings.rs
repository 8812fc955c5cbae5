//! Recordings where several servers share a database: what this one records is kept there too, and what the others
//! recorded is taken from there, so that each of them can show all.
//!
//! The database is trusted with the bytes, never with their truth: what is taken over has the digest in the ledger.

use std::sync::Arc;
use std::time::Duration;

use brevet_core::{ExecutionId, Output};
use brevet_store::{DatabasePlace, PIECE_BYTES_MAX, Recordings, StoreError};
use brevet_workloads::recording::{BadRecording, Blobs, FRAME_BYTES_MAX, Piece};
use tokio::sync::{Mutex, Semaphore};
use tokio::time::timeout;

use super::read::Readers;
use super::{App, AppError};
use crate::world::World;

/// Between two pieces of a recording that grows slowly.
const SHARE_EVERY: Duration = Duration::from_millis(200);
/// Between two attempts to put a piece into a database that does not take it.
const SHARE_AGAIN_AFTER: Duration = Duration::from_secs(1);
/// Finished recordings on their way here at once: half of the readers, so that lists go on.
const TAKEN_OVER_AT_ONCE: usize = 2;

const _: () = assert!(FRAME_BYTES_MAX <= PIECE_BYTES_MAX, "what is read of a recording at once is one piece");

/// What it takes to share recordings.
pub(super) struct Shared {
    database: DatabasePlace,
    /// Made when it is needed, and anew after an error. Pieces of several runs take turns.
    connection: Arc<Mutex<Option<Recordings>>>,
    taken_over: Semaphore,
}

impl Shared {
    /// `None` where the database is this server's alone.
    pub(super) fn of(database: &DatabasePlace) -> Option<Self> {
        database.is_shared().then(|| Self {
            database: database.clone(),
            connection: Arc::default(),
            taken_over: Semaphore::new(TAKEN_OVER_AT_ONCE),
        })
    }

    async fn put(&self, execution: ExecutionId, piece: &Arc<Piece>) -> Result<(), AppError> {
        let mut connection = Arc::clone(&self.connection).lock_owned().await;
        let (database, piece) = (self.database.clone(), Arc::clone(piece));
        let put = move || {
            let recordings = match connection.take() {
                Some(recordings) => Some(recordings),
                None => Recordings::open(&database)?,
            };
            if let Some(recordings) = &recordings {
                recordings.put(execution, piece.place, &piece.bytes)?;
            }
            *connection = recordings;
            Ok(())
        };
        tokio::task::spawn_blocking(put).await.map_err(|_| AppError::Stopping)?
    }
}

impl<W: World> App<W> {
    /// Keeps what a run writes for the other servers too, as it comes. Ends when all of it is there, so that the end of
    /// the run can be put on record; at once where nobody shares the database.
    pub(super) async fn share_output(&self, execution: ExecutionId) {
        let Some(shared) = &self.inner.shared else { return };
        let Some(live) = self.inner.runs.output(execution) else { return };
        let mut pieces = live.pieces();
        loop {
            let piece = match pieces.next().await {
                Ok(Some(piece)) => Arc::new(piece),
                // Of a recording that broke off the ledger says nothing.
                Ok(None) | Err(BadRecording::Unfinished) => return,
                Err(error) => {
                    return tracing::error!(%execution, %error, "other servers cannot show what a run wrote");
                }
            };
            if !self.share(shared, execution, &piece).await {
                return;
            }
            if piece.bytes.len() < FRAME_BYTES_MAX {
                drop(timeout(SHARE_EVERY, pieces.until_finished()).await);
            }
        }
    }

    /// Puts one piece into the database, however long that takes; says whether it is there.
    async fn share(&self, shared: &Shared, execution: ExecutionId, piece: &Arc<Piece>) -> bool {
        loop {
            match shared.put(execution, piece).await {
                Ok(()) => return true,
                Err(error @ (AppError::Stopping | AppError::Read(StoreError::Piece(_)))) => {
                    tracing::error!(%execution, %error, "other servers cannot show what a run wrote");
                    return false;
                }
                Err(error) => {
                    tracing::warn!(%execution, %error, "other servers cannot see yet what a run wrote");
                }
            }
            if self.halted().is_some() {
                return false;
            }
            tokio::time::sleep(SHARE_AGAIN_AFTER).await;
        }
    }

    /// Sees to it that a finished recording is in this server's folder, if the database is shared and has it.
    ///
    /// # Errors
    /// [`AppError::Output`] when the database does not have it, or has another one than the ledger says.
    pub(super) async fn take_over(&self, execution: ExecutionId, output: Output) -> Result<(), AppError> {
        let Some(shared) = &self.inner.shared else { return Ok(()) };
        let blobs = self.inner.runs.workloads().blobs();
        if blobs.has(&output) {
            return Ok(());
        }
        let _place = shared.taken_over.acquire().await.map_err(|_| AppError::Stopping)?;
        // Somebody else may have got it meanwhile.
        match blobs.has(&output) {
            true => Ok(()),
            false => fetch(&self.inner.stored, blobs, execution, output).await,
        }
    }
}

/// Puts a finished recording together from its pieces. One piece is in memory at a time.
pub(super) async fn fetch(
    readers: &Readers,
    blobs: &Blobs,
    execution: ExecutionId,
    output: Output,
) -> Result<(), AppError> {
    let mut arriving = blobs.receive(&output)?;
    while !arriving.is_whole() {
        let next = readers.with(move |reader| {
            let place = arriving.bytes();
            let Some(piece) = reader.recorded(execution, place)?.piece else {
                return Ok(Err(BadRecording::Missing));
            };
            Ok(arriving.write(&piece).map(|()| arriving))
        });
        arriving = next.await??;
    }
    tokio::task::spawn_blocking(move || arriving.keep()).await.map_err(|_| AppError::Stopping)??;
    Ok(())
}
