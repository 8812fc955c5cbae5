//! A finished recording that another server made, on its way into the folder of this one.

use std::fs::File;
use std::io::Write as _;
use std::path::PathBuf;

use brevet_core::Output;
use sha2::{Digest as _, Sha256};

use super::BadRecording;
use super::blobs::Blobs;

/// A recording that is being taken over. Unless all of it came and is what the ledger says, nothing of it stays.
#[derive(Debug)]
pub struct Arriving {
    blobs: Blobs,
    output: Output,
    file: File,
    path: PathBuf,
    hash: Sha256,
    bytes: u64,
}

impl Arriving {
    pub(super) fn new(blobs: Blobs, output: Output, file: File, path: PathBuf) -> Self {
        Self { blobs, output, file, path, hash: Sha256::new(), bytes: 0 }
    }

    /// How many bytes came: where the next piece begins.
    pub const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Whether as much came as there is.
    pub const fn is_whole(&self) -> bool {
        self.bytes == self.output.bytes
    }

    /// Takes the next piece.
    ///
    /// # Errors
    /// [`BadRecording::Digest`] when there is more than the ledger says; [`BadRecording::Io`].
    pub fn write(&mut self, piece: &[u8]) -> Result<(), BadRecording> {
        let bytes = self.bytes + piece.len() as u64;
        if bytes > self.output.bytes {
            return Err(BadRecording::Digest);
        }
        self.file.write_all(piece)?;
        self.hash.update(piece);
        self.bytes = bytes;
        Ok(())
    }

    /// Makes it durable under its digest. It waits for the disk.
    ///
    /// # Errors
    /// [`BadRecording::Digest`] when it is not the recording that the ledger names; [`BadRecording::Io`].
    pub fn keep(self) -> Result<(), BadRecording> {
        let found: [u8; 32] = self.hash.clone().finalize().into();
        match self.is_whole() && found == self.output.digest.0 {
            true => Ok(self.blobs.settle(&self.path, &self.file, self.output.digest)?),
            false => Err(BadRecording::Digest),
        }
    }
}

impl Drop for Arriving {
    fn drop(&mut self) {
        // What was kept is not there any more.
        drop(std::fs::remove_file(&self.path));
    }
}
