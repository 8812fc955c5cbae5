use brevet_ledger::{Commitments, EntryRef};

use super::{Asked, By, NOT_RECORDED, RECORDED};

/// The body of `request.decided` (28) about `req-7` by `usr-2`, without a duration or a comment.
const APPROVED: [u8; 9] = [0x82, 0x18, 28, 0x86, 0x07, 0x02, 0x82, 0x00, 0x80];

fn decided(request: u8, verdict: u8, actor: &str, session: u64) -> Vec<u8> {
    let mut body = APPROVED.to_vec();
    (body[4], body[7]) = (request, verdict);
    // No duration, revision 1, no comment.
    body.extend([0xf6, 0x01, 0xf4]);
    let mut bytes = Vec::new();
    let entry = EntryRef {
        index: 3,
        time_micros: 0,
        kind: "request.decided",
        kind_version: 1,
        actor,
        session,
        commitments: Commitments::default(),
        body: &body,
    };
    entry.encode(&mut bytes).unwrap();
    bytes
}

#[test]
fn every_call_that_changes_something_is_held_against_its_entry_or_left_out_by_name() {
    let routes = include_str!("../../tests/golden/routes.txt").lines();
    let mut changing: Vec<(&str, String)> = routes
        .filter_map(|line| {
            let mut words = line.split_whitespace();
            let (method, path) = (words.next()?, words.next()?.strip_prefix("/api/v1")?);
            (method != "GET").then(|| (method, path.to_owned()))
        })
        .collect();
    for (method, path) in &changing {
        let left_out = NOT_RECORDED.contains(&(method, path));
        assert_ne!(Asked::of(method, path).is_some(), left_out, "{method} {path}");
    }
    changing.retain(|(method, path)| Asked::of(method, path).is_some());
    assert_eq!(changing.len(), RECORDED.len(), "the table has calls that there are no more");
    for (method, path) in [("GET", "/requests"), ("POST", "/requests/req-7"), ("POST", "/whoami")] {
        assert_eq!(Asked::of(method, path), None, "{method} {path}");
    }
}

#[test]
fn the_kinds_are_those_of_the_ledger() {
    for (_, _, kind) in RECORDED {
        assert!(brevet_core::Event::KINDS.iter().any(|known| known.name == kind), "{kind}");
    }
}

#[test]
fn an_entry_says_what_was_done_or_what_it_says_instead() {
    let asked = |path: &str| Asked::of("POST", path).unwrap();
    let me = By { user: "usr-2".into(), session: "ses-5".into() };
    let approve = asked("/requests/req-7/approve");
    for path in ["/requests/req-7/approve", "/requests/REQ-7/approve", "/requests/7/approve"] {
        assert_eq!(asked(path).check(&me, &decided(7, 0, "usr-2", 5)), Ok(()), "{path}");
    }
    for (entry, why) in [
        (decided(7, 1, "usr-2", 5), "it says deny, and you said approve"),
        (decided(8, 0, "usr-2", 5), "it is about number 8"),
        (decided(7, 0, "usr-3", 5), "usr-3 in ses-5 did it"),
        (decided(7, 0, "usr-2", 6), "usr-2 in ses-6 did it"),
        (decided(7, 0, "system", 0), "system in  did it"),
        (Vec::new(), ""),
    ] {
        let found = approve.check(&me, &entry).unwrap_err();
        assert!(found.contains(why), "{found}");
    }
    let cancel = asked("/requests/req-7/cancel").check(&me, &decided(7, 0, "usr-2", 5)).unwrap_err();
    assert_eq!(cancel, "it says request.decided, and what you did is request.cancelled");
}
