//! Searching a ledger of ten million entries: the first page of each kind of search beside the same search of ten
//! thousand, what the lists that searches go by cost the writer, and a proof in the long ledger.

use std::path::Path;

use brevet_core::{RequestId, Timestamp};
use brevet_store::{DataFolder, EntryFilter, Reader, StoreError, Words};
use rusqlite::Connection;

use super::Outcome;
use super::history::Historian;
use super::measure::{Dice, Sizes, float, folder, median, seconds};
use super::table::{Bar, Line, Unit, note};

type Failure = Box<dyn std::error::Error>;

const PAGE: usize = 50;
/// Times that each search is made on each side.
const READINGS: usize = 61;
const GROWTH_MAX: f64 = 4.0;
const PROOF_MAX_MICROSECONDS: f64 = 5_000.0;
const VOCABULARY: f64 = 5_000.0;
const SYLLABLES: [&str; 16] =
    ["ba", "den", "fo", "gal", "hi", "jun", "ke", "lor", "mi", "nas", "pu", "rek", "so", "tal", "vi", "wen"];

pub(crate) fn measure(sizes: &Sizes) -> Outcome {
    let [few, many] = sizes.searched;
    let (small, large) = (folder()?, folder()?);
    write(small.path(), few)?;
    let (taken, written) = seconds(|| write(large.path(), many));
    written?;
    let bytes = std::fs::metadata(DataFolder::visit(large.path())?.database())?.len();
    note(&format!(
        "{many} entries were written in {taken:.0} s, {:.0} /s; the database has {} MiB",
        float(many) / taken,
        bytes >> 20
    ));
    let (small, large) = (Side::open(small.path())?, Side::open(large.path())?);
    by_key(&small, &large)?;
    for (name, search) in SEARCHES {
        first_page(name, *search, &small, &large)?;
    }
    to_the_end(&large)?;
    proof(&large)?;
    drop((small, large));
    cost(sizes)
}

fn write(data: &Path, entries: u64) -> Outcome {
    // Fewer than a hundred open requests of each.
    let mut historian = Historian::open(data, entries / 4)?;
    historian.give(reason);
    historian.write_until(|history| history.entries() >= entries)
}

/// Eight words as frequent as words are (by the law of Zipf), the number of a ticket that nobody else has, and
/// some words whose frequency is known.
fn reason(dice: &mut Dice, told: u64) -> String {
    let mut text = format!("INC-{told}");
    for _ in 0..8 {
        text.push(' ');
        text.push_str(&word(rank(dice)));
    }
    text.push_str(if told.is_multiple_of(2) { " alpha" } else { " omega" });
    match told % 1_000 {
        1 => text.push_str(" copper"),
        2 => text.push_str(" nickel"),
        _ => {}
    }
    if told % 50_000 == 7 {
        text.push_str(" quicksilver");
    }
    text
}

/// Logarithmically even: a word's frequency is the reciprocal of its rank.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 1 and the vocabulary")]
fn rank(dice: &mut Dice) -> usize {
    let chance = float(dice.below(1 << 32)) / float(1 << 32);
    VOCABULARY.powf(chance) as usize
}

fn word(rank: usize) -> String {
    [rank / 256 % 16, rank / 16 % 16, rank % 16].map(|part| SYLLABLES[part]).concat()
}

/// One of the two ledgers.
struct Side {
    reader: Reader,
    bare: Connection,
    size: u64,
    /// A third and two thirds of the way.
    between: [Timestamp; 2],
}

impl Side {
    fn open(data: &Path) -> Result<Self, Failure> {
        let folder = DataFolder::visit(data)?;
        let reader = Reader::open(&folder)?;
        let size = reader.size()?;
        let time = |index| -> Result<Timestamp, Failure> {
            Ok(reader.entry(index)?.ok_or("an entry is missing")?.entry.time)
        };
        let between = [time(size / 3)?, time(size / 3 * 2)?];
        let bare = Connection::open(folder.database())?;
        bare.pragma_update(None, "mmap_size", 1_i64 << 30)?;
        Ok(Self { reader, bare, size, between })
    }
}

type Search = fn(&Side) -> EntryFilter;

const SEARCHES: &[(&str, Search)] = &[
    ("everything", |_| all()),
    ("a frequent kind", |_| kind("request.submitted")),
    ("a rare kind", |_| kind("group.created")),
    ("a family of kinds", |_| kind("request.*")),
    ("one actor", |_| actor("usr-57")),
    ("the system", |_| actor("system")),
    ("one request", |_| EntryFilter { request: Some(RequestId::new(777)), ..all() }),
    ("one task", |_| EntryFilter { task: Some("Linux/True".into()), ..all() }),
    ("an outcome", |_| outcome("denied")),
    ("a time", |side| EntryFilter { since: Some(side.between[0]), until: Some(side.between[1]), ..all() }),
    ("a frequent word", |_| text("alpha")),
    ("a word", |_| text(&word(300))),
    ("a rare word", |_| text("quicksilver")),
    ("a word of one entry", |_| text("INC 777")),
    ("two frequent words", |_| text(&format!("alpha {}", word(2)))),
    ("a rare and a frequent word", |_| text("quicksilver omega")),
    ("two words", |_| text(&format!("{} {}", word(200), word(100)))),
    ("words that begin so", |_| text(&format!("{}*", SYLLABLES[3]))),
    ("two frequent words that are never together", |_| text("alpha omega")),
    ("two words that are never together", |_| text("copper nickel")),
    ("a word and a kind that are never together", |_| EntryFilter {
        kind: Some("group.created".into()),
        ..text("alpha")
    }),
    ("an actor and an outcome", |_| EntryFilter { actor: Some("usr-57".into()), ..outcome("cancelled") }),
    ("a kind, a task, an outcome", |_| EntryFilter {
        kind: Some("execution.finished".into()),
        task: Some("Linux\\true".into()),
        ..outcome("succeeded")
    }),
    ("an actor, a kind, a task, a word, a time", |side| EntryFilter {
        actor: Some("usr-57".into()),
        kind: Some("request.submitted".into()),
        task: Some("Linux/True".into()),
        until: Some(side.between[1]),
        ..text("alpha")
    }),
    ("an outcome that no entry of the kind has", |_| EntryFilter {
        kind: Some("session.refused".into()),
        ..outcome("succeeded")
    }),
    ("a word that nobody wrote", |_| text("zzz")),
    ("somebody unknown", |_| actor("usr-999999")),
];

fn all() -> EntryFilter {
    EntryFilter::default()
}

fn kind(kind: &str) -> EntryFilter {
    EntryFilter { kind: Some(kind.into()), ..all() }
}

fn actor(actor: &str) -> EntryFilter {
    EntryFilter { actor: Some(actor.into()), ..all() }
}

fn outcome(outcome: &str) -> EntryFilter {
    EntryFilter { outcome: Some(outcome.into()), ..all() }
}

fn text(words: &str) -> EntryFilter {
    EntryFilter { text: Words::parse(words).ok(), ..all() }
}

/// What a page would cost if its entries were known and lay together.
fn by_key(small: &Side, large: &Side) -> Outcome {
    let read = |side: &Side| -> Result<usize, Failure> {
        let mut statement =
            side.bare.prepare_cached("SELECT bytes FROM entry WHERE seq >= ?1 ORDER BY seq LIMIT ?2")?;
        let rows = statement.query_map([i64::try_from(side.size / 2)?, i64::try_from(PAGE)?], |row| {
            row.get::<_, Vec<u8>>(0)
        })?;
        Ok(rows.collect::<Result<Vec<_>, _>>()?.len())
    };
    side_by_side("50 rows by primary key", "the same of few entries", Bar::None, small, large, &read)
}

fn first_page(name: &str, search: Search, small: &Side, large: &Side) -> Outcome {
    let read = |side: &Side| -> Result<usize, Failure> {
        Ok(side.reader.entries(&search(side), None, PAGE)?.items.len())
    };
    let what = format!("first page: {name}");
    side_by_side(&what, "the same search of few entries", Bar::AtMost(GROWTH_MAX), small, large, &read)
}

fn side_by_side(
    what: &str,
    limit_is: &'static str,
    bar: Bar,
    small: &Side,
    large: &Side,
    read: &dyn Fn(&Side) -> Result<usize, Failure>,
) -> Outcome {
    let (mut few, mut many) = (Vec::new(), Vec::new());
    let mut found = [0, 0];
    for _ in 0..READINGS {
        for (place, side, times) in [(0, small, &mut few), (1, large, &mut many)] {
            let (taken, read) = seconds(|| read(side));
            found[place] = read?;
            times.push(taken * 1e6);
        }
    }
    // Fifty entries take longer to read than one: only pages with as many on them are judged.
    let bar = if found[0] == found[1] { bar } else { Bar::None };
    let what = format!("{what} ({}/{})", found[1], found[0]);
    Line { what, limit_is, unit: Unit::Microseconds, ours: median(many), limit: median(few), bar }.print();
    Ok(())
}

/// A search that finds nothing ends for each page after so much; here are all of them.
fn to_the_end(large: &Side) -> Outcome {
    for words in ["alpha omega", "copper nickel"] {
        let (mut cursor, mut pages) = (None, 0);
        let (taken, read) = seconds(|| -> Result<(), StoreError> {
            loop {
                let page = large.reader.entries(&text(words), cursor, PAGE)?;
                pages += 1;
                cursor = page.next;
                if cursor.is_none() {
                    return Ok(());
                }
            }
        });
        read?;
        note(&format!("'{words}', to the beginning of the ledger: {pages} pages, {:.1} ms", taken * 1e3));
    }
    Ok(())
}

fn proof(large: &Side) -> Outcome {
    let mut dice = Dice(7);
    let mut times = Vec::new();
    for _ in 0..READINGS {
        let index = dice.below(large.size);
        let (taken, receipt) = seconds(|| large.reader.receipt(index));
        receipt?.ok_or("an entry without a proof")?;
        times.push(taken * 1e6);
    }
    Line {
        what: format!("a proof in {} entries", large.size),
        limit_is: "the number to reach",
        unit: Unit::Microseconds,
        ours: median(times),
        limit: PROOF_MAX_MICROSECONDS,
        bar: Bar::AtMost(1.0),
    }
    .print();
    Ok(())
}

/// What the lists cost the writer: the same stories into a store that has none, with the two indexes that stood
/// in their place before, and without.
fn cost(sizes: &Sizes) -> Outcome {
    for (batch, what) in [(1, "entries in transactions of 1 command"), (64, "entries in transactions of 64")]
    {
        let mut rates = [Vec::new(), Vec::new(), Vec::new()];
        for _ in 0..sizes.rounds {
            for (rates, without) in rates.iter_mut().zip([None, Some(FORMER), Some("")]) {
                rates.push(rate(sizes, batch, without)?);
            }
        }
        let [ours, former, none] = rates.map(median);
        for (limit, limit_is) in [(former, "with two indexes instead"), (none, "without lists or indexes")] {
            Line { what: what.into(), limit_is, unit: Unit::PerSecond, ours, limit, bar: Bar::None }.print();
        }
    }
    Ok(())
}

const FORMER: &str =
    "CREATE INDEX entry_by_kind ON entry (kind, seq); CREATE INDEX entry_by_actor ON entry (actor, seq);";

/// Entries per second, of a story at a time.
fn rate(sizes: &Sizes, batch: usize, without: Option<&str>) -> Result<f64, Failure> {
    let folder = folder()?;
    Historian::open(folder.path(), 10_000)?.write_until(|history| history.entries() >= 5_000)?;
    if let Some(sql) = without {
        let database = Connection::open(DataFolder::visit(folder.path())?.database())?;
        // As if the lists went far beyond the end: nothing is added to them.
        database.execute_batch(&format!("UPDATE term_head SET size = 1 << 40; {sql}"))?;
    }
    let mut historian = Historian::open(folder.path(), 10_000)?;
    historian.give(reason);
    historian.batch(batch);
    let before = historian.entries();
    let enough = before + if batch == 1 { 2_000 } else { 20_000 } * sizes.rounds as u64 / 7;
    let (taken, written) = seconds(|| historian.write_until(|history| history.entries() >= enough));
    written?;
    Ok(float(historian.entries() - before) / taken)
}
