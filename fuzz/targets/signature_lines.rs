//! Fuzzes [`brevet_fuzz::signature_lines`].

#![no_main]

brevet_fuzz::fuzz!(signature_lines);
