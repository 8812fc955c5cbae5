//! Brevet: self-hosted privileged access management. One binary; this file only hands over.

mod wire;

fn main() {}
