//! Random lives of a witness: growing, forked, truncated and lying ledgers, wrong proofs, keys that come and go,
//! clocks that step, restarts. A naive model says what must be answered each time.

use std::collections::{BTreeMap, BTreeSet};

use brevet_ledger::{
    AddCheckpoint, Checkpoint, CosigningKey, Hash, KeyName, Note, Origin, SigningKey, empty_root, leaf_hash,
};
use brevet_store::{
    DataFolder, EvidenceKind, Refusal, Verdict, WitnessLedgers, WitnessReader, WitnessStore, witness_key,
};
use proptest::prelude::*;

use crate::naive::{consistency, root};

const ORIGIN: &str = "ledger.example/one";
const LEAVES: usize = 40;
/// Histories: the second is forked from the first at the 7th entry, the third is another ledger altogether.
const FORKS: [usize; 3] = [LEAVES, 7, 0];
const START: u64 = 1_800_000_000;

#[derive(Debug, Clone)]
enum Step {
    Submit(Submit),
    Trust(usize),
    Distrust(usize),
    Clock(i64),
    Restart,
}

#[derive(Debug, Clone)]
struct Submit {
    history: usize,
    size: usize,
    old: Old,
    proof: Proof,
    /// Which key signs; the last one is nobody's.
    key: usize,
    wrong_root: bool,
}

#[derive(Debug, Clone)]
enum Old {
    AsSeen,
    Is(usize),
}

#[derive(Debug, Clone)]
enum Proof {
    Right,
    Empty,
    Short,
    Long,
    Flipped(usize),
}

fn submit() -> impl Strategy<Value = Submit> {
    let old = prop_oneof![4 => Just(Old::AsSeen), 1 => (0..=LEAVES).prop_map(Old::Is), 1 => Just(Old::Is(0))];
    let proof = prop_oneof![
        8 => Just(Proof::Right),
        1 => Just(Proof::Empty),
        1 => Just(Proof::Short),
        1 => Just(Proof::Long),
        1 => (0..64_usize).prop_map(Proof::Flipped),
    ];
    let history = prop_oneof![6 => Just(0_usize), 2 => Just(1), 1 => Just(2)];
    let key = prop_oneof![5 => Just(0_usize), 2 => Just(1), 1 => Just(2)];
    let wrong_root = prop_oneof![12 => Just(false), 1 => Just(true)];
    (history, 0..=LEAVES, old, proof, key, wrong_root).prop_map(
        |(history, size, old, proof, key, wrong_root)| Submit { history, size, old, proof, key, wrong_root },
    )
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        20 => submit().prop_map(Step::Submit),
        1 => (0..2_usize).prop_map(Step::Trust),
        1 => (0..2_usize).prop_map(Step::Distrust),
        2 => (-100..100_i64).prop_map(Step::Clock),
        1 => Just(Step::Restart),
    ]
}

fn leaves(history: usize) -> Vec<Hash> {
    let own = |index: usize| if index < FORKS[history] { 0 } else { history };
    (0..LEAVES).map(|index| leaf_hash(format!("{} {index}", own(index)).as_bytes())).collect()
}

fn ledger_key(number: usize) -> SigningKey {
    SigningKey::from_seed(KeyName::parse(ORIGIN).unwrap(), &[u8::try_from(number).unwrap() + 1; 32])
}

/// What a witness must know and do, from the words of the specification.
#[derive(Default)]
struct Model {
    trusted: BTreeSet<usize>,
    /// The leaves of the largest checkpoint that was cosigned, and its time and text.
    seen: Option<(Vec<Hash>, u64, String)>,
    /// Every root that was ever cosigned, by size.
    cosigned: BTreeMap<usize, Hash>,
    /// By kind, what was cosigned before and what was sent; with the size and root of the latter.
    evidence: BTreeMap<(EvidenceKind, String, String), (usize, Hash)>,
}

#[derive(Debug, PartialEq, Eq)]
enum Expected {
    Cosigned(u64),
    HasSize(u64),
    UnknownOrigin,
    NotSigned,
    OldAboveSize,
    Inconsistent,
}

struct Life {
    place: tempfile::TempDir,
    store: Option<WitnessStore>,
    reader: WitnessReader,
    clock: u64,
    model: Model,
}

impl Life {
    fn begin() -> Self {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("witness");
        let store = open(&path, Some("witness.example/w1"));
        let reader = WitnessReader::visit(&path).unwrap();
        let mut life = Self { place, store: Some(store), reader, clock: START, model: Model::default() };
        life.trust(0);
        life
    }

    fn path(&self) -> std::path::PathBuf {
        self.place.path().join("witness")
    }

    fn trust(&mut self, key: usize) {
        let is_new = WitnessLedgers::visit(&self.path())
            .unwrap()
            .add(&Origin::parse(ORIGIN).unwrap(), ledger_key(key).verifier(), self.clock)
            .unwrap();
        assert_eq!(is_new, self.model.trusted.insert(key));
    }

    fn distrust(&mut self, key: usize) {
        let given = ledger_key(key).verifier().to_string();
        let removed = WitnessLedgers::visit(&self.path()).unwrap().remove(&given);
        assert_eq!(removed.is_ok(), self.model.trusted.remove(&key));
    }

    fn play(&mut self, step: &Step) {
        match step {
            Step::Submit(submit) => self.submit(submit),
            Step::Trust(key) => self.trust(*key),
            Step::Distrust(key) => self.distrust(*key),
            Step::Clock(by) => self.clock = self.clock.saturating_add_signed(*by),
            Step::Restart => {
                self.store = None;
                self.store = Some(open(&self.path(), None));
                self.reader = WitnessReader::visit(&self.path()).unwrap();
            }
        }
        self.check_memory();
    }

    fn submit(&mut self, submit: &Submit) {
        let request = self.request(submit);
        let expected = self.model.expect(submit, &request, self.clock);
        let answered = match self.reader.examine(&request).unwrap() {
            Err(refusal) => Err(refusal),
            Ok(submission) => match self.store.as_mut().unwrap().settle(&submission, self.clock).unwrap() {
                Verdict::Refused(refusal) => Err(refusal),
                verdict => Ok(verdict),
            },
        };
        let found = match answered {
            Ok(Verdict::Cosigned(signature)) => {
                let note = request.checkpoint.clone().with_signature(signature).unwrap();
                let keys = [witness_key(&self.path()).unwrap()];
                let cosigned = note.cosignatures(&keys).unwrap();
                Expected::Cosigned(cosigned[0].unix_seconds)
            }
            Ok(Verdict::HasSize(size)) => Expected::HasSize(size),
            Err(Refusal::UnknownOrigin) => Expected::UnknownOrigin,
            Err(Refusal::NotSigned(_)) => Expected::NotSigned,
            Err(Refusal::OldAboveSize { .. }) => Expected::OldAboveSize,
            Err(Refusal::Inconsistent(_)) => Expected::Inconsistent,
            other => panic!("{other:?}"),
        };
        assert_eq!(found, expected, "{submit:?}");
    }

    fn request(&self, submit: &Submit) -> AddCheckpoint {
        let leaves = leaves(submit.history);
        let root = if submit.wrong_root { leaf_hash(b"wrong") } else { root(&leaves[..submit.size]) };
        let size = submit.size as u64;
        let checkpoint = Checkpoint::new(Origin::parse(ORIGIN).unwrap(), size, root);
        let checkpoint: Note = checkpoint.sign(&ledger_key(submit.key)).unwrap();
        let old = match submit.old {
            Old::AsSeen => self.model.mine(),
            Old::Is(old) => old,
        };
        let provable = 0 < old && old <= submit.size;
        let mut proof = if provable { consistency(old, &leaves[..submit.size]) } else { Vec::new() };
        match submit.proof {
            Proof::Right => {}
            Proof::Empty => proof.clear(),
            Proof::Short => drop(proof.pop()),
            Proof::Long => proof.push(leaf_hash(b"more")),
            Proof::Flipped(at) if !proof.is_empty() => {
                let at = at % proof.len();
                proof[at] = leaf_hash(proof[at].as_bytes());
            }
            Proof::Flipped(_) => {}
        }
        AddCheckpoint { old: old as u64, proof, checkpoint }
    }

    fn check_memory(&self) {
        let latest = self.reader.latest(|origin| origin == ORIGIN).unwrap();
        match (&self.model.seen, latest) {
            (None, None) => {}
            (Some((leaves, time, text)), Some(note)) => {
                let note: Note = note.parse().unwrap();
                assert_eq!(note.text(), text);
                assert!(text.contains(&format!("\n{}\n", leaves.len())));
                let keys = [witness_key(&self.path()).unwrap()];
                assert_eq!(note.cosignatures(&keys).unwrap()[0].unix_seconds, *time);
            }
            (model, found) => panic!("{found:?} instead of {model:?}"),
        }
        let kept: BTreeSet<_> = self
            .reader
            .evidence(Some(ORIGIN))
            .unwrap()
            .into_iter()
            .map(|evidence| {
                (evidence.kind, evidence.cosigned.map_or(String::new(), text_of), text_of(evidence.sent))
            })
            .collect();
        assert_eq!(kept, self.model.evidence.keys().cloned().collect());
    }
}

impl Model {
    fn mine(&self) -> usize {
        self.seen.as_ref().map_or(0, |(leaves, ..)| leaves.len())
    }

    fn expect(&mut self, submit: &Submit, request: &AddCheckpoint, now: u64) -> Expected {
        if self.trusted.is_empty() {
            return Expected::UnknownOrigin;
        }
        if !self.trusted.contains(&submit.key) {
            return Expected::NotSigned;
        }
        let (old, size, mine) = (usize::try_from(request.old).unwrap(), submit.size, self.mine());
        if old > size {
            return Expected::OldAboveSize;
        }
        let checkpoint: Checkpoint = request.checkpoint.text().parse().unwrap();
        let is_impossible = size == 0 && checkpoint.root() != empty_root();
        let is_forked = size > 0 && size == mine && self.cosigned[&size] != checkpoint.root();
        if is_impossible {
            self.keep(EvidenceKind::ImpossibleRoot, request, size);
        }
        if is_forked {
            self.keep(EvidenceKind::TwoRoots, request, size);
        }
        if old != mine {
            return Expected::HasSize(mine as u64);
        }
        if is_impossible || is_forked {
            return Expected::Inconsistent;
        }
        let history = leaves(submit.history)[..size].to_vec();
        let proves = match mine {
            0 => request.proof.is_empty(),
            _ => {
                let seen = &self.seen.as_ref().unwrap().0;
                !submit.wrong_root
                    && history.starts_with(seen)
                    && request.proof == consistency(mine, &history)
                    || submit.wrong_root && size == mine && request.proof.is_empty()
            }
        };
        if !proves {
            if mine > 0 && size > mine {
                self.keep(EvidenceKind::Unproven, request, size);
            }
            return Expected::Inconsistent;
        }
        let time = self.seen.as_ref().map_or(now, |(_, time, _)| now.max(*time));
        // On first sight a root cannot be checked: the model takes such a tree as a history of its own.
        let history = if submit.wrong_root { vec![leaf_hash(b"wrong"); size] } else { history };
        let known = *self.cosigned.entry(size).or_insert(checkpoint.root());
        assert_eq!(known, checkpoint.root(), "two roots of one size");
        self.evidence
            .retain(|(kind, ..), of| *kind != EvidenceKind::Unproven || *of != (size, checkpoint.root()));
        self.seen = Some((history, time, request.checkpoint.text().to_owned()));
        Expected::Cosigned(time)
    }

    fn keep(&mut self, kind: EvidenceKind, request: &AddCheckpoint, size: usize) {
        let checkpoint: Checkpoint = request.checkpoint.text().parse().unwrap();
        let cosigned = self.seen.as_ref().map_or(String::new(), |(.., text)| text.clone());
        let sent = request.checkpoint.text().to_owned();
        self.evidence.insert((kind, cosigned, sent), (size, checkpoint.root()));
    }
}

fn text_of(note: String) -> String {
    note.parse::<Note>().unwrap().text().to_owned()
}

fn open(path: &std::path::Path, name: Option<&str>) -> WitnessStore {
    let name = name.map(|name| KeyName::parse(name).unwrap());
    WitnessStore::open(DataFolder::claim(path).unwrap(), name.as_ref(), &[9; 32]).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn a_witness_answers_as_the_model_whatever_comes(steps in prop::collection::vec(step(), 1..40)) {
        let mut life = Life::begin();
        for step in &steps {
            life.play(step);
        }
    }
}

#[test]
fn the_key_is_the_one_that_the_seed_gives() {
    let life = Life::begin();
    let key = CosigningKey::from_seed(KeyName::parse("witness.example/w1").unwrap(), &[9; 32]);
    assert_eq!(life.store.as_ref().unwrap().verifier(), key.verifier());
}
