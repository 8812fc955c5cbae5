//! Reads the lines of a policy (C2SP tlog-policy, "Policy file syntax and structure").

use std::collections::BTreeMap;

use super::quorum::Quorum;
use super::{
    POLICY_BYTES_MAX, POLICY_GROUPS_MAX, POLICY_LOGS_MAX, POLICY_WITNESSES_MAX, Policy, PolicyLog,
    PolicyProblem, PolicyWitness,
};
use crate::checkpoint::parse_decimal;
use crate::{Error, KeyType, VerifierKey};

/// The name of the quorum that asks for nobody.
const NONE: &str = "none";

pub(super) fn read(text: &str) -> Result<Policy, Error> {
    if text.len() > POLICY_BYTES_MAX {
        return Err(Error::PolicyLong { len: text.len() });
    }
    let mut read = Read::default();
    for (before, line) in text.split('\n').enumerate() {
        read.number = before + 1;
        read.line(line).map_err(|problem| Error::PolicyLine { line: before + 1, problem })?;
    }
    let quorum = read.quorum.ok_or(Error::PolicyQuorumMissing)?;
    Ok(Policy {
        text: text.to_owned(),
        witness_keys: read.witnesses.iter().map(|witness| witness.key.clone()).collect(),
        logs: read.logs,
        witnesses: read.witnesses,
        quorum,
    })
}

/// What the lines so far say.
#[derive(Default)]
struct Read {
    /// The number of the line being read, from 1.
    number: usize,
    logs: Vec<PolicyLog>,
    witnesses: Vec<PolicyWitness>,
    groups: usize,
    /// Every key with the line that has it.
    keys: Vec<(VerifierKey, usize)>,
    /// Witnesses and groups by name.
    names: BTreeMap<String, Named>,
    /// `Some(None)` for `quorum none`.
    quorum: Option<Option<Quorum>>,
}

/// What a name stands for.
struct Named {
    quorum: Quorum,
    is_member: bool,
}

impl Read {
    fn line(&mut self, line: &str) -> Result<(), PolicyProblem> {
        if line.contains(|c: char| c.is_ascii_control() && c != '\t') {
            return Err(PolicyProblem::Control);
        }
        let words: Vec<&str> = line.split([' ', '\t']).filter(|word| !word.is_empty()).collect();
        match *words {
            [] => Ok(()),
            [word, ..] if word.starts_with('#') => Ok(()),
            ["log", key] => self.log(key, None),
            ["log", key, url] => self.log(key, Some(url)),
            ["log", ..] => Err(PolicyProblem::Parts { usage: "log VKEY [URL]" }),
            ["witness", name, key] => self.witness(name, key, None),
            ["witness", name, key, url] => self.witness(name, key, Some(url)),
            ["witness", ..] => Err(PolicyProblem::Parts { usage: "witness NAME VKEY [URL]" }),
            ["group", name, threshold, ref members @ ..] if !members.is_empty() => {
                self.group(name, threshold, members)
            }
            ["group", ..] => Err(PolicyProblem::Parts { usage: "group NAME any|all|NUMBER MEMBER..." }),
            ["quorum", name] => self.quorum(name),
            ["quorum", ..] => Err(PolicyProblem::Parts { usage: "quorum NAME" }),
            [word, ..] => Err(PolicyProblem::Keyword { word: word.to_owned() }),
        }
    }

    fn log(&mut self, key: &str, url: Option<&str>) -> Result<(), PolicyProblem> {
        at_most(POLICY_LOGS_MAX, self.logs.len())?;
        let key = self.key("log", KeyType::Ed25519, key)?;
        self.logs.push(PolicyLog { key, url: url.map(str::to_owned) });
        Ok(())
    }

    fn witness(&mut self, name: &str, key: &str, url: Option<&str>) -> Result<(), PolicyProblem> {
        at_most(POLICY_WITNESSES_MAX, self.witnesses.len())?;
        let key = self.key("witness", KeyType::Cosignature, key)?;
        self.define(name, Quorum::Witness(self.witnesses.len()))?;
        self.witnesses.push(PolicyWitness { name: name.to_owned(), key, url: url.map(str::to_owned) });
        Ok(())
    }

    /// Reads a key of this type that no line above has, in whatever wrapping.
    fn key(&mut self, line: &'static str, kind: KeyType, text: &str) -> Result<VerifierKey, PolicyProblem> {
        let key: VerifierKey = text.parse().map_err(|error| PolicyProblem::Key(Box::new(error)))?;
        if key.key_type() != kind {
            let (expected, found) = (kind.byte(), key.key_type().byte());
            return Err(PolicyProblem::KeyType { line, expected, found });
        }
        if let Some((_, before)) = self.keys.iter().find(|(other, _)| other.is_same_key_as(&key)) {
            return Err(PolicyProblem::KeyTwice { before: *before });
        }
        self.keys.push((key.clone(), self.number));
        Ok(key)
    }

    fn group(&mut self, name: &str, threshold: &str, members: &[&str]) -> Result<(), PolicyProblem> {
        at_most(POLICY_GROUPS_MAX, self.groups)?;
        let threshold = read_threshold(threshold, members.len())?;
        let members = members.iter().map(|member| self.member(member)).collect::<Result<_, _>>()?;
        self.define(name, Quorum::Group { threshold, members })?;
        self.groups += 1;
        Ok(())
    }

    /// Takes a name into a group, once.
    fn member(&mut self, name: &str) -> Result<Quorum, PolicyProblem> {
        let unknown = || PolicyProblem::NameUnknown { name: name.to_owned() };
        let named = self.names.get_mut(name).ok_or_else(unknown)?;
        if std::mem::replace(&mut named.is_member, true) {
            return Err(PolicyProblem::MemberTwice { name: name.to_owned() });
        }
        Ok(named.quorum.clone())
    }

    fn define(&mut self, name: &str, quorum: Quorum) -> Result<(), PolicyProblem> {
        if name == NONE || self.names.contains_key(name) {
            return Err(PolicyProblem::NameTaken { name: name.to_owned() });
        }
        self.names.insert(name.to_owned(), Named { quorum, is_member: false });
        Ok(())
    }

    fn quorum(&mut self, name: &str) -> Result<(), PolicyProblem> {
        if self.quorum.is_some() {
            return Err(PolicyProblem::QuorumTwice);
        }
        self.quorum = Some(match self.names.get(name) {
            Some(named) => Some(named.quorum.clone()),
            None if name == NONE => None,
            None => return Err(PolicyProblem::NameUnknown { name: name.to_owned() }),
        });
        Ok(())
    }
}

fn read_threshold(text: &str, members: usize) -> Result<usize, PolicyProblem> {
    let threshold = match text {
        "any" => Some(1),
        "all" => Some(members),
        number => parse_decimal(number).and_then(|number| usize::try_from(number).ok()),
    };
    threshold
        .filter(|threshold| (1..=members).contains(threshold))
        .ok_or_else(|| PolicyProblem::Threshold { threshold: text.to_owned(), members })
}

fn at_most(max: usize, there: usize) -> Result<(), PolicyProblem> {
    if there < max { Ok(()) } else { Err(PolicyProblem::TooMany) }
}
