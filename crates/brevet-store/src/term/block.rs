//! Sets of entries, 4,096 at a time: which entries of one block have a term.
//!
//! A block is a bit for each entry in memory. On the disk it is the shorter of two forms: the places of its
//! entries, two bytes each and ascending, or all 512 bytes of bits.

/// Entries of one block.
pub(crate) const BLOCK_ENTRIES: u64 = 4_096;
const WORDS: usize = 64;
const BITS_BYTES: usize = WORDS * 8;

/// A set of places within one block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Block([u64; WORDS]);

impl Block {
    pub(crate) const EMPTY: Self = Self([0; WORDS]);
    pub(crate) const FULL: Self = Self([u64::MAX; WORDS]);

    /// The block that an entry is in.
    pub(crate) const fn of(seq: u64) -> u64 {
        seq / BLOCK_ENTRIES
    }

    const fn place(seq: u64) -> (usize, u64) {
        let place = seq % BLOCK_ENTRIES;
        ((place / 64) as usize, 1 << (place % 64))
    }

    pub(crate) const fn insert(&mut self, seq: u64) {
        let (word, bit) = Self::place(seq);
        self.0[word] |= bit;
    }

    pub(crate) const fn remove(&mut self, seq: u64) {
        let (word, bit) = Self::place(seq);
        self.0[word] &= !bit;
    }

    pub(crate) const fn contains(&self, seq: u64) -> bool {
        let (word, bit) = Self::place(seq);
        self.0[word] & bit != 0
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.iter().all(|word| *word == 0)
    }

    /// Keeps what is in both.
    pub(crate) fn intersect(&mut self, other: &Self) {
        self.0.iter_mut().zip(&other.0).for_each(|(word, other)| *word &= other);
    }

    /// Adds what is in the other.
    pub(crate) fn unite(&mut self, other: &Self) {
        self.0.iter_mut().zip(&other.0).for_each(|(word, other)| *word |= other);
    }

    /// The entries of block `number`, the newest first.
    pub(crate) fn newest_first(self, number: u64) -> impl Iterator<Item = u64> {
        let words = (0_u64..).zip(self.0).collect::<Vec<_>>().into_iter().rev();
        words.filter(|(_, word)| *word != 0).flat_map(move |(index, mut word)| {
            std::iter::from_fn(move || {
                let bit = 63_u32.checked_sub(word.leading_zeros())?;
                word &= !(1 << bit);
                Some(number * BLOCK_ENTRIES + index * 64 + u64::from(bit))
            })
        })
    }

    pub(crate) fn to_bytes(self) -> Vec<u8> {
        let count: u32 = self.0.iter().map(|word| word.count_ones()).sum();
        if count as usize * 2 >= BITS_BYTES {
            return self.0.iter().flat_map(|word| word.to_be_bytes()).collect();
        }
        let mut places: Vec<u64> = self.newest_first(0).collect();
        places.reverse();
        places.into_iter().filter_map(|place| u16::try_from(place).ok()).flat_map(u16::to_be_bytes).collect()
    }

    /// `None` for bytes that [`Block::to_bytes`] never makes so long or so high.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let mut block = Self::EMPTY;
        if let Ok(bits) = <&[u8; BITS_BYTES]>::try_from(bytes) {
            for (word, bytes) in block.0.iter_mut().zip(bits.as_chunks::<8>().0) {
                *word = u64::from_be_bytes(*bytes);
            }
            return Some(block);
        }
        let (places, rest) = bytes.as_chunks::<2>();
        if !rest.is_empty() || bytes.len() > BITS_BYTES {
            return None;
        }
        for place in places {
            let place = u64::from(u16::from_be_bytes(*place));
            if place >= BLOCK_ENTRIES {
                return None;
            }
            block.insert(place);
        }
        Some(block)
    }
}
