//! Words, blocks, and what is forgotten.

use crate::engine::{Begin, Connection, NONE};
use brevet_core::{
    Command, GroupName, NewGroup, NewUser, Origin, SessionId, Span, State, Text, TextKind, Timestamp, UserId,
    UserName, transact,
};
use brevet_ledger::Salt;
use tempfile::TempDir;

use super::block::{BLOCK_ENTRIES, Block};
use super::word::{self, WORD_BYTES_MAX};
use super::{BadWords, Words, catch_up, forget_before, forget_texts, index, of_person, with_texts_of};
use crate::row::signed;
use crate::{Batch, DataFolder, EntryFilter, Reader, SideWrite, Store, sqlite};

fn words(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    word::each(text, |word| found.push(word.to_owned()));
    found
}

#[test]
fn words_are_runs_of_letters_and_digits_in_lower_case() {
    for (text, wanted) in [
        ("", &[][..]),
        ("  \t\n ", &[]),
        ("!!! — … 🚒👩‍🚒", &[]),
        ("Migration of DB-7, INC_20417.", &["migration", "of", "db", "7", "inc", "20417"]),
        ("ÄÖÜ Straße ΣΊΣΥΦΟΣ", &["äöü", "straße", "σίσυφοσ"]),
        ("re\u{301}sume\u{301}", &["resume"]),
        ("mig\u{200b}ra\u{ad}tion \u{202e}gnorw", &["migration", "gnorw"]),
        ("\u{130}stanbul", &["istanbul"]),
        ("数据库 迁移", &["数据库", "迁移"]),
        ("fire🚒truck", &["fire", "truck"]),
    ] {
        assert_eq!(words(text), wanted, "{text:?}");
    }
    let long = "x".repeat(10_000);
    assert_eq!(words(&long), ["x".repeat(WORD_BYTES_MAX)]);
    assert!(words(&"é".repeat(500))[0].len() <= WORD_BYTES_MAX);
}

#[test]
fn a_search_takes_words_and_beginnings_of_words_and_not_too_many() {
    let read = |text: &str| Words::parse(text).map(|words| words.to_string());
    for (text, wanted) in [
        ("INC-20417", Ok("20417 inc")),
        ("Migr* db", Ok("db migr*")),
        ("a*b", Ok("a* b")),
        ("migr * twice twice", Ok("migr twice")),
        ("*migr", Ok("migr")),
        ("**", Err(BadWords::None)),
        ("", Err(BadWords::None)),
        ("🚒", Err(BadWords::None)),
        ("1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17", Err(BadWords::Many)),
    ] {
        assert_eq!(read(text), wanted.map(str::to_owned), "{text:?}");
    }
    assert!(Words::parse("1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16").is_ok());
}

#[test]
fn a_block_comes_back_as_it_was_however_full_it_is() {
    for step in [1, 2, 3, 15, 16, 17, 64, 65, 1_000, 4_095, 4_096] {
        let places: Vec<u64> = (0..BLOCK_ENTRIES).step_by(step).collect();
        let mut block = Block::EMPTY;
        places.iter().for_each(|place| block.insert(7 * BLOCK_ENTRIES + place));
        let bytes = block.to_bytes();
        assert!(bytes.len() <= 512, "{step}");
        assert_eq!(Block::from_bytes(&bytes), Some(block), "{step}");
        let mut newest: Vec<u64> = block.newest_first(0).collect();
        newest.reverse();
        assert_eq!(newest, places, "{step}");
        let mut lists: Vec<Block> = vec![Block::FULL, block, block];
        lists[1].intersect(&Block::FULL);
        assert_eq!(lists[1], block);
        places.iter().for_each(|place| lists[2].remove(*place));
        assert!(lists[2].is_empty());
    }
    for bad in [&[0][..], &[0, 1, 2], &[0x10, 0x00], &[0; 514]] {
        assert_eq!(Block::from_bytes(bad), None, "{bad:?}");
    }
}

/// A store with many accounts, whose names and addresses are texts.
struct Office {
    _folder: TempDir,
    data: DataFolder,
    store: Option<Store>,
    state: State,
    now: Timestamp,
}

impl Office {
    fn of(people: usize, batch: usize) -> Self {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("data");
        let mut store = Store::open(DataFolder::claim(&path).unwrap(), [7; 32]).unwrap();
        let origin = store.origin().to_owned();
        let mut office = Self {
            _folder: folder,
            data: DataFolder::visit(&path).unwrap(),
            state: store.load().unwrap(),
            store: None,
            now: Timestamp::from_micros(1_750_000_000_000_000),
        };
        let admin = Origin::user(UserId::new(1), SessionId::new(1));
        let group = NewGroup {
            name: GroupName::parse("Office of Example").unwrap(),
            email: Text::default(),
            description: Text::parse(TextKind::Description, "Everybody of Example").unwrap(),
        };
        let mut commands = vec![
            (Origin::SYSTEM, Command::OpenLedger { origin }),
            (Origin::SYSTEM, Command::SetUp(user("ada"))),
            (admin, Command::CreateGroup(group)),
        ];
        commands.extend((0..people).map(|n| (admin, Command::AddUser(user(&format!("person-{n}"))))));
        let reader = Reader::open(&office.data).unwrap();
        let (mut entries, mut changes) = (Vec::new(), Vec::new());
        let mut salt = || Salt::from_bytes([9; Salt::BYTES]);
        for (number, (origin, command)) in commands.into_iter().enumerate() {
            office.now = office.now.plus(Span::seconds(1));
            let outcome = transact(&mut office.state, office.now, origin, command).unwrap();
            entries.extend(outcome.entries);
            changes.extend(outcome.changes);
            if (number + 1) % batch == 0 || number == people + 2 {
                let batch = Batch { entries: &entries, changes: &changes, state: &office.state, side: &[] };
                store.append(&batch, &mut salt).unwrap();
                entries.clear();
                changes.clear();
                // As the server does, off the path of a reply.
                while let Some(gathered) = reader.unlisted().unwrap() {
                    let side = [SideWrite::Lists(gathered)];
                    let batch = Batch { entries: &[], changes: &[], state: &office.state, side: &side };
                    store.append(&batch, &mut salt).unwrap();
                }
            }
        }
        office.store = Some(store);
        office
    }

    /// A connection of our own, beside the store's.
    fn connection(&self) -> Connection {
        sqlite::open_writer(&self.data.database()).unwrap().into()
    }

    fn found(&self, text: &str) -> Vec<u64> {
        let filter = EntryFilter { text: Some(Words::parse(text).unwrap()), ..EntryFilter::default() };
        indexes(&Reader::open(&self.data).unwrap(), &filter)
    }
}

fn indexes(reader: &Reader, filter: &EntryFilter) -> Vec<u64> {
    let (mut found, mut before) = (Vec::new(), None);
    loop {
        let page = reader.entries(filter, before, 50).unwrap();
        found.extend(page.items.iter().map(|stored| stored.index));
        before = page.next;
        if before.is_none() {
            return found;
        }
    }
}

fn user(name: &str) -> NewUser {
    NewUser {
        name: UserName::parse(name).unwrap(),
        display_name: Text::parse(TextKind::DisplayName, &format!("{name} of Example")).unwrap(),
        email: Text::parse(TextKind::Email, &format!("{name}@example.org")).unwrap(),
        owner: None,
        administrator: false,
        auditor: false,
    }
}

/// All lists: each term with its entries.
fn lists(connection: &Connection) -> Vec<(String, Vec<u64>)> {
    let sql = "SELECT word, block, places FROM entry_term JOIN term ON term.id = term ORDER BY word, block";
    let mut statement = connection.prepare(sql).unwrap();
    let rows = statement.query_map(NONE, |row| {
        let (word, block, places): (String, i64, Vec<u8>) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let mut seqs: Vec<u64> =
            Block::from_bytes(&places).unwrap().newest_first(block.unsigned_abs()).collect();
        seqs.reverse();
        Ok((word, seqs))
    });
    rows.unwrap().map(Result::unwrap).collect()
}

#[test]
fn the_lists_are_the_same_however_the_entries_were_written() {
    let at_once = Office::of(4_300, 5_000);
    let in_pieces = Office::of(4_300, 97);
    // As from a version that had no lists: all of them are made when the store is opened.
    let later = at_once.connection();
    later.execute_batch("DELETE FROM entry_term; DELETE FROM term; UPDATE term_head SET size = 0").unwrap();
    let size = at_once.store.as_ref().unwrap().size();
    assert!(size > BLOCK_ENTRIES);
    catch_up(&later, size).unwrap();
    let connection = in_pieces.connection();
    let ours = lists(&later);
    let mut theirs = lists(&connection);
    // The one that was written in pieces has a tail that is in no list yet.
    let listed = super::indexed(&connection).unwrap();
    assert!(listed < size && size - listed < index::TAIL_ENTRIES_MAX);
    let cut = |(word, seqs): &(String, Vec<u64>)| {
        let seqs: Vec<u64> = seqs.iter().copied().filter(|seq| *seq < listed).collect();
        (!seqs.is_empty()).then(|| (word.clone(), seqs))
    };
    theirs.retain(|(_, seqs)| !seqs.is_empty());
    assert_eq!(ours.iter().filter_map(cut).collect::<Vec<_>>(), theirs);
    for office in [&at_once, &in_pieces] {
        assert_eq!(office.found("person 4299 example").len(), 1);
        assert_eq!(office.found("person").len(), 4_300);
    }
}

#[test]
fn what_was_gathered_before_an_erasure_is_not_written_after_it() {
    let mut office = Office::of(200, 1);
    let mut store = office.store.take().unwrap();
    let reader = Reader::open(&office.data).unwrap();
    let mut append = |office: &mut Office, name: &str, side: &[SideWrite]| {
        let admin = Origin::user(UserId::new(1), SessionId::new(1));
        let outcome = transact(&mut office.state, office.now, admin, Command::AddUser(user(name))).unwrap();
        let (entries, changes) = (&outcome.entries[..], &outcome.changes[..]);
        let batch = Batch { entries, changes, state: &office.state, side };
        store.append(&batch, &mut || Salt::from_bytes([9; Salt::BYTES])).unwrap();
    };
    (0..60).for_each(|number| append(&mut office, &format!("late-x{number}"), &[]));
    let gathered = reader.unlisted().unwrap().unwrap();
    append(&mut office, "one-more", &[SideWrite::EraseTexts(UserId::new(60))]);
    append(&mut office, "another", &[SideWrite::EraseMore { user: UserId::new(60), entries: 10 }]);
    append(&mut office, "and-another", &[SideWrite::Lists(gathered)]);
    let connection = office.connection();
    let count = "SELECT count(*) FROM term WHERE word = 'w:58'";
    assert_eq!(connection.query_row(count, NONE, |row| row.get::<_, u32>(0)).unwrap(), 0);
    assert_eq!(office.found("person").len(), 199);
    assert_eq!(office.found("late").len(), 60);
}

#[test]
fn what_stopped_in_the_middle_of_catching_up_goes_on_where_it_was() {
    let office = Office::of(4_500, 5_000);
    let connection = office.connection();
    let whole = lists(&connection);
    let size = office.store.as_ref().unwrap().size();
    for done in [0, 1, 4_000, BLOCK_ENTRIES, BLOCK_ENTRIES + 1] {
        let sql = "DELETE FROM entry_term; DELETE FROM term; UPDATE term_head SET size = 0";
        connection.execute_batch(sql).unwrap();
        let transaction = connection.begin(Begin::Write).unwrap();
        index::take_in(&transaction, 0, done).unwrap();
        transaction.commit().unwrap();
        // A piece that was not finished leaves nothing.
        let transaction = connection.begin(Begin::Write).unwrap();
        index::take_in(&transaction, done, size).unwrap();
        drop(transaction);
        catch_up(&connection, size).unwrap();
        assert_eq!(lists(&connection), whole, "{done}");
        assert_eq!(super::indexed(&connection).unwrap(), size);
    }
}

#[test]
fn the_words_of_an_erased_text_are_gone_and_nothing_else() {
    // One is in the lists, the other still behind them.
    for who in [5_u32, 399] {
        let office = Office::of(400, 1);
        let person = UserId::new(who + 2);
        let connection = office.connection();
        let transaction = connection.begin(Begin::Write).unwrap();
        let added = u64::from(who) + 3;
        assert_eq!(added >= super::indexed(&transaction).unwrap(), who == 399);
        super::take_in_all(&transaction).unwrap();
        let all = 0..super::indexed(&transaction).unwrap();
        let near = of_person(&transaction, person, all, 10).unwrap();
        assert_eq!(with_texts_of(&transaction, person, &near).unwrap(), [added]);
        forget_texts(&transaction, added).unwrap();
        transaction.execute("DELETE FROM entry_text WHERE seq = ?1", [signed(added)]).unwrap();
        transaction.commit().unwrap();
        assert_eq!(office.found("person").len(), 399);
        assert_eq!(office.found(&who.to_string()), [] as [u64; 0]);
        let of_words = "SELECT count(*) FROM term WHERE word = ?1";
        let count =
            |term: String| connection.query_row(of_words, [term], |row| row.get::<_, u32>(0)).unwrap();
        assert_eq!(count(format!("w:{who}")), 0, "a word that nobody else has is not kept");
        assert_eq!(count(format!("x:{person}")), 0);
        assert_eq!(count("w:person".into()), 1);
        let kind = EntryFilter { kind: Some("user.added".into()), ..EntryFilter::default() };
        let all = indexes(&Reader::open(&office.data).unwrap(), &kind);
        assert!(all.contains(&added), "what it is stays to be found");
    }
}

#[test]
fn a_name_that_is_also_in_a_text_stays_when_the_text_goes() {
    let office = Office::of(300, 1);
    let connection = office.connection();
    let transaction = connection.begin(Begin::Write).unwrap();
    let group = office.found("everybody")[0];
    forget_texts(&transaction, group).unwrap();
    transaction.execute("DELETE FROM entry_text WHERE seq = ?1", [signed(group)]).unwrap();
    transaction.commit().unwrap();
    assert_eq!(office.found("everybody"), [] as [u64; 0]);
    assert_eq!(office.found("office example"), [group], "the name of the group is no text");
}

#[test]
fn the_first_entries_of_a_person_are_found_a_few_at_a_time() {
    let office = Office::of(4_300, 5_000);
    let connection = office.connection();
    let all = 0..super::indexed(&connection).unwrap();
    let administrator = UserId::new(1);
    let whole = of_person(&connection, administrator, all.clone(), usize::MAX).unwrap();
    assert!(whole.len() > 4_200, "{}", whole.len());
    let (mut found, mut next) = (Vec::new(), 0);
    loop {
        let near = of_person(&connection, administrator, next..all.end, 700).unwrap();
        assert!(near.len() <= 700);
        found.extend_from_slice(&near);
        let Some(last) = near.last() else { break };
        next = last + 1;
    }
    assert_eq!(found, whole);
}

/// Terms whose lists are looked at in one step.
const LISTS_AT_ONCE: usize = 1_500;

#[test]
fn archived_entries_are_in_no_list_and_the_others_in_all() {
    for cut in [1, 63, 100, BLOCK_ENTRIES, BLOCK_ENTRIES + 100] {
        let office = Office::of(4_300, 5_000);
        let connection = office.connection();
        let before = lists(&connection);
        let transaction = connection.begin(Begin::Write).unwrap();
        let (mut next, mut steps) = (Some(0), 0);
        while let Some(from) = next {
            next = forget_before(&transaction, cut, from, LISTS_AT_ONCE).unwrap();
            steps += 1;
        }
        assert!(steps > before.len() / LISTS_AT_ONCE / 2 && steps > 1, "{steps} steps");
        transaction.execute("UPDATE entry SET bytes = x'' WHERE seq < ?1", [signed(cut)]).unwrap();
        transaction.execute("DELETE FROM entry_text WHERE seq < ?1", [signed(cut)]).unwrap();
        transaction.commit().unwrap();
        let kept: Vec<(String, Vec<u64>)> = before
            .into_iter()
            .map(|(word, seqs)| (word, seqs.into_iter().filter(|seq| *seq >= cut).collect::<Vec<_>>()))
            .filter(|(_, seqs)| !seqs.is_empty())
            .collect();
        assert_eq!(lists(&connection), kept, "{cut}");
        let words: u32 = connection.query_row("SELECT count(*) FROM term", NONE, |row| row.get(0)).unwrap();
        let mut distinct: Vec<&String> = kept.iter().map(|(word, _)| word).collect();
        distinct.dedup();
        assert_eq!(words as usize, distinct.len(), "no word of theirs is kept");
        let reader = Reader::open(&office.data).unwrap();
        let size = office.store.as_ref().unwrap().size();
        let all: Vec<u64> = (cut..size).rev().collect();
        assert_eq!(indexes(&reader, &EntryFilter::default()), all, "{cut}");
        let early = EntryFilter { since: Some(Timestamp::from_micros(0)), ..EntryFilter::default() };
        assert_eq!(indexes(&reader, &early), all);
    }
}
