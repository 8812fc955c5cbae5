//! Listening for what other servers append: the sequencer looks at once, and not only now and then.

use std::sync::Weak;
use std::time::Duration;

use brevet_store::{Bell, DatabasePlace};

use super::sequencer::Doorbell;
use super::{Inner, freshness};
use crate::world::World;

/// How long one waits before looking whether anybody still wants to know.
const LISTEN_FOR: Duration = Duration::from_secs(1);
/// Quiet times after which the other side is asked whether it is there.
const QUIET_MAX: u32 = 10;
/// Between two attempts to listen again.
const AGAIN_AFTER: Duration = Duration::from_millis(500);

/// Stops what runs here when this server has heard nothing from its database for too long, whatever the sequencer waits for.
pub(super) async fn watch<W: World>(app: Weak<Inner<W>>) {
    let mut is_stopped = false;
    loop {
        let Some(inner) = app.upgrade() else { return };
        let is_late = inner.fresh.behind() >= freshness::RUNS_STOP_AFTER;
        if is_late && !is_stopped {
            tracing::error!(
                "for {} seconds the database did not answer, or another server had the turn; what runs here is stopped",
                freshness::RUNS_STOP_AFTER.as_secs()
            );
            inner.runs.stop_all(brevet_core::StopCause::LedgerUnavailable);
        }
        is_stopped = is_late;
        drop(inner);
        tokio::time::sleep(freshness::WATCH_EVERY).await;
    }
}

/// Listens on a thread of its own until nobody wants to know any more. Nothing depends on it: who hears nothing looks too.
pub(super) fn listen(database: DatabasePlace, doorbell: Doorbell) -> std::io::Result<()> {
    let work = move || {
        while doorbell.is_heard() {
            let heard = database.listen().and_then(|bell| match bell {
                Some(bell) => hear(bell, &doorbell),
                None => Ok(()),
            });
            if let Err(error) = heard {
                tracing::debug!(%error, "nothing is heard of other servers; they are looked for");
                std::thread::park_timeout(AGAIN_AFTER);
            }
        }
    };
    std::thread::Builder::new().name("bell".into()).spawn(work).map(drop)
}

fn hear(mut bell: Bell, doorbell: &Doorbell) -> Result<(), brevet_store::StoreError> {
    // Something may have happened while nobody listened.
    doorbell.ring();
    let mut quiet = 0;
    while doorbell.is_heard() {
        if bell.wait(LISTEN_FOR)? {
            (quiet, ()) = (0, doorbell.ring());
            continue;
        }
        quiet += 1;
        if quiet >= QUIET_MAX {
            (quiet, ()) = (0, bell.check()?);
        }
    }
    Ok(())
}
