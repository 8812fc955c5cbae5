//! PostgreSQL, asked by one thread at a time: each connection drives its own input and output while somebody waits for an
//! answer, and rests otherwise.

mod value;

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::time::Duration;

use rusqlite::ToSql;
use tokio::runtime::Runtime;
use tokio_postgres::config::Host;
use tokio_postgres::{Client, Config, NoTls, Row, Statement};

use super::Begin;
pub(crate) use value::value;
use value::{Given, given};

/// How long a connection is waited for.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long an answer is waited for. What has not come by then may come or not, and nobody waits for it any more.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);
/// The oldest version that is spoken to: 15.0, as PostgreSQL numbers its versions.
const VERSION_MIN: i32 = 150_000;

/// Why PostgreSQL did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// The address is none.
    #[error("database.url cannot be used: {0}; it looks like postgresql://user@host:5432/name")]
    Address(String),
    /// Another server writes to this ledger.
    #[error(
        "another server is running on this database; stop it first, or wait until PostgreSQL has noticed that it is gone"
    )]
    Busy,
    /// It said no, or did not answer.
    #[error("PostgreSQL: {}", whole(.0))]
    Client(#[from] tokio_postgres::Error),
    /// It does not say anything.
    #[error("PostgreSQL did not answer for {} seconds", ANSWER_TIMEOUT.as_secs())]
    Silent,
    /// It is too old.
    #[error("PostgreSQL {found} is too old: version 15 or later is needed")]
    Version {
        /// Of the server.
        found: String,
    },
    /// A commit would be answered before it is on the disk.
    #[error(
        "PostgreSQL's setting {name} is {found}; it must be {wanted}, or a commit could be lost after it was answered"
    )]
    Setting {
        /// Which.
        name: &'static str,
        /// As it is.
        found: String,
        /// As it must be.
        wanted: &'static str,
    },
    /// This process cannot wait for it.
    #[error("the connection to PostgreSQL cannot be driven: {0}")]
    Runtime(#[from] std::io::Error),
    /// A column or a value of a kind that no table of Brevet has.
    #[error("PostgreSQL has {found} where Brevet has integers, texts and bytes")]
    Type {
        /// As PostgreSQL calls it.
        found: String,
    },
}

/// What PostgreSQL says is in the cause of the error, not in itself.
fn whole(error: &tokio_postgres::Error) -> String {
    match error.as_db_error() {
        Some(said) => said.message().to_owned(),
        None => error.to_string(),
    }
}

/// How a database is reached.
pub(crate) struct Account(Config);

impl Account {
    /// Reads an address. Passwords have a file of their own, and what is not encrypted does not leave the machine.
    pub(crate) fn parse(address: &str) -> Result<Self, Fault> {
        let mut config: Config = address.parse().map_err(|error| Fault::Address(whole(&error)))?;
        if config.get_password().is_some() {
            let why = "it has a password in it; put that into a private file, and name it as database.password_file";
            return Err(Fault::Address(why.to_owned()));
        }
        if !config.get_hosts().iter().all(is_near) || config.get_hosts().is_empty() {
            let why = "the connection is not encrypted, so that it must be a socket or a loopback address of this machine";
            return Err(Fault::Address(why.to_owned()));
        }
        config.connect_timeout(CONNECT_TIMEOUT).application_name("brevet");
        Ok(Self(config))
    }

    pub(crate) fn set_password(&mut self, password: &str) {
        self.0.password(password);
    }
}

fn is_near(host: &Host) -> bool {
    match host {
        Host::Unix(_) => true,
        Host::Tcp(name) => {
            name == "localhost" || name.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
        }
    }
}

/// What a server that writes holds as long as its connection lasts, as PostgreSQL numbers such locks: "brevet" in ASCII.
const WRITER_LOCK: i64 = 0x6272_6576_6574;

/// One connection.
pub(crate) struct Session {
    /// There until it is dropped.
    runtime: Option<Runtime>,
    client: Client,
    /// By their text as SQLite has it.
    statements: RefCell<HashMap<String, Statement>>,
    is_idle: Cell<bool>,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session").finish_non_exhaustive()
    }
}

impl Session {
    /// Connects, and refuses a server that would lose what it acknowledged.
    pub(crate) fn connect(Account(config): &Account) -> Result<Self, Fault> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (client, connection) = runtime.block_on(config.connect(NoTls))?;
        runtime.spawn(async move { drop(connection.await) });
        let session =
            Self { runtime: Some(runtime), client, statements: RefCell::default(), is_idle: Cell::new(true) };
        session.check_version()?;
        for (name, wanted) in [("fsync", "on"), ("full_page_writes", "on"), ("synchronous_commit", "on")] {
            session.check_setting(name, wanted)?;
        }
        Ok(session)
    }

    /// Takes the place of the one server that writes.
    pub(crate) fn claim(&self) -> Result<(), Fault> {
        let sql = "SELECT pg_try_advisory_lock($1)";
        let row = self.wait(self.client.query_one(sql, &[&WRITER_LOCK]))?;
        if row.try_get(0)? { Ok(()) } else { Err(Fault::Busy) }
    }

    /// Drives the connection until an answer is there.
    fn wait<T>(&self, answer: impl Future<Output = Result<T, tokio_postgres::Error>>) -> Result<T, Fault> {
        let runtime = self.runtime.as_ref().expect("it is taken out when this is dropped, and not before");
        let answered = runtime.block_on(async { tokio::time::timeout(ANSWER_TIMEOUT, answer).await });
        Ok(answered.map_err(|_| Fault::Silent)??)
    }

    fn check_version(&self) -> Result<(), Fault> {
        let number: i32 = self.setting("server_version_num")?.parse().unwrap_or(0);
        match number >= VERSION_MIN {
            true => Ok(()),
            false => Err(Fault::Version { found: self.setting("server_version")? }),
        }
    }

    fn check_setting(&self, name: &'static str, wanted: &'static str) -> Result<(), Fault> {
        let found = self.setting(name)?;
        match found == wanted {
            true => Ok(()),
            false => Err(Fault::Setting { name, found, wanted }),
        }
    }

    fn setting(&self, name: &str) -> Result<String, Fault> {
        let row = self.wait(self.client.query_one("SELECT current_setting($1)", &[&name]))?;
        Ok(row.try_get(0)?)
    }

    pub(super) fn execute(&self, sql: &str, values: &[&dyn ToSql]) -> Result<usize, Fault> {
        let (statement, values) = (self.statement(sql)?, given(values)?);
        let changed = self.wait(self.client.execute_raw(&statement, values.iter().map(Given::lent)))?;
        Ok(usize::try_from(changed).unwrap_or(usize::MAX))
    }

    pub(super) fn query(&self, sql: &str, values: &[&dyn ToSql]) -> Result<Vec<Row>, Fault> {
        let (statement, values) = (self.statement(sql)?, given(values)?);
        let values: Vec<_> = values.iter().map(Given::lent).collect();
        self.wait(self.client.query(&statement, &values))
    }

    pub(super) fn batch(&self, sql: &str) -> Result<(), Fault> {
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

    pub(super) fn begin(&self, how: Begin) -> Result<(), Fault> {
        self.batch(match how {
            Begin::View => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
            // Whoever writes waits for the head first, and sees what is there from then on.
            Begin::Write => "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE",
        })?;
        self.is_idle.set(false);
        Ok(())
    }

    pub(super) fn commit(&self) -> Result<(), Fault> {
        self.is_idle.set(true);
        self.batch("COMMIT")
    }

    pub(super) fn roll_back(&self) {
        self.is_idle.set(true);
        drop(self.batch("ROLLBACK"));
    }

    pub(super) const fn is_idle(&self) -> bool {
        self.is_idle.get()
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
