//! The real binary as a test sees it: a server that is started and stopped by its process id, people who type
//! commands, and calls of the API over a plain connection.

pub(crate) mod certificates;
pub(crate) mod dice;
pub(crate) mod http;
pub(crate) mod patience;
pub(crate) mod person;
pub(crate) mod place;
pub(crate) mod processes;
pub(crate) mod server;
pub(crate) mod stage;
pub(crate) mod witness;

/// Everybody's password; it guards a temporary folder on loopback.
pub(crate) const PASSWORD: &str = "correct horse battery";

/// The program under test.
pub(crate) const BREVET: &str = env!("CARGO_BIN_EXE_brevet");
