//! Random policies against a second evaluation, which reads the text anew and tries all sets of witnesses.

use proptest::prelude::{Strategy, any, prop};
use proptest::test_runner::TestCaseError;
use proptest::{prop_assert, prop_assert_eq, proptest};

use super::{cosigned, log_line, vkey};
use crate::{Policy, PolicyUnmet};

/// A policy with so many witnesses, and groups that each take some of the names that are free.
fn policies() -> impl Strategy<Value = String> {
    let groups = prop::collection::vec((prop::collection::vec(any::<u8>(), 1..5), any::<u8>()), 0..6);
    (1_u8..9, groups, any::<u8>()).prop_map(|(witnesses, groups, quorum)| write(witnesses, &groups, quorum))
}

fn write(witnesses: u8, groups: &[(Vec<u8>, u8)], quorum: u8) -> String {
    let mut text = log_line();
    let mut names: Vec<String> = vec!["none".to_owned()];
    let mut free = Vec::new();
    for number in 1..=witnesses {
        text += &format!("witness w{number} {}\n", vkey(number));
        names.push(format!("w{number}"));
        free.push(format!("w{number}"));
    }
    for (place, (picks, threshold)) in groups.iter().enumerate() {
        let count = picks.len().min(free.len());
        let members: Vec<String> =
            picks[..count].iter().map(|pick| free.remove(usize::from(*pick) % free.len())).collect();
        let threshold = match usize::from(*threshold) % (count + 2) {
            0 => "any".to_owned(),
            1 => "all".to_owned(),
            other => (other - 1).to_string(),
        };
        text += &format!("group g{place} {threshold} {}\n", members.join(" "));
        names.push(format!("g{place}"));
        free.push(format!("g{place}"));
    }
    text + &format!("quorum {}\n", names[usize::from(quorum) % names.len()])
}

/// Whether these witnesses are enough, straight from the words of the specification.
fn is_enough(text: &str, name: &str, there: &[String]) -> bool {
    if name == "none" {
        return true;
    }
    let group = text.lines().find_map(|line| line.strip_prefix(&format!("group {name} ")));
    let Some(group) = group else { return there.iter().any(|there| there == name) };
    let (threshold, members) = group.split_once(' ').unwrap();
    let members: Vec<_> = members.split(' ').collect();
    let threshold = match threshold {
        "any" => 1,
        "all" => members.len(),
        number => number.parse().unwrap(),
    };
    members.iter().filter(|member| is_enough(text, member, there)).count() >= threshold
}

/// The fewest of the other witnesses that are enough together with these.
fn fewest_more(text: &str, quorum: &str, there: &[String], witnesses: u8) -> usize {
    let sets = 0_u32..1 << witnesses;
    let with = |set: u32| {
        let more = (0..witnesses).filter(|bit| set >> bit & 1 == 1).map(|bit| format!("w{}", bit + 1));
        let all: Vec<_> = there.iter().cloned().chain(more).collect();
        is_enough(text, quorum, &all)
    };
    sets.filter(|set| with(*set)).map(|set| set.count_ones() as usize).min().unwrap()
}

fn check(text: &str, cosigners: u8) -> Result<(), TestCaseError> {
    let policy = Policy::parse(text).unwrap();
    prop_assert_eq!(policy.to_string(), text);
    let quorum = text.lines().find_map(|line| line.strip_prefix("quorum ")).unwrap();
    let witnesses = u8::try_from(policy.witnesses().len()).unwrap();
    let times: Vec<(u8, u64)> = (1..=witnesses)
        .filter(|number| cosigners >> (number - 1) & 1 == 1)
        .map(|number| (number, u64::from(number) * 37 % 11))
        .collect();
    let names: Vec<String> = times.iter().map(|(number, _)| format!("w{number}")).collect();
    let since = |since: u64| -> Vec<String> {
        times.iter().filter(|(_, time)| *time >= since).map(|(number, _)| format!("w{number}")).collect()
    };
    let refs: Vec<&str> = names.iter().map(String::as_str).collect();
    prop_assert_eq!(policy.is_quorum(&refs), is_enough(text, quorum, &names));
    match policy.check(&cosigned(&times)) {
        Ok(met) => {
            prop_assert!(is_enough(text, quorum, &names));
            let found: Vec<_> = met.witnessed.iter().map(|witnessed| witnessed.name.clone()).collect();
            prop_assert_eq!(found, names);
            let latest = (0..11).rev().find(|time| is_enough(text, quorum, &since(*time)));
            prop_assert_eq!(met.quorum_at, latest.filter(|_| policy.has_quorum()));
        }
        Err(PolicyUnmet::QuorumLacking { lacking, missing, .. }) => {
            prop_assert_eq!(lacking, fewest_more(text, quorum, &names, witnesses));
            prop_assert!(lacking > 0 && lacking <= missing.len());
            prop_assert!(missing.iter().all(|name| !names.contains(name)));
        }
        Err(other) => return Err(TestCaseError::fail(other.to_string())),
    }
    Ok(())
}

proptest! {
    #[test]
    fn random_policies_are_evaluated_as_their_words_say(text in policies(), cosigners in any::<u8>()) {
        check(&text, cosigners)?;
    }

    #[test]
    fn what_is_read_is_printed_alike(text in "((log|witness|group|quorum|none|any|a|b|1|#) ?[\\t\\n]?){0,12}") {
        if let Ok(policy) = Policy::parse(&text) {
            prop_assert_eq!(policy.to_string(), text);
        }
    }
}
