//! The format, byte by byte, and recordings on their way from one server to another.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use brevet_core::{Digest, ExecutionId, Output};

use super::frame::{BadRecording, FRAME_BYTES_MAX, Frame, HEADER, Head, Parser, Stream};
use super::{Blobs, Live, OutputSink, Piece, Relayed};
use crate::Clock;

fn frame(stream: Stream, micros: u64, bytes: &[u8]) -> Vec<u8> {
    [&Head { stream, micros, length: bytes.len() }.encode()[..], bytes].concat()
}

fn recording(frames: &[Vec<u8>]) -> Vec<u8> {
    [HEADER, &frames.concat()].concat()
}

/// All frames of a recording that comes in pieces of this size.
fn parse(bytes: &[u8], piece: usize) -> Result<Vec<Frame>, BadRecording> {
    let mut parser = Parser::default();
    let mut frames = Vec::new();
    for piece in bytes.chunks(piece) {
        parser.feed(piece);
        while let Some(frame) = parser.next()? {
            frames.push(frame);
        }
    }
    parser.finish().map(|()| frames)
}

#[test]
fn the_format_is_as_documented() {
    let bytes = recording(&[frame(Stream::Output, 1, b"ab"), frame(Stream::Error, 0x0102, b"c")]);
    let expected =
        b"brevet-recording/v1\n\x01\0\0\0\0\0\0\0\x01\0\0\0\x02ab\x02\0\0\0\0\0\0\x01\x02\0\0\0\x01c";
    assert_eq!(bytes, expected);
}

#[test]
fn frames_are_read_whatever_the_pieces_in_which_they_come() {
    let large = vec![7; FRAME_BYTES_MAX];
    let bytes = recording(&[
        frame(Stream::Output, 0, b"a"),
        frame(Stream::Error, 0, b"bc"),
        frame(Stream::Output, u64::MAX, &large),
    ]);
    let whole = parse(&bytes, bytes.len()).unwrap();
    assert_eq!(whole.len(), 3);
    assert_eq!((whole[1].stream, whole[2].micros, &whole[2].bytes), (Stream::Error, u64::MAX, &large));
    for piece in [1, 2, 12, 13, 14, 20, 21, 4096] {
        assert_eq!(parse(&bytes, piece).unwrap(), whole, "{piece}");
    }
}

#[test]
fn a_recording_that_ends_within_a_frame_is_damaged() {
    let bytes = recording(&[frame(Stream::Output, 1, b"ab"), frame(Stream::Output, 2, b"cd")]);
    let ends = [HEADER.len(), HEADER.len() + 15, HEADER.len() + 30];
    for end in 0..bytes.len() {
        assert_eq!(parse(&bytes[..end], 7).is_ok(), ends.contains(&end), "{end}");
    }
}

#[test]
fn what_no_writer_writes_is_damage() {
    let good = || frame(Stream::Output, 5, b"ab");
    let with = |at: usize, byte: u8| {
        let mut bytes = good();
        bytes[at] = byte;
        recording(&[good(), bytes])
    };
    assert!(parse(&with(0, 2), 64).is_ok());
    for (what, bytes) in [
        ("stream 0", with(0, 0)),
        ("stream 3", with(0, 3)),
        ("time goes back", with(8, 4)),
        ("no bytes", with(12, 0)),
        ("too many bytes", with(9, 1)),
    ] {
        let error = parse(&bytes, 64).unwrap_err();
        assert!(matches!(error, BadRecording::Damaged { at: 35 }), "{what}: {error:?}");
    }
    assert!(matches!(parse(b"brevet-recording/v2\n", 64), Err(BadRecording::Header)));
    assert!(matches!(parse(b"", 64), Err(BadRecording::Header)));
}

#[derive(Debug)]
struct Stopped;

impl Clock for Stopped {
    fn monotonic(&self) -> Duration {
        Duration::ZERO
    }
}

fn record(data: &Path) -> (Blobs, OutputSink, Live) {
    let blobs = Blobs::open(data).unwrap();
    let (sink, live) = blobs.record(ExecutionId::new(1), Arc::new(Stopped));
    (blobs, sink, live)
}

#[tokio::test]
async fn the_pieces_of_a_growing_recording_are_its_file() {
    let folder = tempfile::tempdir().unwrap();
    let (blobs, mut sink, live) = record(folder.path());
    let mut pieces = live.pieces();
    let mut all = Vec::new();
    let long = vec![9; 3 * FRAME_BYTES_MAX];
    for bytes in [&b"on"[..], &long] {
        sink.write(Stream::Output, bytes).unwrap();
        let Piece { place, bytes } = pieces.next().await.unwrap().unwrap();
        assert_eq!(place, all.len() as u64);
        all.extend(bytes);
    }
    let output = sink.finish().unwrap().unwrap();
    pieces.until_finished().await;
    while let Some(Piece { place, bytes }) = pieces.next().await.unwrap() {
        assert!(bytes.len() <= FRAME_BYTES_MAX && place == all.len() as u64);
        all.extend(bytes);
    }
    assert!(all == std::fs::read(blobs.path(output.digest)).unwrap());
}

#[tokio::test]
async fn the_pieces_of_a_recording_that_broke_off_end_with_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let (_, mut sink, live) = record(folder.path());
    sink.write(Stream::Output, b"on").unwrap();
    drop(sink);
    let mut pieces = live.pieces();
    assert!(pieces.next().await.unwrap().is_some());
    pieces.until_finished().await;
    assert!(matches!(pieces.next().await, Err(BadRecording::Unfinished)));
}

/// A finished recording, and what the ledger says of it.
fn recorded() -> (Vec<u8>, Output) {
    let folder = tempfile::tempdir().unwrap();
    let (blobs, mut sink, _live) = record(folder.path());
    sink.write(Stream::Output, b"out").unwrap();
    sink.write(Stream::Error, b"err").unwrap();
    let output = sink.finish().unwrap().unwrap();
    (blobs.bytes(&output).unwrap().unwrap(), output)
}

#[test]
fn a_recording_from_elsewhere_is_taken_over_when_all_of_it_is_right_and_never_otherwise() {
    let (bytes, output) = recorded();
    let folder = tempfile::tempdir().unwrap();
    let blobs = Blobs::open(folder.path()).unwrap();
    let arrive = |pieces: &[&[u8]], output: &Output| {
        let mut arriving = blobs.receive(output).unwrap();
        pieces.iter().try_for_each(|piece| arriving.write(piece))?;
        arriving.keep()
    };
    let mut other = bytes.clone();
    other[HEADER.len() + 15] ^= 1;
    let another = Output { digest: Digest([0; 32]), ..output };
    for (what, pieces, output) in [
        ("too little", &[&bytes[..30]][..], output),
        ("too much", &[&bytes[..], b"x"], output),
        ("another byte", &[&other[..]], output),
        ("another digest", &[&bytes[..]], another),
    ] {
        assert!(matches!(arrive(pieces, &output), Err(BadRecording::Digest)), "{what}");
        assert!(!blobs.has(&output), "{what}");
    }
    assert!(matches!(blobs.read(&output), Err(BadRecording::Missing)));
    for again in ["once", "again"] {
        arrive(&[&bytes[..7], &bytes[7..]], &output).unwrap();
        assert_eq!(blobs.read(&output).unwrap().count(), 2, "{again}");
    }
    assert_eq!(std::fs::read_dir(folder.path().join("blobs/partial")).unwrap().count(), 0);
}

#[test]
fn what_arrived_halfway_before_a_crash_is_removed_and_what_a_run_left_is_not() {
    let (_, output) = recorded();
    let folder = tempfile::tempdir().unwrap();
    let (blobs, mut sink, _live) = record(folder.path());
    sink.write(Stream::Output, b"evidence").unwrap();
    std::mem::forget(blobs.receive(&output).unwrap());
    let names = || {
        let entries = std::fs::read_dir(folder.path().join("blobs/partial")).unwrap();
        let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        names
    };
    assert_eq!(names(), ["arriving-0", "exe-1"]);
    drop(Blobs::open(folder.path()).unwrap());
    assert_eq!(names(), ["exe-1"]);
}

#[test]
fn a_relayed_recording_shows_its_frames_as_they_come_and_is_held_against_the_ledger_at_its_end() {
    let (bytes, output) = recorded();
    let relay = |bytes: &[u8]| {
        let mut relayed = Relayed::default();
        for piece in bytes.chunks(16) {
            relayed.feed(piece);
            while relayed.frame().unwrap().is_some() {}
        }
        relayed
    };
    let whole = relay(&bytes);
    assert_eq!(whole.bytes(), output.bytes);
    whole.finish(Some(&output)).unwrap();
    assert!(matches!(whole.finish(None), Err(BadRecording::Unfinished)));
    assert!(matches!(relay(&bytes[..36]).finish(Some(&output)), Err(BadRecording::Digest)));
    let another = Output { digest: Digest([0; 32]), ..output };
    assert!(matches!(whole.finish(Some(&another)), Err(BadRecording::Digest)));
    relay(b"").finish(None).unwrap();
}
