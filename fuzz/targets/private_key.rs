//! Fuzzes [`brevet_fuzz::private_key`].

#![no_main]

brevet_fuzz::fuzz!(private_key);
