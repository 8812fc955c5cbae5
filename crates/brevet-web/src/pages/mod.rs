//! The pages, one file for each part of the navigation. Each asks the API, fills a template in, and sends a form on.

mod access;
mod account;
mod audit;
mod live;
mod requests;
mod sign_in;

use axum::Router;
use axum::middleware::from_fn_with_state;

use crate::failure::Failure;
use crate::gate::{self, Site};

/// What can be seen without being signed in.
pub(crate) fn guests(site: &Site) -> Router<Site> {
    sign_in::routes().layer(from_fn_with_state(site.clone(), gate::guest))
}

/// What needs somebody; also what is not there at all.
pub(crate) fn members(site: &Site) -> Router<Site> {
    let pages = [access::routes, account::routes, audit::routes, live::routes, requests::routes];
    let pages = pages.into_iter().fold(Router::new(), |router, part| router.merge(part()));
    pages.fallback(unknown).layer(from_fn_with_state(site.clone(), gate::member))
}

async fn unknown() -> Failure {
    Failure::not_found("there is no such page here")
}
