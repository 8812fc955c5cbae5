//! The files of the memory: for each ledger a folder with `ledger` (its name and keys), `checkpoint` (the newest seen)
//! and `<index>.tlog-proof`; and `servers`, which ledger each server showed.
//!
//! A file is replaced whole or not at all, so that parallel commands never see half of one. It is not forced to the
//! disk: that would cost each command more than its whole conversation with the server, and what a power failure
//! takes can be asked for again.

use std::collections::BTreeMap;
use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use brevet_ledger::{Note, Origin, Rotation, TLOG_PROOF_BYTES_MAX, TlogProof, VerifierKey, leaf_hash};
use serde::{Deserialize, Serialize};

use super::judge::{Fits, Known, Seen};
use crate::cli::exit::Failure;
use crate::cli::settings;

const SERVERS: &str = "servers";
const LEDGER: &str = "ledger";
const CHECKPOINT: &str = "checkpoint";
/// What receipts are called (C2SP tlog-proof).
pub(super) const RECEIPT: &str = "tlog-proof";
/// How long another command may hold the lock.
const LOCK_TRIES_MAX: u32 = 500;
const LOCK_PAUSE: Duration = Duration::from_millis(10);
/// `O_NOFOLLOW`: a link could lead to another's file.
const NO_FOLLOW: i32 = rustix::fs::OFlags::NOFOLLOW.bits().cast_signed();

/// The memory of one person.
#[derive(Debug)]
pub(super) struct Memory {
    folder: PathBuf,
}

/// Nobody else changes the memory while this is held.
#[derive(Debug)]
pub(super) struct Lock(#[expect(dead_code, reason = "closing the file lets the lock go")] File);

/// A ledger that is remembered.
#[derive(Debug)]
pub(super) struct Remembered {
    /// Where its files are.
    pub(super) folder: PathBuf,
    /// What is known of it.
    pub(super) known: Known,
}

/// `ledger` as it is written.
#[derive(Serialize, Deserialize)]
struct Written {
    origin: String,
    keys: Vec<String>,
    /// Not in files of before changes of the key were remembered.
    #[serde(default)]
    replaced: Vec<WrittenRotation>,
}

/// A change of the key as it is written.
#[derive(Serialize, Deserialize)]
struct WrittenRotation {
    index: u64,
    old: String,
    new: String,
}

impl WrittenRotation {
    fn of(Rotation { index, old, new }: &Rotation) -> Self {
        Self { index: *index, old: old.to_string(), new: new.to_string() }
    }

    fn read(&self) -> Result<Rotation, brevet_ledger::Error> {
        Ok(Rotation { index: self.index, old: self.old.parse()?, new: self.new.parse()? })
    }
}

impl Memory {
    /// The memory in a folder, which need not be there yet.
    pub(super) fn new(folder: &Path) -> Self {
        Self { folder: folder.to_owned() }
    }

    /// Waits for the lock. The folder is made when it is not there.
    pub(super) async fn lock(&self) -> Result<Lock, Failure> {
        make_private(&self.folder)?;
        let path = self.folder.join("lock");
        let mut options = OpenOptions::new();
        let file =
            options.write(true).create(true).truncate(false).mode(0o600).custom_flags(NO_FOLLOW).open(&path);
        let file = file.map_err(Failure::io(format!("{} cannot be opened", path.display())))?;
        for _ in 0..LOCK_TRIES_MAX {
            match file.try_lock() {
                Ok(()) => return Ok(Lock(file)),
                Err(TryLockError::WouldBlock) => tokio::time::sleep(LOCK_PAUSE).await,
                Err(TryLockError::Error(error)) => {
                    return Err(Failure::io(format!("{} cannot be locked", path.display()))(error));
                }
            }
        }
        Err(Failure::Failed(format!("another command holds {} for too long", path.display())))
    }

    /// The ledger that this server showed, when it is known.
    pub(super) fn of_server(&self, server: &str) -> Result<Option<Remembered>, Failure> {
        match self.servers()?.get(server) {
            Some(name) => self.ledger(name).map(Some),
            None => Ok(None),
        }
    }

    /// The ledger of this name that another server showed. A name is one ledger's alone, wherever it is served.
    pub(super) fn of_origin(&self, origin: &str) -> Result<Option<Remembered>, Failure> {
        let names: std::collections::BTreeSet<String> = self.servers()?.into_values().collect();
        for name in names {
            let ledger = self.ledger(&name)?;
            if ledger.known.origin.as_str() == origin {
                return Ok(Some(ledger));
            }
        }
        Ok(None)
    }

    /// Every ledger that is known, and the servers that showed it.
    pub(super) fn ledgers(&self) -> Result<Vec<(Vec<String>, Remembered)>, Failure> {
        let servers = self.servers()?;
        let of = |name: &String| {
            servers.iter().filter(|(_, at)| *at == name).map(|(server, _)| server.clone()).collect()
        };
        self.names()?.iter().map(|name| Ok((of(name), self.ledger(name)?))).collect()
    }

    /// Keeps what is known of the ledger that this server shows; answers its folder.
    pub(super) fn remember(&self, _: &Lock, server: &str, known: &Known) -> Result<PathBuf, Failure> {
        let name = folder_name(known);
        let folder = self.folder.join("ledgers").join(&name);
        make_private(&folder)?;
        let written = Written {
            origin: known.origin.to_string(),
            keys: known.keys.iter().map(ToString::to_string).collect(),
            replaced: known.rotations.iter().map(WrittenRotation::of).collect(),
        };
        replace_when_other(&folder.join(LEDGER), &json(&written))?;
        if let Some(Seen { note, .. }) = &known.seen {
            replace_when_other(&folder.join(CHECKPOINT), &note.to_string())?;
        }
        let mut servers = self.servers()?;
        if servers.get(server) != Some(&name) {
            servers.insert(server.to_owned(), name);
            replace(&self.folder.join(SERVERS), &json(&servers))?;
        }
        Ok(folder)
    }

    /// Takes this ledger for that of the server from now on, whatever was seen of either before.
    pub(super) fn trust(&self, lock: &Lock, server: &str, known: &Known) -> Result<(), Failure> {
        let folder = self.remember(lock, server, known)?;
        match fs::remove_file(folder.join(CHECKPOINT)) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                Err(Failure::io(format!("{} cannot be removed", folder.join(CHECKPOINT).display()))(error))
            }
            _ => Ok(()),
        }
    }

    fn servers(&self) -> Result<BTreeMap<String, String>, Failure> {
        let path = self.folder.join(SERVERS);
        let Some(text) = read(&path)? else { return Ok(BTreeMap::new()) };
        serde_json::from_str(&text).map_err(|error| damaged(&path, &error))
    }

    fn names(&self) -> Result<Vec<String>, Failure> {
        let folder = self.folder.join("ledgers");
        let unreadable = || Failure::io(format!("{} cannot be read", folder.display()));
        let entries = match fs::read_dir(&folder) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.map_err(unreadable())?,
        };
        let name =
            |entry: std::io::Result<fs::DirEntry>| Ok(entry?.file_name().to_string_lossy().into_owned());
        let mut names = entries.map(name).collect::<std::io::Result<Vec<_>>>().map_err(unreadable())?;
        names.sort();
        Ok(names)
    }

    fn ledger(&self, name: &str) -> Result<Remembered, Failure> {
        let folder = self.folder.join("ledgers").join(name);
        let path = folder.join(LEDGER);
        let text = read(&path)?.ok_or_else(|| damaged(&path, &"it is not there"))?;
        let Written { origin, keys, replaced } =
            serde_json::from_str(&text).map_err(|error| damaged(&path, &error))?;
        let origin = Origin::parse(&origin).map_err(|error| damaged(&path, &error))?;
        let keys: Result<Vec<VerifierKey>, _> = keys.iter().map(|key| key.parse()).collect();
        let keys = keys.map_err(|error| damaged(&path, &error))?;
        let rotations: Result<Vec<Rotation>, _> = replaced.iter().map(WrittenRotation::read).collect();
        let rotations = rotations.map_err(|error| damaged(&path, &error))?;
        let known = Known { origin, keys, rotations, seen: None };
        let path = folder.join(CHECKPOINT);
        let seen = match read(&path)? {
            None => None,
            Some(text) => {
                let note: Note = text.parse().map_err(|error| damaged(&path, &error))?;
                let wrong = |_| damaged(&path, &"its signature does not hold");
                Some(super::judge::open(&known, &note).map_err(wrong)?)
            }
        };
        Ok(Remembered { folder, known: Known { seen, ..known } })
    }
}

/// One receipt that is kept.
#[derive(Debug)]
pub(super) struct KeptReceipt {
    /// Its file.
    pub(super) path: PathBuf,
    /// What is in it, or why that cannot be read.
    pub(super) proof: Result<TlogProof, String>,
}

/// All receipts of a ledger, by index.
pub(super) fn receipts(folder: &Path) -> Result<Vec<KeptReceipt>, Failure> {
    let unreadable = || Failure::io(format!("{} cannot be read", folder.display()));
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).map_err(unreadable())? {
        let path = entry.map_err(unreadable())?.path();
        let index = path.file_stem().and_then(|stem| stem.to_str()?.parse::<u64>().ok());
        if let Some(index) = index.filter(|_| path.extension().is_some_and(|extension| extension == RECEIPT))
        {
            found.push((index, path));
        }
    }
    found.sort();
    let load = |(index, path): (u64, PathBuf)| {
        let text = read(&path).map_err(|failure| failure.to_string());
        let proof = text.and_then(|text| {
            let proof: TlogProof =
                text.unwrap_or_default().parse().map_err(|error: brevet_ledger::Error| error.to_string())?;
            match proof.index() == index {
                true => Ok(proof),
                false => Err(format!("it is for entry {}", proof.index())),
            }
        });
        KeptReceipt { path, proof }
    };
    Ok(found.into_iter().map(load).collect())
}

/// Whether a receipt for the very same entry is kept already.
pub(super) fn holds_receipt(folder: &Path, fits: &Fits) -> bool {
    let kept = read(&receipt_path(folder, &fits.proof)).ok().flatten();
    let kept = kept.and_then(|text| text.parse::<TlogProof>().ok());
    kept.is_some_and(|kept| kept.unauthenticated_extra() == Some(fits.entry.as_slice()))
}

/// Keeps a receipt.
pub(super) fn keep_receipt(_: &Lock, folder: &Path, proof: &TlogProof) -> Result<(), Failure> {
    replace(&receipt_path(folder, proof), &proof.to_string())
}

fn receipt_path(folder: &Path, proof: &TlogProof) -> PathBuf {
    folder.join(format!("{}.{RECEIPT}", proof.index()))
}

/// The name of a ledger's folder: nobody else's name or key leads to it.
fn folder_name(known: &Known) -> String {
    let first = known.keys.first().map(ToString::to_string).unwrap_or_default();
    let hash = leaf_hash(format!("{}\n{first}", known.origin).as_bytes()).to_string();
    let plain = |c: char| if c.is_ascii_alphanumeric() || c == '.' { c } else { '-' };
    let origin: String = known.origin.as_str().chars().take(80).map(plain).collect();
    format!("{}-{}", origin.trim_start_matches('.'), &hash[..16])
}

fn json(value: &impl Serialize) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default() + "\n"
}

fn damaged(path: &Path, why: &dyn std::fmt::Display) -> Failure {
    Failure::Failed(format!(
        "{} is damaged ({why}), so nothing that a server shows can be compared with it. Restore it from a backup; if \
         there is none, ask your auditor for the key of the ledger, move the folder away, and run: \
         brevet audit receipts trust KEY",
        path.display()
    ))
}

/// Reads a small file of one's own; `None` where there is none.
fn read(path: &Path) -> Result<Option<String>, Failure> {
    let io = |what: &str| Failure::io(format!("{} {what}", path.display()));
    let file = match OpenOptions::new().read(true).custom_flags(NO_FOLLOW).open(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        file => file.map_err(io("cannot be read"))?,
    };
    refuse_when_wide(path, &file.metadata().map_err(io("cannot be examined"))?)?;
    let mut bytes = Vec::new();
    file.take(TLOG_PROOF_BYTES_MAX as u64 + 1).read_to_end(&mut bytes).map_err(io("cannot be read"))?;
    String::from_utf8(bytes).map(Some).map_err(|_| damaged(path, &"it is not text"))
}

fn replace_when_other(path: &Path, text: &str) -> Result<(), Failure> {
    match read(path)? {
        Some(there) if there == text => Ok(()),
        _ => replace(path, text),
    }
}

/// Writes a file, whole or not at all.
pub(super) fn replace(path: &Path, text: &str) -> Result<(), Failure> {
    let unwritable = || Failure::io(format!("{} cannot be written", path.display()));
    let key = settings::random_key().map_err(unwritable())?;
    let beside = path.with_extension(format!("{}.new", &key[..8]));
    let write = || {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&beside)?;
        file.write_all(text.as_bytes())?;
        fs::rename(&beside, path)
    };
    let written = write();
    if written.is_err() {
        let _ = fs::remove_file(&beside);
    }
    written.map_err(unwritable())
}

fn make_private(folder: &Path) -> Result<(), Failure> {
    let made = DirBuilder::new().recursive(true).mode(0o700).create(folder);
    made.map_err(Failure::io(format!("{} cannot be made", folder.display())))?;
    let found =
        fs::metadata(folder).map_err(Failure::io(format!("{} cannot be examined", folder.display())))?;
    refuse_when_wide(folder, &found)
}

/// Whoever can change the memory can make it say anything.
fn refuse_when_wide(path: &Path, found: &fs::Metadata) -> Result<(), Failure> {
    let shown = path.display();
    if found.uid() != rustix::process::geteuid().as_raw() {
        return Err(Failure::Failed(format!("{shown} belongs to another user, so it is not used")));
    }
    match found.mode() & 0o022 {
        0 => Ok(()),
        _ => Err(Failure::Failed(format!(
            "{shown} can be changed by others, so it is not used; run: chmod go-w {shown}"
        ))),
    }
}
