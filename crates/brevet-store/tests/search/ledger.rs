//! Ledgers at random: requests with all their ends, runs with all theirs, refusals, texts of a few words.

use brevet_core::{
    Access, Change, Command, Entry, ExecutionResult, NewPurpose, NewRequest, Origin, Parameters,
    QualifiedName, Reply, RunOrder, Secrets, SessionId, Span, State, StopCause, TaskId, Text, TextKind,
    Timestamp, UserId, Verdict, transact,
};
use brevet_ledger::Salt;
use brevet_store::{Batch, Store};

use crate::engine::Home;
use crate::sample::{ADMIN, ALICE, BOB, Sample, user};

pub(crate) const WORDS: &[&str] = &[
    "disk",
    "full",
    "web",
    "server",
    "restart",
    "INC-42",
    "db",
    "migration",
    "migrate",
    "urgent",
    "never-written",
];

/// Numbers that look like chance (SplitMix64).
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) % end as u64).unwrap()
    }

    fn text(&mut self) -> String {
        let words: Vec<&str> = (0..=self.below(4)).map(|_| WORDS[self.below(WORDS.len() - 1)]).collect();
        words.join(" ")
    }
}

/// A ledger in the making.
pub(crate) struct Ledger {
    pub(crate) store: Store,
    state: State,
    now: Timestamp,
    batch: usize,
    people: Vec<UserId>,
    entries: Vec<Entry>,
    changes: Vec<Change>,
}

impl Ledger {
    /// With the sample organization.
    pub(crate) fn founded(home: &Home<'_>) -> Self {
        let Sample { store, state, now, .. } = home.organization();
        let (entries, changes) = (Vec::new(), Vec::new());
        Self { store, state, now, batch: 1, people: vec![BOB], entries, changes }
    }

    pub(crate) fn written(home: &Home<'_>, dice: &mut Dice, stories: usize, batch: usize) -> Self {
        let mut ledger = Self::founded(home);
        ledger.batch = batch;
        for number in 0..6 {
            let added = ledger.does(by(ADMIN), Command::AddUser(user(&format!("person-{number}"))));
            let Reply::User(added) = added else { panic!("{added:?}") };
            ledger.people.push(added);
        }
        ledger.tell(dice, stories);
        ledger
    }

    pub(crate) fn tell(&mut self, dice: &mut Dice, stories: usize) {
        for _ in 0..stories {
            self.story(dice);
        }
        self.write();
    }

    /// A request of Bob's that is withdrawn at once.
    pub(crate) fn asks(&mut self, reason: &str) {
        let Reply::Request(request) = self.does(by(BOB), submit(reason)) else { panic!("no request") };
        self.does(by(BOB), Command::Cancel(request));
        self.write();
    }

    fn does(&mut self, origin: Origin, command: Command) -> Reply {
        self.now = self.now.plus(Span::seconds(1));
        let outcome = transact(&mut self.state, self.now, origin, command).unwrap();
        self.entries.extend(outcome.entries);
        self.changes.extend(outcome.changes);
        if self.entries.len() >= self.batch {
            self.write();
        }
        outcome.reply
    }

    fn write(&mut self) {
        let Self { store, state, entries, changes, .. } = self;
        let mut salt = || Salt::from_bytes([3; Salt::BYTES]);
        store.append(&Batch { entries, changes, state, side: &[] }, &mut salt).unwrap();
        state.forget(changes);
        entries.clear();
        changes.clear();
    }

    fn story(&mut self, dice: &mut Dice) {
        let person = self.people[dice.below(self.people.len())];
        if dice.below(8) == 0 {
            let task = QualifiedName::parse(["Linux/Task-1", "linux/task-9"][dice.below(2)]).unwrap();
            let refused = Command::NoteRefusal { user: person, task, why: "no-authorization", count: 1 };
            self.does(Origin::SYSTEM, refused);
            return;
        }
        let Reply::Request(request) = self.does(by(person), submit(&dice.text())) else {
            panic!("no request")
        };
        let verdict = match dice.below(5) {
            0 => {
                self.does(by(person), Command::Cancel(request));
                return;
            }
            1 => Verdict::Deny,
            _ => Verdict::Approve,
        };
        let comment = if dice.below(2) == 0 { Text::default() } else { comment(&dice.text()) };
        self.does(by(ALICE), Command::Decide { request, verdict, duration: None, comment });
        if verdict == Verdict::Approve {
            self.uses(dice, person);
        }
    }

    fn uses(&mut self, dice: &mut Dice, person: UserId) {
        let given = self.state.authorizations_of(person).map(|held| held.id).max().unwrap();
        for _ in 0..dice.below(3) {
            let task = QualifiedName::parse("Linux/Task-1").unwrap();
            let run = RunOrder { task, parameters: Parameters::new(), secrets: Secrets::new() };
            let Reply::Execution(execution) = self.does(by(person), Command::Run(run)) else {
                panic!("no run")
            };
            let result = match dice.below(5) {
                0 => ExecutionResult::Failed { code: 2 },
                1 => ExecutionResult::Killed { signal: 11 },
                2 => ExecutionResult::Stopped(StopCause::TimedOut),
                3 => ExecutionResult::Unknown,
                _ => ExecutionResult::Succeeded,
            };
            self.does(Origin::SYSTEM, Command::FinishRun { execution, result, output: None });
        }
        match dice.below(3) {
            0 => self.does(by(person), Command::GiveBack(given)),
            _ => {
                self.does(by(ALICE), Command::Revoke { authorization: given, comment: comment(&dice.text()) })
            }
        };
    }
}

fn by(user: UserId) -> Origin {
    Origin::user(user, SessionId::new(1))
}

fn submit(reason: &str) -> Command {
    Command::Submit(NewRequest {
        purpose: NewPurpose::Access { access: Access::Task(TaskId::new(1)), bound: Parameters::new() },
        reason: Text::parse(TextKind::Reason, reason).unwrap(),
        duration: None,
        not_before: None,
        max_uses: None,
    })
}

fn comment(text: &str) -> Text {
    Text::parse(TextKind::Comment, text).unwrap()
}
