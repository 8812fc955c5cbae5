//! A server in this process, with one task, and somebody signed in who may run it.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use brevet::app::{App, Settings, Workloads};
use brevet::config::{Config, LedgerConfig};
use brevet::world::Machine;
use brevet_core::{ExecutionResult, ExecutionState, Origin, Output, Reply, Secret, SessionId, UserId};
use brevet_store::{DataFolder, DatabasePlace};
use brevet_workloads::spawn::Spawner;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::organization::{APPROVER, approve, founding, submit, user};

type Failure = Box<dyn std::error::Error>;

/// The argument by which this program becomes the spawner of its server.
pub(crate) const SPAWNER: &str = "spawner";
/// The account that was set up first, and holds the authorization.
const HOLDER: Origin = Origin::user(UserId::new(1), SessionId::new(1));
const DRAIN: Duration = Duration::from_secs(1);

/// The server, its address, and a token.
pub(crate) struct Served {
    pub(crate) app: App,
    pub(crate) address: SocketAddr,
    pub(crate) token: String,
}

/// An application without an account yet.
pub(crate) async fn open(data: &Path) -> Result<App, Failure> {
    let folder = DataFolder::claim(data)?;
    let spawner = Spawner::start(Path::new("/proc/self/exe"), &[SPAWNER])?;
    let workloads = Workloads::new(spawner, data, &data.join("tasks.d"))?;
    Ok(App::open(folder, Machine, Arc::new(workloads)).await?)
}

/// The same with a database elsewhere.
pub(crate) async fn open_at(data: &Path, database: DatabasePlace) -> Result<App, Failure> {
    let folder = DataFolder::claim(data)?;
    let spawner = Spawner::start(Path::new("/proc/self/exe"), &[SPAWNER])?;
    let workloads = Workloads::new(spawner, data, &data.join("tasks.d"))?;
    let settings = Settings { database, ..Settings::default() };
    Ok(App::open_with(folder, Machine, Arc::new(workloads), settings).await?)
}

/// Serves an organization in which the person who is signed in may run the task `Linux\True`: `run`.
pub(crate) async fn serve(data: &Path, run: &str) -> Result<Served, Failure> {
    let app = open(data).await?;
    define(data, run)?;
    app.reload().await?;
    let code = app.make_setup_code()?.ok_or("the folder is not new")?;
    let password = Secret::new("correct horse battery staple".to_owned());
    let signed_in = app.set_up(code.code, user("ada")?, password, "127.0.0.1").await?;
    for (origin, command) in founding(0, Vec::new())?.into_iter().skip(1) {
        app.command(origin, command, None).await?;
    }
    let Reply::Request(request) = app.command(HOLDER, submit()?, None).await?.reply else {
        return Err("a request was not answered with its id".into());
    };
    app.command(APPROVER, approve(request)?, None).await?;
    let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let config = Config {
        listen,
        data: data.to_owned(),
        tasks: data.join("tasks.d"),
        tls: None,
        connections_per_address: None,
        database: brevet_store::DatabasePlace::Folder,
        ledger: LedgerConfig::default(),
        sinks: Vec::new(),
    };
    let listening = brevet::http::bind(&config).await?;
    let address = listening.address();
    tokio::spawn(listening.serve(app.clone(), std::future::pending(), DRAIN));
    let token = signed_in.token.reveal(str::to_owned);
    Ok(Served { app, address, token })
}

fn define(data: &Path, run: &str) -> Result<(), Failure> {
    let folder = data.join("tasks.d");
    std::fs::create_dir_all(&folder)?;
    let text = format!(
        "[workload]\nname = \"Linux\"\nkind = \"command\"\n\n[[task]]\nname = \"True\"\n\
         description = \"Does nothing, well\"\nrun = {run}\ntimeout = \"10m\"\noutput_limit = \"4GiB\"\n"
    );
    Ok(std::fs::write(folder.join("linux.toml"), text)?)
}

/// Starts the task and waits until its end is on record; answers what was kept of its output. A run that did not
/// succeed is no measurement.
pub(crate) async fn run_to_the_end(app: &App) -> Result<Option<Output>, Failure> {
    let mut changed = app.changed();
    let started = app.run(HOLDER, super::organization::run_order()?, None).await?;
    while app.read(|state| state.execution(started.execution).is_some()) {
        changed.changed().await?;
    }
    let ended = app.stored(move |reader| reader.execution(started.execution)).await?;
    match ended.map(|execution| execution.state) {
        Some(ExecutionState::Finished { result: ExecutionResult::Succeeded, output, .. }) => Ok(output),
        other => Err(format!("the run did not succeed: {other:?}").into()),
    }
}

/// One connection that is kept open, with the least that can be called a client.
pub(crate) struct Connection {
    stream: TcpStream,
    request: Vec<u8>,
    answer: Vec<u8>,
}

impl Connection {
    pub(crate) async fn open(
        address: SocketAddr,
        path: &str,
        token: &str,
        accept: &str,
    ) -> Result<Self, std::io::Error> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let body = r#"{"task":"Linux/True"}"#;
        let request = format!(
            "POST {path} HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {token}\r\naccept: {accept}\r\n\
             content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        Ok(Self { stream, request: request.into_bytes(), answer: vec![0; 64 * 1024] })
    }

    /// Asks, and reads until the answer is over.
    pub(crate) async fn ask(&mut self) -> Result<&[u8], std::io::Error> {
        self.stream.write_all(&self.request).await?;
        let mut length = 0;
        loop {
            let count = self.stream.read(&mut self.answer[length..]).await?;
            length += count;
            let so_far = &self.answer[..length];
            match is_whole(so_far) {
                true if is_good(so_far) => break,
                _ if count == 0 || is_whole(so_far) => {
                    return Err(std::io::Error::other(String::from_utf8_lossy(so_far).into_owned()));
                }
                _ => {}
            }
        }
        Ok(&self.answer[..length])
    }
}

fn is_good(answer: &[u8]) -> bool {
    answer.starts_with(b"HTTP/1.1 20")
}

/// Whether an answer has come to its end, by its length or by its last chunk.
fn is_whole(answer: &[u8]) -> bool {
    const LENGTH: &[u8] = b"content-length: ";
    let Some(head) = answer.windows(4).position(|four| four == b"\r\n\r\n") else { return false };
    let Some(at) = answer[..head].windows(LENGTH.len()).position(|part| part == LENGTH) else {
        return answer.ends_with(b"\r\n0\r\n\r\n");
    };
    let digits = answer[at + LENGTH.len()..head].iter().take_while(|byte| byte.is_ascii_digit());
    let length = digits.fold(0, |number, digit| number * 10 + usize::from(digit - b'0'));
    answer.len() >= head + 4 + length
}

/// Founds the organization of `durable` and `memory`.
pub(crate) async fn found(app: &App, people: u32) -> Result<(), Failure> {
    for (origin, command) in founding(people, vec![super::organization::spec()?])? {
        app.command(origin, command, None).await?;
    }
    Ok(())
}
