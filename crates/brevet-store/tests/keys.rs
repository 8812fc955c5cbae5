//! The key that signs changes, and wherever a crash falls in between, the next start has the right one.

#![expect(clippy::unwrap_used, reason = "the sample organization is set up with them")]

#[path = "engines/cluster.rs"]
#[expect(dead_code, reason = "other tests use the rest")]
mod cluster;
#[path = "engines/engine.rs"]
#[macro_use]
#[expect(dead_code, reason = "other tests use the rest")]
mod engine;
#[expect(dead_code, reason = "other tests use the rest")]
mod sample;

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use brevet_core::{Command, Origin, Span};
use brevet_ledger::{
    Checkpoint, KeyHandover, Note, Origin as LedgerOrigin, SigningKey, VerifierKey, follow_keys, is_successor,
};
use brevet_store::{DataFolder, KeyFault, KeyPlace, Store, StoreError};
use engine::{Engine, Home};
use sample::{ADMIN, BOB, Sample};

on_both_engines! {
    both_keys_sign_until_the_overlap_is_over_and_then_only_the_new_one,
    without_an_overlap_the_old_key_signs_once_more_and_is_gone,
    a_key_that_was_prepared_and_has_no_entry_is_destroyed_at_the_next_start,
    wherever_a_crash_falls_after_the_entry_the_next_start_has_the_new_key,
    an_old_checkpoint_holds_under_its_own_key_and_leads_to_the_new_one,
    a_key_is_used_once_and_only_as_it_was_prepared,
    a_key_file_that_does_not_belong_to_the_database_stops_the_start_and_stays,
    a_key_file_that_others_can_read_stops_the_start,
    a_ledger_whose_key_is_lost_can_be_read_and_not_be_written,
}

const DAY: Span = Span::hours(24);

struct Ledger<'e> {
    home: Home<'e>,
    sample: Option<Sample>,
}

impl<'e> Ledger<'e> {
    fn new(engine: &'e Engine) -> Self {
        let home = engine.home();
        let sample = Some(home.organization());
        Self { home, sample }
    }

    fn path(&self) -> PathBuf {
        self.home.path()
    }

    fn sample(&mut self) -> &mut Sample {
        self.sample.as_mut().unwrap()
    }

    /// Changes the key as a server does it; answers the new one.
    fn rotate(&mut self, seed: u8, overlap: Span) -> String {
        let sample = self.sample();
        let prepared =
            sample.store.key_maker().prepare(&[seed; 32], &brevet_store::NextKey::Configured).unwrap();
        let overlap_until = sample.now.plus(overlap);
        let new = prepared.new.clone();
        sample.by(ADMIN, Command::RotateKey { old: prepared.old, new: prepared.new, overlap_until });
        new
    }

    /// One more entry, by which the clock goes on.
    fn write(&mut self) {
        self.sample().by(BOB, Command::Submit(sample::request("one more")));
    }

    fn restart(&mut self) -> Result<(), StoreError> {
        self.sample = None;
        self.sample = Some(self.home.open()?);
        Ok(())
    }

    fn keys(&mut self) -> Vec<String> {
        self.sample().store.verifier_keys()
    }

    /// Which of these keys signed the newest checkpoint, in the order of their signatures.
    fn signers(&mut self) -> Vec<u32> {
        let note: Note = self.sample().store.checkpoint().parse().unwrap();
        note.signatures().iter().map(brevet_ledger::NoteSignature::key_id).collect()
    }

    fn handovers(&mut self) -> Vec<KeyHandover> {
        let reader = self.home.reader();
        let receipts = reader.key_handovers().unwrap().into_iter();
        receipts.map(|r| KeyHandover { entry: r.bytes, proof: r.proof.parse().unwrap() }).collect()
    }

    fn key_files(&self) -> Vec<String> {
        key_files(&self.path())
    }
}

fn key_files(path: &Path) -> Vec<String> {
    let names = fs::read_dir(path).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.filter(|name| name.starts_with("ledger.key")).collect();
    names.sort();
    names
}

fn key(text: &str) -> VerifierKey {
    text.parse().unwrap()
}

fn id(text: &str) -> u32 {
    key(text).id()
}

fn both_keys_sign_until_the_overlap_is_over_and_then_only_the_new_one(engine: &Engine) {
    let mut ledger = Ledger::new(engine);
    let old = ledger.keys().remove(0);
    assert_eq!(ledger.signers(), [id(&old)]);
    let new = ledger.rotate(1, DAY);
    assert_eq!(ledger.keys(), [new.clone(), old.clone()]);
    assert_eq!(ledger.signers(), [id(&new), id(&old)]);
    let vkeys = fs::read_to_string(ledger.path().join("ledger.vkey")).unwrap();
    assert_eq!(vkeys, format!("{new}\n{old}\n"));
    let kept = format!("ledger.key.{:08x}", id(&old));
    assert_eq!(ledger.key_files(), ["ledger.key".to_owned(), kept.clone()]);
    ledger.restart().unwrap();
    ledger.write();
    assert_eq!(ledger.signers(), [id(&new), id(&old)]);
    let kept = ledger.path().join(kept);
    let mut file = fs::File::open(&kept).unwrap();
    ledger.sample().now = ledger.sample().now.plus(DAY);
    ledger.write();
    assert_eq!(ledger.signers(), [id(&new)]);
    assert_eq!(ledger.keys(), std::slice::from_ref(&new));
    assert!(!kept.exists());
    let mut left = Vec::new();
    file.read_to_end(&mut left).unwrap();
    assert!(left.len() > 32 && left.iter().all(|byte| *byte == 0), "the old key is still on the disk");
    assert_eq!(ledger.key_files(), ["ledger.key"]);
    ledger.restart().unwrap();
    assert_eq!(ledger.keys(), [new]);
}

fn without_an_overlap_the_old_key_signs_once_more_and_is_gone(engine: &Engine) {
    let mut ledger = Ledger::new(engine);
    let old = ledger.keys().remove(0);
    let middle = ledger.rotate(1, DAY);
    let new = ledger.rotate(2, Span::seconds(0));
    assert_eq!(ledger.signers(), [id(&new), id(&middle)], "the oldest key outlasts a newer one");
    assert_eq!(ledger.keys(), std::slice::from_ref(&new));
    assert_eq!(ledger.key_files(), ["ledger.key"]);
    ledger.write();
    assert_eq!(ledger.signers(), [id(&new)]);
    ledger.restart().unwrap();
    assert_eq!(ledger.keys(), std::slice::from_ref(&new));
    let handovers = ledger.handovers();
    assert_eq!(follow_keys(&key(&old), &handovers).unwrap(), [key(&old), key(&middle), key(&new)]);
    let foreign = SigningKey::from_seed(key(&old).name().clone(), &[9; 32]);
    assert!(is_successor(&key(&old), foreign.verifier(), &handovers).is_err());
}

fn a_key_that_was_prepared_and_has_no_entry_is_destroyed_at_the_next_start(engine: &Engine) {
    let mut ledger = Ledger::new(engine);
    let old = ledger.keys().remove(0);
    let maker = ledger.sample().store.key_maker();
    maker.prepare(&[1; 32], &brevet_store::NextKey::Configured).unwrap();
    assert_eq!(ledger.key_files().len(), 2);
    fs::write(ledger.path().join("ledger.key.00000000.new"), "PRIVATE+KEY+half").unwrap();
    ledger.restart().unwrap();
    assert_eq!(ledger.key_files(), ["ledger.key"]);
    assert_eq!(ledger.keys(), [old]);
    ledger.write();
}

fn wherever_a_crash_falls_after_the_entry_the_next_start_has_the_new_key(engine: &Engine) {
    // What the files are like when the process dies: after the entry, after the first rename.
    for place in 0..3 {
        let mut ledger = Ledger::new(engine);
        let old = ledger.keys().remove(0);
        let before = fs::read(ledger.path().join("ledger.key")).unwrap();
        let new = ledger.rotate(1, DAY);
        let after = fs::read(ledger.path().join("ledger.key")).unwrap();
        let (old_name, new_name) =
            (format!("ledger.key.{:08x}", id(&old)), format!("ledger.key.{:08x}", id(&new)));
        ledger.sample = None;
        let path = ledger.path();
        let write = |name: &str, bytes: &[u8]| {
            fs::write(path.join(name), bytes).unwrap();
            private(&path.join(name));
        };
        match place {
            // Nothing was promoted yet.
            0 => {
                write(&new_name, &after);
                fs::remove_file(path.join("ledger.key")).unwrap();
                fs::rename(path.join(&old_name), path.join("ledger.key")).unwrap();
                fs::hard_link(path.join("ledger.key"), path.join(&old_name)).unwrap();
            }
            // The verifier keys are those of before.
            1 => write("ledger.vkey", format!("{old}\n").as_bytes()),
            // The file of the new key is there under both names.
            _ => fs::hard_link(path.join("ledger.key"), path.join(&new_name)).unwrap(),
        }
        ledger.restart().unwrap();
        assert_eq!(ledger.keys(), [new.clone(), old.clone()], "{place}");
        assert_eq!(fs::read(path.join("ledger.key")).unwrap(), after, "{place}");
        assert_eq!(fs::read(path.join(&old_name)).unwrap(), before, "{place}");
        assert_eq!(ledger.key_files(), ["ledger.key".to_owned(), old_name], "{place}");
        ledger.write();
        assert_eq!(ledger.signers(), [id(&new), id(&old)], "{place}");
    }
}

fn an_old_checkpoint_holds_under_its_own_key_and_leads_to_the_new_one(engine: &Engine) {
    let mut ledger = Ledger::new(engine);
    let old = key(&ledger.keys().remove(0));
    let kept: Note = ledger.sample().store.checkpoint().parse().unwrap();
    let new = ledger.rotate(1, Span::seconds(0));
    ledger.write();
    let origin = LedgerOrigin::parse(old.name().as_str()).unwrap();
    Checkpoint::open(&kept, &origin, std::slice::from_ref(&old)).unwrap();
    let newest: Note = ledger.sample().store.checkpoint().parse().unwrap();
    assert!(Checkpoint::open(&newest, &origin, std::slice::from_ref(&old)).is_err());
    let keys = follow_keys(&old, &ledger.handovers()).unwrap();
    assert_eq!(keys.last(), Some(&key(&new)));
    Checkpoint::open(&newest, &origin, &keys).unwrap();
}

fn a_key_is_used_once_and_only_as_it_was_prepared(engine: &Engine) {
    let mut ledger = Ledger::new(engine);
    let new = ledger.rotate(1, Span::seconds(0));
    let again = ledger.sample().store.key_maker().prepare(&[1; 32], &brevet_store::NextKey::Configured);
    assert!(matches!(again, Err(StoreError::Key(KeyFault::Used { key })) if key == new));
    let label =
        ledger.sample().store.key_maker().prepare(&[2; 32], &brevet_store::NextKey::Labelled("label".into()));
    assert!(matches!(label, Err(StoreError::Key(KeyFault::NoToken))));
    let maker = ledger.sample().store.key_maker();
    let prepared = maker.prepare(&[3; 32], &brevet_store::NextKey::Configured).unwrap();
    maker.discard(&prepared).unwrap();
    assert_eq!(ledger.key_files(), ["ledger.key"]);
    let size = ledger.sample().store.size();
    let overlap_until = ledger.sample().now.plus(DAY);
    let command = Command::RotateKey { old: prepared.old, new: prepared.new, overlap_until };
    let state = ledger.sample().state.clone();
    let refused = ledger.sample().carry_out(Origin::user(ADMIN, brevet_core::SessionId::new(1)), command);
    assert!(matches!(refused, Err(StoreError::Entry(_))), "{refused:?}");
    ledger.sample().state = state;
    assert_eq!(ledger.sample().store.size(), size);
    ledger.write();
}

fn a_key_file_that_does_not_belong_to_the_database_stops_the_start_and_stays(engine: &Engine) {
    let mut ledger = Ledger::new(engine);
    ledger.rotate(1, Span::seconds(0));
    ledger.sample = None;
    let path = ledger.path().join("ledger.key");
    let right = fs::read_to_string(&path).unwrap();
    let name = SigningKey::parse(&right).unwrap().verifier().name().clone();
    let foreign = SigningKey::from_seed(name, &[9; 32]).reveal_text(|text| format!("{text}\n"));
    fs::write(&path, &foreign).unwrap();
    let refused = ledger.restart().unwrap_err();
    assert!(matches!(refused, StoreError::Key(KeyFault::NotHere { .. })), "{refused}");
    assert_eq!(fs::read_to_string(&path).unwrap(), foreign);
    let beside = ledger.path().join("ledger.key.11111111");
    fs::write(&beside, &right).unwrap();
    private(&beside);
    let refused = ledger.restart().unwrap_err();
    assert!(matches!(refused, StoreError::Key(KeyFault::Foreign { .. })), "{refused}");
    assert_eq!(fs::read_to_string(&path).unwrap(), foreign);
    fs::write(&path, &right).unwrap();
    ledger.restart().unwrap();
    assert_eq!(ledger.key_files(), ["ledger.key"]);
}

fn a_key_file_that_others_can_read_stops_the_start(engine: &Engine) {
    use std::os::unix::fs::PermissionsExt as _;
    let mut ledger = Ledger::new(engine);
    let old = ledger.keys().remove(0);
    ledger.rotate(1, DAY);
    ledger.sample = None;
    let path = ledger.path().join(format!("ledger.key.{:08x}", id(&old)));
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    assert!(matches!(ledger.restart(), Err(StoreError::TooOpen { .. })));
    assert!(DataFolder::claim(&ledger.path()).is_ok());
}

fn private(path: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}

fn a_ledger_whose_key_is_lost_can_be_read_and_not_be_written(engine: &Engine) {
    let mut ledger = Ledger::new(engine);
    let first = ledger.keys();
    ledger.sample = None;
    fs::remove_file(ledger.path().join("ledger.key")).unwrap();
    assert!(matches!(ledger.restart(), Err(StoreError::Key(KeyFault::NotHere { .. }))));
    assert_eq!(ledger.key_files(), [""; 0], "a new key was made for an old ledger");
    let folder = DataFolder::claim(&ledger.path()).unwrap();
    let mut store = Store::open_at(&ledger.home.place, folder, [8; 32], &KeyPlace::Lost).unwrap();
    assert_eq!(store.verifier_keys(), first);
    let (state, now) = (store.load().unwrap(), brevet_core::Timestamp::from_micros(1_760_000_000_000_000));
    let mut sample = Sample { store, state, now, salts: 0 };
    let command = Command::Submit(sample::request("one more"));
    let refused = sample.carry_out(Origin::user(BOB, brevet_core::SessionId::new(1)), command);
    assert!(matches!(refused, Err(StoreError::Key(KeyFault::NotHere { .. }))), "{refused:?}");
}
