//! Brevet: self-hosted privileged access management. One binary; this library is what it is made of.
//!
//! The faces ([`cli`], [`http`]) translate and do not decide; [`app`] carries out one use case after the
//! other through its sequencer; [`world`] is the one door to the clock and to chance.
#![forbid(unsafe_code)]

pub mod app;
mod wire;
pub mod world;
