//! Personal and free text: reasons, comments, display names, addresses.
//!
//! The ledger commits to such a text by a salted hash and keeps the text beside, so that it can be
//! erased; in the bytes of an entry it is therefore only a placeholder: CBOR `null` for a text that the
//! entry commits to, in the order of [`crate::Event::texts`], and CBOR `false` for one never given.

use minicbor::{Decode, Decoder, Encode, Encoder};

use crate::limit::{DESCRIPTION_BYTES_MAX, DISPLAY_NAME_BYTES_MAX, EMAIL_BYTES_MAX, REASON_BYTES_MAX};

/// A text that can be erased.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Text(Kept);

#[derive(Debug, Clone, PartialEq, Eq, Default)]
enum Kept {
    #[default]
    NeverGiven,
    Erased,
    Here(Box<str>),
}

/// What a text is, and so which limits it has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextKind {
    /// Why somebody asks; needed.
    Reason,
    /// What a decision or a revocation adds; may be empty.
    Comment,
    /// How a person is shown; may be empty.
    DisplayName,
    /// An e-mail address; may be empty.
    Email,
    /// What something is; may be empty.
    Description,
}

/// Why a text was not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadText {
    /// A reason is needed.
    #[error("a reason is needed: say in a sentence what this is for")]
    Missing,
    /// Longer than the limit, in bytes.
    #[error("this text is at most {max} bytes long, it has {len}")]
    Long {
        /// What was given.
        len: usize,
        /// The limit.
        max: usize,
    },
    /// Not an address.
    #[error("this is not an e-mail address; it looks like name@example.org")]
    NotAnAddress,
    /// NUL cannot be stored or shown.
    #[error("a text cannot hold the character NUL")]
    Nul,
}

impl Text {
    /// Reads a text of this kind. Control and bidirectional characters are kept, and are shown
    /// escaped (see [`escape_for_display`]): what somebody wrote is evidence.
    pub fn parse(kind: TextKind, text: &str) -> Result<Self, BadText> {
        let text = text.trim();
        let max = match kind {
            TextKind::Reason | TextKind::Comment => REASON_BYTES_MAX,
            TextKind::DisplayName => DISPLAY_NAME_BYTES_MAX,
            TextKind::Email => EMAIL_BYTES_MAX,
            TextKind::Description => DESCRIPTION_BYTES_MAX,
        };
        if text.len() > max {
            return Err(BadText::Long { len: text.len(), max });
        }
        if text.contains('\0') {
            return Err(BadText::Nul);
        }
        match (kind, text.is_empty()) {
            (TextKind::Reason, true) => Err(BadText::Missing),
            (_, true) => Ok(Self(Kept::NeverGiven)),
            (TextKind::Email, false) if !is_address(text) => Err(BadText::NotAnAddress),
            _ => Ok(Self(Kept::Here(text.into()))),
        }
    }

    /// What was stored beside an entry: it was checked when it was written. `None` says it was erased.
    pub fn stored(text: Option<String>) -> Self {
        Self(text.map_or(Kept::Erased, |text| Kept::Here(text.into())))
    }

    /// The same text, erased.
    pub(crate) fn erase(&mut self) {
        if self.was_given() {
            self.0 = Kept::Erased;
        }
    }

    /// Whether the entry commits to it, because it was given once.
    pub const fn was_given(&self) -> bool {
        !matches!(self.0, Kept::NeverGiven)
    }

    /// The text, unless it was erased or never given.
    pub fn as_str(&self) -> Option<&str> {
        match &self.0 {
            Kept::Here(text) => Some(text),
            Kept::Erased | Kept::NeverGiven => None,
        }
    }
}

/// Good enough to refuse what cannot be mailed or would split a header; the mail server knows the rest.
fn is_address(text: &str) -> bool {
    let plain =
        |c: char| c.is_ascii_graphic() && !matches!(c, '<' | '>' | ',' | ';' | ':' | '"' | '\\' | '(' | ')');
    match text.split_once('@') {
        Some((local, host)) => {
            let host_ok = host.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-'));
            !local.is_empty() && local.chars().all(plain) && !host.is_empty() && host_ok
        }
        None => false,
    }
}

/// Makes every control, bidirectional and invisible character visible as `\u{…}`, so that a text
/// cannot forge a line or hide a part of itself in a terminal, a page, a mail or an export.
pub fn escape_for_display(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if misleads(c) {
            shown.extend(c.escape_unicode());
        } else {
            shown.push(c);
        }
    }
    shown
}

fn misleads(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e0fff}')
}

impl<C> Encode<C> for Text {
    fn encode<W: minicbor::encode::Write>(
        &self,
        e: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        match self.was_given() {
            true => e.null()?.ok(),
            false => e.bool(false)?.ok(),
        }
    }
}

impl<'b, C> Decode<'b, C> for Text {
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, minicbor::decode::Error> {
        match d.datatype()? {
            minicbor::data::Type::Null => d.null().map(|()| Self(Kept::Erased)),
            _ if d.bool()? => Err(minicbor::decode::Error::message("a text is null or false")),
            _ => Ok(Self(Kept::NeverGiven)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{BadText, Text, TextKind, escape_for_display};

    #[test]
    fn a_reason_is_needed_and_has_a_limit() {
        assert_eq!(Text::parse(TextKind::Reason, "  "), Err(BadText::Missing));
        assert!(Text::parse(TextKind::Reason, &"a".repeat(2_000)).is_ok());
        assert_eq!(
            Text::parse(TextKind::Reason, &"a".repeat(2_001)),
            Err(BadText::Long { len: 2_001, max: 2_000 })
        );
        assert_eq!(Text::parse(TextKind::Comment, " ").unwrap().as_str(), None);
        assert_eq!(Text::parse(TextKind::Comment, "a\0b"), Err(BadText::Nul));
    }

    #[test]
    fn what_misleads_a_reader_is_shown_escaped() {
        assert_eq!(
            escape_for_display("ok\r\nfake\u{202e}txt\u{1b}[2J"),
            "ok\\u{d}\\u{a}fake\\u{202e}txt\\u{1b}[2J"
        );
        assert_eq!(escape_for_display("Grüße, 日本"), "Grüße, 日本");
    }

    #[test]
    fn an_address_cannot_carry_a_second_one_or_a_header() {
        for text in ["a@b.org", "a.b+c@mail.example.org"] {
            assert!(Text::parse(TextKind::Email, text).is_ok(), "{text}");
        }
        for text in ["a", "@b", "a@", "a@b,c@d", "a@b\r\nBcc: x@y", "<a@b>", "a b@c", "a@b@c"] {
            assert_eq!(Text::parse(TextKind::Email, text), Err(BadText::NotAnAddress), "{text}");
        }
    }
}
