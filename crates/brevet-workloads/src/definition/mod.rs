//! Task definitions: `tasks.d/*.toml`, as `docs/task-definitions.md` describes them.
//!
//! [`load`] reads all files of a folder and says everything that is wrong in them at once; only a folder without a
//! problem gives definitions, so that the caller keeps the last good ones otherwise. Files and folder must be
//! changeable by root and the server's user only.
//!
//! Never here: a part of a broken set of files, a definition that did not come from a file, a value of a run.

mod catalog;
mod digest;
mod environment;
mod file;
mod files;
mod interpreter;
pub mod limit;
mod parameter;
mod problem;
mod role;
mod section;
pub(crate) mod system;
mod task;
pub(crate) mod template;
mod text;

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use brevet_core::CatalogDefinition;

pub use problem::{Problem, Problems};
pub use task::CommandTask;

/// The tasks of all `command` workloads, by the key of their names.
pub type CommandTasks = HashMap<Box<str>, Arc<CommandTask>>;

/// All definitions of a folder.
#[derive(Debug, Clone, Default)]
pub struct Loaded {
    /// For the core.
    pub definition: CatalogDefinition,
    /// For the workload that runs them.
    pub commands: CommandTasks,
}

/// Reads every `*.toml` of `folder`, or says all that is wrong in any of them.
///
/// It looks at the programs, users and directories that the tasks name, and may ask a directory service over the
/// network: do not call it where waiting hurts.
pub fn load(folder: &Path) -> Result<Loaded, Problems> {
    let mut problems = Vec::new();
    let sources = files::read(folder, &mut problems);
    let mut files: Vec<_> = sources.iter().map(|source| file::read(&source.path, &source.text)).collect();
    let loaded = catalog::join(&mut files, problems.is_empty());
    problems.extend(files.into_iter().flat_map(|file| file.report.finish()));
    match Problems::new(problems) {
        None => Ok(loaded),
        Some(problems) => Err(problems),
    }
}

#[cfg(test)]
mod tests;
