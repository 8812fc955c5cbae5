//! Who gets which answer from which route, as a table that a reviewer can read.

use std::fmt::Write as _;

use axum::http::Method;
use brevet::http::route_list;
use serde_json::json;

use crate::office::Office;
use crate::routes::golden;

const ROLES: [Option<&str>; 6] = [None, Some("olaf"), Some("rita"), Some("anna"), Some("ada"), Some("aude")];

/// The columns: nobody, somebody else, the owner of the objects, their approver, an administrator, an auditor.
/// A body has an unknown field, so that nothing is changed: whoever is let in gets 400. What is deleted does not
/// exist: whoever is let in gets 404.
#[tokio::test]
async fn the_answers_are_those_that_were_reviewed() {
    let office = Office::open().await;
    office.grant().await;
    office.run("hello").await;
    let mut table = String::from(
        "                                                            none olaf rita anna  ada aude\n",
    );
    for line in route_list().lines() {
        let mut words = line.split_whitespace();
        let (method, path) = (words.next().unwrap(), words.next().unwrap());
        write!(table, "{method:6} {path:50}   ").unwrap();
        let path = concrete(method, path);
        for role in ROLES {
            let body = matches!(method, "POST" | "PATCH").then(|| json!({"an-unknown-field": 1}));
            let method: Method = method.parse().unwrap();
            // Signing out would end the session of the next cells.
            let is_sign_out = role.is_some() && path.ends_with("/sessions/current");
            let status = match is_sign_out {
                true => 204,
                false => office.send(role, method, &path, body).await.status.as_u16(),
            };
            write!(table, "  {status}").unwrap();
        }
        table.push('\n');
    }
    golden("tests/golden/permissions.txt", &table);
}

/// Objects of Rita's, or ones that do not exist where something would be removed.
fn concrete(method: &str, path: &str) -> String {
    let number = if method == "DELETE" { "99" } else { "1" };
    let name = match path {
        _ if path.contains("/roles/") => "Speakers",
        _ if path.contains("/role-groups/") => "Everybody",
        _ => "Echo",
    };
    let group = if method == "DELETE" { "Nobody-Here" } else { "Approvers" };
    path.replace("{id}", number)
        .replace("{name}", name)
        .replace("{path}", "tile/entries/000.p/1")
        .replace("{index}", "3")
        .replace("{scope}", "Linux")
        .replace("{group}", group)
        .replace("{user}", "rita")
}

/// The same for what is done to Rita's objects, each on one of its own. (Rita's request is approved by Anna.)
#[tokio::test]
async fn the_acts_are_those_that_were_reviewed() {
    let office = Office::open().await;
    let mut table = String::from("                             olaf rita anna  ada aude\n");
    for act in [
        "requests approve",
        "requests deny",
        "requests cancel",
        "authorizations revoke",
        "authorizations give-back",
    ] {
        let (what, verb) = act.split_once(' ').unwrap();
        write!(table, "{:26}", format!("{what} {verb}")).unwrap();
        for role in ROLES.into_iter().flatten() {
            let id = match what {
                "requests" => office.ask().await,
                _ => office.grant().await,
            };
            let status = office.post(role, &format!("/{what}/{id}/{verb}"), json!({})).await.status.as_u16();
            write!(table, "  {status}").unwrap();
        }
        table.push('\n');
    }
    golden("tests/golden/acts.txt", &table);
}

#[tokio::test]
async fn what_one_may_not_see_looks_like_what_does_not_exist() {
    let office = Office::open().await;
    office.grant().await;
    let run = office.run("hello").await;
    for (hidden, missing) in [
        ("/requests/req-1", "/requests/req-99"),
        ("/requests/req-1/wait?seconds=0", "/requests/req-99/wait?seconds=0"),
        ("/authorizations/aut-1", "/authorizations/aut-99"),
        ("/executions/exe-1", "/executions/exe-99"),
        ("/executions/exe-1/output", "/executions/exe-99/output"),
        ("/users/rita", "/users/nobody-here"),
    ] {
        let (hidden, missing) = (office.get("olaf", hidden).await, office.get("olaf", missing).await);
        assert_eq!((hidden.problem(404), hidden.status), (missing.problem(404), missing.status));
        let fields = |answer: &crate::office::Answer| {
            answer.json().as_object().unwrap().keys().cloned().collect::<Vec<_>>()
        };
        assert_eq!(fields(&hidden), fields(&missing));
    }
    for path in ["/requests/req-1/approve", "/authorizations/aut-1/revoke", "/executions/exe-1/stop"] {
        office.post("olaf", path, json!({})).await.problem(404);
    }
    let output = format!("/executions/{run}/output");
    for (who, status) in [("rita", 200), ("anna", 200), ("aude", 200), ("ada", 404)] {
        assert_eq!(office.get(who, &output).await.status.as_u16(), status, "{who}");
    }
}

#[tokio::test]
async fn lists_hold_what_one_may_see() {
    let office = Office::open().await;
    office.grant().await;
    office.run("hello").await;
    for (who, seen) in [("olaf", 0), ("rita", 1), ("anna", 1), ("ada", 1), ("aude", 1)] {
        for list in ["/requests", "/authorizations", "/executions"] {
            let items = office.get(who, list).await.ok()["items"].as_array().unwrap().len();
            assert_eq!(items, seen, "{who} {list}");
        }
    }
    let group = office.get("olaf", "/groups/Approvers").await.ok();
    assert_eq!(
        (&group["members"], &group["members_shown"], &group["email"]),
        (&json!([]), &json!(false), &json!(null))
    );
    let group = office.get("anna", "/groups/Approvers").await.ok();
    assert_eq!((group["members"][0]["name"].as_str(), &group["members_shown"]), (Some("anna"), &json!(true)));
}

#[tokio::test]
async fn an_extension_tells_nothing_of_what_others_hold() {
    let office = Office::open().await;
    let held = office.grant().await;
    let ask = |id: String| json!({"extend": id, "reason": "for a moment longer", "duration": "1h"});
    for ended in [false, true] {
        if ended {
            office.post("anna", &format!("/authorizations/{held}/revoke"), json!({})).await.ok();
        }
        let theirs = office.post("olaf", "/requests", ask(held.clone())).await;
        let nobodys = office.post("olaf", "/requests", ask("aut-99".to_owned())).await;
        let detail =
            |answer: &crate::office::Answer| answer.json()["detail"].to_string().replace(&held, "aut-99");
        assert_eq!((theirs.problem(404), detail(&theirs)), (nobodys.problem(404), detail(&nobodys)));
    }
    let own = office.post("rita", "/requests", ask(held.clone())).await;
    assert_eq!(own.problem(409), "ended", "whose it was hears that it is over");
}
