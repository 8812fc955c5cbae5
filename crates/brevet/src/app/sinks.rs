//! How far each sink has come, for those who carry entries there and for those who ask.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use brevet_core::{Origin, Timestamp};
use brevet_store::SideWrite;

use super::{App, AppError};
use crate::world::World;

/// How a sink stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SinkStatus {
    /// Its name in the settings.
    pub name: String,
    /// `syslog` or `file`.
    pub kind: &'static str,
    /// Where it leads.
    pub to: String,
    /// Entries before this index are there for all that can be known, and are not sent again.
    pub position: u64,
    /// Entries before this index were sent at least once.
    pub sent: u64,
    /// When an entry was last sent.
    pub sent_at: Option<Timestamp>,
    /// Why nothing is sent; `None` while all is well.
    pub problem: Option<String>,
    /// Since when it stands so.
    pub since: Timestamp,
}

/// What is known of every sink. Memory only: what has to last is the position, which the store keeps.
#[derive(Debug, Default)]
pub(super) struct SinkBoard(Mutex<BTreeMap<String, SinkStatus>>);

impl SinkBoard {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, SinkStatus>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<W: World> App<W> {
    /// How each sink stands, by name; nothing where none is set.
    pub fn sinks(&self) -> Vec<SinkStatus> {
        self.inner.sinks.lock().values().cloned().collect()
    }

    /// Tells how a sink stands.
    pub(crate) fn report_sink(&self, status: SinkStatus) {
        self.inner.sinks.lock().insert(status.name.clone(), status);
    }

    /// The index of the first entry that a sink may not have; 0 for a new one, which gets everything.
    pub(crate) async fn sink_position(&self, name: &str) -> Result<u64, AppError> {
        let name = name.to_owned();
        let position = self.stored(move |reader| reader.sink_position(&name)).await?;
        Ok(position.unwrap_or(0))
    }

    /// Keeps how far a sink has come.
    pub(crate) async fn move_sink(&self, name: &str, position: u64) -> Result<(), AppError> {
        let write = SideWrite::SinkPosition { name: name.to_owned(), position };
        self.command_with(Origin::SYSTEM, None, None, move |_| vec![write]).await.map(drop)
    }
}
