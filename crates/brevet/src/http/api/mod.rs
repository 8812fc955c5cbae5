//! The handlers, and their routes. Each reads its input, calls one use case and shows the answer.

mod access_control;
mod asof;
mod assignments;
mod audit;
mod authorizations;
mod bundles;
mod catalog;
mod check;
mod executions;
mod export;
mod groups;
mod ledger_files;
mod ledger_keeping;
mod ledger_keys;
mod ledger_proofs;
mod output;
mod policies;
mod position;
mod requests;
mod scan;
mod session;
mod users;

use super::route::{Caller, Routes};
use super::view::View;
pub(super) use asof::whose;

/// All routes, part by part.
pub(super) const PARTS: &[fn(Routes) -> Routes] = &[
    session::routes,
    users::routes,
    groups::routes,
    access_control::routes,
    catalog::routes,
    assignments::routes,
    policies::routes,
    requests::routes,
    authorizations::routes,
    executions::routes,
    check::routes,
    audit::routes,
    asof::routes,
    bundles::routes,
    export::routes,
    ledger_files::routes,
    ledger_keys::routes,
    ledger_proofs::routes,
    position::routes,
    ledger_keeping::routes,
];

impl Caller {
    /// What the caller sees of the last durable state. Held for a moment only.
    fn view<T>(&self, see: impl FnOnce(&View<'_>) -> T) -> T {
        self.app.read(|state| see(&View::of(self, state)))
    }

    /// Whether lists of requests, authorizations and runs hold only their own.
    #[expect(
        clippy::redundant_closure_for_method_calls,
        reason = "the method's lifetime is one, the closure's any"
    )]
    fn sees_only_own(&self) -> bool {
        self.view(|view| view.sees_only_own())
    }
}
