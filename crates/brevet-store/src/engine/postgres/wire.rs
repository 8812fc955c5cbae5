//! The way to PostgreSQL: the first host that takes writes, and what it says without being asked.

use std::future::poll_fn;
use std::sync::{Mutex, PoisonError};

use tokio::runtime::Runtime;
use tokio_postgres::error::Severity;
use tokio_postgres::{AsyncMessage, Client, Config, Connection, Socket};

use super::Fault;
use super::account::{Account, CONNECT_TIMEOUT, name};
use super::fault::whole;
use super::tls::{Encrypted, Trust, advice};

/// The other half of a connection, which moves its bytes.
pub(super) type Wire = Connection<Socket, Encrypted>;

/// Opens a connection to the first host that takes writes.
pub(super) fn open(account: &Account) -> Result<(Runtime, Client, Wire), Fault> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut why = Vec::new();
    for host in account.hosts() {
        match runtime.block_on(connect(host, account.trust())) {
            Ok((client, wire)) => return Ok((runtime, client, wire)),
            Err(reason) => why.push(format!("{}: {reason}", name(host))),
        }
    }
    Err(Fault::Unreachable(why))
}

async fn connect(host: &Config, trust: Trust) -> Result<(Client, Wire), String> {
    match tokio::time::timeout(CONNECT_TIMEOUT, host.connect(trust)).await {
        Ok(connected) => connected.map_err(|error| match advice(&error) {
            Some(advice) => format!("{} ({advice})", whole(&error)),
            None => whole(&error),
        }),
        Err(_) => Err(format!("no answer within {} seconds", CONNECT_TIMEOUT.as_secs())),
    }
}

/// What PostgreSQL said without being asked.
#[derive(Debug, Default)]
pub(super) struct Heard {
    end: Mutex<Option<tokio_postgres::Error>>,
    warning: Mutex<Option<String>>,
}

impl Heard {
    /// Why the connection ended, once.
    pub(super) fn take_end(&self) -> Option<tokio_postgres::Error> {
        self.end.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// The last warning, once.
    pub(super) fn take_warning(&self) -> Option<String> {
        self.warning.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// Moves the bytes of a connection until it ends.
pub(super) async fn drive(mut wire: Wire, heard: std::sync::Arc<Heard>) {
    while let Some(message) = poll_fn(|context| wire.poll_message(context)).await {
        match message {
            Ok(AsyncMessage::Notice(notice)) if notice.parsed_severity() == Some(Severity::Warning) => {
                *heard.warning.lock().unwrap_or_else(PoisonError::into_inner) =
                    Some(notice.message().to_owned());
            }
            Ok(_) => {}
            Err(error) => {
                *heard.end.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
                return;
            }
        }
    }
}
