//! Retention and erasure: old entries move to an archive file when two people agree; the texts of one person go for
//! good. The proofs of what is left stay as they are.

use std::io::{BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use brevet_core::{Command, Digest, Origin, Reply, Timestamp, UserId};
use brevet_store::{ArchiveFile, ExportFilter, Reader, SideWrite, StoreError};
use serde_json::json;
use sha2::Digest as _;
use tokio::sync::oneshot;

use super::sequencer::Condition;
use super::{App, AppError, Done, IdempotencyKey};
use crate::world::World;

/// The folder of archive files in the data folder.
const FOLDER: &str = "archive";
/// Entries that leave the database in one transaction, or lists that they leave: short enough that nobody waits for it.
const PRUNE_AT_ONCE: usize = 2_000;
/// Entries of a person whose texts go in one transaction: each may have hundreds of words in the lists of the search.
const ERASE_AT_ONCE: usize = 100;

/// What is archived, and what somebody asks to be.
#[derive(Debug, Clone)]
pub struct Archives {
    /// The files there are.
    pub files: Vec<ArchiveFile>,
    /// What somebody asked for.
    pub asked: Option<brevet_core::ArchiveRequest>,
    /// Where the files are.
    pub folder: PathBuf,
}

impl<W: World> App<W> {
    /// Takes the texts of a disabled account's person off the ledger. The entry comes first, then the texts go step by
    /// step, with the commands of others in between; it answers when all are gone. What was begun goes on whatever
    /// becomes of the caller.
    pub async fn erase_texts(
        &self,
        origin: Origin,
        user: UserId,
        key: Option<IdempotencyKey>,
    ) -> Result<Done, AppError> {
        let (answer, answered) = oneshot::channel();
        let app = self.clone();
        tokio::spawn(async move { drop(answer.send(app.say_and_erase(origin, user, key).await)) });
        answered.await.map_err(|_| AppError::Stopping)?
    }

    async fn say_and_erase(
        &self,
        origin: Origin,
        user: UserId,
        key: Option<IdempotencyKey>,
    ) -> Result<Done, AppError> {
        // An archive that is being written would keep what goes here.
        let _one_at_a_time = self.inner.archiving.lock().await;
        let beside = move |_: Reply| vec![SideWrite::EraseTexts(user)];
        let done = self.command_with(origin, Some(Command::EraseTexts(user)), key, beside).await?;
        self.inner.sessions.close_all_of(user);
        self.erase_on().await?;
        Ok(done)
    }

    /// Erases what entries say is gone, a few texts at a time.
    async fn erase_on(&self) -> Result<(), AppError> {
        while let Some(user) = self.stored(Reader::erasing).await?.first().copied() {
            let write = move |_: Reply| vec![SideWrite::EraseMore { user, entries: ERASE_AT_ONCE }];
            self.command_with(Origin::SYSTEM, None, None, write).await?;
        }
        Ok(())
    }

    /// Erases what an attempt before could not: there was no room on the disk, for example. After a crash the store
    /// does that when it is opened.
    pub(super) async fn erase_what_is_left(&self) -> Result<(), AppError> {
        match self.inner.archiving.try_lock() {
            Ok(_one_at_a_time) => self.erase_on().await,
            Err(_) => Ok(()),
        }
    }

    /// Asks that all entries before an instant move to an archive file, as far as they fill files of entries.
    pub async fn ask_for_archive(
        &self,
        origin: Origin,
        before: Timestamp,
        key: Option<IdempotencyKey>,
    ) -> Result<Done, AppError> {
        let (first, all) = self.not_archived();
        let size = self.stored(move |reader| reader.first_since(before, &(first..all))).await?;
        let retention = self.inner.settings.retention;
        self.command(origin, Command::RequestArchive { size, before, retention }, key).await
    }

    /// Agrees as a second person to the archive of the entries before `size`: writes the file, puts its digest on
    /// record, and lets the entries go. What was begun goes on whatever becomes of the caller.
    pub async fn agree_to_archive(
        &self,
        origin: Origin,
        size: u64,
        key: Option<IdempotencyKey>,
    ) -> Result<(ArchiveFile, Done), AppError> {
        let (answer, answered) = oneshot::channel();
        let app = self.clone();
        tokio::spawn(async move { drop(answer.send(app.write_and_agree(origin, size, key).await)) });
        answered.await.map_err(|_| AppError::Stopping)?
    }

    async fn write_and_agree(
        &self,
        origin: Origin,
        size: u64,
        key: Option<IdempotencyKey>,
    ) -> Result<(ArchiveFile, Done), AppError> {
        let _one_at_a_time = self.inner.archiving.lock().await;
        if self.was_answered(origin, key.as_ref()).await? {
            let done = self.command_with(origin, None, key, |_| Vec::new()).await?;
            let files = self.stored(Reader::archive_files).await?;
            let file = files.into_iter().find(|file| file.size == size).ok_or(AppError::KeyReused)?;
            return Ok((file, done));
        }
        // Decided once before the file is written, so that nobody without the right makes the server write files.
        let command = Command::ConfirmArchive { size, file: Digest([0; 32]) };
        self.read(|state| brevet_core::decide(state, self.now(), origin, command).map(drop))?;
        self.erase_on().await?;
        let (first, known) = (self.read(|state| state.archive().size), self.published().size);
        let heading =
            ArchiveHeading { origin: self.ledger_origin().to_owned(), keys: self.verifier_key_texts() };
        let name = archive_file_name(&heading.origin, first, size);
        let path = self.archive_folder()?.join(&name);
        let to = path.clone();
        let digest =
            self.stored(move |reader| write_archive_file(reader, &to, &heading, first, size)).await?;
        let file = ArchiveFile { first, size, name, digest, pruned: first, has_lists: false };
        let (command, beside) = (Command::ConfirmArchive { size, file: Digest(digest) }, file.clone());
        // Another server may have erased meanwhile what the file still has.
        let condition: Condition = Box::new(move |store| match store.has_erased_since(known)? {
            true => Err(AppError::Busy),
            false => Ok(()),
        });
        let beside = move |_: Reply| vec![SideWrite::Archive(beside)];
        match self.command_if(Some(condition), origin, Some(command), key, beside).await {
            Ok(done) => Ok((file, done)),
            Err(error @ (AppError::Refused(_) | AppError::KeyReused | AppError::Busy)) => {
                // Nobody is to find texts in a file that the ledger does not know.
                std::fs::remove_file(&path)?;
                Err(error)
            }
            Err(error) => Err(error),
        }
    }

    /// What is archived, and what somebody asks to be.
    pub async fn archives(&self) -> Result<Archives, AppError> {
        let files = self.stored(Reader::archive_files).await?;
        let asked = self.read(|state| state.archive().asked.clone());
        Ok(Archives { files, asked, folder: self.data_folder().join(FOLDER) })
    }

    /// Lets entries go that are in an archive file, and the lists of the search that they are in, a few at a time.
    pub(super) async fn prune(&self) -> Result<(), AppError> {
        let mut checked = None;
        while let Some(file) = self.stored(Reader::archive_files).await?.into_iter().find(is_leaving) {
            let (size, has_entries) = (file.size, file.pruned < file.size);
            if has_entries && checked != Some(size) {
                // With several servers the file is where it was written, or where somebody has put it.
                let is_elsewhere = || !self.data_folder().join(FOLDER).join(&file.name).exists();
                if self.is_shared() && is_elsewhere() {
                    return Ok(());
                }
                self.check_file(file).await?;
                checked = Some(size);
            }
            let write = move |_: Reply| vec![SideWrite::Prune { size, at_once: PRUNE_AT_ONCE }];
            self.command_with(Origin::SYSTEM, None, None, write).await?;
        }
        Ok(())
    }

    /// Nothing leaves the database whose only other copy is not what the ledger says.
    async fn check_file(&self, file: ArchiveFile) -> Result<(), AppError> {
        let path = self.data_folder().join(FOLDER).join(&file.name);
        let hashed = tokio::task::spawn_blocking(move || -> std::io::Result<[u8; 32]> {
            let mut hashing = Hashing { out: std::io::sink(), hash: sha2::Sha256::new() };
            std::io::copy(&mut std::fs::File::open(path)?, &mut hashing)?;
            Ok(hashing.hash.finalize().into())
        });
        match hashed.await.map_err(|_| AppError::Stopping)? {
            Ok(digest) if digest == file.digest => Ok(()),
            found => {
                let why = found
                    .err()
                    .map_or_else(|| "its content is another".to_owned(), |error| error.to_string());
                let told = format!(
                    "the archive file {} is not what was archived ({why}); its entries stay in the database: \
                     put the file back",
                    file.name
                );
                Err(std::io::Error::other(told).into())
            }
        }
    }

    fn not_archived(&self) -> (u64, u64) {
        let published = self.published();
        (published.state.archive().size, published.size)
    }

    fn archive_folder(&self) -> Result<PathBuf, AppError> {
        use std::os::unix::fs::DirBuilderExt as _;
        let folder = self.data_folder().join(FOLDER);
        match std::fs::DirBuilder::new().mode(0o700).create(&folder) {
            Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => Err(error.into()),
            _ => Ok(folder),
        }
    }
}

/// Whether something of a file's entries is still in the database.
const fn is_leaving(file: &ArchiveFile) -> bool {
    file.pruned < file.size || file.has_lists
}

/// What the first line of an archive says besides its range.
pub struct ArchiveHeading {
    /// Whose entries these are.
    pub origin: String,
    /// The keys that verify its checkpoints.
    pub keys: Vec<String>,
}

/// A name that says whose entries these are, and which.
pub fn archive_file_name(origin: &str, first: u64, size: u64) -> String {
    let origin: String =
        origin.chars().map(|c| if c.is_ascii_alphanumeric() || c == '.' { c } else { '-' }).collect();
    format!("{origin}-{first}-{size}.jsonl")
}

/// Writes the entries from `first` to `size` as an archive, durably; answers its SHA-256.
pub fn write_archive_file(
    reader: &Reader,
    path: &Path,
    heading: &ArchiveHeading,
    first: u64,
    size: u64,
) -> Result<[u8; 32], StoreError> {
    let failed = |source| StoreError::Folder { path: path.to_owned(), source };
    let part = path.with_extension("part");
    let mut options = std::fs::OpenOptions::new();
    let file = options.write(true).create(true).truncate(true).mode(0o600).open(&part).map_err(failed)?;
    let mut out = Hashing { out: BufWriter::new(file), hash: sha2::Sha256::new() };
    write_lines(reader, heading, first, size, &mut |line| writeln!(out, "{line}").map_err(failed))?;
    out.flush().map_err(failed)?;
    out.out.get_ref().sync_all().map_err(failed)?;
    std::fs::rename(&part, path).map_err(failed)?;
    if let Some(folder) = path.parent() {
        std::fs::File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed)?;
    }
    Ok(out.hash.finalize().into())
}

fn write_lines(
    reader: &Reader,
    ArchiveHeading { origin, keys }: &ArchiveHeading,
    first: u64,
    size: u64,
    line: &mut dyn FnMut(serde_json::Value) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    line(json!({
        "brevet": "ledger", "version": 1, "origin": origin, "keys": keys, "first": first, "size": size,
    }))?;
    let (mut at, mut written) = (first, 0);
    while at < size {
        let stretch = reader.export(&ExportFilter::default(), &(at..size))?;
        written += stretch.entries.len() as u64;
        for exported in &stretch.entries {
            let texts = exported
                .texts
                .iter()
                .map(|text| json!({"slot": text.slot, "salt": text.salt, "text": text.text}));
            line(json!({
                "index": exported.stored.index,
                "bytes": STANDARD.encode(&exported.stored.bytes),
                "texts": texts.collect::<Vec<_>>(),
            }))?;
        }
        at = stretch.next;
    }
    if written != size - first {
        let source = std::io::Error::other(format!("there are {written} entries from {first} to {size}"));
        return Err(StoreError::Folder { path: PathBuf::from(FOLDER), source });
    }
    // The checkpoint is over the whole ledger; the hashes say that the archive is a part of that.
    let checkpoint = reader.checkpoint()?;
    let covered: u64 = checkpoint.lines().nth(1).and_then(|size| size.parse().ok()).unwrap_or(size);
    let consistency = reader.consistency(size, covered)?;
    let consistency: Vec<String> = consistency.iter().map(brevet_ledger::Hash::to_base64).collect();
    line(json!({"checkpoint": checkpoint, "consistency": consistency}))
}

struct Hashing<O> {
    out: O,
    hash: sha2::Sha256,
}

impl<O: Write> Write for Hashing<O> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let written = self.out.write(bytes)?;
        self.hash.update(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.out.flush()
    }
}
