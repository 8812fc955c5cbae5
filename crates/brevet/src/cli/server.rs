//! The address of a server.

use std::net::IpAddr;

use super::exit::Failure;

/// Where a server is: `https://brevet.example.org`, or `http://` on this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ServerUrl {
    /// Whether the connection is encrypted.
    pub(crate) https: bool,
    /// Name or address; an IPv6 address without brackets.
    pub(crate) host: String,
    /// The port.
    pub(crate) port: u16,
    /// A path in front of `/api/v1`, without a slash at its end.
    pub(crate) prefix: String,
}

impl ServerUrl {
    /// Reads a URL; `host:port` alone is taken as `http://` on this machine and `https://` elsewhere.
    pub(crate) fn parse(text: &str) -> Result<Self, Failure> {
        let bad = || {
            Failure::Usage(format!(
                "'{text}' is not the address of a server; it looks like https://brevet.example.org"
            ))
        };
        let text = text.trim();
        let uri: hyper::Uri = text.parse().map_err(|_| bad())?;
        let host = uri.host().ok_or_else(bad)?.trim_matches(['[', ']']).to_ascii_lowercase();
        let https = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            None => !is_loopback(&host),
            Some(_) => return Err(bad()),
        };
        let has_more = uri.query().is_some() || uri.authority().is_some_and(|a| a.as_str().contains('@'));
        if host.is_empty() || has_more {
            return Err(bad());
        }
        let port = uri.port_u16().unwrap_or(if https { 443 } else { 80 });
        let prefix = uri.path().trim_end_matches('/').to_owned();
        Ok(Self { https, host, port, prefix })
    }

    /// Whether everything that is sent stays on this machine or is encrypted, so that a token may be sent.
    pub(crate) fn is_private(&self) -> bool {
        self.https || is_loopback(&self.host)
    }

    /// Whether both are one server by scheme, name and port, whatever the path (RFC 6454, section 5).
    pub(crate) fn has_origin_of(&self, other: &Self) -> bool {
        (self.https, &self.host, self.port) == (other.https, &other.host, other.port)
    }

    /// `host:port`, as in the `Host` header.
    pub(crate) fn authority(&self) -> String {
        match self.host.contains(':') {
            true => format!("[{}]:{}", self.host, self.port),
            false => format!("{}:{}", self.host, self.port),
        }
    }
}

impl std::fmt::Display for ServerUrl {
    /// One form for each server: with its port, without a slash at the end.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}://{}{}", if self.https { "https" } else { "http" }, self.authority(), self.prefix)
    }
}

fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::ServerUrl;

    #[test]
    fn an_origin_is_a_scheme_a_name_and_a_port() {
        let one = ServerUrl::parse("https://brevet.example.org/one").unwrap();
        for (other, is_same) in [
            ("https://Brevet.example.org:443", true),
            ("http://brevet.example.org:443/one", false),
            ("https://brevet.example.org:8443/one", false),
            ("https://brevet.example.org.evil.example/one", false),
        ] {
            assert_eq!(one.has_origin_of(&ServerUrl::parse(other).unwrap()), is_same, "{other}");
        }
    }

    #[test]
    fn a_server_has_one_form() {
        for (text, form) in [
            ("http://127.0.0.1:8420", "http://127.0.0.1:8420"),
            ("http://LOCALHOST:8420/", "http://localhost:8420"),
            ("localhost:8420", "http://localhost:8420"),
            ("brevet.example.org:8443", "https://brevet.example.org:8443"),
            ("https://brevet.example.org", "https://brevet.example.org:443"),
            ("https://example.org/brevet/", "https://example.org:443/brevet"),
            ("http://[::1]:8420", "http://[::1]:8420"),
        ] {
            assert_eq!(ServerUrl::parse(text).unwrap().to_string(), form, "{text}");
        }
        for text in
            ["", "ftp://example.org", "https://", "https://me@example.org", "https://example.org/?a=b"]
        {
            assert!(ServerUrl::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn only_what_is_encrypted_or_stays_here_is_private() {
        for text in [
            "http://127.0.0.1:1",
            "http://127.9.9.9:1",
            "http://[::1]:1",
            "http://localhost:1",
            "https://a.org",
        ] {
            assert!(ServerUrl::parse(text).unwrap().is_private(), "{text}");
        }
        for text in ["http://a.org", "http://10.0.0.1:1", "http://localhost.a.org", "http://127.0.0.1.a.org"]
        {
            assert!(!ServerUrl::parse(text).unwrap().is_private(), "{text}");
        }
    }
}
