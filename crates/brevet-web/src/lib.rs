//! The web admin center: pages and forms over the API, in one binary with the server.
//!
//! A browser's request passes the `gate` (where it comes from, who is signed in), then a page of `pages`, which asks the
//! `api` in the name of that person and fills a template in. Every page works without scripts, but for what is live.
//!
//! Never here: a permission, a policy, stored data. What a page shows and does is what the API allows to whoever looks at it,
//! since there is no other way in: the crate knows the API's JSON and nothing of what is behind it.
#![forbid(unsafe_code)]

mod api;
mod assets;
mod cookie;
mod extract;
mod failure;
mod fields;
mod filters;
mod form;
mod gate;
mod page;
mod pages;
mod said;
mod show;
mod tail;
mod time_line;
mod world;

use axum::Router;

pub use world::World;

/// The pages over the routes of the API.
pub fn router(api: Router, world: impl World) -> Router {
    let site = gate::Site::new(api, world);
    let pages = pages::guests(&site).merge(pages::members(&site));
    pages.merge(assets::routes()).with_state(site)
}
