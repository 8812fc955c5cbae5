//! `[[sink]]`: where every entry is sent as it is written. Set in the settings file only: whoever takes over an
//! administrator's account must not be able to send the record elsewhere, or to stop sending it.

use std::collections::BTreeSet;
use std::path::PathBuf;

use serde::Deserialize;

use super::{BadConfig, Tls};
use crate::export::Format;

/// Sinks of one server.
const SINKS_MAX: usize = 16;
/// The name of a sink, in bytes.
const NAME_BYTES_MAX: usize = 32;
/// APP-NAME of RFC 5424, section 6.2.5, in bytes.
const APP_NAME_BYTES_MAX: usize = 48;
/// HOSTNAME of RFC 5424, section 6.2.4, in bytes.
const HOSTNAME_BYTES_MAX: usize = 255;
/// "log audit" of RFC 5424, section 6.2.1.
const FACILITY_DEFAULT: &str = "audit";
const FACILITIES: [(&str, u8); 13] = [
    ("user", 1),
    ("daemon", 3),
    ("auth", 4),
    ("authpriv", 10),
    ("audit", 13),
    ("local0", 16),
    ("local1", 17),
    ("local2", 18),
    ("local3", 19),
    ("local4", 20),
    ("local5", 21),
    ("local6", 22),
    ("local7", 23),
];

/// One place that gets every entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SinkConfig {
    /// Its name, under which its position is kept.
    pub name: String,
    /// How an entry is written.
    pub format: Format,
    /// Whether personal and free texts go with it.
    pub texts: bool,
    /// Where to.
    pub to: SinkTarget,
}

/// Where a sink leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SinkTarget {
    /// RFC 5424 over TLS (RFC 5425).
    Syslog(SyslogConfig),
    /// A file on this machine, one entry a line.
    File {
        /// Which.
        path: PathBuf,
    },
}

/// A syslog receiver.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyslogConfig {
    /// Its host name or address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// The name that its certificate must have.
    pub server_name: String,
    /// The authority that must have signed its certificate, as PEM.
    pub ca: PathBuf,
    /// Certificate and key by which this server proves who it is.
    pub client: Option<Tls>,
    /// APP-NAME.
    pub app_name: String,
    /// HOSTNAME; that of this machine when left out.
    pub hostname: Option<String>,
    /// The number of the facility (RFC 5424, section 6.2.1).
    pub facility: u8,
}

/// A sink as it is written down.
#[derive(Debug, Clone, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub(super) enum Written {
    Syslog(WrittenSyslog),
    File(WrittenFile),
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenSyslog {
    name: String,
    format: Option<String>,
    texts: Option<bool>,
    address: String,
    server_name: Option<String>,
    ca: PathBuf,
    certificate: Option<PathBuf>,
    key: Option<PathBuf>,
    app_name: Option<String>,
    hostname: Option<String>,
    facility: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenFile {
    name: String,
    format: Option<String>,
    texts: Option<bool>,
    path: PathBuf,
}

/// Checks all sinks.
pub(super) fn check(written: Vec<Written>) -> Result<Vec<SinkConfig>, BadConfig> {
    if written.len() > SINKS_MAX {
        return Err(bad("sink", written.len(), format!("there are {SINKS_MAX} sinks at most")));
    }
    let sinks: Vec<SinkConfig> = written.into_iter().map(sink).collect::<Result<_, _>>()?;
    let mut names = BTreeSet::new();
    match sinks.iter().find(|sink| !names.insert(&sink.name)) {
        Some(twice) => {
            Err(bad("sink.name", &twice.name, "two sinks have it, and each keeps its place under its name"))
        }
        None => Ok(sinks),
    }
}

fn sink(written: Written) -> Result<SinkConfig, BadConfig> {
    let (name, format, texts, to) = match written {
        Written::File(WrittenFile { name, format, texts, path }) => {
            if !path.is_absolute() {
                return Err(bad("sink.path", path.display(), "it begins with /"));
            }
            (name, format, texts, SinkTarget::File { path })
        }
        Written::Syslog(written) => {
            let (name, format, texts) = (written.name.clone(), written.format.clone(), written.texts);
            (name, format, texts, SinkTarget::Syslog(syslog(written)?))
        }
    };
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if name.is_empty() || name.len() > NAME_BYTES_MAX || !name.chars().all(plain) {
        return Err(bad("sink.name", name, format!("it is 1 to {NAME_BYTES_MAX} of a-z, 0-9 and -")));
    }
    let wanted = format.unwrap_or_else(|| Format::Jsonl.name().to_owned());
    match Format::parse(&wanted).filter(|format| *format != Format::Csv) {
        Some(format) => Ok(SinkConfig { name, format, texts: texts.unwrap_or(true), to }),
        None => Err(bad("sink.format", wanted, "a sink writes jsonl, ocsf or office365")),
    }
}

fn syslog(written: WrittenSyslog) -> Result<SyslogConfig, BadConfig> {
    let WrittenSyslog { address, server_name, ca, certificate, key, app_name, hostname, facility, .. } =
        written;
    let (host, port) = host_and_port(&address)
        .ok_or_else(|| bad("sink.address", &address, "write HOST:PORT, for example siem.example.org:6514"))?;
    let client = match (certificate, key) {
        (Some(certificate), Some(key)) => Some(Tls { certificate, key }),
        (None, None) => None,
        _ => return Err(bad("sink.certificate", "", "a certificate and its key go together")),
    };
    let facility = facility.unwrap_or_else(|| FACILITY_DEFAULT.to_owned());
    let facility = FACILITIES
        .iter()
        .find_map(|(name, number)| (*name == facility).then_some(*number))
        .ok_or_else(|| {
            bad("sink.facility", &facility, "one of user, daemon, auth, authpriv, audit, local0 to local7")
        })?;
    let app_name = header("sink.app_name", app_name.unwrap_or_else(|| "brevet".into()), APP_NAME_BYTES_MAX)?;
    let hostname = hostname.map(|name| header("sink.hostname", name, HOSTNAME_BYTES_MAX)).transpose()?;
    let server_name = server_name.unwrap_or_else(|| host.clone());
    Ok(SyslogConfig { host, port, server_name, ca, client, app_name, hostname, facility })
}

/// `host:port`, `192.0.2.1:6514` or `[2001:db8::1]:6514`.
fn host_and_port(address: &str) -> Option<(String, u16)> {
    let (host, port) = address.rsplit_once(':')?;
    let bare = match host.strip_prefix('[') {
        Some(inner) => inner.strip_suffix(']')?,
        None if host.contains(':') => return None,
        None => host,
    };
    let port = port.parse().ok().filter(|port| *port > 0)?;
    (!bare.is_empty() && bare.is_ascii()).then(|| (bare.to_owned(), port))
}

/// A field of the header of a syslog message: visible ASCII (RFC 5424, section 6).
fn header(name: &'static str, value: String, bytes_max: usize) -> Result<String, BadConfig> {
    match !value.is_empty() && value.len() <= bytes_max && value.bytes().all(|byte| byte.is_ascii_graphic()) {
        true => Ok(value),
        false => Err(bad(name, value, format!("it is 1 to {bytes_max} visible ASCII characters"))),
    }
}

fn bad(name: &'static str, value: impl ToString, why: impl Into<String>) -> BadConfig {
    BadConfig::Value { name, value: value.to_string(), why: why.into() }
}

#[cfg(test)]
mod tests;
