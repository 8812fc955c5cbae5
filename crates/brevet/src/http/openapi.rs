//! The OpenAPI document, made of the routes themselves.

use std::collections::BTreeMap;

use axum::http::Method;
use utoipa::openapi::path::{HttpMethod, PathItem, Paths};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{Components, ContactBuilder, InfoBuilder, LicenseBuilder, OpenApi, OpenApiBuilder};

use super::route::Listed;

/// The document of these routes.
pub(super) fn document(routes: Vec<Listed>) -> OpenApi {
    let mut paths = Paths::new();
    let mut schemas = BTreeMap::new();
    for listed in routes {
        let path = listed.shown_path();
        let Listed { method, path: _, permission, operation } = listed;
        let (operation, named) = operation.build(&path, permission);
        schemas.extend(named);
        let item = PathItem::new(http_method(&method), operation);
        match paths.paths.get_mut(&path) {
            Some(known) => known.merge_operations(item),
            None => drop(paths.paths.insert(path, item)),
        }
    }
    let token = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .description(Some("The token of a session: `POST /api/v1/sessions`."))
        .build();
    let mut components = Components::new();
    components.schemas.extend(schemas);
    components.add_security_scheme("token", SecurityScheme::Http(token));
    let info = InfoBuilder::new()
        .title("Brevet")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(ABOUT))
        .license(Some(LicenseBuilder::new().name("Apache-2.0").identifier(Some("Apache-2.0")).build()))
        .contact(Some(ContactBuilder::new().url(Some(env!("CARGO_PKG_REPOSITORY"))).build()))
        .build();
    OpenApiBuilder::new().info(info).paths(paths).components(Some(components)).build()
}

const ABOUT: &str = "\
Privileged access management: nobody holds standing power.

Every field of an answer is always there; unknown fields of an input are errors. Instants are RFC 3339 in UTC, lengths of \
time are strings such as `1h30m`, ids are strings such as `req-42`. Lists are pages: give `next` as `cursor`. Errors are \
`application/problem+json` (RFC 9457) with a stable `reason`. Nothing that one may not see is told from what does not exist. \
Every answer carries `Brevet-Position`: how many entries the ledger has with what was written, or with what was seen. A call \
that carries it too is answered from no less, whichever of several servers it reaches: that one waits for up to two seconds, \
or answers 503 with the reason `behind`. Answers to writes carry, where an entry says what the caller did, its index as \
`Brevet-Entry`: what `GET /api/v1/ledger/receipts/{index}` proves.";

fn http_method(method: &Method) -> HttpMethod {
    match *method {
        Method::POST => HttpMethod::Post,
        Method::PATCH => HttpMethod::Patch,
        Method::DELETE => HttpMethod::Delete,
        _ => HttpMethod::Get,
    }
}
