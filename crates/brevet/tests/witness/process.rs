//! `brevet witness`, as somebody would run it.

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use brevet_ledger::VerifierKey;
use rustix::process::{Pid, Signal, kill_process};

use crate::support::BREVET;
use crate::support::patience::{SOON, within};
use crate::talk::Talk;

pub(crate) const NAME: &str = "witness.example/w1";

/// Where a witness lives.
pub(crate) struct Home(tempfile::TempDir);

impl Home {
    pub(crate) fn new() -> Self {
        Self(tempfile::Builder::new().prefix("brevet-witness-").tempdir().unwrap())
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.0.path().join("witness")
    }

    /// `brevet witness WORDS…` on this folder.
    pub(crate) fn types(&self, words: &[&str]) -> Output {
        brevet(words).arg("--data").arg(self.data()).output().unwrap()
    }

    /// The same, which must work; answers what it wrote.
    pub(crate) fn does(&self, words: &[&str]) -> String {
        let output = self.types(words);
        assert!(output.status.success(), "{words:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// The key of the witness.
    pub(crate) fn key(&self) -> VerifierKey {
        std::fs::read_to_string(self.data().join("witness.vkey")).unwrap().trim().parse().unwrap()
    }

    pub(crate) fn start(&self) -> Running {
        Running::start(&self.data(), &["--name", NAME])
    }
}

fn brevet(words: &[&str]) -> Command {
    let mut command = Command::new(BREVET);
    command.arg("witness").args(words).env_clear().stdin(Stdio::null());
    command
}

/// A running witness; it ends with this value.
pub(crate) struct Running {
    child: Child,
    pub(crate) address: String,
}

impl Running {
    pub(crate) fn start(data: &Path, words: &[&str]) -> Self {
        let mut command = brevet(&["serve", "--listen", "127.0.0.1:0", "--data"]);
        command.arg(data).args(words).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut greeting = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut greeting).unwrap();
        let Some((_, address)) = greeting.trim().split_once(" witnesses on http://") else {
            let mut errors = String::new();
            child.stderr.take().unwrap().read_to_string(&mut errors).unwrap();
            panic!("the witness did not start: {greeting}{errors}");
        };
        let address = address.to_owned();
        Self { child, address }
    }

    pub(crate) fn talk(&self) -> Talk {
        Talk::open(&self.address).unwrap()
    }

    /// `kill -9`.
    pub(crate) fn crash(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// SIGTERM, to the end, which must be an orderly one.
    pub(crate) fn stop(mut self) {
        kill_process(Pid::from_child(&self.child), Signal::TERM).unwrap();
        let status = within(SOON, "the witness stops", || self.child.try_wait().unwrap());
        assert!(status.success(), "{status}");
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Ok(None) = self.child.try_wait() {
            drop(self.child.kill().and_then(|()| self.child.wait()));
        }
    }
}
