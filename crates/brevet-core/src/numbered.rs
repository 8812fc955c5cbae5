//! Things by the number that the state counted for them: looked up like a list, walked in the order of their ids.

/// A list with a place for each number. What was removed leaves a hole of one pointer.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Numbered<T> {
    places: Vec<Option<Box<T>>>,
}

impl<T> Default for Numbered<T> {
    fn default() -> Self {
        Self { places: Vec::new() }
    }
}

impl<T> Numbered<T> {
    pub(crate) fn get(&self, number: u32) -> Option<&T> {
        self.places.get(number as usize)?.as_deref()
    }

    pub(crate) fn get_mut(&mut self, number: u32) -> Option<&mut T> {
        self.places.get_mut(number as usize)?.as_deref_mut()
    }

    /// `number` comes from a counter: the list is as long as the counter is high.
    pub(crate) fn insert(&mut self, number: u32, value: T) {
        let index = number as usize;
        if self.places.len() <= index {
            self.places.resize_with(index + 1, || None);
        }
        self.places[index] = Some(Box::new(value));
    }

    pub(crate) fn remove(&mut self, number: u32) -> Option<T> {
        let removed = self.places.get_mut(number as usize)?.take();
        // Two lists of the same things are the same, whatever came after them and went.
        while self.places.last().is_some_and(Option::is_none) {
            self.places.pop();
        }
        removed.map(|value| *value)
    }

    pub(crate) fn values(&self) -> impl Iterator<Item = &T> {
        self.places.iter().filter_map(Option::as_deref)
    }
}

#[cfg(test)]
mod tests {
    use super::Numbered;

    #[test]
    fn what_was_removed_is_gone_and_leaves_no_difference() {
        let mut letters = Numbered::default();
        [(1, 'a'), (3, 'c'), (2, 'b')].iter().for_each(|(number, letter)| letters.insert(*number, *letter));
        assert_eq!(letters.values().copied().collect::<String>(), "abc");
        assert_eq!((letters.remove(3), letters.remove(3), letters.remove(9)), (Some('c'), None, None));
        assert_eq!((letters.get(2), letters.get(3), letters.get(u32::MAX)), (Some(&'b'), None, None));
        let mut others = Numbered::default();
        [(2, 'b'), (1, 'a')].iter().for_each(|(number, letter)| others.insert(*number, *letter));
        assert_eq!(letters, others);
    }
}
