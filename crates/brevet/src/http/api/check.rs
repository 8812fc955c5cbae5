//! Whether a run would be allowed. This is the answer that has to be quick: no disk, no other thread.

use brevet_core::may_run_open;
use brevet_wire as wire;

use crate::http::answer::shown;
use crate::http::extract::Given;
use crate::http::operation::operation;
use crate::http::problem::{Answer, Failure};
use crate::http::route::{Caller, Permission, Routes};
use crate::http::take;
use crate::http::view::permission;

pub(super) fn routes(routes: Routes) -> Routes {
    routes.post("/api/v1/check", Permission::SignedIn, check, {
        operation("check", "Says whether the caller could run a task now; nothing runs")
            .note("A no is a problem, the same as for the run itself.")
            .takes::<wire::Check>()
            .shows::<wire::Permission>("They could, and on what terms.")
    })
}

async fn check(caller: Caller, given: Given<wire::Check>) -> Answer {
    let wire::Check { task, parameters } = &given.value;
    let task = take::qualified("task", task)?;
    let now = caller.app.now();
    let verdict = caller.app.read(|state| {
        let values = take::bound(state, &task, parameters)?;
        may_run_open(state, now, caller.user(), &task, &values).map_err(Failure::from)
    });
    match verdict {
        Ok(allowed) => shown(&permission(&allowed)),
        Err(failure) => Err(failure.asking_with(parameters)),
    }
}
