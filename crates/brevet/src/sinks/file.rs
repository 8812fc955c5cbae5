//! A file that every entry is appended to, one to a line.
//!
//! The position moves when the lines are on the disk, so nothing is lost whatever ends the process; what was on the
//! disk already when a position could not be kept is written once more. The file can be moved away at any time: the
//! next entry is written into a new one. A line that a crash left unfinished is cut off before the next is written, so
//! that there are whole lines only; the entry it was begun for follows.

use std::fs::{File, OpenOptions};
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

use super::feed::{Feed, Messages};
use super::keeper::Keeper;

/// How often the position is kept at most while entries come: each time costs the ledger a sync.
const POSITION_EVERY: Duration = Duration::from_secs(1);
/// How much of the end of a file is looked through at once for the end of its last whole line.
const TAIL_BYTES: u64 = 1 << 16;

/// One file.
pub(super) struct FileSink {
    path: PathBuf,
    reopen: Arc<Notify>,
}

impl FileSink {
    pub(super) fn new(path: PathBuf, reopen: Arc<Notify>) -> Self {
        Self { path, reopen }
    }

    /// Writes until the process ends.
    pub(super) async fn run(self, mut keeper: Keeper, mut feed: Feed) {
        keeper.begin().await;
        loop {
            feed.go_to(keeper.position());
            let why = self.write(&mut keeper, &mut feed).await;
            keeper.trouble(&why).await;
        }
    }

    /// Writes until something goes wrong; answers what.
    async fn write(&self, keeper: &mut Keeper, feed: &mut Feed) -> String {
        let mut file = None;
        let (mut written, mut kept) = (keeper.position(), Instant::now());
        loop {
            let is_due = written > keeper.position();
            tokio::select! {
                biased;
                () = tokio::time::sleep_until(kept + POSITION_EVERY), if is_due => {
                    keeper.delivered(written).await;
                    kept = Instant::now();
                    continue;
                }
                () = self.reopen.notified() => {
                    file = None;
                    continue;
                }
                () = feed.ready() => {}
            }
            let messages = match feed.take().await {
                Ok(messages) => messages,
                Err(error) => return error.to_string(),
            };
            let (next, path) = (messages.next, self.path.clone());
            let work = move || append(file, &path, &messages);
            match tokio::task::spawn_blocking(work).await {
                Ok(Ok(open)) => file = Some(open),
                Ok(Err(error)) => return format!("{} cannot be written: {error}", self.path.display()),
                Err(_) => return "the server is about to stop".to_owned(),
            }
            keeper.well();
            keeper.sent(next);
            written = next;
        }
    }
}

/// Appends lines to the file that has this path now, and waits until they are on the disk.
fn append(file: Option<File>, path: &Path, messages: &Messages) -> std::io::Result<File> {
    let mut file = match file.filter(|file| is_at(file, path)) {
        Some(file) => file,
        None => open(path)?,
    };
    let lines: Vec<u8> = messages.messages.iter().flat_map(|message| message.line.iter().copied()).collect();
    let before = file.metadata()?.len();
    if let Err(error) = file.write_all(&lines).and_then(|()| file.sync_data()) {
        // A full disk: no half a line stays behind, if that can be helped. The next opening looks again.
        drop(file.set_len(before));
        return Err(error);
    }
    Ok(file)
}

/// Whether nobody has moved it away, or put another in its place.
fn is_at(file: &File, path: &Path) -> bool {
    let identity = |metadata: std::fs::Metadata| (metadata.dev(), metadata.ino());
    match (file.metadata(), std::fs::symlink_metadata(path)) {
        (Ok(open), Ok(named)) => identity(open) == identity(named),
        _ => false,
    }
}

fn open(path: &Path) -> std::io::Result<File> {
    let is_new = std::fs::symlink_metadata(path).is_err();
    // A link in a folder of logs may lead anywhere.
    let flags = rustix::fs::OFlags::NOFOLLOW.bits();
    let flags = i32::try_from(flags).map_err(std::io::Error::other)?;
    let mut file =
        OpenOptions::new().read(true).append(true).create(true).mode(0o600).custom_flags(flags).open(path)?;
    if !file.metadata()?.is_file() {
        return Err(std::io::Error::other("it is not a regular file"));
    }
    let whole = whole_lines(&mut file)?;
    file.set_len(whole)?;
    if is_new {
        let folder = path.parent().unwrap_or(Path::new("/"));
        File::open(folder)?.sync_all()?;
    }
    Ok(file)
}

/// How many bytes there are up to the end of the last whole line.
fn whole_lines(file: &mut File) -> std::io::Result<u64> {
    let mut end = file.metadata()?.len();
    while end > 0 {
        let start = end.saturating_sub(TAIL_BYTES);
        let mut tail = Vec::new();
        file.seek(SeekFrom::Start(start))?;
        (&mut *file).take(end - start).read_to_end(&mut tail)?;
        if let Some(place) = tail.iter().rposition(|byte| *byte == b'\n') {
            return Ok(start + place as u64 + 1);
        }
        end = start;
    }
    Ok(0)
}

#[cfg(test)]
mod tests {
    use super::{append, is_at, open};
    use crate::sinks::feed::{Message, Messages};

    fn messages(lines: &[&str]) -> Messages {
        let message = |line: &&str| Message {
            index: 0,
            time: brevet_core::Timestamp::from_micros(0),
            kind: "ledger.opened",
            severity: 6,
            actor: String::new(),
            request: None,
            leaf_hash: String::new(),
            line: line.as_bytes().to_vec(),
        };
        Messages { messages: lines.iter().map(message).collect(), next: lines.len() as u64 }
    }

    #[test]
    fn an_unfinished_line_is_cut_off_before_the_next_one_is_written() {
        let folder = tempfile::TempDir::new().unwrap();
        let path = folder.path().join("log");
        for unfinished in ["", "{\"index\":1", &"x".repeat(200_000)] {
            std::fs::write(&path, format!("whole\n{unfinished}")).unwrap();
            append(None, &path, &messages(&["next\n"])).unwrap();
            assert_eq!(std::fs::read_to_string(&path).unwrap(), "whole\nnext\n");
        }
        std::fs::write(&path, "no line at all").unwrap();
        append(None, &path, &messages(&["next\n"])).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "next\n");
    }

    #[test]
    fn a_file_that_was_moved_away_gets_no_more_lines() {
        let folder = tempfile::TempDir::new().unwrap();
        let (path, old) = (folder.path().join("log"), folder.path().join("log.1"));
        let file = append(None, &path, &messages(&["one\n"])).unwrap();
        assert!(is_at(&file, &path));
        std::fs::rename(&path, &old).unwrap();
        append(Some(file), &path, &messages(&["two\n"])).unwrap();
        assert_eq!(std::fs::read_to_string(&old).unwrap(), "one\n");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "two\n");
    }

    #[test]
    fn a_link_is_not_followed() {
        let folder = tempfile::TempDir::new().unwrap();
        let (path, target) = (folder.path().join("log"), folder.path().join("elsewhere"));
        std::fs::write(&target, "").unwrap();
        std::os::unix::fs::symlink(&target, &path).unwrap();
        assert!(open(&path).is_err());
    }
}
