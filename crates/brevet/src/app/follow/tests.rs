//! What another server runs and ran, through a database that both share. The other one is played here: it decides,
//! records and shares, and this one only reads.

#[path = "../../../../brevet-store/tests/engines/cluster.rs"]
#[expect(dead_code, reason = "other tests use the rest")]
mod cluster;
#[path = "../../../../brevet-store/tests/sample/mod.rs"]
#[expect(dead_code, reason = "other tests use the rest")]
mod sample;

use std::sync::Arc;

use brevet_core::{Command, Digest, ExecutionId, ExecutionResult, Output};
use brevet_store::{DataFolder, DatabasePlace, Recordings};
use brevet_workloads::recording::{BadRecording, Blobs, OutputSink, Pieces, Stream};
use cluster::Cluster;
use sample::Sample;
use tempfile::TempDir;
use tokio::runtime::Runtime;

use super::super::published::{Published, Readers as PublishedReaders};
use super::super::read::Readers;
use super::super::recordings::fetch;
use super::{AppError, Elsewhere, Frame};
use crate::world::Steady;

/// The other server, and what this one reads with.
struct Pair {
    other: Sample,
    recordings: Recordings,
    readers: Readers,
    runtime: Runtime,
    folder: TempDir,
}

/// A run of the other server, which shares what it records whenever the test says so.
struct Run {
    execution: ExecutionId,
    sink: OutputSink,
    pieces: Pieces,
}

impl Pair {
    fn of(place: &DatabasePlace) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let other = Sample::organization_at(place, &folder.path().join("other"));
        let here = DataFolder::claim(&folder.path().join("here")).unwrap();
        Self {
            other,
            recordings: Recordings::open(place).unwrap().unwrap(),
            readers: Readers::open(place, &here).unwrap(),
            runtime: tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap(),
            folder,
        }
    }

    fn blobs(&self, server: &str) -> Blobs {
        Blobs::open(&self.folder.path().join(server)).unwrap()
    }

    fn start(&mut self) -> Run {
        self.other.grant();
        let execution = self.other.run();
        let (sink, live) = self.blobs("other").record(execution, Arc::new(Steady::start()));
        Run { execution, sink, pieces: live.pieces() }
    }

    fn writes(&self, run: &mut Run, text: &str) {
        run.sink.write(Stream::Output, text.as_bytes()).unwrap();
        let piece = self.runtime.block_on(run.pieces.next()).unwrap().unwrap();
        self.recordings.put(run.execution, piece.place, &piece.bytes).unwrap();
    }

    fn ends(&mut self, execution: ExecutionId, output: Option<Output>) {
        let result = if output.is_some() { ExecutionResult::Succeeded } else { ExecutionResult::Unknown };
        self.other.system(Command::FinishRun { execution, result, output });
    }

    fn follow(&self, run: &Run) -> Elsewhere {
        let state = self.other.state.clone();
        let published = Published { state, ..Published::default() };
        Elsewhere::new(self.readers.clone(), Arc::new(PublishedReaders::new(published)), run.execution)
    }

    fn shows(&self, elsewhere: &mut Elsewhere) -> Result<Option<String>, AppError> {
        let text = |frame: Frame| String::from_utf8(frame.bytes).unwrap();
        Ok(self.runtime.block_on(elsewhere.next())?.map(text))
    }

    /// Takes a recording over into the folder of this server, and reads it there.
    fn takes_over(&self, execution: ExecutionId, output: Output) -> Result<usize, AppError> {
        let blobs = self.blobs("here");
        self.runtime.block_on(fetch(&self.readers, &blobs, execution, output))?;
        Ok(blobs.read(&output)?.count())
    }
}

#[test]
fn what_another_server_runs_is_followed_and_what_it_ran_is_taken_over() {
    let cluster = Cluster::start();
    what_another_server_records_is_shown_as_it_comes(Pair::of(&cluster.database("live")));
    what_is_not_in_the_ledger_at_the_end_is_an_error(Pair::of(&cluster.database("ends")));
    a_finished_recording_is_taken_over_whole_and_right_or_not_at_all(Pair::of(&cluster.database("stored")));
}

fn what_another_server_records_is_shown_as_it_comes(mut pair: Pair) {
    let mut run = pair.start();
    let mut early = pair.follow(&run);
    pair.writes(&mut run, "one");
    assert_eq!(pair.shows(&mut early).unwrap().as_deref(), Some("one"));
    let waiting = pair.runtime.spawn(async move { (early.next().await, early) });
    pair.writes(&mut run, "two");
    let (frame, mut early) = pair.runtime.block_on(waiting).unwrap();
    assert_eq!(frame.unwrap().unwrap().bytes, b"two");
    let long = "x".repeat(1_000_000);
    pair.writes(&mut run, &long);
    let mut late = pair.follow(&run);
    let output = run.sink.finish().unwrap().unwrap();
    while let Some(piece) = pair.runtime.block_on(run.pieces.next()).unwrap() {
        pair.recordings.put(run.execution, piece.place, &piece.bytes).unwrap();
    }
    pair.ends(run.execution, Some(output));
    for (elsewhere, expected) in [(&mut early, long.clone()), (&mut late, format!("onetwo{long}"))] {
        let mut all = String::new();
        while let Some(text) = pair.shows(elsewhere).unwrap() {
            all += &text;
        }
        assert!(all == expected, "{} bytes of {}", all.len(), expected.len());
        assert_eq!(pair.shows(elsewhere).unwrap(), None, "it stays over");
    }
}

fn what_is_not_in_the_ledger_at_the_end_is_an_error(mut pair: Pair) {
    let another = Output { digest: Digest([1; 32]), bytes: 37, dropped: 0 };
    let is_digest: fn(&AppError) -> bool = |error| matches!(error, AppError::Output(BadRecording::Digest));
    let is_unfinished: fn(&AppError) -> bool =
        |error| matches!(error, AppError::Output(BadRecording::Unfinished));
    for (output, is_expected) in [(Some(another), is_digest), (None, is_unfinished)] {
        let mut run = pair.start();
        let mut elsewhere = pair.follow(&run);
        pair.writes(&mut run, "four");
        assert!(pair.shows(&mut elsewhere).unwrap().is_some());
        pair.ends(run.execution, output);
        let error = pair.shows(&mut elsewhere).unwrap_err();
        assert!(is_expected(&error), "{error:?}");
    }
    let silent = pair.start();
    let mut elsewhere = pair.follow(&silent);
    pair.ends(silent.execution, None);
    assert_eq!(pair.shows(&mut elsewhere).unwrap(), None);
}

fn a_finished_recording_is_taken_over_whole_and_right_or_not_at_all(mut pair: Pair) {
    let mut run = pair.start();
    for text in ["one", "two", "three"] {
        pair.writes(&mut run, text);
    }
    let output = run.sink.finish().unwrap().unwrap();
    let another = Output { digest: Digest([1; 32]), ..output };
    let shorter = Output { bytes: output.bytes - 1, ..output };
    let longer = Output { bytes: output.bytes + 1, ..output };
    let never_shared = ExecutionId::new(run.execution.number() + 1);
    for (execution, output, sentence) in [
        (run.execution, another, "the recording is not the one in the ledger"),
        (run.execution, shorter, "the recording is not the one in the ledger"),
        (run.execution, longer, "the recording is missing"),
        (never_shared, output, "the recording is missing"),
    ] {
        let error = pair.takes_over(execution, output).unwrap_err().to_string();
        assert!(error.contains(sentence), "{error}");
        assert!(!pair.blobs("here").has(&output));
    }
    assert_eq!(pair.takes_over(run.execution, output).unwrap(), 3);
    assert_eq!(std::fs::read_dir(pair.folder.path().join("here/blobs/partial")).unwrap().count(), 0);
}
