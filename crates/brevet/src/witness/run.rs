//! `brevet witness serve`: takes the folder, makes the key when there is none, serves until told to stop.

use std::io::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use brevet_ledger::KeyName;
use brevet_store::{DataFolder, WitnessStore};

use super::office::Office;
use super::writer::Writer;
use crate::cli::WitnessServeArgs;
use crate::config::Tls;
use crate::http::{Listening, ServeError, bind_to};
use crate::serve::{log_to_stderr, raise_open_files, told_to_stop};
use crate::world::{Machine, World as _};

/// How long requests in progress have when the witness is told to stop.
const DRAIN: Duration = Duration::from_secs(5);

/// Serves until SIGTERM or SIGINT.
pub(super) fn serve(args: WitnessServeArgs) -> anyhow::Result<()> {
    let WitnessServeArgs { data, name, listen, tls_cert, tls_key } = args;
    log_to_stderr();
    raise_open_files();
    let store = open(data, name.as_deref())?;
    let tls = tls_cert.zip(tls_key).map(|(certificate, key)| Tls { certificate, key });
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let done = runtime.block_on(run(store, listen, tls));
    runtime.shutdown_timeout(Duration::from_secs(1));
    done
}

/// Takes the folder, and makes a witness of it where there is none and a name is given.
pub(super) fn open(data: PathBuf, name: Option<&str>) -> anyhow::Result<WitnessStore> {
    // Whatever this process creates is nobody else's.
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o077));
    let name = name.map(KeyName::parse).transpose().context("this cannot be the name of a witness")?;
    let mut seed = zeroize::Zeroizing::new([0; 32]);
    Machine.fill(&mut *seed).context("the system gives no random numbers")?;
    Ok(WitnessStore::open(DataFolder::claim(&data)?, name.as_ref(), &seed)?)
}

async fn run(store: WitnessStore, listen: SocketAddr, tls: Option<Tls>) -> anyhow::Result<()> {
    let server = bind_to(listen, tls).await.map_err(explain)?;
    let key = store.verifier().to_string();
    let (writer, ended) = Writer::start(store, Machine)?;
    let office = Arc::new(Office::open(writer)?);
    let (told, broken) = (told_to_stop()?, office.writer_ended());
    greet(&office, &server, &key)?;
    let stop = async move {
        tokio::select! {
            () = told => {}
            () = broken => {}
        }
    };
    server.serve_routes(super::http::routes(Arc::clone(&office)), stop, DRAIN).await?;
    office.stop().await;
    tokio::task::spawn_blocking(move || ended.join()).await?
}

/// A witness has no settings file to name a certificate in.
fn explain(error: ServeError) -> anyhow::Error {
    match error {
        ServeError::Plain { listen } => anyhow::anyhow!(
            "{listen} can be reached from other machines, so it needs TLS: name a certificate and its key with \
             --tls-cert and --tls-key, or listen on 127.0.0.1 behind a proxy that has them"
        ),
        error => error.into(),
    }
}

/// Says where it is. That nobody listens is no reason not to serve.
fn greet(office: &Office, server: &Listening, key: &str) -> anyhow::Result<()> {
    let scheme = if server.is_encrypted() { "https" } else { "http" };
    let watched = office.standings_now()?.iter().filter(|standing| standing.keys > 0).count();
    let data = office.data().display();
    let mut text = format!(
        "Brevet {} witnesses on {scheme}://{}\n  data     {data}\n  key      {key}\n  ledgers  {watched}\n",
        env!("CARGO_PKG_VERSION"),
        server.address()
    );
    if watched == 0 {
        text += "\nNo ledger is watched yet. Add one, also while this runs, with:\n\n";
        text += &format!("  brevet witness add-log --data {data} KEY\n\n");
    }
    let mut out = std::io::stdout().lock();
    drop(out.write_all(text.as_bytes()).and_then(|()| out.flush()));
    Ok(())
}
