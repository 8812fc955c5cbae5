//! Fuzzes [`brevet_fuzz::entry_bundle`].

#![no_main]

brevet_fuzz::fuzz!(entry_bundle);
