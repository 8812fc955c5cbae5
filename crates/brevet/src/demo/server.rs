//! The server of the demonstration: `brevet serve`, as anybody would start it.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use anyhow::{Context as _, bail};
use rustix::process::{Pid, Signal, kill_process};

/// A running server; it ends with this value.
pub(super) struct Server {
    child: Child,
    /// Where it listens.
    pub(super) url: String,
    /// The code of the first start.
    pub(super) setup_code: String,
}

impl Server {
    /// Starts it, and reads from its greeting where it is.
    pub(super) fn start(program: &Path, data: &Path, tasks: &Path, listen: &str) -> anyhow::Result<Self> {
        let mut child = Command::new(program)
            .args(["serve", "--listen", listen, "--data"])
            .arg(data)
            .arg("--tasks")
            .arg(tasks)
            .env("BREVET_LOG", "warn")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .context("the server cannot be started")?;
        let greeting = BufReader::new(child.stdout.take().context("the server has no output")?);
        let (mut url, mut setup_code) = (None, None);
        for line in greeting.lines() {
            let line = line.context("the server's greeting cannot be read")?;
            url = url.or_else(|| word_after(&line, " serves "));
            setup_code = setup_code.or_else(|| word_after(&line, "One-time code: "));
            if let (Some(url), Some(setup_code)) = (&url, &setup_code) {
                return Ok(Self { child, url: url.clone(), setup_code: setup_code.clone() });
            }
        }
        bail!("the server did not start; it says why above")
    }

    /// Ends it as a service manager would.
    pub(super) fn stop(mut self) -> anyhow::Result<()> {
        let pid = Pid::from_child(&self.child);
        if self.child.try_wait()?.is_none() {
            kill_process(pid, Signal::TERM).context("the server cannot be stopped")?;
        }
        self.child.wait().map(drop).context("the server cannot be waited for")
    }
}

impl Drop for Server {
    /// When the story broke off: nothing of it stays.
    fn drop(&mut self) {
        if let Ok(None) = self.child.try_wait() {
            drop(self.child.kill().and_then(|()| self.child.wait()));
        }
    }
}

fn word_after(line: &str, mark: &str) -> Option<String> {
    let (_, after) = line.split_once(mark)?;
    after.split_whitespace().next().map(str::to_owned)
}
