//! Pages of the store of which the caller may see only some rows.

use brevet_store::{Page as Rows, StoreError};

use crate::http::limit::SCAN_ROWS_MAX;
use crate::http::pages::Page;

/// Reads on until the page is full, there is nothing more, or enough was looked at for one answer; the cursor
/// goes on behind the last row that was looked at.
pub(super) fn scan<T>(
    page: Page,
    number: impl Fn(&T) -> u64,
    read: impl Fn(Option<u64>, usize) -> Result<Rows<T>, StoreError>,
    sees: impl Fn(&T) -> bool,
) -> Result<Rows<T>, StoreError> {
    let mut seen = Rows { items: Vec::new(), next: None };
    let (mut before, mut looked_at) = (page.cursor, 0);
    loop {
        let rows = read(before, page.limit)?;
        let count = rows.items.len();
        for (place, row) in rows.items.into_iter().enumerate() {
            let last = number(&row);
            if sees(&row) {
                seen.items.push(row);
            }
            if seen.items.len() == page.limit && (place + 1 < count || rows.next.is_some()) {
                seen.next = Some(last);
                return Ok(seen);
            }
        }
        looked_at += count;
        match rows.next {
            Some(next) if looked_at < SCAN_ROWS_MAX => before = Some(next),
            next => {
                seen.next = next;
                return Ok(seen);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::scan;
    use crate::http::pages::Page;
    use brevet_store::Page as Rows;

    /// Rows from 1 to `last`, newest first.
    fn rows(last: u64) -> impl Fn(Option<u64>, usize) -> Result<Rows<u64>, brevet_store::StoreError> {
        move |before, limit| {
            let all: Vec<u64> =
                (1..=last).rev().filter(|n| before.is_none_or(|before| *n < before)).collect();
            let next = (all.len() > limit).then(|| all[limit - 1]);
            Ok(Rows { items: all.into_iter().take(limit).collect(), next })
        }
    }

    #[test]
    fn every_row_that_may_be_seen_is_on_exactly_one_page() {
        for limit in 1..8 {
            let (mut cursor, mut seen) = (None, Vec::new());
            loop {
                let page = Page { limit, cursor };
                let found = scan(page, |n| *n, rows(50), |n| n % 3 == 0).unwrap();
                assert!(found.items.len() <= limit);
                seen.extend(found.items);
                cursor = found.next;
                if cursor.is_none() {
                    break;
                }
            }
            assert_eq!(seen, (1..=50).rev().filter(|n| n % 3 == 0).collect::<Vec<_>>(), "limit {limit}");
        }
    }

    #[test]
    fn a_page_of_nothing_ends_after_enough_rows_and_can_be_continued() {
        let page = Page { limit: 100, cursor: None };
        let found = scan(page, |n| *n, rows(10_000), |_| false).unwrap();
        assert_eq!((found.items.len(), found.next), (0, Some(8_001)));
    }
}
