//! The overview: what waits, what is in force, and for those who oversee what the whole house does.

use askama::Template;
use axum::Router;
use axum::routing::get;
use brevet_wire::{AccessControl, Authorization, Basis, Execution, Health, Ledger, List, Request, Uncovered};

use super::start::has_steps_left;
use crate::failure::{Answer, Failure};
use crate::filters;
use crate::gate::{Site, Visit};
use crate::page::{Here, Page, show};
use crate::time_line::{self, TimeLine};

pub(crate) fn routes() -> Router<Site> {
    Router::new().route("/", get(overview))
}

#[derive(Template)]
#[template(path = "overview.html")]
struct OverviewPage {
    page: Page,
    for_me: List<Request>,
    mine: List<Authorization>,
    pending: List<Request>,
    house: Option<House>,
}

/// What those who oversee are shown.
struct House {
    in_force: String,
    running: String,
    pending: String,
    access_control: AccessControl,
    /// Whether an administrator has steps of the first start left.
    has_start_left: bool,
    ledger: Ledger,
    health: Health,
    standing: Standing,
    time_line: TimeLine,
    /// Whether more happened in the last day than is looked at.
    is_cut: bool,
}

/// Runs of the last day, by why they were allowed.
#[derive(Default)]
struct Standing {
    authorized: usize,
    system_account: usize,
    access_control_off: usize,
    uncovered: usize,
}

async fn overview(visit: Visit) -> Answer {
    let api = &visit.api;
    let for_me = api.get("/requests?for_me=true&limit=5").await?;
    let mine = api.get("/authorizations?mine=true&state=active&limit=10").await?;
    let pending = api.get("/requests?mine=true&status=pending&limit=5").await?;
    let house = match visit.administers() || visit.audits() {
        true => Some(house(&visit).await?),
        false => None,
    };
    let page = visit.page("Overview", Here::Overview);
    show(&OverviewPage { page, for_me, mine, pending, house })
}

async fn house(visit: &Visit) -> Result<House, Failure> {
    let (api, now) = (&visit.api, visit.now());
    let in_force: List<Authorization> = api.get("/authorizations?state=active&limit=20").await?;
    let ended: List<Authorization> = api.get("/authorizations?state=ended&limit=20").await?;
    let running: List<Execution> = api.get("/executions?running=true&limit=20").await?;
    let executions: List<Execution> = api.get("/executions?limit=50").await?;
    let pending: List<Request> = api.get("/requests?status=pending&limit=20").await?;
    let began = now.as_second() - time_line::SECONDS;
    let is_recent = |execution: &&Execution| execution.started_at.0.as_second() >= began;
    let ended_recently = |authorization: &Authorization| {
        authorization.ended_at.is_none_or(|ended| ended.0.as_second() >= began)
    };
    let is_cut = (executions.next.is_some() && executions.items.last().as_ref().is_some_and(is_recent))
        || (ended.next.is_some() && ended.items.last().is_some_and(ended_recently))
        || in_force.next.is_some();
    let authorizations: Vec<_> = in_force.items.iter().chain(&ended.items).cloned().collect();
    let access_control: AccessControl = api.get("/access-control").await?;
    Ok(House {
        has_start_left: visit.administers() && has_steps_left(visit, &access_control).await?,
        in_force: count(&in_force),
        running: count(&running),
        pending: count(&pending),
        access_control,
        ledger: api.get("/ledger").await?,
        health: api.get("/health").await?,
        standing: Standing::of(executions.items.iter().filter(is_recent)),
        time_line: TimeLine::new(&authorizations, &executions.items, now),
        is_cut,
    })
}

/// How many there are, as far as one page knows: `20+` where there are more.
fn count<T>(list: &List<T>) -> String {
    let more = if list.next.is_some() { "+" } else { "" };
    format!("{}{more}", list.items.len())
}

impl Standing {
    fn of<'a>(executions: impl Iterator<Item = &'a Execution>) -> Self {
        let mut standing = Self::default();
        for execution in executions {
            match execution.basis {
                Basis::Authorization => standing.authorized += 1,
                Basis::SystemAccount => standing.system_account += 1,
                Basis::AccessControlOff => standing.access_control_off += 1,
                Basis::Uncovered => standing.uncovered += 1,
            }
        }
        standing
    }

    fn without_approval(&self) -> usize {
        self.system_account + self.access_control_off + self.uncovered
    }
}
