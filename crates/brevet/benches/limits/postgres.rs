//! Durable commands on PostgreSQL, beside a bare program that sends it the very same rows.
//!
//! Both take all who wait into one transaction, lock the head first, and send their statements without waiting for the
//! answers before them. The bare program decides nothing, hashes nothing and signs nothing.

use std::future::Future;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::AtomicI64;

use brevet_store::{DataFolder, DatabasePlace};
use futures_util::future::try_join_all;
use tokio::runtime::Runtime;
use tokio::sync::{mpsc, oneshot};
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, NoTls, Statement};

use super::Outcome;
use super::bare::{EntryRow, Head, Step, Stories, Story};
use super::callers::{BareProgram, bare_rate};
use super::cluster::Cluster;
use super::durable::{MANY, ours_for};
use super::measure::{Sizes, folder, median};
use super::server;
use super::table::{Bar, Line, Unit};

type Failure = Box<dyn std::error::Error>;

const MINIMUM: f64 = 0.8;
const BATCH_MAX: usize = 1_024;
const QUEUE_MAX: usize = 8_192;
/// Entries for each node of the tree that is stored.
const NODE_EVERY: i64 = 256;
/// What ours marks its batches with.
static MARK: &[u8] = &[7; 16];

pub(crate) fn measure(sizes: &Sizes) -> Outcome {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let cluster = Cluster::start();
    let (one, two, file) = (folder()?, folder()?, folder()?);
    let first = runtime.block_on(server::open_at(one.path(), cluster.database("ours")))?;
    runtime.block_on(server::found(&first, MANY))?;
    let stories = Arc::new(stories(&runtime, sizes, file.path())?);
    let bare = runtime.block_on(Writer::start(&cluster.database("bare"), Arc::clone(&stories)))?;
    let (bare, next) = (Arc::new(bare), Arc::new(AtomicI64::new(1)));
    let limit = || bare_rate(&runtime, &bare, &next, MANY, sizes.round);
    limit()?;
    ours_for(&runtime, &first, MANY, sizes.round)?;
    let (mut ours, mut bare_rates) = (Vec::new(), Vec::new());
    for _ in 0..sizes.rounds {
        ours.push(ours_for(&runtime, &first, MANY, sizes.round)?);
        bare_rates.push(limit()?);
    }
    for name in ["ledger.key", "ledger.vkey", "anchor"] {
        std::fs::copy(one.path().join(name), two.path().join(name))?;
    }
    let second = runtime.block_on(server::open_at(two.path(), place_of(&cluster)))?;
    let (mut both, mut half, mut alone) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..sizes.rounds {
        both.push(on_both(&runtime, [&first, &second], MANY, sizes)?);
        alone.push(ours_for(&runtime, &first, MANY, sizes.round)?);
        half.push(on_both(&runtime, [&first, &second], MANY / 2, sizes)?);
    }
    let line = |what: &str, limit_is, ours, limit, bar| {
        Line { what: what.to_owned(), limit_is, unit: Unit::PerSecond, ours, limit, bar }.print();
    };
    let bar = Bar::AtLeast(MINIMUM);
    line("commands, 64 callers", "bare tokio-postgres, 64 callers", median(ours), median(bare_rates), bar);
    let alone = median(alone);
    line("two servers, 64 callers each", "one server, 64 callers", median(both), alone, Bar::AtLeast(1.0));
    // Batches of half the size.
    line("two servers, 32 callers each", "one server, 64 callers", median(half), alone, Bar::None);
    Ok(())
}

fn place_of(cluster: &Cluster) -> DatabasePlace {
    let host = cluster.folder().display().to_string().replace('/', "%2F");
    DatabasePlace::postgres(format!("postgresql://postgres@{host}/ours"))
}

/// The rows that the same commands write, read where they can be.
fn stories(runtime: &Runtime, sizes: &Sizes, path: &Path) -> Result<Stories, Failure> {
    let app = runtime.block_on(server::open(path))?;
    runtime.block_on(server::found(&app, MANY))?;
    ours_for(runtime, &app, MANY, sizes.round)?;
    Stories::read(&DataFolder::visit(path)?.database())
}

fn on_both(
    runtime: &Runtime,
    apps: [&brevet::app::App; 2],
    callers: u32,
    sizes: &Sizes,
) -> Result<f64, Failure> {
    std::thread::scope(|scope| {
        let half =
            |app| move || ours_for(runtime, app, callers, sizes.round).map_err(|error| error.to_string());
        let halves = apps.map(|app| scope.spawn(half(app)));
        let mut sum = 0.0;
        for half in halves {
            sum += half.join().map_err(|_| "a half failed")??;
        }
        Ok(sum)
    })
}

struct Waiting {
    step: (Step, i64),
    answer: oneshot::Sender<()>,
}

/// The bare program: one task writes, and all who wait go into one transaction.
struct Writer {
    queue: mpsc::Sender<Waiting>,
}

impl Writer {
    async fn start(place: &DatabasePlace, stories: Arc<Stories>) -> Result<Self, Failure> {
        let data = folder()?;
        // The same tables, as ours makes them.
        drop(server::open_at(data.path(), place.clone()).await?);
        let DatabasePlace::Postgres { address, .. } = place else { return Err("not PostgreSQL".into()) };
        let (client, connection) = tokio_postgres::connect(address, NoTls).await?;
        tokio::spawn(connection);
        let mut bare = Bare::new(client, stories).await?;
        let (queue, mut waiting) = mpsc::channel(QUEUE_MAX);
        tokio::spawn(async move {
            let mut batch = Vec::new();
            while waiting.recv_many(&mut batch, BATCH_MAX).await > 0 {
                let steps: Vec<_> = batch.iter().map(|Waiting { step, .. }| *step).collect();
                if let Err(error) = bare.write(&steps).await {
                    return super::table::complain(error.as_ref());
                }
                for Waiting { answer, .. } in batch.drain(..) {
                    // A caller whose round is over waits no more.
                    let _nobody = answer.send(());
                }
            }
        });
        Ok(Self { queue })
    }
}

impl BareProgram for Writer {
    async fn write(&self, step: Step, id: i64) -> Result<(), &'static str> {
        let (answer, answered) = oneshot::channel();
        self.queue
            .send(Waiting { step: (step, id), answer })
            .await
            .map_err(|_| "the bare program is gone")?;
        answered.await.map_err(|_| "the bare program could not write")
    }
}

type Sent<'b> = Pin<Box<dyn Future<Output = Result<u64, tokio_postgres::Error>> + Send + 'b>>;

struct Bare {
    client: Client,
    stories: Arc<Stories>,
    seq: i64,
    lock: Statement,
    entry: Statement,
    text: Statement,
    node: Statement,
    submit: Statement,
    approve: Statement,
    grant: Statement,
    revoke: Statement,
    server: Statement,
    head: Statement,
}

impl Bare {
    async fn new(client: Client, stories: Arc<Stories>) -> Result<Self, Failure> {
        for table in ["entry", "entry_text", "node", "head", "server", "request", "\"authorization\""] {
            client.batch_execute(&format!("DELETE FROM {table}")).await?;
        }
        let Head { edge, checkpoint, counters } = &stories.head;
        let sql = "INSERT INTO head (one, size, edge, checkpoint, counters) VALUES (1, 0, $1, $2, $3)";
        client.execute(sql, &[edge, checkpoint, counters]).await?;
        client.batch_execute("INSERT INTO server (id, beats) VALUES (1, 1)").await?;
        let make = async |sql: &str| client.prepare(sql).await;
        Ok(Self {
            seq: 0,
            lock: make("SELECT size FROM head WHERE one = 1 FOR UPDATE").await?,
            entry: make(
                "INSERT INTO entry (seq, kind, actor, request, leaf, bytes) VALUES ($1, $2, $3, $4, $5, $6)",
            )
            .await?,
            text: make("INSERT INTO entry_text (seq, slot, salt, value) VALUES ($1, $2, $3, $4)").await?,
            node: make("INSERT INTO node (level, place, hash) VALUES (1, $1, $2)").await?,
            submit: make(
                "INSERT INTO request (id, requester, state, first_seq, body) VALUES ($1, $2, 0, $3, $4)",
            )
            .await?,
            approve: make("UPDATE request SET state = 1, body = $2 WHERE id = $1").await?,
            grant: make(
                "INSERT INTO \"authorization\" (id, holder, state, request, body) VALUES ($1, $2, 1, $1, $3)",
            )
            .await?,
            revoke: make("UPDATE \"authorization\" SET state = 2, body = $2 WHERE id = $1").await?,
            server: make("UPDATE server SET beats = beats + 1, batch = $1 WHERE id = 1").await?,
            head: make("UPDATE head SET size = $1, edge = $2, checkpoint = $3, counters = $4 WHERE one = 1")
                .await?,
            client,
            stories,
        })
    }

    fn send<'b>(&'b self, statement: &'b Statement, values: Vec<&'b (dyn ToSql + Sync)>) -> Sent<'b> {
        Box::pin(async move { self.client.execute(statement, &values).await })
    }

    /// Writes the rows of these steps in one transaction.
    async fn write(&mut self, steps: &[(Step, i64)]) -> Result<(), Failure> {
        let stories = Arc::clone(&self.stories);
        let seqs = numbers(&stories, steps, self.seq)?;
        let end = seqs.last().map_or(self.seq, |(_, end)| *end);
        let places: Vec<i64> = (self.seq..end).map(|seq| seq / NODE_EVERY).collect();
        let all: Vec<i64> = (self.seq..end).collect();
        self.client.batch_execute("BEGIN").await?;
        self.client.query(&self.lock, &[]).await?;
        let mut sent = Vec::new();
        for ((step, id), (first, _)) in steps.iter().zip(&seqs) {
            let story = &stories.stories[usize::try_from(*id)? % stories.stories.len()];
            for (at, entry) in entries_of(story, *step).iter().enumerate() {
                let place = usize::try_from(*first - self.seq)? + at;
                self.send_entry(&mut sent, (&all[place], &places[place]), id, entry);
            }
            self.send_rows(&mut sent, *step, id, first, story);
        }
        let Head { edge, checkpoint, counters } = &stories.head;
        sent.push(self.send(&self.server, vec![&MARK]));
        sent.push(self.send(&self.head, vec![&end, edge, checkpoint, counters]));
        let ending = async { self.client.batch_execute("NOTIFY brevet; COMMIT").await };
        let (written, ended) = tokio::join!(try_join_all(sent), ending);
        written?;
        ended?;
        self.seq = end;
        Ok(())
    }

    fn send_entry<'b>(
        &'b self,
        sent: &mut Vec<Sent<'b>>,
        (seq, place): (&'b i64, &'b i64),
        request: &'b i64,
        EntryRow { kind, actor, leaf, bytes, texts }: &'b EntryRow,
    ) {
        sent.push(self.send(&self.entry, vec![seq, kind, actor, request, leaf, bytes]));
        for (slot, salt, value) in texts {
            sent.push(self.send(&self.text, vec![seq, slot, salt, value]));
        }
        if (seq + 1) % NODE_EVERY == 0 {
            sent.push(self.send(&self.node, vec![place, leaf]));
        }
    }

    fn send_rows<'b>(
        &'b self,
        sent: &mut Vec<Sent<'b>>,
        step: Step,
        id: &'b i64,
        first: &'b i64,
        Story { person, request, authorization, .. }: &'b Story,
    ) {
        match step {
            Step::Submit => sent.push(self.send(&self.submit, vec![id, person, first, request])),
            Step::Approve => {
                sent.push(self.send(&self.approve, vec![id, request]));
                sent.push(self.send(&self.grant, vec![id, person, authorization]));
            }
            Step::Revoke => sent.push(self.send(&self.revoke, vec![id, authorization])),
        }
    }
}

fn entries_of(story: &Story, step: Step) -> &[EntryRow] {
    match step {
        Step::Submit => &story.entries[..1],
        Step::Approve => &story.entries[1..3],
        Step::Revoke => &story.entries[3..],
    }
}

/// The numbers of each step's entries: the first, and the one after the last.
fn numbers(stories: &Stories, steps: &[(Step, i64)], from: i64) -> Result<Vec<(i64, i64)>, Failure> {
    let mut next = from;
    steps
        .iter()
        .map(|(step, id)| {
            let story = &stories.stories[usize::try_from(*id)? % stories.stories.len()];
            let first = next;
            next += i64::try_from(entries_of(story, *step).len())?;
            Ok((first, next))
        })
        .collect()
}
