//! Fuzzes [`brevet_fuzz::note`].

#![no_main]

brevet_fuzz::fuzz!(note);
