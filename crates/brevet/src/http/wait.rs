//! Waiting for the ledger to say something, without asking the database again and again.

use std::time::Duration;

use brevet_core::State;

use crate::app::App;

/// Waits until `holds` of the published state, or for so long; says whether it holds.
pub(super) async fn until(app: &App, most: Duration, holds: impl Fn(&State) -> bool) -> bool {
    let mut changed = app.changed();
    let holding = async {
        while !app.read(&holds) {
            if changed.changed().await.is_err() {
                return false;
            }
        }
        true
    };
    tokio::time::timeout(most, holding).await.unwrap_or(false)
}
