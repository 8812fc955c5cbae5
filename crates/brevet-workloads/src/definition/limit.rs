//! Every limit of task definitions, by name, with its unit last.

use brevet_core::Span;

/// Files of definitions in one folder.
pub const FILES_MAX: usize = 256;
/// One file of definitions, in bytes.
pub const FILE_BYTES_MAX: u64 = 1 << 20;
/// Tasks of all files.
pub const TASKS_MAX: usize = 10_000;
/// Roles of all files, and role groups of all files.
pub const ROLES_MAX: usize = 2_000;
/// Tasks of one role, and roles of one role group.
pub const ROLE_MEMBERS_MAX: usize = 1_000;
/// Arguments of one task, its program included.
pub const ARGUMENTS_MAX: usize = 256;
/// All arguments of one task as they are written, in bytes.
pub const ARGUMENTS_BYTES_MAX: usize = 64 * 1024;
/// Variables of one task.
pub const VARIABLES_MAX: usize = 64;
/// All variables of one task, names and values, in bytes.
pub const VARIABLES_BYTES_MAX: usize = 16 * 1024;
/// The values of one `one_of`.
pub const CHOICES_MAX: usize = 1_000;
/// How long a run may take, unless its definition says otherwise.
pub const TIMEOUT_DEFAULT: Span = Span::minutes(10);
/// The longest time that a definition may give a run.
pub const TIMEOUT_MAX: Span = Span::hours(24);
/// What is kept of the output of one run, in bytes, unless its definition says otherwise.
pub const OUTPUT_BYTES_DEFAULT: u64 = 64 << 20;
/// The least that a definition may keep of an output, in bytes.
pub const OUTPUT_BYTES_MIN: u64 = 1 << 10;
/// The most that a definition may keep of an output, in bytes.
pub const OUTPUT_BYTES_MAX: u64 = 4 << 30;
/// The permissions that files made by a task do not get, unless its definition says otherwise.
pub const UMASK_DEFAULT: u32 = 0o077;
