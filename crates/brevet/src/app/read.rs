//! Reading what is stored: lists, single things, entries. Off the async threads, and never in the way of the
//! sequencer.

use std::sync::{Arc, Mutex, PoisonError};

use brevet_store::{DataFolder, DatabasePlace, Reader, StoreError};
use tokio::sync::Semaphore;

use super::error::AppError;

/// Readers at work at once; a machine of two cores gains nothing from more.
const READERS_MAX: usize = 4;

/// A few connections, lent one at a time. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Readers {
    idle: Arc<Mutex<Vec<Reader>>>,
    places: Arc<Semaphore>,
    /// Where connections are made again that were lost.
    database: Arc<DatabasePlace>,
}

impl Readers {
    pub(super) fn open(database: &DatabasePlace, folder: &DataFolder) -> Result<Self, StoreError> {
        let idle = (0..READERS_MAX).map(|_| Reader::open_at(database, folder)).collect::<Result<_, _>>()?;
        let places = Arc::new(Semaphore::new(READERS_MAX));
        Ok(Self { idle: Arc::new(Mutex::new(idle)), places, database: Arc::new(database.clone()) })
    }

    /// Lends a reader to `read`, on a thread that may wait for a disk.
    pub(super) async fn with<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Reader) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, AppError> {
        let place = Arc::clone(&self.places).acquire_owned().await.map_err(|_| AppError::Stopping)?;
        let (idle, database) = (Arc::clone(&self.idle), Arc::clone(&self.database));
        let work = move || {
            let _place = place;
            let known = lock(&idle).pop();
            // Whoever has a place finds a connection, unless one was lost; all are when the database goes on elsewhere.
            let reader = match known.filter(|reader| !reader.has_ended()) {
                Some(reader) => reader,
                None => Reader::open_again(&database)?,
            };
            let answer = read(&reader);
            match &answer {
                // The others were most likely lost with it.
                Err(error) if error.is_lost() => lock(&idle).clear(),
                _ => lock(&idle).push(reader),
            }
            answer.map_err(AppError::from)
        };
        tokio::task::spawn_blocking(work).await.map_err(|_| AppError::Stopping)?
    }
}

fn lock(idle: &Mutex<Vec<Reader>>) -> std::sync::MutexGuard<'_, Vec<Reader>> {
    idle.lock().unwrap_or_else(PoisonError::into_inner)
}
