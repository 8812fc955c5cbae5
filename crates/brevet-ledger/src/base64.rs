//! Standard base64 with padding (RFC 4648 section 4), as all C2SP formats use it.

use ::base64::Engine;
use ::base64::engine::general_purpose::STANDARD;

/// Encodes with padding.
pub(crate) fn encode(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// Decodes the one canonical spelling: padded, no line breaks, unused bits zero. `None` for anything else.
pub(crate) fn decode(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text).ok()
}
