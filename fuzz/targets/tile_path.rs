//! Fuzzes [`brevet_fuzz::tile_path`].

#![no_main]

brevet_fuzz::fuzz!(tile_path);
