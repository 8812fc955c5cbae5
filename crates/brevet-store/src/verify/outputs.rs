//! Are the outputs still there? The ledger holds the digest and length of each; whoever shows one holds it
//! against its digest. Here each must be there with its length: that costs no reading.

use std::path::Path;

use crate::engine::{Connection, NONE};
use brevet_core::{Execution, ExecutionState};

use super::Discrepancy;
use crate::load::decode;

/// Looks for the output of every run that wrote something.
pub(super) fn check(connection: &Connection, blobs: &Path) -> Result<(), Discrepancy> {
    let mut statement = connection.prepare("SELECT body FROM execution WHERE state = 1 ORDER BY id")?;
    let mut rows = statement.query(NONE)?;
    while let Some(row) = rows.next()? {
        let body: Vec<u8> = row.get(0)?;
        let execution: Execution = decode(&body)?;
        let ExecutionState::Finished { output: Some(output), .. } = execution.state else { continue };
        let name = output.digest.to_string();
        let how = match std::fs::metadata(blobs.join(&name[..2]).join(&name)) {
            Ok(found) if found.len() == output.bytes => continue,
            Ok(_) => "it has another length",
            Err(_) => "it is missing",
        };
        return Err(Discrepancy::OutputDiffers { execution: execution.id.to_string(), how });
    }
    Ok(())
}
