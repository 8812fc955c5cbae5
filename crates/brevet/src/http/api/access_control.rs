//! The switch of the whole organization.

use std::collections::BTreeSet;

use brevet_core::{AccessControl, AccessControlChange, Command, Refusal, State, Uncovered, UserId};
use brevet_wire as wire;

use crate::http::answer::{changed, shown};
use crate::http::extract::{Given, Nothing};
use crate::http::operation::operation;
use crate::http::problem::{Answer, Failure};
use crate::http::route::{Caller, Permission, Routes};
use crate::http::take;

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .get("/api/v1/access-control", Permission::SignedIn, show, {
            operation("show_access_control", "Shows the switch of the organization")
                .note("Which accounts are excluded is shown to administrators and auditors, and to such an account.")
                .shows::<wire::AccessControl>("The switch and its settings.")
        })
        .get("/api/v1/access-control/coverage", Permission::Oversight, coverage, {
            operation("show_coverage", "Shows how much of what is defined needs an approval while access control is on")
                .shows::<wire::Coverage>("What the switch changes.")
        })
        .post("/api/v1/access-control/enable", Permission::Administrator, enable, {
            operation("enable_access_control", "Switches access control on, or changes its settings")
                .note("With `seen` it is refused when somebody else changed it meanwhile.")
                .takes::<wire::EnableAccessControl>()
                .shows::<wire::AccessControl>("The switch and its settings.")
        })
        .post("/api/v1/access-control/disable", Permission::Administrator, disable, {
            operation("disable_access_control", "Switches access control off")
                .takes::<Nothing>()
                .shows::<wire::AccessControl>("The switch and its settings.")
        })
}

async fn show(caller: Caller) -> Answer {
    shown(&caller.view(|view| view.access_control()))
}

async fn coverage(caller: Caller) -> Answer {
    shown(&caller.view(|view| view.coverage()))
}

async fn enable(caller: Caller, given: Given<wire::EnableAccessControl>) -> Answer {
    let change = caller.app.read(|state| taken(state, &given.value))?;
    act(&caller, Command::EnableAccessControl(change), given.key).await
}

fn taken(state: &State, given: &wire::EnableAccessControl) -> Result<AccessControlChange, Failure> {
    let wire::EnableAccessControl { default_approver_group, system_accounts, uncovered, seen } = given;
    Ok(AccessControlChange {
        seen: seen.as_ref().map(|seen| taken_as_seen(state, seen)).transpose()?,
        default_approver_group: take::group(state, default_approver_group)?,
        system_accounts: users(state, system_accounts)?,
        uncovered: uncovered.map_or(Uncovered::Refused, is_uncovered),
    })
}

/// Who is not there any more cannot be in the settings either: these are others by now.
fn taken_as_seen(state: &State, seen: &wire::AccessControlSeen) -> Result<AccessControl, Failure> {
    let wire::AccessControlSeen { enabled, default_approver_group, system_accounts, uncovered } = seen;
    let group = default_approver_group.as_deref().map(|group| take::group(state, group)).transpose();
    let (Ok(default_approver_group), Ok(system_accounts)) = (group, users(state, system_accounts)) else {
        return Err(Refusal::access_control_changed().into());
    };
    let uncovered = is_uncovered(*uncovered);
    Ok(AccessControl { enabled: *enabled, default_approver_group, system_accounts, uncovered })
}

fn users(state: &State, named: &[String]) -> Result<BTreeSet<UserId>, Failure> {
    named.iter().map(|user| take::user(state, user)).collect()
}

const fn is_uncovered(given: wire::Uncovered) -> Uncovered {
    match given {
        wire::Uncovered::Refused => Uncovered::Refused,
        wire::Uncovered::Assigned => Uncovered::Assigned,
    }
}

async fn disable(caller: Caller, given: Given<Nothing>) -> Answer {
    act(&caller, Command::DisableAccessControl, given.key).await
}

async fn act(caller: &Caller, command: Command, key: Option<crate::app::IdempotencyKey>) -> Answer {
    let done = caller.app.command(caller.origin(), command, key).await?;
    changed(&done, &caller.view(|view| view.access_control()))
}
