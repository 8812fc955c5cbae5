//! A server's ledger as a source: the files that it publishes (C2SP tlog-tiles), fetched to the last one before anything
//! is verified, so that all of them belong to one checkpoint.

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::PathBuf;

use brevet_ledger::{
    Checkpoint, Content, EntryRef, Hash, KeyHandover, Note, PART_ROWS, Row, StoredNode, TILE_WIDTH,
    TextBeside, Tile, TileContent, VerifierKey, follow_keys, read_bundle, read_hashes,
};
use brevet_store::{Discrepancy, Item, Layered, PartReader, Progress, Source, study_source};

use super::case::{Case, Subject, open_all, origin_of};
use super::found::{Found, Kind};
use super::given::Given;
use crate::cli::{Fetched, LedgerFiles};

/// How many entries are fetched at most: their hashes, 32 bytes each, are held in memory.
const FETCHED_ENTRIES_MAX: u64 = 1 << 26;
/// How many bytes of entries are written to the disk at most.
const FETCHED_BYTES_MAX: u64 = 64 << 30;

/// What was fetched.
pub(super) struct Published {
    size: u64,
    leaves: Vec<Hash>,
    nodes: Vec<StoredNode>,
    /// Entry bundles behind one another, and where each begins; `None` where its entries are archived or withheld.
    bundles: tempfile::NamedTempFile,
    starts: Vec<Option<u64>>,
    /// Why there are no entries, where the server keeps them to itself.
    withheld: Option<String>,
}

impl Case {
    /// What the server at `url` publishes.
    pub(super) fn of_server(
        url: &str,
        mut files: LedgerFiles,
        archives: &[PathBuf],
        given: &mut Given,
        progress: Progress<'_>,
    ) -> Result<Self, Found> {
        if given.keys.is_empty() {
            return Err(Found::cannot(
                "a server's own word on its key proves nothing: give its verifier key with --key, or a --policy",
            ));
        }
        let cannot = |error: &dyn std::fmt::Display| Found::cannot(error.to_string());
        let Fetched::Here(note) = files.get("checkpoint").map_err(|error| cannot(&error))? else {
            return Err(Found::cannot(format!("{url} publishes no checkpoint")));
        };
        let note = String::from_utf8_lossy(&note).into_owned();
        let mut presented = vec![(format!("the checkpoint of {url}"), note)];
        let origin = origin_of(&presented)?;
        let (size, handovers) = signed_size(&mut files, url, &presented[0].1, &given.keys_of(&origin))?;
        presented.extend(handovers.iter().map(|KeyHandover { proof, entry: _ }| {
            let source = format!("the change of the key in entry {} of {url}", proof.index());
            (source, proof.checkpoint().to_string())
        }));
        let archives = open_all(archives)?;
        let mut subject =
            Subject { presented, origin, own_keys: Vec::new(), archives: &archives, withheld: None };
        let (claims, mut questions) = subject.questions(given)?;
        let published = Published::fetch(&mut files, size, progress)?;
        questions.hashes_only = published.withheld.is_some();
        let (own, _) = subject.archives();
        let layered = Layered::new(&published, own.iter().map(|file| *file as &dyn Source).collect());
        let account = study_source(&layered, &questions, Some(&published.nodes), progress)?;
        subject.withheld.clone_from(&published.withheld);
        let mut case = Self::new(subject, account, claims, given)?.with_tree(&published)?;
        case.texts_read = false;
        Ok(case)
    }
}

/// How many entries a trusted key says there are, and the changes of the key that lead to it from one that is trusted,
/// where it is not one itself: nothing is fetched by the word of somebody else, or without end.
fn signed_size(
    files: &mut LedgerFiles,
    url: &str,
    note: &str,
    trusted: &[VerifierKey],
) -> Result<(u64, Vec<KeyHandover>), Found> {
    let unbelieved = |error: &dyn std::fmt::Display| {
        let sentence = format!(
            "the checkpoint of {url} cannot be believed, so nothing more was fetched: {error}. If the key was changed \
             since you were told of it, give the new one with --key, or have BREVET_TOKEN sent"
        );
        Found::new(Kind::BadSignature, sentence)
    };
    let note: Note = note.parse().map_err(|error| unbelieved(&error))?;
    let checkpoint: Checkpoint = note.text().parse().map_err(|error| unbelieved(&error))?;
    let (mut keys, mut handovers) = (trusted.to_vec(), Vec::new());
    if note.verify(&keys).is_err() {
        // Who trusts an old key follows to the one that signs now, where the server tells how.
        handovers = files.handovers().map_err(|error| Found::cannot(error.to_string()))?;
        for key in trusted {
            keys.extend(follow_keys(key, &handovers).map_err(|error| unbelieved(&error))?);
        }
    }
    Checkpoint::open(&note, checkpoint.origin(), &keys).map_err(|error| unbelieved(&error))?;
    match checkpoint.size() {
        size if size > FETCHED_ENTRIES_MAX => Err(Found::cannot(format!(
            "{url} has {size} entries, and at most {FETCHED_ENTRIES_MAX} are fetched: verify an export, or the data \
             folder itself"
        ))),
        size => Ok((size, handovers)),
    }
}

impl Published {
    /// Fetches all tiles and bundles of a ledger of this size.
    fn fetch(files: &mut LedgerFiles, size: u64, progress: Progress<'_>) -> Result<Self, Found> {
        let bundles = tempfile::NamedTempFile::new()
            .map_err(|error| Found::cannot(format!("there is no room for what is fetched: {error}")))?;
        let (leaves, nodes) = (Vec::new(), Vec::new());
        let mut published = Self { size, leaves, nodes, bundles, starts: Vec::new(), withheld: None };
        for level in 0..=brevet_ledger::TILE_LEVEL_MAX {
            if !published.fetch_level(files, level)? {
                break;
            }
        }
        published.fetch_entries(files, progress)?;
        Ok(published)
    }

    /// Fetches the tiles of a level; `false` when there are none.
    fn fetch_level(&mut self, files: &mut LedgerFiles, level: u8) -> Result<bool, Found> {
        let mut index = 0;
        while let Some(tile) = Tile::of_tree(TileContent::Hashes { level }, index, self.size) {
            let Fetched::Here(bytes) = get(files, &tile)? else {
                return Err(Found::cannot(format!("the server does not hand out {tile}")));
            };
            let hashes = read_hashes(&bytes, tile.width())
                .map_err(|error| Found::cannot(format!("{tile}: {error}")))?;
            match level {
                0 => self.leaves.extend(hashes),
                tile_level => {
                    self.nodes.extend((tile.first()..).zip(hashes).map(|(index, hash)| StoredNode {
                        tile_level,
                        index,
                        hash,
                    }));
                }
            }
            index += 1;
        }
        Ok(index > 0)
    }

    fn fetch_entries(&mut self, files: &mut LedgerFiles, progress: Progress<'_>) -> Result<(), Found> {
        let mut at = 0;
        for index in 0.. {
            let Some(tile) = Tile::of_tree(TileContent::Entries, index, self.size) else { break };
            match get(files, &tile)? {
                Fetched::Here(bytes) => {
                    self.starts.push(Some(at));
                    at += bytes.len() as u64;
                    if at > FETCHED_BYTES_MAX {
                        return Err(Found::cannot(format!(
                            "the entries are more than the {FETCHED_BYTES_MAX} bytes that are fetched at most: verify an \
                             export, or the data folder itself"
                        )));
                    }
                    let write = self.bundles.write_all(&bytes);
                    write.map_err(|error| Found::cannot(format!("there is no room for {tile}: {error}")))?;
                }
                Fetched::Archived => self.starts.push(None),
                Fetched::Absent(why) => {
                    let sentence = format!("entry {} is missing: {why}", tile.first());
                    return Err(Found::new(Kind::Missing, sentence).at(tile.first()));
                }
                Fetched::Withheld(why) if files.has_token() => {
                    return Err(Found::cannot(format!(
                        "{why}, with the token in BREVET_TOKEN: use that of an auditor, or none to verify hashes alone"
                    )));
                }
                Fetched::Withheld(why) => {
                    self.withheld = Some(match files.token_kept_from() {
                        Some(its_server) => format!(
                            "{why}; BREVET_TOKEN was not sent, because it is for {its_server}: set BREVET_SERVER, or \
                             add --send-token"
                        ),
                        None => why,
                    });
                    self.starts.clear();
                    return Ok(());
                }
            }
            progress(tile.first() + u64::from(tile.width()), self.size);
        }
        self.starts.push(Some(at));
        self.bundles.flush().map_err(|error| Found::cannot(error.to_string()))
    }
}

fn get(files: &mut LedgerFiles, tile: &Tile) -> Result<Fetched, Found> {
    files.get(&tile.to_string()).map_err(|error| Found::cannot(error.to_string()))
}

impl Source for Published {
    fn size(&self) -> u64 {
        self.size
    }

    fn reader(&self) -> Result<Box<dyn PartReader + '_>, Discrepancy> {
        let file = self.bundles.reopen().map_err(|error| Discrepancy::Unavailable(error.to_string()))?;
        Ok(Box::new(Reader { published: self, file }))
    }
}

struct Reader<'s> {
    published: &'s Published,
    file: File,
}

impl Reader<'_> {
    /// The bundle that begins with entry `first`.
    fn bundle(&mut self, first: u64) -> Result<Option<Vec<u8>>, Discrepancy> {
        let place = usize::try_from(first / u64::from(TILE_WIDTH)).unwrap_or(usize::MAX);
        let starts = &self.published.starts;
        let (Some(Some(start)), Some(behind)) = (starts.get(place), starts.get(place + 1..)) else {
            return Ok(None);
        };
        let end = behind.iter().flatten().next().copied().unwrap_or(*start);
        let mut bytes = vec![0; usize::try_from(end - start).unwrap_or(0)];
        let read = self.file.seek(SeekFrom::Start(*start)).and_then(|_| self.file.read_exact(&mut bytes));
        read.map_err(|error| Discrepancy::Unavailable(error.to_string()))?;
        Ok(Some(bytes))
    }
}

impl PartReader for Reader<'_> {
    fn read(&mut self, first: u64, take: &mut dyn FnMut(Item<'_>)) -> Result<(), Discrepancy> {
        let end = self.published.size.min(first.saturating_add(PART_ROWS));
        for bundle_first in (first..end).step_by(usize::from(TILE_WIDTH)) {
            let width = u16::try_from(end - bundle_first).map_or(TILE_WIDTH, |left| left.min(TILE_WIDTH));
            let bundle = self.bundle(bundle_first)?;
            let entries = match &bundle {
                Some(bytes) => read_bundle(bytes, width).map(Some).map_err(|error| {
                    Discrepancy::Malformed { index: bundle_first, why: error.to_string() }
                })?,
                None => None,
            };
            for (place, position) in (bundle_first..bundle_first + u64::from(width)).enumerate() {
                let leaf =
                    usize::try_from(position).ok().and_then(|position| self.published.leaves.get(position));
                let Some(leaf) = leaf.copied() else { return Ok(()) };
                match entries.as_ref().and_then(|entries| entries.get(place)) {
                    Some(bytes) => hand_out(position, bytes, leaf, take),
                    None => {
                        let row = Row { position, content: Content::Archived { leaf }, texts: &[] };
                        take(Item { row, columns: None, texts_are_elsewhere: false });
                    }
                }
            }
        }
        Ok(())
    }
}

/// The texts beside it are not published: to the verifier they are gone, and allowed to be.
fn hand_out(position: u64, bytes: &[u8], leaf: Hash, take: &mut dyn FnMut(Item<'_>)) {
    let committed = EntryRef::decode(bytes).map_or(0, |entry| entry.commitments.len());
    let texts = vec![TextBeside::Erased; committed];
    let row = Row { position, content: Content::Here { bytes, leaf: Some(leaf) }, texts: &texts };
    take(Item { row, columns: None, texts_are_elsewhere: true });
}
