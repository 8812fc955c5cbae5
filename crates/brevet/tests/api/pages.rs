//! The pages: who gets in, what a form must come from, what a browser is told. What they look like is for `browser/`.

use axum::body::Body;
use axum::http::{HeaderMap, Method, Request, StatusCode};
use serde_json::json;

use super::office::{Answer, Office, PASSWORD};

/// A browser's question, from a page of this server unless it says otherwise.
pub(super) async fn browse(
    office: &Office,
    who: Option<&str>,
    method: Method,
    path: &str,
    form: &str,
    site: &str,
) -> Answer {
    let mut request = Request::builder().method(method).uri(path).header("host", "brevet.example");
    if let Some(who) = who {
        request = request.header("cookie", format!("__Host-brevet-session={}", office.token(who)));
    }
    if !site.is_empty() {
        request = request.header("sec-fetch-site", site);
    }
    if !form.is_empty() {
        request = request.header("content-type", "application/x-www-form-urlencoded");
    }
    office.raw(request.body(Body::from(form.to_owned())).unwrap()).await
}

pub(super) async fn look(office: &Office, who: &str, path: &str) -> Answer {
    browse(office, Some(who), Method::GET, path, "", "none").await
}

pub(super) async fn send(office: &Office, who: &str, path: &str, form: &str) -> Answer {
    browse(office, Some(who), Method::POST, path, form, "same-origin").await
}

pub(super) fn text(answer: &Answer) -> String {
    String::from_utf8(answer.body.clone()).unwrap()
}

pub(super) fn cookies(headers: &HeaderMap) -> Vec<String> {
    headers.get_all("set-cookie").iter().map(|value| value.to_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn whoever_is_not_signed_in_is_led_to_the_door_and_back() {
    let office = Office::open().await;
    let led = browse(&office, None, Method::GET, "/requests/req-1?x=1", "", "none").await;
    assert_eq!(
        (led.status, &led.headers["location"]),
        (StatusCode::SEE_OTHER, &"/sign-in?next=%2Frequests%2Freq-1%3Fx%3D1".parse().unwrap())
    );
    let form = format!("name=rita&password={}&next=%2Frequests%2Freq-1%3Fx%3D1", PASSWORD.replace(' ', "+"));
    let entered = browse(&office, None, Method::POST, "/sign-in", &form, "same-origin").await;
    assert_eq!(
        (entered.status, &entered.headers["location"]),
        (StatusCode::SEE_OTHER, &"/requests/req-1?x=1".parse().unwrap())
    );
    let session = cookies(&entered.headers).into_iter().find(|cookie| cookie.contains("session")).unwrap();
    assert!(session.starts_with("__Host-brevet-session=brevet_"), "{session}");
    assert!(session.ends_with("; Path=/; Secure; HttpOnly; SameSite=Lax"), "{session}");
}

#[tokio::test]
async fn a_wrong_password_is_told_without_saying_what_was_wrong() {
    let office = Office::open().await;
    for form in ["name=rita&password=wrong+password", "name=nobody&password=wrong+password"] {
        let refused = browse(&office, None, Method::POST, "/sign-in", form, "same-origin").await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(cookies(&refused.headers).iter().all(|cookie| !cookie.contains("session")));
        assert!(!text(&refused).contains("wrong password"), "what was typed does not come back");
    }
}

#[tokio::test]
async fn a_form_of_another_site_does_nothing() {
    let office = Office::open().await;
    let id = office.ask().await;
    let decide = format!("/requests/{id}/decide");
    for site in ["cross-site", "same-site", "none", ""] {
        let refused = browse(&office, Some("anna"), Method::POST, &decide, "verdict=approve", site).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN, "{site}");
        let signed_out = browse(&office, Some("anna"), Method::POST, "/sign-out", "", site).await;
        assert_eq!(signed_out.status, StatusCode::FORBIDDEN, "{site}");
    }
    assert_eq!(office.get("rita", &format!("/requests/{id}")).await.ok()["status"], "pending");
    assert_eq!(send(&office, "anna", &decide, "verdict=approve").await.status, StatusCode::SEE_OTHER);
    assert_eq!(office.get("rita", &format!("/requests/{id}")).await.ok()["status"], "approved");
}

#[tokio::test]
async fn only_a_stated_verdict_decides() {
    let office = Office::open().await;
    let id = office.ask().await;
    for form in ["comment=x", "verdict=", "verdict=APPROVE", "verdict=yes"] {
        let refused = send(&office, "anna", &format!("/requests/{id}/decide"), form).await;
        assert!(refused.status.is_client_error(), "{form}: {}", refused.status);
    }
    assert_eq!(office.get("rita", &format!("/requests/{id}")).await.ok()["status"], "pending");
}

#[tokio::test]
async fn a_form_sent_twice_is_done_once() {
    let office = Office::open().await;
    let id = office.ask().await;
    let form = "key=drawn-for-this-form&verdict=approve&comment=ok";
    for _ in 0..2 {
        let sent = send(&office, "anna", &format!("/requests/{id}/decide"), form).await;
        assert_eq!(sent.status, StatusCode::SEE_OTHER);
    }
    let decisions = office.get("rita", &format!("/requests/{id}")).await.ok()["decisions"].clone();
    assert_eq!(decisions.as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_page_names_every_script_and_style_and_lets_nothing_else_run() {
    let office = Office::open().await;
    let (first, second) =
        (look(&office, "rita", "/requests").await, look(&office, "rita", "/requests").await);
    let policy = |answer: &Answer| answer.headers["content-security-policy"].to_str().unwrap().to_owned();
    assert_ne!(policy(&first), policy(&second), "a nonce is used once");
    for answer in [&first, &second] {
        let policy = policy(answer);
        assert!(policy.starts_with("default-src 'none'; script-src 'nonce-"), "{policy}");
        for never in ["unsafe", "http:", "https:", "*", "data:"] {
            assert!(!policy.contains(never), "{never} in {policy}");
        }
        let nonce = policy.split_once("'nonce-").unwrap().1.split_once('\'').unwrap().0.to_owned();
        let page = text(answer);
        let named = page.matches("<script").count() + page.matches("<link rel=\"stylesheet\"").count();
        assert_eq!(page.matches(&format!("nonce=\"{nonce}\"")).count(), named);
        assert!(!page.contains(" style=") && !page.contains(" onclick"));
        assert_eq!(answer.headers["cache-control"], "no-store");
        assert_eq!(answer.headers["x-content-type-options"], "nosniff");
    }
}

#[tokio::test]
async fn what_people_write_is_text_in_every_page() {
    let office = Office::open().await;
    let reason = "<script>alert(1)</script><img src=x onerror=alert(1)>\"'";
    let ask = serde_json::json!({"task": "Linux/Echo", "reason": reason});
    let id = office.post("rita", "/requests", ask).await.ok()["id"].as_str().unwrap().to_owned();
    for path in ["/requests?show=all".to_owned(), format!("/requests/{id}")] {
        let page = text(&look(&office, "anna", &path).await);
        assert!(
            page.contains("alert(1)") && !page.contains("<script>alert") && !page.contains("<img src=x"),
            "{path}"
        );
    }
}

#[tokio::test]
async fn signing_out_ends_the_session_and_a_token_is_in_no_page() {
    let office = Office::open().await;
    for path in ["/", "/access", "/requests", "/account"] {
        assert!(!text(&look(&office, "rita", path).await).contains(office.token("rita")), "{path}");
    }
    let out = send(&office, "rita", "/sign-out", "").await;
    assert!(cookies(&out.headers).iter().any(|cookie| cookie.starts_with("__Host-brevet-session=;")));
    assert_eq!(look(&office, "rita", "/requests").await.status, StatusCode::SEE_OTHER);
    office.get("rita", "/whoami").await.problem(401);
}

#[tokio::test]
async fn a_page_that_is_not_there_is_a_page_and_the_api_keeps_its_problems() {
    let office = Office::open().await;
    let missing = look(&office, "rita", "/no-such-page").await;
    assert_eq!(missing.status, StatusCode::NOT_FOUND);
    assert!(missing.headers["content-type"].to_str().unwrap().starts_with("text/html"));
    assert_eq!(office.get("rita", "/no-such-thing").await.problem(404), "not-found");
    // The cookie is for pages: the API takes a token that a page of another site cannot send.
    let cookie = format!("__Host-brevet-session={}", office.token("rita"));
    let request =
        Request::builder().uri("/api/v1/whoami").header("cookie", cookie).body(Body::empty()).unwrap();
    assert_eq!(office.raw(request).await.problem(401), "not-signed-in");
}

#[tokio::test]
async fn a_page_left_open_does_not_keep_its_session_alive() {
    let office = Office::open().await;
    let before = office.app.published().size;
    for path in ["/live", "/requests"] {
        let cookie = format!("__Host-brevet-session={}", office.token("rita"));
        let request = Request::builder().uri(path).header("cookie", cookie).header("brevet-unattended", "1");
        assert_eq!(office.raw(request.body(Body::empty()).unwrap()).await.status, StatusCode::OK, "{path}");
    }
    assert_eq!(office.app.published().size, before, "looking changes nothing");
}

#[tokio::test]
async fn all_roles_that_can_be_asked_for_are_on_some_page() {
    let office = Office::open().await;
    let names: Vec<String> = (0..205).map(|n| format!("Role-{n:03}")).collect();
    let roles = names.iter().map(|name| format!("[[role]]\nname = \"{name}\"\ntasks = [\"Look\"]\n"));
    let tasks = format!(
        "[workload]\nname = \"Many\"\nkind = \"command\"\n[[task]]\nname = \"Look\"\ndescription = \"Looks\"\n\
         run = [\"/usr/bin/true\"]\n{}[[role_group]]\nname = \"All\"\nroles = {names:?}\n",
        roles.collect::<String>()
    );
    std::fs::write(office.folder.path().join("tasks.d/many.toml"), tasks).unwrap();
    office.app.reload().await.unwrap_or_else(|error| panic!("{error}"));
    let policy = json!({"role_group": "Many/All", "approval_type": "manual"});
    office.post("ada", "/policies", policy).await.ok();
    let (mut found, mut path) = (Vec::new(), "/access".to_owned());
    for pages in 1.. {
        let page = text(&look(&office, "rita", &path).await);
        let rows: Vec<_> = page.split("aria-label=\"Ask for ").skip(1).collect();
        assert!((1..=100).contains(&rows.len()), "{} on {path}", rows.len());
        found.extend(rows.iter().map(|row| row.split('"').next().unwrap_or_default().to_owned()));
        let Some((before, _)) = page.split_once("rel=\"next\"") else {
            assert_eq!(pages, 3);
            break;
        };
        let link = before.rsplit("href=\"").next().unwrap_or_default();
        path = link.split(['"', '#']).next().unwrap_or_default().replace("&amp;", "&").replace("&#38;", "&");
    }
    found.sort();
    let of_many = names.iter().map(|name| format!("Many\\{name}"));
    let mut all: Vec<_> =
        of_many.chain(["Many\\All", "Many\\Look", "Linux\\Echo"].map(str::to_owned)).collect();
    all.sort();
    assert_eq!(found, all);
}
