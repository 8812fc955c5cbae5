//! Fuzzes [`brevet_fuzz::entry`].

#![no_main]

brevet_fuzz::fuzz!(entry);
