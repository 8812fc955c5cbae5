//! Proofs for those who do not trust this server: receipts of what one did oneself, and that the ledger only grew.

use axum::http::StatusCode;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use brevet_core::Actor;
use brevet_store::{Consistency, Proven, Reader, Receipt};
use brevet_wire as wire;
use serde::Deserialize;

use super::audit::note_read;
use super::ledger_keys::handover;
use crate::http::answer::shown;
use crate::http::extract::{Query, Segments};
use crate::http::operation::operation;
use crate::http::problem::{Answer, Failure};
use crate::http::route::{Caller, Permission, Routes};

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .get("/api/v1/ledger/consistency", Permission::SignedIn, consistency, {
            operation("prove_consistency", "Proves that a ledger of some size is the beginning of a larger one")
                .query::<Sizes>()
                .shows::<wire::Consistency>("The proof (RFC 6962 section 2.1.2).")
        })
        .get("/api/v1/ledger/receipts/{index}", Permission::SignedIn, receipt, {
            operation("show_receipt", "Proves that an entry is in the ledger, to the one who caused it")
                .note(
                    "Answers to writes name the entry in the header `Brevet-Entry`. Auditors get receipts of every \
                     entry, and that they did is itself an entry.",
                )
                .query::<Kept>()
                .shows::<wire::Receipt>("The receipt (C2SP tlog-proof), and what it takes to check it.")
        })
}

/// Of which sizes.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
struct Sizes {
    /// The smaller size: that of a checkpoint that was kept.
    old: u64,
    /// The larger size; the newest when left out.
    new: Option<u64>,
}

/// What the caller knows already.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
struct Kept {
    /// The size of a checkpoint that was kept: the answer proves that it and the new one hang together.
    kept: Option<u64>,
}

async fn consistency(caller: Caller, Query(Sizes { old, new }): Query<Sizes>) -> Answer {
    if old == 0 {
        return Err(Failure::field("old", "from nothing there is nothing to prove; it is at least 1"));
    }
    if new.is_some_and(|new| new < old) {
        return Err(Failure::field("new", "it is not below old"));
    }
    let growth = caller.app.stored(move |reader| reader.growth(old, new)).await?;
    let Some(Consistency { hashes, new, checkpoint, size: _ }) = growth else {
        let size = caller.app.published().size;
        let asked = new.unwrap_or(old);
        let detail = format!("this ledger has {size} entries; it never had {asked}");
        return Err(Failure::new(StatusCode::NOT_FOUND, wire::reason::NEVER_SO_LONG, detail));
    };
    let hashes = hashes.iter().map(brevet_store::hash_text).collect();
    shown(&wire::Consistency { old, new, hashes, checkpoint })
}

async fn receipt(
    caller: Caller,
    Segments(index): Segments<u64>,
    Query(Kept { kept }): Query<Kept>,
) -> Answer {
    let standing = caller.app.standing();
    let witnessed = standing.witnessed_checkpoint.clone().map(|note| (standing.witnessed, note));
    // One visit to the store: somebody waits for this after each command.
    let read =
        move |reader: &Reader| Ok((reader.receipt_under(index, witnessed, kept)?, reader.key_handovers()?));
    let (found, handovers) = caller.app.stored(read).await?;
    let no_such = || Failure::no_such("entry of your own", index);
    let Proven { receipt: Receipt { index, bytes, proof }, actor, consistency } =
        found.ok_or_else(no_such)?;
    if actor != Actor::User(caller.user()).to_string() {
        let (_, is_auditor) = caller.standing();
        if !is_auditor {
            return Err(no_such());
        }
        note_read(&caller, &format!("ledger/receipts/{index}")).await?;
    }
    shown(&wire::Receipt {
        index,
        entry: (!bytes.is_empty()).then(|| STANDARD.encode(bytes)),
        proof,
        kept: kept.filter(|_| consistency.is_some()),
        consistency: consistency.map(|hashes| hashes.iter().map(brevet_store::hash_text).collect()),
        origin: caller.app.ledger_origin().to_owned(),
        keys: caller.app.verifier_keys().iter().map(ToString::to_string).collect(),
        handovers: handovers.into_iter().map(handover).collect(),
    })
}
