use crate::testing::{ORIGIN, key, leaves, mth};
use crate::{
    Checkpoint, CosigningKey, Error, KeyName, Note, NoteSignature, Origin, Policy, PolicyProblem,
    PolicyUnmet, SigningKey,
};

mod random;

fn witness(number: u8) -> CosigningKey {
    CosigningKey::from_seed(
        KeyName::parse(&format!("witness.example/{number}")).unwrap(),
        &[150 + number; 32],
    )
}

fn vkey(number: u8) -> String {
    witness(number).verifier().to_string()
}

fn log_line() -> String {
    format!("log {}\n", key(ORIGIN).verifier())
}

/// A checkpoint with the cosignatures of these witnesses at these times.
fn cosigned(times: &[(u8, u64)]) -> Note {
    let checkpoint = Checkpoint::new(Origin::parse(ORIGIN).unwrap(), 5, mth(&leaves(5)));
    times.iter().fold(checkpoint.sign(&key(ORIGIN)).unwrap(), |note, (number, time)| {
        let signature = witness(*number).cosign(&note, *time);
        note.with_signature(signature).unwrap()
    })
}

/// The example of C2SP tlog-policy, with keys.
fn spec_policy() -> String {
    let [x1, x2, x3, y1, y2, y3] = [1, 2, 3, 4, 5, 6].map(vkey);
    format!(
        "{}
witness X1 {x1}
witness X2 {x2}
witness X3 {x3}
group X-witnesses 2 X1 X2 X3

witness Y1 {y1}
witness Y2 {y2}
witness Y3 {y3}
group Y-witnesses any Y1 Y2 Y3

group X-and-Y all X-witnesses Y-witnesses
quorum X-and-Y
",
        log_line()
    )
}

#[test]
fn the_example_of_the_specification_asks_for_two_of_x_and_one_of_y() {
    let policy = Policy::parse(&spec_policy()).unwrap();
    assert_eq!(policy.to_string(), spec_policy());
    assert_eq!((policy.logs().len(), policy.witnesses().len(), policy.has_quorum()), (1, 6, true));
    let check = |cosigners: &[u8], lacking: usize| {
        let times: Vec<_> = cosigners.iter().map(|number| (*number, 100 + u64::from(*number))).collect();
        let found = match policy.check(&cosigned(&times)) {
            Ok(met) => {
                assert_eq!(met.witnessed.len(), cosigners.len());
                0
            }
            Err(PolicyUnmet::QuorumLacking { lacking, .. }) => lacking,
            Err(other) => panic!("{other}"),
        };
        assert_eq!(found, lacking, "{cosigners:?}");
    };
    check(&[1, 2, 4], 0);
    check(&[2, 3, 6], 0);
    check(&[1, 2, 3, 4, 5, 6], 0);
    check(&[], 3);
    check(&[1], 2);
    check(&[1, 2, 3], 1);
    check(&[4, 5, 6], 2);
    check(&[1, 4, 5, 6], 1);
}

#[test]
fn what_is_lacking_is_said() {
    let policy = Policy::parse(&spec_policy()).unwrap();
    let unmet = policy.check(&cosigned(&[(2, 7), (9, 8)])).unwrap_err();
    let sentence =
        "the checkpoint of size 5 lacks its quorum: cosigned by X2, 2 more needed of X1, X3, Y1, Y2, Y3";
    assert_eq!(unmet.to_string(), sentence);
    let nobody = policy.check(&cosigned(&[])).unwrap_err().to_string();
    assert!(nobody.contains("cosigned by nobody, 3 more needed of X1, X2,"), "{nobody}");
}

#[test]
fn a_quorum_is_as_old_as_the_last_cosignature_that_completes_it() {
    let policy = Policy::parse(&spec_policy()).unwrap();
    let at = |times: &[(u8, u64)]| policy.check(&cosigned(times)).unwrap().quorum_at;
    assert_eq!(at(&[(1, 10), (2, 20), (4, 30)]), Some(10));
    assert_eq!(at(&[(1, 10), (2, 20), (3, 15), (4, 30)]), Some(15));
    assert_eq!(at(&[(1, 10), (2, 20), (3, 15), (4, 5), (5, u64::MAX)]), Some(15));
}

#[test]
fn without_a_quorum_the_signature_of_the_ledger_is_enough() {
    let policy = Policy::parse(&format!("{}witness a {}\nquorum none\n", log_line(), vkey(1))).unwrap();
    assert!(!policy.has_quorum());
    let met = policy.check(&cosigned(&[])).unwrap();
    assert_eq!((met.checkpoint.size(), met.witnessed.len(), met.quorum_at), (5, 0, None));
    assert_eq!(policy.check(&cosigned(&[(1, 7)])).unwrap().witnessed[0].unix_seconds, 7);
}

#[test]
fn only_a_listed_ledger_can_sign() {
    let policy = Policy::parse(&format!("{}quorum none\n", log_line())).unwrap();
    let unknown = PolicyUnmet::UnknownOrigin { origin: "another".to_owned() };
    let sign = |origin: &str, key: &SigningKey| {
        Checkpoint::new(Origin::parse(origin).unwrap(), 5, mth(&leaves(5))).sign(key).unwrap()
    };
    assert_eq!(
        policy.check(&sign("another", &key(ORIGIN))),
        Err(unknown),
        "a key signs for its own origin only"
    );
    let stranger = SigningKey::from_seed(KeyName::parse(ORIGIN).unwrap(), &[8; 32]);
    let unsigned = PolicyUnmet::LogUnsigned { origin: ORIGIN.to_owned() };
    assert_eq!(policy.check(&sign(ORIGIN, &stranger)), Err(unsigned));
    assert!(policy.check_with_logs(&sign(ORIGIN, &stranger), &[stranger.verifier().clone()]).is_ok());
    let text = Note::sign("no checkpoint\n", &key(ORIGIN)).unwrap();
    assert_eq!(policy.check(&text), Err(PolicyUnmet::NoCheckpoint));
    let empty = Policy::parse("quorum none\n").unwrap();
    let unknown = PolicyUnmet::UnknownOrigin { origin: ORIGIN.to_owned() };
    assert_eq!(empty.check(&cosigned(&[])), Err(unknown), "an empty list is nobody");
}

#[test]
fn two_keys_of_one_ledger_can_be_listed_while_they_change() {
    let next = SigningKey::from_seed(KeyName::parse(ORIGIN).unwrap(), &[8; 32]);
    let policy = Policy::parse(&format!("{}log {}\nquorum none\n", log_line(), next.verifier())).unwrap();
    let old = cosigned(&[]);
    let line = next.sign(old.text());
    assert!(policy.check(&old).is_ok());
    assert!(policy.check(&old.clone().with_signature(line.clone()).unwrap()).is_ok());
    assert!(policy.check(&Note::with_text(old.text(), line.clone()).unwrap()).is_ok());
    let wrong = NoteSignature::new(line.name().clone(), line.key_id(), vec![0; 64]);
    let wrong = policy.check(&old.with_signature(wrong).unwrap());
    assert_eq!(wrong, Err(PolicyUnmet::SignatureWrong { name: ORIGIN.to_owned() }));
}

#[test]
fn a_cosignature_that_does_not_hold_spoils_the_note() {
    let policy = Policy::parse(&spec_policy()).unwrap();
    let (good, key) = (cosigned(&[(1, 1), (2, 1), (4, 1)]), witness(3));
    let wrong = NoteSignature::new(key.verifier().name().clone(), key.verifier().id(), vec![0; 72]);
    let checked = policy.check(&good.with_signature(wrong).unwrap());
    assert_eq!(checked, Err(PolicyUnmet::SignatureWrong { name: "witness.example/3".to_owned() }));
}

/// Files that the specification allows, and what is peculiar to them.
#[test]
fn what_the_specification_allows_is_read() {
    let check = |text: String| {
        let policy = Policy::parse(&text);
        assert_eq!(policy.map(|policy| policy.to_string()), Ok(text));
    };
    let (a, b) = (vkey(1), vkey(2));
    check("quorum none".to_owned());
    check("\n# comment\n \t# another\n\t quorum\t none \t\n\n".to_owned());
    check(format!("witness a {a} not-even-a-url\nquorum a\n"));
    check(format!("witness all {a}\nwitness any {b}\ngroup group 2 all any\nquorum group\n"));
    check(format!("witness K\u{e9}\u{212a} {a}\nquorum K\u{e9}\u{212a}\nwitness K {b}\n"));
    check(format!("witness a {a}\ngroup g 1 a\ngroup h all g\nquorum g\n"));
    check(format!("witness # {a}\nquorum #\n"));
    let many: String = (1..=32).map(|number| format!("witness w{number} {}\n", vkey(number))).collect();
    let groups: String = (1..=32).map(|number| format!("group g{number} any w{number}\n")).collect();
    let log =
        |number| SigningKey::from_seed(KeyName::parse("log").unwrap(), &[number; 32]).verifier().to_string();
    let logs: String = (101..=132).map(|number| format!("log {}\n", log(number))).collect();
    check(format!("{logs}{many}{groups}quorum g32\n"));
}

#[test]
fn lines_that_cannot_be_there_are_named() {
    let (a, b) = (vkey(1), vkey(2));
    let log = key(ORIGIN).verifier().to_string();
    let name = |name: &str| name.to_owned();
    let check = |text: String, line: usize, problem: PolicyProblem| {
        assert_eq!(Policy::parse(&text), Err(Error::PolicyLine { line, problem }), "{text}");
    };
    let parts = |usage| PolicyProblem::Parts { usage };
    check(name("quorum none\r\n"), 1, PolicyProblem::Control);
    check(name("quorum none\n\u{1}"), 2, PolicyProblem::Control);
    check(name("quorum none\n\u{7f}"), 2, PolicyProblem::Control);
    check(name("quibble\n"), 1, PolicyProblem::Keyword { word: name("quibble") });
    check(name("Quorum none\n"), 1, PolicyProblem::Keyword { word: name("Quorum") });
    check(name("quorum\u{a0}none\n"), 1, PolicyProblem::Keyword { word: name("quorum\u{a0}none") });
    check(name("\nlog\n"), 2, parts("log VKEY [URL]"));
    check(format!("log {log} url # comment\n"), 1, parts("log VKEY [URL]"));
    check(name("witness a\n"), 1, parts("witness NAME VKEY [URL]"));
    check(format!("witness a {a} url more\n"), 1, parts("witness NAME VKEY [URL]"));
    check(format!("witness a {a}\ngroup g 1\n"), 2, parts("group NAME any|all|NUMBER MEMBER..."));
    check(name("quorum\n"), 1, parts("quorum NAME"));
    check(name("quorum none none\n"), 1, parts("quorum NAME"));
    check(name("log rubbish\n"), 1, PolicyProblem::Key(Box::new(Error::VerifierKeyText)));
    let unknown = Error::KeyTypeUnknown { name: name("pq"), kind: 6 };
    let pq = format!("pq+00000006+{}", crate::base64::encode(&[6; 1313]));
    check(format!("witness a {pq}\n"), 1, PolicyProblem::Key(Box::new(unknown)));
    let kind = |line, expected, found| PolicyProblem::KeyType { line, expected, found };
    check(format!("log {a}\n"), 1, kind("log", 1, 4));
    check(format!("witness a {log}\n"), 1, kind("witness", 4, 1));
    check(format!("log {log}\nlog {log} url\n"), 2, PolicyProblem::KeyTwice { before: 1 });
    let renamed =
        CosigningKey::from_seed(KeyName::parse("other").unwrap(), &[151; 32]).verifier().to_string();
    check(format!("witness a {a}\nwitness b {renamed}\n"), 2, PolicyProblem::KeyTwice { before: 1 });
    let own = CosigningKey::from_seed(KeyName::parse("own").unwrap(), &[7; 32]).verifier().to_string();
    check(format!("log {log}\n\nwitness a {own}\n"), 3, PolicyProblem::KeyTwice { before: 1 });
    let taken = |taken: &str| PolicyProblem::NameTaken { name: name(taken) };
    check(format!("witness none {a}\n"), 1, taken("none"));
    check(format!("witness a {a}\nwitness a {b}\n"), 2, taken("a"));
    check(format!("witness a {a}\ngroup a any a\n"), 2, taken("a"));
    check(format!("witness a {a}\ngroup none any a\n"), 2, taken("none"));
    let unknown = |unknown: &str| PolicyProblem::NameUnknown { name: name(unknown) };
    check(format!("witness a {a}\ngroup g any b\n"), 2, unknown("b"));
    check(format!("group g any a\nwitness a {a}\n"), 1, unknown("a"));
    check(format!("witness a {a}\ngroup g any none a\n"), 2, unknown("none"));
    check(format!("witness a {a}\ngroup g any g\n"), 2, unknown("g"));
    check(format!("quorum a\nwitness a {a}\n"), 1, unknown("a"));
    let twice = || PolicyProblem::MemberTwice { name: name("a") };
    check(format!("witness a {a}\ngroup g all a a\n"), 2, twice());
    check(format!("witness a {a}\ngroup g any a\ngroup h any a\n"), 3, twice());
    for (threshold, members) in
        [("0", 1), ("2", 1), ("-1", 1), ("01", 1), ("+1", 1), ("Any", 1), ("18446744073709551617", 1)]
    {
        let problem = PolicyProblem::Threshold { threshold: name(threshold), members };
        check(format!("witness a {a}\ngroup g {threshold} a\n"), 2, problem);
    }
    check(name("quorum none\nquorum none\n"), 2, PolicyProblem::QuorumTwice);
    assert_eq!(Policy::parse(""), Err(Error::PolicyQuorumMissing));
    assert_eq!(Policy::parse(&format!("witness a {a}\n")), Err(Error::PolicyQuorumMissing));
}

#[test]
fn more_than_the_limits_is_refused() {
    let refused = |text: String, line: usize| {
        assert_eq!(Policy::parse(&text), Err(Error::PolicyLine { line, problem: PolicyProblem::TooMany }));
    };
    refused((1..=33).map(|number| format!("witness w{number} {}\n", vkey(number))).collect(), 33);
    let log =
        |number| SigningKey::from_seed(KeyName::parse("log").unwrap(), &[number; 32]).verifier().to_string();
    refused((1..=33).map(|number| format!("log {}\n", log(number))).collect(), 33);
    let groups: String = (1..=33)
        .map(|number| {
            format!(
                "group g{number} any {}\n",
                if number == 1 { "w".to_owned() } else { format!("g{}", number - 1) }
            )
        })
        .collect();
    refused(format!("witness w {}\n{groups}", vkey(1)), 34);
    let long = "#".repeat(super::POLICY_BYTES_MAX + 1);
    assert_eq!(Policy::parse(&long), Err(Error::PolicyLong { len: long.len() }));
}
