//! `brevet serve`: opens the ledger, reads the definitions, serves until told to stop.

use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use brevet_ledger::Policy;
use brevet_store::{DataFolder, DatabasePlace};
use brevet_workloads::spawn::Spawner;
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::app::{App, NotTakenOver, OneTimeCode, Settings, Standing, Witnesses, Workloads};
use crate::cli::ServeArgs;
use crate::config::{self, Config, LedgerConfig};
use crate::http;
use crate::sinks::{self, Sinks};
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
/// How long sinks have for the last entries then; what they do not get they get after the next start.
const SINKS_DRAIN: Duration = Duration::from_secs(3);
/// How long requests in progress have when the server is told to stop.
const DRAIN: Duration = Duration::from_secs(10);

/// Serves until SIGTERM or SIGINT.
pub(crate) fn serve(args: ServeArgs) -> ExitCode {
    let ServeArgs { config, data, listen, tasks, accept_loss } = args;
    log_to_stderr();
    // Whatever this process or its programs create is nobody else's.
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o077));
    let limit = rustix::process::Rlimit { current: Some(0), maximum: Some(0) };
    let _ = rustix::process::setrlimit(rustix::process::Resource::Core, limit);
    let given = config::Given { config, data, listen, tasks };
    let accept = |config: Config| match accept_loss {
        true => Config { database: config.database.accepting_loss(), ..config },
        false => config,
    };
    match Config::read(given).map(accept).map_err(anyhow::Error::from).and_then(start) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&format!("brevet: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

/// The usual 1,024 open files are fewer than the connections that are let in, and a run needs some of its own:
/// without more, anybody who opens connections keeps runs from starting.
pub(crate) fn raise_open_files() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let maximum = getrlimit(Resource::Nofile).maximum;
    let current = Some(maximum.unwrap_or(OPEN_FILES).min(OPEN_FILES));
    if let Err(error) = setrlimit(Resource::Nofile, Rlimit { current, maximum }) {
        tracing::warn!(%error, "the limit of open files stays as it is");
    }
}

/// The process's own diagnostic output; the ledger is elsewhere.
pub(crate) fn log_to_stderr() {
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
    let settings = settings(&config)?;
    let sinks = Sinks::prepare(&config.sinks)?;
    // First, so that a start that comes to nothing is none in the ledger.
    let server = http::bind(&config).await?;
    let app = App::open_with(folder, Machine, Arc::new(workloads), settings).await?;
    reload(&app).await;
    greet(&app, &config, server.address())?;
    tokio::spawn(keep_house(app.clone()));
    let sinks = Arc::new(sinks.start(&app));
    tokio::spawn(reload_on(signal(SignalKind::hangup())?, app.clone(), Arc::clone(&sinks)));
    let (told, stopping) = (told_to_stop()?, app.clone());
    // Runs first: whoever follows one sees its end before the connections go.
    let told = async move {
        tokio::select! {
            () = told => {}
            () = stopping.until_halted() => {}
        }
        stopping.stop_runs();
    };
    server.serve(app.clone(), told, DRAIN).await?;
    app.shut_down(RUNS_END_WITHIN).await;
    sinks.drain(SINKS_DRAIN).await;
    match app.halted() {
        Some(why) => anyhow::bail!("{why}"),
        None => Ok(()),
    }
}

/// What the settings say of the ledger, with the files that they name.
fn settings(config: &Config) -> anyhow::Result<Settings> {
    let LedgerConfig {
        heartbeat,
        anchor,
        key,
        witness_policy,
        witness_timeout,
        witness_ca,
        public_entries,
        retention,
    } = config.ledger.clone();
    let read = |path: &Path| {
        std::fs::read_to_string(path).with_context(|| format!("{} cannot be read", path.display()))
    };
    let authority = witness_ca.as_deref().map(read).transpose()?.map(String::into_bytes);
    let witnesses = match witness_policy.as_deref() {
        None => None,
        Some(path) => {
            let policy = Policy::parse(&read(path)?)
                .with_context(|| format!("the witness policy {} has a mistake", path.display()))?;
            let micros = witness_timeout.micros().unsigned_abs();
            Some(Witnesses { policy, timeout: Duration::from_micros(micros), authority })
        }
    };
    let database = config.database.clone();
    Ok(Settings { heartbeat: Some(heartbeat), anchor, database, key, witnesses, public_entries, retention })
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

async fn reload_on(mut hangup: Signal, app: App, sinks: Arc<sinks::Running>) {
    while hangup.recv().await.is_some() {
        sinks.reopen();
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

pub(crate) fn told_to_stop() -> std::io::Result<impl Future<Output = ()> + Send + 'static> {
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
    if let DatabasePlace::Postgres { address, .. } = &config.database {
        writeln!(out, "  database   {address}")?;
    }
    writeln!(out, "  tasks      {}", config.tasks.display())?;
    writeln!(out, "  ledger     {}", app.ledger_origin())?;
    writeln!(out, "  key        {}", app.verifier_key())?;
    writeln!(out, "  anchor     {}", anchor(&app.standing()))?;
    writeln!(out, "  witnesses  {}", witnesses(&app.standing()))?;
    if let Some(OneTimeCode { code, expires: _, entry: _ }) = app.make_setup_code()? {
        let code = code.reveal(str::to_owned);
        writeln!(
            out,
            "\nThis is the first start. Within an hour, create the first administrator in a browser:"
        )?;
        // What stands behind the # stays in the browser: no log on the way has the code.
        writeln!(
            out,
            "\n  {scheme}://{address}/setup#code={code}\n\nor with this, which asks for the code:"
        )?;
        // On a command line it could be read by everybody on the machine, who might use it first.
        writeln!(out, "\n  brevet login --server {scheme}://{address} --user NAME --setup\n")?;
        writeln!(out, "One-time code: {code}")?;
    }
    out.flush()?;
    Ok(())
}

fn anchor(standing: &Standing) -> String {
    match standing.anchor_is_beside {
        true => "in the data folder: a backup restored together with it is not noticed; set ledger.anchor"
            .to_owned(),
        false => standing.anchor.display().to_string(),
    }
}

fn witnesses(standing: &Standing) -> String {
    let names: Vec<&str> = standing.witnesses.iter().map(|witness| witness.name.as_str()).collect();
    match (names.is_empty(), standing.has_quorum) {
        (true, _) => "none: nobody outside this machine would notice a rewritten ledger".to_owned(),
        (false, false) => {
            format!("{}; the policy has no quorum, so nothing counts as witnessed", names.join(", "))
        }
        (false, true) => names.join(", "),
    }
}

fn complain(text: &str) {
    drop(writeln!(std::io::stderr(), "{text}"));
}
