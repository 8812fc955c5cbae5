//! Fuzzes [`brevet_fuzz::tlog_proof`].

#![no_main]

brevet_fuzz::fuzz!(tlog_proof);
