//! The values of a statement, lent for as long as it takes to send them.

use rusqlite::ToSql;

/// Some values, in the order of their numbers.
pub(crate) trait Params {
    /// Lends them.
    fn lend<T>(&self, take: impl FnOnce(&[&dyn ToSql]) -> T) -> T;
}

impl Params for &[&dyn ToSql] {
    fn lend<T>(&self, take: impl FnOnce(&[&dyn ToSql]) -> T) -> T {
        take(self)
    }
}

impl<const N: usize> Params for &[&dyn ToSql; N] {
    fn lend<T>(&self, take: impl FnOnce(&[&dyn ToSql]) -> T) -> T {
        take(self.as_slice())
    }
}

impl<V: ToSql, const N: usize> Params for [V; N] {
    fn lend<T>(&self, take: impl FnOnce(&[&dyn ToSql]) -> T) -> T {
        take(&self.each_ref().map(|value| value as &dyn ToSql))
    }
}

impl<A: ToSql, B: ToSql> Params for (A, B) {
    fn lend<T>(&self, take: impl FnOnce(&[&dyn ToSql]) -> T) -> T {
        take(&[&self.0, &self.1])
    }
}

impl<A: ToSql, B: ToSql, C: ToSql> Params for (A, B, C) {
    fn lend<T>(&self, take: impl FnOnce(&[&dyn ToSql]) -> T) -> T {
        take(&[&self.0, &self.1, &self.2])
    }
}

/// Values of which only their kind is known before.
#[derive(Debug)]
pub(crate) struct Several<V>(Vec<V>);

/// As many values as there are.
pub(crate) fn params_from_iter<V: ToSql>(values: impl IntoIterator<Item = V>) -> Several<V> {
    Several(values.into_iter().collect())
}

impl<V: ToSql> Params for Several<V> {
    fn lend<T>(&self, take: impl FnOnce(&[&dyn ToSql]) -> T) -> T {
        let values: Vec<&dyn ToSql> = self.0.iter().map(|value| value as &dyn ToSql).collect();
        take(&values)
    }
}
