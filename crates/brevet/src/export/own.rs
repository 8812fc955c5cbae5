//! Telling lines that were written in a format from those of somebody else.

use serde_json::Value;

use super::Format;

impl Format {
    /// How every line begins; nothing for a table, whose lines can be anybody's.
    const fn beginning(self) -> &'static [u8] {
        match self {
            Self::Jsonl => b"{\"index\":",
            Self::Csv => b"",
            Self::Office365 => b"{\"Id\":",
            Self::Ocsf => b"{\"activity_id\":",
        }
    }

    /// Whether this, without its line feed, is an entry that was written in this format.
    pub(crate) fn is_line(self, line: &[u8]) -> bool {
        line.starts_with(self.beginning())
            && serde_json::from_slice(line).is_ok_and(|value: Value| match self {
                Self::Jsonl => value["index"].is_u64() && value["bytes"].is_string(),
                Self::Csv => false,
                Self::Office365 => value["BrevetIndex"].is_u64(),
                Self::Ocsf => {
                    value["metadata"]["sequence"].is_u64() && value["metadata"]["log_name"] == "ledger"
                }
            })
    }

    /// Whether a line in this format can begin with these bytes.
    pub(crate) fn can_begin_with(self, bytes: &[u8]) -> bool {
        let beginning = self.beginning();
        !beginning.is_empty() && (bytes.starts_with(beginning) || beginning.starts_with(bytes))
    }
}
