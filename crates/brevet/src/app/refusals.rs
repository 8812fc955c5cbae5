//! Refused runs become entries: the first at once, further ones of the same person and task within a minute
//! as one entry with a count.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use brevet_core::{Command, QualifiedName, Span, Timestamp, UserId};

const WINDOW: Span = Span::minutes(1);

#[derive(Debug)]
struct Window {
    opened: Timestamp,
    task: QualifiedName,
    why: &'static str,
    repeats: u32,
}

/// Refusals that were counted and are to be put on record.
#[derive(Debug, Clone)]
pub(super) struct Repeated {
    user: UserId,
    task: QualifiedName,
    why: &'static str,
    count: u32,
}

impl From<Repeated> for Command {
    fn from(Repeated { user, task, why, count }: Repeated) -> Self {
        Self::NoteRefusal { user, task, why, count }
    }
}

/// Who, and what; nothing for all tasks that do not exist.
type Key = (UserId, Option<Box<str>>);

/// Who was refused what within the last minute.
#[derive(Debug, Default)]
pub(super) struct Refusals {
    windows: Mutex<HashMap<Key, Window>>,
}

impl Refusals {
    /// Counts a refusal; the first of its minute is to be put on record now. All tasks that do not exist
    /// share one count, so that made-up names cannot fill the ledger.
    pub(super) fn note(
        &self,
        now: Timestamp,
        user: UserId,
        task: &QualifiedName,
        why: &'static str,
    ) -> Option<Command> {
        let key = (user, (why != "not-found").then(|| task.key()));
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(window) = windows.get_mut(&key).filter(|window| window.opened.plus(WINDOW) > now) {
            window.repeats = window.repeats.saturating_add(1);
            window.why = why;
            return None;
        }
        let last = windows.insert(key, Window { opened: now, task: task.clone(), why, repeats: 0 });
        let repeats = last.map_or(0, |last| last.repeats);
        Some(Command::NoteRefusal { user, task: task.clone(), why, count: repeats + 1 })
    }

    /// The repeats of minutes that are over (all of them when `everything`), to be put on record.
    pub(super) fn due(&self, now: Timestamp, everything: bool) -> Vec<Repeated> {
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        let mut due = Vec::new();
        windows.retain(|(user, _), window| {
            let over = everything || window.opened.plus(WINDOW) <= now;
            if over && window.repeats > 0 {
                let Window { opened: _, task, why, repeats } = window;
                due.push(Repeated { user: *user, task: task.clone(), why, count: *repeats });
            }
            !over
        });
        due
    }

    /// Counts again what could not be put on record.
    pub(super) fn keep(&self, now: Timestamp, unrecorded: impl IntoIterator<Item = Repeated>) {
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        for Repeated { user, task, why, count } in unrecorded {
            let key = (user, (why != "not-found").then(|| task.key()));
            let window = windows.entry(key).or_insert(Window { opened: now, task, why, repeats: 0 });
            window.repeats = window.repeats.saturating_add(count);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Refusals;
    use brevet_core::{Command, QualifiedName, Span, Timestamp, UserId};

    fn count(command: &Command) -> u32 {
        match command {
            Command::NoteRefusal { count, .. } => *count,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_first_is_recorded_at_once_and_the_rest_of_its_minute_as_one() {
        let refusals = Refusals::default();
        let task = QualifiedName::parse("Linux/Restart").unwrap();
        let (user, start) = (UserId::new(1), Timestamp::from_micros(0));
        assert_eq!(refusals.note(start, user, &task, "needs-approval").map(|c| count(&c)), Some(1));
        for second in 1..60 {
            assert!(
                refusals.note(start.plus(Span::seconds(second)), user, &task, "needs-approval").is_none()
            );
        }
        assert!(refusals.due(start.plus(Span::seconds(59)), false).is_empty());
        let due = refusals.due(start.plus(Span::minutes(1)), false);
        assert_eq!(due.iter().map(|repeated| repeated.count).collect::<Vec<_>>(), [59]);
        refusals.keep(start.plus(Span::minutes(1)), due);
        let again = refusals.due(start.plus(Span::minutes(2)), false);
        assert_eq!(
            again.iter().map(|repeated| repeated.count).collect::<Vec<_>>(),
            [59],
            "nothing is lost that was not recorded"
        );
        assert!(refusals.due(start.plus(Span::minutes(3)), true).is_empty());
    }

    #[test]
    fn made_up_names_share_one_count() {
        let refusals = Refusals::default();
        let (user, now) = (UserId::new(1), Timestamp::from_micros(0));
        let name = |n: u32| QualifiedName::parse(&format!("Linux/Made-Up-{n}")).unwrap();
        assert!(refusals.note(now, user, &name(1), "not-found").is_some());
        assert!((2..100).all(|n| refusals.note(now, user, &name(n), "not-found").is_none()));
    }
}
