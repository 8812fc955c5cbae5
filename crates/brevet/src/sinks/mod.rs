//! Sinks: every entry is sent on as it is written, to a syslog receiver or into a file, so that a copy exists where
//! the owner of the ledger has no say.
//!
//! Each sink is a consumer of the ledger with a position of its own in the store. It reads behind the writer and
//! never in its way: a sink that is away costs nothing, and catches up from its position when it is back. Everything
//! arrives at least once and in order; an entry that arrives twice has the same index, and one that is missing leaves
//! a gap in the indices.

mod feed;
mod file;
mod keeper;
mod syslog;
mod tls;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;

use crate::app::App;
use crate::config::{SinkConfig, SinkTarget};
use file::FileSink;
use keeper::Keeper;
use syslog::SyslogSink;

pub(crate) use tls::BadSink;

/// How often it is looked whether all is sent, when the server ends.
const DRAIN_LOOK_EVERY: Duration = Duration::from_millis(20);

/// Sinks that can be started: what their settings name was found to be good.
pub(crate) struct Sinks(Vec<Prepared>);

struct Prepared {
    config: SinkConfig,
    /// How to speak with a syslog receiver.
    connector: Option<tls::Connector>,
}

impl Sinks {
    /// Reads the certificates that the settings name.
    ///
    /// # Errors
    /// One of them cannot be used. Where a receiver is, and whether it answers, does not matter for a start.
    pub(crate) fn prepare(configs: &[SinkConfig]) -> Result<Self, BadSink> {
        let prepare = |config: &SinkConfig| {
            let connector = match &config.to {
                SinkTarget::Syslog(syslog) => Some(tls::Connector::new(&config.name, syslog)?),
                SinkTarget::File { .. } => None,
            };
            Ok(Prepared { config: config.clone(), connector })
        };
        configs.iter().map(prepare).collect::<Result<_, _>>().map(Self)
    }

    /// Starts to send. Each sink goes on until the process ends.
    pub(crate) fn start(self, app: &App) -> Running {
        let reopen = Arc::new(Notify::new());
        for Prepared { config, connector } in self.0 {
            let SinkConfig { name, format, texts, to } = config;
            let feed = feed::Feed::new(app.clone(), format, texts);
            match (to, connector) {
                (SinkTarget::Syslog(syslog), Some(connector)) => {
                    let to = format!("{}:{}", syslog.host, syslog.port);
                    let keeper = Keeper::new(app.clone(), name, "syslog", to);
                    tokio::spawn(SyslogSink::new(syslog, connector).run(keeper, feed));
                }
                (SinkTarget::File { path }, _) => {
                    let keeper = Keeper::new(app.clone(), name, "file", path.display().to_string());
                    tokio::spawn(FileSink::new(path, format, Arc::clone(&reopen)).run(keeper, feed));
                }
                (SinkTarget::Syslog(_), None) => {}
            }
        }
        Running { app: app.clone(), reopen }
    }
}

/// Sinks at work.
pub(crate) struct Running {
    app: App,
    reopen: Arc<Notify>,
}

impl Running {
    /// Opens files anew, after somebody has moved them away.
    pub(crate) fn reopen(&self) {
        self.reopen.notify_waiters();
    }

    /// Waits until every sink that works has the last entry, or for so long.
    pub(crate) async fn drain(&self, within: Duration) {
        let is_behind = || {
            let size = self.app.published().size;
            self.app.sinks().iter().any(|sink| sink.problem.is_none() && sink.sent < size)
        };
        let draining = async {
            while is_behind() {
                tokio::time::sleep(DRAIN_LOOK_EVERY).await;
            }
        };
        drop(tokio::time::timeout(within, draining).await);
    }
}
