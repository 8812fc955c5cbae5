//! Each write fails, and fails although it was stored: nothing of it is ever half there, and the store says what it knows.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

#[path = "../engines/cluster.rs"]
#[expect(dead_code, reason = "other tests use the rest")]
mod cluster;
#[path = "../engines/engine.rs"]
#[macro_use]
mod engine;
mod given_up;
mod interleaved;
mod lost;
#[path = "../sample/mod.rs"]
#[expect(dead_code, reason = "other tests use the rest")]
mod sample;
mod statements;
mod trap;
#[path = "../engines/wire_cutter.rs"]
#[expect(dead_code, reason = "what a server does while its wire is silent is tested on whole servers")]
mod wire_cutter;
mod work;
