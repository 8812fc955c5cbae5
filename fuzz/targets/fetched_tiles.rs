//! Fuzzes [`brevet_fuzz::fetched_tiles`].

#![no_main]

brevet_fuzz::fuzz!(fetched_tiles);
