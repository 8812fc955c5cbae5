//! For tests: a server of a few lines that answers what a test says, and the command line in one call.

use std::cell::RefCell;
use std::rc::Rc;

use brevet_wire::SecretText;
use clap::Parser as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::console::{Console, Format};
use super::context::Context;
use super::settings::Environment;
use super::{Cli, dispatch};

/// What was asked.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    /// `GET /api/v1/…`.
    pub(super) line: String,
    /// All headers, names in lower case.
    pub(super) headers: String,
    /// The body.
    pub(super) body: String,
}

impl Asked {
    /// The value of a header.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }
}

/// What is answered.
pub(super) enum Reply {
    /// A status, and JSON.
    Json(u16, String),
    /// Events, after which the connection ends in order.
    Events(String),
    /// The connection breaks without a word.
    Break,
}

/// A server that answers what `answer` says to the first, second, … call.
pub(super) struct Fake {
    pub(super) url: String,
    asked: Rc<RefCell<Vec<Asked>>>,
}

impl Fake {
    /// Starts it; it lives as long as the [`tokio::task::LocalSet`] around it.
    pub(super) async fn start(answer: impl Fn(&Asked, usize) -> Reply + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let asked = Rc::new(RefCell::new(Vec::new()));
        let log = Rc::clone(&asked);
        tokio::task::spawn_local(async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                let Some(question) = read(&mut stream).await else { continue };
                let before = log.borrow().len();
                log.borrow_mut().push(question.clone());
                write(&mut stream, answer(&question, before)).await;
            }
        });
        Self { url, asked }
    }

    /// Everything that was asked so far.
    pub(super) fn asked(&self) -> Vec<Asked> {
        self.asked.borrow().clone()
    }

    /// The first lines of everything that was asked so far, without what all of them begin with.
    pub(super) fn lines(&self) -> Vec<String> {
        self.asked().iter().map(|asked| asked.line.replace("/api/v1", "")).collect()
    }
}

async fn read(stream: &mut TcpStream) -> Option<Asked> {
    let mut bytes = Vec::new();
    let head = loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break end;
        }
        if stream.read_buf(&mut bytes).await.unwrap() == 0 {
            return None;
        }
    };
    let text = String::from_utf8(bytes[..head].to_vec()).unwrap();
    let (line, headers) = text.split_once("\r\n").unwrap();
    let line = line.trim_end_matches(" HTTP/1.1").to_owned();
    let mut asked = Asked { line, headers: headers.to_owned(), body: String::new() };
    let length: usize = asked.header("content-length").map_or(0, |length| length.parse().unwrap());
    while bytes.len() < head + 4 + length {
        stream.read_buf(&mut bytes).await.unwrap();
    }
    asked.body = String::from_utf8(bytes[head + 4..].to_vec()).unwrap();
    Some(asked)
}

async fn write(stream: &mut TcpStream, reply: Reply) {
    let (head, body) = match reply {
        Reply::Break => return,
        Reply::Json(204, _) => ("204 No Content".to_owned(), String::new()),
        Reply::Json(status, body) => {
            let length = body.len();
            (format!("{status} X\r\ncontent-type: application/json\r\ncontent-length: {length}"), body)
        }
        Reply::Events(body) => ("200 OK\r\ncontent-type: text/event-stream".to_owned(), body),
    };
    let text = format!("HTTP/1.1 {head}\r\nconnection: close\r\n\r\n{body}");
    stream.write_all(text.as_bytes()).await.unwrap();
    stream.shutdown().await.unwrap();
}

/// How a command went.
#[derive(Debug)]
pub(super) struct Went {
    pub(super) code: u8,
    pub(super) out: String,
    pub(super) error: String,
}

/// Runs one command line for somebody who is signed in.
pub(super) async fn brevet(fake: &Fake, words: &[&str]) -> Went {
    let environment = Environment {
        token: Some(SecretText::new("t0ken".into())),
        server: Some(fake.url.clone()),
        ..Environment::default()
    };
    brevet_in(environment, words).await
}

/// Runs one command line in an environment.
pub(super) async fn brevet_in(environment: Environment, words: &[&str]) -> Went {
    let Cli { global, command } = Cli::try_parse_from(["brevet"].iter().chain(words)).unwrap();
    let (console, out, error) = Console::kept(global.output);
    assert!(matches!(global.output, Format::Table | Format::Json | Format::Yaml));
    let mut context = Context::new(console, environment, global);
    let code = match dispatch(&mut context, command).await {
        Ok(super::Done::Well) => 0,
        Ok(super::Done::Code(code)) => code,
        Err(failure) => {
            context.console.complain(&failure);
            failure.code()
        }
    };
    Went { code, out: out.text(), error: error.text() }
}

/// Runs a test that has a [`Fake`].
pub(super) fn with_server(test: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    tokio::task::LocalSet::new().block_on(&runtime, test);
}

/// Compares with a file under `tests/snapshots`; what differs is written beside it, to be looked at and moved.
pub(super) fn snapshot(name: &str, text: &str) {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/snapshots").join(name);
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    let text = format!("{}\n", text.trim_end());
    if expected != text {
        let new = path.with_file_name(format!("{name}.new"));
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&new, text).unwrap();
        panic!(
            "{name} differs; look at {} and, if it is right, move it to {}",
            new.display(),
            path.display()
        );
    }
}
