//! Fuzzes [`brevet_fuzz::add_checkpoint`].

#![no_main]

brevet_fuzz::fuzz!(add_checkpoint);
