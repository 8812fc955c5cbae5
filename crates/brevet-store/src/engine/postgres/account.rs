//! How a database is reached: the address, taken apart and checked host by host.

use std::path::Path;
use std::time::Duration;

use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode, TargetSessionAttrs};

use super::Fault;
use super::fault::whole;
use super::standby::Standby;
use super::tls::Trust;

/// How long one host is waited for until a connection is usable: one that is stopped accepts it and says nothing.
pub(super) const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// A connection on which nothing comes back for so long is asked whether it is still there.
pub(super) const KEEPALIVE_IDLE: Duration = Duration::from_secs(5);
pub(super) const KEEPALIVE_EVERY: Duration = Duration::from_secs(2);
pub(super) const KEEPALIVE_PROBES: u32 = 3;
/// A connection on which sent bytes stay without acknowledgement for so long is given up.
pub(super) const UNACKNOWLEDGED_MAX: Duration = Duration::from_secs(10);

/// How a database is reached.
pub(crate) struct Account {
    /// One for each host, in the order in which they are tried.
    hosts: Vec<Config>,
    /// Of no use while nothing is encrypted.
    trust: Trust,
    standby: Standby,
}

/// What is encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Encryption {
    /// Nothing, so that nothing leaves the machine.
    Nothing,
    /// Whatever leaves the machine, or could: all but a socket.
    Network,
}

impl Account {
    /// Reads an address. Passwords have a file of their own, and what is not encrypted does not leave the machine. Of
    /// several hosts the first that takes writes is used: that is how the next server finds a standby that was promoted.
    /// `authority` names the only one that is trusted to sign a host's certificate.
    pub(crate) fn parse(address: &str, authority: Option<&Path>) -> Result<Self, Fault> {
        let (address, encryption) = take_encryption(address)?;
        let given: Config = address.parse().map_err(|error| Fault::Address(whole(&error)))?;
        let refuse = |why: &str| Err(Fault::Address(why.to_owned()));
        if given.get_password().is_some() {
            return refuse(
                "it has a password in it; put that into a private file, and name it as database.password_file",
            );
        }
        if !given.get_hostaddrs().is_empty() {
            return refuse("it has hostaddr in it; name each host as itself");
        }
        if given.get_target_session_attrs() == TargetSessionAttrs::ReadOnly {
            return refuse("it asks for a database that cannot be written");
        }
        let is_within = given.get_hosts().iter().all(is_near) && !given.get_hosts().is_empty();
        let trust = match encryption {
            Encryption::Network if given.get_hosts().is_empty() => return refuse("it names no host"),
            Encryption::Network => Trust::of(authority)?,
            Encryption::Nothing if !is_within => {
                return refuse(
                    "the connection is not encrypted, so that it must be a socket or a loopback address of this \
                     machine; encrypt it with ?sslmode=verify-full behind the name of the database",
                );
            }
            Encryption::Nothing if authority.is_some() => {
                return refuse(
                    "there is a database.authority, and nothing is encrypted; encrypt it with ?sslmode=verify-full \
                     behind the name of the database",
                );
            }
            Encryption::Nothing => Trust::default(),
        };
        if given.get_ports().len() > 1 && given.get_ports().len() != given.get_hosts().len() {
            return refuse("each host has a port, or none has");
        }
        let one = |(number, host)| with_host(&given, host, given.get_ports().get(number), encryption);
        Ok(Self {
            hosts: given.get_hosts().iter().enumerate().map(one).collect(),
            trust,
            standby: Standby::Unasked,
        })
    }

    pub(crate) fn set_password(&mut self, password: &str) {
        for host in &mut self.hosts {
            host.password(password);
        }
    }

    pub(crate) const fn set_standby(&mut self, standby: Standby) {
        self.standby = standby;
    }

    /// Whether what is acknowledged must be on a second machine.
    pub(super) const fn standby(&self) -> Standby {
        self.standby
    }

    /// One for each host, in the order in which they are tried.
    pub(super) fn hosts(&self) -> &[Config] {
        &self.hosts
    }

    /// Who may answer for them.
    pub(super) fn trust(&self) -> Trust {
        self.trust.clone()
    }
}

/// Takes `sslmode` out of an address. Whatever encrypts means that the host proves who it is: a connection that is encrypted
/// for somebody else is of no use.
fn take_encryption(address: &str) -> Result<(String, Encryption), Fault> {
    if !address.starts_with("postgresql://") {
        return Err(Fault::Address("it is none of PostgreSQL".to_owned()));
    }
    let (place, settings) = address.split_once('?').unwrap_or((address, ""));
    let (modes, rest): (Vec<&str>, Vec<&str>) = settings
        .split('&')
        .filter(|setting| !setting.is_empty())
        .partition(|one| one.starts_with("sslmode="));
    let encryption = match modes.as_slice() {
        [] | ["sslmode=disable"] => Encryption::Nothing,
        ["sslmode=require" | "sslmode=verify-ca" | "sslmode=verify-full"] => Encryption::Network,
        _ => {
            let why = "sslmode is verify-full, or disable for a socket or a loopback address: nothing in between is safe";
            return Err(Fault::Address(why.to_owned()));
        }
    };
    match rest.is_empty() {
        true => Ok((place.to_owned(), encryption)),
        false => Ok((format!("{place}?{}", rest.join("&")), encryption)),
    }
}

/// The account at one host. Of an address only what says who, where and which database is taken.
fn with_host(given: &Config, host: &Host, port: Option<&u16>, encryption: Encryption) -> Config {
    let mut config = Config::new();
    match host {
        Host::Tcp(name) => config.host(name),
        Host::Unix(path) => config.host_path(path),
    };
    if let Some(port) = port.or(given.get_ports().first()) {
        config.port(*port);
    }
    if let Some(user) = given.get_user() {
        config.user(user);
    }
    if let Some(name) = given.get_dbname() {
        config.dbname(name);
    }
    if let Some(options) = given.get_options() {
        config.options(options);
    }
    config.ssl_mode(match (encryption, host) {
        (Encryption::Network, Host::Tcp(_)) => SslMode::Require,
        (Encryption::Network, Host::Unix(_)) | (Encryption::Nothing, _) => SslMode::Disable,
    });
    config.channel_binding(given.get_channel_binding());
    // No decision reads a replica.
    config.target_session_attrs(TargetSessionAttrs::ReadWrite);
    config.application_name("brevet").connect_timeout(CONNECT_TIMEOUT).tcp_user_timeout(UNACKNOWLEDGED_MAX);
    config.keepalives_idle(KEEPALIVE_IDLE).keepalives_interval(KEEPALIVE_EVERY);
    config.keepalives_retries(KEEPALIVE_PROBES);
    config
}

/// How a host is named to people.
pub(super) fn name(config: &Config) -> String {
    let port = config.get_ports().first().copied().unwrap_or(5432);
    match config.get_hosts() {
        [Host::Tcp(name), ..] => format!("{name}:{port}"),
        [Host::Unix(path), ..] => path.join(format!(".s.PGSQL.{port}")).display().to_string(),
        [] => String::new(),
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
