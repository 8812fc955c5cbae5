//! How a database is reached: the address, taken apart and checked host by host.

use std::time::Duration;

use tokio_postgres::Config;
use tokio_postgres::config::{Host, TargetSessionAttrs};

use super::Fault;
use super::fault::whole;

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
}

impl Account {
    /// Reads an address. Passwords have a file of their own, and what is not encrypted does not leave the machine. Of
    /// several hosts the first that takes writes is used: that is how the next server finds a standby that was promoted.
    pub(crate) fn parse(address: &str) -> Result<Self, Fault> {
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
        if !given.get_hosts().iter().all(is_near) || given.get_hosts().is_empty() {
            return refuse(
                "the connection is not encrypted, so that it must be a socket or a loopback address of this machine",
            );
        }
        if given.get_ports().len() > 1 && given.get_ports().len() != given.get_hosts().len() {
            return refuse("each host has a port, or none has");
        }
        let one = |(number, host)| with_host(&given, host, given.get_ports().get(number));
        Ok(Self { hosts: given.get_hosts().iter().enumerate().map(one).collect() })
    }

    pub(crate) fn set_password(&mut self, password: &str) {
        for host in &mut self.hosts {
            host.password(password);
        }
    }

    /// One for each host, in the order in which they are tried.
    pub(super) fn hosts(&self) -> &[Config] {
        &self.hosts
    }
}

/// The account at one host. Of an address only what says who, where and which database is taken.
fn with_host(given: &Config, host: &Host, port: Option<&u16>) -> Config {
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
