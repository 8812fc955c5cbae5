//! The envelope of an entry: the bytes that are hashed into the tree.
//!
//! Everything that verifying and searching need is in front, in a layout without options; the body is opaque
//! here. There is one encoding of each value, so equal entries have equal hashes and nothing can hide between
//! fields.

use crate::{Commitment, Commitments, Error};

/// The version of the layout, the first byte of every entry.
pub const ENTRY_VERSION: u8 = 1;

/// The longest entry: what an entry bundle of C2SP tlog-tiles can hold. Larger things are stored as blobs,
/// and the entry has their digest and length.
pub const ENTRY_BYTES_MAX: usize = 65_535;

/// The most commitments that one entry can have.
pub const COMMITMENTS_MAX: usize = 255;

/// The bytes that are there whatever the entry says: the fixed fields and the four length prefixes.
const FIXED_BYTES: usize = 1 + 8 + 8 + 1 + 2 + 1 + 8 + 1 + 4;

/// One entry, its texts and body borrowed: from its caller before it is encoded, from its bytes once decoded.
///
/// | bytes | field |
/// |---|---|
/// | 1 | version, [`ENTRY_VERSION`] |
/// | 8 | `index`, big-endian |
/// | 8 | `time_micros`, big-endian, two's complement |
/// | 1 + n | length and text of `kind` |
/// | 2 | `kind_version`, big-endian |
/// | 1 + n | length and text of `actor` |
/// | 8 | `session`, big-endian |
/// | 1 + 32 n | number of `commitments`, and these |
/// | 4 + n | big-endian length and bytes of `body` |
///
/// # Examples
/// ```
/// use brevet_ledger::{Commitments, EntryRef};
///
/// let entry = EntryRef {
///     index: 0,
///     time_micros: 1_767_225_600_000_000,
///     kind: "request.submitted",
///     kind_version: 1,
///     actor: "usr-7",
///     session: 0,
///     commitments: Commitments::default(),
///     body: b"",
/// };
/// let mut bytes = Vec::new();
/// entry.encode(&mut bytes)?;
/// assert_eq!(EntryRef::decode(&bytes)?, entry);
/// # Ok::<(), brevet_ledger::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct EntryRef<'a> {
    /// Its position in the ledger, from 0.
    pub index: u64,
    /// When it was decided: microseconds since 1970-01-01T00:00:00Z, without leap seconds.
    pub time_micros: i64,
    /// What happened, e.g. `request.submitted`: 1 to 255 visible ASCII characters.
    pub kind: &'a str,
    /// Which layout of this kind's body it is.
    pub kind_version: u16,
    /// Who caused it, e.g. `usr-7` or `system`: 1 to 255 visible ASCII characters.
    pub actor: &'a str,
    /// The session in which they did; 0 for none.
    pub session: u64,
    /// What it commits to of the texts stored beside it.
    pub commitments: Commitments<'a>,
    /// What this kind says, opaque here.
    pub body: &'a [u8],
}

impl<'a> EntryRef<'a> {
    /// Appends the bytes of the entry to `out`; on error nothing is appended.
    ///
    /// # Errors
    /// [`Error::EntryLong`], [`Error::EntryCommitments`]; [`Error::EntryText`] for a kind or an actor that is
    /// empty, too long, or not visible ASCII.
    pub fn encode(&self, out: &mut Vec<u8>) -> Result<(), Error> {
        let Self { index, time_micros, kind, kind_version, actor, session, commitments, body } = *self;
        let kind_len = text_len("kind", kind.as_bytes())?;
        let actor_len = text_len("actor", actor.as_bytes())?;
        let count = commitments.len();
        let commitments_len = u8::try_from(count).map_err(|_| Error::EntryCommitments { count })?;
        let len = FIXED_BYTES + kind.len() + actor.len() + commitments.as_flattened().len() + body.len();
        at_most_entry_max(len)?;
        let body_len = u32::try_from(body.len()).map_err(|_| Error::EntryLong { len })?;

        out.reserve(len);
        out.push(ENTRY_VERSION);
        out.extend_from_slice(&index.to_be_bytes());
        out.extend_from_slice(&time_micros.to_be_bytes());
        out.push(kind_len);
        out.extend_from_slice(kind.as_bytes());
        out.extend_from_slice(&kind_version.to_be_bytes());
        out.push(actor_len);
        out.extend_from_slice(actor.as_bytes());
        out.extend_from_slice(&session.to_be_bytes());
        out.push(commitments_len);
        out.extend_from_slice(commitments.as_flattened());
        out.extend_from_slice(&body_len.to_be_bytes());
        out.extend_from_slice(body);
        Ok(())
    }

    /// Reads the bytes of one entry, all of them, without copying.
    ///
    /// # Errors
    /// [`Error::EntryVersion`], [`Error::EntryLong`], [`Error::EntryShort`], [`Error::EntryTrailing`],
    /// [`Error::EntryText`].
    pub fn decode(bytes: &'a [u8]) -> Result<Self, Error> {
        at_most_entry_max(bytes.len())?;
        let mut rest = Rest(bytes);
        match rest.u8()? {
            ENTRY_VERSION => Self::decode_v1(rest),
            version => Err(Error::EntryVersion { version }),
        }
    }

    fn decode_v1(mut rest: Rest<'a>) -> Result<Self, Error> {
        // The fields of a struct expression are evaluated in the order in which they are written: that of the
        // layout.
        let entry = Self {
            index: u64::from_be_bytes(rest.array()?),
            time_micros: i64::from_be_bytes(rest.array()?),
            kind: rest.text("kind")?,
            kind_version: u16::from_be_bytes(rest.array()?),
            actor: rest.text("actor")?,
            session: u64::from_be_bytes(rest.array()?),
            commitments: rest.commitments()?,
            body: rest.body()?,
        };
        match rest.0.len() {
            0 => Ok(entry),
            len => Err(Error::EntryTrailing { len }),
        }
    }
}

/// What is left to decode.
struct Rest<'a>(&'a [u8]);

impl<'a> Rest<'a> {
    fn take(&mut self, len: usize) -> Result<&'a [u8], Error> {
        let (taken, rest) = self.0.split_at_checked(len).ok_or_else(short)?;
        self.0 = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Error> {
        let (taken, rest) = self.0.split_first_chunk().ok_or_else(short)?;
        self.0 = rest;
        Ok(*taken)
    }

    fn u8(&mut self) -> Result<u8, Error> {
        self.array::<1>().map(|[byte]| byte)
    }

    fn text(&mut self, field: &'static str) -> Result<&'a str, Error> {
        let len = self.u8()?;
        let bytes = self.take(usize::from(len))?;
        text_len(field, bytes)?;
        std::str::from_utf8(bytes).map_err(|_| Error::EntryText { field })
    }

    fn commitments(&mut self) -> Result<Commitments<'a>, Error> {
        let count = usize::from(self.u8()?);
        let (commitments, _) = self.take(count * Commitment::BYTES)?.as_chunks();
        Ok(Commitments::from(commitments))
    }

    fn body(&mut self) -> Result<&'a [u8], Error> {
        let len = u32::from_be_bytes(self.array()?);
        self.take(usize::try_from(len).map_err(|_| Error::EntryShort)?)
    }
}

/// Made only where it is needed: an error that is thrown away costs a million entries some time.
const fn short() -> Error {
    Error::EntryShort
}

/// The length prefix of a text that may stand in an envelope.
fn text_len(field: &'static str, text: &[u8]) -> Result<u8, Error> {
    match u8::try_from(text.len()) {
        Ok(len @ 1..) if text.iter().all(u8::is_ascii_graphic) => Ok(len),
        _ => Err(Error::EntryText { field }),
    }
}

fn at_most_entry_max(len: usize) -> Result<(), Error> {
    if len > ENTRY_BYTES_MAX { Err(Error::EntryLong { len }) } else { Ok(()) }
}

#[cfg(test)]
mod tests;
