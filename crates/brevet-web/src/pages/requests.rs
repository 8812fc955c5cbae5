//! Access requests: the inbox of those who decide, and the list of those who ask.

mod detail;
mod list;
mod many;

use axum::Router;
use axum::response::Response;
use axum::routing::get;

use crate::api::segment;
use crate::extract::Path;
use crate::gate::{Site, go};

pub(crate) fn routes() -> Router<Site> {
    Router::new()
        .route("/requests", get(list::list))
        .route("/requests/decide", get(to_list).post(many::decide))
        .route("/requests/{id}", get(detail::detail))
        .route("/requests/{id}/decide", get(to_detail).post(detail::decide))
        .route("/requests/{id}/cancel", get(to_detail).post(detail::cancel))
        .route("/requests/{id}/revoke", get(to_detail).post(detail::revoke))
}

/// The address that a form leaves behind leads to where it was.
async fn to_list() -> Response {
    go("/requests")
}

async fn to_detail(Path(id): Path<String>) -> Response {
    go(&format!("/requests/{}", segment(&id)))
}
