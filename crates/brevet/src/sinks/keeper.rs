//! Keeps how a sink stands: its position in the store, its troubles in the log and before those who ask.

use std::time::Duration;

use crate::app::{App, SinkStatus};

/// The first pause after a trouble.
const PAUSE_MIN: Duration = Duration::from_millis(250);
/// The longest pause: a receiver that is back gets its entries within this time.
const PAUSE_MAX: Duration = Duration::from_secs(15);

/// The books of one sink.
pub(super) struct Keeper {
    app: App,
    status: SinkStatus,
    pause: Duration,
}

impl Keeper {
    pub(super) fn new(app: App, name: String, kind: &'static str, to: String) -> Self {
        let since = app.now();
        let problem = Some("it was not reached yet".to_owned());
        let status = SinkStatus { name, kind, to, position: 0, sent: 0, sent_at: None, problem, since };
        app.report_sink(status.clone());
        Self { app, status, pause: PAUSE_MIN }
    }

    pub(super) fn position(&self) -> u64 {
        self.status.position
    }

    /// Waits until no other server sends these entries, and reads from the store where to go on, until it can be read.
    pub(super) async fn begin(&mut self) {
        if !self.app.published().leads() {
            self.status.problem = Some("another server sends these entries".to_owned());
            self.tell();
        }
        self.app.until_it_leads().await;
        loop {
            match self.app.sink_position(&self.status.name).await {
                Ok(position) => {
                    // A position beyond the ledger is of another one, or of a later state of this one.
                    self.status.position = position.min(self.app.published().size);
                    self.status.sent = self.status.position;
                    return;
                }
                Err(error) => self.trouble(&error.to_string()).await,
            }
        }
    }

    /// The sink takes entries.
    pub(super) fn well(&mut self) {
        if self.status.problem.take().is_some() {
            tracing::info!(sink = %self.status.name, to = %self.status.to, from = self.status.position, "a sink is reached");
            self.status.since = self.app.now();
        }
        self.tell();
    }

    /// Entries before this index are on their way.
    pub(super) fn sent(&mut self, next: u64) {
        self.status.sent = next;
        self.status.sent_at = Some(self.app.now());
        self.tell();
    }

    /// Entries before this index are there. What cannot be kept now is kept with the next ones; until then, a restart
    /// sends them again.
    pub(super) async fn delivered(&mut self, position: u64) {
        match self.app.move_sink(&self.status.name, position).await {
            Ok(()) => {
                self.status.position = position;
                self.pause = PAUSE_MIN;
            }
            Err(error) => tracing::debug!(sink = %self.status.name, %error, "a position could not be kept"),
        }
        self.tell();
    }

    /// Says what is wrong, once for each cause, and pauses: longer and longer until something is delivered.
    pub(super) async fn trouble(&mut self, why: &str) {
        if self.status.problem.as_deref() != Some(why) {
            tracing::warn!(sink = %self.status.name, to = %self.status.to, %why, "a sink does not get entries");
        }
        if self.status.problem.is_none() {
            self.status.since = self.app.now();
        }
        self.status.problem = Some(why.to_owned());
        self.tell();
        tokio::time::sleep(self.pause).await;
        self.pause = (self.pause * 2).min(PAUSE_MAX);
    }

    fn tell(&self) {
        self.app.report_sink(self.status.clone());
    }
}
