//! `brevet audit export`: entries into a file, or on to another program.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use http_body_util::BodyExt as _;

use super::client::query;
use super::context::Context;
use super::exit::{Done, Failure};
use super::settings;

/// Progress is drawn so often.
const DRAW_EVERY_MILLIS: i128 = 200;

/// How a line with an entry begins, in the format that can be verified.
const ENTRY_BEGINS: &[u8] = b"{\"index\":";

/// Write entries into a file, the oldest first, to verify or to read them elsewhere
#[derive(Debug, Args)]
#[command(
    long_about = "Write entries into a file, the oldest first, to verify or to read them elsewhere.\n\n\
        Without conditions, jsonl holds all that 'brevet audit verify' needs: the bytes of each entry, the texts \
        beside it with their salts, and the signed checkpoint. With conditions its first and last line say that it \
        is a part, which proves nothing about what is not in it. The other formats are for other programs to read.",
    after_help = "Examples:\n  brevet audit export --out ledger.jsonl\n  \
        brevet audit export --format csv --since 2026-11-01 --until 2026-12-01 --out november.csv\n  \
        brevet audit export --format ocsf --request req-42"
)]
pub(crate) struct ExportArgs {
    /// How entries are written
    #[arg(long, value_enum, default_value_t = ExportFormat::Jsonl, value_name = "FORMAT")]
    format: ExportFormat,
    /// Where to; nobody else can read the file [default: standard output]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Not before: a time, or how long ago, for example 24h
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// Before: a time, or how long ago
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
    /// Who caused it, by name or id, or system
    #[arg(long, value_name = "USER")]
    actor: Option<String>,
    /// What happened, for example request.submitted, or all that begin so: request.*
    #[arg(long, value_name = "KIND")]
    kind: Option<String>,
    /// What concerns this request, its authorization and its runs
    #[arg(long, value_name = "REQUEST")]
    request: Option<String>,
    /// What concerns this task, as Scope/Name
    #[arg(long, value_name = "TASK")]
    task: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ExportFormat {
    /// JSON lines that can be verified
    Jsonl,
    /// A table for spreadsheets
    Csv,
    /// As the Office 365 Management Activity API writes it
    Office365,
    /// Open Cybersecurity Schema Framework 1.8.0
    Ocsf,
}

impl ExportFormat {
    const fn name(self) -> &'static str {
        match self {
            Self::Jsonl => "jsonl",
            Self::Csv => "csv",
            Self::Office365 => "office365",
            Self::Ocsf => "ocsf",
        }
    }

    /// Whether the line at this place, which begins so, is an entry: not a heading, nor a checkpoint, of which there is
    /// one more for each change of the key.
    fn is_entry(self, place: u64, begins: &[u8]) -> bool {
        match self {
            Self::Jsonl => begins == ENTRY_BEGINS,
            Self::Csv => place > 0,
            Self::Office365 | Self::Ocsf => true,
        }
    }
}

/// How many entries went by.
struct Count {
    format: ExportFormat,
    lines: u64,
    entries: u64,
    /// As much of the line that is going by as tells what it is.
    begins: Vec<u8>,
}

impl Count {
    const fn new(format: ExportFormat) -> Self {
        Self { format, lines: 0, entries: 0, begins: Vec::new() }
    }

    fn take(&mut self, bytes: &[u8]) {
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            let (line, is_whole) = piece.strip_suffix(b"\n").map_or((piece, false), |line| (line, true));
            let room = ENTRY_BEGINS.len() - self.begins.len();
            self.begins.extend_from_slice(&line[..room.min(line.len())]);
            if is_whole {
                self.entries += u64::from(self.format.is_entry(self.lines, &self.begins));
                self.lines += 1;
                self.begins.clear();
            }
        }
    }
}

pub(super) async fn run(context: &mut Context, args: ExportArgs) -> Result<Done, Failure> {
    let clock = &context.console.view.clock;
    let time = |text: Option<&String>| {
        text.map(|text| clock.parse_past(text).map(|time| time.0.to_string())).transpose()
    };
    let (since, until) = (time(args.since.as_ref())?, time(args.until.as_ref())?);
    let ExportArgs { format, out, since: _, until: _, actor, kind, request, task } = args;
    let fields = [
        ("format", Some(format.name().to_owned())),
        ("since", since),
        ("until", until),
        ("actor", actor),
        ("kind", kind),
        ("request", request),
        ("task", task),
    ];
    let mut body = context.client()?.stream(&query("/audit/export", &fields)).await?;
    let mut file = out.as_deref().map(Target::open).transpose()?;
    let shows_progress = file.is_some() || !context.console.terminal.output;
    let (mut count, mut drawn) = (Count::new(format), settings::now());
    while let Some(frame) = body.frame().await {
        let entries = count.entries;
        let broke = |error: hyper::Error| {
            Failure::Failed(format!("the export broke off after {entries} entries: {error}"))
        };
        let Ok(bytes) = frame.map_err(broke)?.into_data() else { continue };
        count.take(&bytes);
        match &mut file {
            Some(file) => file.write(&bytes)?,
            None => context.console.bytes(&bytes)?,
        }
        if shows_progress && settings::now().duration_since(drawn).as_millis() > DRAW_EVERY_MILLIS {
            drawn = settings::now();
            context.console.status(&format!("{} entries", count.entries));
        }
    }
    context.console.status("");
    let entries = count.entries;
    if let Some(file) = file {
        let path = file.finish()?;
        let exported = serde_json::json!({"entries": entries, "format": format.name(), "file": path});
        context.console.done(&format!("Wrote {entries} entries to {}.", path.display()), &exported)?;
    }
    Ok(Done::Well)
}

/// A file that has its name only once all is in it: what broke off is never taken for all there is.
struct Target {
    file: File,
    path: PathBuf,
    /// Where it is written until then; a pipe or a device is written at once.
    part: Option<PathBuf>,
}

impl Target {
    fn open(path: &Path) -> Result<Self, Failure> {
        let unwritable = Failure::io(format!("{} cannot be written", path.display()));
        let is_special = path.metadata().is_ok_and(|metadata| !metadata.is_file());
        let mut options = OpenOptions::new();
        // Names, addresses and reasons are in it.
        options.write(true).mode(0o600);
        if is_special {
            let file = options.open(path).map_err(unwritable)?;
            return Ok(Self { file, path: path.to_owned(), part: None });
        }
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(".part");
        let part = path.with_file_name(name);
        // One that was left behind may be open to others, or lead elsewhere.
        drop(std::fs::remove_file(&part));
        let file = options.create_new(true).open(&part).map_err(unwritable)?;
        Ok(Self { file, path: path.to_owned(), part: Some(part) })
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        self.file.write_all(bytes).map_err(Failure::io(format!("{} cannot be written", self.path.display())))
    }

    fn finish(mut self) -> Result<PathBuf, Failure> {
        let unwritable = Failure::io(format!("{} cannot be written", self.path.display()));
        if let Some(part) = self.part.take() {
            self.file.sync_all().and_then(|()| std::fs::rename(&part, &self.path)).map_err(unwritable)?;
        }
        Ok(self.path.clone())
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        if let Some(part) = &self.part {
            drop(std::fs::remove_file(part));
        }
    }
}
