//! What a fold of the entries says of an instant is what the gate said then, for every person, task and value.

use std::collections::BTreeMap;

use brevet_core::{
    Allowed, Basis, Parameters, Past, Refusal, State, TaskId, Timestamp, UserId, may_run_open,
};
use proptest::prelude::*;

use crate::playing::{self, Game, Op};

/// What the gate says to each person for each task with each of these values.
type Answers = Vec<(UserId, TaskId, Result<Allowed, Refusal>, u8)>;

/// Sets of values that a run is tried with.
const VALUES: u8 = 6;

fn values_of(task: TaskId, unit: u8) -> Parameters {
    playing::run_values(u8::try_from(task.number() - 1).unwrap(), unit)
}

fn ask_the_gate(state: &State, now: Timestamp) -> Answers {
    let mut answers = Vec::new();
    for user in state.users() {
        for task in state.catalog().tasks() {
            for unit in 0..VALUES {
                let given = values_of(task.id, unit);
                let verdict = may_run_open(state, now, user.id, &task.spec.name, &given);
                answers.push((user.id, task.id, verdict, unit));
            }
        }
    }
    answers
}

fn past_at(game: &Game, time: Timestamp) -> Past {
    let mut past = Past::default();
    game.entries.iter().take_while(|entry| entry.time <= time).for_each(|entry| past.take(entry));
    past
}

/// The ways of a past against what the gate said: each yes is one of the ways, each no is none of them.
fn agrees(game: &Game, past: &Past, time: Timestamp, answers: &Answers) {
    for (user, task, verdict, unit) in answers {
        let ways: Vec<_> = past.ways(time, UserId::new(1), Some(*user), Some(*task)).collect();
        let asked = format!("{user} {task} {unit} at {time:?}: {verdict:?}, ways {ways:?}");
        match verdict {
            Ok(allowed) => {
                let way = ways.iter().find(|way| way.allowed.basis == allowed.basis);
                let way = &way.unwrap_or_else(|| panic!("{asked}")).allowed;
                assert_eq!((way.end, way.policy), (allowed.end, allowed.policy), "{asked}");
                if let Basis::Authorization(id) = allowed.basis {
                    let held = past.state().authorization(id).unwrap();
                    assert!(held.allows(&allowed.values), "{asked}");
                    assert!(!past.approvers(id).contains(user), "{asked}");
                }
            }
            Err(Refusal::BadParameters(_)) => {}
            Err(_) => {
                let Some(values) = game.org.completed(task.number(), &values_of(*task, *unit)) else {
                    continue;
                };
                let allows = |way: &brevet_core::Way| match past.authorization(way) {
                    Some(held) => held.allows(&values),
                    None => true,
                };
                assert!(!ways.iter().any(allows), "{asked}");
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn as_of_an_instant_is_what_the_gate_said_then(ops in prop::collection::vec(playing::op(), 30..60)) {
        let mut game = Game::new();
        // The last answer of each instant: an instant ends with its last entry.
        let mut said = BTreeMap::from([(game.now, ask_the_gate(&game.state, game.now))]);
        for op in &ops {
            game.play(op);
            said.insert(game.now, ask_the_gate(&game.state, game.now));
            // Between two entries the clock alone decides.
            if let Op::Wait(_) = op {
                let later = Timestamp::from_micros(game.now.micros() - 1);
                if said.range(later..game.now).next().is_none() {
                    said.insert(later, ask_the_gate(&game.state, later));
                }
            }
        }
        for (time, answers) in &said {
            agrees(&game, &past_at(&game, *time), *time, answers);
        }
    }

    #[test]
    fn a_fold_up_to_now_is_the_state_of_now(ops in prop::collection::vec(playing::op(), 20..40)) {
        let mut game = Game::new();
        ops.iter().for_each(|op| game.play(op));
        let past = past_at(&game, game.now);
        prop_assert_eq!(past.entries(), game.entries.len() as u64);
        prop_assert_eq!(past.state(), &game.state);
    }
}
