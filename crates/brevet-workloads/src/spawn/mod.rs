//! Running programs: exactly the given file with exactly the given arguments and environment, and nothing of it left
//! behind.
//!
//! ```text
//!  server ──launch──▶ spawner ──fork──▶ supervisor ──fork──▶ task ──▶ its descendants
//!    ▲                 (small)               │ (subreaper)
//!    └───────── control socket ──────────────┘
//! ```
//!
//! - The [`Spawner`] sends a [`Launch`] and its open files to the spawner process, which is the same binary in
//!   [`spawner_main`]. It forks a supervisor for each run, the supervisor forks the task.
//! - The task is prepared by `task.rs`: own session, exact descriptors, verified identity, no new privileges; then
//!   the file that was checked ([`Executable`]) is executed through its descriptor.
//! - The supervisor reports to the [`Child`] once the task *and all its descendants* are gone. It kills them when it
//!   is told to, when the task ends, and when the server ends, however that happens.
//!
//! Never here: a shell, a search path, a decision whether something may run, a terminal, a control group.

mod child;
mod codec;
mod descendants;
mod error;
mod executable;
mod instructions;
mod launch;
mod process;
mod report;
mod spawner;
mod supervisor;
mod sys;
mod task;
mod user;
mod wire;

pub use child::{Child, StopHandle};
pub use error::SpawnError;
pub use executable::{BadExecutable, Executable};
pub use instructions::Limits;
pub use launch::{BadLaunch, Captured, Launch, Streams, no_input};
pub use process::spawner_main;
pub use report::{Exit, ExitStatus, Step};
pub use spawner::Spawner;
pub use user::{Account, AccountError, Identity};

use wire::Request;
