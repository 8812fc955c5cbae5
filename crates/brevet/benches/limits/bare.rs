//! The limit of a durable command: the rows that ours wrote, written by a program that does nothing else.

use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use rusqlite::{Connection, OpenFlags, TransactionBehavior, params};
use tokio::sync::oneshot;

use super::callers::BareProgram;

type Failure = Box<dyn std::error::Error>;

const STORIES: u32 = 200;
const BATCH_MAX: usize = 1_024;
const QUEUE_MAX: usize = 8_192;
/// Entries for each node of the tree that is stored.
const NODE_EVERY: i64 = 256;

/// One of the three commands of a story.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Step {
    Submit,
    Approve,
    Revoke,
}

#[derive(Debug)]
pub(crate) struct EntryRow {
    pub(crate) kind: String,
    pub(crate) actor: String,
    pub(crate) leaf: Vec<u8>,
    pub(crate) bytes: Vec<u8>,
    pub(crate) texts: Vec<(i64, Vec<u8>, String)>,
}

#[derive(Debug)]
pub(crate) struct Story {
    pub(crate) entries: Vec<EntryRow>,
    pub(crate) person: i64,
    pub(crate) request: Vec<u8>,
    pub(crate) authorization: Vec<u8>,
}

#[derive(Debug)]
pub(crate) struct Head {
    pub(crate) edge: Vec<u8>,
    pub(crate) checkpoint: String,
    pub(crate) counters: Vec<u8>,
}

/// Rows that ours wrote, and the tables they are in.
#[derive(Debug)]
pub(crate) struct Stories {
    schema: Vec<String>,
    pub(crate) head: Head,
    pub(crate) stories: Vec<Story>,
}

impl Stories {
    pub(crate) fn read(database: &Path) -> Result<Self, Failure> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(database, flags)?;
        let mut statement = connection.prepare("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL")?;
        let schema = statement.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
        let sql = "SELECT edge, checkpoint, counters FROM head";
        let head = connection.query_row(sql, [], |row| {
            Ok(Head { edge: row.get(0)?, checkpoint: row.get(1)?, counters: row.get(2)? })
        })?;
        let sql = "SELECT request.id, holder, request.body, authorization.body FROM request
                   JOIN authorization ON authorization.request = request.id
                   WHERE authorization.state = 2 ORDER BY request.id LIMIT ?1";
        let mut statement = connection.prepare(sql)?;
        let mut rows = statement.query([STORIES])?;
        let mut stories = Vec::new();
        while let Some(row) = rows.next()? {
            let entries = entries_of(&connection, row.get(0)?)?;
            stories.push(Story {
                entries,
                person: row.get(1)?,
                request: row.get(2)?,
                authorization: row.get(3)?,
            });
        }
        stories.retain(|story| story.entries.len() == 4);
        if stories.is_empty() {
            Err("no story was written".into())
        } else {
            Ok(Self { schema, head, stories })
        }
    }
}

fn entries_of(connection: &Connection, request: i64) -> Result<Vec<EntryRow>, Failure> {
    let sql = "SELECT seq, kind, actor, leaf, bytes FROM entry WHERE request = ?1 ORDER BY seq";
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query([request])?;
    let mut entries = Vec::new();
    while let Some(row) = rows.next()? {
        let sql = "SELECT slot, salt, value FROM entry_text WHERE seq = ?1";
        let mut texts = connection.prepare_cached(sql)?;
        let texts =
            texts.query_map([row.get::<_, i64>(0)?], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
        let texts = texts.collect::<Result<_, _>>()?;
        entries.push(EntryRow {
            kind: row.get(1)?,
            actor: row.get(2)?,
            leaf: row.get(3)?,
            bytes: row.get(4)?,
            texts,
        });
    }
    Ok(entries)
}

/// The bare program.
#[derive(Debug)]
pub(crate) struct Bare {
    connection: Connection,
    stories: Arc<Stories>,
    seq: i64,
}

impl Bare {
    /// A database with the same tables, indexes and settings.
    pub(crate) fn open(path: &Path, stories: Arc<Stories>) -> Result<Self, Failure> {
        let connection = Connection::open(path)?;
        connection.set_prepared_statement_cache_capacity(64);
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.pragma_update(None, "cache_size", -65_536)?;
        stories.schema.iter().try_for_each(|sql| connection.execute_batch(sql))?;
        let Head { edge, checkpoint, counters } = &stories.head;
        let sql = "INSERT INTO head (one, size, edge, checkpoint, counters) VALUES (1, 0, ?1, ?2, ?3)";
        connection.execute(sql, params![edge, checkpoint, counters])?;
        Ok(Self { connection, stories, seq: 0 })
    }

    /// Writes the rows of these steps in one transaction.
    pub(crate) fn write(&mut self, steps: &[(Step, i64)]) -> Result<(), Failure> {
        let stories = Arc::clone(&self.stories);
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        for (step, id) in steps {
            let story = &stories.stories[usize::try_from(*id)? % stories.stories.len()];
            write_step(&transaction, &mut self.seq, *step, *id, story)?;
        }
        let Head { edge, checkpoint, counters } = &stories.head;
        let sql = "UPDATE head SET size = ?1, edge = ?2, checkpoint = ?3, counters = ?4 WHERE one = 1";
        transaction.prepare_cached(sql)?.execute(params![self.seq, edge, checkpoint, counters])?;
        Ok(transaction.commit()?)
    }
}

fn write_step(
    connection: &Connection,
    seq: &mut i64,
    step: Step,
    id: i64,
    story: &Story,
) -> Result<(), Failure> {
    let Story { entries, person, request, authorization } = story;
    let entries = match step {
        Step::Submit => &entries[..1],
        Step::Approve => &entries[1..3],
        Step::Revoke => &entries[3..],
    };
    let first = *seq;
    for entry in entries {
        write_entry(connection, *seq, id, entry)?;
        *seq += 1;
    }
    let run = |sql, values: &[&dyn rusqlite::ToSql]| connection.prepare_cached(sql)?.execute(values);
    match step {
        Step::Submit => {
            let sql =
                "INSERT INTO request (id, requester, state, first_seq, body) VALUES (?1, ?2, 0, ?3, ?4)";
            run(sql, params![id, person, first, request])?;
        }
        Step::Approve => {
            run("UPDATE request SET state = 1, body = ?2 WHERE id = ?1", params![id, request])?;
            let sql =
                "INSERT INTO authorization (id, holder, state, request, body) VALUES (?1, ?2, 1, ?1, ?3)";
            run(sql, params![id, person, authorization])?;
        }
        Step::Revoke => {
            run("UPDATE authorization SET state = 2, body = ?2 WHERE id = ?1", params![id, authorization])?;
        }
    }
    Ok(())
}

fn write_entry(connection: &Connection, seq: i64, request: i64, entry: &EntryRow) -> Result<(), Failure> {
    let EntryRow { kind, actor, leaf, bytes, texts } = entry;
    let sql = "INSERT INTO entry (seq, kind, actor, request, leaf, bytes) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    connection.prepare_cached(sql)?.execute(params![seq, kind, actor, request, leaf, bytes])?;
    for (slot, salt, value) in texts {
        let sql = "INSERT INTO entry_text (seq, slot, salt, value) VALUES (?1, ?2, ?3, ?4)";
        connection.prepare_cached(sql)?.execute(params![seq, slot, salt, value])?;
    }
    if (seq + 1) % NODE_EVERY == 0 {
        let sql = "INSERT INTO node (level, place, hash) VALUES (1, ?1, ?2)";
        connection.prepare_cached(sql)?.execute(params![seq / NODE_EVERY, leaf])?;
    }
    Ok(())
}

struct Waiting {
    step: (Step, i64),
    answer: oneshot::Sender<()>,
}

/// The bare program with many callers: one thread writes, and all who wait go into one transaction.
pub(crate) struct Writer {
    queue: SyncSender<Waiting>,
}

impl Writer {
    pub(crate) fn start(mut bare: Bare) -> std::io::Result<Self> {
        let (queue, waiting) = sync_channel(QUEUE_MAX);
        std::thread::Builder::new().name("bare".into()).spawn(move || work(&mut bare, &waiting))?;
        Ok(Self { queue })
    }
}

impl BareProgram for Writer {
    async fn write(&self, step: Step, id: i64) -> Result<(), &'static str> {
        let (answer, answered) = oneshot::channel();
        self.queue.try_send(Waiting { step: (step, id), answer }).map_err(|_| "the bare program is gone")?;
        answered.await.map_err(|_| "the bare program could not write")
    }
}

fn work(bare: &mut Bare, waiting: &Receiver<Waiting>) {
    while let Ok(first) = waiting.recv() {
        let more = std::iter::from_fn(|| waiting.try_recv().ok());
        let batch = std::iter::once(first).chain(more.take(BATCH_MAX - 1));
        let (steps, answers): (Vec<_>, Vec<_>) = batch.map(|Waiting { step, answer }| (step, answer)).unzip();
        if bare.write(&steps).is_err() {
            return;
        }
        answers.into_iter().for_each(|answer| {
            // A caller whose round is over waits no more.
            let _nobody = answer.send(());
        });
    }
}
