//! What a search wants, as terms: for the lists, and for one entry at a time.

use crate::engine::Connection;
use crate::engine::Value;
use brevet_core::{Entry, Event, QualifiedName, RequestId};

use super::list::AnyOf;
use super::{EntryFilter, Object};
use crate::error::StoreError;
use crate::row::signed;
use crate::term::{self, About, Outcome};

/// Terms that one beginning may stand for, so that a page stays short. With more of them the entries are looked
/// at one by one.
const TERMS_PER_PREFIX_MAX: usize = 32;

/// What a search wants of each entry.
#[derive(Debug)]
pub(super) struct Wanted {
    pub(super) request: Option<RequestId>,
    kind: Option<Wish>,
    actor: Option<String>,
    task: Option<String>,
    object: Option<Object>,
    outcome: Option<String>,
    words: Vec<Wish>,
}

#[derive(Debug)]
enum Wish {
    /// This one.
    Whole(String),
    /// Any that begins so.
    Prefix(String),
}

impl Wish {
    fn meets(&self, text: &str) -> bool {
        match self {
            Self::Whole(whole) => text == whole,
            Self::Prefix(prefix) => text.starts_with(prefix.as_str()),
        }
    }

    /// Of terms, by how a term is made of it.
    fn terms(&self, term: fn(&str) -> String) -> Self {
        match self {
            Self::Whole(whole) => Self::Whole(term(whole)),
            Self::Prefix(prefix) => Self::Prefix(term(prefix)),
        }
    }
}

impl Wanted {
    pub(super) fn of(filter: &EntryFilter) -> Self {
        let EntryFilter { kind, actor, request, task, object, outcome, text, since: _, until: _ } = filter;
        let kind = kind.as_deref().map(|kind| match kind.strip_suffix('*') {
            Some(family) => Wish::Prefix(family.to_owned()),
            None => Wish::Whole(kind.to_owned()),
        });
        let words = text.iter().flat_map(|words| words.iter()).map(|word| match word.prefix {
            true => Wish::Prefix(word.text.clone()),
            false => Wish::Whole(word.text.clone()),
        });
        Self {
            request: *request,
            kind,
            actor: actor.clone(),
            task: task.as_ref().map(|task| task.replace('/', "\\")),
            object: *object,
            outcome: outcome.clone(),
            words: words.collect(),
        }
    }

    fn terms(&self) -> impl Iterator<Item = Wish> {
        let Self { request: _, kind, actor, task, object: _, outcome, words } = self;
        let kind = kind.iter().map(|kind| kind.terms(term::of_kind));
        let actor = actor.iter().map(|actor| Wish::Whole(term::of_actor(actor)));
        let task = task.iter().map(|task| Wish::Whole(term::of_task(task)));
        let outcome = outcome.iter().map(|outcome| Wish::Whole(term::of_outcome(outcome)));
        let words = words.iter().map(|word| word.terms(term::of_word));
        kind.chain(actor).chain(task).chain(outcome).chain(words)
    }

    /// Conditions on columns, for looking at entries one by one.
    pub(super) fn columns(&self) -> impl Iterator<Item = (&'static str, Value)> {
        let request = self.request.map(|id| ("request", Value::Integer(signed(id.number()))));
        let kind = self.kind.as_ref().and_then(|kind| match kind {
            Wish::Whole(kind) => Some(("kind", Value::Text(kind.clone()))),
            Wish::Prefix(_) => None,
        });
        let actor = self.actor.clone().map(|actor| ("actor", Value::Text(actor)));
        [request, kind, actor].into_iter().flatten()
    }

    /// The lists that an entry must be in; `None` when one of them is empty. Without any, the entries must be
    /// looked at one by one.
    pub(super) fn lists(&self, connection: &Connection) -> Result<Option<Vec<AnyOf>>, StoreError> {
        let mut lists = Vec::new();
        // An object has no list of its own: its entries are among those of the kinds that are about such objects.
        if let Some(object) = self.object {
            let mut found = Vec::new();
            for kinds in object.kinds() {
                found.extend(beginning(connection, &term::of_kind(kinds))?);
            }
            match found.is_empty() {
                true => return Ok(None),
                false => lists.push(AnyOf::new(found)),
            }
        }
        for term in self.terms() {
            let found = match term {
                Wish::Whole(term) => term::number(connection, &term)?.into_iter().collect(),
                Wish::Prefix(prefix) => beginning(connection, &prefix)?,
            };
            match found.len() {
                0 => return Ok(None),
                1..=TERMS_PER_PREFIX_MAX => lists.push(AnyOf::new(found)),
                _ => {}
            }
        }
        Ok(Some(lists))
    }

    /// Whether an entry is meant as far as it says itself; [`Wanted::means`] says the rest.
    pub(super) fn may_mean(&self, entry: &Entry) -> bool {
        self.kind.as_ref().is_none_or(|kind| kind.meets(entry.event.kind().name))
            && self.actor.as_ref().is_none_or(|actor| *actor == entry.actor.to_string())
            && self.object.is_none_or(|object| object.is_in(&entry.event))
            && (self.words.is_empty() || self.finds_words(&entry.event))
    }

    fn finds_words(&self, event: &Event) -> bool {
        let mut open: Vec<&Wish> = self.words.iter().collect();
        term::each_word(event, &mut |word| open.retain(|wish| !wish.meets(word)));
        open.is_empty()
    }

    /// Whether an entry is meant by what it is about.
    pub(super) fn means(&self, about: &About) -> bool {
        let task = about.task.as_ref().map(QualifiedName::as_str);
        let outcome = about.outcome.map(Outcome::as_str);
        self.task.as_ref().is_none_or(|wanted| task.is_some_and(|task| task.eq_ignore_ascii_case(wanted)))
            && self.outcome.as_ref().is_none_or(|wanted| outcome == Some(wanted.as_str()))
            && self.request.is_none_or(|wanted| about.request == Some(wanted))
    }
}

/// The terms that begin so: one more than may be used, where there are more.
fn beginning(connection: &Connection, prefix: &str) -> Result<Vec<i64>, StoreError> {
    let sql = "SELECT id FROM term WHERE word >= ?1 AND word < ?2 ORDER BY word LIMIT ?3";
    let mut statement = connection.prepare_cached(sql)?;
    let above = format!("{prefix}{}", char::MAX);
    let limit = i64::try_from(TERMS_PER_PREFIX_MAX + 1).unwrap_or(i64::MAX);
    let ids = statement.query_map((prefix, above, limit), |row| row.get(0))?;
    Ok(ids.collect::<Result<_, _>>()?)
}
