//! Fuzzes [`brevet_fuzz::verifier`].

#![no_main]

brevet_fuzz::fuzz!(verifier);
