//! Whole stories, and everything that can be wrong with one.

mod doctors;
mod sample;

use brevet_core::{Entry, Event, NewPurpose, RequestId};
use brevet_ledger::{CosigningKey, KeyName, Note, Policy, SigningKey, VerifierKey};

use super::format::{BundledOutput, encode_base64};
use super::{Bundle, BundleFault, BundleReport, Collected, Trust, check};
use sample::{ANNA, BOB, BOB_TOO, Sample, WROTE};

fn bytes(bundle: &Bundle) -> Vec<u8> {
    serde_json::to_vec(bundle).unwrap()
}

fn checked(bundle: &Bundle, key: &VerifierKey) -> Result<BundleReport, BundleFault> {
    check(&bytes(bundle), &Trust { keys: std::slice::from_ref(key), policy: None })
}

/// A whole story, its bundle and the key of its ledger.
fn whole() -> (Sample, RequestId, Bundle, VerifierKey) {
    let mut sample = Sample::new(|_| {});
    let request = sample.story();
    let (bundle, key) = (sample.bundle(request), sample.key());
    (sample, request, bundle, key)
}

/// What is wrong with the story of a ledger in which each entry was changed before it was signed for.
fn doctored(doctor: fn(&mut Entry)) -> BundleFault {
    let mut sample = Sample::new(doctor);
    let request = sample.story();
    match sample.collect(request) {
        Collected::Faulty(fault) => fault,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_whole_story_verifies_and_is_told() {
    let (_, request, bundle, key) = whole();
    let report = checked(&bundle, &key).unwrap();
    let sentences = report.sentences();
    assert_eq!(sentences, bundle.summary);
    assert_eq!(report.request, request.to_string());
    let told = report.to_string();
    for said in [
        r#"bob (usr-4) asked for Linux\Speakers for 1h in req-1, under pol-1 revision 1: "the disk is full""#,
        r#"alice (usr-2) approved req-1, under pol-1 revision 1: "go on""#,
        r#"anna (usr-3) approved req-1"#,
        r"req-1 gave bob (usr-4) the authorization aut-1 for Linux\Speakers, until ",
        r"bob (usr-4) ran Linux\Say with text=now as exe-1, under aut-1; definition 0101",
        "exe-1 succeeded; it wrote 5 bytes with the digest ",
        "bob (usr-4) asked for more time on aut-1",
        "req-2 extended aut-1 until ",
        r"ran Linux\Say with text=again as exe-2",
        r#"aut-1 ended: alice (usr-2) revoked it: "enough""#,
    ] {
        assert!(told.contains(said), "{said:?} is not in:\n{told}");
    }
    assert_eq!(report.texts_erased, 0);
}

#[test]
fn the_bundle_of_an_extension_has_the_story_that_it_extends() {
    let (sample, _, bundle, key) = whole();
    let extension = sample.bundle(RequestId::new(2));
    assert_eq!(extension.entries.len(), bundle.entries.len());
    assert_eq!(checked(&extension, &key).unwrap().request, "req-2");
}

#[test]
fn there_is_no_bundle_of_no_request() {
    let (sample, ..) = whole();
    assert!(matches!(sample.collect(RequestId::new(99)), Collected::NoSuch));
}

#[test]
fn a_request_that_waits_has_a_story_too() {
    let mut sample = Sample::new(|_| {});
    let access = brevet_core::Access::Role(brevet_core::RoleId::new(1));
    let request = sample.ask(NewPurpose::Access { access, bound: Default::default() }, "later");
    let report = checked(&sample.bundle(request), &sample.key()).unwrap();
    assert_eq!(report.sentences().len(), 1);
}

#[test]
fn no_flipped_byte_gives_another_story() {
    /// Another byte of each: the lowest bit, another case, and the highest bit.
    const FLIPS: [u8; 3] = [0x01, 0x20, 0x80];
    let (_, _, bundle, key) = whole();
    let (file, story) = (bytes(&bundle), checked(&bundle, &key).unwrap().sentences());
    let threads = 4;
    std::thread::scope(|scope| {
        for thread in 0..threads {
            let (file, story, key) = (&file, &story, &key);
            scope.spawn(move || {
                for place in (thread..file.len()).step_by(threads) {
                    let mut changed = file.clone();
                    changed[place] ^= FLIPS[place % FLIPS.len()];
                    let trust = Trust { keys: std::slice::from_ref(key), policy: None };
                    if let Ok(report) = check(&changed, &trust) {
                        assert_eq!(&report.sentences(), story, "byte {place} of {}", file.len());
                        assert_eq!(report.request, "req-1", "byte {place}");
                    }
                }
            });
        }
    });
}

#[test]
fn what_is_taken_out_is_missing() {
    let (_, _, bundle, key) = whole();
    let mut missing = 0;
    for place in 0..bundle.entries.len() {
        let mut without = bundle.clone();
        let taken = without.entries.remove(place);
        let entry = decoded(&taken.bytes);
        let outcome = checked(&without, &key);
        // What nothing else rests on leaves no gap: the end of a run or of an authorization, and what was changed again.
        let rests = match &entry.event {
            Event::AuthorizationEnded { .. } | Event::ExecutionFinished { .. } => false,
            Event::GroupCreated { .. } | Event::AccessControlEnabled { .. } => false,
            // Ada only made the accounts and groups; her own is not needed.
            Event::UserAdded { user, .. } | Event::MemberAdded { user, .. } => {
                *user != BOB_TOO && user.number() != 1
            }
            // A second run can be left out whole, never its beginning alone.
            _ => true,
        };
        match outcome {
            Err(BundleFault::Missing { .. }) => missing += 1,
            Err(fault) => panic!("{:?}: {fault}", entry.event),
            Ok(_) => assert!(!rests, "{:?} is not missed", entry.event),
        }
    }
    assert!(missing >= 14, "{missing}");
    let mut alone = bundle;
    alone.entries.clear();
    assert!(matches!(checked(&alone, &key), Err(BundleFault::Missing { .. })));
}

fn decoded(bytes: &str) -> Entry {
    brevet_store::decode_entry(&super::format::decode_base64(bytes).unwrap(), Vec::new()).unwrap().1
}

#[test]
fn what_is_moved_swapped_or_doubled_is_changed() {
    let (_, _, bundle, key) = whole();
    let mut swapped = bundle.clone();
    swapped.entries.swap(0, 1);
    let mut doubled = bundle.clone();
    doubled.entries.insert(1, bundle.entries[1].clone());
    let mut moved = bundle.clone();
    moved.entries[3].index += 1;
    let mut foreign = bundle.clone();
    foreign.entries[3].bytes = bundle.entries[4].bytes.clone();
    for changed in [swapped, doubled, moved, foreign] {
        let fault = checked(&changed, &key).unwrap_err();
        assert_eq!(fault.exit_code(), 10, "{fault}");
    }
}

#[test]
fn a_text_is_the_one_committed_to_and_an_erased_one_breaks_nothing() {
    let (_, _, bundle, key) = whole();
    let place = bundle.entries.iter().position(|entry| !entry.texts.is_empty()).unwrap();
    let mut other = bundle.clone();
    other.entries[place].texts[0].text.push('x');
    let mut twice = bundle.clone();
    let text = twice.entries[place].texts[0].clone();
    twice.entries[place].texts.push(text);
    for changed in [other, twice] {
        assert_eq!(checked(&changed, &key).unwrap_err().exit_code(), 10);
    }
    let mut erased = bundle;
    let count: usize = erased.entries.iter().map(|entry| entry.texts.len()).sum();
    erased.entries.iter_mut().for_each(|entry| entry.texts.clear());
    let report = checked(&erased, &key).unwrap();
    assert_eq!((report.texts_present, report.texts_erased), (0, count));
    let told = report.to_string();
    assert!(told.contains("usr-4 (name erased) asked for") && told.contains("(erased)"), "{told}");
}

#[test]
fn only_a_trusted_key_of_that_ledger_counts() {
    let (_, _, bundle, key) = whole();
    let name = |text: &str| KeyName::parse(text).unwrap();
    let impostor = SigningKey::from_seed(key.name().clone(), &[8; 32]);
    let other = SigningKey::from_seed(name("other.example/ledger"), &[8; 32]);
    let refused = |keys: &[VerifierKey], bundle: &Bundle| {
        check(&bytes(bundle), &Trust { keys, policy: None }).unwrap_err()
    };
    assert!(matches!(refused(&[], &bundle), BundleFault::OtherLedger { .. }));
    let fault = refused(&[other.verifier().clone()], &bundle);
    assert!(matches!(fault, BundleFault::OtherLedger { .. }), "{fault}");
    assert_eq!(fault.exit_code(), 15);
    // A key in the file itself is not asked.
    let mut bragging = bundle.clone();
    let text = bundle.checkpoint.split("\n\n").next().unwrap();
    bragging.checkpoint = Note::sign(&format!("{text}\n"), &impostor).unwrap().to_string();
    bragging.keys = vec![impostor.verifier().to_string()];
    let fault = refused(&[key], &bragging);
    assert!(matches!(fault, BundleFault::Signature { .. }), "{fault}");
    assert_eq!(fault.exit_code(), 15);
}

#[test]
fn a_policy_demands_its_witnesses() {
    let (_, _, mut bundle, key) = whole();
    let witness = CosigningKey::from_seed(KeyName::parse("witness.example").unwrap(), &[3; 32]);
    let policy = format!("log {key}\nwitness w {}\nquorum w\n", witness.verifier());
    let policy = Policy::parse(&policy).unwrap();
    let trust = Trust { keys: &[], policy: Some(&policy) };
    let fault = check(&bytes(&bundle), &trust).unwrap_err();
    assert!(matches!(fault, BundleFault::Policy(_)), "{fault}");
    assert_eq!(fault.exit_code(), 16);
    let note: Note = bundle.checkpoint.parse().unwrap();
    let cosigned = witness.cosign(&note, 1_750_000_100);
    bundle.checkpoint = note.with_signature(cosigned).unwrap().to_string();
    let report = check(&bytes(&bundle), &trust).unwrap();
    assert_eq!((report.witnessed.len(), report.quorum_at), (1, Some(1_750_000_100)));
}

#[test]
fn an_output_is_the_one_that_a_run_wrote() {
    let (_, _, bundle, key) = whole();
    let digest =
        |bytes: &[u8]| brevet_core::Digest(<sha2::Sha256 as sha2::Digest>::digest(bytes).into()).to_string();
    let with = |outputs: &[(&[u8], &[u8])]| {
        let output = |(hashed, bytes): &(&[u8], &[u8])| BundledOutput {
            digest: digest(hashed),
            bytes: encode_base64(bytes),
        };
        checked(&Bundle { outputs: outputs.iter().map(output).collect(), ..bundle.clone() }, &key)
    };
    assert_eq!(with(&[(WROTE, WROTE)]).unwrap().outputs, 1);
    for wrong in [with(&[(WROTE, b"other")]), with(&[(b"other", b"other")]), with(&[(WROTE, WROTE); 2])] {
        assert_eq!(wrong.unwrap_err().exit_code(), 10);
    }
}

/// A ledger that was signed for, with proofs that hold, and a story that Brevet would never have allowed.
#[test]
fn a_story_that_brevet_does_not_allow_is_refused_although_all_of_it_is_proven() {
    for (doctor, says) in [
        (doctors::own_second_account as fn(&mut Entry), "the requester decided on their own request"),
        (doctors::twice, "approved req-1 before"),
        (doctors::for_somebody, "somebody else decided than the one it names"),
        (doctors::more_time, "it gives more than was asked for and approved"),
        (doctors::to_somebody, "it gives something else than was asked for and approved"),
        (doctors::too_late, "it started outside the window of its authorization"),
        (doctors::by_somebody, "somebody else ran it than the holder of the authorization"),
        (doctors::something_else, "it ran something else than was approved"),
        (doctors::denied, "req-1 was over before"),
        (doctors::without_end, "it was extended by another time than was asked for and approved"),
        (doctors::too_often, "no run was left"),
    ] {
        let fault = doctored(doctor);
        assert!(fault.to_string().contains(says), "{says}: {fault}");
        assert_eq!(fault.exit_code(), 10, "{fault}");
        assert!(fault.index().is_some());
    }
}

#[test]
fn approvals_by_people_in_no_approver_group_are_not_enough() {
    fn nobody_joins(entry: &mut Entry) {
        if let Event::MemberAdded { user, .. } = &mut entry.event
            && *user == ANNA
        {
            *user = BOB;
        }
    }
    let fault = doctored(nobody_joins);
    assert!(matches!(fault, BundleFault::Missing { .. }), "{fault}");
    assert!(fault.to_string().contains("the membership that made usr-3 an approver of req-1"), "{fault}");
}

#[test]
fn what_is_no_bundle_says_so() {
    let (_, _, bundle, key) = whole();
    let next = Bundle { version: 2, ..bundle.clone() };
    let other = Bundle { brevet: "ledger".into(), ..bundle.clone() };
    let nobody = Bundle { request: "req-01".into(), ..bundle };
    for unreadable in [next, other, nobody] {
        assert_eq!(checked(&unreadable, &key).unwrap_err().exit_code(), 1);
    }
    for text in ["", "{}", "[]", "nonsense", r#"{"brevet":"evidence-bundle","more":1}"#] {
        let fault = check(text.as_bytes(), &Trust::default()).unwrap_err();
        assert_eq!(fault.exit_code(), 1, "{text}: {fault}");
    }
}
