//! Fuzzes [`brevet_fuzz::entry_body`].

#![no_main]

brevet_fuzz::fuzz!(entry_body);
