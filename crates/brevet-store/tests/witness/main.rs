//! The memory of a witness: against a naive model of the protocol, and what it refuses to start with.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod keeping;
mod model;
mod naive;
