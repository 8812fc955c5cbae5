//! The pages, one file for each part of the navigation. Each asks the API, fills a template in, and sends a form on.

mod access;
mod access_control;
mod account;
mod asking;
mod assignments;
mod audit;
mod authorizations;
mod catalog;
mod design;
mod executions;
mod groups;
mod history;
mod live;
mod overview;
mod people;
mod policies;
mod requests;
mod running;
mod sign_in;
mod start;

use axum::Router;
use axum::http::StatusCode;
use axum::middleware::from_fn_with_state;

use crate::failure::Failure;
use crate::gate::{self, Site, Visit};

/// What can be seen without being signed in.
pub(crate) fn guests(site: &Site) -> Router<Site> {
    sign_in::routes().layer(from_fn_with_state(site.clone(), gate::guest))
}

/// What needs somebody; also what is not there at all.
pub(crate) fn members(site: &Site) -> Router<Site> {
    let pages = [
        access::routes,
        access_control::routes,
        account::routes,
        asking::routes,
        assignments::routes,
        audit::routes,
        authorizations::routes,
        catalog::routes,
        design::routes,
        executions::routes,
        groups::routes,
        history::routes,
        live::routes,
        overview::routes,
        people::routes,
        policies::routes,
        requests::routes,
        running::routes,
        start::routes,
    ];
    let pages = pages.into_iter().fold(Router::new(), |router, part| router.merge(part()));
    pages
        .fallback(unknown)
        .method_not_allowed_fallback(wrong_method)
        .layer(from_fn_with_state(site.clone(), gate::member))
}

/// The most names that a form suggests while one is typed.
const NAMES_SUGGESTED_MAX: usize = 100;

/// Shows a form to those only whom the API would not refuse afterwards.
fn administrators_only(visit: &Visit) -> Result<(), Failure> {
    let detail = "only administrators can do this; ask one of them";
    match visit.administers() {
        true => Ok(()),
        false => Err(Failure::new(StatusCode::FORBIDDEN, "Not yours to change", detail)),
    }
}

/// A form that was shown again has the address that it was sent to, which shows nothing by itself.
async fn wrong_method() -> Failure {
    let detail = "this address takes a form and shows nothing by itself; go back to the page with the form";
    Failure::new(StatusCode::METHOD_NOT_ALLOWED, "Nothing to see", detail)
}

async fn unknown() -> Failure {
    Failure::not_found("there is no such page here")
}
