//! `brevet migrate-store`: moves a ledger between its data folder and PostgreSQL.

use std::io::{IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, bail};
use brevet_core::{ExecutionId, ExecutionState, Output};
use brevet_store::{
    DataFolder, DatabasePlace, ExecutionFilter, MoveFault, MoveProgress, MoveStep, MovedLedger, Reader,
    Standby, StoreError, move_ledger,
};
use brevet_workloads::recording::{BadRecording, Blobs};

use crate::cli::{Format, MigrateStoreArgs};
use crate::recover::{Told, end};
use crate::world::{Machine, World as _};

/// How a data folder is named beside the address of a server.
const FOLDER: &str = "sqlite:";
const DATABASE_FILE: &str = "brevet.db";
/// Runs that are looked at together.
const PAGE: usize = 200;
/// How often it is told how far it is.
const TOLD_EVERY: Duration = Duration::from_millis(200);

/// Moves a ledger.
pub(crate) fn migrate_store(args: MigrateStoreArgs, format: Format) -> ExitCode {
    end(migrate(args), format)
}

/// One of both places, as it is written.
enum Place {
    Folder(PathBuf),
    Postgres(String),
}

impl Place {
    /// Never tells an address back: there may be a password in it.
    fn parse(option: &str, text: &str) -> anyhow::Result<Self> {
        if text.starts_with("postgresql://") {
            return Ok(Self::Postgres(text.to_owned()));
        }
        let Some(path) = text.strip_prefix(FOLDER).filter(|path| !path.is_empty()) else {
            bail!("{option} is sqlite: and a data folder, or the address of a database, postgresql://…")
        };
        let path = Path::new(path);
        let is_file = path.file_name().is_some_and(|name| name == DATABASE_FILE);
        Ok(Self::Folder(if is_file { path.parent().unwrap_or(path).to_owned() } else { path.to_owned() }))
    }
}

fn migrate(args: MigrateStoreArgs) -> anyhow::Result<Told> {
    let MigrateStoreArgs { from, to, password_file: password, authority } = args;
    let server =
        |address| DatabasePlace::Postgres { address, password, authority, standby: Standby::Unasked };
    let here = DatabasePlace::Folder;
    let (from, to, data) = match (Place::parse("--from", &from)?, Place::parse("--to", &to)?) {
        (Place::Folder(data), Place::Postgres(address)) => (here, server(address), data),
        (Place::Postgres(address), Place::Folder(data)) => (server(address), here, data),
        (Place::Folder(_), Place::Folder(_)) | (Place::Postgres(_), Place::Postgres(_)) => {
            bail!("one of --from and --to is sqlite: and a data folder, the other an address of PostgreSQL")
        }
    };
    if !data.is_dir() {
        bail!("{} is no folder; name the data folder that the server had, with its keys", data.display());
    }
    let folder = DataFolder::claim(&data)?;
    let mut teller = Teller::new();
    let moved = move_ledger(&from, &to, &folder, &mut |progress| teller.tell(progress));
    teller.clear();
    let moved = match moved {
        // Interrupted behind the last step: only outputs may be left.
        Err(MoveFault::Store(StoreError::MovedAway)) if folder.database().exists() => moved_before(&folder)?,
        moved => moved.context("the ledger was not moved")?,
    };
    let fetched = match to {
        DatabasePlace::Folder => {
            fetch_outputs(&folder).context("the ledger was moved, its outputs were not")?
        }
        DatabasePlace::Postgres { .. } => Fetched::default(),
    };
    Ok(told(&moved, fetched, &data))
}

/// What an earlier move brought here.
fn moved_before(folder: &DataFolder) -> anyhow::Result<MovedLedger> {
    let reader = Reader::open(folder)?;
    let origin = reader.checkpoint()?.lines().next().unwrap_or_default().to_owned();
    Ok(MovedLedger { origin, size: reader.size()?, rows: 0, set_aside: None })
}

/// Outputs of runs that were not in the folder of this server.
#[derive(Default, Clone, Copy)]
struct Fetched {
    kept: u64,
    missing: u64,
}

/// Puts what other servers ran into the folder: from now on it is the only place where anybody looks.
fn fetch_outputs(folder: &DataFolder) -> anyhow::Result<Fetched> {
    let (reader, blobs) = (Reader::open(folder)?, Blobs::open(folder.path())?);
    let finished = ExecutionFilter { running: Some(false), user: None };
    let (mut fetched, mut before) = (Fetched::default(), None);
    loop {
        let page = reader.executions(finished, before, PAGE)?;
        for execution in page.items {
            let ExecutionState::Finished { output: Some(output), .. } = execution.state else { continue };
            if blobs.has(&output) {
                continue;
            }
            match fetch(&reader, &blobs, execution.id, &output)? {
                true => fetched.kept += 1,
                false => fetched.missing += 1,
            }
        }
        before = page.next;
        if before.is_none() {
            return Ok(fetched);
        }
    }
}

/// Puts one together from its pieces; `false` where they are not all there, or not what the ledger says.
fn fetch(reader: &Reader, blobs: &Blobs, execution: ExecutionId, output: &Output) -> anyhow::Result<bool> {
    let mut arriving = blobs.receive(output)?;
    while !arriving.is_whole() {
        let Some(piece) = reader.recorded(execution, arriving.bytes())?.piece else { return Ok(false) };
        match arriving.write(&piece) {
            Ok(()) => {}
            Err(BadRecording::Digest) => return Ok(false),
            Err(error) => return Err(error.into()),
        }
    }
    match arriving.keep() {
        Ok(()) => Ok(true),
        Err(BadRecording::Digest) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

fn told(moved: &MovedLedger, fetched: Fetched, data: &Path) -> Told {
    let MovedLedger { origin, size, rows, set_aside } = moved;
    let Fetched { kept, missing } = fetched;
    let next = match set_aside {
        Some(file) => format!(
            "{} is what was moved: keep it until you trust the new database, it starts no server.\n\
             Now set in the settings file, and start the server again:\n\n  [database]\n  \
             url = \"postgresql://…\"    # as in --to; with password_file and authority as they were given here",
            file.display()
        ),
        None => format!(
            "No server starts on the database that it was moved from.\n{kept} outputs of runs on other servers are in \
             {} now{}.\nTake [database] out of the settings file, and start the server again with --data {}",
            data.join("blobs").display(),
            match missing {
                0 => String::new(),
                _ => format!(
                    "; {missing} more are in neither place: copy the blobs folder of the server that ran them over it"
                ),
            },
            data.display()
        ),
    };
    Told {
        sentence: format!(
            "The ledger {origin} with {size} entries was moved, and reads as before: {rows} rows were copied.\n{next}"
        ),
        fields: serde_json::json!({
            "origin": origin, "size": size, "rows": rows, "data": data, "set_aside": set_aside,
            "outputs_fetched": kept, "outputs_missing": missing,
        }),
    }
}

/// Says on a terminal how far it is.
struct Teller {
    is_watched: bool,
    last: Option<Duration>,
}

impl Teller {
    fn new() -> Self {
        Self { is_watched: std::io::stderr().is_terminal(), last: None }
    }

    fn tell(&mut self, MoveProgress { step, rows }: MoveProgress) {
        let Some(now) = Machine.steady().filter(|_| self.is_watched) else { return };
        if self.last.is_some_and(|last| now.saturating_sub(last) < TOLD_EVERY) {
            return;
        }
        self.last = Some(now);
        let doing = match step {
            MoveStep::Copying => "rows copied",
            MoveStep::Comparing => "rows compared",
            MoveStep::Proving => "entries hashed",
        };
        drop(write!(std::io::stderr(), "\r{rows} {doing}\x1b[K"));
    }

    /// Leaves the line empty.
    fn clear(&self) {
        if self.last.is_some() {
            drop(write!(std::io::stderr(), "\r\x1b[K"));
        }
    }
}
