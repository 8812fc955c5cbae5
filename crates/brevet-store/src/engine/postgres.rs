//! PostgreSQL, asked by one thread at a time: each connection drives its own input and output while somebody waits for an
//! answer, and rests otherwise.

mod account;
mod ahead;
mod fault;
mod listener;
mod standby;
mod tls;
mod together;
mod transaction;
mod value;
mod wire;

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use rusqlite::ToSql;
use rusqlite::types::Value;
use tokio::runtime::Runtime;
use tokio_postgres::{Client, Row, Statement};

pub(crate) use account::Account;
use account::{KEEPALIVE_EVERY, KEEPALIVE_IDLE, KEEPALIVE_PROBES, UNACKNOWLEDGED_MAX};
use ahead::Ahead;
pub(crate) use fault::Fault;
pub(crate) use listener::Listener;
pub use standby::Standby;
use together::Together;
use transaction::Stage;
pub(crate) use value::value;
use value::{Given, given};
use wire::Heard;

/// How long an answer is waited for. What has not come by then may come or not, and nobody waits for it any more.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);
/// How long PostgreSQL works for an answer; less than that, so that what nobody waits for does not go on.
const STATEMENT_TIMEOUT: Duration = Duration::from_secs(25);
/// How long a statement waits for what another server holds. The longest that one holds the head is
/// [`IDLE_IN_TRANSACTION_MAX`] after its last statement.
const LOCK_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a server may stop in the middle of a transaction: then PostgreSQL ends its connection, and others go on.
const IDLE_IN_TRANSACTION_MAX: Duration = Duration::from_millis(1_500);
/// The oldest version that is spoken to: 15.0, as PostgreSQL numbers its versions.
const VERSION_MIN: i32 = 150_000;

/// Settings without which a commit could be lost after it was answered, and what they may be; the first is the usual.
const DURABLE: [(&str, &[&str]); 3] =
    [("fsync", &["on"]), ("full_page_writes", &["on"]), ("synchronous_commit", &["on", "remote_apply"])];

/// What a connection is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Appending, beside others who wait for the head.
    Write,
    /// Reading.
    Read,
    /// Copying a whole ledger while nobody else writes to it, with as much time between two statements as that takes.
    Alone,
}

/// What every server that writes holds together with the others as long as its connection lasts, and who needs the ledger
/// for himself holds alone, as PostgreSQL numbers such locks: "brevet" in ASCII.
const WRITER_LOCK: i64 = 0x6272_6576_6574;
/// What a server holds while it opens the ledger: two that start at once do not both make the tables.
const OPENING_LOCK: i64 = WRITER_LOCK + 1;

/// One connection.
pub(crate) struct Session {
    /// There until it is dropped.
    runtime: Option<Runtime>,
    client: Arc<Client>,
    heard: Arc<Heard>,
    /// By their text as SQLite has it.
    statements: RefCell<HashMap<String, Statement>>,
    ahead: RefCell<Ahead>,
    together: RefCell<Together>,
    stage: Cell<Stage>,
    is_lost: Cell<bool>,
    /// Whether what is acknowledged must be on a second machine.
    standby: Standby,
    /// What is missing of that, where a person accepted it.
    accepted_loss: Option<String>,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session").finish_non_exhaustive()
    }
}

impl Session {
    /// Connects, and refuses a server that would lose what it acknowledged.
    pub(crate) fn connect(account: &Account, purpose: Purpose) -> Result<Self, Fault> {
        let (runtime, client, connection) = wire::open(account)?;
        let heard = Arc::new(Heard::default());
        runtime.spawn(wire::drive(connection, Arc::clone(&heard)));
        let mut session = Self {
            runtime: Some(runtime),
            client: Arc::new(client),
            heard,
            statements: RefCell::default(),
            ahead: RefCell::default(),
            together: RefCell::default(),
            stage: Cell::new(Stage::Idle),
            is_lost: Cell::new(false),
            standby: if purpose == Purpose::Write { account.standby() } else { Standby::Unasked },
            accepted_loss: None,
        };
        session.check_version()?;
        session.accepted_loss = session.check_durability()?;
        session.batch(&bounds(purpose))?;
        Ok(session)
    }

    /// Whether what is acknowledged is durable still: whoever administers PostgreSQL can change that at any time. Answers what
    /// is missing where a person accepted that.
    pub(crate) fn check_durability(&self) -> Result<Option<String>, Fault> {
        let names = DURABLE.map(|(name, _)| name);
        for ((name, wanted), found) in DURABLE.into_iter().zip(self.settings(&names)?) {
            if !wanted.contains(&found.as_str()) {
                return Err(Fault::Setting { name, found, wanted: wanted[0] });
            }
        }
        self.check_standby(self.standby)
    }

    /// Takes a place among the servers that write.
    pub(crate) fn claim(&self) -> Result<(), Fault> {
        let sql = "SELECT pg_try_advisory_lock_shared($1)";
        let row = self.wait(self.client.query_one(sql, &[&WRITER_LOCK]))?;
        if row.try_get(0)? { Ok(()) } else { Err(Fault::Busy) }
    }

    /// Takes the place of all servers that write.
    pub(crate) fn claim_alone(&self) -> Result<(), Fault> {
        let sql = "SELECT pg_try_advisory_lock($1)";
        let row = self.wait(self.client.query_one(sql, &[&WRITER_LOCK]))?;
        if row.try_get(0)? { Ok(()) } else { Err(Fault::Busy) }
    }

    /// Waits until no other server opens the ledger, and keeps others from it until [`Session::has_opened`].
    pub(crate) fn opens(&self) -> Result<(), Fault> {
        self.wait(self.client.query_one("SELECT pg_advisory_lock($1)", &[&OPENING_LOCK])).map(drop)
    }

    /// Lets others open the ledger.
    pub(crate) fn has_opened(&self) -> Result<(), Fault> {
        self.wait(self.client.query_one("SELECT pg_advisory_unlock($1)", &[&OPENING_LOCK])).map(drop)
    }

    fn runtime(&self) -> &Runtime {
        self.runtime.as_ref().expect("it is taken out when this is dropped, and not before")
    }

    fn check_version(&self) -> Result<(), Fault> {
        let number: i32 = self.setting("server_version_num")?.parse().unwrap_or(0);
        match number >= VERSION_MIN {
            true => Ok(()),
            false => Err(Fault::Version { found: self.setting("server_version")? }),
        }
    }

    /// What is missing of the standby that is asked for, where a person accepted that.
    pub(crate) fn accepted_loss(&self) -> Option<&str> {
        self.accepted_loss.as_deref()
    }

    /// Accepts no loss from now on.
    pub(crate) fn accept_no_more_loss(&mut self) {
        if self.standby == Standby::Missed {
            self.standby = Standby::Needed;
        }
    }

    fn setting(&self, name: &str) -> Result<String, Fault> {
        Ok(self.settings(&[name])?.swap_remove(0))
    }

    /// Settings as they are now, each as PostgreSQL writes it.
    fn settings(&self, names: &[&str]) -> Result<Vec<String>, Fault> {
        let names: Vec<_> = names.iter().map(|name| vec![Value::Text((*name).to_owned())]).collect();
        let answers = self.query_each("SELECT current_setting(?1)", &names)?;
        answers.iter().flatten().map(|row| Ok(row.try_get(0)?)).collect()
    }

    pub(super) fn execute(&self, sql: &str, values: &[&dyn ToSql]) -> Result<usize, Fault> {
        self.begin_now()?;
        self.send_together()?;
        let (statement, values) = (self.statement(sql)?, given(values)?);
        let changed = self.wait(self.client.execute_raw(&statement, values.iter().map(Given::lent)))?;
        Ok(usize::try_from(changed).unwrap_or(usize::MAX))
    }

    pub(super) fn query(&self, sql: &str, values: &[&dyn ToSql]) -> Result<Vec<Row>, Fault> {
        self.begin_now()?;
        self.send_together()?;
        let (statement, values) = (self.statement(sql)?, given(values)?);
        let values: Vec<_> = values.iter().map(Given::lent).collect();
        self.wait(self.client.query(&statement, &values))
    }

    pub(super) fn batch(&self, sql: &str) -> Result<(), Fault> {
        self.begin_now()?;
        self.send_together()?;
        self.wait(self.client.batch_execute(sql))
    }

    fn statement(&self, sql: &str) -> Result<Statement, Fault> {
        if let Some(known) = self.statements.borrow().get(sql) {
            return Ok(known.clone());
        }
        // No text of a statement has a question mark but in front of the number of a value.
        let made = self.wait(self.client.prepare(&sql.replace('?', "$")))?;
        self.statements.borrow_mut().insert(sql.to_owned(), made.clone());
        Ok(made)
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        // It may be dropped where nobody may wait.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// The settings that bound what a connection holds while its server is paused, or gone with its machine. PostgreSQL takes
/// those of the network for nothing on a socket. Every statement of this crate goes by a key: a plan that was made while a table
/// was small, and reads all of it, would be kept until somebody counts its rows.
fn bounds(purpose: Purpose) -> String {
    let mut bounds = format!(
        "SET jit = off; SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off;
         SET statement_timeout = {}; SET tcp_keepalives_idle = {}; SET tcp_keepalives_interval = {};
         SET tcp_keepalives_count = {KEEPALIVE_PROBES}; SET tcp_user_timeout = {};",
        STATEMENT_TIMEOUT.as_millis(),
        KEEPALIVE_IDLE.as_secs(),
        KEEPALIVE_EVERY.as_secs(),
        UNACKNOWLEDGED_MAX.as_millis(),
    );
    match purpose {
        Purpose::Write => {
            bounds += &format!(
                "SET lock_timeout = {}; SET idle_in_transaction_session_timeout = {};",
                LOCK_TIMEOUT.as_millis(),
                IDLE_IN_TRANSACTION_MAX.as_millis()
            );
        }
        Purpose::Read => bounds += "SET default_transaction_read_only = on;",
        Purpose::Alone => {}
    }
    bounds
}

/// Reasons in one sentence.
fn listed(reasons: &[String]) -> String {
    reasons.join("; ")
}

#[cfg(test)]
mod tests;
