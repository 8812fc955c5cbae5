//! Fuzzes [`brevet_fuzz::policy`].

#![no_main]

brevet_fuzz::fuzz!(policy);
