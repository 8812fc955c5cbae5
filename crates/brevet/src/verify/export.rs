//! Exports and archive files as a source of entries: JSON lines, read on several threads.
//!
//! Of each line only the index, the bytes and the texts are believed, and these only as far as they hash to what was
//! signed. What else it says of an entry is held against the bytes, as far as that follows from them alone.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use brevet_core::Event;
use brevet_ledger::{Content, EntryRef, PART_ROWS, Row, Salt, TREE_SIZE_MAX, TextBeside};
use brevet_store::{Discrepancy, Item, PartReader, Source, decode_entry};
use brevet_wire as wire;
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

/// The longest line that is read, in bytes: an entry and its texts in hexadecimal, base64 and JSON, several times over.
const LINE_BYTES_MAX: usize = 8 << 20;

/// Who caused what nobody else did, as the bytes of an entry say it.
const SYSTEM: &str = "system";

/// An export or an archive file.
#[derive(Debug)]
pub(crate) struct ExportFile {
    path: PathBuf,
    pub(crate) heading: Heading,
    /// Where the lines of each part begin, in bytes; then where the entries end.
    parts: Vec<u64>,
    count: u64,
    /// The checkpoints at its end.
    pub(super) checkpoints: Vec<String>,
    /// SHA-256 of the whole file.
    pub(super) digest: [u8; 32],
    /// Whether it was found beside the ledger rather than given.
    pub(super) is_found: bool,
}

/// The first line. Nothing in it is believed.
#[derive(Debug, Deserialize)]
pub(crate) struct Heading {
    brevet: String,
    version: u32,
    pub(crate) origin: String,
    pub(super) keys: Vec<String>,
    first: u64,
    pub(super) size: u64,
}

/// What a first line says that the file is.
#[derive(Deserialize)]
struct Kind {
    brevet: String,
}

#[derive(Deserialize)]
struct LastLine {
    checkpoint: String,
}

#[derive(Deserialize)]
struct EntryLine {
    index: u64,
    bytes: String,
    #[serde(default)]
    texts: Vec<TextLine>,
    // What the bytes say too. Nothing of it is in an archive file.
    time: Option<wire::Time>,
    kind: Option<String>,
    actor: Option<ActorLine>,
    session: Option<String>,
}

#[derive(Deserialize)]
struct ActorLine {
    id: Option<String>,
}

impl EntryLine {
    /// What it says of an entry otherwise than the bytes.
    fn differs(&self, entry: &EntryRef<'_>) -> Option<&'static str> {
        let Self { index: _, bytes: _, texts: _, time, kind, actor, session } = self;
        let actor = actor.as_ref().map(|actor| actor.id.as_deref().unwrap_or(SYSTEM));
        let numbered = |session: &String| session.strip_prefix("ses-").and_then(|number| number.parse().ok());
        [
            ("time", time.is_some_and(|time| time != wire::Time::from_micros(entry.time_micros))),
            ("kind", kind.as_ref().is_some_and(|kind| kind != entry.kind)),
            ("actor", actor.is_some_and(|actor| actor != entry.actor)),
            ("session", session.as_ref().is_some_and(|session| numbered(session) != Some(entry.session))),
        ]
        .into_iter()
        .find_map(|(field, is_other)| is_other.then_some(field))
    }
}

#[derive(Deserialize)]
struct TextLine {
    slot: usize,
    salt: String,
    text: String,
}

impl ExportFile {
    /// Looks through the file once: where its parts begin, its digest, its first and last lines.
    pub(super) fn open(path: &Path) -> Result<Self, Discrepancy> {
        let mut lines = Lines::open(path)?;
        let unusable = |why: String| Discrepancy::Unavailable(format!("{}: {why}", path.display()));
        let first = lines.next()?.unwrap_or_default();
        if serde_json::from_slice::<Kind>(&first).is_ok_and(|kind| kind.brevet == "excerpt") {
            return Err(unusable(
                "it is an excerpt, a part of a ledger that was picked by a filter, and cannot be verified; export the \
                 whole ledger with brevet audit export --out FILE"
                    .to_owned(),
            ));
        }
        let heading: Heading = serde_json::from_slice(&first)
            .map_err(|error| unusable(format!("this is not an export that can be verified: {error}")))?;
        if heading.brevet != "ledger" || heading.version != 1 {
            return Err(unusable(format!(
                "it begins as '{}' version {}, and only whole exports ('ledger', version 1) can be verified",
                heading.brevet, heading.version
            )));
        }
        if heading.first > TREE_SIZE_MAX {
            return Err(unusable(format!("no ledger has an entry {}", heading.first)));
        }
        let (mut parts, mut count, mut checkpoints) = (Vec::new(), 0, Vec::new());
        loop {
            let start = lines.at;
            let Some(line) = lines.next()? else { break };
            if let Some(checkpoint) = last_line(&line) {
                checkpoints.push(checkpoint);
                continue;
            }
            if !checkpoints.is_empty() {
                let index = heading.first + count;
                return Err(malformed(index, "there are lines behind the checkpoint"));
            }
            if (heading.first + count).is_multiple_of(PART_ROWS) || count == 0 {
                parts.push(start);
            }
            count += 1;
        }
        let digest = lines.digest.finalize().into();
        Ok(Self { path: path.to_owned(), heading, parts, count, checkpoints, digest, is_found: false })
    }

    /// The same, found beside the ledger.
    pub(super) fn found(self) -> Self {
        Self { is_found: true, ..self }
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The ledger that this one goes on from, as its entry 0 states it, where that is here; not believed.
    pub(super) fn previous(&self) -> Result<Option<String>, Discrepancy> {
        if self.heading.first > 0 || self.count == 0 {
            return Ok(None);
        }
        let (mut lines, mut found) = (Lines::open(&self.path)?, None);
        lines.next()?;
        read_entry(0, &lines.next()?.unwrap_or_default(), &mut |item| {
            if let Content::Here { bytes, .. } = item.row.content
                && let Ok((_, entry)) = decode_entry(bytes, Vec::new())
                && let Event::LedgerRecovered { previous, .. } = entry.event
            {
                found = Some(previous);
            }
        })?;
        Ok(found)
    }

    /// Its first entry and the one behind its last.
    pub(super) const fn range(&self) -> std::ops::Range<u64> {
        self.heading.first..self.heading.first + self.count
    }
}

fn last_line(line: &[u8]) -> Option<String> {
    let text = line.strip_prefix(b"{\"checkpoint\"")?;
    (!text.is_empty()).then(|| serde_json::from_slice::<LastLine>(line).ok())?.map(|line| line.checkpoint)
}

fn malformed(index: u64, why: impl Into<String>) -> Discrepancy {
    Discrepancy::Malformed { index, why: why.into() }
}

/// Lines with their places.
struct Lines {
    path: PathBuf,
    file: BufReader<File>,
    at: u64,
    digest: Sha256,
}

impl Lines {
    fn open(path: &Path) -> Result<Self, Discrepancy> {
        let unreadable =
            |error| Discrepancy::Unavailable(format!("{} cannot be read: {error}", path.display()));
        let file = BufReader::with_capacity(1 << 18, File::open(path).map_err(unreadable)?);
        Ok(Self { path: path.to_owned(), file, at: 0, digest: Sha256::new() })
    }

    fn next(&mut self) -> Result<Option<Vec<u8>>, Discrepancy> {
        let line = read_line(&mut self.file, &self.path)?;
        if let Some(line) = &line {
            self.at += line.len() as u64;
            self.digest.update(line);
        }
        Ok(line)
    }
}

/// A line with its line feed; `None` at the end.
fn read_line(file: &mut BufReader<File>, path: &Path) -> Result<Option<Vec<u8>>, Discrepancy> {
    let unreadable = |why: &dyn std::fmt::Display| {
        Discrepancy::Unavailable(format!("{} cannot be read: {why}", path.display()))
    };
    let mut line = Vec::new();
    let limit = LINE_BYTES_MAX as u64;
    file.by_ref().take(limit).read_until(b'\n', &mut line).map_err(|error| unreadable(&error))?;
    if line.len() == LINE_BYTES_MAX {
        return Err(unreadable(&format!("a line has more than {LINE_BYTES_MAX} bytes")));
    }
    Ok((!line.is_empty()).then_some(line))
}

impl Source for ExportFile {
    fn size(&self) -> u64 {
        self.range().end
    }

    fn first(&self) -> u64 {
        self.heading.first
    }

    fn reader(&self) -> Result<Box<dyn PartReader + '_>, Discrepancy> {
        let Lines { file, .. } = Lines::open(&self.path)?;
        Ok(Box::new(Reader { export: self, file }))
    }
}

struct Reader<'s> {
    export: &'s ExportFile,
    file: BufReader<File>,
}

impl PartReader for Reader<'_> {
    fn read(&mut self, first: u64, take: &mut dyn FnMut(Item<'_>)) -> Result<(), Discrepancy> {
        let range = self.export.range();
        let from = first.max(range.start);
        let until = range.end.min(first.saturating_add(PART_ROWS));
        let part = (first / PART_ROWS).checked_sub(range.start / PART_ROWS);
        let part = part.and_then(|part| self.export.parts.get(usize::try_from(part).ok()?));
        let Some(start) = part.filter(|_| from < until) else { return Ok(()) };
        let path = &self.export.path;
        self.file.seek(SeekFrom::Start(*start)).map_err(|error| {
            Discrepancy::Unavailable(format!("{} cannot be read: {error}", path.display()))
        })?;
        for index in from..until {
            let line = read_line(&mut self.file, path)?.unwrap_or_default();
            read_entry(index, &line, take)?;
        }
        Ok(())
    }
}

fn read_entry(index: u64, line: &[u8], take: &mut dyn FnMut(Item<'_>)) -> Result<(), Discrepancy> {
    let line: EntryLine = serde_json::from_slice(line)
        .map_err(|error| malformed(index, format!("its line is damaged: {error}")))?;
    let bytes = STANDARD
        .decode(&line.bytes)
        .map_err(|error| malformed(index, format!("its bytes are not base64: {error}")))?;
    let decoded = EntryRef::decode(&bytes);
    if let Some(field) = decoded.as_ref().ok().and_then(|entry| line.differs(entry)) {
        return Err(malformed(index, format!("its {field} is not what its bytes say")));
    }
    let committed = decoded.map_or(0, |entry| entry.commitments.len());
    let mut texts: Vec<Option<(Salt, String)>> = vec![None; committed];
    for TextLine { slot, salt, text } in line.texts {
        let salt = salt_of(&salt).ok_or_else(|| malformed(index, "a salt beside it is not hexadecimal"))?;
        match texts.get_mut(slot) {
            Some(place) if place.is_none() => *place = Some((salt, text)),
            // One too many: the verifier finds it, or that the entry itself was changed.
            _ => texts.push(Some((salt, text))),
        }
    }
    let texts: Vec<TextBeside<'_>> = texts
        .iter()
        .map(|text| match text {
            Some((salt, text)) => TextBeside::Present { salt, text },
            None => TextBeside::Erased,
        })
        .collect();
    let content = Content::Here { bytes: &bytes, leaf: None };
    let row = Row { position: line.index, content, texts: &texts };
    take(Item { row, columns: None, texts_are_elsewhere: false });
    Ok(())
}

fn salt_of(text: &str) -> Option<Salt> {
    let mut salt = [0; Salt::BYTES];
    let is_digit = |digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f');
    if text.len() != 2 * Salt::BYTES || !text.bytes().all(is_digit) {
        return None;
    }
    for (place, byte) in salt.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&text[2 * place..2 * place + 2], 16).ok()?;
    }
    Some(Salt::from_bytes(salt))
}

/// Files that follow one another, read as one ledger.
#[derive(Debug)]
pub(crate) struct Joined<'s> {
    files: Vec<&'s ExportFile>,
}

impl<'s> Joined<'s> {
    /// Puts them in the order of their entries.
    pub(crate) fn new(mut files: Vec<&'s ExportFile>) -> Self {
        files.sort_by_key(|file| file.range().start);
        Self { files }
    }
}

impl Source for Joined<'_> {
    fn size(&self) -> u64 {
        self.files.iter().map(|file| file.range().end).max().unwrap_or(0)
    }

    fn reader(&self) -> Result<Box<dyn PartReader + '_>, Discrepancy> {
        let files = self.files.iter().map(|file| file.reader()).collect::<Result<_, _>>()?;
        Ok(Box::new(JoinedReader(files)))
    }
}

struct JoinedReader<'s>(Vec<Box<dyn PartReader + 's>>);

impl PartReader for JoinedReader<'_> {
    fn read(&mut self, first: u64, take: &mut dyn FnMut(Item<'_>)) -> Result<(), Discrepancy> {
        self.0.iter_mut().try_for_each(|reader| reader.read(first, take))
    }
}
