//! Verifying a long ledger from its database, beside SHA-256 alone over the same bytes on the same cores.

use std::num::NonZeroUsize;
use std::path::Path;

use brevet_store::{Account, Questions, Rows, VerifiedFolder};
use rusqlite::{Connection, OpenFlags};
use sha2::{Digest as _, Sha256};

use super::Outcome;
use super::history::Historian;
use super::measure::{Sizes, float, folder, median, seconds};
use super::table::{Bar, Line, Unit, note};

type Failure = Box<dyn std::error::Error>;

/// Of bare hashing, in entries per second.
const RATIO_MIN: f64 = 0.3;

pub(crate) fn measure(sizes: &Sizes) -> Outcome {
    let place = folder()?;
    let data = place.path();
    Historian::open(data, sizes.requests[1])?.write_until(|history| history.entries() >= sizes.entries)?;
    let hashed = hashed(data)?;
    let bytes: usize = hashed.iter().map(Vec::len).sum();
    let threads = std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
    let (mut bare, mut whole, mut with_rows) = (Vec::new(), Vec::new(), Vec::new());
    let mut entries = 0;
    for _ in 0..sizes.rounds {
        bare.push(seconds(|| hash_all(&hashed, threads)).0);
        let (took, account) = seconds(|| study(data, false));
        entries = account?.derived.size;
        whole.push(took);
        let (took, account) = seconds(|| study(data, true));
        if !matches!(account?.rows, Some(Rows::Same(_))) {
            return Err("rows differ".into());
        }
        with_rows.push(took);
    }
    note(&format!(
        "{entries} entries, {} texts and entries of {bytes} bytes, {threads} threads",
        hashed.len()
    ));
    let limit = float(entries) / median(bare);
    let line = |what: &str, times: Vec<f64>, bar| {
        Line {
            what: what.to_owned(),
            limit_is: "SHA-256 of each entry and text, nothing else",
            unit: Unit::PerSecond,
            ours: float(entries) / median(times),
            limit,
            bar,
        }
        .print();
    };
    line("entries, texts, tree and head verified", whole, Bar::AtLeast(RATIO_MIN));
    line("the same, and rows compared with the fold", with_rows, Bar::None);
    Ok(())
}

fn study(data: &Path, rows: bool) -> Result<Account, Failure> {
    let folder = VerifiedFolder::open(data)?;
    Ok(folder.study(Vec::new(), &[], &Questions::default(), rows, &|_, _| ())?)
}

/// The bytes that every verifier must hash: each entry, and each text with its salt.
fn hashed(data: &Path) -> Result<Vec<Vec<u8>>, Failure> {
    let connection = Connection::open_with_flags(data.join("brevet.db"), OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let mut hashed = Vec::new();
    for sql in ["SELECT bytes FROM entry ORDER BY seq", "SELECT CAST(salt || value AS BLOB) FROM entry_text"]
    {
        let mut statement = connection.prepare(sql)?;
        let rows = statement.query_map([], |row| row.get::<_, Vec<u8>>(0))?;
        hashed.extend(rows.collect::<Result<Vec<_>, _>>()?);
    }
    Ok(hashed)
}

/// The limit: the hashes alone, of what lies in memory already.
fn hash_all(all: &[Vec<u8>], threads: NonZeroUsize) -> u8 {
    let part = all.len().div_ceil(threads.get()).max(1);
    std::thread::scope(|scope| {
        let hash = |part: &[Vec<u8>]| part.iter().fold(0, |sum, bytes| sum ^ Sha256::digest(bytes)[0]);
        let threads: Vec<_> = all.chunks(part).map(|part| scope.spawn(move || hash(part))).collect();
        threads.into_iter().fold(0, |sum, thread| sum ^ thread.join().unwrap_or(0))
    })
}
