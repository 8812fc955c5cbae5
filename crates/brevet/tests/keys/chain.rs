//! A client that remembers one key, and believes no other that does not follow from it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use brevet_ledger::{KeyHandover, Note, VerifierKey};
use serde_json::Value;

use crate::support::http::Connection;
use crate::support::patience::SOON;
use crate::support::patience::within;

/// The keys of a ledger as the API tells of them.
pub(crate) struct Keys {
    pub(crate) keys: Vec<VerifierKey>,
    pub(crate) handovers: Vec<KeyHandover>,
    pub(crate) overlap_until: Option<String>,
}

impl Keys {
    pub(crate) fn of(connection: &mut Connection) -> Self {
        Self::read(&connection.get("/api/v1/ledger/keys").unwrap().ok())
    }

    pub(crate) fn read(answer: &Value) -> Self {
        let keys = answer["keys"].as_array().unwrap().iter();
        let handover = |handover: &Value| KeyHandover {
            entry: STANDARD.decode(handover["entry"].as_str().unwrap()).unwrap(),
            proof: handover["proof"].as_str().unwrap().parse().unwrap(),
        };
        Self {
            keys: keys.map(|key| key.as_str().unwrap().parse().unwrap()).collect(),
            handovers: answer["handovers"].as_array().unwrap().iter().map(handover).collect(),
            overlap_until: answer["overlap_until"].as_str().map(str::to_owned),
        }
    }

    pub(crate) fn current(&self) -> &VerifierKey {
        &self.keys[0]
    }
}

/// Writes an entry, and answers the ids of the keys that signed the first published checkpoint that covers it.
pub(crate) fn signers_of_next(administrator: &mut Connection, name: &str) -> Vec<u32> {
    let group = serde_json::json!({"name": name});
    administrator.post("/api/v1/groups", &group).unwrap().ok();
    let size = administrator.get("/api/v1/audit/checkpoint").unwrap().ok()["size"].as_u64().unwrap();
    let note = within(SOON, "the checkpoint is published", || {
        let note = administrator.get("/ledger/checkpoint").unwrap();
        let note: Note = String::from_utf8(note.body).unwrap().parse().unwrap();
        let published: u64 = note.text().lines().nth(1)?.parse().unwrap();
        (published >= size).then_some(note)
    });
    note.signatures().iter().map(brevet_ledger::NoteSignature::key_id).collect()
}
