//! Tasks, roles and role groups, and what the viewer can do with them.

use brevet_core::{
    Access, Allowed, Limits, OnExpiry, ParameterKind, ParameterSpec, Role, RoleGroup, RoleGroupSpec,
    RoleSpec, Task, TaskSpec, may_run_somehow, ways_to_run,
};
use brevet_wire as wire;

use super::{View, at, span, value};

impl View<'_> {
    pub(in crate::http) fn task(&self, task: &Task) -> wire::Task {
        let Task { id, spec, enabled } = task;
        let TaskSpec {
            name,
            description,
            parameters,
            command,
            run_as,
            timeout,
            on_expiry,
            digest,
            witnessed,
        } = spec;
        let (timeout, timeout_seconds) = span(*timeout);
        let allowed = may_run_somehow(self.state, self.now, self.viewer, name);
        let under = allowed.as_ref().and_then(|Allowed { basis, .. }| basis.authorization());
        let authorization = under.map(|id| id.to_string());
        let ways = authorization.iter().flat_map(|_| ways_to_run(self.state, self.now, self.viewer, *id));
        let authorizations = ways.filter_map(|way| Some(way.basis.authorization()?.to_string())).collect();
        let roles = self.state.catalog().above(*id).iter();
        let roles = roles.filter(|access| matches!(access, Access::Role(_)));
        wire::Task {
            id: id.to_string(),
            name: name.to_string(),
            scope: name.scope().to_owned(),
            description: description.clone(),
            parameters: parameters.iter().map(parameter).collect(),
            command: command.clone(),
            run_as: run_as.clone(),
            timeout,
            timeout_seconds,
            on_expiry: match on_expiry {
                OnExpiry::Stop => wire::OnExpiry::Stop,
                OnExpiry::Finish => wire::OnExpiry::Finish,
            },
            witnessed: *witnessed == Some(true),
            digest: digest.to_string(),
            enabled: *enabled,
            roles: roles.map(|role| self.access_name(*role)).collect(),
            policy: self.state.governing(Access::Task(*id)).map(|policy| policy.id.to_string()),
            may_run: allowed.is_some(),
            may_ask: *enabled && self.may_ask(Access::Task(*id)),
            authorization,
            authorizations,
            until: allowed.and_then(|allowed| allowed.end).map(at),
        }
    }

    pub(in crate::http) fn role(&self, role: &Role) -> wire::Role {
        let Role { id, spec, enabled } = role;
        let RoleSpec { name, description, tasks, digest } = spec;
        let access = Access::Role(*id);
        wire::Role {
            id: id.to_string(),
            name: name.to_string(),
            scope: name.scope().to_owned(),
            description: description.clone(),
            tasks: tasks.iter().map(|task| self.access_name(Access::Task(*task))).collect(),
            digest: digest.to_string(),
            enabled: *enabled,
            policy: self.state.policy_on(access).map(|policy| policy.id.to_string()),
            may_ask: *enabled && self.may_ask(access),
        }
    }

    pub(in crate::http) fn role_group(&self, role_group: &RoleGroup) -> wire::RoleGroup {
        let RoleGroup { id, spec, enabled } = role_group;
        let RoleGroupSpec { name, description, roles, digest } = spec;
        let access = Access::RoleGroup(*id);
        wire::RoleGroup {
            id: id.to_string(),
            name: name.to_string(),
            scope: name.scope().to_owned(),
            description: description.clone(),
            roles: roles.iter().map(|role| self.access_name(Access::Role(*role))).collect(),
            digest: digest.to_string(),
            enabled: *enabled,
            policy: self.state.policy_on(access).map(|policy| policy.id.to_string()),
            may_ask: *enabled && self.may_ask(access),
        }
    }

    fn may_ask(&self, access: Access) -> bool {
        self.state.governing(access).is_some_and(|policy| self.state.may_ask(policy, self.viewer))
    }
}

fn parameter(spec: &ParameterSpec) -> wire::Parameter {
    let ParameterSpec { name, kind, list, required, default, secret, description, limits } = spec;
    let Limits { one_of, pattern, min, max, min_length, max_length, allow_leading_dash } = limits;
    wire::Parameter {
        name: name.to_string(),
        kind: match kind {
            ParameterKind::Text => wire::ParameterType::String,
            ParameterKind::Integer => wire::ParameterType::Integer,
            ParameterKind::Boolean => wire::ParameterType::Boolean,
        },
        list: *list,
        required: *required,
        default: default.as_ref().map(value),
        secret: *secret,
        description: description.clone(),
        one_of: one_of.iter().map(value).collect(),
        pattern: pattern.as_ref().map(|pattern| pattern.source().to_owned()),
        min: *min,
        max: *max,
        min_length: *min_length,
        max_length: *max_length,
        allow_leading_dash: *allow_leading_dash,
    }
}
