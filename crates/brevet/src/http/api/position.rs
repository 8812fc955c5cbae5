//! How long the ledger is, for those who wait for it to go on: a page that shows what is new.

use std::time::Duration;

use brevet_wire as wire;
use serde::Deserialize;

use crate::http::answer::shown;
use crate::http::extract::Query;
use crate::http::limit::WAIT_SECONDS_MAX;
use crate::http::operation::operation;
use crate::http::problem::{Answer, Failure};
use crate::http::route::{Caller, Permission, Routes, Visitor};

pub(super) fn routes(routes: Routes) -> Routes {
    routes.get("/api/v1/ledger/position", Permission::SignedIn, position, {
        operation("wait_for_position", "Says how long the ledger is, as soon as it is longer than one knows")
            .note(
                "Only so many calls wait at once, of one session, of one account and of all: one more is answered 429 with the \
                 reason `too-many-waits`. Without `after` none is refused.",
            )
            .query::<Known>()
            .shows::<wire::Position>("How long it is, longer or not.")
    })
}

/// What is known.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
struct Known {
    /// So many entries; at once when left out.
    after: Option<u64>,
    /// At most so many seconds, and never more than 60; 30 when left out.
    seconds: Option<u64>,
}

async fn position(caller: Caller, visitor: Visitor, Query(known): Query<Known>) -> Answer {
    let seconds = known.seconds.unwrap_or(30);
    if seconds > WAIT_SECONDS_MAX {
        return Err(Failure::unreadable("bad-query", format!("seconds: at most {WAIT_SECONDS_MAX}")));
    }
    let mut changed = caller.app.changed();
    if let Some(after) = known.after.filter(|after| caller.app.published().size <= *after) {
        let _wait = visitor.server.waits.for_the_ledger(&caller.session)?;
        let longer = changed.wait_for(|size| *size > after);
        // Over in time or not, the answer is how long it is then.
        let _late = tokio::time::timeout(Duration::from_secs(seconds), longer).await;
        caller.check_open()?;
    }
    shown(&wire::Position { size: caller.app.published().size })
}
