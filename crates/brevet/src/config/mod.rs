//! The server's settings: from the command line, a file, and what is built in, in this order.
//!
//! The only place of the server that reads settings or the environment.

use std::net::{Ipv4Addr, SocketAddr};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use brevet_store::DatabasePlace;
use serde::Deserialize;

mod database;
mod guarded;
mod ledger;
mod sinks;

pub use ledger::LedgerConfig;
pub use sinks::{SinkConfig, SinkTarget, SyslogConfig};

/// Where the server listens unless told otherwise.
const LISTEN_DEFAULT: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 8420);

/// Settings, complete.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// Where to listen.
    pub listen: SocketAddr,
    /// The data folder.
    pub data: PathBuf,
    /// The folder of the task definitions.
    pub tasks: PathBuf,
    /// Certificate and key. Needed for anything that is not loopback.
    pub tls: Option<Tls>,
    /// Connections that one address has at most; a number of the server's own where nothing is said.
    pub connections_per_address: Option<NonZeroUsize>,
    /// Where the database is.
    pub database: DatabasePlace,
    /// What is set of the ledger.
    pub ledger: LedgerConfig,
    /// Where every entry is sent as it is written.
    pub sinks: Vec<SinkConfig>,
}

/// Where certificate and key are, as PEM.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tls {
    /// The certificate, with the chain behind it.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}

/// What the command line says.
#[derive(Debug, Clone, Default)]
pub struct Given {
    /// A file of settings.
    pub config: Option<PathBuf>,
    /// The data folder.
    pub data: Option<PathBuf>,
    /// Where to listen.
    pub listen: Option<SocketAddr>,
    /// The folder of the task definitions.
    pub tasks: Option<PathBuf>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    listen: Option<SocketAddr>,
    data: Option<PathBuf>,
    tasks: Option<PathBuf>,
    tls: Option<Tls>,
    connections_per_address: Option<NonZeroUsize>,
    database: Option<database::Written>,
    #[serde(default)]
    ledger: ledger::File,
    #[serde(default)]
    sink: Vec<sinks::Written>,
}

/// Why the settings cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum BadConfig {
    /// The file cannot be read.
    #[error("the settings file {path} cannot be read: {source}")]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// Others can change the file, or put another in its place.
    #[error("{} can be written to by others than its owner, who could change the settings of the server: chmod go-w {}", part.display(), part.display())]
    Writable {
        /// The file or its folder.
        part: PathBuf,
    },
    /// Somebody else can.
    #[error("{} belongs to user {owner}, who could change the settings of the server; it must belong to root or to the server's user: chown root {}", part.display(), part.display())]
    Owner {
        /// The file or its folder.
        part: PathBuf,
        /// Their uid.
        owner: u32,
    },
    /// The file does not make sense.
    #[error("the settings file {path} has a mistake:\n{source}")]
    Malformed {
        /// Which.
        path: PathBuf,
        /// Where, and what.
        source: Box<toml::de::Error>,
    },
    /// A value cannot be.
    #[error("the setting {name} cannot be \"{value}\": {why}")]
    Value {
        /// Which.
        name: &'static str,
        /// As it is.
        value: String,
        /// What is wrong with it.
        why: String,
    },
    /// Where to keep data is not known.
    #[error("say where the data is kept: --data DIR, or data = \"…\" in the settings file")]
    NoData,
}

impl Config {
    /// Puts the settings together.
    pub fn read(given: Given) -> Result<Self, BadConfig> {
        let Given { config, data, listen, tasks } = given;
        let file = config.as_deref().map(read_file).transpose()?.unwrap_or_default();
        let data = data.or(file.data).or_else(default_data).ok_or(BadConfig::NoData)?;
        let tasks = tasks.or(file.tasks).unwrap_or_else(|| data.join("tasks.d"));
        let listen = listen.or(file.listen).unwrap_or(LISTEN_DEFAULT);
        Ok(Self {
            listen,
            data,
            tasks,
            tls: file.tls,
            connections_per_address: file.connections_per_address,
            database: file.database.map(database::Written::check).transpose()?.unwrap_or_default(),
            ledger: file.ledger.check()?,
            sinks: sinks::check(file.sink)?,
        })
    }
}

fn read_file(path: &Path) -> Result<File, BadConfig> {
    let text = guarded::read(path)?;
    toml::from_str(&text)
        .map_err(|source| BadConfig::Malformed { path: path.to_owned(), source: Box::new(source) })
}

/// `/var/lib/brevet` for root, otherwise where the person's own data is.
#[expect(clippy::disallowed_methods, reason = "this is the server's reader of the environment")]
pub fn default_data() -> Option<PathBuf> {
    if rustix::process::geteuid().is_root() {
        return Some(PathBuf::from("/var/lib/brevet"));
    }
    let absolute = |path: std::ffi::OsString| Some(PathBuf::from(path)).filter(|path| path.is_absolute());
    let data = std::env::var_os("XDG_DATA_HOME").and_then(absolute);
    let home = || std::env::var_os("HOME").and_then(absolute).map(|home| home.join(".local/share"));
    data.or_else(home).map(|data| data.join("brevet"))
}

/// What the process's own diagnostic output shows, in the syntax of `tracing`'s filters.
#[expect(clippy::disallowed_methods, reason = "this is the server's reader of the environment")]
pub fn log_filter() -> String {
    std::env::var("BREVET_LOG").unwrap_or_else(|_| "info".to_owned())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::{BadConfig, Config, Given};

    fn config(text: &str, given: Given) -> Result<Config, BadConfig> {
        let folder = tempfile::TempDir::new().unwrap();
        Config::read(Given { config: Some(written(&folder, text)), ..given })
    }

    /// A settings file that nobody else can change, in a folder like that.
    pub(super) fn written(folder: &tempfile::TempDir, text: &str) -> std::path::PathBuf {
        let path = folder.path().join("brevet.toml");
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        path
    }

    #[test]
    fn the_command_line_comes_before_the_file() {
        let given = Given { listen: Some("127.0.0.1:9".parse().unwrap()), ..Given::default() };
        let config = config("listen = '127.0.0.1:8'\ndata = '/d'", given).unwrap();
        assert_eq!(config.listen.port(), 9);
        assert_eq!(config.tasks, std::path::Path::new("/d/tasks.d"));
    }

    #[test]
    fn no_connections_at_all_are_not_a_number_of_connections() {
        let config = |text| config(&format!("data = '/d'\n{text}"), Given::default());
        assert_eq!(config("").unwrap().connections_per_address, None);
        let said = config("connections_per_address = 3000").unwrap().connections_per_address;
        assert_eq!(said.map(std::num::NonZeroUsize::get), Some(3_000));
        let none = config("connections_per_address = 0").unwrap_err().to_string();
        assert!(none.contains("connections_per_address"), "{none}");
    }

    #[test]
    fn a_mistake_in_the_file_stops_the_start_and_says_where() {
        let unknown =
            config("data = '/d'\nlissen = '127.0.0.1:8'", Given::default()).unwrap_err().to_string();
        assert!(unknown.contains("lissen") && unknown.contains("line 2"), "{unknown}");
    }
}
