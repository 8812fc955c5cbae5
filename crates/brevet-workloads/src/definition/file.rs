//! One file, read whole.

use std::path::Path;

use brevet_core::QualifiedName;
use toml::de::DeTable;

use super::problem::Report;
use super::role::{self, ReadRole};
use super::section::{Section, suggestion};
use super::task::{self, ReadTask};

/// What a file defines, and what is wrong in it.
pub(super) struct ReadFile {
    /// The name of the workload and where it stands; `None` when it cannot be read.
    pub(super) scope: Option<(String, usize)>,
    pub(super) tasks: Vec<ReadTask>,
    pub(super) roles: Vec<ReadRole>,
    pub(super) role_groups: Vec<ReadRole>,
    pub(super) report: Report,
}

/// A name for tasks whose workload has none that can be read; nothing of such a file is used.
const SCOPE_UNREADABLE: &str = "Unreadable";
const KINDS: [&str; 1] = ["command"];

/// Reads a file; problems are in its report.
pub(super) fn read(path: &Path, text: &str) -> ReadFile {
    let mut report = Report::new(path, text);
    let (root, errors) = DeTable::parse_recoverable(text);
    for error in errors {
        let at = error.span().map_or(0, |span| span.start);
        let sentence = error.message().lines().collect::<Vec<_>>().join(", ");
        report.unreadable(at, format!("this is not TOML: {sentence}"), "see https://toml.io/en/v1.1.0");
    }
    let section = Section::new("a file of definitions", 0, root.get_ref());
    // Where the head of a table cannot be read, its keys seem to be keys of the file.
    if report.is_readable() {
        section.only(&["role", "role_group", "task", "workload"], &mut report);
    }
    let scope = read_workload(&section, &mut report);
    let name = scope.as_ref().map_or(SCOPE_UNREADABLE, |(name, _)| name.as_str());
    let tasks = section.tables("task", "a task", &mut report);
    let tasks = tasks.iter().filter_map(|task| task::read(task, name, &mut report)).collect();
    let mut roles = |key, what, members| -> Vec<ReadRole> {
        let tables = section.tables(key, what, &mut report);
        tables.iter().filter_map(|table| role::read(table, members, name, &mut report)).collect()
    };
    let (roles, role_groups) =
        (roles("role", "a role", "tasks"), roles("role_group", "a role group", "roles"));
    ReadFile { scope, tasks, roles, role_groups, report }
}

fn read_workload(file: &Section<'_>, report: &mut Report) -> Option<(String, usize)> {
    if !file.has("workload") {
        let hint = "begin with [workload], name = \"…\" and kind = \"command\"";
        report.missing(0, "the file does not say of which workload it is", hint);
    }
    let section = file.table("workload", "a workload", report)?;
    section.only(&["kind", "name"], report);
    if let Some(kind) = section.needed_text("kind", report).filter(|kind| !KINDS.contains(&kind.value)) {
        let sentence = format!("there is no kind of workload '{}'", kind.value);
        report.add(kind.at, sentence, suggestion(kind.value, &KINDS));
    }
    let name = section.needed_text("name", report)?;
    if name.value.eq_ignore_ascii_case("brevet") {
        report.add(name.at, "the workload Brevet is Brevet's own administration", "choose another name");
        return None;
    }
    // A name is half of `Scope\Name`: the other half only completes the check.
    match QualifiedName::new(name.value, "x") {
        Ok(_) => Some((name.value.to_owned(), name.at)),
        Err(error) => {
            let sentence = format!("the workload name '{}' cannot be: {error}", name.value);
            report.add(name.at, sentence, "choose another name");
            None
        }
    }
}
