//! `brevet serve`: opens the ledger, reads the definitions, serves until told to stop.

use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use brevet_store::DataFolder;
use brevet_workloads::spawn::Spawner;
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::app::{App, NotTakenOver, OneTimeCode, Workloads};
use crate::cli::ServeArgs;
use crate::config::{self, Config};
use crate::http;
use crate::world::Machine;

/// The hidden command by which this program starts its own spawner.
const SPAWNER_COMMAND: &str = "spawner";
/// This very program, whatever was put in its place since it was started.
const THIS_PROGRAM: &str = "/proc/self/exe";
const HOUSEKEEPING_EVERY: Duration = Duration::from_secs(5);
/// How long runs have to end then: longer than any of them has between TERM and KILL.
const RUNS_END_WITHIN: Duration = Duration::from_secs(10);
/// Open files of the server: every connection that is let in, and as many again for runs and the disk.
const OPEN_FILES: u64 = 16_384;
/// How long requests in progress have when the server is told to stop.
const DRAIN: Duration = Duration::from_secs(10);

/// Serves until SIGTERM or SIGINT.
pub(crate) fn serve(args: ServeArgs) -> ExitCode {
    let ServeArgs { config, data, listen, tasks } = args;
    log_to_stderr();
    // Whatever this process or its programs create is nobody else's.
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o077));
    let limit = rustix::process::Rlimit { current: Some(0), maximum: Some(0) };
    let _ = rustix::process::setrlimit(rustix::process::Resource::Core, limit);
    let given = config::Given { config, data, listen, tasks };
    match Config::read(given).map_err(anyhow::Error::from).and_then(start) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&format!("brevet: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

/// The usual 1,024 open files are fewer than the connections that are let in, and a run needs some of its own:
/// without more, anybody who opens connections keeps runs from starting.
fn raise_open_files() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let maximum = getrlimit(Resource::Nofile).maximum;
    let current = Some(maximum.unwrap_or(OPEN_FILES).min(OPEN_FILES));
    if let Err(error) = setrlimit(Resource::Nofile, Rlimit { current, maximum }) {
        tracing::warn!(%error, "the limit of open files stays as it is");
    }
}

/// The process's own diagnostic output; the ledger is elsewhere.
fn log_to_stderr() {
    let filter = tracing_subscriber::EnvFilter::try_new(config::log_filter());
    let filter = filter.unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("info"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(false).init();
}

fn start(config: Config) -> anyhow::Result<()> {
    // Before the folder is claimed: the spawner must not inherit its lock.
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let spawner = {
        let _inside = runtime.enter();
        Spawner::start(Path::new(THIS_PROGRAM), &[SPAWNER_COMMAND])
            .context("the process spawner cannot be started")?
    };
    // After the spawner was started: programs keep the limit that they expect.
    raise_open_files();
    let folder = DataFolder::claim(&config.data)?;
    if config.tasks == config.data.join("tasks.d") {
        folder.make_folder("tasks.d")?;
    }
    let done = runtime.block_on(run(config, folder, spawner));
    runtime.shutdown_timeout(Duration::from_secs(1));
    done
}

async fn run(config: Config, folder: DataFolder, spawner: Spawner) -> anyhow::Result<()> {
    let workloads = Workloads::new(spawner, folder.path(), &config.tasks)?;
    let app = App::open(folder, Machine, Arc::new(workloads)).await?;
    reload(&app).await;
    let server = http::bind(&config).await?;
    greet(&app, &config, server.address())?;
    tokio::spawn(keep_house(app.clone()));
    tokio::spawn(reload_on(signal(SignalKind::hangup())?, app.clone()));
    let (told, stopping) = (told_to_stop()?, app.clone());
    // Runs first: whoever follows one sees its end before the connections go.
    let told = async move {
        told.await;
        stopping.stop_runs();
    };
    server.serve(app.clone(), told, DRAIN).await?;
    app.shut_down(RUNS_END_WITHIN).await;
    Ok(())
}

/// Mistakes in the definitions do not keep the server from starting: what is in force must stay revocable.
/// Tasks whose definition could not be read just do not run.
async fn reload(app: &App) {
    match app.reload().await {
        Ok(tasks) => tracing::info!(tasks, "the task definitions were read"),
        Err(NotTakenOver::Problems(problems)) => {
            complain(&format!(
                "The task definitions have mistakes; the last good ones stay in force:\n{problems}"
            ));
        }
        Err(error) => tracing::error!(%error, "the task definitions were not taken over"),
    }
}

async fn reload_on(mut hangup: Signal, app: App) {
    while hangup.recv().await.is_some() {
        reload(&app).await;
    }
}

async fn keep_house(app: App) {
    let mut every = tokio::time::interval(HOUSEKEEPING_EVERY);
    loop {
        every.tick().await;
        if let Err(error) = app.tend().await {
            tracing::warn!(%error, "housekeeping has to wait");
        }
    }
}

fn told_to_stop() -> std::io::Result<impl Future<Output = ()> + Send + 'static> {
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

/// Says where the server is, and on the first start how the first administrator comes in.
fn greet(app: &App, config: &Config, address: std::net::SocketAddr) -> anyhow::Result<()> {
    let scheme = if config.tls.is_some() { "https" } else { "http" };
    let mut out = std::io::stdout().lock();
    writeln!(out, "Brevet {} serves {scheme}://{address}", env!("CARGO_PKG_VERSION"))?;
    writeln!(out, "  data       {}", config.data.display())?;
    writeln!(out, "  tasks      {}", config.tasks.display())?;
    writeln!(out, "  ledger     {}", app.ledger_origin())?;
    writeln!(out, "  key        {}", app.verifier_key())?;
    writeln!(out, "  witnesses  none: nobody outside this machine would notice a rewritten ledger")?;
    if let Some(OneTimeCode { code, expires: _ }) = app.make_setup_code()? {
        let code = code.reveal(str::to_owned);
        writeln!(out, "\nThis is the first start. Within an hour, create the first administrator with:")?;
        writeln!(out, "\n  brevet login --server {scheme}://{address} --user NAME --setup {code}\n")?;
    }
    out.flush()?;
    Ok(())
}

fn complain(text: &str) {
    drop(writeln!(std::io::stderr(), "{text}"));
}
