//! Several servers on one PostgreSQL behave as one: on the real binary, with a real PostgreSQL.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

mod checker;
#[path = "../../../brevet-store/tests/engines/cluster.rs"]
mod cluster;
mod course;
mod pair;
mod races;
#[path = "../support/mod.rs"]
#[expect(dead_code, reason = "other tests use the rest")]
mod support;
mod together;
