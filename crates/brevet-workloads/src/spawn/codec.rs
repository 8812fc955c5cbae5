//! Bytes between the server and its spawner: little-endian numbers, length-prefixed strings, nothing optional but
//! by a marker. Both ends are the same program, so that there is nothing to negotiate; what does not decode exactly
//! is refused.

use std::ffi::CString;

/// A message that is not one of ours: cut short, too large, or with bytes left over.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct BadMessage;

#[derive(Default)]
pub(super) struct Writer(Vec<u8>);

impl Writer {
    pub(super) fn byte(&mut self, value: u8) {
        self.0.push(value);
    }

    pub(super) fn int(&mut self, value: i32) {
        self.0.extend(value.to_le_bytes());
    }

    pub(super) fn word(&mut self, value: u32) {
        self.0.extend(value.to_le_bytes());
    }

    pub(super) fn long(&mut self, value: u64) {
        self.0.extend(value.to_le_bytes());
    }

    pub(super) fn optional(&mut self, value: Option<u64>) {
        self.byte(u8::from(value.is_some()));
        self.long(value.unwrap_or_default());
    }

    pub(super) fn list<T>(&mut self, items: &[T], mut write: impl FnMut(&mut Self, &T)) {
        self.long(items.len() as u64);
        items.iter().for_each(|item| write(self, item));
    }

    pub(super) fn string(&mut self, string: &CString) {
        self.long(string.as_bytes().len() as u64);
        self.0.extend(string.as_bytes());
    }

    pub(super) fn finish(self) -> Vec<u8> {
        self.0
    }
}

pub(super) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub(super) fn byte(&mut self) -> Result<u8, BadMessage> {
        self.array().map(|[byte]| byte)
    }

    pub(super) fn int(&mut self) -> Result<i32, BadMessage> {
        self.array().map(i32::from_le_bytes)
    }

    pub(super) fn word(&mut self) -> Result<u32, BadMessage> {
        self.array().map(u32::from_le_bytes)
    }

    pub(super) fn long(&mut self) -> Result<u64, BadMessage> {
        self.array().map(u64::from_le_bytes)
    }

    pub(super) fn flag(&mut self) -> Result<bool, BadMessage> {
        match self.byte()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(BadMessage),
        }
    }

    pub(super) fn optional(&mut self) -> Result<Option<u64>, BadMessage> {
        let present = self.flag()?;
        let value = self.long()?;
        Ok(present.then_some(value))
    }

    pub(super) fn list<T>(
        &mut self,
        count_max: usize,
        mut read: impl FnMut(&mut Self) -> Result<T, BadMessage>,
    ) -> Result<Vec<T>, BadMessage> {
        let count = self.length(count_max)?;
        (0..count).map(|_| read(self)).collect()
    }

    pub(super) fn string(&mut self, bytes_max: usize) -> Result<CString, BadMessage> {
        let length = self.length(bytes_max)?;
        let (string, rest) = self.0.split_at_checked(length).ok_or(BadMessage)?;
        self.0 = rest;
        CString::new(string).map_err(|_nul| BadMessage)
    }

    /// Succeeds when nothing is left.
    pub(super) fn finish(self) -> Result<(), BadMessage> {
        if self.0.is_empty() { Ok(()) } else { Err(BadMessage) }
    }

    fn length(&mut self, max: usize) -> Result<usize, BadMessage> {
        usize::try_from(self.long()?).ok().filter(|length| *length <= max).ok_or(BadMessage)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], BadMessage> {
        let (array, rest) = self.0.split_first_chunk::<N>().ok_or(BadMessage)?;
        self.0 = rest;
        Ok(*array)
    }
}
