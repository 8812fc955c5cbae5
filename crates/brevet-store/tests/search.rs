//! Searches find what a reader of every entry would find, page after page, in bounded pieces.

#![expect(clippy::unwrap_used, reason = "the sample organization is set up with them")]

#[path = "engines/cluster.rs"]
#[expect(dead_code, reason = "other tests use the rest")]
mod cluster;
#[path = "engines/engine.rs"]
#[macro_use]
#[expect(dead_code, reason = "other tests use the rest")]
mod engine;
#[path = "search/ledger.rs"]
mod ledger;
#[path = "search/naive.rs"]
mod naive;
#[expect(dead_code, reason = "other tests use the rest")]
mod sample;

use brevet_core::{RequestId, Timestamp, UserId};
use brevet_store::{EntryFilter, Outcome, Reader, Words};
use engine::Engine;
use ledger::{Dice, Ledger};

on_both_engines! {
    every_combination_of_conditions_finds_what_a_reader_of_every_entry_finds,
    what_an_ended_thing_was_about_is_told_with_its_end,
    pages_neither_repeat_nor_skip_while_entries_are_added,
    a_page_that_finds_little_ends_and_can_be_continued,
    two_words_that_are_never_together_cost_a_page_only_so_much_in_a_long_ledger,
    hostile_texts_are_found_by_their_words_and_break_nothing,
    nobody_is_found_who_is_nobody,
}

/// All entries that a filter finds, with pages of random sizes.
fn found(reader: &Reader, filter: &EntryFilter, dice: &mut Dice) -> Vec<u64> {
    let (mut found, mut before) = (Vec::new(), None);
    loop {
        let limit = 1 + dice.below(70);
        let page = reader.entries(filter, before, limit).unwrap();
        assert!(page.items.len() <= limit);
        found.extend(page.items.iter().map(|stored| stored.index));
        match page.next {
            None => return found,
            Some(next) => assert!(before.replace(next).is_none_or(|before| next < before), "no way forward"),
        }
    }
}

/// Conditions that some entries meet, and some that none does.
fn filter(dice: &mut Dice, entries: &[naive::Known]) -> EntryFilter {
    let some = |dice: &mut Dice| entries[dice.below(entries.len())].clone();
    let mut filter = EntryFilter::default();
    // As if about one entry, so that combinations find something.
    let about = some(dice);
    let ask = |dice: &mut Dice| dice.below(3) == 0;
    if ask(dice) {
        filter.kind = Some(match dice.below(4) {
            0 => "no.such-kind".to_owned(),
            1 => format!("{}.*", about.kind.split('.').next().unwrap()),
            _ => about.kind.clone(),
        });
    }
    if ask(dice) {
        filter.actor = Some(if dice.below(8) == 0 { "usr-999".into() } else { about.actor.clone() });
    }
    if ask(dice) && dice.below(2) == 0 {
        filter.request = about.request.or(Some(RequestId::new(9_999)));
    }
    if ask(dice) {
        let spelled =
            |task: &String| if dice.below(2) == 0 { task.to_uppercase() } else { task.replace('\\', "/") };
        filter.task = about.task.as_ref().map(spelled).or(Some("Linux/Nothing".into()));
    }
    if ask(dice) {
        let outcome = Outcome::ALL[dice.below(Outcome::ALL.len())].as_str();
        filter.outcome = Some(about.outcome.unwrap_or(outcome).to_owned());
    }
    if ask(dice) {
        let words: Vec<String> = (0..=dice.below(2))
            .map(|_| match (dice.below(4), about.words.first()) {
                (0, Some(_)) => {
                    let word = about.words[dice.below(about.words.len())].clone();
                    format!("{}*", word.chars().take(2).collect::<String>())
                }
                (1 | 2, Some(_)) => about.words[dice.below(about.words.len())].to_uppercase(),
                _ => ledger::WORDS[dice.below(ledger::WORDS.len())].to_owned(),
            })
            .collect();
        filter.text = Words::parse(&words.join(" ")).ok();
    }
    let time = |dice: &mut Dice| Some(some(dice).time);
    filter.since = if dice.below(4) == 0 { time(dice) } else { None };
    filter.until = if dice.below(4) == 0 { time(dice) } else { None };
    filter
}

fn every_combination_of_conditions_finds_what_a_reader_of_every_entry_finds(engine: &Engine) {
    // PostgreSQL runs the same statements, only slower.
    let (seeds, searches) = match engine {
        Engine::Folder => (1..=6, 200),
        Engine::Postgres(_) => (1..=2, 50),
    };
    for seed in seeds {
        let home = engine.home();
        let mut dice = Dice(seed);
        // One of them is longer than a block, written as fast as it goes; the others as commands come.
        let (stories, batch) = if seed == 1 { (1_000, 700) } else { (60, 1 + dice.below(40)) };
        drop(Ledger::written(&home, &mut dice, stories, batch));
        let reader = home.reader();
        let entries = naive::read(&reader);
        let mut hits = 0;
        for _ in 0..searches {
            let filter = filter(&mut dice, &entries);
            let wanted: Vec<u64> =
                entries.iter().rev().filter(|known| known.meets(&filter)).map(|known| known.index).collect();
            assert_eq!(found(&reader, &filter, &mut dice), wanted, "seed {seed}: {filter:?}");
            hits += usize::from(!wanted.is_empty());
        }
        assert!(hits > searches / 4, "seed {seed}: most searches found nothing: {hits}");
    }
}

fn what_an_ended_thing_was_about_is_told_with_its_end(engine: &Engine) {
    let home = engine.home();
    let mut dice = Dice(11);
    drop(Ledger::written(&home, &mut dice, 80, 9));
    let reader = home.reader();
    let known = naive::read(&reader);
    let mut ends = 0;
    for stored in reader.entries_from(0, 100_000).unwrap() {
        let naive = &known[usize::try_from(stored.index).unwrap()];
        let about = &stored.about;
        assert_eq!(about.request, naive.request, "{stored:?}");
        assert_eq!(about.task.as_ref().map(ToString::to_string), naive.task, "{stored:?}");
        assert_eq!(about.outcome.map(Outcome::as_str), naive.outcome, "{stored:?}");
        let kind = stored.entry.event.kind().name;
        if kind == "execution.finished" || kind == "authorization.ended" {
            assert!(about.request.is_some() && about.task.is_some(), "{stored:?}");
            ends += 1;
        }
    }
    assert!(ends > 20);
}

fn pages_neither_repeat_nor_skip_while_entries_are_added(engine: &Engine) {
    let home = engine.home();
    let mut dice = Dice(3);
    let mut ledger = Ledger::written(&home, &mut dice, 120, 7);
    let reader = home.reader();
    let filter = EntryFilter { kind: Some("request.*".into()), ..EntryFilter::default() };
    let then: Vec<u64> = found(&reader, &filter, &mut dice);
    let (mut seen, mut before) = (Vec::new(), None);
    loop {
        let page = reader.entries(&filter, before, 7).unwrap();
        seen.extend(page.items.iter().map(|stored| stored.index));
        before = page.next;
        if before.is_none() {
            break;
        }
        // Enough of them that the lists are moved on behind the reader's back.
        ledger.tell(&mut dice, 5);
    }
    assert_eq!(seen, then);
    assert!(found(&reader, &filter, &mut dice).len() > then.len());
}

fn a_page_that_finds_little_ends_and_can_be_continued(engine: &Engine) {
    let home = engine.home();
    let mut ledger = Ledger::founded(&home);
    for number in 0..40 {
        ledger.asks(&format!("beginning{number}"));
    }
    for _ in 0..800 {
        ledger.asks("nothing of that");
    }
    let reader = home.reader();
    // So many words begin so that they are not looked up one by one.
    let text = |words: &str| EntryFilter { text: Words::parse(words).ok(), ..EntryFilter::default() };
    let first = reader.entries(&text("begin*"), None, 50).unwrap();
    assert!(first.items.is_empty() && first.next.is_some(), "{} entries", first.items.len());
    assert_eq!(found(&reader, &text("begin*"), &mut Dice(1)).len(), 40);
    assert_eq!(found(&reader, &text("beginning1*"), &mut Dice(1)).len(), 11);
}

fn two_words_that_are_never_together_cost_a_page_only_so_much_in_a_long_ledger(engine: &Engine) {
    let home = engine.home();
    drop(Ledger::founded(&home));
    // Lists as in a ledger of eight million entries, of which only the first are there.
    let blocks = 2_000_u64;
    let last = blocks * 4_096;
    let (overriding, zero, one) = match engine {
        Engine::Folder => ("", "x'0000'", "x'0001'"),
        Engine::Postgres(_) => ("OVERRIDING SYSTEM VALUE", r"'\x0000'", r"'\x0001'"),
    };
    home.sql(&format!(
        "BEGIN;
         INSERT INTO entry SELECT {last}, kind, actor, request, leaf, bytes FROM entry WHERE seq = 1;
         UPDATE term_head SET size = {last};
         INSERT INTO term (id, word) {overriding} VALUES (90001, 'w:even'), (90002, 'w:odd');
         WITH RECURSIVE b (block) AS (SELECT 0 UNION ALL SELECT block + 1 FROM b WHERE block + 1 < {blocks})
             INSERT INTO entry_term SELECT 90001, block, {zero} FROM b;
         INSERT INTO entry_term SELECT 90002, block, {one} FROM entry_term WHERE term = 90001;
         COMMIT;"
    ));
    let reader = home.reader();
    let filter = EntryFilter { text: Words::parse("even odd").ok(), ..EntryFilter::default() };
    let (mut pages, mut before) = (0, None);
    loop {
        let page = reader.entries(&filter, before, 50).unwrap();
        assert!(page.items.is_empty());
        pages += 1;
        let Some(next) = page.next else { break };
        let end = before.replace(next).unwrap_or(blocks * 4_096);
        assert!(end - next <= 200 * 4_096, "one page went from {end} to {next}");
    }
    assert!((10..50).contains(&pages), "{pages} pages");
}

fn hostile_texts_are_found_by_their_words_and_break_nothing(engine: &Engine) {
    let home = engine.home();
    let mut ledger = Ledger::founded(&home);
    let long = "y".repeat(1_900);
    let many: String = (0..400).map(|n| format!("{n:x} ")).collect();
    let texts = [
        "'; DROP TABLE term; --",
        "100% _under_ * ?",
        "🚒🚒🚒 fire🚒truck",
        "re\u{301}sume\u{301} mig\u{200b}ration",
        "\u{202e}gnorw w:word k:request.submitted",
        "x\u{10ffff}x \u{0}".trim_end_matches('\u{0}').trim(),
        &long,
        &many,
        "ﬁ ǅ ß İ ıI",
    ];
    let first = ledger.store.size();
    for text in texts {
        ledger.asks(text);
    }
    let reader = home.reader();
    let at = |words: &str| {
        let filter = EntryFilter {
            text: Some(Words::parse(words).unwrap()),
            kind: Some("request.submitted".into()),
            since: Some(Timestamp::from_micros(0)),
            ..EntryFilter::default()
        };
        found(&reader, &filter, &mut Dice(1))
    };
    // Twice: as the newest entries, and once the lists have them.
    for _ in 0..2 {
        assert_eq!(at("drop table"), [first]);
        assert_eq!(at("100 under"), [first + 2]);
        assert_eq!(at("FIRE TRUCK"), [first + 4]);
        assert_eq!(at("resume migration"), [first + 6]);
        assert_eq!(at("word submitted k"), [first + 8]);
        assert_eq!(at(&long), [first + 12]);
        assert_eq!(at(&"y".repeat(64)), [first + 12], "a very long word is known by its beginning");
        assert_eq!(at("yyyy*"), [first + 12]);
        assert_eq!(at("10 ff 0"), [first + 14]);
        assert_eq!(at("18f"), [] as [u64; 0], "an entry is found by its first 256 words");
        assert_eq!(at("ß"), [first + 16]);
        for _ in 0..130 {
            ledger.asks("zzz");
        }
    }
}

fn nobody_is_found_who_is_nobody(engine: &Engine) {
    let home = engine.home();
    drop(Ledger::written(&home, &mut Dice(5), 20, 5));
    let reader = home.reader();
    let none = EntryFilter::default;
    for filter in [
        EntryFilter { kind: Some(String::new()), ..none() },
        EntryFilter { kind: Some("request.submitte".into()), ..none() },
        EntryFilter { actor: Some(UserId::new(77).to_string()), ..none() },
        EntryFilter { task: Some("%".into()), ..none() },
        EntryFilter { outcome: Some("success".into()), ..none() },
        EntryFilter { request: Some(RequestId::new(u64::MAX)), ..none() },
        EntryFilter { since: Some(Timestamp::from_micros(i64::MAX)), ..none() },
        EntryFilter { until: Some(Timestamp::from_micros(i64::MIN)), ..none() },
    ] {
        let page = reader.entries(&filter, None, 50).unwrap();
        assert!(page.items.is_empty() && page.next.is_none(), "{filter:?}");
    }
}
