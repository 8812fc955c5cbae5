//! Receipts and consistency proofs over the API, in process.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use brevet_ledger::{EntryRef, Hash, Note, Origin, TlogProof, VerifierKey, check_consistency, leaf_hash};
use serde_json::{Value, json};

use crate::office::{Answer, Office};

fn entry_of(answer: &Answer) -> u64 {
    answer.ok();
    answer.headers["brevet-entry"].to_str().unwrap().parse().unwrap()
}

/// Checks a receipt with the key alone; answers the kind of the entry, who caused it, and the checkpoint.
fn check(office: &Office, receipt: &Value) -> (String, String, brevet_ledger::Checkpoint) {
    let proof: TlogProof = receipt["proof"].as_str().unwrap().parse().unwrap();
    let entry = STANDARD.decode(receipt["entry"].as_str().unwrap()).unwrap();
    assert_eq!(proof.unauthenticated_extra(), Some(entry.as_slice()));
    let key: VerifierKey = office.app.verifier_key().parse().unwrap();
    let origin = Origin::parse(office.app.ledger_origin()).unwrap();
    let checkpoint = proof.verify(leaf_hash(&entry), &origin, &[key]).unwrap();
    let says = EntryRef::decode(&entry).unwrap();
    assert_eq!((says.index, proof.index()), (receipt["index"].as_u64().unwrap(), says.index));
    (says.kind.to_owned(), says.actor.to_owned(), checkpoint)
}

fn hashes(value: &Value) -> Vec<Hash> {
    let hashes = value.as_array().unwrap().iter();
    hashes.map(|hash| Hash::parse_base64(hash.as_str().unwrap()).unwrap()).collect()
}

#[tokio::test]
async fn every_act_names_its_entry_and_its_author_has_the_receipt() {
    let office = Office::open().await;
    let ask = json!({"task": "Linux/Echo", "reason": "to say something", "duration": "2h"});
    let asked = office.post("rita", "/requests", ask).await;
    let request = asked.ok()["id"].as_str().unwrap().to_owned();
    let approved = office.post("anna", &format!("/requests/{request}/approve"), json!({})).await;
    let run = json!({"task": "Linux/Echo", "parameters": {"text": "x"}});
    let ran = office.post("rita", "/executions", run).await;
    let authorization = approved.ok()["authorization"].as_str().unwrap().to_owned();
    let revoke = format!("/authorizations/{authorization}/revoke");
    let revoked = office.post("ada", &revoke, json!({"comment": "enough"})).await;
    let policy =
        office.post("ada", "/policies", json!({"task": "Linux/Login", "approval_type": "manual"})).await;
    let group = office.post("ada", "/groups", json!({"name": "New"})).await;
    for (who, answer, kind) in [
        ("rita", &asked, "request.submitted"),
        ("anna", &approved, "request.decided"),
        ("rita", &ran, "execution.started"),
        ("ada", &revoked, "authorization.ended"),
        ("ada", &policy, "policy.created"),
        ("ada", &group, "group.created"),
    ] {
        let index = entry_of(answer);
        let receipt = office.get(who, &format!("/ledger/receipts/{index}")).await.ok();
        let (found, actor, _) = check(&office, &receipt);
        let me = office.get(who, "/whoami").await.ok()["user"]["id"].as_str().unwrap().to_owned();
        assert_eq!((found.as_str(), actor), (kind, me));
    }
}

#[tokio::test]
async fn others_cannot_tell_a_receipt_from_none_and_an_auditor_who_takes_one_is_on_record() {
    let office = Office::open().await;
    let ask = json!({"task": "Linux/Echo", "reason": "to say something"});
    let index = entry_of(&office.post("rita", "/requests", ask).await);
    let path = format!("/ledger/receipts/{index}");
    let missing = office.get("olaf", "/ledger/receipts/999999").await;
    for who in ["olaf", "anna", "ada"] {
        let refused = office.get(who, &path).await;
        assert_eq!(refused.problem(404), missing.problem(404), "{who}");
        let detail =
            |answer: &Answer, index: &str| answer.json()["detail"].as_str().unwrap().replace(index, "N");
        assert_eq!(detail(&refused, &index.to_string()), detail(&missing, "999999"), "{who}");
    }
    let before = office.size();
    office.get("rita", &path).await.ok();
    assert_eq!(office.size(), before, "one's own receipt is no reading of the audit");
    check(&office, &office.get("aude", &path).await.ok());
    assert_eq!(office.size(), before + 1);
    assert_eq!(office.get("rita", "/ledger/receipts/nothing").await.status.as_u16(), 400);
}

#[tokio::test]
async fn a_receipt_proves_that_the_ledger_that_was_kept_is_the_beginning_of_this_one() {
    let office = Office::open().await;
    let group = |name: String| {
        let office = &office;
        async move { entry_of(&office.post("ada", "/groups", json!({"name": name})).await) }
    };
    let mut kept = Vec::new();
    for round in 0..20 {
        let index = group(format!("Group {round}")).await;
        let receipt = office.get("ada", &format!("/ledger/receipts/{index}")).await.ok();
        assert!(receipt["consistency"].is_null() && receipt["kept"].is_null());
        kept.push(check(&office, &receipt).2);
    }
    let index = group("Last".into()).await;
    for old in &kept {
        let path = format!("/ledger/receipts/{index}?kept={}", old.size());
        let receipt = office.get("ada", &path).await.ok();
        let new = check(&office, &receipt).2;
        let proof = hashes(&receipt["consistency"]);
        check_consistency(old.size(), &old.root(), new.size(), &new.root(), &proof).unwrap();
    }
    let never = office.get("ada", &format!("/ledger/receipts/{index}?kept=100000")).await.ok();
    assert!(never["consistency"].is_null() && never["kept"].is_null(), "{never}");
}

#[tokio::test]
async fn any_two_sizes_are_proved_to_hang_together() {
    let office = Office::open().await;
    let mut kept = Vec::new();
    for round in 0..12 {
        let group = office.post("ada", "/groups", json!({"name": format!("Group {round}")})).await;
        let receipt = office.get("ada", &format!("/ledger/receipts/{}", entry_of(&group))).await.ok();
        kept.push(check(&office, &receipt).2);
    }
    for (place, old) in kept.iter().enumerate() {
        for new in &kept[place..] {
            let path = format!("/ledger/consistency?old={}&new={}", old.size(), new.size());
            let proof = office.get("olaf", &path).await.ok();
            check_consistency(old.size(), &old.root(), new.size(), &new.root(), &hashes(&proof["hashes"]))
                .unwrap();
        }
    }
    let newest = office.get("olaf", "/ledger/consistency?old=1").await.ok();
    let note: Note = newest["checkpoint"].as_str().unwrap().parse().unwrap();
    let checkpoint: brevet_ledger::Checkpoint = note.text().parse().unwrap();
    assert_eq!((newest["new"].as_u64(), checkpoint.size()), (Some(office.size()), office.size()));
    for (query, status, reason) in [
        ("old=0", 422, "invalid"),
        ("old=3&new=2", 422, "invalid"),
        ("old=100000", 404, "never-so-long"),
        ("old=1&new=100000", 404, "never-so-long"),
        ("old=1&new=2&more=3", 400, "bad-query"),
        ("new=2", 400, "bad-query"),
        ("old=-1", 400, "bad-query"),
    ] {
        let refused = office.get("olaf", &format!("/ledger/consistency?{query}")).await;
        assert_eq!(refused.problem(status), reason, "{query}");
    }
}

#[tokio::test]
async fn what_was_done_once_names_no_entry_when_it_is_repeated() {
    let office = Office::open().await;
    let repeated = || {
        let request = axum::http::Request::builder().method("POST").uri("/api/v1/groups");
        let request = request.header("authorization", format!("Bearer {}", office.token("ada")));
        let request = request.header("content-type", "application/json").header("idempotency-key", "once");
        office.raw(request.body(axum::body::Body::from(json!({"name": "Once"}).to_string())).unwrap())
    };
    let (first, second) = (repeated().await, repeated().await);
    assert_eq!(first.ok()["id"], second.ok()["id"]);
    assert!(first.headers.contains_key("brevet-entry") && !second.headers.contains_key("brevet-entry"));
}
