//! Random histories through `transact`, compared step by step with a naive second implementation of
//! the rules, with a state that never forgets, and with what a restart and a replay give.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod asof;
mod naive;
mod playing;
mod world;

use brevet_core::{AuthorizationState, Ending, Entry, Event, RequestState, State, Text};
use naive::{Fate, RequestFate};
use playing::{Game, Op};
use proptest::prelude::*;

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_history_goes_as_the_naive_rules_say(ops in prop::collection::vec(playing::op(), 50..90)) {
        let mut game = Game::new();
        for op in &ops {
            game.play(op);
            agrees(&game, op);
            holds(&game);
        }
        restarts(&game);
    }
}

/// Every request and authorization stands where the naive rules say.
fn agrees(game: &Game, op: &Op) {
    let (now, steps) = (game.now, game.history.steps.len());
    for number in 1..=game.history.asks().len() as u64 {
        let naive = game.history.request(number, now);
        let real = request_by_the_clock(game, number);
        let extends = game.history.ask(number).1.extends.is_some();
        // An extension whose authorization ran out lapsed, whichever of the two the clock met first.
        let lapsed = [RequestFate::Expired, RequestFate::Cancelled];
        let alike = extends && lapsed.contains(&naive) && lapsed.contains(&real);
        assert!(naive == real || alike, "{op:?}: req-{number} is {real:?}, should be {naive:?}");
    }
    assert_eq!(game.history.given().len() as u64 + 1, game.state.counters().authorizations, "{op:?}");
    for number in 1..=game.history.given().len() as u64 {
        let naive = game.history.stand(number, steps, now);
        let (real, used) = authorization_by_the_clock(game, number);
        assert_eq!((real, used), (naive.fate, naive.used), "{op:?}: aut-{number}");
    }
    for run in &game.runs() {
        let live = game.state.execution(brevet_core::ExecutionId::new(*run)).is_some();
        assert!(live, "{op:?}: exe-{run} runs");
    }
    assert_eq!(game.state.executions().count(), game.runs().len(), "{op:?}");
}

fn request_by_the_clock(game: &Game, number: u64) -> RequestFate {
    let row = &game.requests[&number];
    match row.state {
        RequestState::Pending { expires, .. } if expires <= game.now => RequestFate::Expired,
        RequestState::Pending { .. } => match row.purpose {
            brevet_core::Purpose::Extension(id)
                if authorization_by_the_clock(game, id.number()).0.is_over() =>
            {
                RequestFate::Cancelled
            }
            _ => RequestFate::Pending,
        },
        RequestState::Approved { .. } => RequestFate::Approved,
        RequestState::Denied { .. } => RequestFate::Denied,
        RequestState::Expired { .. } => RequestFate::Expired,
        RequestState::Cancelled { .. } => RequestFate::Cancelled,
    }
}

fn authorization_by_the_clock(game: &Game, number: u64) -> (Fate, u32) {
    let row = &game.authorizations[&number];
    let fate = match row.state {
        AuthorizationState::Ended { how, .. } => match how {
            Ending::RanOut => Fate::RanOut,
            Ending::GivenBack => Fate::GivenBack,
            Ending::Revoked(_) => Fate::Revoked,
            Ending::UsedUp => Fate::UsedUp,
            Ending::Voided => Fate::Voided,
        },
        _ if row.has_run_out(game.now) => Fate::RanOut,
        AuthorizationState::Active { start, end } => Fate::Active { start, end },
        AuthorizationState::Scheduled { start, duration } => match start {
            brevet_core::Start::At(at) if at <= game.now => {
                Fate::Active { start: at, end: at.plus(duration) }
            }
            brevet_core::Start::At(at) => Fate::WaitsFor(at),
            brevet_core::Start::AtFirstUse { claim_by } => Fate::WaitsForUse { until: claim_by },
            brevet_core::Start::Now => panic!("{row:?}"),
        },
    };
    (fate, row.uses)
}

/// What must be so whatever happened.
fn holds(game: &Game) {
    let state = &game.state;
    for held in game.authorizations.values() {
        assert!(held.max_uses.is_none_or(|max| held.uses <= max), "{held:?}");
        let request = &game.requests[&held.request.number()];
        let RequestState::Approved { votes, .. } = &request.state else { panic!("{request:?}") };
        let people: Vec<_> = votes.iter().map(|vote| state.person(vote.by)).collect();
        assert!(!people.contains(&state.person(held.holder)), "self-approved: {held:?}");
        let mut distinct = people.clone();
        distinct.sort_unstable();
        distinct.dedup();
        assert_eq!(people.len(), distinct.len(), "one person twice: {request:?}");
    }
    for run in state.executions() {
        let brevet_core::ExecutionState::Running { stopping } = run.state else { panic!("{run:?}") };
        assert!(state.is_active(run.user) || stopping.is_some(), "a disabled person's run goes on: {run:?}");
        if let brevet_core::Basis::Authorization(id) = run.basis {
            let held = &game.authorizations[&id.number()];
            let AuthorizationState::Ended { how, .. } = held.state else { continue };
            assert!(stopping.is_some() || how == Ending::RanOut, "goes on after {how:?}: {run:?}");
        }
    }
    assert_eq!(*state, State::from_live(state.live()), "a restart gives another state");
}

/// The entries' bytes read back as they were, and their fold is the state.
fn restarts(game: &Game) {
    let mut replayed = State::default();
    for entry in &game.entries {
        let mut event: Event = minicbor::decode(&minicbor::to_vec(&entry.event).unwrap()).unwrap();
        let texts: Vec<Text> = entry.event.texts().into_iter().cloned().collect();
        event.texts_mut().into_iter().zip(texts).for_each(|(slot, text)| *slot = text);
        assert_eq!(event, entry.event);
        let changes = replayed.apply(&Entry { event, ..entry.clone() });
        replayed.forget(&changes);
    }
    assert_eq!(replayed, game.state, "the fold of the entries is another state");
}
