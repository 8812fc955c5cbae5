//! Requests and votes.

use brevet_core::{
    Approval, AuthorizationId, AuthorizationState, Binding, Command, NewPurpose, NewRequest, Reply,
    RequestId, Span, StartRule, Text, UserId, Verdict,
};

use super::{Game, Op, setup, ticks};
use crate::naive::{Ask, Fate, Given, RequestFate, What};

impl Game {
    pub(super) fn play_ask(&mut self, op: &Op) {
        let (new, by) = match op {
            Op::Submit { by, access, unit, duration, start, uses } => {
                let purpose =
                    NewPurpose::Access { access: Self::access(*access), bound: setup::bound(*unit, *access) };
                let new = NewRequest {
                    purpose,
                    reason: Text::default(),
                    duration: (duration % 6 > 0).then(|| ticks(i64::from(duration % 6))),
                    not_before: (start % 4 == 0).then(|| self.now.plus(ticks(i64::from(start / 4) + 1))),
                    max_uses: (uses % 3 == 0).then_some(u32::from(uses % 4)),
                };
                (new, self.user(*by))
            }
            Op::Extend { by, authorization, duration } => {
                let count = self.history.given().len().max(1) as u64;
                let id = AuthorizationId::new(count - u64::from(*authorization) % count);
                let duration = (duration % 4 > 0).then(|| ticks(i64::from(duration % 4)));
                let purpose = NewPurpose::Extension(id);
                let new = NewRequest {
                    purpose,
                    reason: Text::default(),
                    duration,
                    not_before: None,
                    max_uses: None,
                };
                (new, self.user(*by))
            }
            _ => unreachable!(),
        };
        let ask = self.naive_ask(by, &new);
        let reply = self.send(Self::by(by), || Command::Submit(new.clone()));
        assert_eq!(reply.is_ok(), ask.is_some(), "{op:?} {reply:?}");
        if let (Some(ask), Ok(Reply::Request(id))) = (ask, reply) {
            assert_eq!(id.number(), self.history.asks().len() as u64 + 1);
            let row = &self.requests[&id.number()];
            assert_eq!(
                (row.policy.number(), row.duration, &row.bound),
                (ask.policy, ask.duration, &ask.bound)
            );
            let auto = self.org.policy(ask.policy).unwrap().approval == Approval::Auto;
            let duration = ask.duration;
            self.tell(What::Asked(ask));
            if auto {
                self.give(id.number(), duration);
            }
        }
    }

    /// What would be asked for, if it may be.
    fn naive_ask(&self, by: UserId, new: &NewRequest) -> Option<Ask> {
        let (now, org) = (self.now, &self.org);
        let (policy, access, bound, extends) = match &new.purpose {
            NewPurpose::Access { access, bound } => {
                let policy = org.governing(*access)?;
                let exact = policy.2.binding == Binding::Exact;
                let bound = setup::naive_bound(org, *access, bound, exact)?;
                (policy.0, *access, bound, None)
            }
            NewPurpose::Extension(id) => {
                let (_, given) = self.history.find_grant(id.number())?;
                let stand = self.history.stand(id.number(), self.history.steps.len(), now);
                let mine = given.ask.by == by && matches!(stand.fate, Fate::Active { .. });
                // Until somebody acted on its start, a scheduled authorization has nothing to extend.
                let begun =
                    matches!(self.authorizations[&id.number()].state, AuthorizationState::Active { .. });
                (mine && begun).then_some(())?;
                (given.ask.policy, given.ask.access, given.ask.bound.clone(), Some(*id))
            }
        };
        let terms = org.policy(policy)?;
        let max = terms.maximum_duration.span();
        let duration = new.duration.unwrap_or(Span::hours(4).min(max));
        let starts_well = new
            .not_before
            .is_none_or(|at| at > now && extends.is_none() && terms.start == StartRule::AtApproval);
        let uses_well =
            new.max_uses.is_none_or(|uses| uses > 0 && terms.max_uses.is_none_or(|max| uses <= max));
        let approvable = terms.approval == Approval::Auto || org.could_be_enough(terms, by);
        let may = org.version(access).is_some() && org.may_ask(terms, by);
        (may && duration <= max && starts_well && uses_well && approvable).then(|| Ask {
            by,
            extends,
            access,
            version: org.version(access),
            bound,
            policy,
            duration,
            not_before: new.not_before,
            uses: new.max_uses.or(terms.max_uses),
            expires: now.plus(terms.pending_lifetime),
        })
    }

    fn give(&mut self, request: u64, duration: Span) {
        let ask = self.history.ask(request).1.clone();
        let terms = self.org.policy(ask.policy).unwrap().clone();
        let what = match ask.extends {
            Some(id) => What::Extended {
                request,
                authorization: id.number(),
                more: duration,
                ahead: terms.maximum_duration.span(),
            },
            None => What::Granted(Given {
                request,
                granted: self.now,
                duration,
                uses: [ask.uses, terms.max_uses].into_iter().flatten().min(),
                binding: terms.binding,
                start: terms.start,
                ask,
            }),
        };
        self.tell(what);
    }

    pub(super) fn play_vote(&mut self, by: UserId, number: u64, yes: bool, shorter: Option<Span>) {
        let asked = self.history.asks().len() as u64;
        // The newest ones are the likeliest to be pending.
        let request = asked.saturating_sub(number % 5);
        let says = self.naive_vote(by, request, yes, shorter);
        let verdict = if yes { Verdict::Approve } else { Verdict::Deny };
        let reply = self.send(Self::by(by), || Command::Decide {
            request: RequestId::new(request),
            verdict,
            duration: shorter,
            comment: Text::default(),
        });
        let code = reply.map_or_else(|refusal| refusal.code(), |_| "ok");
        assert_eq!(code, says, "{by} votes on req-{request}");
        if code == "ok" {
            self.tell(What::Voted { request, by, yes, shorter });
            let ask = self.history.ask(request).1.clone();
            let votes = self.history.votes(request);
            let people: Vec<UserId> = votes.iter().map(|(by, _)| *by).collect();
            let terms = self.org.policy(ask.policy).unwrap().clone();
            if yes && self.org.is_enough(&terms, ask.by, &people) {
                let shortest = votes.iter().filter_map(|(_, shorter)| *shorter).min().unwrap_or(ask.duration);
                self.give(request, shortest.min(ask.duration).min(terms.maximum_duration.span()));
            }
        }
    }

    fn naive_vote(&self, by: UserId, request: u64, yes: bool, shorter: Option<Span>) -> &'static str {
        if !self.org.active(by) {
            return "inactive";
        }
        if request == 0 {
            return "not-found";
        }
        let fate = self.history.request(request, self.now);
        let ask = self.history.ask(request).1;
        if fate != RequestFate::Pending {
            return "ended";
        }
        if self.org.person(by) == self.org.person(ask.by) {
            return "self-approval";
        }
        let terms = self.org.policy(ask.policy).unwrap();
        let votes = self.history.votes(request);
        let voted = votes.iter().any(|(voter, _)| self.org.person(*voter) == self.org.person(by));
        match () {
            () if !self.org.is_approver(terms, by) => "not-an-approver",
            () if !yes => "ok",
            () if voted => "already-voted",
            () if shorter.is_some_and(|shorter| shorter > ask.duration) => "invalid",
            () => "ok",
        }
    }
}
