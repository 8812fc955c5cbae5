//! Nobody says yes to their own request, and nobody counts twice.

use serde_json::json;

use crate::support::stage::Stage;

#[test]
fn nobody_approves_their_own_request_by_any_account() {
    let mut stage = Stage::with_policy("Linux/Say", "");
    for (name, owner) in [("bob-second", "bob"), ("bob-service", "bob-second"), ("carol-second", "carol")] {
        stage.add(json!({"name": name, "owner": owner}));
    }
    for member in ["bob", "bob-second", "bob-service", "carol"] {
        stage.types("ada", &format!("group add-member Approvers {member}"), 0);
    }
    let own = ["bob", "bob-second", "bob-service"];
    for asks in own {
        let request = stage.request(asks, "--task Linux/Say");
        for decides in own {
            let (_, said) = stage.types(decides, &format!("request approve {request}"), 1);
            assert!(said.contains("own request"), "{said}");
            let mut call = stage.person(decides).connect(&stage.server);
            let answer = call.post(&format!("/api/v1/requests/{request}/approve"), &json!({})).unwrap();
            assert_eq!((answer.status, answer.json()["reason"].clone()), (403, json!("self-approval")));
            assert_eq!(stage.asks(decides, "request list --for-me"), json!([]));
        }
        assert_eq!(stage.asks(asks, &format!("request show {request}"))["status"], "pending");
        stage.types(asks, "run Linux/Say -p text=mine", 3);
        stage.types("carol", &format!("request approve {request}"), 0);
    }
    let request = stage.request("carol-second", "--task Linux/Say");
    stage.types("carol", &format!("request approve {request}"), 1);
}

#[test]
fn more_time_is_not_approved_by_its_holder_either() {
    let mut stage = Stage::with_policy("Linux/Say", "");
    stage.add(json!({"name": "bob-second", "owner": "bob"}));
    stage.types("ada", "group add-member Approvers bob-second", 0);
    let authorization = stage.grant("bob", "--task Linux/Say --duration 1h");
    let request = stage.request("bob", &format!("--extend {authorization} --duration 2h"));
    stage.types("bob-second", &format!("request approve {request}"), 1);
    stage.types("alice", &format!("request approve {request}"), 0);
}

#[test]
fn one_person_counts_once_by_however_many_accounts() {
    let mut stage = Stage::set();
    stage.add(json!({"name": "alice-second", "owner": "alice"}));
    stage.types("ada", "group add-member Approvers alice-second", 0);
    stage.policy("Linux/Say", "--approvals 2");
    let request = stage.request("bob", "--task Linux/Say");
    assert_eq!(stage.asks("alice", &format!("request approve {request}"))["status"], "pending");
    stage.types("alice", &format!("request approve {request}"), 1);
    stage.types("alice-second", &format!("request approve {request}"), 1);
    stage.types("bob", "run Linux/Say -p text=now", 3);
    assert_eq!(stage.asks("anna", &format!("request approve {request}"))["status"], "approved");
}
