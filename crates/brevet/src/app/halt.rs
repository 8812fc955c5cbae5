//! The end of all writing: said once, for a reason, and heard by whoever runs the server.

use std::sync::OnceLock;

use tokio::sync::Notify;

/// Why nothing may be written any more, when that is so.
#[derive(Debug, Default)]
pub(super) struct Halt {
    why: OnceLock<String>,
    rung: Notify,
}

impl Halt {
    /// Ends all writing. The first reason stays.
    pub(super) fn set(&self, why: String) {
        drop(self.why.set(why));
        self.rung.notify_one();
    }

    pub(super) fn why(&self) -> Option<&String> {
        self.why.get()
    }

    /// Ends when nothing may be written any more.
    pub(super) async fn wait(&self) {
        while self.why.get().is_none() {
            self.rung.notified().await;
        }
    }
}
