//! Fuzzes [`brevet_fuzz::cosignature`].

#![no_main]

brevet_fuzz::fuzz!(cosignature);
