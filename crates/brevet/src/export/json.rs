//! JSON on one line, in which no character can mislead who reads the line.
//!
//! RFC 8259 lets a string hold everything from U+0020 on as it is. Control characters of the second block, line
//! separators and bidirectional marks are written as `\uXXXX` here: the same value for every parser, and nothing that
//! a terminal, a pager or a log viewer acts upon.

use std::io::{self, Write};

use brevet_core::escape_for_display;
use serde::Serialize as _;
use serde_json::Value;
use serde_json::ser::{Formatter, Serializer};

/// Appends a value and a line feed.
pub(super) fn line(out: &mut Vec<u8>, value: &Value) {
    let mut writer = Serializer::with_formatter(&mut *out, Plain);
    value.serialize(&mut writer).expect("memory takes every byte, and the names in a value are texts");
    out.push(b'\n');
}

/// The same without the line feed.
pub(super) fn text(value: &Value) -> String {
    let mut bytes = Vec::new();
    line(&mut bytes, value);
    String::from_utf8_lossy(bytes.trim_ascii_end()).into_owned()
}

struct Plain;

impl Formatter for Plain {
    fn write_string_fragment<W: ?Sized + Write>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        let harmless = fragment.bytes().all(|byte| byte.is_ascii() && byte != 0x7f);
        if harmless || escape_for_display(fragment) == fragment {
            return writer.write_all(fragment.as_bytes());
        }
        for c in fragment.chars() {
            let mut buffer = [0; 4];
            let one: &str = c.encode_utf8(&mut buffer);
            if escape_for_display(one) == one {
                writer.write_all(one.as_bytes())?;
            } else {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    write!(writer, "\\u{unit:04x}")?;
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    #[test]
    fn what_misleads_a_reader_is_escaped_and_reads_back_the_same() {
        let text = "a\r\nb\u{1b}[2J\u{7f}\u{85}\u{202e}\u{2028}\u{e0041}Grüße \"日本\" \\ 🙂";
        let mut line = Vec::new();
        super::line(&mut line, &json!({"text": text}));
        let written = String::from_utf8(line).unwrap();
        assert_eq!(written.matches('\n').count(), 1);
        let body = written.trim_end();
        assert_eq!(brevet_core::escape_for_display(body), body, "nothing is left to be escaped");
        assert!(body.contains("Grüße") && body.contains("🙂") && body.contains("\\udb40\\udc41"), "{body}");
        assert_eq!(serde_json::from_str::<Value>(body).unwrap()["text"], text);
    }
}
