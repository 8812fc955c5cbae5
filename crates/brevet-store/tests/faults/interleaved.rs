//! Two servers on one database, and what can go wrong with each, in any order: both know the same afterwards, what was
//! acknowledged is there, and nothing else.

use brevet_core::{Command, Entry, Origin, ServerId, SessionId, State};
use brevet_store::{Aftermath, SideWrite, StoreError, Tail};
use proptest::prelude::{Just, Strategy, any};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use crate::cluster::Cluster;
use crate::engine::{END_ALL, Engine, Home};
use crate::lost::through;
use crate::sample::{BOB, Sample, request};
use crate::trap::{How, Trap};
use crate::wire_cutter::{Cut, WireCutter};
use crate::work::Work;

/// Orders that are tried, each on a database of its own.
const CASES: u32 = 4;
/// Steps of an order.
const STEPS: usize = 25;

/// What one of both does.
#[derive(Debug, Clone, Copy)]
enum Step {
    /// It appends in its turn.
    Append,
    /// It appends without waiting for its turn, and is refused where it has not heard of everything.
    AppendUnheard,
    /// It hears of what the other appended.
    Look,
    /// It has its turn, and nothing to say; the other looks meanwhile.
    Pass,
    /// A row of its batch cannot be written, or the connection ends there.
    Fail { row: usize, is_end: bool },
    /// Every connection ends: in its turn, or before.
    End { in_turn: bool },
    /// Its commit is not answered, whether or not it got there.
    Cut { is_stored: bool },
    /// It goes down, and comes back as another server.
    Restart,
}

fn steps() -> impl Strategy<Value = Vec<(usize, Step)>> {
    let step = proptest::prop_oneof![
        4 => Just(Step::Append),
        1 => Just(Step::AppendUnheard),
        1 => Just(Step::Look),
        1 => Just(Step::Pass),
        2 => (1_usize..12, any::<bool>()).prop_map(|(row, is_end)| Step::Fail { row, is_end }),
        1 => any::<bool>().prop_map(|in_turn| Step::End { in_turn }),
        3 => any::<bool>().prop_map(|is_stored| Step::Cut { is_stored }),
        1 => Just(Step::Restart),
    ];
    proptest::collection::vec((0_usize..2, step), STEPS)
}

#[test]
fn in_any_order_two_servers_know_the_same_and_keep_what_was_acknowledged() {
    let engine = Engine::Postgres(Cluster::start());
    let config = Config { cases: CASES, failure_persistence: None, ..Config::default() };
    let chance = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let played = TestRunner::new_with_rng(config, chance).run(&steps(), |steps| {
        let mut home = engine.home();
        let cutter = through(&mut home);
        drop(home.organization());
        let trap = Trap::set(&home);
        let mut scene = Scene::begin(&home, &cutter, &trap);
        for (who, step) in steps {
            scene.play(who, step);
            scene.compare(step);
        }
        let size = scene.size;
        drop(scene);
        trap.remove();
        home.assert_verifies(size);
        Ok(())
    });
    played.unwrap();
}

/// Both servers, and what was acknowledged.
struct Scene<'s, 'e> {
    home: &'s Home<'e>,
    cutter: &'s WireCutter,
    trap: &'s Trap<'s, 'e>,
    servers: [Option<Sample>; 2],
    joined: u32,
    acknowledged: Vec<Entry>,
    size: u64,
}

impl<'s, 'e> Scene<'s, 'e> {
    fn begin(home: &'s Home<'e>, cutter: &'s WireCutter, trap: &'s Trap<'s, 'e>) -> Self {
        let reader = home.reader();
        let acknowledged: Vec<Entry> =
            reader.entries_from(0, 1_000).unwrap().into_iter().map(|stored| stored.entry).collect();
        let size = reader.size().unwrap();
        let mut scene = Self { home, cutter, trap, servers: [None, None], joined: 0, acknowledged, size };
        (0..2).for_each(|who| scene.start(who));
        scene
    }

    /// A server comes up, and says so beside the ledger.
    fn start(&mut self, who: usize) {
        self.servers[who] = None;
        let mut sample = if who == 0 { self.home.open() } else { self.home.open_beside() }.unwrap();
        self.joined += 1;
        let joins = Work::beside(&sample, vec![SideWrite::JoinServer(ServerId::new(self.joined))]);
        joins.try_on(&mut sample).unwrap();
        self.servers[who] = Some(sample);
    }

    fn server(&mut self, who: usize) -> &mut Sample {
        self.servers[who].as_mut().unwrap()
    }

    fn play(&mut self, who: usize, step: Step) {
        match step {
            Step::Append => {
                self.takes_its_turn(who);
                self.appends(who).unwrap();
            }
            Step::AppendUnheard => {
                self.looks(who);
                let other = 1 - who;
                self.takes_its_turn(other);
                self.appends(other).unwrap();
                let refused = self.appends(who).unwrap_err();
                assert!(matches!(refused, StoreError::Moved), "{refused}");
            }
            Step::Look => self.looks(who),
            Step::Pass => {
                self.takes_its_turn(who);
                self.looks(1 - who);
                self.server(who).store.end_turn();
            }
            Step::Fail { row, is_end } => {
                self.trap.at_row(row, if is_end { How::Ended } else { How::Refused });
                self.takes_its_turn(who);
                drop(self.appends(who));
                self.trap.open();
            }
            Step::End { in_turn } => {
                if in_turn {
                    self.takes_its_turn(who);
                }
                self.home.sql(END_ALL);
                let error = match in_turn {
                    true => self.appends(who).unwrap_err(),
                    false => self.server(who).store.begin_turn().unwrap_err(),
                };
                assert_eq!(error.aftermath(), Aftermath::Away, "{error}");
                let other = self.server(1 - who).store.look().unwrap_err();
                assert!(other.is_lost(), "{other}");
            }
            Step::Cut { is_stored } => {
                self.takes_its_turn(who);
                self.cutter.arm(if is_stored { Cut::Behind } else { Cut::Before });
                let done = self.appends(who);
                assert_eq!(done.is_ok(), is_stored, "{done:?}");
            }
            Step::Restart => self.start(who),
        }
    }

    fn takes_its_turn(&mut self, who: usize) {
        let tail = self.server(who).store.begin_turn().unwrap();
        if let Some(tail) = tail {
            take_over(self.server(who), tail);
        }
    }

    fn looks(&mut self, who: usize) {
        let tail = self.server(who).store.look().unwrap();
        if let Some(tail) = tail {
            take_over(self.server(who), tail);
        }
    }

    /// Appends; a commit that was not answered is looked up, as by a server.
    fn appends(&mut self, who: usize) -> Result<(), StoreError> {
        let sample = self.server(who);
        let command = Command::Submit(request("one more"));
        let work = Work::of(sample, vec![(Origin::user(BOB, SessionId::new(1)), command)], Vec::new());
        match work.try_on(sample) {
            Ok(_) => {}
            Err(error) if error.aftermath() == Aftermath::Unanswered => {
                sample.store.look_up().unwrap().ok_or(error)?;
                work.happened(sample);
            }
            Err(error) => return Err(error),
        }
        self.acknowledged.extend_from_slice(work.entries());
        Ok(())
    }

    /// Both know what was acknowledged, and what the rows and the entries add up to.
    fn compare(&mut self, after: Step) {
        let reader = self.home.reader();
        let stored = reader.entries_from(0, 10_000).unwrap();
        let entries: Vec<Entry> = stored.into_iter().map(|stored| stored.entry).collect();
        assert!(entries == self.acknowledged, "{} entries, {after:?}", entries.len());
        let size = reader.size().unwrap();
        assert!(size >= self.size && size == u64::try_from(entries.len()).unwrap(), "{after:?}");
        self.size = size;
        let mut folded = State::default();
        for entry in &entries {
            let changes = folded.apply(entry);
            folded.forget(&changes);
        }
        for who in 0..2 {
            self.looks(who);
            let sample = self.server(who);
            assert!(sample.state == folded, "server {who} knows something else after {after:?}");
            assert!(sample.store.load().unwrap() == folded, "other rows after {after:?}");
            assert_eq!(sample.store.size(), size, "{after:?}");
            assert_eq!(sample.store.checkpoint(), reader.checkpoint().unwrap(), "{after:?}");
        }
    }
}

fn take_over(sample: &mut Sample, tail: Tail) {
    for entry in &tail.entries {
        let changes = sample.state.apply(entry);
        sample.state.forget(&changes);
    }
    sample.now = sample.now.max(sample.state.last().unwrap());
}
