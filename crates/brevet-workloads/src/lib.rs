//! Placeholder.

pub mod definition;
pub mod spawn;
