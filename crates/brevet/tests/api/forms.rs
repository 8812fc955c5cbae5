//! Forms of the pages: what they are a form of, and what becomes of what was typed when it cannot be done.

use axum::http::{Method, StatusCode};
use serde_json::json;

use super::office::Office;
use super::pages::{look, send, text};

/// The value of a hidden field, as it is written in the page.
fn hidden(page: &str, name: &str) -> String {
    let field = page.split_once(&format!("name=\"{name}\" value=\"")).unwrap().1;
    let value = field.split_once('"').unwrap().0;
    value.replace("&#34;", "\"").replace("&#38;", "&")
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
