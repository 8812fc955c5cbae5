//! What pages ask by themselves, to show what is new.

use axum::Json;
use axum::Router;
use axum::response::IntoResponse as _;
use axum::routing::get;
use brevet_wire::Position;
use serde::Deserialize;

use crate::api::query;
use crate::extract::Query;
use crate::failure::Answer;
use crate::gate::{Site, Visit};

pub(crate) fn routes() -> Router<Site> {
    Router::new().route("/live", get(live))
}

#[derive(Deserialize)]
struct Known {
    after: Option<u64>,
}

/// How long the ledger is, once it is longer than the page knows.
async fn live(visit: Visit, Query(Known { after }): Query<Known>) -> Answer {
    let after = after.map(|after| after.to_string());
    let path = query("/ledger/position", [("after", after.as_deref())]);
    Ok(Json(visit.api.get::<Position>(&path).await?).into_response())
}
