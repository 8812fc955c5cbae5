//! A record as SQLite stores it: a header of types, then the values
//! (SQLite database file format, section 2.1).

/// Something that no sound database has, or that this reader does not know: SQLite itself is to read it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Odd;

/// A value of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Column<'r> {
    Null,
    Integer(i64),
    Blob(&'r [u8]),
    Text(&'r [u8]),
}

impl<'r> Column<'r> {
    pub(super) fn integer(self) -> Result<i64, Odd> {
        if let Self::Integer(number) = self { Ok(number) } else { Err(Odd) }
    }

    pub(super) fn blob(self) -> Result<&'r [u8], Odd> {
        if let Self::Blob(bytes) = self { Ok(bytes) } else { Err(Odd) }
    }

    pub(super) fn text(self) -> Result<&'r str, Odd> {
        match self {
            Self::Text(bytes) => std::str::from_utf8(bytes).map_err(|_| Odd),
            _ => Err(Odd),
        }
    }
}

/// The columns of a record, one after the other.
#[derive(Debug, Clone, Copy)]
pub(super) struct Record<'r> {
    types: &'r [u8],
    values: &'r [u8],
}

impl<'r> Record<'r> {
    pub(super) fn of(payload: &'r [u8]) -> Result<Self, Odd> {
        let (header, rest) = varint(payload)?;
        let read = payload.len() - rest.len();
        let types = usize::try_from(header).ok().and_then(|header| header.checked_sub(read)).ok_or(Odd)?;
        let (types, values) = rest.split_at_checked(types).ok_or(Odd)?;
        Ok(Self { types, values })
    }

    /// The next column.
    pub(super) fn column(&mut self) -> Result<Column<'r>, Odd> {
        let (of_type, types) = varint(self.types)?;
        self.types = types;
        match of_type {
            0 => Ok(Column::Null),
            width @ 1..=4 => self.integer(width),
            5 => self.integer(6),
            6 => self.integer(8),
            8 => Ok(Column::Integer(0)),
            9 => Ok(Column::Integer(1)),
            blob @ 12.. if blob % 2 == 0 => self.bytes((blob - 12) / 2).map(Column::Blob),
            text @ 13.. => self.bytes((text - 13) / 2).map(Column::Text),
            // A float, or nothing that SQLite writes.
            _ => Err(Odd),
        }
    }

    fn integer(&mut self, width: u64) -> Result<Column<'r>, Odd> {
        let bytes = self.bytes(width)?;
        let sign = bytes.first().map_or(0, |first| i64::from(first.cast_signed() >> 7));
        Ok(Column::Integer(bytes.iter().fold(sign, |number, byte| number << 8 | i64::from(*byte))))
    }

    fn bytes(&mut self, len: u64) -> Result<&'r [u8], Odd> {
        let len = usize::try_from(len).map_err(|_| Odd)?;
        let (bytes, rest) = self.values.split_at_checked(len).ok_or(Odd)?;
        self.values = rest;
        Ok(bytes)
    }
}

/// A number of up to nine bytes, seven bits in each but the ninth, and what follows it.
pub(super) fn varint(bytes: &[u8]) -> Result<(u64, &[u8]), Odd> {
    // Nearly all are this short.
    if let [byte @ 0..=0x7f, rest @ ..] = bytes {
        return Ok((u64::from(*byte), rest));
    }
    let mut number = 0;
    for (place, byte) in bytes.iter().enumerate().take(9) {
        if place == 8 {
            return Ok((number << 8 | u64::from(*byte), &bytes[9..]));
        }
        number = number << 7 | u64::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            return Ok((number, &bytes[place + 1..]));
        }
    }
    Err(Odd)
}

#[cfg(test)]
mod tests {
    use super::{Column, Odd, Record, varint};

    #[test]
    fn numbers_have_seven_bits_to_a_byte_and_eight_in_the_ninth() {
        for (bytes, number) in [
            (&[0x00][..], 0),
            (&[0x7f], 127),
            (&[0x81, 0x00], 128),
            (&[0xff, 0x7f], 16_383),
            (&[0x81, 0x80, 0x00], 16_384),
            (&[0xff; 9], u64::MAX),
        ] {
            assert_eq!(varint(bytes), Ok((number, &[][..])), "{bytes:x?}");
            assert_eq!(varint(&bytes[..bytes.len() - 1]), Err(Odd), "{bytes:x?} without its end");
        }
    }

    #[test]
    fn a_record_is_read_column_by_column() {
        // null, 1, -2 in one byte, -2 in eight, 0x010203 in three, "ab", x'ff'.
        let header = [8, 0, 9, 1, 6, 3, 17, 14];
        let values = [0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe, 1, 2, 3, b'a', b'b', 0xff];
        let payload = [&header[..], &values[..]].concat();
        let mut record = Record::of(&payload).unwrap();
        let wanted = [
            Column::Null,
            Column::Integer(1),
            Column::Integer(-2),
            Column::Integer(-2),
            Column::Integer(0x0001_0203),
            Column::Text(b"ab"),
            Column::Blob(&[0xff]),
        ];
        for column in wanted {
            assert_eq!(record.column(), Ok(column));
        }
        assert_eq!(record.column(), Err(Odd), "there is no more");
        let mut short = Record::of(&payload[..payload.len() - 1]).unwrap();
        for _ in 0..6 {
            short.column().unwrap();
        }
        assert_eq!(short.column(), Err(Odd), "its last byte is missing");
    }

    #[test]
    fn a_header_that_is_longer_than_the_record_is_odd() {
        assert!(Record::of(&[9, 0]).is_err());
        assert!(Record::of(&[0]).is_err());
        assert!(Record::of(&[]).is_err());
    }
}
