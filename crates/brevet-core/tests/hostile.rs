//! Ledgers that no `decide` wrote: `apply` never panics, terminal states stay terminal, and bytes
//! that are not an event are refused without exhausting anything.

mod world;

use brevet_core::{
    Actor, AuthorizationState, Change, Ending, Entry, Event, ExecutionId, RequestId, Span, State, Text,
    Timestamp, UserId,
};
use proptest::prelude::*;
use world::{World, approve, manual};

/// The entries of a story with a little of everything in it.
fn story() -> Vec<Entry> {
    let mut world = World::office();
    world.assign("rita", "All");
    let policy = world.policy("Restart", manual());
    world.policy("Web", manual());
    let held = world.granted("rita", world.wants("Restart"));
    let run = world.runs("rita", "Restart", "unit=nginx");
    let extension = world.asks("rita", world::extend(held, world::HOUR));
    world.does("bob", approve(extension));
    world.finish(run, brevet_core::ExecutionResult::NotStarted { why: "no".into() });
    world.asks("rita", world.wants("Web"));
    world.runs("rita", "Restart", "unit=redis");
    world.leave("Approvers", "bob");
    world.disable("rita");
    world.acts("ada", brevet_core::Command::RemovePolicy { policy, seen: None });
    world.entries
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn entries_in_any_order_twice_or_never_are_taken_without_a_panic(
        order in prop::collection::vec(0..10_000_usize, 0..150),
        clock in prop::collection::vec(any::<i64>(), 1..5),
    ) {
        let story = story();
        let (mut state, mut forgetful) = (State::default(), State::default());
        for (place, number) in order.into_iter().enumerate() {
            let time = Timestamp::from_micros(clock[place % clock.len()]);
            let entry = Entry { time, ..story[number % story.len()].clone() };
            state.apply(&entry);
            let changes = forgetful.apply(&entry);
            forgetful.forget(&changes);
        }
        assert_eq!(State::from_live(state.live()), State::from_live(forgetful.live()), "forgetting matters");
        let soon = state.last().unwrap_or(Timestamp::MAX);
        for state in [&mut state, &mut forgetful] {
            let act = brevet_core::Command::ActOnDue;
            let _ = brevet_core::transact(state, soon, brevet_core::Origin::SYSTEM, act);
        }
    }

    #[test]
    fn any_bytes_are_an_event_or_an_error(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = minicbor::decode::<Event>(&bytes);
    }
}

fn apply(state: &mut State, event: Event) -> Vec<Change> {
    state.apply(&Entry { time: world::T0, actor: Actor::System, session: None, event })
}

fn added(number: u32, owner: Option<u32>) -> Event {
    Event::UserAdded {
        user: UserId::new(number),
        name: Text::stored(Some(format!("user{number}"))),
        display_name: Text::default(),
        email: Text::default(),
        owner: owner.map(UserId::new),
        administrator: true,
        auditor: false,
    }
}

#[test]
fn an_account_out_of_its_place_is_nobody_and_never_somebody_else() {
    let mut state = State::default();
    for number in [0, 7, u32::MAX, 1, 1] {
        apply(&mut state, added(number, None));
    }
    assert_eq!(state.users().iter().map(|user| user.id.number()).collect::<Vec<_>>(), [1]);
    let mut live = state.live();
    live.users[0].id = UserId::new(2);
    assert!(State::from_live(live).users().is_empty());
}

#[test]
fn owners_in_a_circle_end() {
    let mut state = State::default();
    apply(&mut state, added(1, Some(2)));
    apply(&mut state, added(2, Some(1)));
    state.person(UserId::new(1));
    let new = world::new_user("third", Some(UserId::new(1)));
    let origin = brevet_core::Origin::user(UserId::new(1), brevet_core::SessionId::new(1));
    let add = brevet_core::Command::AddUser(new);
    assert_eq!(brevet_core::transact(&mut state, world::T0, origin, add).unwrap_err().code(), "too-many");
}

#[test]
fn what_has_ended_stays_so_whatever_an_entry_says() {
    let mut world = World::office();
    world.policy("Reload", manual());
    let held = world.granted("rita", world.wants("Reload"));
    let run = world.runs("rita", "Reload", "");
    let mut state = world.state.clone();
    let ended = |how| Event::AuthorizationEnded { authorization: held, how, comment: Text::default() };
    apply(&mut state, ended(Ending::GivenBack));
    apply(
        &mut state,
        Event::ExecutionFinished {
            execution: run,
            result: brevet_core::ExecutionResult::Succeeded,
            output: None,
        },
    );
    let before = state.clone();
    let later = world::T0.plus(world::HOUR);
    for event in [
        ended(Ending::RanOut),
        Event::AuthorizationStarted { authorization: held, start: world::T0, end: later },
        Event::AuthorizationExtended { authorization: held, request: RequestId::new(1), end: later },
        Event::ExecutionStopRequested { execution: run, cause: brevet_core::StopCause::Shutdown },
        Event::ExecutionFinished {
            execution: run,
            result: brevet_core::ExecutionResult::Unknown,
            output: None,
        },
        Event::RequestCancelled { request: RequestId::new(1) },
        Event::RequestExpired { request: RequestId::new(1) },
        world
            .entries
            .iter()
            .find(|e| matches!(e.event, Event::AuthorizationGranted { .. }))
            .unwrap()
            .event
            .clone(),
    ] {
        apply(&mut state, event);
        assert_eq!(state, before);
    }
    assert!(matches!(state.authorization(held).unwrap().state, AuthorizationState::Ended { .. }));
    assert!(state.execution(ExecutionId::new(run.number())).unwrap().has_finished());
}

#[test]
fn bytes_of_lists_in_lists_and_of_no_time_at_all_are_refused() {
    let nested = [0x82, 0x03, 0x81, 0x81].repeat(100_000);
    assert!(minicbor::decode::<brevet_core::Value>(&nested).is_err());
    let flat =
        brevet_core::Value::List(vec![brevet_core::Value::Integer(-1), brevet_core::Value::Boolean(true)]);
    assert_eq!(minicbor::decode::<brevet_core::Value>(&minicbor::to_vec(&flat).unwrap()).unwrap(), flat);
    for micros in [0, -1, i64::MIN, i64::MAX] {
        assert!(minicbor::decode::<Span>(&minicbor::to_vec(micros).unwrap()).is_err(), "{micros}");
    }
    assert_eq!(minicbor::decode::<Span>(&minicbor::to_vec(1_i64).unwrap()).unwrap(), world::micros(1));
}

#[test]
fn a_role_defined_before_its_task_has_it_afterwards() {
    let story = story().into_iter();
    let (tasks, others): (Vec<Entry>, Vec<Entry>) =
        story.partition(|entry| matches!(entry.event, Event::TaskDefined { .. }));
    let is_role = |entry: &&Entry| matches!(entry.event, Event::RoleDefined { .. });
    let mut state = State::default();
    for entry in others.iter().filter(is_role).chain(&tasks) {
        state.apply(entry);
    }
    assert_eq!(state, State::from_live(state.live()));
}
