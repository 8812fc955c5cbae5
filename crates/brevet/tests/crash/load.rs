//! The load: five people who send commands as fast as they are answered.

use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use crate::books::Sent;
use crate::support::dice::Dice;
use crate::support::http::Connection;

/// What they run; each run leaves a line behind.
pub(crate) const TASKS: &str = r#"
[workload]
name = "Linux"
kind = "command"

[[task]]
name = "Append"
description = "Leaves a line behind"
run = ["SH", "-c", "echo \"$1\" >> SITE/lines", "sh", "{line}"]
timeout = "60s"

[task.parameters.line]
type = "string"

[[task]]
name = "Linger"
description = "Leaves a line behind, and stays"
run = ["SH", "-c", "echo \"$1\" >> SITE/lines; sleep 300; echo \"$1\" >> SITE/lines", "sh", "{line}"]
timeout = "10m"

[task.parameters.line]
type = "string"
"#;

/// Who sends commands, and what.
pub(crate) const PEOPLE: [&str; 5] = ["ada", "alice", "anna", "bob", "carol"];

/// What somebody can do something with.
#[derive(Default)]
pub(crate) struct Known {
    pub(crate) pending: Vec<String>,
    /// Authorizations, with their holders.
    pub(crate) held: Vec<(String, String)>,
    pub(crate) groups: Vec<String>,
    pub(crate) policies: Vec<String>,
}

/// One of the people at work.
pub(crate) struct Worker {
    pub(crate) who: &'static str,
    pub(crate) dice: Dice,
    pub(crate) known: Arc<Mutex<Known>>,
    /// Makes every key and every line the only one of its kind.
    pub(crate) name: String,
}

impl Worker {
    /// Works until the server is gone; answers what was sent, and what it answered.
    pub(crate) fn work(mut self, mut connection: Connection) -> Vec<(Sent, Option<(u16, Value)>)> {
        let mut all = Vec::new();
        loop {
            let Some(sent) = self.next(all.len()) else {
                // Nothing to do yet: looks whether the server is still there.
                match connection.get("/api/v1/health") {
                    Ok(_) => continue,
                    Err(_) => return all,
                }
            };
            match sent.send(&mut connection) {
                Ok(answer) => {
                    let (status, body) = (answer.status, answer.json());
                    if answer.is_success() {
                        self.learn(&body);
                    }
                    all.push((sent, Some((status, body))));
                }
                Err(_) => {
                    all.push((sent, None));
                    return all;
                }
            }
        }
    }

    fn next(&mut self, number: usize) -> Option<Sent> {
        let key = format!("{}-{number}", self.name);
        let (method, path, body) = match self.who {
            "ada" => self.administer(&key)?,
            "alice" | "anna" => self.decide()?,
            _ => self.operate(&key)?,
        };
        Some(Sent { who: self.who, method, path: format!("/api/v1{path}"), body, key })
    }

    fn administer(&mut self, key: &str) -> Option<(&'static str, String, Value)> {
        let known = self.known.lock().unwrap();
        match self.dice.below(4) {
            0 => Some(("POST", "/groups".to_owned(), json!({"name": format!("Group-{key}")}))),
            1 | 2 => {
                let group = self.dice.pick(&known.groups)?.clone();
                let user = PEOPLE[usize::try_from(self.dice.below(5)).unwrap()];
                Some(("POST", format!("/groups/{group}/members"), json!({"user": user})))
            }
            _ => {
                let policy = self.dice.pick(&known.policies)?.clone();
                let hours = format!("{}h", 12 + self.dice.below(12));
                Some(("PATCH", format!("/policies/{policy}"), json!({"maximum_duration": hours})))
            }
        }
    }

    fn decide(&mut self) -> Option<(&'static str, String, Value)> {
        let known = self.known.lock().unwrap();
        let comment = json!({"comment": "decided under load"});
        match self.dice.below(10) {
            0 => {
                let (authorization, _) = self.dice.pick(&known.held)?;
                Some(("POST", format!("/authorizations/{authorization}/revoke"), comment))
            }
            1 | 2 => Some(("POST", format!("/requests/{}/deny", self.dice.pick(&known.pending)?), comment)),
            _ => Some(("POST", format!("/requests/{}/approve", self.dice.pick(&known.pending)?), comment)),
        }
    }

    fn operate(&mut self, key: &str) -> Option<(&'static str, String, Value)> {
        let known = self.known.lock().unwrap();
        let task = if self.dice.below(8) == 0 { "Linux/Linger" } else { "Linux/Append" };
        match self.dice.below(16) {
            0 => {
                let mine: Vec<_> = known.held.iter().filter(|(_, holder)| holder == self.who).collect();
                let (authorization, _) = self.dice.pick(&mine)?;
                Some(("POST", format!("/authorizations/{authorization}/give-back"), json!({})))
            }
            1 => Some(("POST", format!("/requests/{}/cancel", self.dice.pick(&known.pending)?), json!({}))),
            2..8 => {
                Some(("POST", "/requests".to_owned(), json!({"task": task, "reason": format!("for {key}")})))
            }
            _ => Some(("POST", "/executions".to_owned(), json!({"task": task, "parameters": {"line": key}}))),
        }
    }

    fn learn(&mut self, body: &Value) {
        let mut known = self.known.lock().unwrap();
        let Some(id) = body["id"].as_str().map(str::to_owned) else { return };
        match (&body["status"], &body["authorization"], id.split('-').next()) {
            (Value::String(status), _, _) if status == "pending" => known.pending.push(id),
            (Value::String(status), Value::String(authorization), _) if status == "approved" => {
                known.pending.retain(|pending| *pending != id);
                let holder = body["requester"]["name"].as_str().unwrap_or_default().to_owned();
                known.held.push((authorization.clone(), holder));
            }
            (Value::String(_), _, _) => known.pending.retain(|pending| *pending != id),
            (_, _, Some("aut")) => known.held.retain(|(held, _)| *held != id),
            (_, _, Some("grp")) => known.groups.push(id),
            _ => {}
        }
    }
}
