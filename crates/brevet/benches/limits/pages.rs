//! What the pages of the web admin center take of the server: from the request to the last byte, without a network.
//!
//! The ledger is that of `history`: 1,000,000 requests of 10,000 people.

use std::future::Future;

use axum::body::Body;
use axum::http::header::COOKIE;
use axum::http::{Request, StatusCode};
use brevet::app::App;
use brevet::http::{Front, service};
use brevet_core::{Command, NewUser, Reply, Secret, UserId};
use http_body_util::BodyExt as _;
use tower::ServiceExt as _;

use super::Outcome;
use super::history::Historian;
use super::measure::{Sizes, clock, float, folder};
use super::organization::{ADMINISTRATOR, user};
use super::server;
use super::table::{Bar, Line, Unit, note};

type Failure = Box<dyn std::error::Error>;

const SERVED_MAX_MICROSECONDS: f64 = 10_000.0;
const PASSWORD: &str = "correct horse battery staple";
/// Times that each page is looked at.
const VIEWS: usize = 300;

/// Who looks at which pages.
const PAGES: &[(&str, u32, &[&str])] = &[
    (
        "person-55",
        58,
        &[
            "/",
            "/access",
            "/requests",
            "/requests?show=mine",
            "/requests?show=all",
            "/requests/new?task=Linux/True",
            "/tasks",
            "/tasks/Linux/True",
            "/authorizations",
            "/executions",
        ],
    ),
    (
        "anna",
        2,
        &[
            "/",
            "/requests",
            "/requests?show=for-me",
            "/requests?show=all",
            "/requests?show=pending",
            "/requests?show=denied",
            "/requests/req-500000",
            "/authorizations",
            "/executions",
        ],
    ),
    (
        "ada",
        1,
        &[
            "/",
            "/people",
            "/people/person-9000",
            "/people/new",
            "/groups",
            "/groups/Approvers",
            "/policies",
            "/policies/pol-1",
            "/policies/new",
            "/policies/explain?user=person-55&task=Linux/True",
            "/assignments",
            "/access-control",
            "/account",
        ],
    ),
];

/// The same for an auditor; each look is an entry of the ledger, on the disk before it is answered.
const AUDITED: &[&str] = &[
    "/audit",
    "/audit?kind=request.submitted",
    "/audit?text=INC-20417",
    "/audit/700000",
    "/audit/700000/proof",
    "/audit/ledger",
    "/audit/verify",
    "/audit/as-of",
    "/audit/export",
];

pub(crate) fn measure(sizes: &Sizes) -> Outcome {
    let [_, many] = sizes.requests;
    let data = folder()?;
    let mut historian = Historian::open(data.path(), many)?;
    // Most come to nothing; a hundredth of them is used, so that there are authorizations and runs.
    historian.write_requests(many / 100, many)?;
    note(&format!("{many} requests in {} entries", historian.entries()));
    historian.anchor(data.path())?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let app = runtime.block_on(server::open(data.path()))?;
    let front = service(app.clone(), false);
    for (name, number, pages) in PAGES {
        let cookie = runtime.block_on(sign_in(&app, name, UserId::new(*number)))?;
        for page in *pages {
            runtime.block_on(of_page(&front, name, &cookie, page))?;
        }
    }
    let otto = NewUser { auditor: true, ..user("otto")? };
    let made = runtime.block_on(app.command(ADMINISTRATOR, Command::AddUser(otto), None))?;
    let Reply::User(otto) = made.reply else { return Err("not a user".into()) };
    let cookie = runtime.block_on(sign_in(&app, "otto", otto))?;
    for page in AUDITED {
        runtime.block_on(of_page(&front, "otto", &cookie, page))?;
    }
    Ok(())
}

async fn sign_in(app: &App, name: &str, user: UserId) -> Result<String, Failure> {
    let code = app.issue_code(ADMINISTRATOR, user, None).await?.code;
    let password = Secret::new(PASSWORD.to_owned());
    let signed_in = app.enrol(name, code, password, "127.0.0.1").await?;
    Ok(signed_in.token.reveal(|token| format!("__Host-brevet-session={token}")))
}

async fn of_page(front: &Front, name: &str, cookie: &str, page: &str) -> Outcome {
    let (mut times, mut bytes) = (Vec::new(), 0);
    for _ in 0..VIEWS {
        let start = clock();
        bytes = view(front, cookie, page).await?;
        times.push(start.elapsed().as_secs_f64() * 1e6);
    }
    times.sort_unstable_by(f64::total_cmp);
    Line {
        what: format!("{name}: {page} ({:.1} KiB)", float(bytes as u64) / 1024.0),
        limit_is: "the number to reach, p99",
        unit: Unit::Microseconds,
        ours: times[VIEWS * 99 / 100],
        limit: SERVED_MAX_MICROSECONDS,
        bar: Bar::AtMost(1.0),
    }
    .print();
    Ok(())
}

fn view(front: &Front, cookie: &str, page: &str) -> impl Future<Output = Result<usize, Failure>> {
    let request = Request::builder().uri(page).header(COOKIE, cookie).body(Body::empty());
    let front = front.clone();
    let page = page.to_owned();
    async move {
        let Ok(response) = front.oneshot(request?).await;
        let status = response.status();
        let body = response.into_body().collect().await?.to_bytes();
        match status {
            StatusCode::OK => Ok(body.len()),
            _ => Err(format!("{page} is answered {status}").into()),
        }
    }
}
