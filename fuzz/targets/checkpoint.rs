//! Fuzzes [`brevet_fuzz::checkpoint`].

#![no_main]

brevet_fuzz::fuzz!(checkpoint);
