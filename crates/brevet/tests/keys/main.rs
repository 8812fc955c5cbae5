//! The key that signs the ledger, on the real binary: it changes, wherever a crash falls, and it can be in a PKCS#11
//! token. SoftHSM is the token here; where there can be none, `BREVET_WITHOUT_SOFTHSM=1` leaves these tests out.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod chain;
mod crashes;
mod hsm;
mod recovering;
mod rotation;
mod token;

#[path = "../support/mod.rs"]
#[expect(dead_code, reason = "other tests use the rest")]
mod support;
