//! Forms of the pages: what they are a form of, and what becomes of what was typed when it cannot be done.

use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use serde_json::json;

use super::office::{Answer, Office};
use super::pages::{browse, cookies, look, send, text};

/// The value of a hidden field, as it is written in the page.
fn hidden(page: &str, name: &str) -> String {
    let field = page.split_once(&format!("name=\"{name}\" value=\"")).unwrap().1;
    let value = field.split_once('"').unwrap().0;
    let escapes = [("&#34;", "\""), ("&#39;", "'"), ("&#60;", "<"), ("&#62;", ">"), ("&#38;", "&")];
    escapes.into_iter().fold(value.to_owned(), |value, (escape, c)| value.replace(escape, c))
}

fn form(fields: &[(&str, &str)]) -> String {
    let escaped = |text: &str| text.bytes().map(|byte| format!("%{byte:02x}")).collect::<String>();
    fields.iter().map(|(name, value)| format!("{name}={}", escaped(value))).collect::<Vec<_>>().join("&")
}

#[tokio::test]
async fn a_review_of_access_control_changes_only_what_was_reviewed() {
    let office = Office::open().await;
    let review = "/access-control/review?group=Approvers&system_accounts=olaf&uncovered=refused";
    let reviewed = text(&look(&office, "ada", review).await);
    let meanwhile = json!({"default_approver_group": "Approvers", "system_accounts": ["rita"]});
    office.post("ada", "/access-control/enable", meanwhile).await.ok();

    let sent = |seen: &str| {
        form(&[("group", "Approvers"), ("system_accounts", "olaf"), ("uncovered", "refused"), ("seen", seen)])
    };
    let enable = "/access-control/enable";
    let told = send(&office, "ada", enable, &sent(&hidden(&reviewed, "seen"))).await;
    let again = text(&told);
    assert_eq!(told.status, StatusCode::CONFLICT);
    assert!(again.contains("Changed meanwhile: the system accounts."), "{again}");
    assert!(again.contains("<span class=\"before\">rita</span>"), "{again}");
    let now = office.get("ada", "/access-control").await.ok();
    assert_eq!(now["system_accounts"][0]["name"], "rita");

    assert_eq!(send(&office, "ada", enable, &sent("{")).await.status, StatusCode::BAD_REQUEST);
    let done = send(&office, "ada", enable, &sent(&hidden(&again, "seen"))).await;
    assert_eq!(done.status, StatusCode::SEE_OTHER);
    let now = office.get("ada", "/access-control").await.ok();
    assert_eq!(now["system_accounts"][0]["name"], "olaf");
}

#[tokio::test]
async fn a_policy_is_changed_and_removed_only_in_the_revision_that_a_form_is_of() {
    let office = Office::open().await;
    let remove = "/policies/pol-1/remove";
    let seen = hidden(&text(&look(&office, "ada", remove).await), "revision");
    let patch = json!({"max_uses": 3});
    office.send(Some("ada"), Method::PATCH, "/api/v1/policies/1", Some(patch)).await.ok();

    let told = send(&office, "ada", remove, &form(&[("revision", &seen)])).await;
    assert_eq!(told.status, StatusCode::CONFLICT);
    assert!(text(&told).contains("Nothing was removed"));
    for unreadable in ["", "two"] {
        let told = send(&office, "ada", remove, &form(&[("revision", unreadable)])).await;
        assert_eq!(told.status, StatusCode::BAD_REQUEST, "{unreadable}");
        let change = form(&[("approval_type", "manual"), ("do", "save"), ("revision", unreadable)]);
        let told = send(&office, "ada", "/policies/pol-1/edit", &change).await;
        assert_eq!(told.status, StatusCode::BAD_REQUEST, "{unreadable}");
        assert!(text(&told).contains("which revision"));
    }
    assert_eq!(office.get("ada", "/policies/1").await.ok()["revision"], 2);
    let removed = send(&office, "ada", remove, &form(&[("revision", "2")])).await;
    assert_eq!(removed.status, StatusCode::SEE_OTHER);
}

/// A form sent from a page of this server by somebody whose browser has seen this much of the ledger.
async fn sent_from(office: &Office, cookie: &str, from: &str, path: &str, form: &str) -> Answer {
    let request = Request::builder()
        .method(Method::POST)
        .uri(path)
        .header("host", "brevet.example")
        .header("sec-fetch-site", "same-origin")
        .header("referer", format!("https://brevet.example{from}"))
        .header("cookie", cookie)
        .header("content-type", "application/x-www-form-urlencoded");
    office.raw(request.body(Body::from(form.to_owned())).unwrap()).await
}

#[tokio::test]
async fn what_was_typed_is_kept_where_it_cannot_be_done_now() {
    let office = Office::open().await;
    let session = format!("__Host-brevet-session={}", office.token("rita"));
    // This server knows less of the ledger than the browser has seen.
    let ahead = format!("{session}; __Host-brevet-position={}", office.size() + 1);
    let ask = form(&[("task", "Linux\\Echo"), ("reason", "It <b>burns</b>"), ("key", "drawn-for-this-form")]);
    let kept = sent_from(&office, &ahead, "/requests/new", "/requests/new", &ask).await;
    assert_eq!(kept.status, StatusCode::SERVICE_UNAVAILABLE);
    let page = text(&kept);
    assert!(page.contains("action=\"/requests/new\"") && page.contains("<dt>reason</dt>"), "{page}");
    assert!(!page.contains("<b>burns"), "{page}");
    let fields = ["task", "reason", "key"].map(|name| (name, hidden(&page, name)));
    assert_eq!(fields[1].1, "It <b>burns</b>");
    let fields = fields.each_ref().map(|(name, value)| (*name, value.as_str()));
    for _ in 0..2 {
        let again = sent_from(&office, &session, "/requests/new", "/requests/new", &form(&fields)).await;
        assert_eq!(again.status, StatusCode::SEE_OTHER);
    }
    let requests = office.get("rita", "/requests?mine=true").await.ok();
    assert_eq!(requests["items"].as_array().unwrap().len(), 1, "{requests}");

    let secrets = form(&[("current", "hunter2"), ("new", "hunter3"), ("key", "drawn")]);
    let kept = text(&sent_from(&office, &ahead, "/account", "/account/password", &secrets).await);
    assert!(!kept.contains("hunter") && kept.contains("name=\"new\" type=\"password\""), "{kept}");
    let secret = form(&[("s.password", "hunter2"), ("key", "drawn")]);
    let kept =
        text(&sent_from(&office, &ahead, "/tasks/Linux/Login", "/tasks/Linux/Login/run", &secret).await);
    assert!(!kept.contains("hunter") && kept.contains("name=\"s.password\" type=\"password\""), "{kept}");
}

#[tokio::test]
async fn whoever_sends_a_form_signed_out_is_led_back_to_its_page() {
    let office = Office::open().await;
    let check = async |from: &str, path: &str, place: &str| {
        let led = sent_from(&office, "x=1", from, path, "reason=x").await;
        assert_eq!((led.status, &led.headers["location"]), (StatusCode::SEE_OTHER, &place.parse().unwrap()));
    };
    check(
        "/requests/new?task=Linux%5CEcho",
        "/requests/new",
        "/sign-in?next=%2Frequests%2Fnew%3Ftask%3DLinux%255CEcho",
    )
    .await;
    check("/requests/req-1", "/requests/req-1/decide", "/sign-in?next=%2Frequests%2Freq-1").await;
    check("/requests/req-1/decide", "/requests/req-1/decide", "/sign-in?next=%2Frequests").await;
}

#[tokio::test]
async fn a_key_that_cannot_be_one_is_told() {
    let office = Office::open().await;
    for key in ["with space", "é", "\n", &"x".repeat(300)] {
        let ask = form(&[("task", "Linux\\Echo"), ("reason", "because"), ("key", &format!("x{key}x"))]);
        let told = send(&office, "rita", "/requests/new", &ask).await;
        assert_eq!(told.status, StatusCode::BAD_REQUEST, "{key}");
        assert!(text(&told).contains("because"), "{key}");
    }
}

#[tokio::test]
async fn a_code_or_a_password_never_comes_back_in_a_form_that_is_shown_again() {
    let office = Office::open().await;
    let enrol = form(&[("name", "rita"), ("code", "one-time-hunter"), ("password", "hunter2")]);
    let told = browse(&office, None, Method::POST, "/sign-in/code", &enrol, "same-origin").await;
    assert_eq!(told.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(text(&told).contains("value=\"rita\"") && !text(&told).contains("hunter"));
    let empty = Office::empty().await;
    let set_up = form(&[("name", "ada"), ("code", "one-time-hunter"), ("password", "hunter2")]);
    let told = browse(&empty, None, Method::POST, "/setup", &set_up, "same-origin").await;
    assert!(text(&told).contains("value=\"ada\"") && !text(&told).contains("hunter"), "{}", text(&told));
}

#[tokio::test]
async fn what_cannot_be_read_is_told_as_a_page() {
    let office = Office::open().await;
    for path in [
        "/groups?cursor=%ff&cursor=x",
        "/groups/Approvers?from=many",
        "/groups/%ff",
        "/sign-in?next=a&next=b",
        "/audit?from=%ff&x=",
    ] {
        let told = look(&office, "aude", path).await;
        let kind = told.headers["content-type"].to_str().unwrap().to_owned();
        assert!(kind.starts_with("text/html"), "{path}: {kind}");
        assert!(told.status != StatusCode::INTERNAL_SERVER_ERROR, "{path}: {}", told.status);
    }
    let told = look(&office, "rita", "/groups/Approvers?from=many").await;
    assert_eq!(told.status, StatusCode::BAD_REQUEST);
    assert!(text(&told).contains("this address cannot be read"), "{}", text(&told));
    let odd = browse(&office, Some("rita"), Method::POST, "/requests/new", "reason=%ff", "same-origin").await;
    assert_eq!(odd.status, StatusCode::BAD_REQUEST);
    assert!(odd.headers["content-type"].to_str().unwrap().starts_with("text/html"));
}

#[tokio::test]
async fn what_was_done_is_said_once_and_is_in_no_address() {
    let office = Office::open().await;
    let session = format!("__Host-brevet-session={}", office.token("ada"));
    let group = form(&[("name", "Night Shift")]);
    let made = send(&office, "ada", "/groups", &group).await;
    assert_eq!(made.headers["location"], "/groups/grp-2");
    let said = cookies(&made.headers).into_iter().find(|cookie| cookie.contains("said")).unwrap();
    assert_eq!(said, "__Host-brevet-said=created; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=60");
    let look_with = async |cookie: &str, unattended: bool| {
        let mut request = Request::builder().uri("/groups/grp-2").header("cookie", cookie);
        if unattended {
            request = request.header("brevet-unattended", "1");
        }
        office.raw(request.body(Body::empty()).unwrap()).await
    };
    let saying = format!("{session}; __Host-brevet-said=created");
    // A page that refreshes itself leaves it to the one that somebody looks at.
    let by_itself = look_with(&saying, true).await;
    assert!(!text(&by_itself).contains("Created.") && cookies(&by_itself.headers).is_empty());
    let told = look_with(&saying, false).await;
    assert!(text(&told).contains("Created."));
    assert!(cookies(&told.headers).iter().any(|cookie| cookie.starts_with("__Host-brevet-said=;")));
    let linked = look(&office, "ada", "/groups/grp-2?said=created").await;
    assert!(!text(&linked).contains("Created."));
    let odd = look_with(&format!("{session}; __Host-brevet-said=You+are+hacked"), false).await;
    assert!(!text(&odd).contains("hacked"));
}

#[tokio::test]
async fn a_page_claims_no_authorization_but_one_in_force_for_its_task_and_whoever_looks() {
    let office = Office::open().await;
    let (first, second) = (office.grant().await, office.grant().await);
    let under = async |who: &str, task: &str, wished: &str| {
        let page = text(&look(&office, who, &format!("/tasks/Linux/{task}?under={wished}")).await);
        let claimed = page.split_once("Under <a href=\"/authorizations/").map(|(_, rest)| rest.to_owned());
        claimed.map(|rest| rest.split_once('"').unwrap().0.to_owned())
    };
    let taken = office.get("rita", "/tasks/Linux/Echo").await.ok()["authorization"].clone();
    for wished in [&first, &second] {
        assert_eq!(under("rita", "Echo", wished).await.as_ref(), Some(wished));
        // Anna approved it, Ada and Aude oversee: they see it, and it is not theirs.
        for other in ["anna", "ada", "aude", "olaf"] {
            assert_eq!(under(other, "Echo", wished).await, None, "{other}");
        }
        assert_eq!(under("rita", "Login", wished).await, None);
    }
    assert_eq!(under("rita", "Echo", "aut-99").await.as_deref(), taken.as_str());
    office.post("rita", &format!("/authorizations/{second}/give-back"), json!({})).await.ok();
    assert_eq!(under("rita", "Echo", &second).await, Some(first));
}

#[tokio::test]
async fn the_first_code_of_an_account_is_shown_although_it_cannot_be_put_into_a_group() {
    let mut office = Office::open().await;
    let person = form(&[("name", "dora"), ("approves", "on"), ("key", "drawn-for-this-form")]);
    let shown = send(&office, "ada", "/start/groups/no-such-group/members", &person).await;
    let page = text(&shown);
    assert_eq!(shown.status, StatusCode::OK);
    assert!(page.contains("is in no group yet: there is no group no-such-group"), "{page}");
    let code = page.split_once("id=\"one-time-code\"").unwrap().1;
    let code = code.split_once('>').unwrap().1.split_once('<').unwrap().0;
    office.enrol("dora", code).await;
    office.get("dora", "/whoami").await.ok();
}
