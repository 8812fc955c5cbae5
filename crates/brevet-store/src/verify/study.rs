//! Reads a source from its first entry to its last, on all cores, and finds out what follows from it.
//!
//! Workers take the parts as they come: read, hash, decode. This thread puts them together in order: the tree, the
//! chronicle and, when rows are to be compared, the state.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use brevet_core::{Actor, Entry, Event, UserId};
use brevet_ledger::{Content, Derived, EntryRef, PART_ROWS, Part, TextBeside, Verifier, Watch};

use super::chronicle::{Chronicle, Stamp, TextsSeen, Writer};
use super::fold::Fold;
use super::lists::{BlockLists, Listing, is_listed};
use super::source::{Item, PartReader, Source};
use super::{Discrepancy, Progress};
use crate::codec::decode_as_written;

/// What is asked of a source.
#[derive(Debug, Clone, Default)]
pub struct Questions {
    /// Roots and leaves to remember.
    pub watch: Watch,
    /// Entries whose times to remember.
    pub times: BTreeSet<u64>,
    /// The source has hashes and no entries, and need not say why.
    pub hashes_only: bool,
    /// People whose texts may still be there for a while after an entry said that they are gone: the source says that it
    /// is about to erase them.
    pub erasing: BTreeSet<UserId>,
}

/// What was found out about a source without a fault, before anything that is stored or signed is held against it.
#[derive(Debug)]
pub(super) struct Studied {
    pub(super) verifier: Verifier,
    pub(super) chronicle: Chronicle,
}

/// One part, as a worker hands it over.
struct Work {
    part: Part,
    stamps: Vec<Option<Stamp>>,
    texts: TextsSeen,
    /// What the fold needs of each entry.
    entries: Vec<Folded>,
    /// What its entries add to the lists that searches go by.
    lists: BlockLists,
    /// The sum of these, where they are to be compared.
    listed: Option<u64>,
    /// The last entry of which only the hash was there.
    archived_to: Option<u64>,
    /// Something that no brevet writes, or that its columns contradict.
    fault: Option<Discrepancy>,
    row_fault: Option<Discrepancy>,
    /// A buffer to write bodies into again.
    body: Vec<u8>,
}

/// An entry on its way to the fold.
pub(super) struct Folded {
    pub(super) index: u64,
    pub(super) entry: Entry,
    /// The request it is found by, where it is found by anything.
    pub(super) request: Option<Option<i64>>,
    /// Whether it belongs into the lists that searches go by.
    pub(super) is_listed: bool,
}

/// What a fold wants of each part.
#[derive(Clone, Copy)]
enum Wish<'a> {
    /// There is none: nothing is decoded whole.
    Nothing,
    /// The entries, and their lists where there are any.
    Entries(Option<&'a Listing>),
}

type Sent = (u64, Result<Work, Discrepancy>);

/// Studies all of a source; with `fold`, applies its entries to that.
pub(super) fn study(
    source: &dyn Source,
    questions: &Questions,
    threads: NonZeroUsize,
    fold: Option<&mut Fold<'_>>,
    progress: Progress<'_>,
) -> Result<Studied, Discrepancy> {
    let (next, stop) = (AtomicU64::new(0), AtomicBool::new(false));
    let (sender, receiver) = sync_channel(2 * threads.get());
    let listing = fold.as_ref().and_then(|fold| fold.listing().cloned());
    let wish = if fold.is_some() { Wish::Entries(listing.as_ref()) } else { Wish::Nothing };
    std::thread::scope(|scope| {
        for _ in 0..threads.get() {
            let (sender, next, stop) = (sender.clone(), &next, &stop);
            scope.spawn(move || work(source, questions, wish, next, stop, &sender));
        }
        drop(sender);
        let studied = gather(source.size(), questions, fold, &receiver, progress);
        stop.store(true, Ordering::Relaxed);
        // Whoever waits for room in the channel must not wait for ever.
        drop(receiver);
        studied
    })
}

/// Takes one part after the other until there are none.
fn work(
    source: &dyn Source,
    questions: &Questions,
    wish: Wish<'_>,
    next: &AtomicU64,
    stop: &AtomicBool,
    sender: &SyncSender<Sent>,
) {
    let mut reader = match source.reader() {
        Ok(reader) => reader,
        Err(fault) => return drop(sender.send((0, Err(fault)))),
    };
    while !stop.load(Ordering::Relaxed) {
        let first = next.fetch_add(PART_ROWS, Ordering::Relaxed);
        if first > 0 && first >= source.size() {
            return;
        }
        let work = Work::of(reader.as_mut(), first, questions, wish);
        if sender.send((first, work)).is_err() {
            return;
        }
    }
}

impl Work {
    fn of(
        reader: &mut dyn PartReader,
        first: u64,
        questions: &Questions,
        wish: Wish<'_>,
    ) -> Result<Self, Discrepancy> {
        let rows = usize::try_from(PART_ROWS).unwrap_or(0);
        let mut work = Self {
            part: Part::new(first, &questions.watch),
            stamps: Vec::with_capacity(rows),
            texts: TextsSeen::default(),
            entries: Vec::with_capacity(if matches!(wish, Wish::Nothing) { 0 } else { rows }),
            lists: BlockLists::default(),
            listed: None,
            archived_to: None,
            fault: None,
            row_fault: None,
            body: Vec::new(),
        };
        let read = reader.read(first, &mut |item| work.take(&item, wish));
        if let Wish::Entries(Some(listing)) = wish {
            work.listed = Some(std::mem::take(&mut work.lists).sum(listing));
        }
        match (read, work.part.is_sound()) {
            (Err(fault), true) => Err(fault),
            _ => Ok(work),
        }
    }

    fn take(&mut self, item: &Item<'_>, wish: Wish<'_>) {
        let Ok(entry) = self.part.push(&item.row) else { return };
        let index = item.row.position;
        let Some(entry) = entry else {
            self.archived_to = Some(index);
            self.stamps.push(None);
            return;
        };
        match Stamp::of(&entry) {
            Ok(stamp) => self.stamps.push(Some(stamp)),
            Err(reason) => self.cannot_read(index, reason),
        }
        if !item.row.texts.is_empty() {
            self.note_texts(&entry, item);
        }
        if let Some(columns) = item.columns
            && (columns.kind != entry.kind || columns.actor != entry.actor)
        {
            self.row_fault.get_or_insert(Discrepancy::hidden(index));
        }
        if let (Wish::Entries(listing), None, Content::Here { bytes, .. }) =
            (wish, &self.fault, item.row.content)
        {
            self.decode(bytes, item, listing);
        }
    }

    /// Reads what the fold needs of an entry.
    fn decode(&mut self, bytes: &[u8], item: &Item<'_>, listing: Option<&Listing>) {
        let index = item.row.position;
        match decode_as_written(bytes, texts(item.row.texts), &mut self.body) {
            Ok((_, entry)) => {
                if let Some(listing) = listing {
                    self.lists.take(listing, item, &entry);
                }
                let request = item.columns.map(|columns| columns.request);
                self.entries.push(Folded { index, entry, request, is_listed: is_listed(item) });
            }
            Err(reason) => self.cannot_read(index, reason),
        }
    }

    fn cannot_read(&mut self, index: u64, reason: crate::BadEntry) {
        self.fault.get_or_insert(Discrepancy::Unreadable { index, reason });
    }

    fn note_texts(&mut self, entry: &EntryRef<'_>, item: &Item<'_>) {
        let index = entry.index;
        let owner = match owner_of(entry) {
            Ok(owner) => owner,
            Err(reason) => return self.cannot_read(index, reason.into()),
        };
        for (slot, text) in item.row.texts.iter().enumerate() {
            match text {
                _ if item.texts_are_elsewhere => {}
                TextBeside::Erased => self.texts.gone(owner, index, slot),
                TextBeside::Present { .. } => self.texts.present(owner, index),
            }
        }
    }
}

/// Whose the texts of an entry are; see [`Entry::text_owner`]. The body is read only where it says so.
fn owner_of(entry: &EntryRef<'_>) -> Result<Option<UserId>, minicbor::decode::Error> {
    match entry.kind {
        "group.created" => Ok(None),
        "user.added" | "session.opened" | "session.refused" => {
            let event: Event = minicbor::decode(entry.body)?;
            let (time, actor) = (brevet_core::Timestamp::from_micros(entry.time_micros), Actor::System);
            Ok(Entry { time, actor, session: None, event }.text_owner())
        }
        _ => Ok(UserId::parse(entry.actor).ok()),
    }
}

/// The texts beside an entry, for the rows that show them and the words that it is found by.
fn texts(beside: &[TextBeside<'_>]) -> Vec<Option<String>> {
    let text = |text: &TextBeside<'_>| match *text {
        TextBeside::Present { text, .. } => Some(text.to_owned()),
        TextBeside::Erased => None,
    };
    beside.iter().map(text).collect()
}

/// Puts the parts together in their order.
fn gather(
    size: u64,
    questions: &Questions,
    mut fold: Option<&mut Fold<'_>>,
    receiver: &Receiver<Sent>,
    progress: Progress<'_>,
) -> Result<Studied, Discrepancy> {
    let mut verifier = Verifier::new();
    let mut writer = Writer::new(questions.times.clone());
    let mut texts = TextsSeen::default();
    let mut archived_to = None;
    let mut early: BTreeMap<u64, Result<Work, Discrepancy>> = BTreeMap::new();
    let mut due = 0;
    for (first, work) in receiver {
        early.insert(first, work);
        while let Some(work) = early.remove(&due) {
            let Work {
                part, stamps, texts: seen, entries, listed, archived_to: until, fault, row_fault, ..
            } = work?;
            verifier.accept(part)?;
            fault.map_or(Ok(()), Err)?;
            for (index, stamp) in (due..).zip(stamps) {
                stamp.map_or(Ok(()), |stamp| writer.add(index, stamp))?;
            }
            texts.extend(seen);
            archived_to = until.or(archived_to);
            if let Some(fold) = &mut fold {
                fold.take(entries, listed, row_fault, until.is_some())?;
            }
            due += PART_ROWS;
            progress(verifier.size(), size);
        }
    }
    let archived_to = archived_to.filter(|_| !questions.hashes_only);
    let chronicle = writer.finish(&texts, &questions.erasing, archived_to)?;
    Ok(Studied { verifier, chronicle })
}

/// The result for those outside, when head, nodes and rows were compared.
#[derive(Debug)]
pub struct Account {
    /// What the entries add up to as bytes.
    pub derived: Derived,
    /// What they say about the ledger itself.
    pub chronicle: Chronicle,
    /// What the rows are, where there are any.
    pub rows: Option<Rows>,
}

/// Rows beside the ledger.
#[derive(Debug)]
pub enum Rows {
    /// So many say what the entries add up to.
    Same(u64),
    /// One does not.
    Differ(Discrepancy),
    /// They could not be compared: the first entries are in an archive that is not at hand.
    Unknown,
}
