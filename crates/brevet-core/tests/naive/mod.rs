//! The rules a second time, from docs/deciding.md, as naively as can be: a list of everything that ever
//! happened, each with the organization as it was then, and questions answered by walking the list.
//! Nothing is kept up to date, nothing is indexed, and no code is shared with the crate but values.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use brevet_core::{
    Access, AuthorizationId, Binding, Parameters, PolicyTerms, Principal, Requesters, Span, StartRule,
    Timestamp, UserId,
};

pub(crate) mod rules;

/// The organization at one instant.
#[derive(Clone, Default)]
pub(crate) struct Org {
    pub(crate) users: Vec<Person>,
    pub(crate) members: Vec<(u32, UserId)>,
    pub(crate) on: bool,
    pub(crate) default_group: Option<u32>,
    pub(crate) system: Vec<UserId>,
    pub(crate) uncovered_assigned: bool,
    pub(crate) assignments: Vec<(u32, Principal, Access)>,
    pub(crate) tasks: Vec<Thing>,
    pub(crate) roles: Vec<Thing>,
    pub(crate) role_groups: Vec<Thing>,
    pub(crate) policies: Vec<(u32, Access, PolicyTerms)>,
}

#[derive(Clone)]
pub(crate) struct Person {
    pub(crate) id: UserId,
    pub(crate) active: bool,
    pub(crate) owner: Option<UserId>,
    pub(crate) administrator: bool,
}

/// A definition: its version while it is defined, its tasks or roles.
#[derive(Clone)]
pub(crate) struct Thing {
    pub(crate) version: Option<u8>,
    pub(crate) has: Vec<u32>,
}

/// What happened.
#[derive(Clone)]
pub(crate) enum What {
    OrgChanged,
    Asked(Ask),
    Voted { request: u64, by: UserId, yes: bool, shorter: Option<Span> },
    Granted(Given),
    Extended { request: u64, authorization: u64, more: Span, ahead: Span },
    Cancelled { request: u64 },
    Revoked { authorization: u64 },
    GivenBack { authorization: u64 },
    Started { execution: u64, under: Option<u64> },
    StopAsked,
    Finished { execution: u64, started: bool },
}

#[derive(Clone)]
pub(crate) struct Ask {
    pub(crate) by: UserId,
    pub(crate) extends: Option<AuthorizationId>,
    pub(crate) access: Access,
    pub(crate) version: Option<u8>,
    pub(crate) bound: Parameters,
    pub(crate) policy: u32,
    pub(crate) duration: Span,
    pub(crate) not_before: Option<Timestamp>,
    pub(crate) uses: Option<u32>,
    pub(crate) expires: Timestamp,
}

pub(crate) struct Step {
    pub(crate) at: Timestamp,
    pub(crate) org: Org,
    pub(crate) what: What,
}

/// Everything that ever happened.
#[derive(Default)]
pub(crate) struct History {
    pub(crate) steps: Vec<Step>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RequestFate {
    Pending,
    Approved,
    Denied,
    Expired,
    Cancelled,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    WaitsFor(Timestamp),
    WaitsForUse { until: Timestamp },
    Active { start: Timestamp, end: Timestamp },
    RanOut,
    GivenBack,
    Revoked,
    UsedUp,
    Voided,
}

/// An authorization as the list tells it: what was given, by which step.
#[derive(Clone)]
pub(crate) struct Given {
    pub(crate) request: u64,
    pub(crate) ask: Ask,
    pub(crate) granted: Timestamp,
    pub(crate) duration: Span,
    pub(crate) uses: Option<u32>,
    pub(crate) binding: Binding,
    pub(crate) start: StartRule,
}

/// The same with where it stands.
pub(crate) struct Stand {
    pub(crate) fate: Fate,
    pub(crate) used: u32,
}

impl Fate {
    pub(crate) fn is_over(self) -> bool {
        !matches!(self, Self::WaitsFor(_) | Self::WaitsForUse { .. } | Self::Active { .. })
    }

    fn over_by(self, duration: Span, now: Timestamp) -> bool {
        match self {
            Self::WaitsFor(at) => now >= at.plus(duration),
            Self::WaitsForUse { until } => now >= until,
            Self::Active { end, .. } => now >= end,
            _ => false,
        }
    }
}

impl History {
    pub(crate) fn push(&mut self, at: Timestamp, org: Org, what: What) {
        self.steps.push(Step { at, org, what });
    }

    /// All requests, in order, with the step of each.
    pub(crate) fn asks(&self) -> Vec<(usize, &Ask)> {
        let ask = |(place, step): (usize, &'_ Step)| match &step.what {
            What::Asked(_) => Some(place),
            _ => None,
        };
        let at = |place: usize| match &self.steps[place].what {
            What::Asked(ask) => (place, ask),
            _ => unreachable!(),
        };
        self.steps.iter().enumerate().filter_map(ask).map(at).collect()
    }

    /// Where request number `request` stands at `now`.
    pub(crate) fn request(&self, request: u64, now: Timestamp) -> RequestFate {
        let (first, ask) = self.ask(request);
        for (place, step) in self.steps.iter().enumerate().skip(first) {
            if step.at >= ask.expires {
                return RequestFate::Expired;
            }
            match &step.what {
                What::Granted(given) if given.request == request => return RequestFate::Approved,
                What::Extended { request: on, .. } if *on == request => return RequestFate::Approved,
                What::Voted { request: on, yes: false, .. } if *on == request => return RequestFate::Denied,
                What::Cancelled { request: on } if *on == request => return RequestFate::Cancelled,
                _ => {}
            }
            if !step.org.tenable(ask) || self.nothing_to_extend(ask, place + 1, step.at) {
                return RequestFate::Cancelled;
            }
        }
        match now >= ask.expires {
            true => RequestFate::Expired,
            false if self.nothing_to_extend(ask, self.steps.len(), now) => RequestFate::Cancelled,
            false => RequestFate::Pending,
        }
    }

    fn nothing_to_extend(&self, ask: &Ask, steps: usize, now: Timestamp) -> bool {
        ask.extends.is_some_and(|id| self.stand(id.number(), steps, now).fate.is_over())
    }

    /// Request number `request`, with its step.
    pub(crate) fn ask(&self, request: u64) -> (usize, &Ask) {
        self.asks()[usize::try_from(request).unwrap() - 1]
    }

    /// Authorization number `id`, with its step.
    pub(crate) fn grant(&self, id: u64) -> (usize, &Given) {
        self.find_grant(id).unwrap()
    }

    pub(crate) fn find_grant(&self, id: u64) -> Option<(usize, &Given)> {
        let place = usize::try_from(id).unwrap().checked_sub(1)?;
        self.given().get(place).copied()
    }

    /// The yes votes on a request, with what each shortened.
    pub(crate) fn votes(&self, request: u64) -> Vec<(UserId, Option<Span>)> {
        let vote = |step: &Step| match step.what {
            What::Voted { request: on, by, yes: true, shorter } if on == request => Some((by, shorter)),
            _ => None,
        };
        self.steps.iter().filter_map(vote).collect()
    }

    /// All authorizations, in the order in which they were given.
    pub(crate) fn given(&self) -> Vec<(usize, &Given)> {
        let given = |(place, step): (usize, &'_ Step)| match step.what {
            What::Granted(_) => Some(place),
            _ => None,
        };
        let at = |place: usize| match &self.steps[place].what {
            What::Granted(given) => (place, given),
            _ => unreachable!(),
        };
        self.steps.iter().enumerate().filter_map(given).map(at).collect()
    }

    /// Where authorization `id` stands at `now`, after the first `steps` steps.
    pub(crate) fn stand(&self, id: u64, steps: usize, now: Timestamp) -> Stand {
        let (first, given) = self.grant(id);
        let mut fate = match (given.ask.not_before, given.start) {
            (Some(at), _) if at > given.granted => Fate::WaitsFor(at),
            (_, StartRule::AtApproval) => {
                Fate::Active { start: given.granted, end: given.granted.plus(given.duration) }
            }
            (_, StartRule::AtFirstUse(window)) => Fate::WaitsForUse { until: given.granted.plus(window) },
        };
        let (mut used, mut running) = (0, Vec::new());
        for step in self.steps.iter().take(steps).skip(first + 1) {
            if fate.over_by(given.duration, step.at) {
                return Stand { fate: Fate::RanOut, used };
            }
            fate = by_the_clock(fate, given.duration, step.at);
            match step.what {
                What::Revoked { authorization } if authorization == id => {
                    return Stand { fate: Fate::Revoked, used };
                }
                What::GivenBack { authorization } if authorization == id => {
                    return Stand { fate: Fate::GivenBack, used };
                }
                What::Started { execution, under: Some(under), .. } if under == id => {
                    used += 1;
                    running.push(execution);
                    fate = started(fate, given.duration, step.at);
                }
                What::Finished { execution, started } if running.contains(&execution) => {
                    running.retain(|run| *run != execution);
                    used -= u32::from(!started);
                    if running.is_empty() && given.uses.is_some_and(|max| used >= max) {
                        return Stand { fate: Fate::UsedUp, used };
                    }
                }
                _ => {}
            }
            if let (Fate::Active { start, end }, What::Extended { authorization, more, ahead, .. }) =
                (fate, &step.what)
                && *authorization == id
            {
                let end = end.plus(*more).min(step.at.plus(*ahead)).max(end);
                fate = Fate::Active { start, end };
            }
            if !step.org.tenable(&given.ask) {
                return Stand { fate: Fate::Voided, used };
            }
        }
        match fate.over_by(given.duration, now) {
            true => Stand { fate: Fate::RanOut, used },
            false => Stand { fate: by_the_clock(fate, given.duration, now), used },
        }
    }

    /// Whether the authorization lets this task run with these values now.
    pub(crate) fn in_force(
        &self,
        id: u64,
        org: &Org,
        now: Timestamp,
        task: u32,
        values: &Parameters,
    ) -> bool {
        let (_, given) = self.grant(id);
        let stand = self.stand(id, self.steps.len(), now);
        let open = matches!(stand.fate, Fate::Active { .. } | Fate::WaitsForUse { .. });
        let fits = match given.binding {
            Binding::Exact => given.ask.bound == *values,
            Binding::Open => given.ask.bound.iter().all(|(name, value)| values.get(name) == Some(value)),
        };
        open && given.uses.is_none_or(|max| stand.used < max)
            && org.covers(given.ask.access, task)
            && org
                .governing(Access::Task(brevet_core::TaskId::new(task)))
                .is_some_and(|p| p.0 == given.ask.policy)
            && fits
    }
}

fn by_the_clock(fate: Fate, duration: Span, now: Timestamp) -> Fate {
    match fate {
        Fate::WaitsFor(at) if at <= now => Fate::Active { start: at, end: at.plus(duration) },
        other => other,
    }
}

fn started(fate: Fate, duration: Span, at: Timestamp) -> Fate {
    match fate {
        Fate::WaitsFor(start) => Fate::Active { start, end: start.plus(duration) },
        Fate::WaitsForUse { .. } => Fate::Active { start: at, end: at.plus(duration) },
        other => other,
    }
}

/// Who may ask under these terms.
pub(crate) fn named(requesters: &Requesters) -> Option<&[Principal]> {
    match requesters {
        Requesters::Anyone => None,
        Requesters::Named(named) => Some(named),
    }
}
