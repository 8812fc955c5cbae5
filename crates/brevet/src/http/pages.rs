//! Pages of lists, by cursor.

use brevet_wire as wire;

use super::limit::{PAGE_ITEMS_DEFAULT, PAGE_ITEMS_MAX};
use super::problem::Failure;

/// Which page of a list.
#[derive(Debug, Clone, Copy)]
pub(super) struct Page {
    /// At most so many.
    pub(super) limit: usize,
    /// Where the last page ended.
    pub(super) cursor: Option<u64>,
}

/// What stands after the `?` of a list without filters.
#[derive(Debug, serde::Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
pub(super) struct Paging {
    /// How many at most: 50 when left out, never more than 200.
    limit: Option<usize>,
    /// What the last page said as `next`.
    cursor: Option<String>,
}

impl Paging {
    pub(super) fn page(&self) -> Result<Page, Failure> {
        Page::new(self.limit, self.cursor.as_deref())
    }
}

impl Page {
    pub(super) fn new(limit: Option<usize>, cursor: Option<&str>) -> Result<Self, Failure> {
        let limit = limit.unwrap_or(PAGE_ITEMS_DEFAULT);
        if !(1..=PAGE_ITEMS_MAX).contains(&limit) {
            return Err(Failure::unreadable("bad-query", format!("limit: from 1 to {PAGE_ITEMS_MAX}")));
        }
        let parse = |text: &str| text.parse().ok().filter(|_| text.bytes().all(|byte| byte.is_ascii_digit()));
        match cursor.map(parse) {
            Some(None) => {
                Err(Failure::unreadable("bad-query", "cursor: give what the last page said as next"))
            }
            cursor => Ok(Self { limit, cursor: cursor.flatten() }),
        }
    }

    /// Cuts this page out of things in the order of their numbers.
    pub(super) fn ascending<T, U>(
        self,
        things: impl Iterator<Item = T>,
        number: impl Fn(&T) -> u64,
        show: impl Fn(T) -> U,
    ) -> wire::List<U> {
        let after = self.cursor.unwrap_or(0);
        let mut list = wire::List { items: Vec::new(), next: None };
        let mut last = 0;
        for thing in things.filter(|thing| number(thing) > after) {
            if list.items.len() == self.limit {
                list.next = Some(last.to_string());
                break;
            }
            last = number(&thing);
            list.items.push(show(thing));
        }
        list
    }
}

/// A page of the store, as it is shown.
pub(super) fn listed<T, U>(items: Vec<T>, next: Option<u64>, show: impl FnMut(T) -> U) -> wire::List<U> {
    wire::List { items: items.into_iter().map(show).collect(), next: next.map(|next| next.to_string()) }
}

#[cfg(test)]
mod tests {
    use super::Page;

    #[test]
    fn pages_join_without_gap_or_overlap() {
        let page = |cursor: Option<&str>| {
            Page::new(Some(2), cursor).unwrap().ascending([1_u64, 3, 4, 9, 10].into_iter(), |n| *n, |n| n)
        };
        let first = page(None);
        assert_eq!((first.items, first.next.as_deref()), (vec![1, 3], Some("3")));
        let second = page(Some("3"));
        assert_eq!((second.items, second.next.as_deref()), (vec![4, 9], Some("9")));
        let last = page(Some("9"));
        assert_eq!((last.items, last.next), (vec![10], None));
    }

    #[test]
    fn limits_and_cursors_are_checked() {
        for limit in [1, 200] {
            assert!(Page::new(Some(limit), None).is_ok());
        }
        for limit in [0, 201] {
            assert!(Page::new(Some(limit), None).is_err());
        }
        for cursor in ["", "x", "-1", "+1", "18446744073709551616"] {
            assert!(Page::new(None, Some(cursor)).is_err(), "{cursor}");
        }
    }
}
