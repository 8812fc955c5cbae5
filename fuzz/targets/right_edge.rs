//! Fuzzes [`brevet_fuzz::right_edge`].

#![no_main]

brevet_fuzz::fuzz!(right_edge);
