//! What is different where several servers write to one ledger: a batch begins with what the others decided, a server that
//! is silent for long is given up by the others, and a commit without an answer is looked up.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use brevet_core::{Command, Entry, Event, ServerId};
use brevet_store::{Aftermath, Appended, Sign, StoreError, Tail};

use super::failing::{Failing, Noted};
use super::{Pending, Sequencer};
use crate::app::freshness::Freshness;
use crate::app::published::Published;
use crate::world::World;

/// How often others are asked for news that they did not ring for.
pub(super) const LOOK_EVERY: Duration = Duration::from_millis(100);
/// How often a server gives a sign of life, and looks for those of the others.
const BEAT_EVERY: Duration = Duration::from_secs(1);
/// A server that gives no sign of life for so long, while this one could have seen it, is gone.
const LOST_AFTER: Duration = Duration::from_secs(6);
/// A server that did not look for so long begins anew to count how long others are silent.
const UNHEARD_AFTER: Duration = Duration::from_secs(3);
/// How long a commit without an answer is looked up before this server ends.
const LOOK_UP_MAX: Duration = Duration::from_secs(30);
/// Between two attempts to reach the database.
const AGAIN_AFTER: Duration = Duration::from_millis(100);

/// What a server knows of the others, and of its way to the database.
#[derive(Debug)]
pub(super) struct Cluster {
    pub(super) fresh: Arc<Freshness>,
    beaten: Option<Duration>,
    /// The last sign of life of each other server, and when it was first seen.
    signs: HashMap<ServerId, (u64, Duration)>,
    is_away: bool,
    /// Whether this server may not decide.
    refused: Failing,
    /// Why a commit would not be as durable as it must be.
    undurable: Option<String>,
}

impl Cluster {
    pub(super) fn new(fresh: Arc<Freshness>) -> Self {
        Self {
            fresh,
            beaten: None,
            signs: HashMap::new(),
            is_away: false,
            refused: Failing::default(),
            undurable: None,
        }
    }

    /// Remembers why a commit would not be durable; says so when that changes.
    fn note_durability(&mut self, why: Option<String>) {
        match (&self.undurable, &why) {
            (None, Some(why)) => tracing::error!(%why, "nothing is decided until that is mended"),
            (Some(_), None) => tracing::info!("what is acknowledged is durable again"),
            _ => {}
        }
        self.undurable = why;
    }

    /// Who did not look for long could not have heard: of what was seen before, nothing counts.
    fn looks_again(&mut self, now: Duration) {
        if self.beaten.is_some_and(|last| now.saturating_sub(last) >= UNHEARD_AFTER) {
            self.signs.clear();
        }
        self.beaten = Some(now);
    }

    /// Which of these gave no new sign of life for long.
    fn silent(&mut self, own: ServerId, signs: &[Sign], now: Duration) -> Vec<Sign> {
        self.signs.retain(|server, _| signs.iter().any(|sign| sign.server == *server));
        let others = signs.iter().filter(|sign| sign.server != own);
        others
            .filter(|sign| {
                let (beats, since) = self.signs.entry(sign.server).or_insert((sign.beats, now));
                if *beats != sign.beats {
                    (*beats, *since) = (sign.beats, now);
                }
                now.saturating_sub(*since) >= LOST_AFTER
            })
            .copied()
            .collect()
    }

    /// What keeps being refused is tried often, and said once. Answers whether it lasts too long from now on.
    fn note_refused(&mut self, why: &str) -> bool {
        let Noted { is_new, lasts } = self.refused.note(why, self.fresh.moment());
        if is_new && self.undurable.is_none() {
            tracing::warn!(%why, "the database did not let this server decide; it is tried again");
        }
        lasts
    }

    fn is_back(&mut self) {
        if self.undurable.is_none() {
            self.refused.is_over();
        }
        if std::mem::take(&mut self.is_away) {
            tracing::info!("the database is back");
        }
    }
}

impl<W: World> Sequencer<W> {
    /// Takes the turn where there is something to decide, and otherwise hears what others decided. Answers whether to go on,
    /// or why nothing can be decided.
    pub(super) fn enter(&mut self, has_commands: bool, pending: &mut Pending) -> Result<bool, String> {
        if !self.store.is_shared() || self.broken.is_some() {
            return Ok(true);
        }
        let moment = self.cluster.fresh.moment();
        let entered = self.hear(has_commands, moment, pending);
        match entered {
            Ok(has_turn) => {
                self.cluster.fresh.note(moment);
                self.cluster.is_back();
                let Some(why) = self.cluster.undurable.clone() else { return Ok(has_turn) };
                if self.cluster.note_refused(&why) {
                    self.stop_what_runs();
                }
                Err(why)
            }
            Err(error) => Err(self.cannot(&error)),
        }
    }

    fn hear(
        &mut self,
        has_commands: bool,
        moment: Duration,
        pending: &mut Pending,
    ) -> Result<bool, StoreError> {
        let silent = self.beat_and_watch(moment)?;
        let is_due = self.is_due();
        // What others decided is heard also while nothing can be decided here.
        let may_decide = self.cluster.undurable.is_none();
        let wants_turn = may_decide && (has_commands || is_due || !silent.is_empty());
        let tail = if wants_turn { self.store.begin_turn()? } else { self.store.look()? };
        if let Some(tail) = tail {
            self.take_over(tail);
        }
        // Seen again while nobody else writes: what was silent then is given up now.
        let now = if silent.is_empty() || !wants_turn { Vec::new() } else { self.store.signs()? };
        for sign in silent.into_iter().filter(|sign| now.contains(sign)) {
            tracing::warn!(server = %sign.server, "a server gives no sign of life; what it ran has an unknown end");
            self.note(self.world.now(), Command::LoseServer(sign.server), pending);
        }
        Ok(wants_turn)
    }

    fn beat_and_watch(&mut self, moment: Duration) -> Result<Vec<Sign>, StoreError> {
        let Some(own) = self.store.server() else { return Ok(Vec::new()) };
        let is_time = self.cluster.beaten.is_none_or(|last| moment.saturating_sub(last) >= BEAT_EVERY);
        if !is_time {
            return Ok(Vec::new());
        }
        let undurable = self.store.undurable()?;
        self.cluster.note_durability(undurable);
        self.store.beat()?;
        let signs = self.store.signs()?;
        self.cluster.looks_again(moment);
        Ok(self.cluster.silent(own, &signs, moment))
    }

    /// What others appended becomes the state here, and what it ends here ends.
    fn take_over(&mut self, Tail { entries, size, checkpoint }: Tail) {
        let mut changes = Vec::new();
        for entry in &entries {
            changes.extend(self.working.apply(entry));
        }
        self.working.forget(&changes);
        let state = std::mem::take(&mut self.working);
        let outdated =
            self.readers.publish(Published { state, size, checkpoint, server: self.store.server() });
        self.reaction.heard(&entries);
        self.working = outdated.catch_up(&entries, &changes);
        if let Some(why) = entries.iter().find_map(|entry| self.ends_this_server(entry)) {
            self.end(why.to_owned());
        }
    }

    fn ends_this_server(&self, entry: &Entry) -> Option<&'static str> {
        match &entry.event {
            Event::ServerLost { server } if Some(*server) == self.store.server() => Some(
                "the other servers took this one for gone, because it was silent for too long; it ends, and what it ran \
                 has an unknown end; start it again",
            ),
            Event::KeyRotated { .. } => Some(
                "another server changed the signing key; copy ledger.key and ledger.vkey from its data folder into \
                 this one, and start this server again",
            ),
            _ => None,
        }
    }

    /// Nobody can revoke what runs here, and no window ends.
    pub(super) fn stop_what_runs(&self) {
        tracing::error!("nothing is put on record for too long; what runs here is stopped");
        self.reaction.ledger_failed();
    }

    /// Writes nothing more. One of several servers ends, to be started again; a server alone goes on to show what is there.
    pub(super) fn end(&mut self, why: String) {
        tracing::error!(%why, "this server stops writing");
        if self.store.is_shared() {
            self.halt.set(why.clone());
        }
        self.broken = Some(why);
        self.reaction.ledger_failed();
    }

    /// Nothing can be decided now; whether that may change is in the error.
    pub(super) fn cannot(&mut self, error: &StoreError) -> String {
        let why = error.to_string();
        self.store.end_turn();
        match error.aftermath() {
            Aftermath::Away => self.note_away(&why),
            Aftermath::OnlyThisBatch | Aftermath::NoRoom | Aftermath::NoKey => {
                if self.cluster.note_refused(&why) {
                    self.stop_what_runs();
                }
            }
            Aftermath::Uncertain | Aftermath::Unanswered => self.end(why.clone()),
        }
        why
    }

    pub(super) fn note_away(&mut self, why: &str) {
        if !std::mem::replace(&mut self.cluster.is_away, true) {
            tracing::error!(%why, "the database is away; it is tried again");
        }
    }

    /// Finds out what became of a batch whose commit was not answered. Nothing is repeated, and nothing else is decided,
    /// before that is known; where it cannot be found out this server ends, and says why.
    pub(super) fn look_up(&mut self) -> Result<Option<Appended>, String> {
        let began = self.cluster.fresh.moment();
        loop {
            let error = match self.store.look_up() {
                Ok(found) => return Ok(found),
                Err(error) => error,
            };
            let is_over = self.cluster.fresh.moment().saturating_sub(began) >= LOOK_UP_MAX;
            if is_over || error.aftermath() == Aftermath::Uncertain {
                self.end(format!("{error}; nobody knows whether the last commands happened"));
                return Err(error.to_string());
            }
            self.note_away(&error.to_string());
            std::thread::park_timeout(AGAIN_AFTER);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::mpsc::Sender;
    use std::time::Duration;

    use brevet_core::ServerId;
    use brevet_store::Sign;

    use super::{Cluster, LOST_AFTER};
    use crate::app::freshness::Freshness;

    const OWN: ServerId = ServerId::new(1);

    /// What the log of this server says meanwhile.
    fn logged(done: impl FnOnce()) -> String {
        let (said, log) = std::sync::mpsc::channel();
        let subscriber =
            tracing_subscriber::fmt().with_ansi(false).with_writer(move || Log(said.clone())).finish();
        tracing::subscriber::with_default(subscriber, done);
        String::from_utf8(log.iter().flatten().collect()).unwrap()
    }

    struct Log(Sender<Vec<u8>>);

    impl std::io::Write for Log {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.send(bytes.to_vec()).map_err(std::io::Error::other)?;
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    fn sign(server: u32, beats: u64) -> Sign {
        Sign { server: ServerId::new(server), beats }
    }

    #[test]
    fn a_server_is_silent_only_after_it_could_have_been_heard_for_long() {
        let mut cluster = Cluster::new(Arc::new(Freshness::new(true)));
        let second = Duration::from_secs(1);
        assert!(cluster.silent(OWN, &[sign(1, 1), sign(2, 1), sign(3, 1)], second).is_empty());
        assert!(cluster.silent(OWN, &[sign(1, 1), sign(2, 1), sign(3, 2)], LOST_AFTER).is_empty());
        let late = second + LOST_AFTER;
        assert_eq!(cluster.silent(OWN, &[sign(1, 1), sign(2, 1), sign(3, 2)], late), [sign(2, 1)]);
    }

    #[test]
    fn nobody_is_silent_who_spoke_while_this_server_did_not_listen() {
        let mut cluster = Cluster::new(Arc::new(Freshness::new(true)));
        assert!(cluster.silent(OWN, &[sign(2, 1)], Duration::ZERO).is_empty());
        assert!(cluster.silent(OWN, &[sign(2, 9)], LOST_AFTER * 10).is_empty());
    }

    #[test]
    fn who_did_not_look_for_long_gives_nobody_up_at_once() {
        let mut cluster = Cluster::new(Arc::new(Freshness::new(true)));
        let (beat, second) = ([sign(1, 1), sign(2, 1)], Duration::from_secs(1));
        cluster.looks_again(second);
        assert!(cluster.silent(OWN, &beat, second).is_empty());
        // It waited for an answer, or the database was away: nobody could be heard here.
        let back = LOST_AFTER * 4;
        cluster.looks_again(back);
        assert!(cluster.silent(OWN, &beat, back).is_empty());
        let mut now = back;
        while now < back + LOST_AFTER {
            assert!(cluster.silent(OWN, &beat, now).is_empty());
            now += second;
            cluster.looks_again(now);
        }
        assert_eq!(cluster.silent(OWN, &beat, now), [sign(2, 1)], "that it is silent is found all the same");
    }

    #[test]
    fn what_is_refused_again_and_again_is_said_once() {
        let mut cluster = Cluster::new(Arc::new(Freshness::new(true)));
        let said = logged(|| {
            (0..3).for_each(|_| assert!(!cluster.note_refused("no standby")));
            cluster.note_refused("fsync is off");
            cluster.is_back();
            cluster.note_refused("fsync is off");
        });
        assert_eq!(
            (said.matches("no standby").count(), said.matches("fsync is off").count()),
            (1, 2),
            "{said}"
        );
    }

    #[test]
    fn what_is_not_durable_is_said_once_and_so_is_that_it_is_again() {
        let mut cluster = Cluster::new(Arc::new(Freshness::new(true)));
        let said = logged(|| {
            (0..3).for_each(|_| cluster.note_durability(Some("fsync is off".to_owned())));
            assert_eq!(cluster.undurable.as_deref(), Some("fsync is off"), "nothing is decided");
            (0..3).for_each(|_| cluster.note_durability(None));
            assert_eq!(cluster.undurable, None);
        });
        assert_eq!(
            (said.matches("fsync is off").count(), said.matches("durable again").count()),
            (1, 1),
            "{said}"
        );
    }
}
