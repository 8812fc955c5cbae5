//! The formats against another implementation of them: Go's `golang.org/x/mod/sumdb/tlog` and `sumdb/note`, which share
//! no line with this crate. What we make, Go must accept; what Go makes, we must; and both refuse what was changed.
//!
//! Needs `go` and the sources of `golang.org/x/mod` (Debian: golang-go, golang-golang-x-mod-dev), and fails without
//! them unless `BREVET_WITHOUT_GO` is 1.

#![expect(clippy::unwrap_used, reason = "a test that fails says where")]

mod notes;
mod other;
mod tree;

/// Numbers that look random and are the same each time (xorshift64*, Vigna 2016).
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) % bound
    }

    fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[usize::try_from(self.below(from.len() as u64)).unwrap()]
    }
}
