//! What was sent to the server, what it acknowledged, and what it must therefore know for ever.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::support::http::{Answer, Connection};

/// One command.
#[derive(Debug, Clone)]
pub(crate) struct Sent {
    pub(crate) who: &'static str,
    pub(crate) method: &'static str,
    pub(crate) path: String,
    pub(crate) body: Value,
    pub(crate) key: String,
}

impl Sent {
    pub(crate) fn send(&self, connection: &mut Connection) -> std::io::Result<Answer> {
        connection.call(self.method, &self.path, Some(&self.key), Some(&self.body))
    }

    /// The object that the command is about, and what was done to it.
    fn about(&self) -> (&str, &str) {
        let path = self.path.strip_prefix("/api/v1").unwrap();
        match path.rsplit_once('/') {
            Some((object, verb)) if object.contains('/') => (object, verb),
            _ => (path, ""),
        }
    }
}

/// What the server must know.
#[derive(Default)]
pub(crate) struct Books {
    /// By path, the state that can never change any more.
    over: BTreeMap<String, Value>,
    /// Lines that a run may have written, by the only execution that may have.
    runs: BTreeMap<String, String>,
    /// How often each check was made.
    pub(crate) checks: BTreeMap<&'static str, u64>,
}

impl Books {
    fn count(&mut self, what: &'static str) {
        *self.checks.entry(what).or_default() += 1;
    }

    /// What was acknowledged is there, with at least the state that it had.
    pub(crate) fn check_acknowledged(&mut self, sent: &Sent, answered: &Value, seer: &mut Connection) {
        let (object, verb) = sent.about();
        let id = answered["id"].as_str().unwrap_or_default();
        let path = match (object, verb) {
            ("/requests" | "/executions" | "/groups", "") => format!("/api/v1{object}/{id}"),
            (_, "members") | ("/policies", _) => {
                format!("/api/v1{}", sent.path.trim_start_matches("/api/v1").trim_end_matches("/members"))
            }
            _ => format!("/api/v1{object}"),
        };
        let now = seer.get(&path).unwrap();
        assert!(now.is_success(), "lost: {sent:?}, acknowledged as {answered}: {}", now.status);
        let now = now.json();
        let holds = match (object, verb) {
            ("/requests", "") => now["requester"]["name"] == sent.who && now["reason"] == sent.body["reason"],
            ("/executions", "") => {
                self.runs.insert(line_of(&now), id.to_owned());
                now["user"]["name"] == sent.who && now["parameters"] == sent.body["parameters"]
            }
            ("/groups", "") => now["name"] == sent.body["name"],
            (_, "members") => {
                now["members"].as_array().unwrap().iter().any(|member| member["name"] == sent.body["user"])
            }
            ("/policies", _) => now["revision"].as_u64() >= answered["revision"].as_u64(),
            (_, "approve") => now["status"] == "approved" && now["decisions"][0]["by"]["name"] == sent.who,
            (_, "deny") => now["status"] == "denied" && now["decisions"][0]["by"]["name"] == sent.who,
            (_, "cancel") => now["status"] == "cancelled",
            (_, "revoke") => now["ending"] == "revoked" && now["revoked_by"]["name"] == sent.who,
            (_, "give-back") => now["ending"] == "given-back",
            other => panic!("nobody knows how to check {other:?}"),
        };
        assert!(holds, "{sent:?} was acknowledged as {answered}, and is now {now}");
        self.count("acknowledged commands found again");
        self.check_end(&path, &now);
    }

    /// What was over is over in the same way.
    pub(crate) fn check_end(&mut self, path: &str, now: &Value) {
        let end = match (&now["status"], &now["ending"], &now["state"]) {
            (Value::String(status), ..) if status != "pending" => {
                json!([status, now["ended_at"], now["authorization"]])
            }
            (_, Value::String(ending), _) => json!([ending, now["ended_at"], now["uses"]]),
            (_, _, Value::String(state)) if now.get("exit_code").is_some() && state != "running" => {
                json!([state, now["finished_at"], now["exit_code"]])
            }
            _ => return assert!(!self.over.contains_key(path), "{path} was over, and is now {now}"),
        };
        let was = self.over.entry(path.to_owned()).or_insert_with(|| end.clone());
        assert_eq!(*was, end, "{path} was over, and then otherwise");
        self.count("terminal states seen to stay");
    }

    /// Looks at some of what was over long ago.
    pub(crate) fn check_long_over(
        &mut self,
        pick: impl FnMut(&[String]) -> Option<String>,
        seer: &mut Connection,
    ) {
        let paths: Vec<String> = self.over.keys().cloned().collect();
        let mut pick = pick;
        for _ in 0..4 {
            let Some(path) = pick(&paths) else { return };
            let now = seer.get(&path).unwrap().ok();
            self.check_end(&path, &now);
        }
    }

    /// The same key again: the same answer, nothing new. What nobody knows is settled now, and stays so.
    pub(crate) fn check_repeated(&mut self, sent: &Sent, answered: Option<&Value>, again: &mut Connection) {
        let first = sent.send(again).unwrap();
        if let Some(answered) = answered {
            assert!(first.is_success(), "{sent:?} was acknowledged, and is refused when repeated: {first:?}");
            assert_eq!(first.json()["id"], answered["id"], "{sent:?} repeated");
        }
        if first.is_success() {
            let second = sent.send(again).unwrap().ok();
            assert_eq!(second["id"], first.json()["id"], "{sent:?} repeated");
        }
        self.count(if answered.is_some() {
            "acknowledged commands repeated"
        } else {
            "unknown commands settled"
        });
    }

    /// Every run that the server knows: one execution for each line, and none that still runs from before.
    pub(crate) fn take_runs(&mut self, executions: &[Value], ran_before: &BTreeSet<String>) {
        for execution in executions {
            let (id, line) = (execution["id"].as_str().unwrap(), line_of(execution));
            let is_new = !self.over.contains_key(&format!("/api/v1/executions/{id}"));
            let known = self.runs.entry(line).or_insert_with(|| id.to_owned());
            assert_eq!(known, id, "the same run twice: {execution}");
            self.check_end(&format!("/api/v1/executions/{id}"), execution);
            if ran_before.contains(id) {
                assert_ne!(execution["state"], "running", "a run survived its server: {execution}");
                if execution["state"] == "unknown" && is_new {
                    self.count("interrupted runs found unknown");
                }
            }
        }
    }

    /// Every line that was written: once, by a run that is on record.
    pub(crate) fn check_lines(&mut self, lines: &str) {
        let mut seen = BTreeSet::new();
        for line in lines.lines() {
            assert!(seen.insert(line), "the effect of {line} happened twice");
            assert!(self.runs.contains_key(line), "the effect of {line} has no record");
        }
        self.checks.insert("effects, each once and on record", seen.len() as u64);
    }

    pub(crate) fn runs(&self) -> &BTreeMap<String, String> {
        &self.runs
    }
}

fn line_of(execution: &Value) -> String {
    execution["parameters"]["line"].as_str().unwrap_or_default().to_owned()
}
