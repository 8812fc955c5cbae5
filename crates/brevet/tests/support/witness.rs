//! A real witness, as a process of its own.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use super::BREVET;

/// A task that runs only when witnesses have seen its entry, behind others.
pub(crate) const GUARDED: &str =
    "\n[[task]]\nname = \"Guarded\"\nrun = [\"PRINTF\", \"guarded\"]\nwitnessed = true\n";

/// A witness, which ends with this value.
pub(crate) struct Witness {
    child: Child,
    pub(crate) data: PathBuf,
    pub(crate) scheme: String,
    pub(crate) address: String,
}

/// What a command says that succeeds.
pub(crate) fn brevet(words: &[&str], data: &Path, more: &[&str]) -> String {
    let output = Command::new(BREVET).args(words).arg("--data").arg(data).args(more).output().unwrap();
    let told = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    assert!(output.status.success(), "{words:?}: {told}");
    told
}

impl Witness {
    pub(crate) fn start(data: PathBuf, listen: &str) -> Self {
        Self::start_with(data, listen, &[])
    }

    /// With TLS: `w1.pem` and `w1.key` in a folder.
    pub(crate) fn start_with_certificate(data: PathBuf, folder: &Path) -> Self {
        let file = |name: &str| folder.join(name).display().to_string();
        let tls = ["--tls-cert", &file("w1.pem"), "--tls-key", &file("w1.key")];
        Self::start_with(data, "127.0.0.1:0", &tls)
    }

    fn start_with(data: PathBuf, listen: &str, more: &[&str]) -> Self {
        let mut child = Command::new(BREVET)
            .args(["witness", "serve", "--name", "witness.example/w1", "--listen", listen, "--data"])
            .arg(&data)
            .args(more)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let address = lines.by_ref().map_while(Result::ok).find_map(|line| {
            let (before, after) = line.split_once("://")?;
            let scheme = before.rsplit(' ').next()?;
            Some((scheme.to_owned(), after.split(['/', ' ']).next()?.to_owned()))
        });
        let (scheme, address) = address.expect("the witness says where it is");
        // Whatever else it says must not block it.
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, data, scheme, address }
    }

    pub(crate) fn watches(&self, key: &str) {
        brevet(&["witness", "add-log"], &self.data, &[key]);
    }

    /// The policy file of a server that asks this witness alone.
    pub(crate) fn policy(&self) -> String {
        let key = brevet(&["witness", "key"], &self.data, &[]);
        let key = key.split_whitespace().find(|word| word.starts_with("witness.example/w1+")).unwrap();
        format!("witness w1 {key} {}://{}\nquorum w1\n", self.scheme, self.address)
    }

    pub(crate) fn stop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Witness {
    fn drop(&mut self) {
        drop(self.child.kill().and_then(|()| self.child.wait()));
    }
}
