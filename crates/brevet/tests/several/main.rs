//! Several servers on one PostgreSQL behave as one: on the real binary, with a real PostgreSQL.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]
#![expect(clippy::print_stdout, reason = "what was seen belongs to a test that looks for rare things")]

mod checker;
#[path = "../../../brevet-store/tests/engines/cluster.rs"]
mod cluster;
mod course;
mod failures;
mod pair;
mod races;
mod siege;
mod silence;
mod standby;
#[path = "../support/mod.rs"]
#[expect(dead_code, reason = "other tests use the rest")]
mod support;
mod together;
#[path = "../../../brevet-store/tests/engines/wire_cutter.rs"]
mod wire_cutter;
mod witnessed;

#[path = "../crash/books.rs"]
#[expect(dead_code, reason = "the crash loop uses the rest")]
mod books;
#[path = "../crash/load.rs"]
mod load;
