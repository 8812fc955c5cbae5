//! Fuzzes [`brevet_fuzz::proofs`].

#![no_main]

brevet_fuzz::fuzz!(proofs);
