//! Ctrl-C, heard from the first time somebody listens: one that comes while nobody does is not lost.

use tokio::signal::unix::{Signal, SignalKind, signal};

/// Hears Ctrl-C, once asked to. Until then it ends the process, as everywhere.
#[derive(Debug, Default)]
pub(super) struct Interrupts(Option<Signal>);

impl Interrupts {
    /// Waits for the next one.
    pub(super) async fn next(&mut self) {
        if self.0.is_none() {
            self.0 = signal(SignalKind::interrupt()).ok();
        }
        match &mut self.0 {
            Some(signal) => {
                signal.recv().await;
            }
            // Where it cannot be heard, it ends the process.
            None => std::future::pending().await,
        }
    }
}
