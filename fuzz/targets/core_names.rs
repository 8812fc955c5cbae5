//! Fuzzes [`brevet_fuzz::core_names`].

#![no_main]

brevet_fuzz::fuzz!(core_names);
