//! Fuzzes [`brevet_fuzz::evidence_bundle`].

#![no_main]

brevet_fuzz::fuzz!(evidence_bundle);
