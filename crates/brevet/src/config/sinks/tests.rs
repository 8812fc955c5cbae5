//! Sinks as they are written down.

use crate::config::tests::written;
use crate::config::{BadConfig, Config, Given, SinkTarget};
use crate::export::Format;

fn config(text: &str) -> Result<Config, BadConfig> {
    let folder = tempfile::TempDir::new().unwrap();
    let path = written(&folder, &format!("data = '/d'\n{text}"));
    Config::read(Given { config: Some(path), ..Given::default() })
}

const SYSLOG: &str =
    "[[sink]]\nname = 'siem'\nkind = 'syslog'\naddress = 'siem.example.org:6514'\nca = '/ca.pem'\n";
const FILE: &str = "[[sink]]\nname = 'copy'\nkind = 'file'\npath = '/var/log/brevet.jsonl'\n";

#[test]
fn a_sink_has_sensible_defaults() {
    let sinks = config(&format!("{SYSLOG}{FILE}")).unwrap().sinks;
    assert_eq!(sinks.len(), 2);
    assert!(sinks.iter().all(|sink| sink.texts && sink.format == Format::Jsonl));
    let SinkTarget::Syslog(syslog) = &sinks[0].to else { panic!("{sinks:?}") };
    assert_eq!((syslog.host.as_str(), syslog.port, syslog.facility), ("siem.example.org", 6514, 13));
    assert_eq!(syslog.server_name, "siem.example.org");
    assert_eq!(syslog.app_name, "brevet");
    assert!(matches!(&sinks[1].to, SinkTarget::File { path } if path.ends_with("brevet.jsonl")));
}

#[test]
fn a_mistake_in_a_sink_stops_the_start() {
    let cases = [
        (format!("{SYSLOG}adress = 'x'\n"), "adress"),
        (format!("{FILE}ca = '/ca.pem'\n"), "ca"),
        (format!("{FILE}{FILE}"), "two sinks"),
        (FILE.replace("copy", "Copy 1"), "a-z"),
        (FILE.replace("/var", "var"), "begins with /"),
        (format!("{FILE}format = 'csv'\n"), "jsonl, ocsf or office365"),
        (SYSLOG.replace(":6514", ""), "HOST:PORT"),
        (SYSLOG.replace(":6514", ":0"), "HOST:PORT"),
        (SYSLOG.replace("ca = '/ca.pem'\n", ""), "ca"),
        (format!("{SYSLOG}certificate = '/c.pem'\n"), "go together"),
        (format!("{SYSLOG}facility = 'kern'\n"), "facility"),
        (format!("{SYSLOG}app_name = 'two words'\n"), "visible ASCII"),
        (SYSLOG.replace("syslog", "carrier-pigeon"), "carrier-pigeon"),
    ];
    for (text, says) in cases {
        let error = config(&text).unwrap_err().to_string();
        assert!(error.contains(says), "{text}\n{error}");
    }
}

#[test]
fn an_address_of_version_6_stands_in_brackets() {
    let host = |address: &str| {
        let sinks = config(&SYSLOG.replace("siem.example.org:6514", address)).unwrap().sinks;
        let SinkTarget::Syslog(syslog) = &sinks[0].to else { panic!("{sinks:?}") };
        (syslog.host.clone(), syslog.port)
    };
    assert_eq!(host("[::1]:7"), ("::1".to_owned(), 7));
    assert_eq!(host("127.0.0.1:7"), ("127.0.0.1".to_owned(), 7));
    assert!(config(&SYSLOG.replace("siem.example.org:6514", "::1:7")).is_err());
}
