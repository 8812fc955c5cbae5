//! Maps by id. Ids are counted by the state and not chosen by anybody, so that nobody can make them collide, and
//! a multiplication is hash enough.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

/// A map by an id, or by something made of ids. Never by a text.
pub(crate) type IdMap<K, V> = HashMap<K, V, BuildHasherDefault<IdHasher>>;

/// 2^64 divided by the golden ratio, and odd: neighbours land far apart (Knuth, TAOCP volume 3, section 6.4).
const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct IdHasher(u64);

impl Hasher for IdHasher {
    /// The map takes its place from the low bits, and the product has its best in the high ones.
    fn finish(&self) -> u64 {
        self.0 ^ (self.0 >> 32)
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.write_u64(u64::from(*byte)));
    }

    fn write_u32(&mut self, number: u32) {
        self.write_u64(u64::from(number));
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = (self.0.rotate_left(5) ^ number).wrapping_mul(GOLDEN);
    }

    /// Which variant of an enum.
    fn write_isize(&mut self, number: isize) {
        self.write_u64(number.unsigned_abs() as u64);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::hash::BuildHasher;

    use super::IdMap;
    use crate::access::Access;
    use crate::id::{RequestId, RoleId, TaskId};

    #[test]
    fn neighbours_fall_into_different_places() {
        let map = IdMap::<RequestId, ()>::default();
        let place = |id| map.hasher().hash_one(RequestId::new(id)) & 0xffff;
        let places: HashSet<u64> = (0..65_536).map(place).collect();
        assert!(places.len() > 30_000, "as many as by chance, or more: {}", places.len());
    }

    #[test]
    fn a_task_and_a_role_of_one_number_are_two_keys() {
        let map = IdMap::<Access, ()>::default();
        let hash = |access: Access| map.hasher().hash_one(access);
        assert_ne!(hash(Access::Task(TaskId::new(7))), hash(Access::Role(RoleId::new(7))));
    }
}
