//! Fuzzes [`brevet_fuzz::verifier_key`].

#![no_main]

brevet_fuzz::fuzz!(verifier_key);
