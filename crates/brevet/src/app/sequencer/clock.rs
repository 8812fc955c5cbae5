//! The sequencer's clock: at which instant a batch happens, what is due by then, and what is told of a clock that somebody
//! moved.

use brevet_core::{Command, Span, Timestamp, Verdict};

use super::{Item, Pending, Sequencer};
use crate::app::error::AppError;
use crate::world::World;

/// A clock that is behind the ledger by no more than this was only adjusted; the ledger's time stands still.
pub(in crate::app) const CLOCK_SLACK: Span = Span::seconds(2);

impl<W: World> Sequencer<W> {
    /// Whether something is to be written that nobody asked for.
    pub(super) fn is_due(&self) -> bool {
        let now = self.world.now();
        let is_due = self.working.next_due().is_some_and(|due| due <= now);
        self.has_started && (is_due || self.is_quiet(now))
    }

    fn is_quiet(&self, now: Timestamp) -> bool {
        let Some(every) = self.heartbeat else { return false };
        self.working.last().is_some_and(|last| last.plus(every) <= now)
    }

    /// The instant of this batch: never before the last entry. Behind it by more than a little is an error.
    pub(super) fn read_clock(&self) -> Result<Timestamp, i64> {
        let now = self.world.now();
        match self.working.last() {
            Some(last) if now.plus(CLOCK_SLACK) < last => Err((last.micros() - now.micros()) / 1_000_000),
            Some(last) => Ok(now.max(last)),
            None => Ok(now),
        }
    }

    /// With a clock that went back nothing new is allowed; but what only takes away, and what Brevet itself
    /// must put on record (a run is over), happens at the ledger's own last instant.
    pub(super) fn instant_for(
        &self,
        item: &Item,
        clock: &Result<Timestamp, i64>,
    ) -> Result<Timestamp, AppError> {
        let needs_no_clock = match &item.command {
            None | Some(Command::FinishRun { .. }) => item.origin.user_id().is_none(),
            Some(command) => only_takes_away(command),
        };
        match (clock, self.working.last()) {
            (Ok(now), _) => Ok(*now),
            (Err(_), Some(last)) if needs_no_clock => Ok(last),
            (Err(behind), _) => Err(AppError::ClockWentBack { behind_seconds: *behind }),
        }
    }

    /// Expiry comes first. One pass for each batch, which has a limit: when very much is due at once, commands
    /// go on in between, and each of them sees by the clock what is over.
    pub(super) fn act_on_due(&mut self, now: Timestamp, pending: &mut Pending) {
        let is_due = self.working.next_due().is_some_and(|due| due <= now);
        if is_due {
            self.note(now, Command::ActOnDue, pending);
        }
    }

    /// A quiet ledger gets an entry all the same: one that lost its end has a gap in time.
    pub(super) fn beat(&mut self, now: Timestamp, pending: &mut Pending) {
        let Some(every) = self.heartbeat else { return };
        if self.is_quiet(now) {
            self.note(now, Command::Beat { every }, pending);
        }
    }

    /// Entries are dated by the wall clock; whoever moves it leaves a trace.
    pub(super) fn note_clock_step(&mut self, pending: &mut Pending) {
        let (Some(steady), wall) = (self.world.steady(), self.world.now()) else { return };
        let (wall_then, steady_then) = *self.compared.get_or_insert((wall, steady));
        let passed = i64::try_from(steady.saturating_sub(steady_then).as_micros()).unwrap_or(i64::MAX);
        let expected = wall_then.micros().saturating_add(passed);
        let step = wall.micros().saturating_sub(expected);
        match Span::from_micros(step.saturating_abs()) {
            Ok(by) if by > CLOCK_SLACK => {
                self.stepped = Some((wall, steady));
                self.note(wall, Command::NoteClockStep { by, back: step < 0 }, pending);
            }
            _ => {}
        }
    }
}

/// Whether a command can only end what somebody has or asks for. That needs no clock, and must never wait
/// for one.
const fn only_takes_away(command: &Command) -> bool {
    matches!(
        command,
        Command::Revoke { .. }
            | Command::GiveBack(_)
            | Command::StopRun { .. }
            | Command::Decide { verdict: Verdict::Deny, .. }
            | Command::Cancel(_)
            | Command::DisableUser(_)
            | Command::SignOut { .. }
    )
}
