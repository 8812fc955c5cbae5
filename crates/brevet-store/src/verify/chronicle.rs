//! What the entries say about the ledger itself and about its time: starts and stops, heartbeats, moved clocks, changed
//! keys, erased texts, archives.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use brevet_core::{Digest, Event, ServerId, Span, Timestamp, UserId};
use brevet_ledger::{EntryRef, Rotation, VerifierKey};

use super::Discrepancy;
use crate::codec::{BadEntry, is_deterministic};

/// How long after the entry that says so texts may still be there, by the ledger's own time, when the folder says that a
/// server is erasing them. A server does that in steps of a moment each, and at its start what a crash left.
const ERASING_MAX: Span = Span::hours(1);

/// What a ledger says about itself.
#[derive(Debug, Clone, Default)]
pub struct Chronicle {
    /// Its name, by its first entry.
    pub origin: Option<String>,
    /// The ledger that it goes on from, by its first entry.
    pub recovered: Option<Recovered>,
    /// Changes of the key that signs checkpoints, in order.
    pub rotations: Vec<Rotation>,
    /// Archives, in order.
    pub archives: Vec<ArchiveStated>,
    /// How often texts of somebody were erased.
    pub erasures: u64,
    /// People whose texts a server has said are gone, and was still erasing.
    pub erasing: Vec<UserId>,
    /// Periods longer than two heartbeats without an entry and without a stop.
    pub gaps: Vec<Gap>,
    /// Starts without a stop before them: a crash, or a lost end.
    pub crashes: Vec<Gap>,
    /// Clocks that were moved.
    pub clock_steps: Vec<ClockStep>,
    /// The times of the entries that were asked for.
    pub times: BTreeMap<u64, Timestamp>,
    /// Whether the last entry is the orderly end of a server.
    pub is_stopped: bool,
    /// The heartbeat that was last stated.
    pub every: Option<Span>,
}

/// The ledger before this one.
#[derive(Debug, Clone)]
pub struct Recovered {
    /// Its name.
    pub previous: String,
    /// How many of its entries were at hand.
    pub size: u64,
    /// The root over these.
    pub root: Digest,
    /// Its last checkpoint that was known.
    pub note: String,
}

/// An archive, as the ledger states it.
#[derive(Debug, Clone)]
pub struct ArchiveStated {
    /// The entry that states it.
    pub index: u64,
    /// The entries before this one are in it, or in one before it.
    pub size: u64,
    /// SHA-256 of the file.
    pub file: Digest,
}

/// A period between two consecutive entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gap {
    /// The entry at its end.
    pub index: u64,
    /// The time of the entry before it.
    pub from: Timestamp,
    /// The time of the entry at its end.
    pub to: Timestamp,
}

/// A clock that was moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClockStep {
    /// The entry that says so.
    pub index: u64,
    /// When.
    pub time: Timestamp,
    /// By how much.
    pub by: Span,
    /// Whether it went back.
    pub back: bool,
}

/// What one entry is to the chronicle: its time and, for the few kinds that matter, what it says.
#[derive(Debug)]
pub(super) struct Stamp {
    time: i64,
    event: Option<Box<Event>>,
}

impl Stamp {
    pub(super) fn of(entry: &EntryRef<'_>) -> Result<Self, BadEntry> {
        if !is_deterministic(entry.body) {
            return Err(BadEntry::Form);
        }
        let event = match is_told(entry.kind) {
            true => Some(Box::new(minicbor::decode(entry.body)?)),
            false => None,
        };
        Ok(Self { time: entry.time_micros, event })
    }
}

/// The kinds that a chronicle is made of.
fn is_told(kind: &str) -> bool {
    matches!(
        kind,
        "ledger.opened"
            | "server.started"
            | "server.stopped"
            | "server.lost"
            | "server.clock-stepped"
            | "ledger.heartbeat"
            | "ledger.key-rotated"
            | "ledger.recovered"
            | "ledger.texts-erased"
            | "ledger.archived"
    )
}

/// Writes the chronicle, entry by entry.
#[derive(Debug, Default)]
pub(super) struct Writer {
    chronicle: Chronicle,
    wanted: BTreeSet<u64>,
    last: Option<i64>,
    /// Those of several servers that are there.
    servers: BTreeSet<ServerId>,
    /// By person: the last entry that says that their texts are gone.
    erased: HashMap<UserId, Said>,
}

/// Where and when an entry says that somebody's texts are gone.
#[derive(Debug, Clone, Copy)]
struct Said {
    index: u64,
    time: Timestamp,
}

impl Writer {
    /// Remembers the times of these entries.
    pub(super) fn new(wanted: BTreeSet<u64>) -> Self {
        Self { wanted, ..Self::default() }
    }

    pub(super) fn add(&mut self, index: u64, stamp: Stamp) -> Result<(), Discrepancy> {
        let Stamp { time, event } = stamp;
        let at = Timestamp::from_micros(time);
        if self.wanted.contains(&index) {
            self.chronicle.times.insert(index, at);
        }
        let was_stopped = std::mem::take(&mut self.chronicle.is_stopped);
        let starts = matches!(event.as_deref(), Some(Event::ServerStarted { .. }));
        let beside_others = starts && !self.servers.is_empty();
        if let Some(last) = self.last
            && !was_stopped
        {
            let gap = Gap { index, from: Timestamp::from_micros(last), to: at };
            let every = self.chronicle.every.map_or(i64::MAX, |every| every.micros().saturating_mul(2));
            let is_long = time.saturating_sub(last) > every;
            // A server that starts beside others interrupts nothing, unless they were all silent for long.
            if starts && (is_long || !beside_others) {
                // The entry that opens a ledger is followed by a start.
                self.chronicle.crashes.extend((index > 1).then_some(gap));
            } else if is_long {
                self.chronicle.gaps.push(gap);
            }
        }
        self.last = Some(time);
        event.map_or(Ok(()), |event| self.tell(index, at, *event))
    }

    fn tell(&mut self, index: u64, time: Timestamp, event: Event) -> Result<(), Discrepancy> {
        let chronicle = &mut self.chronicle;
        match event {
            Event::LedgerOpened { origin } if index == 0 => chronicle.origin = Some(origin),
            Event::LedgerRecovered { origin, previous, size, root, note } if index == 0 => {
                chronicle.origin = Some(origin);
                chronicle.recovered = Some(Recovered { previous, size, root, note });
            }
            Event::ServerStarted { server: Some(server), .. } => drop(self.servers.insert(server)),
            Event::ServerStopped { server: None } => chronicle.is_stopped = true,
            Event::ServerStopped { server: Some(server) } => {
                self.servers.remove(&server);
                chronicle.is_stopped = self.servers.is_empty();
            }
            Event::ServerLost { server } => drop(self.servers.remove(&server)),
            Event::Heartbeat { every } => chronicle.every = Some(every),
            Event::ClockStepped { by, back } => {
                chronicle.clock_steps.push(ClockStep { index, time, by, back });
            }
            Event::TextsErased { user } => {
                chronicle.erasures += 1;
                self.erased.insert(user, Said { index, time });
            }
            Event::Archived { size, file, .. } => {
                chronicle.archives.push(ArchiveStated { index, size, file });
            }
            Event::KeyRotated { old, new, .. } => {
                let key = |text: &str| -> Result<VerifierKey, Discrepancy> {
                    text.parse().map_err(|reason| Discrepancy::KeyEntry { index, reason })
                };
                chronicle.rotations.push(Rotation { index, old: key(&old)?, new: key(&new)? });
            }
            _ => {}
        }
        Ok(())
    }

    pub(super) fn finish(
        mut self,
        texts: &TextsSeen,
        erasing: &BTreeSet<UserId>,
        archived_to: Option<u64>,
    ) -> Result<Chronicle, Discrepancy> {
        let end = self.last.map_or(i64::MAX, |last| last.saturating_sub(ERASING_MAX.micros()));
        let recent = |user: &&UserId| {
            self.erased.get(user).is_some_and(|said| said.time >= Timestamp::from_micros(end))
        };
        self.chronicle.erasing = erasing.iter().filter(recent).copied().collect();
        texts.check(&self.erased, &self.chronicle.erasing)?;
        let stated = self.chronicle.archives.iter().map(|archive| archive.size).max().unwrap_or(0);
        match archived_to {
            Some(last) if last >= stated => Err(Discrepancy::BytesGone { index: last }),
            _ => Ok(self.chronicle),
        }
    }
}

/// Whose texts are there, and whose are gone.
#[derive(Debug, Clone, Default)]
pub(super) struct TextsSeen(HashMap<Option<UserId>, Seen>);

#[derive(Debug, Clone, Copy, Default)]
struct Seen {
    /// The first entry with a text that is there.
    first_present: Option<u64>,
    /// The last entry with a text that is gone, and which of its texts.
    last_gone: Option<(u64, usize)>,
}

impl TextsSeen {
    pub(super) fn present(&mut self, owner: Option<UserId>, index: u64) {
        self.0.entry(owner).or_default().first_present.get_or_insert(index);
    }

    pub(super) fn gone(&mut self, owner: Option<UserId>, index: u64, slot: usize) {
        self.0.entry(owner).or_default().last_gone = Some((index, slot));
    }

    /// Takes what was seen in later entries.
    pub(super) fn extend(&mut self, later: Self) {
        for (owner, seen) in later.0 {
            let all = self.0.entry(owner).or_default();
            all.first_present = all.first_present.or(seen.first_present);
            all.last_gone = seen.last_gone.or(all.last_gone);
        }
    }

    /// A text may be gone only where a later entry says that its owner's texts are, and then it must be, unless they
    /// are just going.
    fn check(&self, erased: &HashMap<UserId, Said>, erasing: &[UserId]) -> Result<(), Discrepancy> {
        let mut owners: Vec<_> = self.0.iter().collect();
        owners.sort_unstable_by_key(|(owner, _)| **owner);
        for (owner, seen) in owners {
            let said = owner.and_then(|owner| erased.get(&owner)).map(|said| said.index);
            let is_going = owner.is_some_and(|owner| erasing.contains(&owner));
            if let Some((index, slot)) = seen.last_gone
                && said.is_none_or(|said| said <= index)
            {
                return Err(Discrepancy::TextMissing { index, slot });
            }
            if let (Some(index), Some(said)) = (seen.first_present, said)
                && index < said
                && !is_going
            {
                return Err(Discrepancy::TextStays { index, said });
            }
        }
        Ok(())
    }
}
