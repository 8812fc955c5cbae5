//! `brevet serve`, as a service manager would run it.

use std::io::{BufRead as _, BufReader, Read};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use rustix::process::{Pid, Signal, kill_process};

use super::BREVET;
use super::http::Connection;
use super::patience::{SOON, until, within};
use super::person::Typed;
use super::place::Place;
use super::processes::{Process, descendants};

/// A running server; it ends with this value.
pub(crate) struct Server {
    child: Child,
    output: Text,
    errors: Text,
    /// Host and port.
    pub(crate) address: String,
}

/// What is being written somewhere.
struct Text {
    text: Arc<Mutex<String>>,
    reader: Option<JoinHandle<()>>,
}

impl Text {
    fn of(pipe: impl Read + Send + 'static) -> Self {
        let text = Arc::new(Mutex::new(String::new()));
        let to = Arc::clone(&text);
        let reader = std::thread::spawn(move || {
            for line in BufReader::new(pipe).lines().map_while(Result::ok) {
                *to.lock().unwrap() += &format!("{line}\n");
            }
        });
        Self { text, reader: Some(reader) }
    }

    fn so_far(&self) -> String {
        self.text.lock().unwrap().clone()
    }

    fn whole(&mut self) -> String {
        if let Some(reader) = self.reader.take() {
            reader.join().unwrap();
        }
        self.so_far()
    }
}

/// The command that serves a place, with a log of this level.
pub(crate) fn command(place: &Place, log: &str) -> Command {
    let mut command = Command::new(BREVET);
    command
        .args(["serve", "--listen", "127.0.0.1:0", "--data"])
        .arg(place.data())
        .arg("--tasks")
        .arg(place.tasks());
    if place.settings_file().exists() {
        command.arg("--config").arg(place.settings_file());
    }
    command.env("BREVET_LOG", log).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// What a server says that must not start.
pub(crate) fn refused(place: &Place) -> Typed {
    refused_as(command(place, "warn"))
}

/// The same of a server that is started so.
pub(crate) fn refused_as(command: Command) -> Typed {
    let mut server = Server::spawn(command);
    let status = within(SOON, "a server that must not start gives up", || server.child.try_wait().unwrap());
    let (stdout, stderr) = (server.output.whole().into_bytes(), server.errors.whole());
    Typed { code: status.code().unwrap(), stdout, stderr }
}

impl Server {
    /// Starts it, and waits until it serves.
    pub(crate) fn start(place: &Place) -> Self {
        Self::start_with_log(place, "warn")
    }

    pub(crate) fn start_with_log(place: &Place, log: &str) -> Self {
        Self::start_as(command(place, log))
    }

    /// Starts it so, and waits until it serves.
    pub(crate) fn start_as(command: Command) -> Self {
        let mut server = Self::spawn(command);
        let mut look = || {
            let ended = server.child.try_wait().unwrap();
            assert!(ended.is_none(), "the server did not start: {}", server.errors.so_far());
            word_after(&server.output.so_far(), " serves http://")
        };
        let address = within(SOON, "the server says where it is", &mut look);
        server.address = address;
        server
    }

    fn spawn(mut command: Command) -> Self {
        let mut child = command.spawn().unwrap();
        let output = Text::of(child.stdout.take().unwrap());
        let errors = Text::of(child.stderr.take().unwrap());
        Self { child, output, errors, address: String::new() }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The code of the first start.
    pub(crate) fn setup_code(&self) -> String {
        within(SOON, "the server tells its setup code", || {
            word_after(&self.output.so_far(), "One-time code: ")
        })
    }

    /// What it wrote to its standard output so far.
    pub(crate) fn output(&self) -> String {
        self.output.so_far()
    }

    pub(crate) fn connect(&self, token: &str) -> Connection {
        Connection::open(&self.address, token).unwrap()
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The spawner and all that runs.
    pub(crate) fn descendants(&self) -> Vec<Process> {
        descendants(self.child.id())
    }

    /// What it wrote to its standard error so far.
    pub(crate) fn errors(&self) -> String {
        self.errors.so_far()
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// `kill -9`, at once; answers what it leaves behind.
    pub(crate) fn crash(mut self) -> Vec<Process> {
        let below = self.descendants();
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        below
    }

    /// `kill -9`, and a new server at the same place.
    pub(crate) fn crash_and_start_again(&mut self, place: &Place) {
        self.kill();
        self.start_again(place);
    }

    /// `kill -9`; another server may start at the same place with [`Server::start_again`].
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// A new server at the same place, after [`Server::kill`].
    pub(crate) fn start_again(&mut self, place: &Place) {
        *self = Self::start(place);
    }

    /// Waits until it ends by itself; answers how it ended, and all that it wrote to standard output and error.
    pub(crate) fn ended(mut self) -> (ExitStatus, String) {
        self.ends()
    }

    /// The same of one that is started again afterwards.
    pub(crate) fn ends(&mut self) -> (ExitStatus, String) {
        let status = within(SOON, "the server ends", || self.child.try_wait().unwrap());
        (status, self.output.whole() + &self.errors.whole())
    }

    /// SIGTERM, to the end; answers how it ended, and all that it wrote to standard output and error.
    pub(crate) fn stop(mut self) -> (ExitStatus, String) {
        self.signal(Signal::TERM);
        let below = self.descendants();
        let status = within(SOON, "the server stops", || self.child.try_wait().unwrap());
        until("all that the server started is gone", || !below.iter().any(|process| process.is_alive()));
        (status, self.output.whole() + &self.errors.whole())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Ok(None) = self.child.try_wait() {
            drop(self.child.kill().and_then(|()| self.child.wait()));
        }
    }
}

fn word_after(text: &str, mark: &str) -> Option<String> {
    let (_, after) = text.split_once(mark)?;
    let (line, _) = after.split_once('\n')?;
    line.split_whitespace().next().map(str::to_owned)
}
