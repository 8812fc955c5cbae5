//! Reads a ledger once, from its first entry to its last, and says what of it must never have happened.
//!
//! It is written from the rules (docs/deciding.md, ARCHITECTURE.md) and knows nothing of the code that decides. It believes
//! the order of the entries and what each says about itself, and never what an answer said. A field that is not there is a
//! failure of the check, not a rule that holds.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde_json::Value;

use crate::support::stage::text;

mod tests;

/// What was found.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    /// Each broken rule, with the index of the entry that breaks it.
    pub(crate) violations: Vec<String>,
    /// How many entries of each kind were held against the rules.
    pub(crate) seen: BTreeMap<String, usize>,
}

impl Findings {
    pub(crate) fn of(entries: &[Value]) -> Self {
        let mut reader = Reader::default();
        entries.iter().for_each(|entry| reader.read(entry));
        reader.end();
        reader.findings
    }

    /// How many entries there are of this kind.
    pub(crate) fn count(&self, kind: &str) -> usize {
        self.seen.get(kind).copied().unwrap_or_default()
    }
}

/// What the entries so far say.
#[derive(Default)]
struct Reader {
    findings: Findings,
    here: String,
    now: Timestamp,
    next: u64,
    users: BTreeMap<String, bool>,
    sessions: BTreeMap<String, String>,
    members: BTreeSet<(String, String)>,
    default_group: Option<String>,
    policies: BTreeMap<String, Policy>,
    requests: BTreeMap<String, Request>,
    reasons: BTreeSet<String>,
    authorizations: BTreeMap<String, Authorization>,
    /// Whether each still runs.
    executions: BTreeMap<String, bool>,
    tags: BTreeSet<String>,
}

struct Policy {
    is_auto: bool,
    approvals: usize,
    groups: Vec<String>,
}

struct Request {
    requester: String,
    policy: String,
    expires: Timestamp,
    approvals: BTreeSet<String>,
    /// Why it is no longer pending.
    over: Option<&'static str>,
}

struct Authorization {
    holder: String,
    digest: String,
    bound: Value,
    uses_left: Option<u64>,
    end: Timestamp,
    over: bool,
}

/// A parameter whose value the tests never use for two runs.
pub(crate) const TAG: &str = "tag";

impl Reader {
    fn read(&mut self, entry: &Value) {
        let (kind, details) = (text(entry, "kind"), &entry["details"]);
        self.here = format!("entry {} ({kind})", entry["index"]);
        *self.findings.seen.entry(kind.clone()).or_default() += 1;
        self.in_order(entry);
        self.by_somebody(entry);
        match kind.split_once('.').unwrap_or_default() {
            ("user" | "session", what) => self.of_people(what, details),
            ("group" | "access-control" | "policy", _) => self.of_the_house(&kind, details),
            ("request", what) => self.of_request(what, details),
            ("authorization", what) => self.of_authorization(what, details),
            ("execution", what) => self.of_execution(what, details),
            _ => {}
        }
    }

    fn must(&mut self, holds: bool, rule: impl Into<String>) {
        if !holds {
            self.findings.violations.push(format!("{}: {}", self.here, rule.into()));
        }
    }

    /// The ledger is read when nothing runs any more.
    fn end(&mut self) {
        self.here = "the end".to_owned();
        let running: Vec<_> =
            self.executions.iter().filter(|(_, runs)| **runs).map(|(id, _)| id.clone()).collect();
        running.into_iter().for_each(|id| self.must(false, format!("{id} never ended")));
    }

    /// Entries follow one another without a gap, and time does not go back.
    fn in_order(&mut self, entry: &Value) {
        let (index, now) = (entry["index"].as_u64().unwrap(), instant(entry, "time"));
        self.must(index == self.next, format!("it should have been entry {}", self.next));
        self.must(now >= self.now, "time went back");
        (self.next, self.now) = (index + 1, now);
    }

    /// Whoever does something has an active account and a session of it that is not over.
    fn by_somebody(&mut self, entry: &Value) {
        let Some(actor) = entry["actor"]["id"].as_str() else { return };
        self.must(self.is_active(actor), format!("{actor} is disabled"));
        let session = text(entry, "session");
        let is_open = self.sessions.get(&session).is_some_and(|user| user == actor);
        self.must(is_open, format!("{session} is no open session of {actor}"));
    }

    fn is_active(&self, user: &str) -> bool {
        self.users.get(user).copied().unwrap_or_default()
    }

    fn of_people(&mut self, what: &str, details: &Value) {
        let user = text(details, "user");
        match what {
            "added" | "enabled" => drop(self.users.insert(user, true)),
            "disabled" => {
                self.must(self.is_active(&user), format!("{user} was disabled already"));
                self.sessions.retain(|_, of| *of != user);
                self.users.insert(user, false);
            }
            "opened" => {
                self.must(self.is_active(&user), format!("{user} signed in while disabled"));
                self.sessions.insert(text(details, "session"), user);
            }
            "closed" => drop(self.sessions.remove(&text(details, "session"))),
            _ => {}
        }
    }

    fn of_the_house(&mut self, kind: &str, details: &Value) {
        match kind {
            "group.member-added" => drop(self.members.insert(membership(details))),
            "group.member-removed" => drop(self.members.remove(&membership(details))),
            "group.deleted" => {
                let group = text(details, "group");
                self.members.retain(|(of, _)| *of != group);
            }
            "access-control.enabled" => {
                self.default_group = details["default_approver_group"].as_str().map(str::to_owned);
            }
            "policy.created" | "policy.changed" => {
                self.policies.insert(text(details, "policy"), Policy::of(&details["approval"]));
            }
            "policy.removed" => drop(self.policies.remove(&text(details, "policy"))),
            _ => {}
        }
    }

    fn of_request(&mut self, what: &str, details: &Value) {
        let id = text(details, "request");
        if what == "submitted" {
            return self.submitted(id, details);
        }
        let Some(mut request) = self.requests.remove(&id) else {
            return self.must(false, format!("there is no {id}"));
        };
        let over = request.over.unwrap_or_default();
        self.must(over.is_empty(), format!("{id} is {over} already"));
        match what {
            "decided" => self.decided(&id, &mut request, details),
            "expired" => {
                self.must(self.now >= request.expires, format!("{id} expired too early"));
                request.over = Some("expired");
            }
            "cancelled" => request.over = Some("cancelled"),
            _ => self.must(false, "the check does not know this kind"),
        }
        self.requests.insert(id, request);
    }

    fn submitted(&mut self, id: String, details: &Value) {
        let (requester, policy, reason) =
            (text(details, "requester"), text(details, "policy"), text(details, "reason"));
        self.must(self.is_active(&requester), format!("{requester} is disabled"));
        self.must(!self.reasons.contains(&reason), format!("{reason:?} was asked for twice"));
        self.reasons.insert(reason);
        let expires = instant(details, "expires_at");
        let request = Request { requester, policy, expires, approvals: BTreeSet::new(), over: None };
        let is_known = self.requests.insert(id.clone(), request).is_some();
        self.must(!is_known, format!("{id} was there already"));
    }

    /// Only a member of an approver group decides, at that very moment, before the request expires, once, and not for
    /// themselves.
    fn decided(&mut self, id: &str, request: &mut Request, details: &Value) {
        let by = text(details, "by");
        self.must(self.now < request.expires, format!("{id} had expired by then"));
        self.must(self.is_active(&by), format!("{by} is disabled"));
        self.must(by != request.requester, format!("{by} decided on their own request"));
        let groups = match self.policies.get(&request.policy) {
            Some(policy) if policy.groups.is_empty() => Vec::from_iter(self.default_group.clone()),
            Some(policy) => policy.groups.clone(),
            None => Vec::new(),
        };
        let is_member = groups.into_iter().any(|group| self.members.contains(&(group, by.clone())));
        self.must(is_member, format!("{by} is no approver of {id}"));
        if text(details, "verdict") == "deny" {
            request.over = Some("denied");
        } else {
            let is_first = request.approvals.insert(by.clone());
            self.must(is_first, format!("{by} approved {id} twice"));
        }
    }

    fn of_authorization(&mut self, what: &str, details: &Value) {
        let id = text(details, "authorization");
        if what == "granted" {
            return self.granted(id, details);
        }
        let Some(mut held) = self.authorizations.remove(&id) else {
            return self.must(false, format!("there is no {id}"));
        };
        self.must(!held.over, format!("{id} has ended already"));
        match what {
            "ended" => held.over = true,
            _ => self.must(false, "the check does not know this kind"),
        }
        self.authorizations.insert(id, held);
    }

    /// A request gives one authorization, to whoever asked, once enough people said yes or its policy asks nobody.
    fn granted(&mut self, id: String, details: &Value) {
        let (request, holder) = (text(details, "request"), text(details, "holder"));
        match self.requests.get_mut(&request) {
            None => self.must(false, format!("there is no {request}")),
            Some(asked) => {
                let over = asked.over.replace("approved").unwrap_or_default();
                let (requester, policy) = (asked.requester.clone(), self.policies.get(&asked.policy));
                let is_enough = policy
                    .is_some_and(|policy| policy.is_auto || asked.approvals.len() >= policy.approvals.max(1));
                self.must(over.is_empty(), format!("{request} is {over} already"));
                self.must(requester == holder, format!("{requester} asked, and {holder} holds it"));
                self.must(is_enough, format!("not enough people approved {request}"));
            }
        }
        self.must(text(details, "start") == "now", "the check knows only what starts at its approval");
        let held = Authorization {
            holder,
            digest: text(details, "digest"),
            bound: details["parameters"].clone(),
            uses_left: details["max_uses"].as_u64(),
            end: self.now + span(&text(details, "duration")),
            over: false,
        };
        let is_known = self.authorizations.insert(id.clone(), held).is_some();
        self.must(!is_known, format!("{id} was there already"));
    }

    fn of_execution(&mut self, what: &str, details: &Value) {
        match what {
            "started" => self.started(details),
            "finished" => {
                let id = text(details, "execution");
                let runs = self.executions.insert(id.clone(), false).unwrap_or_default();
                self.must(runs, format!("{id} did not run"));
            }
            _ => {}
        }
    }

    /// A run has an authorization that is its holder's, is in force at that very moment, has a use left, and was given for
    /// this definition and these values.
    fn started(&mut self, details: &Value) {
        let (id, user, basis) = (text(details, "execution"), text(details, "user"), text(details, "basis"));
        self.must(self.is_active(&user), format!("{user} is disabled"));
        let is_known = self.executions.insert(id.clone(), true).is_some();
        self.must(!is_known, format!("{id} was there already"));
        let given = &details["parameters"];
        if let Some(tag) = given[TAG].as_str() {
            let is_first = self.tags.insert(tag.to_owned());
            self.must(is_first, format!("{tag:?} ran twice"));
        }
        let Some(mut held) = self.authorizations.remove(&basis) else {
            return self.must(false, format!("nothing allows it: {basis}"));
        };
        self.must(held.holder == user, format!("{basis} is not {user}'s"));
        self.must(!held.over, format!("{basis} has ended"));
        self.must(self.now < held.end, format!("the window of {basis} was over"));
        self.must(held.uses_left != Some(0), format!("{basis} has no uses left"));
        self.must(held.digest == text(details, "digest"), format!("{basis} is for another definition"));
        let is_as_bound = held.bound.as_object().unwrap().iter().all(|(name, value)| given[name] == *value);
        self.must(is_as_bound, format!("{basis} is for other values"));
        held.uses_left = held.uses_left.map(|left| left.saturating_sub(1));
        self.authorizations.insert(basis, held);
    }
}

impl Policy {
    fn of(approval: &Value) -> Self {
        if approval == "auto" {
            return Self { is_auto: true, approvals: 0, groups: Vec::new() };
        }
        let groups = approval["groups"].as_array().unwrap().iter();
        Self {
            is_auto: false,
            approvals: usize::try_from(approval["approvals"].as_u64().unwrap()).unwrap(),
            groups: groups.map(|group| text(group, "group")).collect(),
        }
    }
}

fn membership(details: &Value) -> (String, String) {
    (text(details, "group"), text(details, "user"))
}

fn instant(object: &Value, field: &str) -> Timestamp {
    text(object, field).parse().unwrap()
}

fn span(text: &str) -> jiff::SignedDuration {
    text.parse().unwrap()
}
