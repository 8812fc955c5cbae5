//! All files together: names are unique, what roles name exists, and what tasks name is on this system.

use std::collections::HashMap;

use brevet_core::{CatalogDefinition, Digest, QualifiedName, RoleDefinition, RoleGroupDefinition};

use super::file::ReadFile;
use super::limit::{ROLES_MAX, TASKS_MAX};
use super::role::ReadRole;
use super::section::suggestion;
use super::task::CommandTask;
use super::{Loaded, digest, system};

/// What was defined, by the key of its name: its digest, and the place of its definition.
type Defined = HashMap<Box<str>, (QualifiedName, Digest, String)>;

/// Joins the files. Problems are noted in their reports; the result counts only when there is none. Unless the files
/// are `complete`, what they do not define may be defined in those that are not here.
pub(super) fn join(files: &mut [ReadFile], complete: bool) -> Loaded {
    let readable = complete && files.iter().all(|file| file.report.is_readable() && file.scope.is_some());
    check_scopes(files);
    let (tasks, commands) = join_tasks(files);
    let (roles, of_roles) =
        join_roles(files, |file| &mut file.roles, ("role", "task"), &tasks, readable, digest::role);
    let (role_groups, _) = join_roles(
        files,
        |file| &mut file.role_groups,
        ("role group", "role"),
        &of_roles,
        readable,
        digest::role_group,
    );
    let definition = CatalogDefinition {
        tasks: commands.iter().map(|task| task.spec.clone()).collect(),
        roles: roles.into_iter().map(into_role).collect(),
        role_groups: role_groups.into_iter().map(into_role_group).collect(),
    };
    let commands = commands.into_iter().map(|task| (task.spec.name.key(), task.into())).collect();
    Loaded { definition, commands }
}

/// One workload may be spread over several files; its name is then shown in one way.
fn check_scopes(files: &mut [ReadFile]) {
    let mut first: HashMap<String, (String, String)> = HashMap::new();
    for file in files {
        let Some((name, at)) = &file.scope else { continue };
        let known =
            first.entry(name.to_ascii_lowercase()).or_insert_with(|| (name.clone(), file.report.place(*at)));
        if known.0 != *name {
            let sentence = format!("the workload '{name}' is written '{}' in {}", known.0, known.1);
            file.report.add(*at, sentence, "write it in the same way");
        }
    }
}

fn join_tasks(files: &mut [ReadFile]) -> (Defined, Vec<CommandTask>) {
    let mut defined = Defined::new();
    let mut tasks = Vec::new();
    for file in files {
        for read in std::mem::take(&mut file.tasks) {
            system::check(&read, &mut file.report);
            let spec = &read.task.spec;
            define(&mut defined, file, "task", (&spec.name, spec.digest, read.at));
            tasks.push(read.task);
        }
        if tasks.len() > TASKS_MAX {
            file.report.add(0, format!("there are more than {TASKS_MAX} tasks"), "remove some");
        }
    }
    (defined, tasks)
}

fn define(
    defined: &mut Defined,
    file: &mut ReadFile,
    what: &str,
    (name, digest, at): (&QualifiedName, Digest, usize),
) {
    let place = file.report.place(at);
    if let Some((_, _, first)) = defined.get(&name.key()) {
        let sentence = format!("the {what} {name} is defined already in {first}");
        file.report.add(at, sentence, "rename or remove one");
        return;
    }
    defined.insert(name.key(), (name.clone(), digest, place));
}

/// Looks up what roles are made of. A role group is to roles what a role is to tasks.
fn join_roles(
    files: &mut [ReadFile],
    of: impl Fn(&mut ReadFile) -> &mut Vec<ReadRole>,
    (what, of_what): (&str, &str),
    members: &Defined,
    readable: bool,
    digest: impl Fn(&QualifiedName, &str, &[(QualifiedName, Digest)]) -> Digest,
) -> (Vec<Joined>, Defined) {
    let mut defined = Defined::new();
    let mut joined = Vec::new();
    for file in files {
        for ReadRole { name, at, description, members: names } in std::mem::take(of(file)) {
            let mut found = Vec::with_capacity(names.len());
            for member in names {
                match members.get(&member.value.key()) {
                    Some((name, digest, _)) => found.push((name.clone(), *digest)),
                    // A file that cannot be read may well define it.
                    None if !readable => {}
                    None => {
                        let known: Vec<&str> = members.values().map(|(name, ..)| name.as_str()).collect();
                        let sentence = format!("there is no {of_what} '{}'", member.value);
                        file.report.add(member.at, sentence, suggestion(member.value.as_str(), &known));
                    }
                }
            }
            let digest = digest(&name, &description, &found);
            define(&mut defined, file, what, (&name, digest, at));
            let members = found.into_iter().map(|(name, _)| name).collect();
            joined.push(Joined { name, description, members, digest });
        }
        if joined.len() > ROLES_MAX {
            file.report.add(0, format!("there are more than {ROLES_MAX} {what}s"), "remove some");
        }
    }
    (joined, defined)
}

struct Joined {
    name: QualifiedName,
    description: String,
    members: Vec<QualifiedName>,
    digest: Digest,
}

fn into_role(Joined { name, description, members, digest }: Joined) -> RoleDefinition {
    RoleDefinition { name, description, tasks: members, digest }
}

fn into_role_group(Joined { name, description, members, digest }: Joined) -> RoleGroupDefinition {
    RoleGroupDefinition { name, description, roles: members, digest }
}
