//! My access: what somebody can run now, and what they can ask for.

use askama::Template;
use axum::Router;
use axum::routing::get;
use brevet_wire::{Authorization, List, Task};

use crate::failure::Answer;
use crate::filters;
use crate::gate::{Site, Visit};
use crate::page::{Here, Page, show};

pub(crate) fn routes() -> Router<Site> {
    Router::new().route("/access", get(access))
}

#[derive(Template)]
#[template(path = "access/list.html")]
struct AccessPage {
    page: Page,
    authorizations: Vec<Authorization>,
    tasks: Vec<Task>,
}

async fn access(visit: Visit) -> Answer {
    let authorizations: List<Authorization> = visit.api.get("/authorizations?mine=true&state=active").await?;
    let tasks: List<Task> = visit.api.get("/tasks?limit=200").await?;
    show(&AccessPage {
        page: visit.page("My access", Here::Access),
        authorizations: authorizations.items,
        tasks: tasks.items,
    })
}
