//! `[[role]]` and `[[role_group]]`.

use brevet_core::QualifiedName;

use super::limit::ROLE_MEMBERS_MAX;
use super::problem::Report;
use super::section::{Located, Section};
use super::task::qualify;
use super::text::description;

/// A role with the names of its tasks, or a role group with the names of its roles; not yet looked up.
pub(super) struct ReadRole {
    pub(super) name: QualifiedName,
    pub(super) at: usize,
    pub(super) description: String,
    pub(super) members: Vec<Located<QualifiedName>>,
}

/// Reads a role of the workload `scope`; its members are under `key`.
pub(super) fn read(section: &Section<'_>, key: &str, scope: &str, report: &mut Report) -> Option<ReadRole> {
    section.only(&["description", "name", key], report);
    let members = read_members(section, key, scope, report);
    let description = description(section, report);
    let name = section.needed_text("name", report)?;
    Some(ReadRole { name: qualify(scope, name, report)?, at: name.at, description, members })
}

fn read_members(
    section: &Section<'_>,
    key: &str,
    scope: &str,
    report: &mut Report,
) -> Vec<Located<QualifiedName>> {
    if !section.has(key) {
        report.missing(section.at, format!("{} needs '{key}'", section.what), format!("add {key} = [\"…\"]"));
    }
    let Some(list) = section.texts(key, report) else { return Vec::new() };
    if list.value.is_empty() {
        report.add(list.at, format!("{} has no {key}", section.what), "name at least one, or remove it");
    }
    if list.value.len() > ROLE_MEMBERS_MAX {
        let sentence = format!("{} has more than {ROLE_MEMBERS_MAX} {key}", section.what);
        report.add(list.at, sentence, "split it");
    }
    let mut members: Vec<Located<QualifiedName>> = Vec::with_capacity(list.value.len());
    for written in list.value {
        let parsed = match written.value.contains(['\\', '/']) {
            true => QualifiedName::parse(written.value),
            false => QualifiedName::new(scope, written.value),
        };
        match parsed {
            Ok(name) if members.iter().any(|member| member.value == name) => {
                report.add(written.at, format!("'{key}' has '{name}' twice"), "remove one");
            }
            Ok(name) => members.push(Located { value: name, at: written.at }),
            Err(error) => {
                let hint = "write a name of this file's workload, or Scope/Name";
                report.add(written.at, format!("the name '{}' cannot be: {error}", written.value), hint);
            }
        }
    }
    // A role is a set: the order in which it was written says nothing.
    members.sort_by_key(|member| member.value.key());
    members
}
