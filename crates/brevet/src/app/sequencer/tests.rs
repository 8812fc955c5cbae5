//! What arrives together is decided as if it had come one after the other.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use brevet_core::{
    Command, Entry, GroupName, NewGroup, NewUser, Origin, Reply, SessionId, State, Text, UserId, UserName,
};
use brevet_store::{Credential, DataFolder, SideWrite, Store};
use tokio::sync::oneshot;

use super::{Call, Condition, Done, Item, Sequencer, Surroundings};
use crate::app::error::AppError;
use crate::app::freshness::Freshness;
use crate::app::published::{Published, Readers};
use crate::app::reaction::Reaction;
use crate::world::{Machine, World as _};

const ADA: UserId = UserId::new(1);
const BOB: UserId = UserId::new(2);
const CODE: [u8; 32] = [5; 32];

/// Nothing runs, and nobody keeps sessions.
struct Nothing;

impl Reaction for Nothing {
    fn recorded(&self, _entries: &[Entry]) {}
    fn heard(&self, _entries: &[Entry]) {}
    fn has_session(&self, _session: SessionId) -> bool {
        true
    }
    fn ledger_failed(&self) {}
    fn clock_went_back(&self) {}
}

/// A sequencer that is given its batches by hand.
struct Desk {
    sequencer: Sequencer<Machine>,
    calls: Receiver<Call>,
    _way_in: SyncSender<Call>,
    _folder: tempfile::TempDir,
}

type Decided = Result<Done, AppError>;

impl Desk {
    /// With Ada, who administers, and Bob.
    fn set_up() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut store =
            Store::open(DataFolder::claim(&folder.path().join("data")).unwrap(), [7; 32]).unwrap();
        let state = store.load().unwrap();
        let origin = store.origin().to_owned();
        let surroundings = Surroundings {
            readers: Arc::new(Readers::new(Published::default())),
            reaction: Arc::new(Nothing),
            world: Arc::new(Machine),
            heartbeat: None,
            halt: Arc::default(),
            fresh: Arc::new(Freshness::new(false)),
        };
        let (way_in, calls) = sync_channel(1);
        let sequencer = Sequencer::new(store, state, surroundings);
        let mut desk = Self { sequencer, calls, _way_in: way_in, _folder: folder };
        for command in [Command::OpenLedger { origin }, Command::SetUp(user("ada"))] {
            desk.decide([Asked::of(Origin::SYSTEM, command)]).remove(0).unwrap();
        }
        let ada = Origin::user(ADA, desk.sign_in(ADA));
        desk.decide([Asked::of(ada, Command::AddUser(user("bob")))]).remove(0).unwrap();
        desk
    }

    /// Somebody signs in.
    fn sign_in(&mut self, user: UserId) -> SessionId {
        let command = Command::SignIn { user, source: Text::default() };
        let done = self.decide([Asked::of(Origin::SYSTEM, command)]).remove(0).unwrap();
        let Reply::Session(session) = done.reply else { panic!("{done:?}") };
        session
    }

    /// All of these arrive together.
    fn decide<const N: usize>(&mut self, asked: [Asked; N]) -> Vec<Decided> {
        let (batch, mut answers): (Vec<_>, Vec<_>) = asked.into_iter().map(Asked::item).unzip();
        self.sequencer.carry_out(batch, &self.calls);
        answers.iter_mut().map(|answer| answer.try_recv().unwrap()).collect()
    }

    fn state(&self) -> &State {
        &self.sequencer.working
    }
}

/// Something that is asked of the sequencer.
struct Asked {
    origin: Origin,
    command: Command,
    condition: Option<Condition>,
    beside: Vec<SideWrite>,
}

impl Asked {
    fn of(origin: Origin, command: Command) -> Self {
        Self { origin, command, condition: None, beside: Vec::new() }
    }

    /// Only if Bob still has a code, which it spends.
    fn spending_the_code(password: &str) -> Self {
        let condition: Condition = Box::new(|store| match store.credential(BOB)?.code {
            Some(_) => Ok(()),
            None => Err(AppError::BadCredentials),
        });
        let credential = Credential { password: Some(password.to_owned()), code: None };
        Self {
            condition: Some(condition),
            beside: vec![SideWrite::Credential(BOB, credential)],
            ..Self::of(Origin::SYSTEM, Command::SetPassword(BOB))
        }
    }

    fn item(self) -> (Item, oneshot::Receiver<Decided>) {
        let Self { origin, command, condition, beside } = self;
        let (answer, answered) = oneshot::channel();
        let beside = Some(Box::new(move |_| beside) as _);
        (Item { origin, command: Some(command), key: None, condition, beside, answer }, answered)
    }
}

fn user(name: &str) -> NewUser {
    NewUser {
        name: UserName::parse(name).unwrap(),
        display_name: Text::default(),
        email: Text::default(),
        owner: None,
        administrator: false,
        auditor: false,
    }
}

fn group(name: &str) -> Command {
    let name = GroupName::parse(name).unwrap();
    Command::CreateGroup(NewGroup { name, email: Text::default(), description: Text::default() })
}

#[test]
fn a_code_is_spent_once_by_those_who_come_together() {
    let mut desk = Desk::set_up();
    let ada = Origin::user(ADA, desk.sign_in(ADA));
    let expires = Machine.now().plus(brevet_core::Span::hours(1));
    let code = vec![SideWrite::Code { user: BOB, hash: CODE, expires }];
    desk.decide([Asked { beside: code, ..Asked::of(ada, Command::IssueCode(BOB)) }]).remove(0).unwrap();
    let tried = ["first", "second", "third"].map(Asked::spending_the_code);
    let answers = desk.decide(tried);
    let [Ok(_), Err(AppError::BadCredentials), Err(AppError::BadCredentials)] = &answers[..] else {
        panic!("{answers:?}")
    };
    let kept = desk.sequencer.store.credential(BOB).unwrap();
    assert_eq!(kept, Credential { password: Some("first".into()), code: None });
}

#[test]
fn what_has_a_condition_begins_a_batch_where_something_is_to_be_written() {
    let mut desk = Desk::set_up();
    let ada = Origin::user(ADA, desk.sign_in(ADA));
    let met = |name| {
        let condition: Condition = Box::new(|_| Ok(()));
        Asked { condition: Some(condition), ..Asked::of(ada, group(name)) }
    };
    let plain = |name| Asked::of(ada, group(name));
    let positions = |desk: &mut Desk, asked| {
        let answers: Vec<Decided> = desk.decide::<4>(asked);
        answers.into_iter().map(|done| done.unwrap().position).collect::<Vec<_>>()
    };
    let size = desk.sequencer.store.size();
    let together = positions(&mut desk, [met("One"), plain("Two"), plain("Three"), plain("Four")]);
    assert_eq!(together, [size + 4; 4], "nothing was in front of it");
    let apart = positions(&mut desk, [plain("Five"), plain("Six"), met("Seven"), plain("Eight")]);
    assert_eq!(apart, [size + 6, size + 6, size + 8, size + 8]);
}

#[test]
fn a_session_is_over_for_whatever_comes_behind_its_end_in_one_batch() {
    let mut desk = Desk::set_up();
    let ada = Origin::user(ADA, desk.sign_in(ADA));
    let ends: [fn(SessionId) -> (bool, Command); 2] =
        [|session| (true, Command::SignOut { user: ADA, session }), |_| (false, Command::SetPassword(ADA))];
    for (number, end) in ends.into_iter().enumerate() {
        let (session, other) = (desk.sign_in(ADA), desk.sign_in(ADA));
        let (is_own, command) = end(session);
        let by = Origin::user(ADA, session);
        let groups = ["Before", "Behind", "Other"].map(|name| group(&format!("{name}-{number}")));
        let [before, behind, beside] = groups;
        let answers = desk.decide([
            Asked::of(by, before),
            Asked::of(if is_own { by } else { Origin::SYSTEM }, command),
            Asked::of(by, behind),
            Asked::of(Origin::user(ADA, other), beside),
        ]);
        let is_over = |answer: &Decided| matches!(answer, Err(AppError::NotSignedIn));
        assert!(answers[0].is_ok() && answers[1].is_ok(), "{answers:?}");
        assert!(is_over(&answers[2]), "{answers:?}");
        assert_eq!(is_over(&answers[3]), !is_own, "a new password ends all of them: {answers:?}");
    }
    let bob = Origin::user(BOB, desk.sign_in(BOB));
    let answers = desk.decide([
        Asked::of(ada, Command::DisableUser(BOB)),
        Asked::of(bob, group("Of Bob")),
        Asked::of(ada, group("Of Ada")),
    ]);
    assert!(matches!(&answers[..], [Ok(_), Err(AppError::NotSignedIn), Ok(_)]), "{answers:?}");
    assert_eq!(desk.state().groups().count(), 4, "Before twice, one of another session, and that of Ada");
}
