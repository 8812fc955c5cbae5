//! What goes to a sink next: entries behind its position, written in its format.

use brevet_core::{Event, Timestamp};
use tokio::sync::watch;

use crate::app::{App, AppError};
use crate::export::{Format, Gatherer, Names, severity};
use crate::http::audit_entry;
use brevet_store::ExportFilter;

/// An entry on its way.
pub(super) struct Message {
    pub(super) index: u64,
    pub(super) time: Timestamp,
    pub(super) kind: &'static str,
    /// Severity of syslog.
    pub(super) severity: u8,
    /// Who caused it, for example `usr-7`.
    pub(super) actor: String,
    pub(super) request: Option<String>,
    pub(super) leaf_hash: String,
    /// The entry in the sink's format, with a line feed at its end.
    pub(super) line: Vec<u8>,
}

/// Some entries in a row.
pub(super) struct Messages {
    pub(super) messages: Vec<Message>,
    /// The index behind the last of them.
    pub(super) next: u64,
}

/// Reads the ledger forwards.
pub(super) struct Feed {
    app: App,
    format: Format,
    texts: bool,
    gatherer: Gatherer,
    changed: watch::Receiver<u64>,
    next: u64,
}

impl Feed {
    pub(super) fn new(app: App, format: Format, texts: bool) -> Self {
        let changed = app.changed();
        Self { app, format, texts, gatherer: Gatherer::default(), changed, next: 0 }
    }

    /// The name of the ledger.
    pub(super) fn origin(&self) -> &str {
        self.app.ledger_origin()
    }

    /// Goes on at this index. What is in an archive file by then cannot be sent any more: the receiver sees a gap, and
    /// the log says where it is.
    pub(super) fn go_to(&mut self, position: u64) {
        let kept = self.app.read(|state| state.archive().size);
        if position < kept {
            tracing::warn!(
                first = position,
                end = kept,
                "a sink did not get entries that are in an archive now"
            );
        }
        self.next = position.max(kept);
    }

    /// Waits until there is something to send.
    pub(super) async fn ready(&mut self) {
        let next = self.next;
        // The sender lives as long as the application, of which this has a share.
        drop(self.changed.wait_for(|size| *size > next).await);
    }

    /// Whether there is something to send.
    pub(super) fn is_ready(&self) -> bool {
        self.app.published().size > self.next
    }

    /// The next entries; none where there is nothing new.
    pub(super) async fn take(&mut self) -> Result<Messages, AppError> {
        let end = self.app.published().size;
        if end <= self.next {
            return Ok(Messages { messages: Vec::new(), next: self.next });
        }
        let (app, format, texts, range) = (self.app.clone(), self.format, self.texts, self.next..end);
        let mut gatherer = std::mem::take(&mut self.gatherer);
        let read = self.app.stored(move |reader| {
            let stretch = reader.export(&ExportFilter::default(), &range)?;
            let mut messages = Vec::with_capacity(stretch.entries.len());
            for exported in stretch.entries {
                let stored = &exported.stored;
                let (index, time, event) = (stored.index, stored.entry.time, &stored.entry.event);
                let (kind, severity) = (event.kind().name, severity(event));
                let actor = stored.entry.actor.to_string();
                let request = stored.about.request.map(|id| id.to_string());
                let leaf_hash = stored.leaf_hash();
                let record = gatherer.gather(reader, exported, texts)?;
                let mut line = Vec::new();
                app.read(|state| {
                    let names = Names { state, origin: app.ledger_origin(), texts };
                    let entry = audit_entry(state, app.now(), &record.exported.stored);
                    format.write(&mut line, entry, &record, &names);
                });
                messages.push(Message { index, time, kind, severity, actor, request, leaf_hash, line });
            }
            Ok((gatherer, Messages { messages, next: stretch.next }))
        });
        let (gatherer, messages) = read.await?;
        self.gatherer = gatherer;
        self.next = messages.next;
        Ok(messages)
    }
}

/// A kind is written into the header of a message, which takes 32 visible ASCII characters (RFC 5424, section 6.2.7).
const KIND_BYTES_MAX: usize = 32;
const _: () = {
    let mut place = 0;
    while place < Event::KINDS.len() {
        assert!(Event::KINDS[place].name.len() <= KIND_BYTES_MAX);
        place += 1;
    }
};
