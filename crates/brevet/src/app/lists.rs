//! Keeps the lists of the search up with the ledger, off the path of every reply: a reader gathers what new entries add,
//! and the sequencer only writes it.

use std::sync::Weak;
use std::time::Duration;

use brevet_core::Origin;
use brevet_store::{Reader, SideWrite};

use super::{App, Inner};
use crate::world::World;

/// How long new entries are waited for before it looks again: many share one write.
const EVERY: Duration = Duration::from_millis(100);

/// Follows the ledger until the application ends.
pub(super) async fn keep_up<W: World>(app: Weak<Inner<W>>) {
    let Some(mut changed) = app.upgrade().map(|inner| inner.published.changed()) else { return };
    loop {
        changed.mark_unchanged();
        let Some(inner) = app.upgrade() else { return };
        let app = App { inner };
        let goes_on = app.leads() && take_in(&app).await;
        drop(app);
        if goes_on {
            continue;
        }
        if changed.changed().await.is_err() {
            return;
        }
        tokio::time::sleep(EVERY).await;
    }
}

/// Whether there may be more.
async fn take_in<W: World>(app: &App<W>) -> bool {
    let gathered = match app.stored(Reader::unlisted).await {
        Ok(Some(gathered)) => gathered,
        Ok(None) => return false,
        Err(error) => {
            tracing::warn!(%error, "the lists of the search stay behind");
            return false;
        }
    };
    let write = move |_| vec![SideWrite::Lists(gathered)];
    match app.command_with(Origin::SYSTEM, None, None, write).await {
        Ok(_) => true,
        Err(error) => {
            tracing::warn!(%error, "the lists of the search stay behind");
            false
        }
    }
}
