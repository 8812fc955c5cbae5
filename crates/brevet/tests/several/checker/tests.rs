//! Doctored ledgers.
