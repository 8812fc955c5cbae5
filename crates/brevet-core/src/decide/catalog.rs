//! Decisions about definitions: what changed since the last time they were read.

use std::collections::HashMap;

use super::{Decision, Reply};
use crate::catalog::{RoleGroupSpec, RoleSpec, TaskSpec};
use crate::command::{CatalogDefinition, RoleDefinition, RoleGroupDefinition};
use crate::event::Event;
use crate::id::{RoleGroupId, RoleId, TaskId};
use crate::limit::DEFINITION_BYTES_MAX;
use crate::name::QualifiedName;
use crate::refusal::Refusal;
use crate::state::State;

pub(super) fn define(state: &State, definition: CatalogDefinition) -> Result<Decision, Refusal> {
    let CatalogDefinition { tasks, roles, role_groups } = definition;
    let mut events = Vec::new();
    let task_ids = define_tasks(state, tasks, &mut events)?;
    let role_ids = define_roles(state, roles, &task_ids, &mut events)?;
    let role_group_ids = define_role_groups(state, role_groups, &role_ids, &mut events)?;
    remove_others(state, &task_ids, &role_ids, &role_group_ids, &mut events);
    Decision::new(Reply::Done, events)
}

fn define_tasks(
    state: &State,
    tasks: Vec<TaskSpec>,
    events: &mut Vec<Event>,
) -> Result<HashMap<Box<str>, TaskId>, Refusal> {
    let mut ids = HashMap::new();
    let mut new_ids = ids_after(state.catalog.tasks().len());
    for spec in tasks {
        let known = state.catalog.task_named(&spec.name);
        let task = known.map(|task| task.id).or_else(|| new_ids.next().map(TaskId::new)).ok_or_else(full)?;
        claim(&mut ids, &spec.name, task)?;
        if known.is_none_or(|known| !known.enabled || known.spec != spec) {
            check_size(&spec)?;
            events.push(Event::TaskDefined { task, spec });
        }
    }
    Ok(ids)
}

fn define_roles(
    state: &State,
    roles: Vec<RoleDefinition>,
    tasks: &HashMap<Box<str>, TaskId>,
    events: &mut Vec<Event>,
) -> Result<HashMap<Box<str>, RoleId>, Refusal> {
    let mut ids = HashMap::new();
    let mut new_ids = ids_after(state.catalog.roles().len());
    for RoleDefinition { name, description, tasks: names, digest } in roles {
        let known = state.catalog.role_named(&name);
        let role = known.map(|role| role.id).or_else(|| new_ids.next().map(RoleId::new)).ok_or_else(full)?;
        claim(&mut ids, &name, role)?;
        let spec = RoleSpec { tasks: look_up(tasks, &names, "task")?, name, description, digest };
        if known.is_none_or(|known| !known.enabled || known.spec != spec) {
            events.push(Event::RoleDefined { role, spec });
        }
    }
    Ok(ids)
}

fn define_role_groups(
    state: &State,
    groups: Vec<RoleGroupDefinition>,
    roles: &HashMap<Box<str>, RoleId>,
    events: &mut Vec<Event>,
) -> Result<HashMap<Box<str>, RoleGroupId>, Refusal> {
    let mut ids = HashMap::new();
    let mut new_ids = ids_after(state.catalog.role_groups().len());
    for RoleGroupDefinition { name, description, roles: names, digest } in groups {
        let known = state.catalog.role_group_named(&name);
        let role_group =
            known.map(|group| group.id).or_else(|| new_ids.next().map(RoleGroupId::new)).ok_or_else(full)?;
        claim(&mut ids, &name, role_group)?;
        let spec = RoleGroupSpec { roles: look_up(roles, &names, "role")?, name, description, digest };
        if known.is_none_or(|known| !known.enabled || known.spec != spec) {
            events.push(Event::RoleGroupDefined { role_group, spec });
        }
    }
    Ok(ids)
}

/// A definition that no entry can hold is refused here: the ledger would fail to take it, and all that comes with it.
fn check_size(spec: &TaskSpec) -> Result<(), Refusal> {
    let bytes = minicbor::to_vec(spec).map_or(usize::MAX, |body| body.len());
    match bytes <= DEFINITION_BYTES_MAX {
        true => Ok(()),
        false => Err(Refusal::Invalid(format!(
            "the definition of {} is longer than the {DEFINITION_BYTES_MAX} bytes that the ledger takes; \
             write a script for a long 'run', and 'pattern' for a long 'one_of'",
            spec.name
        ))),
    }
}

/// Dense ids count from one, in the order of definition.
fn ids_after(existing: usize) -> impl Iterator<Item = u32> {
    (existing + 1..).map_while(|id| u32::try_from(id).ok())
}

fn full() -> Refusal {
    Refusal::TooMany { what: "definitions", max: u32::MAX as usize }
}

fn claim<Id: Copy>(ids: &mut HashMap<Box<str>, Id>, name: &QualifiedName, id: Id) -> Result<(), Refusal> {
    match ids.insert(name.key(), id) {
        None => Ok(()),
        Some(_) => Err(Refusal::Exists { what: "definition of", id: name.to_string() }),
    }
}

fn look_up<Id: Copy>(
    ids: &HashMap<Box<str>, Id>,
    names: &[QualifiedName],
    what: &'static str,
) -> Result<Vec<Id>, Refusal> {
    names
        .iter()
        .map(|name| ids.get(&name.key()).copied().ok_or_else(|| Refusal::no_such(what, name)))
        .collect()
}

fn remove_others(
    state: &State,
    tasks: &HashMap<Box<str>, TaskId>,
    roles: &HashMap<Box<str>, RoleId>,
    role_groups: &HashMap<Box<str>, RoleGroupId>,
    events: &mut Vec<Event>,
) {
    let catalog = &state.catalog;
    let gone_groups =
        catalog.role_groups().iter().filter(|g| g.enabled && !role_groups.contains_key(&g.spec.name.key()));
    events.extend(gone_groups.map(|group| Event::RoleGroupRemoved { role_group: group.id }));
    let gone_roles =
        catalog.roles().iter().filter(|role| role.enabled && !roles.contains_key(&role.spec.name.key()));
    events.extend(gone_roles.map(|role| Event::RoleRemoved { role: role.id }));
    let gone_tasks =
        catalog.tasks().iter().filter(|task| task.enabled && !tasks.contains_key(&task.spec.name.key()));
    events.extend(gone_tasks.map(|task| Event::TaskRemoved { task: task.id }));
}
