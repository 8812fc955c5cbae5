//! A long history: starting on it, verifying it, and the first page of each list.
//!
//! The ledger is written by the store itself, decided by the core, a thousand commands to a transaction.

use std::path::Path;

use brevet::world::{Machine, World as _};
use brevet_core::{
    Change, Command, Entry, ExecutionResult, Origin, Reply, RequestId, Span, State, Timestamp, UserId,
    Verdict, transact,
};
use brevet_ledger::Salt;
use brevet_store::{
    ANCHOR_FILE, Anchor, AuthorizationFilter, Batch, DataFolder, EntryFilter, ExecutionFilter, Reader,
    RequestFilter, Store, StoreError, verify_folder,
};

use super::Outcome;
use super::measure::{Dice, Sizes, float, folder, median, seconds};
use super::organization::{self, APPROVER, approve, person, revoke, submit, submit_because};
use super::server;
use super::table::{Bar, Line, Unit, note};

type Failure = Box<dyn std::error::Error>;

const BATCH: usize = 1_024;
const PAGE: usize = 50;
/// Times that each list is read on each side.
const READINGS: usize = 101;
const START_MAX_SECONDS: f64 = 5.0;
const VERIFY_MAX_SECONDS: f64 = 3.0;
const ROUNDS: usize = 5;
const GROWTH_MAX: f64 = 4.0;

pub(crate) fn measure(sizes: &Sizes) -> Outcome {
    let [few, many] = sizes.requests;
    let (small, large) = (folder()?, folder()?);
    Historian::open(small.path(), few)?.write_until(|history| history.requests() >= few)?;
    let mut historian = Historian::open(large.path(), many)?;
    let (taken, written) = seconds(|| historian.write_until(|history| history.entries() >= sizes.entries));
    written?;
    let entries = historian.entries();
    note(&format!("{entries} entries were written in {taken:.0} s, {:.0} /s", float(entries) / taken));
    historian.anchor(large.path())?;

    start(large.path(), entries)?;
    verify(large.path(), entries)?;

    let mut historian = Historian::open(large.path(), many)?;
    historian.brief = true;
    historian.write_until(|history| history.requests() >= many)?;
    note(&format!("lists: {few} requests, and {many} in {} entries", historian.entries()));
    drop(historian);
    lists(small.path(), large.path())
}

fn start(data: &Path, entries: u64) -> Outcome {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let mut times = Vec::new();
    for _ in 0..ROUNDS {
        let (taken, app) = seconds(|| runtime.block_on(server::open(data)));
        drop(app?);
        times.push(taken);
        wait_until_free(data);
    }
    Line {
        what: format!("start with {entries} entries"),
        limit_is: "the number to reach",
        unit: Unit::Seconds,
        ours: median(times),
        limit: START_MAX_SECONDS,
        bar: Bar::AtMost(1.0),
    }
    .print();
    Ok(())
}

/// The sequencer lets go of the folder a moment after its application was dropped.
fn wait_until_free(data: &Path) {
    while DataFolder::claim(data).is_err() {
        std::thread::yield_now();
    }
}

fn verify(data: &Path, entries: u64) -> Outcome {
    let mut times = Vec::new();
    for _ in 0..ROUNDS {
        let (taken, report) = seconds(|| verify_folder(data, None, &[], &|_, _| ()));
        if report?.ledger.size < entries {
            return Err("entries are missing".into());
        }
        times.push(taken);
    }
    Line {
        what: format!("verify {entries} entries"),
        limit_is: "the number to reach",
        unit: Unit::Seconds,
        ours: median(times),
        limit: VERIFY_MAX_SECONDS,
        bar: Bar::AtMost(1.0),
    }
    .print();
    Ok(())
}

type List = (&'static str, fn(&Reader) -> Result<usize, StoreError>);

const SOMEBODY: UserId = UserId::new(57);

const LISTS: &[List] = &[
    ("requests", |reader| requests(reader, None, None)),
    ("requests, pending", |reader| requests(reader, Some(0), None)),
    ("requests, denied", |reader| requests(reader, Some(2), None)),
    ("requests of one person", |reader| requests(reader, None, Some(SOMEBODY))),
    ("requests of one person, pending", |reader| requests(reader, Some(0), Some(SOMEBODY))),
    ("authorizations", |reader| authorizations(reader, AuthorizationFilter::default())),
    ("authorizations, active", |reader| {
        authorizations(reader, AuthorizationFilter { state: Some(1), holder: None })
    }),
    ("authorizations of one person", |reader| {
        authorizations(reader, AuthorizationFilter { state: None, holder: Some(SOMEBODY) })
    }),
    ("executions", |reader| executions(reader, ExecutionFilter::default())),
    ("executions that run", |reader| executions(reader, ExecutionFilter { running: Some(true), user: None })),
    ("executions of one person", |reader| {
        executions(reader, ExecutionFilter { running: None, user: Some(SOMEBODY) })
    }),
    ("entries", |reader| entries(reader, EntryFilter::default())),
    ("entries of a frequent kind", |reader| entries(reader, of_kind("request.submitted"))),
    ("entries of a rare kind", |reader| entries(reader, of_kind("group.created"))),
    ("entries by one person", |reader| {
        entries(reader, EntryFilter { actor: Some("usr-57".into()), ..EntryFilter::default() })
    }),
    ("entries by one person, of a kind", |reader| {
        entries(reader, EntryFilter { actor: Some("usr-57".into()), ..of_kind("request.cancelled") })
    }),
    ("entries of one request", |reader| {
        entries(reader, EntryFilter { request: Some(RequestId::new(777)), ..EntryFilter::default() })
    }),
];

fn of_kind(kind: &str) -> EntryFilter {
    EntryFilter { kind: Some(kind.to_owned()), ..EntryFilter::default() }
}

fn requests(reader: &Reader, state: Option<u8>, requester: Option<UserId>) -> Result<usize, StoreError> {
    Ok(reader.requests(RequestFilter { state, requester }, None, PAGE)?.items.len())
}

fn authorizations(reader: &Reader, filter: AuthorizationFilter) -> Result<usize, StoreError> {
    Ok(reader.authorizations(filter, None, PAGE)?.items.len())
}

fn executions(reader: &Reader, filter: ExecutionFilter) -> Result<usize, StoreError> {
    Ok(reader.executions(filter, None, PAGE)?.items.len())
}

fn entries(reader: &Reader, filter: EntryFilter) -> Result<usize, StoreError> {
    Ok(reader.entries(&filter, None, PAGE)?.items.len())
}

fn lists(small: &Path, large: &Path) -> Outcome {
    let small = Reader::open(&DataFolder::visit(small)?)?;
    let large = Reader::open(&DataFolder::visit(large)?)?;
    for (name, list) in LISTS {
        let (mut few, mut many) = (Vec::new(), Vec::new());
        for _ in 0..READINGS {
            for (reader, times) in [(&small, &mut few), (&large, &mut many)] {
                let (taken, read) = seconds(|| list(reader));
                read?;
                times.push(taken * 1e6);
            }
        }
        Line {
            what: format!("first page: {name}"),
            limit_is: "the same list of few requests",
            unit: Unit::Microseconds,
            ours: median(many),
            limit: median(few),
            bar: Bar::AtMost(GROWTH_MAX),
        }
        .print();
    }
    Ok(())
}

/// Why somebody asks, by the number of the story.
pub(crate) type Reason = fn(&mut Dice, u64) -> String;

/// Writes stories until there are enough.
pub(crate) struct Historian {
    store: Store,
    state: State,
    now: Timestamp,
    people: u32,
    told: u64,
    /// Only requests that come to nothing: they are what the lists are made of.
    brief: bool,
    reason: Option<Reason>,
    batch: usize,
    dice: Dice,
    entries: Vec<Entry>,
    changes: Vec<Change>,
}

impl Historian {
    /// With one person for a hundred requests.
    pub(crate) fn open(data: &Path, requests: u64) -> Result<Self, Failure> {
        let people = u32::try_from(requests / 100)?.max(100);
        let mut store = Store::open(DataFolder::claim(data)?, [7; 32])?;
        let state = store.load()?;
        // A little ago, so that what is given is in force when the server starts on it.
        let now = state.last().unwrap_or_else(|| Machine.now().minus(Span::hours(2)));
        let told = state.counters().requests;
        let (entries, changes) = (Vec::new(), Vec::new());
        let (brief, reason, dice) = (false, None, Dice(1));
        let mut historian =
            Self { store, state, now, people, told, brief, reason, batch: BATCH, dice, entries, changes };
        if historian.store.size() == 0 {
            let origin = historian.store.origin().to_owned();
            historian.does(Origin::SYSTEM, Command::OpenLedger { origin })?;
            for (origin, command) in organization::founding(people, vec![organization::spec()?])? {
                historian.does(origin, command)?;
            }
        }
        Ok(historian)
    }

    /// From now on everybody asks for reasons of their own.
    pub(crate) const fn give(&mut self, reason: Reason) {
        self.reason = Some(reason);
    }

    /// From now on so many entries to a transaction, or one more command's.
    pub(crate) const fn batch(&mut self, entries: usize) {
        self.batch = entries;
    }

    pub(crate) const fn entries(&self) -> u64 {
        self.store.size() + self.entries.len() as u64
    }

    const fn requests(&self) -> u64 {
        self.state.counters().requests - 1
    }

    /// Writes the anchor as a server would have done, so that one starts on this ledger.
    pub(crate) fn anchor(self, data: &Path) -> Outcome {
        Ok(Anchor::hold(&data.join(ANCHOR_FILE))?.replace(self.store.checkpoint())?)
    }

    /// Stories until so many requests were told in full, then requests that come to nothing until there are so many.
    pub(crate) fn write_requests(&mut self, full: u64, all: u64) -> Outcome {
        self.write_until(|history| history.requests() >= full)?;
        self.brief = true;
        self.write_until(|history| history.requests() >= all)
    }

    pub(crate) fn write_until(&mut self, enough: impl Fn(&Self) -> bool) -> Outcome {
        while !enough(self) {
            self.story()?;
        }
        self.write()
    }

    fn does(&mut self, origin: Origin, command: Command) -> Result<Reply, Failure> {
        self.now = self.now.plus(Span::from_micros(1_000)?);
        let outcome = transact(&mut self.state, self.now, origin, command)?;
        self.entries.extend(outcome.entries);
        self.changes.extend(outcome.changes);
        if self.entries.len() >= self.batch {
            self.write()?;
        }
        Ok(outcome.reply)
    }

    pub(crate) fn write(&mut self) -> Outcome {
        let Self { store, state, dice, entries, changes, .. } = self;
        let mut salt = || {
            let mut bytes = [0; Salt::BYTES];
            bytes[..8].copy_from_slice(&dice.roll().to_be_bytes());
            Salt::from_bytes(bytes)
        };
        store.append(&Batch { entries, changes, state, side: &[] }, &mut salt)?;
        state.forget(changes);
        entries.clear();
        changes.clear();
        Ok(())
    }

    /// Of ten requests one stays open, one is withdrawn, one denied; of the seven that are approved and used,
    /// one stays in force.
    fn story(&mut self) -> Outcome {
        self.told += 1;
        let requester = person(u32::try_from(self.told % u64::from(self.people))?);
        let asked = match self.reason {
            Some(reason) => submit_because(&reason(&mut self.dice, self.told))?,
            None => submit()?,
        };
        let Reply::Request(request) = self.does(requester, asked)? else { return Ok(()) };
        match self.told % 10 {
            0 => Ok(()),
            1 => self.does(requester, Command::Cancel(request)).map(drop),
            odd if self.brief && odd % 2 == 1 => self.does(requester, Command::Cancel(request)).map(drop),
            _ if self.brief => Ok(()),
            2 => {
                let comment = brevet_core::Text::default();
                let denied = Command::Decide { request, verdict: Verdict::Deny, duration: None, comment };
                self.does(APPROVER, denied).map(drop)
            }
            ending => self.use_it(requester, request, ending == 9),
        }
    }

    fn use_it(&mut self, requester: Origin, request: RequestId, keep: bool) -> Outcome {
        self.does(APPROVER, approve(request)?)?;
        let Reply::Execution(execution) = self.does(requester, organization::run()?)? else { return Ok(()) };
        let finished = Command::FinishRun { execution, result: ExecutionResult::Succeeded, output: None };
        self.does(Origin::SYSTEM, finished)?;
        let user = requester.user_id().unwrap_or(UserId::new(0));
        let given =
            self.state.authorizations_of(user).find(|held| held.request == request).map(|held| held.id);
        match given {
            Some(given) if !keep => self.does(APPROVER, revoke(given)?).map(drop),
            _ => Ok(()),
        }
    }
}
