//! Decisions about the ledger itself: erasure, archives, keys, beginning anew.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod world;

use brevet_core::{
    ARCHIVE_RETENTION_MIN, Command, Digest, Entry, Event, Origin, Recovery, Refusal, SessionId, Span, Text,
    TextKind, Timestamp, UserName,
};
use world::{HOUR, T0, World, extend, manual, new_user};

const RETENTION: Span = Span::hours(24 * 400);

fn tries(world: &mut World, who: &str, command: Command) -> Result<(), Refusal> {
    let origin = Origin::user(world.user(who), SessionId::new(1));
    world.try_from(origin, command).map(drop)
}

/// A year and a half after the office was founded, with an hourly entry.
fn old_office() -> World {
    let mut world = World::office();
    world.later(Span::hours(24 * 550));
    world.brevet(Command::Beat { every: HOUR });
    let second = new_user("adam", None);
    world.does("ada", Command::AddUser(brevet_core::NewUser { administrator: true, ..second }));
    let adam = world.state.user_named(&UserName::parse("adam").unwrap()).unwrap().id;
    world.name_user("adam", adam);
    world
}

fn ask(world: &World) -> Command {
    let before = T0.plus(HOUR);
    assert!(before < world.now);
    Command::RequestArchive { size: 300, before, retention: RETENTION }
}

const FILE: Digest = Digest([7; 32]);

#[test]
fn an_archive_takes_two_people_and_two_accounts_of_one_are_one() {
    let mut world = old_office();
    let own = brevet_core::NewUser { administrator: true, ..new_user("ada-2", Some(world.user("ada"))) };
    world.does("ada", Command::AddUser(own));
    let second_account = world.state.user_named(&UserName::parse("ada-2").unwrap()).unwrap().id;
    world.name_user("ada-2", second_account);
    let asked = ask(&world);
    world.does("ada", asked);
    let agree = || Command::ConfirmArchive { size: 256, file: FILE };
    for who in ["ada", "ada-2"] {
        assert_eq!(
            tries(&mut world, who, agree()),
            Err(Refusal::Forbidden { who: "a second administrator" })
        );
    }
    assert_eq!(tries(&mut world, "rita", agree()), Err(Refusal::Forbidden { who: "an administrator" }));
    let other = Command::ConfirmArchive { size: 300, file: FILE };
    assert_eq!(tries(&mut world, "adam", other).unwrap_err().code(), "changed");
    world.does("adam", agree());
    assert_eq!((world.state.archive().size, &world.state.archive().asked), (256, &None));
    assert_eq!(tries(&mut world, "adam", agree()).unwrap_err().code(), "no-change");
}

#[test]
fn nothing_that_is_young_is_archived_whatever_the_settings_say() {
    let mut world = old_office();
    let young = world.now.minus(RETENTION).plus(Span::seconds(1));
    let archive = |before, retention| Command::RequestArchive { size: 300, before, retention };
    assert_eq!(tries(&mut world, "ada", archive(young, RETENTION)).unwrap_err().code(), "invalid");
    let younger = world.now.minus(ARCHIVE_RETENTION_MIN).plus(Span::seconds(1));
    assert_eq!(tries(&mut world, "ada", archive(younger, Span::seconds(1))).unwrap_err().code(), "invalid");
    for size in [0, 255] {
        let few = Command::RequestArchive { size, before: T0, retention: RETENTION };
        assert_eq!(tries(&mut world, "ada", few).unwrap_err().code(), "no-change");
    }
    world.does("ada", archive(world.now.minus(RETENTION), RETENTION));
    assert_eq!(tries(&mut world, "adam", ask(&old_office())).unwrap_err().code(), "exists");
    world.does("adam", Command::CancelArchive);
    assert_eq!(tries(&mut world, "adam", Command::CancelArchive).unwrap_err().code(), "no-change");
}

#[test]
fn an_erased_person_has_no_name_and_never_comes_back() {
    let mut world = World::office();
    let rita = world.user("rita");
    assert_eq!(tries(&mut world, "ada", Command::EraseTexts(rita)).unwrap_err().code(), "in-use");
    world.does("ada", Command::DisableUser(rita));
    world.does("ada", Command::EraseTexts(rita));
    let erased = world.state.user(rita).unwrap().clone();
    assert_eq!((erased.name, erased.display_name.as_str(), erased.email.as_str()), (None, None, None));
    assert!(world.state.user_named(&UserName::parse("rita").unwrap()).is_none());
    assert_eq!(tries(&mut world, "ada", Command::EraseTexts(rita)).unwrap_err().code(), "no-change");
    assert_eq!(tries(&mut world, "ada", Command::EnableUser(rita)).unwrap_err().code(), "ended");
    world.does("ada", Command::AddUser(new_user("rita", None)));
    assert_ne!(world.state.user_named(&UserName::parse("rita").unwrap()).unwrap().id, rita);
}

#[test]
fn nobody_erases_their_own_texts_by_another_account() {
    let mut world = World::office();
    let own = brevet_core::NewUser { administrator: true, ..new_user("ada-2", Some(world.user("ada"))) };
    world.does("ada", Command::AddUser(own));
    let second_account = world.state.user_named(&UserName::parse("ada-2").unwrap()).unwrap().id;
    world.does("ada", Command::DisableUser(second_account));
    let refused = tries(&mut world, "ada", Command::EraseTexts(second_account));
    assert_eq!(refused.unwrap_err().code(), "forbidden");
}

#[test]
fn texts_belong_to_whom_they_describe_or_to_who_wrote_them() {
    let world = World::office();
    let text = || Text::parse(TextKind::Comment, "a text").unwrap();
    let (ada, rita) = (world.user("ada"), world.user("rita"));
    let by = |user, event| Entry { time: T0, actor: brevet_core::Actor::User(user), session: None, event };
    let added = Event::UserAdded {
        user: rita,
        name: text(),
        display_name: text(),
        email: text(),
        owner: None,
        administrator: false,
        auditor: false,
    };
    assert_eq!(by(ada, added).text_owner(), Some(rita));
    let group = Event::GroupCreated {
        group: brevet_core::GroupId::new(1),
        name: brevet_core::GroupName::parse("Group").unwrap(),
        email: text(),
        description: text(),
    };
    assert_eq!(by(ada, group).text_owner(), None);
    assert_eq!(by(rita, Event::LedgerRead { query: text() }).text_owner(), Some(rita));
    let signed_in = Event::SignedIn { user: rita, session: SessionId::new(1), source: text() };
    let system = Entry { time: T0, actor: brevet_core::Actor::System, session: None, event: signed_in };
    assert_eq!(system.text_owner(), Some(rita));
}

#[test]
fn a_ledger_that_goes_on_has_a_name_of_its_own_and_nothing_archived() {
    let mut world = old_office();
    let asked = ask(&world);
    world.does("ada", asked);
    let recovery = |origin: &str| {
        let (origin, previous, note) = (origin.to_owned(), "brevet.local/1".to_owned(), String::new());
        Command::Recover(Recovery { origin, previous, size: 9, root: FILE, note })
    };
    let second = world.try_from(Origin::SYSTEM, recovery("brevet.local/2"));
    assert_eq!(second.unwrap_err().code(), "exists", "only as the first entry");
    world.state.before_first_entry();
    let same = world.try_from(Origin::SYSTEM, recovery("brevet.local/1"));
    assert_eq!(same.unwrap_err().code(), "invalid");
    assert_eq!(tries(&mut world, "ada", recovery("brevet.local/2")).unwrap_err().code(), "forbidden");
    world.brevet(recovery("brevet.local/2"));
    assert_eq!(world.state.archive(), &brevet_core::Archive::default());
}

#[test]
fn a_ledger_that_goes_on_gives_nothing_back_that_lost_entries_may_have_taken() {
    let mut world = World::office();
    world.policy("Restart", manual());
    let wants = world.wants("Restart");
    let held = world.granted("rita", wants);
    let run = world.runs("rita", "Restart", "unit=nginx");
    let more = world.asks("rita", extend(held, HOUR));
    let wants = world.wants("Restart");
    let pending = world.asks("olaf", wants);
    // Dated a year ahead, the ledger could not be started before that time.
    world.later(Span::minutes(1));
    let (before, year) = (world.now, Span::hours(24 * 365));
    world.state.before_first_entry();
    world.now = before.minus(year);
    let (origin, previous) = ("brevet.local/2".to_owned(), "brevet.local/1".to_owned());
    let recovery = Recovery { origin, previous, size: 9, root: FILE, note: String::new() };
    let seen = world.entries.len();
    world.brevet(Command::Recover(recovery));
    let kinds: Vec<&str> = world.entries[seen..].iter().map(|entry| entry.event.kind().name).collect();
    assert_eq!(
        kinds,
        [
            "ledger.recovered",
            "request.cancelled",
            "request.cancelled",
            "authorization.ended",
            "execution.stop-requested"
        ]
    );
    let ended = Event::AuthorizationEnded {
        authorization: held,
        how: brevet_core::Ending::Voided,
        comment: Text::default(),
    };
    assert_eq!(world.entries[seen + 3].event, ended);
    assert_eq!(world.state.last(), Some(before.minus(year)));
    assert!(world.state.authorizations().next().is_none() && world.state.requests().next().is_none());
    assert!([more, pending].iter().all(|id| world.state.request(*id).is_none_or(|row| !row.is_pending())));
    assert!(world.state.execution(run).is_some());
    assert!(world.tries("rita", world::run("Restart", "unit=nginx")).is_err());
}

#[test]
fn a_key_is_rotated_by_an_administrator_and_to_another_one() {
    let mut world = World::office();
    let rotate = |old: &str, new: &str| Command::RotateKey {
        old: old.into(),
        new: new.into(),
        overlap_until: Timestamp::MIN,
    };
    assert_eq!(tries(&mut world, "ada", rotate("a", "a")).unwrap_err().code(), "no-change");
    assert_eq!(tries(&mut world, "rita", rotate("a", "b")).unwrap_err().code(), "forbidden");
    world.does("ada", rotate("a", "b"));
    let now = world.now;
    let Some(Event::KeyRotated { overlap_until, .. }) = world.entries.last().map(|entry| &entry.event) else {
        panic!()
    };
    assert_eq!(*overlap_until, now);
}
