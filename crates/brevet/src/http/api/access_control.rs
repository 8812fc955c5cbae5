//! The switch of the whole organization.

use brevet_core::{AccessControlChange, Command, Uncovered};
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
    let wire::EnableAccessControl { default_approver_group, system_accounts, uncovered } = &given.value;
    let change = caller.app.read(|state| {
        Ok::<_, Failure>(AccessControlChange {
            default_approver_group: take::group(state, default_approver_group)?,
            system_accounts: system_accounts
                .iter()
                .map(|user| take::user(state, user))
                .collect::<Result<_, _>>()?,
            uncovered: match uncovered {
                None | Some(wire::Uncovered::Refused) => Uncovered::Refused,
                Some(wire::Uncovered::Assigned) => Uncovered::Assigned,
            },
        })
    })?;
    act(&caller, Command::EnableAccessControl(change), given.key).await
}

async fn disable(caller: Caller, given: Given<Nothing>) -> Answer {
    act(&caller, Command::DisableAccessControl, given.key).await
}

async fn act(caller: &Caller, command: Command, key: Option<crate::app::IdempotencyKey>) -> Answer {
    let done = caller.app.command(caller.origin(), command, key).await?;
    changed(&done, &caller.view(|view| view.access_control()))
}
