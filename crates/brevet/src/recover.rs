//! `brevet audit anchor` and `brevet audit recover`: what an operator does when a start was refused.

use std::fs::DirBuilder;
use std::io::Write as _;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use brevet_core::{Command, Digest, Entry, Event, Origin, Recovery, transact};
use brevet_ledger::{Checkpoint, Note, Salt};
use brevet_store::{
    ANCHOR_FILE, Anchor, AnchorFault, Batch, DataFolder, KeyPlace, Reader, Store, StoreError, TokenSettings,
};

use crate::app::{ArchiveHeading, archive_file_name, write_archive_file};
use crate::cli::{AnchorArgs, Format, RecoverArgs};
use crate::config::{self, Config};
use crate::world::{Machine, World as _};

/// Writes an anchor that is missing.
pub(crate) fn anchor(args: AnchorArgs, format: Format) -> ExitCode {
    end(write_anchor(args), format)
}

/// Begins a new ledger where another one cannot go on.
pub(crate) fn recover(args: RecoverArgs, format: Format) -> ExitCode {
    end(begin_anew(args), format)
}

/// What was done, for people and for scripts.
pub(crate) struct Told {
    pub(crate) sentence: String,
    pub(crate) fields: serde_json::Value,
}

/// Says it, or what went wrong.
pub(crate) fn end(done: anyhow::Result<Told>, format: Format) -> ExitCode {
    match done {
        Ok(Told { sentence, fields }) => {
            let text = match format {
                Format::Table => format!("{sentence}\n"),
                format => format.written(&fields),
            };
            drop(std::io::stdout().write_all(text.as_bytes()));
            ExitCode::SUCCESS
        }
        Err(error) => {
            drop(writeln!(std::io::stderr(), "brevet: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn write_anchor(args: AnchorArgs) -> anyhow::Result<Told> {
    let AnchorArgs { config, data, anchor } = args;
    let config = Config::read(config::Given { config, data, ..config::Given::default() })?;
    let path = anchor.or(config.ledger.anchor.clone()).unwrap_or_else(|| config.data.join(ANCHOR_FILE));
    let store = open(&config, existing(&config.data)?)?;
    let mut anchor = Anchor::hold(&path).map_err(StoreError::from)?;
    match store.check_anchor(&anchor) {
        Ok(()) if anchor.checkpoint().is_some() => bail!("{} is in order already", path.display()),
        Err(StoreError::Anchor(AnchorFault::Missing { .. })) => {}
        Ok(()) => bail!("this ledger has no entries yet; its first start writes the anchor"),
        Err(error) => return Err(error.into()),
    }
    anchor.replace(store.checkpoint()).map_err(StoreError::from)?;
    let size = store.size();
    Ok(Told {
        sentence: format!("The anchor {} holds the checkpoint over {size} entries.", path.display()),
        fields: serde_json::json!({"anchor": path, "size": size}),
    })
}

fn begin_anew(args: RecoverArgs) -> anyhow::Result<Told> {
    let RecoverArgs { config, data, into, checkpoint, anchor } = args;
    let config = Config::read(config::Given { config, data, ..config::Given::default() })?;
    if into.exists() {
        bail!("{} exists already; name a new folder for the ledger that goes on", into.display());
    }
    let mut old = open_old(&config, existing(&config.data)?)?;
    if old.size() == 0 {
        bail!("{} has no ledger", config.data.display());
    }
    check_name(&config.ledger.key, &old)?;
    let note = last_checkpoint(&config, checkpoint.as_deref(), &old)?;
    let folder = new_folder(&into)?;
    // Half a ledger is of no use, and would stand in the way of the next try.
    let made = fill(&config, &mut old, folder, note).inspect_err(|_| drop(std::fs::remove_dir_all(&into)));
    let (new, archive) = made?;
    let path = anchor.unwrap_or_else(|| into.join(ANCHOR_FILE));
    let named = config.ledger.anchor.as_ref().filter(|named| **named != path).map(|named| {
        format!(
            "\nThe settings still name the anchor of the old ledger, {}: set [ledger] anchor = \"{}\".",
            named.display(),
            path.display()
        )
    });
    let mut anchor = Anchor::hold(&path).map_err(StoreError::from)?;
    set_aside(&path)?;
    anchor.replace_any(new.checkpoint()).map_err(StoreError::from)?;
    Ok(Told {
        sentence: format!(
            "The ledger goes on as {} in {}, after {} entries of {}, which are in {}.\n\
             Start the server with --data {} and give its new key to witnesses and auditors:\n  {}\n\
             Keep {} as evidence.{}\n\
             Entries that were lost may have taken something away. So nothing that was asked for or given goes on, and \
             everybody signs in again. Look through passwords and accounts: one that was changed or disabled in a lost \
             entry is as it was before.",
            new.origin(),
            into.display(),
            old.size(),
            old.origin(),
            archive.display(),
            into.display(),
            new.verifier_key(),
            config.data.display(),
            named.unwrap_or_default(),
        ),
        fields: serde_json::json!({
            "origin": new.origin(), "key": new.verifier_key(), "data": into, "anchor": path,
            "previous": old.origin(), "previous_size": old.size(), "archive": archive,
        }),
    })
}

fn existing(data: &Path) -> anyhow::Result<DataFolder> {
    if !data.join("brevet.db").exists() {
        bail!("{} has no ledger; say which folder: --data DIR", data.display());
    }
    Ok(DataFolder::claim(data)?)
}

fn open(config: &Config, folder: DataFolder) -> anyhow::Result<Store> {
    let path = folder.path().to_owned();
    match Store::open_with(folder, seed()?, &config.ledger.key) {
        // A lost key is a reason to be here.
        Err(StoreError::Key(_)) => open_without_key(DataFolder::claim(&path)?),
        opened => Ok(opened?),
    }
}

/// Opens the ledger that does not go on. Its key is not needed, and where it is on a token it is not asked for: the
/// new ledger opens the same module, which no process may do twice.
fn open_old(config: &Config, folder: DataFolder) -> anyhow::Result<Store> {
    match &config.ledger.key {
        KeyPlace::Token(_) => open_without_key(folder),
        KeyPlace::File | KeyPlace::Lost => open(config, folder),
    }
}

fn open_without_key(folder: DataFolder) -> anyhow::Result<Store> {
    let verifiers = folder.path().join("ledger.vkey");
    Store::open_with(folder, seed()?, &KeyPlace::Lost).with_context(|| {
        format!(
            "the key that signed last is not known here; if {0} is gone, or the database is from before a change of \
             the key, add the verifier key of then as a line to {0}",
            verifiers.display()
        )
    })
}

/// Two ledgers of one name are what witnesses refuse.
fn check_name(key: &KeyPlace, old: &Store) -> anyhow::Result<()> {
    match key {
        KeyPlace::Token(TokenSettings { name: Some(name), .. }) if name == old.origin() => bail!(
            "[ledger.pkcs11] name is {name}, as the ledger is called that does not go on. The new one needs another \
             name: change that setting, or remove it to have a name made up"
        ),
        KeyPlace::Token(_) | KeyPlace::File | KeyPlace::Lost => Ok(()),
    }
}

/// Makes the folder of the new ledger. That nobody else made it is certain, so it may be removed again.
fn new_folder(into: &Path) -> anyhow::Result<DataFolder> {
    let private = |recursive| {
        let mut builder = DirBuilder::new();
        builder.mode(0o700).recursive(recursive);
        builder
    };
    let parent = into.parent().unwrap_or(into);
    let made = private(true).create(parent).and_then(|()| private(false).create(into));
    made.with_context(|| format!("{} cannot be made", into.display()))?;
    Ok(DataFolder::claim(into).inspect_err(|_| drop(std::fs::remove_dir(into)))?)
}

/// The new ledger, and the archive of the old one beside it. What is wrong with the new key is told before anything
/// large is copied.
fn fill(
    config: &Config,
    old: &mut Store,
    folder: DataFolder,
    note: String,
) -> anyhow::Result<(Store, PathBuf)> {
    old.copy_with_empty_ledger(&folder)?;
    let mut new = Store::open_with(folder, seed()?, &config.ledger.key)?;
    if old.had_key_of(&new)? {
        bail!(
            "the key that [ledger.pkcs11] names signs the ledger that does not go on, or did so once, and nobody could \
             tell by it which of the two ledgers signed. Make another key pair on the token, and name that one"
        );
    }
    let archive = archive_of(old, new.folder())?;
    copy_beside(&config.data, new.folder())?;
    write_first_entry(old, &mut new, note)?;
    Ok((new, archive))
}

fn seed() -> std::io::Result<[u8; 32]> {
    let mut seed = [0; 32];
    Machine.fill(&mut seed)?;
    Ok(seed)
}

/// What is known of the end of the old ledger from outside it: the larger one of what the operator or the anchor has,
/// and of what witnesses signed and was kept.
fn last_checkpoint(config: &Config, given: Option<&Path>, old: &Store) -> anyhow::Result<String> {
    let outside = match given {
        Some(path) => {
            let text = std::fs::read_to_string(path)
                .with_context(|| format!("{} cannot be read", path.display()))?;
            Some((sized(old, &text).with_context(|| format!("{} is of no use", path.display()))?, text))
        }
        None => anchored(config, old)?,
    };
    let cosigned = old.cosigned()?.map(|(_, note)| Ok::<_, anyhow::Error>((sized(old, &note)?, note)));
    let largest = outside.into_iter().chain(cosigned.transpose()?).max_by_key(|(size, _)| *size);
    Ok(largest.map_or_else(|| old.checkpoint().to_owned(), |(_, note)| note))
}

/// What the anchor holds. Only one that nobody chose a place for may be absent.
fn anchored(config: &Config, old: &Store) -> anyhow::Result<Option<(u64, String)>> {
    let beside = config.data.join(ANCHOR_FILE);
    let path = config.ledger.anchor.as_deref().unwrap_or(&beside);
    match std::fs::read_to_string(path) {
        Ok(text) => {
            let size = sized(old, &text).with_context(|| format!("the anchor {} is of no use", path.display()))?;
            Ok(Some((size, text)))
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && config.ledger.anchor.is_none() => Ok(None),
        Err(error) => Err(error).with_context(|| {
            format!(
                "the anchor {} cannot be read; put it back, or give the last checkpoint that witnesses, receipts or \
                 auditors have, with --checkpoint FILE",
                path.display()
            )
        }),
    }
}

/// The size that a checkpoint of the old ledger states, signed by one of its keys.
fn sized(old: &Store, text: &str) -> anyhow::Result<u64> {
    let note: Note = text.parse().context("this is not a signed checkpoint")?;
    let checkpoint: Checkpoint = note.text().parse().context("this is not a signed checkpoint")?;
    if checkpoint.origin().as_str() != old.origin() {
        bail!("the checkpoint is of {}, the folder of {}", checkpoint.origin(), old.origin());
    }
    let kept = old.kept_checkpoint(text).with_context(|| {
        format!(
            "no key of {} that is known here signed it: add its key to ledger.vkey in the old folder",
            old.origin()
        )
    })?;
    Ok(kept.size())
}

/// Salts from the system; a failure is kept until the batch is there.
struct Salts(std::io::Result<()>);

impl Default for Salts {
    fn default() -> Self {
        Self(Ok(()))
    }
}

impl Salts {
    fn draw(&mut self) -> Salt {
        let mut bytes = [0; Salt::BYTES];
        if let Err(error) = Machine.fill(&mut bytes) {
            self.0 = Err(error);
        }
        Salt::from_bytes(bytes)
    }
}

/// Everything that the old ledger has here, to be verified and folded together with the new one.
fn archive_of(old: &mut Store, folder: &DataFolder) -> anyhow::Result<PathBuf> {
    let reader = Reader::open(old.folder())?;
    let first = old.load()?.archive().size;
    let heading = ArchiveHeading { origin: old.origin().to_owned(), keys: old.verifier_keys() };
    let path = folder.make_folder("archive")?.join(archive_file_name(old.origin(), first, old.size()));
    write_archive_file(&reader, &path, &heading, first, old.size())?;
    Ok(path)
}

/// Outputs, older archives and task definitions.
fn copy_beside(data: &Path, folder: &DataFolder) -> anyhow::Result<()> {
    for name in ["blobs", "archive", "tasks.d"] {
        let from = data.join(name);
        if from.is_dir() {
            let to = folder.make_folder(name)?;
            copy_files(&from, &to).with_context(|| format!("{} cannot be copied", from.display()))?;
        }
    }
    Ok(())
}

fn copy_files(from: &Path, to: &Path) -> std::io::Result<()> {
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            DirBuilder::new().mode(0o700).create(&target)?;
            copy_files(&entry.path(), &target)?;
        } else if !target.exists() {
            std::fs::copy(entry.path(), &target)?;
        }
    }
    Ok(())
}

/// The state is the old one; the ledger begins with where it goes on.
fn write_first_entry(old: &mut Store, new: &mut Store, note: String) -> anyhow::Result<()> {
    let mut state = old.load()?;
    state.before_first_entry();
    let (origin, previous) = (new.origin().to_owned(), old.origin().to_owned());
    let root = Digest(*old.root()?.as_bytes());
    let recovery = Recovery { origin, previous, size: old.size(), root, note };
    let outcome = transact(&mut state, Machine.now(), Origin::SYSTEM, Command::Recover(recovery))?;
    debug_assert!(matches!(
        outcome.entries.as_slice(),
        [Entry { event: Event::LedgerRecovered { .. }, .. }, ..]
    ));
    let batch = Batch { entries: &outcome.entries, changes: &outcome.changes, state: &state, side: &[] };
    let mut salts = Salts::default();
    new.append(&batch, &mut || salts.draw())?;
    salts.0?;
    Ok(())
}

/// An anchor of the old ledger is evidence too.
fn set_aside(path: &Path) -> anyhow::Result<()> {
    if !path.exists() {
        return Ok(());
    }
    let mut aside = path.as_os_str().to_owned();
    aside.push(".before");
    std::fs::copy(path, &aside).map(drop).with_context(|| format!("{} cannot be set aside", path.display()))
}
