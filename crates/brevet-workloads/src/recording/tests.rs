//! The format, byte by byte.

use super::frame::{BadRecording, FRAME_BYTES_MAX, Frame, HEADER, Head, Parser, Stream};

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
