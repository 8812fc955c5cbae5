//! A file that every entry is appended to, one to a line.
//!
//! The position moves when the lines are on the disk, so nothing is lost whatever ends the process; what was on the
//! disk already when a position could not be kept is written once more. The file can be moved away at any time: the
//! next entry is written into a new one. A line that a crash left unfinished is cut off before the next is written, so
//! that there are whole lines only; the entry it was begun for follows.
//!
//! Nothing is cut off or appended that somebody else began: a file whose end is not of this sink's format is left as it
//! is, and the sink says so until it is moved away.

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
use crate::export::Format;

/// How often the position is kept at most while entries come: each time costs the ledger a sync.
const POSITION_EVERY: Duration = Duration::from_secs(1);
/// How much of the end of a file is looked through for its last whole line, at first.
const TAIL_BYTES: u64 = 1 << 16;
/// How much at most: no two lines of ours are as long.
const TAIL_BYTES_MAX: u64 = 1 << 26;

/// One file.
pub(super) struct FileSink {
    path: PathBuf,
    format: Format,
    reopen: Arc<Notify>,
}

impl FileSink {
    pub(super) fn new(path: PathBuf, format: Format, reopen: Arc<Notify>) -> Self {
        Self { path, format, reopen }
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
            let (next, path, format) = (messages.next, self.path.clone(), self.format);
            let work = move || append(file, &path, format, &messages);
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
fn append(file: Option<File>, path: &Path, format: Format, messages: &Messages) -> std::io::Result<File> {
    let mut file = match file.filter(|file| is_at(file, path)) {
        Some(file) => file,
        None => open(path, format)?,
    };
    let lines: Vec<u8> = messages.messages.iter().flat_map(|message| message.line.iter().copied()).collect();
    // On a full disk half a line may stay behind: the next opening cuts it off.
    file.write_all(&lines)?;
    file.sync_data()?;
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

fn open(path: &Path, format: Format) -> std::io::Result<File> {
    let is_new = std::fs::symlink_metadata(path).is_err();
    // A link in a folder of logs may lead anywhere.
    let flags = rustix::fs::OFlags::NOFOLLOW.bits();
    let flags = i32::try_from(flags).map_err(std::io::Error::other)?;
    let mut file =
        OpenOptions::new().read(true).append(true).create(true).mode(0o600).custom_flags(flags).open(path)?;
    if !file.metadata()?.is_file() {
        return Err(std::io::Error::other("it is not a regular file"));
    }
    let End { whole, unfinished } = end_of(&mut file, format)?;
    if unfinished {
        file.set_len(whole)?;
    }
    if is_new {
        let folder = path.parent().unwrap_or(Path::new("/"));
        File::open(folder)?.sync_all()?;
    }
    Ok(file)
}

/// How a file ends.
struct End {
    /// How many bytes there are up to the end of its last whole line.
    whole: u64,
    /// Whether the beginning of another line follows.
    unfinished: bool,
}

/// Looks at the end of a file; an error where that was not written in this format.
fn end_of(file: &mut File, format: Format) -> std::io::Result<End> {
    let length = file.metadata()?.len();
    let mut size = TAIL_BYTES;
    loop {
        let start = length.saturating_sub(size);
        let mut tail = Vec::new();
        file.seek(SeekFrom::Start(start))?;
        (&mut *file).take(length - start).read_to_end(&mut tail)?;
        match last_lines(&tail, start == 0) {
            Some((last, rest)) => {
                let is_ours = last.is_none_or(|line| format.is_line(line))
                    && (rest.is_empty() || format.can_begin_with(rest));
                let end = End { whole: length - rest.len() as u64, unfinished: !rest.is_empty() };
                return if is_ours { Ok(end) } else { Err(foreign(format)) };
            }
            None if size >= TAIL_BYTES_MAX => return Err(foreign(format)),
            None => size *= 4,
        }
    }
}

/// The last whole line, where there is one, and what follows it; `None` where the tail of the file is too short to tell.
fn last_lines(tail: &[u8], is_all: bool) -> Option<(Option<&[u8]>, &[u8])> {
    let line_feed = |bytes: &[u8]| bytes.iter().rposition(|byte| *byte == b'\n');
    let Some(end) = line_feed(tail) else { return is_all.then_some((None, tail)) };
    let start = match line_feed(&tail[..end]) {
        Some(before) => before + 1,
        None if is_all => 0,
        None => return None,
    };
    Some((Some(&tail[start..end]), &tail[end + 1..]))
}

fn foreign(format: Format) -> std::io::Error {
    let format = format.name();
    std::io::Error::other(format!(
        "its end was not written by a sink of the format {format}; nothing of it was touched. Move it away, or name \
         another file in the settings"
    ))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{append, is_at, open};
    use crate::export::Format;
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

    const ONE: &str = "{\"index\":1,\"bytes\":\"AQ==\"}\n";
    const TWO: &str = "{\"index\":2,\"bytes\":\"AQ==\"}\n";

    fn add(path: &Path, line: &str) -> std::io::Result<()> {
        append(None, path, Format::Jsonl, &messages(&[line])).map(drop)
    }

    #[test]
    fn an_unfinished_line_is_cut_off_before_the_next_one_is_written() {
        let folder = tempfile::TempDir::new().unwrap();
        let path = folder.path().join("log");
        let long = format!("{{\"index\":1,\"x\":\"{}", "x".repeat(2_000_000));
        for unfinished in ["", "{", "{\"index\":1", "{\"index\":1,\"bytes\"", &long] {
            std::fs::write(&path, format!("{ONE}{unfinished}")).unwrap();
            add(&path, TWO).unwrap();
            assert_eq!(std::fs::read_to_string(&path).unwrap(), format!("{ONE}{TWO}"));
            std::fs::write(&path, unfinished).unwrap();
            add(&path, TWO).unwrap();
            assert_eq!(std::fs::read_to_string(&path).unwrap(), TWO);
        }
    }

    #[test]
    fn a_file_of_somebody_else_stays_as_it_is() {
        let folder = tempfile::TempDir::new().unwrap();
        let path = folder.path().join("log");
        for foreign in [
            "no line at all",
            "\n",
            "root:x:0:0:root:/root:/bin/sh\n",
            "{\"index\":1}\n",
            "{\"Id\":\"1\",\"BrevetIndex\":1}\n",
            &format!("{ONE}something else\n"),
            &format!("{ONE}something else"),
            "something else\n{\"index\":1",
            &"x".repeat(300_000),
        ] {
            std::fs::write(&path, foreign).unwrap();
            let said = add(&path, TWO).unwrap_err().to_string();
            assert!(said.contains("Move it away"), "{said}");
            assert_eq!(std::fs::read_to_string(&path).unwrap(), foreign);
        }
    }

    #[test]
    fn a_file_that_was_moved_away_gets_no_more_lines() {
        let folder = tempfile::TempDir::new().unwrap();
        let (path, old) = (folder.path().join("log"), folder.path().join("log.1"));
        let file = append(None, &path, Format::Jsonl, &messages(&["one\n"])).unwrap();
        assert!(is_at(&file, &path));
        std::fs::rename(&path, &old).unwrap();
        append(Some(file), &path, Format::Jsonl, &messages(&["two\n"])).unwrap();
        assert_eq!(std::fs::read_to_string(&old).unwrap(), "one\n");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "two\n");
    }

    #[test]
    fn a_link_is_not_followed() {
        let folder = tempfile::TempDir::new().unwrap();
        let (path, target) = (folder.path().join("log"), folder.path().join("elsewhere"));
        std::fs::write(&target, "").unwrap();
        std::os::unix::fs::symlink(&target, &path).unwrap();
        assert!(open(&path, Format::Jsonl).is_err());
    }
}
