//! The end of what a run wrote, out of its stream, for a page that is read without scripts.

use std::collections::VecDeque;

use axum::body::Body;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use brevet_wire::{OutputChunk, Problem, Stream, misleads};
use http_body_util::BodyExt as _;

use crate::failure::Failure;

/// What a page shows of an output.
const TAIL_BYTES_MAX: usize = 64 * 1024;
/// The longest recording that is read to show its end; a longer one is downloaded.
pub(crate) const READ_BYTES_MAX: u64 = 8 << 20;
/// What the server says at once, in base64 with its frame.
const EVENT_BYTES_MAX: usize = 1 << 20;

/// The end of an output.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Tail {
    pub(crate) lines: Vec<Line>,
    /// Whether more came before it.
    pub(crate) is_cut: bool,
    /// Why this is not all of it.
    pub(crate) problem: Option<String>,
}

/// A line that a program wrote.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Line {
    /// Whether to its standard error.
    pub(crate) is_error: bool,
    pub(crate) text: String,
}

/// Reads the stream of a run that is over.
pub(crate) async fn read(mut body: Body) -> Result<Tail, Failure> {
    let mut reading = Reading::default();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| Failure::bug(&error.to_string()))?;
        if let Ok(bytes) = frame.into_data() {
            reading.take(&bytes)?;
        }
    }
    Ok(reading.finish())
}

#[derive(Default)]
struct Reading {
    /// The beginning of an event.
    kept: Vec<u8>,
    pieces: VecDeque<(Stream, Vec<u8>)>,
    size: usize,
    is_cut: bool,
    problem: Option<String>,
}

impl Reading {
    fn take(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        // What was kept has no end of an event in it.
        let mut from = self.kept.len().saturating_sub(1);
        self.kept.extend_from_slice(bytes);
        while let Some(end) = self.kept[from..].windows(2).position(|two| two == b"\n\n") {
            let event: Vec<u8> = self.kept.drain(..from + end + 2).collect();
            self.event(&event)?;
            from = 0;
        }
        match self.kept.len() {
            0..=EVENT_BYTES_MAX => Ok(()),
            _ => Err(Failure::bug("an event of a stream is too long")),
        }
    }

    fn event(&mut self, event: &[u8]) -> Result<(), Failure> {
        let strange = |error: &dyn std::error::Error| Failure::bug(&format!("the stream of a run: {error}"));
        let text = std::str::from_utf8(event).map_err(|error| strange(&error))?;
        let field = |name| text.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
        match field("event: ") {
            "output" => {
                let chunk: OutputChunk =
                    serde_json::from_str(field("data: ")).map_err(|error| strange(&error))?;
                self.keep(chunk.stream, STANDARD.decode(&chunk.data).map_err(|error| strange(&error))?);
            }
            "problem" => {
                let problem: Problem =
                    serde_json::from_str(field("data: ")).map_err(|error| strange(&error))?;
                self.problem = Some(problem.detail);
            }
            _ => {}
        }
        Ok(())
    }

    fn keep(&mut self, stream: Stream, bytes: Vec<u8>) {
        self.size += bytes.len();
        self.pieces.push_back((stream, bytes));
        while self.size > TAIL_BYTES_MAX
            && let Some((_, first)) = self.pieces.front_mut()
        {
            self.is_cut = true;
            let cut = first.len().min(self.size - TAIL_BYTES_MAX);
            first.drain(..cut);
            self.size -= cut;
            if first.is_empty() {
                self.pieces.pop_front();
            }
        }
    }

    /// The lines in the order in which they began. Each stream ends its own.
    fn finish(self) -> Tail {
        let mut lines: Vec<(Stream, Vec<u8>)> = Vec::new();
        let (mut open_output, mut open_error) = (None, None);
        for (stream, bytes) in self.pieces {
            let open = match stream {
                Stream::Stdout => &mut open_output,
                Stream::Stderr => &mut open_error,
            };
            for part in bytes.split_inclusive(|byte| *byte == b'\n') {
                let place = open.take().unwrap_or_else(|| {
                    lines.push((stream, Vec::new()));
                    lines.len() - 1
                });
                let (text, is_whole) = part.strip_suffix(b"\n").map_or((part, false), |text| (text, true));
                if let Some((_, line)) = lines.get_mut(place) {
                    line.extend_from_slice(text);
                }
                if !is_whole {
                    *open = Some(place);
                }
            }
        }
        let line = |(stream, bytes): (Stream, Vec<u8>)| Line {
            is_error: stream == Stream::Stderr,
            text: harmless(&bytes),
        };
        Tail { lines: lines.into_iter().map(line).collect(), is_cut: self.is_cut, problem: self.problem }
    }
}

/// One line with everything in it visible: nothing that hides, reorders or repaints what stands beside it.
fn harmless(line: &[u8]) -> String {
    let mut shown = String::with_capacity(line.len());
    for chunk in line.strip_suffix(b"\r").unwrap_or(line).utf8_chunks() {
        for c in chunk.valid().chars() {
            if misleads(c) { shown.extend(c.escape_unicode()) } else { shown.push(c) }
        }
        for byte in chunk.invalid() {
            shown.push_str(&format!("\\x{byte:02x}"));
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::{Line, Reading, TAIL_BYTES_MAX, Tail};
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;

    fn tail(pieces: &[(&str, &[u8])]) -> Tail {
        let mut reading = Reading::default();
        reading.take(b": still there\n\nevent: started\ndata: {}\n\n").unwrap();
        for (stream, bytes) in pieces {
            let data = STANDARD.encode(bytes);
            let event = format!(
                "event: output\ndata: {{\"stream\":\"{stream}\",\"after_micros\":1,\"data\":\"{data}\"}}\n\n"
            );
            for part in event.as_bytes().chunks(7) {
                reading.take(part).unwrap();
            }
        }
        reading.finish()
    }

    fn lines(tail: &Tail) -> Vec<(bool, &str)> {
        tail.lines.iter().map(|Line { is_error, text }| (*is_error, text.as_str())).collect()
    }

    #[test]
    fn each_stream_ends_its_own_lines() {
        let tail = tail(&[
            ("stdout", b"one\ntw".as_slice()),
            ("stderr", b"bad\n"),
            ("stdout", b"o\r\n"),
            ("stdout", "\u{fc}ber \u{1b}[31mred\u{202e} \t\n".as_bytes()),
            ("stderr", b"broken \xff"),
        ]);
        let shown = [
            (false, "one"),
            (false, "two"),
            (true, "bad"),
            (false, "\u{fc}ber \\u{1b}[31mred\\u{202e} \t"),
            (true, "broken \\xff"),
        ];
        assert_eq!(lines(&tail), shown);
        assert!(!tail.is_cut);
    }

    #[test]
    fn only_the_end_of_a_long_output_is_kept() {
        let whole = vec![b'x'; TAIL_BYTES_MAX];
        let exact = tail(&[("stdout", &whole)]);
        assert!(!exact.is_cut && exact.lines[0].text.len() == TAIL_BYTES_MAX);
        let cut = tail(&[("stdout", &whole), ("stderr", b"end\n")]);
        assert!(cut.is_cut);
        assert_eq!((cut.lines[0].text.len(), cut.lines[1].text.as_str()), (TAIL_BYTES_MAX - 4, "end"));
    }

    #[test]
    fn a_stream_that_cannot_go_on_says_why() {
        let mut reading = Reading::default();
        let problem = serde_json::to_string(&brevet_wire::Problem {
            detail: "the recording is missing".to_owned(),
            ..brevet_wire::Problem::default()
        });
        reading.take(format!("event: problem\ndata: {}\n\n", problem.unwrap()).as_bytes()).unwrap();
        assert_eq!(reading.finish().problem.as_deref(), Some("the recording is missing"));
    }
}
