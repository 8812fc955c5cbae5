//! Style, scripts and pictures: parts of the program, at addresses that change with what they hold.

use std::sync::LazyLock;

use axum::Router;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use sha2::{Digest as _, Sha256};

use crate::gate::Site;

struct Asset {
    /// `/assets/` and its name with a part of its hash.
    path: String,
    kind: &'static str,
    bytes: &'static [u8],
}

impl Asset {
    fn new(name: &str, kind: &'static str, bytes: &'static [u8]) -> Self {
        let hash = Sha256::digest(bytes);
        let hash: String = hash.iter().take(6).map(|byte| format!("{byte:02x}")).collect();
        let (stem, extension) = name.split_once('.').unwrap_or((name, ""));
        Self { path: format!("/assets/{stem}-{hash}.{extension}"), kind, bytes }
    }
}

macro_rules! assets {
    ($($function:ident $name:literal $kind:literal,)*) => {
        $(
            #[doc = concat!("Where ", $name, " is.")]
            pub(crate) fn $function() -> &'static str {
                static ASSET: LazyLock<Asset> =
                    LazyLock::new(|| Asset::new($name, $kind, include_bytes!(concat!("../assets/", $name))));
                &ASSET.path
            }
        )*

        static ALL: LazyLock<Vec<Asset>> = LazyLock::new(|| vec![
            $(Asset::new($name, $kind, include_bytes!(concat!("../assets/", $name))),)*
        ]);
    };
}

assets! {
    style "brevet.css" "text/css; charset=utf-8",
    script "brevet.js" "text/javascript; charset=utf-8",
    asking "asking.js" "text/javascript; charset=utf-8",
    output "output.js" "text/javascript; charset=utf-8",
    copy_script "copy.js" "text/javascript; charset=utf-8",
    set_up_script "setup.js" "text/javascript; charset=utf-8",
    inbox "inbox.js" "text/javascript; charset=utf-8",
    icons "icons.svg" "image/svg+xml",
    mark "mark.svg" "image/svg+xml",
    verify "verify.js" "text/javascript; charset=utf-8",
}

pub(crate) fn routes() -> Router<Site> {
    Router::new().route("/assets/{name}", get(asset))
}

async fn asset(address: Uri) -> Response {
    let Some(asset) = ALL.iter().find(|asset| asset.path == address.path()) else {
        return (StatusCode::NOT_FOUND, "there is no such file; reload the page\n").into_response();
    };
    // What it holds never changes under this address.
    let headers = [(CONTENT_TYPE, asset.kind), (CACHE_CONTROL, "public, max-age=31536000, immutable")];
    (headers, asset.bytes).into_response()
}
