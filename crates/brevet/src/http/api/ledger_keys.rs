//! The keys that sign the ledger.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use brevet_core::Span;
use brevet_store::NextKey;
use brevet_wire as wire;

use crate::app::{OVERLAP_DEFAULT, OVERLAP_MAX};
use crate::http::answer::{Recorded, changed, shown};
use crate::http::extract::Given;
use crate::http::operation::operation;
use crate::http::problem::{Answer, Failure};
use crate::http::route::{Caller, Permission, Routes};
use crate::http::view::at;

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .get("/api/v1/ledger/keys", Permission::SignedIn, show, {
            operation(
                "show_ledger_keys",
                "Shows the keys that sign the ledger, and how each handed over to the next",
            )
            .shows::<wire::LedgerKeys>("The keys. A change is proved by a checkpoint that both keys signed.")
        })
        .post("/api/v1/ledger/rotate-key", Permission::Administrator, rotate, {
            operation("rotate_ledger_key", "Changes the key that signs the ledger")
                .note("The old key signs too until the overlap is over; then its private half is destroyed.")
                .takes::<wire::RotateKey>()
                .shows::<wire::LedgerKeys>("The keys.")
        })
}

async fn show(caller: Caller) -> Answer {
    shown(&keys(&caller).await?)
}

async fn rotate(caller: Caller, given: Given<wire::RotateKey>) -> Answer {
    let wire::RotateKey { overlap_seconds, token_key, to_file } = given.value;
    let next = match (token_key, to_file) {
        (None, false) => NextKey::Configured,
        (Some(label), false) => NextKey::Labelled(label),
        (None, true) => NextKey::File,
        (Some(_), true) => {
            return Err(Failure::field("to_file", "a key is in a file or on the token; say one of the two"));
        }
    };
    let overlap = match overlap_seconds.map(i64::try_from) {
        None => OVERLAP_DEFAULT,
        Some(Ok(seconds)) if seconds <= OVERLAP_MAX.micros() / 1_000_000 => Span::seconds(seconds),
        Some(_) => return Err(Failure::field("overlap_seconds", format!("it is at most {OVERLAP_MAX}"))),
    };
    let done = caller.app.rotate_key(caller.origin(), overlap, next, given.key).await?;
    changed(Recorded::from(&done), &keys(&caller).await?)
}

async fn keys(caller: &Caller) -> Result<wire::LedgerKeys, Failure> {
    Ok(wire::LedgerKeys {
        origin: caller.app.ledger_origin().to_owned(),
        keys: caller.app.verifier_keys().iter().map(ToString::to_string).collect(),
        overlap_until: caller.app.overlap_until().map(at),
        handovers: handovers(caller).await?,
    })
}

/// How each key handed over to the next, the oldest first.
async fn handovers(caller: &Caller) -> Result<Vec<wire::KeyHandover>, Failure> {
    let stored = caller.app.stored(|reader| reader.key_handovers()).await?;
    Ok(stored.into_iter().map(handover).collect())
}

/// How one key handed over to the next.
pub(super) fn handover(receipt: brevet_store::Receipt) -> wire::KeyHandover {
    wire::KeyHandover { entry: STANDARD.encode(receipt.bytes), proof: receipt.proof }
}
