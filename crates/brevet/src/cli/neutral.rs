//! What a task wrote, made harmless for a terminal: an output can hold sequences that rename the window, paste
//! into it, or paint over what was there.

/// Makes control characters visible as they come, over the edges of chunks.
#[derive(Debug, Default)]
pub(crate) struct Neutralizer {
    /// The beginning of a character, or a carriage return, whose rest is to come.
    kept: Vec<u8>,
}

impl Neutralizer {
    /// Takes bytes, and gives what can be shown of them now.
    pub(crate) fn feed(&mut self, bytes: &[u8]) -> String {
        self.kept.extend_from_slice(bytes);
        let kept = std::mem::take(&mut self.kept);
        let cut = kept.len() - unfinished(&kept);
        self.kept = kept[cut..].to_vec();
        shown(&kept[..cut])
    }

    /// What was kept back, at the end.
    pub(crate) fn finish(&mut self) -> String {
        shown(&std::mem::take(&mut self.kept))
    }
}

/// How many bytes at the end wait for others: a lone carriage return, or a character that is not complete.
fn unfinished(bytes: &[u8]) -> usize {
    if bytes.last() == Some(&b'\r') {
        return 1;
    }
    let tail = bytes.len().saturating_sub(3);
    let Some(start) = bytes[tail..].iter().rposition(|byte| byte & 0xc0 == 0xc0) else { return 0 };
    let length = bytes.len() - tail - start;
    match std::str::from_utf8(&bytes[tail + start..]) {
        Err(error) if error.valid_up_to() == 0 && error.error_len().is_none() => length,
        _ => 0,
    }
}

fn shown(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        show_text(chunk.valid(), &mut text);
        for byte in chunk.invalid() {
            text.push_str(&format!("\\x{byte:02x}"));
        }
    }
    text
}

/// Newlines (also those of Windows) and tabs stay, all other control characters become visible.
fn show_text(valid: &str, text: &mut String) {
    for piece in valid.split_inclusive(['\n', '\t']) {
        let (line, end) = match piece.char_indices().next_back() {
            Some((at, '\n')) => (piece[..at].strip_suffix('\r').unwrap_or(&piece[..at]), "\n"),
            Some((at, '\t')) => (&piece[..at], "\t"),
            _ => (piece, ""),
        };
        text.push_str(&brevet_core::escape_for_display(line));
        text.push_str(end);
    }
}

#[cfg(test)]
mod tests {
    use super::Neutralizer;

    fn in_pieces(bytes: &[u8], size: usize) -> String {
        let mut neutralizer = Neutralizer::default();
        let mut text: String = bytes.chunks(size).map(|chunk| neutralizer.feed(chunk)).collect();
        text.push_str(&neutralizer.finish());
        text
    }

    #[test]
    fn control_characters_are_shown_and_never_sent_to_a_terminal() {
        for (bytes, text) in [
            (&b"plain\ttext\n"[..], "plain\ttext\n"),
            (b"windows\r\nlines\r\n", "windows\nlines\n"),
            (b"over\rpainted", "over\\u{d}painted"),
            (b"\x1b]0;title\x07", "\\u{1b}]0;title\\u{7}"),
            (
                "Gr\u{fc}\u{df}e \u{65e5}\u{672c} \u{1f600}\n".as_bytes(),
                "Gr\u{fc}\u{df}e \u{65e5}\u{672c} \u{1f600}\n",
            ),
            ("c1: \u{9b}2J".as_bytes(), "c1: \\u{9b}2J"),
            (b"broken \xff\xc3(\xe2\x82", "broken \\xff\\xc3(\\xe2\\x82"),
            (b"end\r", "end\\u{d}"),
        ] {
            for size in 1..=bytes.len() {
                assert_eq!(in_pieces(bytes, size), text, "in pieces of {size}");
            }
        }
    }
}
