//! What a run wrote, as it is stored.
//!
//! A recording is a file: the line [`HEADER`], then frames in the order in which Brevet read them:
//!
//! ```text
//! stream   1 byte            1 standard output, 2 standard error
//! time     8 bytes, BE       microseconds since the run started; never less than in the frame before
//! length   4 bytes, BE       1 to FRAME_BYTES_MAX
//! bytes    length
//! ```
//!
//! It is written to `<data>/blobs/partial/exe-N` while the run lasts and then moved to `<data>/blobs/ab/abcdef…`, by the
//! SHA-256 of the whole file; the ledger holds that digest and the length. What a crash leaves in `partial` stays
//! there under the name of its run: it is evidence, though not in the ledger. A run that wrote nothing has no file.
//!
//! What was recorded by another server arrives in pieces: those who follow it see its frames as they come, and a finished
//! one is taken into the folder once all of it has the ledger's digest. `partial/arriving-N` is one on its way, and no
//! evidence.
//!
//! Live viewers read the growing file, each at its own pace and with one buffer of its own, so that neither their
//! number nor their speed matters to the run.
//!
//! Never here: what the bytes mean. They are whatever the program wrote; who shows them makes them harmless.

mod arriving;
mod blobs;
mod frame;
mod reader;
mod relayed;
mod sink;
mod tail;

pub use arriving::Arriving;
pub use blobs::Blobs;
pub use frame::{BadRecording, FRAME_BYTES_MAX, Frame, HEADER, Stream};
pub use reader::Recording;
pub use relayed::Relayed;
pub use sink::{NotRecorded, OutputSink};
pub use tail::{Live, Piece, Pieces, Tail};

#[cfg(test)]
mod tests;
