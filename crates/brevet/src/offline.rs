//! `brevet audit as-of` and `brevet audit bundle` on a data folder: for what a server cannot answer any more, because
//! old entries are in archive files, or lie in the ledger before a recovery.
//!
//! A copy of the database is made in a private folder for the moment, archived entries are put back into it (each must
//! hash to what the ledger has in its place), and the same code answers as in the server. The data folder itself is only
//! read, beside a running server too. No entry says that it was read: whoever can read the folder has everything anyway.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail, ensure};
use brevet_core::{Digest, Event, Past, RequestId, State, Timestamp};
use brevet_ledger::{Content, PART_ROWS, RightEdge, VerifierKey, leaf_hash};
use brevet_store::{DataFolder, ReadUpTo, Reader, Source, WholeCopy, decode_entry};
use brevet_wire as wire;
use brevet_workloads::recording::Blobs;

use crate::bundle::{self, Bundle, Collected};
use crate::cli::{AskedAsOf, AskedBundle};
use crate::http;
use crate::verify::{ExportFile, Joined, archives};

/// Who could run what, by a data folder and archive files.
pub(crate) fn as_of(asked: &AskedAsOf) -> Result<Vec<wire::Way>, String> {
    who_could(asked).map_err(|error| format!("{error:#}"))
}

/// One request's story, by a data folder and archive files.
pub(crate) fn bundle(asked: &AskedBundle) -> Result<Bundle, String> {
    story(asked).map_err(|error| format!("{error:#}"))
}

/// A ledger with its archived entries.
struct Whole {
    reader: Reader,
    state: State,
    origin: String,
    keys: Vec<VerifierKey>,
    files: Vec<ExportFile>,
    _copy: tempfile::TempDir,
}

impl Whole {
    fn open(data: &Path, given: &[PathBuf]) -> anyhow::Result<Self> {
        let folder = DataFolder::visit(data)?;
        let files = archives(data, given).map_err(anyhow::Error::msg)?;
        let checkpoint = Reader::open(&folder)?.checkpoint()?;
        let origin = checkpoint.lines().next().context("there is no ledger in this folder yet")?.to_owned();
        let keys = folder.read("ledger.vkey")?.unwrap_or_default();
        let keys = keys.lines().filter_map(|line| line.parse().ok()).collect();
        let place = tempfile::TempDir::with_prefix("brevet-").context("no copy can be made")?;
        let mut copy = WholeCopy::of(&folder, DataFolder::claim(&place.path().join("data"))?)?;
        for file in files.iter().filter(|file| file.heading.origin == origin) {
            copy.put_back(file).with_context(|| file.path().display().to_string())?;
        }
        let (reader, state) = copy.reader()?;
        Ok(Self { reader, state, origin, keys, files, _copy: place })
    }

    /// Applies every entry of the ledger before this one up to an instant, and of those before that.
    fn take_before(&self, before: &Before, time: Timestamp, past: &mut Past) -> anyhow::Result<()> {
        let Before { previous, size, root, told } = before;
        ensure!(
            !told.contains(previous),
            "the archive files say that {previous} goes on from itself, which no ledger does: give those that the \
             ledger wrote"
        );
        let files: Vec<_> = self.files.iter().filter(|file| file.heading.origin == *previous).collect();
        ensure!(
            !files.is_empty(),
            "this ledger goes on from {previous}, whose entries come first: add their archive with --archive FILE"
        );
        let (joined, mut edge, mut failed) = (Joined::new(files), RightEdge::new(), None);
        let mut reader = joined.reader()?;
        for part in (0..*size.min(&joined.size())).step_by(usize::try_from(PART_ROWS)?) {
            reader.read(part, &mut |item| {
                let Content::Here { bytes, .. } = item.row.content else { return };
                if failed.is_some() || edge.size() >= *size {
                    return;
                }
                edge.append(leaf_hash(bytes));
                failed = self.take_one(bytes, edge.size() - 1, before, time, past).err();
            })?;
        }
        failed.map_or(Ok(()), Err)?;
        ensure!(
            edge.size() == *size && *edge.root().as_bytes() == root.0,
            "the archive files of {previous} do not have the {size} entries that this ledger goes on from"
        );
        Ok(())
    }

    fn take_one(
        &self,
        bytes: &[u8],
        index: u64,
        of: &Before,
        time: Timestamp,
        past: &mut Past,
    ) -> anyhow::Result<()> {
        let (found, entry) = decode_entry(bytes, Vec::new())?;
        ensure!(found == index, "entry {index} is missing in its archive file");
        if let Some(mut before) = Before::of(&entry.event).filter(|_| index == 0) {
            before.told = of.told.iter().chain([&of.previous]).cloned().collect();
            self.take_before(&before, time, past)?;
        }
        if entry.time <= time {
            past.take(&entry);
        }
        Ok(())
    }
}

/// The ledger that another one goes on from.
struct Before {
    previous: String,
    size: u64,
    root: Digest,
    /// Those that go on from it, which are being told already.
    told: Vec<String>,
}

impl Before {
    fn of(event: &Event) -> Option<Self> {
        match event {
            Event::LedgerRecovered { previous, size, root, .. } => {
                Some(Self { previous: previous.clone(), size: *size, root: *root, told: Vec::new() })
            }
            _ => None,
        }
    }
}

fn who_could(asked: &AskedAsOf) -> anyhow::Result<Vec<wire::Way>> {
    let AskedAsOf { data, archive, time, user, task } = asked;
    let whole = Whole::open(data, archive)?;
    let time = Timestamp::from_micros(time.micros());
    let mut past = Past::default();
    let first = whole.reader.entry(0);
    if let Some(before) = first.ok().flatten().and_then(|first| Before::of(&first.entry.event)) {
        whole.take_before(&before, time, &mut past)?;
    }
    if let ReadUpTo::Archived { before } = whole.reader.own_entries_up_to(time, |entry| past.take(entry))? {
        bail!(
            "entries before {before} are in an archive file that is not in the folder: add it with --archive FILE"
        );
    }
    http::who_could_run(&whole.state, &past, time, user.as_deref(), task.as_deref())
        .map_err(anyhow::Error::msg)
}

fn story(asked: &AskedBundle) -> anyhow::Result<Bundle> {
    let AskedBundle { data, archive, request, outputs } = asked;
    let request = RequestId::parse(request)?;
    let whole = Whole::open(data, archive)?;
    let wanted = bundle::Wanted { request, origin: &whole.origin, keys: &whole.keys };
    let (mut bundle, wrote) = match bundle::collect(&whole.reader, &wanted)? {
        Collected::Bundle(bundle, wrote) => (*bundle, wrote),
        Collected::NoSuch => bail!("there is no request {request}"),
        Collected::Archived => bail!(
            "a part of the story of {request} is in an archive file that is not in the folder: add it with --archive FILE"
        ),
        Collected::Recovered { previous } => bail!(
            "a part of the story of {request} is in {previous}, which this ledger goes on from: ask on the data folder of \
             that one, which brevet audit recover left as it was, with --data FOLDER"
        ),
        Collected::TooLong => bail!("the story of {request} has more entries than one bundle holds"),
        Collected::Faulty(fault) => bail!("the ledger does not tell a whole story of {request}: {fault}"),
    };
    if *outputs {
        let blobs = Blobs::visit(data);
        let fits = bundle::fits(&wrote);
        ensure!(fits, "the runs of {request} wrote too much for one file; leave the outputs out");
        bundle::with_outputs(&mut bundle, &wrote, |output| blobs.bytes(output))?;
    }
    Ok(bundle)
}
