//! The REST API in process: the whole service over a real store, no network but where it is about that.

#![expect(clippy::unwrap_used, reason = "the organization is set up with them")]

mod bounds;
mod forms;
mod inputs;
mod leaving;
mod network;
mod office;
mod pages;
mod permissions;
mod preview;
mod reading;
mod repeating;
mod routes;
mod story;
