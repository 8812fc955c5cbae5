//! How far the ledger is vouched for, and the page on which a browser verifies it.

use askama::Template;
use axum::Json;
use axum::response::IntoResponse as _;
use brevet_wire::{Archives, Checkpoint, KeyHandover, Ledger, LedgerKeys};
use serde::Serialize;

use crate::failure::{Answer, Failure};
use crate::filters;
use crate::gate::Visit;
use crate::page::{Here, Page, show};

/// What this server says of its keys, for a script that believes it only so far.
pub(super) struct Offered {
    pub(super) origin: String,
    /// Verifier keys as JSON, the current one first.
    pub(super) keys: String,
    /// How each key handed over to the next, as JSON.
    pub(super) handovers: String,
}

impl Offered {
    pub(super) fn of(keys: &LedgerKeys) -> Result<Self, Failure> {
        let json = |value| serde_json::to_string(&value).map_err(|error| Failure::bug(&error.to_string()));
        Ok(Self {
            origin: keys.origin.clone(),
            keys: json(serde_json::json!(keys.keys))?,
            handovers: json(serde_json::json!(keys.handovers))?,
        })
    }
}

#[derive(Template)]
#[template(path = "audit/verify.html")]
struct VerifyPage {
    page: Page,
    offered: Offered,
    key: String,
    checkpoint: Checkpoint,
}

/// Verifies in the browser what this server publishes.
pub(super) async fn verify(visit: Visit) -> Answer {
    let checkpoint: Checkpoint = visit.api.get("/audit/checkpoint").await?;
    let keys: LedgerKeys = visit.api.get("/ledger/keys").await?;
    show(&VerifyPage {
        page: visit.page("Verify the ledger", Here::Audit),
        offered: Offered::of(&keys)?,
        key: keys.keys.first().cloned().unwrap_or_default(),
        checkpoint,
    })
}

/// What this server says of its ledger now, for a verification that begins, or that may have met a change of it.
#[derive(Serialize)]
struct Claims {
    origin: String,
    /// Verifier keys, the current one first.
    keys: Vec<String>,
    handovers: Vec<KeyHandover>,
}

pub(super) async fn claims(visit: Visit) -> Answer {
    let LedgerKeys { origin, keys, handovers, overlap_until: _ } = visit.api.get("/ledger/keys").await?;
    Ok(Json(Claims { origin, keys, handovers }).into_response())
}

/// A change of the key.
struct Change {
    /// The entry that says so.
    index: String,
    proof: String,
}

impl Change {
    fn of(handover: KeyHandover) -> Self {
        let index = handover.proof.lines().find_map(|line| line.strip_prefix("index "));
        Self { index: index.unwrap_or_default().to_owned(), proof: handover.proof }
    }
}

#[derive(Template)]
#[template(path = "audit/ledger.html")]
struct LedgerPage {
    page: Page,
    checkpoint: Checkpoint,
    ledger: Ledger,
    keys: LedgerKeys,
    changes: Vec<Change>,
    archives: Archives,
}

/// How far it is vouched for.
pub(super) async fn ledger(visit: Visit) -> Answer {
    let checkpoint: Checkpoint = visit.api.get("/audit/checkpoint").await?;
    let ledger: Ledger = visit.api.get("/ledger").await?;
    let mut keys: LedgerKeys = visit.api.get("/ledger/keys").await?;
    let archives: Archives = visit.api.get("/ledger/archives").await?;
    let changes = std::mem::take(&mut keys.handovers).into_iter().map(Change::of).collect();
    show(&LedgerPage {
        page: visit.page("Checkpoint and witnesses", Here::Audit),
        checkpoint,
        ledger,
        keys,
        changes,
        archives,
    })
}
