//! 64 senders at once, of a ledger and of its fork, and `kill -9` in the middle; and again. The witness never has a
//! smaller size than any that it cosigned, and never cosigns two roots of one size.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use brevet_ledger::{Hash, Note};

use crate::ledger::Ledger;
use crate::process::{Home, Running};
use crate::support::dice::Dice;
use crate::support::patience::let_pass;
use crate::talk::Talk;

const ORIGIN: &str = "ledger.example/one";
const SENDERS: u64 = 64;
const CRASHES: u64 = 6;
const ENTRIES: usize = 2_000;

#[expect(clippy::disallowed_methods, reason = "how long the loop is, is told by the environment")]
fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}

/// What one sender was told: sizes that were cosigned, with the root, and the largest size that it knows of.
struct Told {
    cosigned: Vec<(usize, Hash)>,
    largest: usize,
}

#[test]
fn under_64_senders_and_kill_9_a_witness_never_goes_back() {
    let crashes = number("BREVET_WITNESS_CRASHES").unwrap_or(CRASHES);
    let seed = number("BREVET_SEED").unwrap_or_else(|| u64::from(std::process::id()));
    println!("BREVET_WITNESS_CRASHES={crashes} BREVET_SEED={seed}");
    let mut dice = Dice::new(seed);
    let ledger = Ledger::of(ORIGIN, 1, ENTRIES);
    let histories = Arc::new([ledger.forked_at(1), ledger]);
    let home = Home::new();
    let mut witness = home.start();
    home.does(&["add-log", &histories[0].key()]);
    let (mut roots, mut largest): (BTreeMap<usize, Hash>, usize) = (BTreeMap::new(), 0);
    for crash in 0..crashes {
        let told = load_until_killed(witness, &histories, home.key(), &mut dice);
        witness = home.start();
        for Told { cosigned, largest: known } in told {
            largest = largest.max(known);
            for (size, root) in cosigned {
                assert_eq!(
                    *roots.entry(size).or_insert(root),
                    root,
                    "two roots were cosigned for size {size}"
                );
            }
        }
        let now = size_of(&witness, &histories[0]);
        assert!(now >= largest, "crash {crash}: it has size {now} and had {largest}");
        println!("crash {crash}: {} sizes cosigned, the largest known {largest}, now {now}", roots.len());
        largest = now;
    }
    assert!(roots.len() > 1, "nothing happened");
    witness.stop();
}

/// The size that a witness has, by its own word.
fn size_of(witness: &Running, ledger: &Ledger) -> usize {
    // A size of 1 is the same in both histories, so this asks, and changes nothing.
    let answer = witness.talk().add(ledger.request(1, 1).to_string().as_bytes()).unwrap();
    match answer.status {
        409 => answer.body.trim().parse().unwrap(),
        200 => 1,
        _ => panic!("{answer:?}"),
    }
}

fn load_until_killed(
    witness: Running,
    histories: &Arc<[Ledger; 2]>,
    key: brevet_ledger::VerifierKey,
    dice: &mut Dice,
) -> Vec<Told> {
    let senders: Vec<_> = (0..SENDERS)
        .map(|_| {
            let (histories, key, dice) = (Arc::clone(histories), key.clone(), Dice::new(dice.next()));
            let talk = witness.talk();
            std::thread::spawn(move || send(talk, &histories, &key, dice))
        })
        .collect();
    let_pass(Duration::from_millis(100 + dice.below(500)));
    witness.crash();
    senders.into_iter().map(|sender| sender.join().unwrap()).collect()
}

/// Sends until the witness is gone: mostly what continues from what it knows, of either history; at times anything.
fn send(mut talk: Talk, histories: &[Ledger; 2], key: &brevet_ledger::VerifierKey, mut dice: Dice) -> Told {
    let mut told = Told { cosigned: Vec::new(), largest: 0 };
    let mut below = |end: usize| usize::try_from(dice.below(end as u64)).unwrap();
    loop {
        let history = &histories[below(2)];
        let old = if below(8) == 0 { below(told.largest + 1) } else { told.largest };
        let size = (old + below(4)).min(history.len());
        let request = history.request(old, size);
        let Ok(answer) = talk.add(request.to_string().as_bytes()) else { return told };
        match answer.status {
            200 => {
                let note: Note = format!("{}{}", request.checkpoint, answer.body).parse().unwrap();
                assert_eq!(note.cosignatures(std::slice::from_ref(key)).unwrap().len(), 1);
                assert!(size >= told.largest, "{size} was cosigned after {}", told.largest);
                told.cosigned.push((size, history.root(size)));
                told.largest = size;
            }
            409 => {
                let has: usize = answer.body.trim().parse().unwrap();
                assert!(has >= told.largest, "it has {has}, and had {}", told.largest);
                told.largest = has;
            }
            422 | 503 => {}
            _ => panic!("{answer:?}"),
        }
    }
}
