//! The terms by which entries are found: facets (`k:request.decided`, `a:usr-7`, `t:linux\restart-service`,
//! `o:succeeded`, and `x:usr-7` where the texts are that person's and the act is not) and the words of texts and parameters
//! (`w:migration`).
//!
//! A term's entries are kept in blocks of 4,096 (see [`block`]), written a few entries later than the entries
//! themselves (see [`index`]). The terms of an entry are a function of the entry and of objects that never
//! change what it is about, so that they can be made again at any time, and compared.

mod about;
pub(crate) mod block;
mod index;
mod word;

use brevet_core::{Actor, Entry, Event, Parameters, Text, UserId, Value};

pub(crate) use about::Names;
pub use about::{About, Outcome};
pub use index::Gathered;
pub(crate) use index::{
    block_at, catch_up, forget_before, forget_texts, gathered, indexed, keep_up, number, of_person, put,
    take_in_all, with_texts_of,
};
pub use word::{BadWords, Words};

/// Different words that an entry is found by: so many of its texts, and so many of its names and parameters. A
/// reason of two thousand bytes has fewer, unless somebody wants to fill the index.
const WORDS_PER_ENTRY_MAX: usize = 256;

pub(crate) fn of_kind(kind: &str) -> String {
    format!("k:{kind}")
}

pub(crate) fn of_actor(actor: &str) -> String {
    format!("a:{actor}")
}

/// A task is matched without regard to case; its name is ASCII.
pub(crate) fn of_task(name: &str) -> String {
    format!("t:{}", name.to_ascii_lowercase().replace('/', "\\"))
}

pub(crate) fn of_outcome(outcome: &str) -> String {
    format!("o:{outcome}")
}

pub(crate) fn of_word(word: &str) -> String {
    format!("w:{word}")
}

/// Entries of others with texts of this person, as long as they are there.
fn of_owner(user: UserId) -> String {
    format!("x:{user}")
}

/// All terms of an entry, each once, in order. The request is no term: its entries have an index of their own.
pub(crate) fn all(entry: &Entry, about: &About) -> Vec<String> {
    let mut terms = Vec::new();
    each_but_task(entry, &mut |term| terms.push(term.to_owned()));
    terms.extend(about.task.as_ref().map(|task| of_task(task.as_str())));
    terms.sort_unstable();
    terms.dedup();
    terms
}

/// Hands over each term that follows from the entry alone, perhaps more than once: all but its task.
pub(crate) fn each_but_task(entry: &Entry, take: &mut dyn FnMut(&str)) {
    let mut term = String::with_capacity(80);
    each_word(&entry.event, &mut |word| {
        term.clear();
        term.push_str("w:");
        term.push_str(word);
        take(&term);
    });
    take(&of_kind(entry.event.kind().name));
    take(&of_actor(&entry.actor.to_string()));
    owner(entry).iter().for_each(|term| take(term));
    Outcome::of(&entry.event).iter().for_each(|outcome| take(&of_outcome(outcome.as_str())));
}

/// The terms that an entry has only because of its texts.
fn of_texts_alone(entry: &Entry) -> Vec<String> {
    let names = words_of_names(&entry.event);
    let mut terms = words_of_texts(&entry.event);
    terms.retain(|term| !names.contains(term));
    terms.extend(owner(entry));
    terms
}

/// Whose texts are beside an entry, where the actor does not say so already.
fn owner(entry: &Entry) -> Option<String> {
    let has_texts = entry.event.texts().into_iter().any(|text| text.as_str().is_some());
    let other = |owner: &UserId| entry.actor != Actor::User(*owner);
    entry.text_owner().filter(other).filter(|_| has_texts).map(of_owner)
}

/// Hands over each word that an entry is found by, perhaps more than once.
pub(crate) fn each_word(event: &Event, take: &mut dyn FnMut(&str)) {
    let texts = worded(event);
    // So short a text has no word too many.
    if texts.iter().map(|text| text.len()).sum::<usize>() <= 2 * WORDS_PER_ENTRY_MAX {
        texts.into_iter().for_each(|text| word::each(text, &mut *take));
    } else {
        words_of_texts(event).iter().filter_map(|term| term.strip_prefix("w:")).for_each(&mut *take);
    }
    words_of_names(event).iter().filter_map(|term| term.strip_prefix("w:")).for_each(take);
}

fn words_of_texts(event: &Event) -> Vec<String> {
    let mut found = Vec::new();
    worded(event).into_iter().for_each(|text| collect(text, &mut found));
    found
}

/// The texts whose words count. What somebody searched for is none of them: every search would find itself.
fn worded(event: &Event) -> Vec<&str> {
    match event {
        Event::LedgerRead { query: _ } => Vec::new(),
        _ => event.texts().into_iter().filter_map(Text::as_str).collect(),
    }
}

fn words_of_names(event: &Event) -> Vec<String> {
    let mut found = Vec::new();
    each_name(event, &mut |text| collect(text, &mut found));
    found
}

fn collect(text: &str, found: &mut Vec<String>) {
    word::each(text, |word| {
        let term = of_word(word);
        if found.len() < WORDS_PER_ENTRY_MAX && !found.contains(&term) {
            found.push(term);
        }
    });
}

/// What an entry says for ever in words of people: names, descriptions, values of parameters.
fn each_name(event: &Event, take: &mut dyn FnMut(&str)) {
    match event {
        Event::GroupCreated { name, .. } => take(name.as_str()),
        Event::TaskDefined { spec, .. } => [spec.name.as_str(), &spec.description].into_iter().for_each(take),
        Event::RoleDefined { spec, .. } => [spec.name.as_str(), &spec.description].into_iter().for_each(take),
        Event::RoleGroupDefined { spec, .. } => {
            [spec.name.as_str(), &spec.description].into_iter().for_each(take);
        }
        Event::RequestSubmitted { bound, .. } | Event::AuthorizationGranted { bound, .. } => {
            each_value(bound, take);
        }
        Event::ExecutionStarted { parameters, .. } => each_value(parameters, take),
        _ => {}
    }
}

fn each_value(parameters: &Parameters, take: &mut dyn FnMut(&str)) {
    for value in parameters.values() {
        match value {
            Value::Text(text) => take(text),
            Value::List(values) => {
                let texts = values.iter().filter_map(|value| match value {
                    Value::Text(text) => Some(text.as_str()),
                    Value::Integer(_) | Value::Boolean(_) | Value::List(_) => None,
                });
                texts.for_each(&mut *take);
            }
            Value::Integer(number) => take(&number.to_string()),
            Value::Boolean(_) => {}
        }
    }
}

#[cfg(test)]
mod tests;
