//! Requests, the decisions on them, and what enough decisions give.

use std::collections::BTreeMap;

use brevet_core::{
    Actor, Approval, Event, GroupId, Policy, Purpose, RequestId, Span, Start, Timestamp, UserId, Verdict,
};

use super::words::{quoted, values};
use super::{Asked, Checked, Given, Story, Told};
use crate::bundle::fault::BundleFault;
use crate::bundle::report::instant;

impl Story {
    pub(super) fn submitted(&mut self, told: &Told) -> Checked {
        let Event::RequestSubmitted {
            request,
            requester,
            purpose,
            access,
            digest,
            bound,
            policy,
            policy_revision,
            duration,
            not_before: _,
            max_uses,
            expires,
            reason,
        } = &told.entry.event
        else {
            return Ok(String::new());
        };
        self.scene.person(*requester)?;
        let under = self.scene.policy(*policy, *policy_revision)?.clone();
        let name = self.scene.defined(*access, *digest)?;
        let wrong = |what: &str| Err(BundleFault::contradicts(told.index, format!("{request}: {what}")));
        if told.entry.actor != Actor::User(*requester) {
            return wrong("somebody else submitted it than the one it is for");
        }
        if *duration > under.maximum_duration.span() {
            return wrong("it asks for longer than its policy allows");
        }
        self.check_may_ask(*request, &under, *requester)?;
        let asked = Asked {
            requester: *requester,
            purpose: *purpose,
            access: *access,
            digest: *digest,
            bound: bound.clone(),
            policy: *policy,
            revision: *policy_revision,
            duration: *duration,
            max_uses: *max_uses,
            expires: *expires,
            votes: Vec::new(),
            due: (under.approval == Approval::Auto).then_some(told.index),
            closed: false,
        };
        if self.requests.insert(*request, asked).is_some() {
            return wrong("it was submitted before");
        }
        let what = match purpose {
            Purpose::New => format!("asked for {name}{}", values(" with ", bound)),
            Purpose::Extension(id) => format!("asked for more time on {id}"),
        };
        Ok(format!(
            "{} {what} for {duration} in {request}, under {policy} revision {policy_revision}: {}",
            self.scene.name(*requester),
            quoted(reason)
        ))
    }

    fn check_may_ask(&self, id: RequestId, policy: &Policy, requester: UserId) -> Result<(), BundleFault> {
        match self.scene.may_ask(policy, requester) {
            true => Ok(()),
            false => Err(BundleFault::missing(format!(
                "the entry of the membership by which {requester} may ask for {id} under {}",
                policy.id
            ))),
        }
    }

    /// A request that still takes decisions at this instant.
    fn pending(&mut self, told: &Told, id: RequestId) -> Result<&mut Asked, BundleFault> {
        match self.requests.get_mut(&id) {
            None => Err(BundleFault::missing(format!("the entry that submitted {id}"))),
            Some(asked) if asked.closed => {
                Err(BundleFault::contradicts(told.index, format!("{id} was over before")))
            }
            Some(asked) => Ok(asked),
        }
    }

    pub(super) fn decided(&mut self, told: &Told) -> Checked {
        let Event::RequestDecided { request, by, verdict, duration, policy_revision, comment } =
            &told.entry.event
        else {
            return Ok(String::new());
        };
        let asked = self.pending(told, *request)?;
        let (requester, policy, expires) = (asked.requester, asked.policy, asked.expires);
        let wrong = |what: &str| Err(BundleFault::contradicts(told.index, format!("{request}: {what}")));
        if told.entry.actor != Actor::User(*by) {
            return wrong("somebody else decided than the one it names");
        }
        if told.entry.time >= expires {
            return wrong("it was decided after its time");
        }
        if self.scene.person(*by)? == self.scene.person(requester)? {
            return wrong("the requester decided on their own request");
        }
        let under = self.scene.policy(policy, *policy_revision)?.clone();
        let groups = self.scene.approver_groups(&under)?;
        if !groups.iter().any(|group| self.scene.is_member(group.group, *by)) {
            return Err(BundleFault::missing(format!(
                "the entry of the membership that made {by} an approver of {request}"
            )));
        }
        let said = match verdict {
            Verdict::Approve => {
                self.approve(told, *request, *by, *duration, &under)?;
                let shorter = duration.map(|shorter| format!(" for {shorter} only"));
                format!("approved {request}{}", shorter.unwrap_or_default())
            }
            Verdict::Deny => {
                self.pending(told, *request)?.closed = true;
                format!("denied {request}")
            }
        };
        let name = self.scene.name(*by);
        Ok(format!("{name} {said}, under {policy} revision {policy_revision}: {}", quoted(comment)))
    }

    fn approve(
        &mut self,
        told: &Told,
        id: RequestId,
        by: UserId,
        shorter: Option<Span>,
        under: &Policy,
    ) -> Result<(), BundleFault> {
        let person = self.scene.person(by)?;
        let voted = self.pending(told, id)?.votes.clone();
        for earlier in &voted {
            if self.scene.person(*earlier)? == person {
                return Err(BundleFault::contradicts(told.index, format!("{by} approved {id} before")));
            }
        }
        let asked = self.pending(told, id)?;
        if let Some(shorter) = shorter {
            asked.duration = asked.duration.min(shorter);
        }
        asked.votes.push(by);
        asked.revision = under.revision;
        let is_enough = self.is_enough(id, under)?;
        self.pending(told, id)?.due = is_enough.then_some(told.index);
        Ok(())
    }

    /// Whether the approvals that are shown are enough, of distinct people other than the requester.
    fn is_enough(&self, id: RequestId, policy: &Policy) -> Result<bool, BundleFault> {
        let (Some(asked), Approval::Manual(quorum)) = (self.requests.get(&id), &policy.approval) else {
            return Ok(policy.approval == Approval::Auto);
        };
        let groups = self.scene.approver_groups(policy)?;
        let own = self.scene.person(asked.requester)?;
        let mut people: BTreeMap<UserId, Vec<GroupId>> = BTreeMap::new();
        for vote in asked.votes.iter().filter(|vote| self.scene.is_active(**vote)) {
            let person = self.scene.person(*vote)?;
            let of =
                groups.iter().map(|group| group.group).filter(|group| self.scene.is_member(*group, *vote));
            if person != own {
                people.entry(person).or_default().extend(of);
            }
        }
        Ok(quorum.is_met(&groups, &people.into_iter().collect::<Vec<_>>()))
    }

    pub(super) fn closed(&mut self, told: &Told, id: RequestId, how: &str) -> Checked {
        let asked = self.pending(told, id)?;
        asked.closed = true;
        let by = match told.entry.actor {
            Actor::System => String::new(),
            Actor::User(user) => format!(" by {}", self.scene.name(user)),
        };
        Ok(format!("{id} {how}{by}"))
    }

    /// Closes a request for which enough said yes; answers what it asked for, under the policy that counted.
    fn approved(&mut self, told: &Told, id: RequestId) -> Result<&Asked, BundleFault> {
        let asked = self.pending(told, id)?;
        let (policy, revision) = (asked.policy, asked.revision);
        let under = self.scene.policy(policy, revision)?.clone();
        if !self.is_enough(id, &under)? {
            return Err(BundleFault::missing(format!(
                "a decision on {id}: the {} approvals that are shown are not enough under {policy} revision {revision}",
                self.requests.get(&id).map_or(0, |asked| asked.votes.len())
            )));
        }
        let asked = self.pending(told, id)?;
        asked.closed = true;
        asked.due = None;
        Ok(asked)
    }

    pub(super) fn granted(&mut self, told: &Told) -> Checked {
        let Event::AuthorizationGranted {
            authorization,
            request,
            holder,
            access,
            digest,
            bound,
            binding,
            policy,
            policy_revision,
            max_uses,
            start,
            duration,
        } = &told.entry.event
        else {
            return Ok(String::new());
        };
        let wrong =
            |what: &str| Err(BundleFault::contradicts(told.index, format!("{authorization}: {what}")));
        if self.given.is_some() {
            return wrong("the story has another authorization");
        }
        let under = self.scene.policy(*policy, *policy_revision)?.clone();
        let name = self.scene.defined(*access, *digest)?;
        let asked = self.approved(told, *request)?;
        let same = asked.purpose == Purpose::New
            && asked.requester == *holder
            && asked.access == *access
            && asked.digest == *digest
            && asked.bound == *bound
            && asked.policy == *policy
            && asked.revision == *policy_revision
            && under.binding == *binding;
        if !same {
            return wrong("it gives something else than was asked for and approved");
        }
        let longest = asked.duration.min(under.maximum_duration.span());
        if *duration > longest || is_more(*max_uses, asked.max_uses) || is_more(*max_uses, under.max_uses) {
            return wrong("it gives more than was asked for and approved");
        }
        let now = told.entry.time;
        let (may_start, window) = match start {
            Start::Now => ((now, now), Some((now, now.plus(*duration)))),
            Start::At(at) => ((*at, at.plus(*duration)), None),
            Start::AtFirstUse { claim_by } => ((now, *claim_by), None),
        };
        self.given = Some(Given {
            id: *authorization,
            holder: *holder,
            access: *access,
            digest: *digest,
            bound: bound.clone(),
            binding: *binding,
            policy: *policy,
            max_uses: *max_uses,
            duration: *duration,
            given: now,
            may_start,
            window,
            uses: 0,
            ended: false,
        });
        Ok(format!(
            "{request} gave {} the authorization {authorization} for {name}{}{}, {}",
            self.scene.name(*holder),
            values(" with ", bound),
            max_uses.map(|max| format!(", {max} runs at most")).unwrap_or_default(),
            when(*start, *duration, now)
        ))
    }

    pub(super) fn extended(&mut self, told: &Told) -> Checked {
        let Event::AuthorizationExtended { authorization, request, end } = &told.entry.event else {
            return Ok(String::new());
        };
        let wrong =
            |what: &str| Err(BundleFault::contradicts(told.index, format!("{authorization}: {what}")));
        let asked = self.approved(told, *request)?;
        let (purpose, requester, more) = (asked.purpose, asked.requester, asked.duration);
        let given = self.under(told, *authorization)?;
        let Some((_, until)) = given.window.as_mut().filter(|(start, _)| *start <= told.entry.time) else {
            return wrong("it had not begun when it was extended");
        };
        if purpose != Purpose::Extension(*authorization) || requester != given.holder {
            return wrong("the request that extends it asked for something else");
        }
        if *end > until.plus(more) || *end < *until {
            return wrong("it was extended by another time than was asked for and approved");
        }
        *until = *end;
        Ok(format!("{request} extended {authorization} until {}", instant(*end)))
    }
}

/// Whether it is more than the limit; no number is as many as one likes.
fn is_more(number: Option<u32>, limit: Option<u32>) -> bool {
    limit.is_some_and(|limit| number.is_none_or(|number| number > limit))
}

fn when(start: Start, duration: Span, now: Timestamp) -> String {
    match start {
        Start::Now => format!("until {}", instant(now.plus(duration))),
        Start::At(at) => format!("from {} until {}", instant(at), instant(at.plus(duration))),
        Start::AtFirstUse { claim_by } => {
            format!("for {duration} from its first use, until {} at the latest to begin", instant(claim_by))
        }
    }
}
