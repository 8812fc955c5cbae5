//! rsyslog as a receiver: its own folder, its own port on loopback, stopped by its process id.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;

use crate::support::certificates::{authority, certificate};
use crate::support::patience::until;

/// A receiver that can be killed and started again at the same place.
pub(crate) struct Receiver {
    folder: TempDir,
    pub(crate) port: u16,
    process: Option<Child>,
}

/// What arrived of one message.
pub(crate) struct Received {
    pub(crate) priority: u16,
    pub(crate) kind: String,
    pub(crate) structured: String,
    pub(crate) body: Value,
}

impl Receiver {
    /// Makes certificates and starts it.
    pub(crate) fn start() -> Self {
        let folder = TempDir::with_prefix("brevet-rsyslog-").unwrap();
        authority(folder.path(), "ca");
        certificate(folder.path(), "ca", "server", "subjectAltName=IP:127.0.0.1");
        // Free now; nobody else on this machine is given it soon.
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut receiver = Self { folder, port, process: None };
        receiver.configure("anon");
        receiver.begin();
        receiver
    }

    /// The same, where the sender has to prove who it is.
    pub(crate) fn start_demanding_certificates() -> Self {
        let mut receiver = Self::start();
        receiver.kill();
        certificate(receiver.folder.path(), "ca", "client", "extendedKeyUsage=clientAuth");
        receiver.configure("x509/certvalid");
        receiver.begin();
        receiver
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn configure(&self, mode: &str) {
        let folder = self.folder.path().display();
        let port = self.port;
        let text = format!(
            r#"global(workDirectory="{folder}" maxMessageSize="256k" defaultNetstreamDriver="gtls"
  defaultNetstreamDriverCAFile="{folder}/ca.pem" defaultNetstreamDriverCertFile="{folder}/server.pem"
  defaultNetstreamDriverKeyFile="{folder}/server.key")
module(load="imtcp" streamDriver.name="gtls" streamDriver.mode="1" streamDriver.authMode="{mode}")
template(name="line" type="string" string="%pri%\t%msgid%\t%structured-data%\t%msg%\n")
input(type="imtcp" port="{port}" address="127.0.0.1")
action(type="omfile" file="{folder}/received" template="line")
"#
        );
        fs::write(self.file("rsyslog.conf"), text).unwrap();
    }

    /// Starts it, and waits until it listens.
    pub(crate) fn begin(&mut self) {
        let mut rsyslog = Command::new("/usr/sbin/rsyslogd");
        rsyslog.arg("-n").arg("-f").arg(self.file("rsyslog.conf")).arg("-i").arg(self.file("pid"));
        let log = fs::OpenOptions::new().create(true).append(true).open(self.file("log")).unwrap();
        rsyslog.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        drop(fs::remove_file(self.file("pid")));
        let started = rsyslog
            .spawn()
            .unwrap_or_else(|error| panic!("rsyslog is needed (apt install rsyslog): {error}"));
        self.process = Some(started);
        until("rsyslog listens", || TcpStream::connect(("127.0.0.1", self.port)).is_ok());
    }

    /// Stops it in its tracks: its kernel goes on to take bytes, and nobody reads them.
    pub(crate) fn freeze(&self) {
        if let Some(process) = &self.process {
            kill_process(Pid::from_child(process), Signal::STOP).unwrap();
        }
    }

    /// `kill -9`.
    pub(crate) fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill().unwrap();
            process.wait().unwrap();
        }
    }

    /// All that arrived so far, in order. A line that is just being written is left out.
    pub(crate) fn received(&self) -> Vec<Received> {
        let text = fs::read(self.file("received")).unwrap_or_default();
        let text = String::from_utf8(text).unwrap();
        let whole = text.rfind('\n').map_or("", |end| &text[..end]);
        whole.lines().map(received).collect()
    }

    pub(crate) fn indices(&self) -> Vec<u64> {
        self.received().iter().map(|message| message.index()).collect()
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.kill();
    }
}

fn received(line: &str) -> Received {
    let parts: Vec<&str> = line.splitn(4, '\t').collect();
    let [priority, kind, structured, body] = parts[..] else { panic!("{line:?}") };
    let body = serde_json::from_str(body.trim_start()).unwrap_or_else(|error| panic!("{error}: {line:?}"));
    Received { priority: priority.parse().unwrap(), kind: kind.into(), structured: structured.into(), body }
}

impl Received {
    /// The index that the header tells.
    pub(crate) fn index(&self) -> u64 {
        let (_, after) = self.structured.split_once(" index=\"").unwrap();
        after.split_once('"').unwrap().0.parse().unwrap()
    }
}
