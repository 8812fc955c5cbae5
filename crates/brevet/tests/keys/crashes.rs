//! The server is killed while it changes its key, again and again: after each start the key is one that everybody can
//! follow to, and one that was acknowledged is never lost.

use std::time::Duration;

use brevet_ledger::is_successor;
use serde_json::json;

use crate::chain::{Keys, signers_of_next};
use crate::rotation::{key_files, verify};
use crate::support::dice::Dice;
use crate::support::patience::{let_pass, timed, until};
use crate::support::person::People;
use crate::support::place::Place;
use crate::support::server::Server;

/// How often the server is killed unless told otherwise.
const CRASHES: u64 = 25;

#[test]
fn wherever_the_server_is_killed_while_it_changes_its_key_everybody_can_follow() {
    let crashes = number("BREVET_KEY_CRASHES").unwrap_or(CRASHES);
    let seed = number("BREVET_SEED").unwrap_or_else(|| u64::from(std::process::id()));
    println!("BREVET_KEY_CRASHES={crashes} BREVET_SEED={seed}");
    let mut dice = Dice::new(seed);
    let place = Place::new();
    let mut server = Server::start(&place);
    let people = People::found(&server, &place, &[]);
    let first = Keys::of(&mut people["ada"].connect(&server)).current().clone();
    // How long one change takes here: the instants of the crashes are spread over it.
    let mut ada = people["ada"].connect(&server);
    let overlap = json!({"overlap_seconds": 3600});
    let (takes, _) = timed(|| ada.post("/api/v1/ledger/rotate-key", &overlap).unwrap().ok());
    let spread = u64::try_from(takes.as_micros()).unwrap() * 3 / 2 + 1;
    let (mut acknowledged, mut unheard) = (0, 0);
    for crash in 0..crashes {
        let mut ada = people["ada"].connect(&server);
        let before = Keys::of(&mut ada);
        let seconds = [0, 3600][usize::try_from(dice.below(2)).unwrap()];
        let sent = std::thread::spawn(move || {
            ada.post("/api/v1/ledger/rotate-key", &json!({"overlap_seconds": seconds})).ok()
        });
        let_pass(Duration::from_micros(dice.below(spread)));
        let left_behind = server.crash();
        until("the spawner ends with its server", || !left_behind.iter().any(|process| process.is_alive()));
        let answer = sent.join().unwrap().filter(|answer| answer.is_success());
        verify(&place);

        server = Server::start(&place);
        let mut ada = people["ada"].connect(&server);
        let after = Keys::of(&mut ada);
        is_successor(&first, after.current(), &after.handovers).unwrap();
        let changed = after.handovers.len() - before.handovers.len();
        match &answer {
            Some(answer) => {
                acknowledged += 1;
                assert_eq!((changed, after.current()), (1, Keys::read(&answer.json()).current()));
            }
            None => {
                unheard += 1;
                assert!(changed <= 1 && (changed == 1) == (after.current() != before.current()));
            }
        }
        let signers = signers_of_next(&mut ada, &format!("after-{crash}"));
        assert_eq!(signers, after.keys.iter().map(brevet_ledger::VerifierKey::id).collect::<Vec<_>>());
        assert_eq!(key_files(&place).len(), after.keys.len(), "{:?}", key_files(&place));
    }
    println!("{acknowledged} changes were acknowledged before the crash, {unheard} were not");
    server.stop();
    verify(&place);
}

#[expect(clippy::disallowed_methods, reason = "how long the loop is, is told by the environment")]
fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}
