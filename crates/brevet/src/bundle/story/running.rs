//! The authorization in use: its window, its end, and the runs under it.

use brevet_core::{
    Access, AuthorizationId, Basis, Binding, Ending, Event, ExecutionId, Parameters, StopCause, Timestamp,
};

use super::words::{quoted, result, values};
use super::{Checked, Given, Ran, Story, Told};
use crate::bundle::fault::BundleFault;
use crate::bundle::report::instant;

impl Story {
    /// The authorization of this story, before it ended.
    pub(super) fn under(&mut self, told: &Told, id: AuthorizationId) -> Result<&mut Given, BundleFault> {
        match &mut self.given {
            None => Err(BundleFault::missing(format!("the entry that gave {id}"))),
            Some(given) if given.id != id => Err(BundleFault::contradicts(
                told.index,
                format!("it is about {id}, the story is about {}", given.id),
            )),
            Some(given) if given.ended => {
                Err(BundleFault::contradicts(told.index, format!("{id} had ended before")))
            }
            Some(given) => Ok(given),
        }
    }

    pub(super) fn started(&mut self, told: &Told) -> Checked {
        let Event::AuthorizationStarted { authorization, start, end } = &told.entry.event else {
            return Ok(String::new());
        };
        let given = self.under(told, *authorization)?;
        let (from, until) = given.may_start;
        let fits =
            (from..until).contains(start) && *end <= start.plus(given.duration) && *start >= given.given;
        if !fits || given.window.is_some() {
            let what = format!("{authorization} began at another time than it could");
            return Err(BundleFault::contradicts(told.index, what));
        }
        given.window = Some((*start, *end));
        Ok(format!("the time of {authorization} began; it lasts until {}", instant(*end)))
    }

    pub(super) fn ended(&mut self, told: &Told) -> Checked {
        let Event::AuthorizationEnded { authorization, how, comment } = &told.entry.event else {
            return Ok(String::new());
        };
        self.under(told, *authorization)?.ended = true;
        let how = match how {
            Ending::RanOut => "its time was over".to_owned(),
            Ending::GivenBack => "its holder gave it back".to_owned(),
            Ending::Revoked(by) => format!("{} revoked it: {}", self.scene.name(*by), quoted(comment)),
            Ending::UsedUp => "its last run was used".to_owned(),
            Ending::Voided => "what it was given for is not so any more".to_owned(),
        };
        Ok(format!("{authorization} ended: {how}"))
    }

    pub(super) fn ran(&mut self, told: &Told) -> Checked {
        let Event::ExecutionStarted { execution, user, task, digest, parameters, basis, policy, server: _ } =
            &told.entry.event
        else {
            return Ok(String::new());
        };
        let wrong = |what: &str| Err(BundleFault::contradicts(told.index, format!("{execution}: {what}")));
        let Basis::Authorization(id) = basis else {
            return wrong("it ran without an authorization");
        };
        let name = self.scene.defined(Access::Task(*task), *digest)?;
        if let Some((policy, revision)) = policy {
            self.scene.policy(*policy, *revision)?;
        }
        let given = self.under(told, *id)?;
        let (access, approved) = (given.access, given.digest);
        if given.holder != *user {
            return wrong("somebody else ran it than the holder of the authorization");
        }
        if policy.map(|(policy, _)| policy) != Some(given.policy) {
            return wrong("it ran under another policy than it was approved under");
        }
        if !is_open(given, told.entry.time) {
            return wrong("it started outside the window of its authorization");
        }
        if given.max_uses.is_some_and(|max| given.uses >= max) {
            return wrong("no run was left");
        }
        if !allows(given, parameters) {
            return wrong("it ran with other values than were approved");
        }
        given.uses += 1;
        let is_same = access != Access::Task(*task) || approved == *digest;
        if !is_same || !self.scene.covers(access, approved, *task) {
            return wrong("it ran something else than was approved");
        }
        if self.runs.insert(*execution, Ran::default()).is_some() {
            return wrong("it had started before");
        }
        Ok(format!(
            "{} ran {name}{} as {execution}, under {id}; definition {digest}",
            self.scene.name(*user),
            values(" with ", parameters)
        ))
    }

    fn running(&mut self, told: &Told, id: ExecutionId) -> Result<&mut Ran, BundleFault> {
        match self.runs.get_mut(&id) {
            None => Err(BundleFault::missing(format!("the entry that started {id}"))),
            Some(run) if run.finished => {
                Err(BundleFault::contradicts(told.index, format!("{id} had finished before")))
            }
            Some(run) => Ok(run),
        }
    }

    pub(super) fn stopped(&mut self, told: &Told) -> Checked {
        let Event::ExecutionStopRequested { execution, cause } = &told.entry.event else {
            return Ok(String::new());
        };
        self.running(told, *execution)?;
        let why = match cause {
            StopCause::Revoked => "its authorization was taken away".to_owned(),
            StopCause::Expired => "the time of its authorization was over".to_owned(),
            StopCause::TimedOut => "it took longer than its definition allows".to_owned(),
            StopCause::ByUser(by) => format!("{} said so", self.scene.name(*by)),
            StopCause::Shutdown => "the server was stopped".to_owned(),
            StopCause::LedgerUnavailable => "nothing could be put on record any more".to_owned(),
        };
        Ok(format!("{execution} was told to stop: {why}"))
    }

    pub(super) fn finished(&mut self, told: &Told) -> Checked {
        let Event::ExecutionFinished { execution, result: how, output } = &told.entry.event else {
            return Ok(String::new());
        };
        let run = self.running(told, *execution)?;
        run.finished = true;
        run.output = *output;
        let wrote = match output {
            None => "wrote nothing".to_owned(),
            Some(output) => format!("wrote {} bytes with the digest {}", output.bytes, output.digest),
        };
        Ok(format!("{execution} {}; it {wrote}", result(how)))
    }
}

fn is_open(given: &Given, now: Timestamp) -> bool {
    given.window.is_some_and(|(start, end)| start <= now && now < end)
}

fn allows(given: &Given, values: &Parameters) -> bool {
    match given.binding {
        Binding::Exact => given.bound == *values,
        Binding::Open => given.bound.iter().all(|(name, value)| values.get(name) == Some(value)),
    }
}
