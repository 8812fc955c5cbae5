//! Following a recording that another server makes.

use brevet_core::Output;
use sha2::{Digest as _, Sha256};

use super::frame::{BadRecording, Frame, Parser};

/// One view of a recording that comes in pieces. It holds one frame and one piece; what was shown before the end was not
/// held against the ledger yet, and [`Relayed::finish`] does so.
#[derive(Debug, Default)]
pub struct Relayed {
    parser: Parser,
    hash: Sha256,
    bytes: u64,
}

impl Relayed {
    /// How many bytes came: where the next piece begins.
    pub const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Takes the next piece. To be called when there is no frame left.
    pub fn feed(&mut self, piece: &[u8]) {
        self.parser.feed(piece);
        self.hash.update(piece);
        self.bytes += piece.len() as u64;
    }

    /// The next frame; `None` until more comes.
    ///
    /// # Errors
    /// When what came is no recording.
    pub fn frame(&mut self) -> Result<Option<Frame>, BadRecording> {
        self.parser.next()
    }

    /// Says whether all that came is what the ledger holds of the run, now that it is over.
    ///
    /// # Errors
    /// [`BadRecording::Digest`] when it is not; [`BadRecording::Unfinished`] when something came and the ledger holds
    /// nothing, as of a run whose server went down.
    pub fn finish(&self, output: Option<&Output>) -> Result<(), BadRecording> {
        let found: [u8; 32] = self.hash.clone().finalize().into();
        match output {
            None if self.bytes == 0 => Ok(()),
            None => Err(BadRecording::Unfinished),
            Some(output) if self.bytes == output.bytes && found == output.digest.0 => Ok(()),
            Some(_) => Err(BadRecording::Digest),
        }
    }
}
