//! Fuzzes [`brevet_fuzz::export_file`].

#![no_main]

brevet_fuzz::fuzz!(export_file);
