//! Both databases behave as one: the same commands give the same bytes, rows, answers and errors.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

mod cluster;
mod encrypted;
mod moved;
#[path = "../sample/mod.rs"]
#[expect(dead_code, reason = "stores in a folder are tested elsewhere")]
mod sample;
mod standby;

use std::path::Path;
use std::time::Duration;

use brevet_core::{Command, ExecutionId, Origin, RequestId, SessionId, Timestamp};
use brevet_store::{
    ArchiveFile, AuthorizationFilter, Credential, DataFolder, DatabasePlace, EntryFilter, ExecutionFilter,
    ExportFilter, Idempotent, LedgerFile, PIECE_BYTES_MAX, Page, Reader, Recorded, Recordings, RequestFilter,
    SessionRow, SideWrite, StoreError, StoredEntry, Tail, Words,
};
use cluster::Cluster;
use sample::{ALICE, BOB, Sample};

/// Longer than anything takes.
const LONG: Duration = Duration::from_secs(30);
/// Stories that are told: enough for several blocks of lists to be gathered.
const STORIES: usize = 60;

impl Sample {
    /// Takes over what others appended; answers how many entries that were.
    fn catch_up(&mut self) -> usize {
        let tail = self.store.look().unwrap();
        self.take_over(tail)
    }

    fn take_over(&mut self, tail: Option<Tail>) -> usize {
        let Some(tail) = tail else { return 0 };
        let mut changes = Vec::new();
        for entry in &tail.entries {
            changes.extend(self.state.apply(entry));
        }
        self.state.forget(&changes);
        self.now = self.now.max(self.state.last().unwrap());
        assert_eq!((tail.size, tail.checkpoint.as_str()), (self.store.size(), self.store.checkpoint()));
        tail.entries.len()
    }

    fn ask(&mut self) -> Result<(), StoreError> {
        self.ask_because("quick")
    }

    fn ask_because(&mut self, reason: &str) -> Result<(), StoreError> {
        let origin = Origin::user(BOB, SessionId::new(1));
        self.carry_out(origin, Command::Submit(sample::request(reason))).map(drop)
    }
}

/// Everything that a reader can see, as text.
fn seen(reader: &Reader) -> Vec<String> {
    let mut seen = Vec::new();
    let size = reader.size().unwrap();
    seen.push(format!("{size} entries, {}", reader.checkpoint().unwrap()));
    for index in 0..size {
        seen.push(format!("{:?}", reader.entry(index).unwrap()));
        let receipt = reader.receipt(index).unwrap().unwrap();
        seen.push(receipt.proof);
    }
    for (old, new) in [(1, size), (size / 2, size), (size / 3, size / 2)] {
        seen.push(format!("{:?}", reader.consistency(old, new).unwrap()));
    }
    for path in ["tile/0/000", "tile/0/001.p/3", "tile/1/000.p/1", "tile/entries/000"] {
        let file = LedgerFile::parse(path, size).unwrap_or_else(|| panic!("{path} of {size} entries"));
        seen.push(format!("{:?}", reader.ledger_file(file).unwrap()));
    }
    seen.extend(lists(reader));
    seen.extend(searches(reader, size));
    let stretch = reader.export(&ExportFilter::default(), &(0..size)).unwrap();
    seen.push(format!("{stretch:?}"));
    seen
}

fn lists(reader: &Reader) -> Vec<String> {
    let mut seen = Vec::new();
    for state in [None, Some(0), Some(1), Some(2)] {
        for user in [None, Some(ALICE), Some(BOB)] {
            let requests = RequestFilter { state, requester: user };
            seen.extend(pages(|before| reader.requests(requests, before, 7).unwrap()));
            let authorizations = AuthorizationFilter { state, holder: user };
            seen.extend(pages(|before| reader.authorizations(authorizations, before, 7).unwrap()));
            let executions = ExecutionFilter { running: state.map(|state| state == 0), user };
            seen.extend(pages(|before| reader.executions(executions, before, 7).unwrap()));
        }
    }
    seen.push(format!("{:?}", reader.request(RequestId::new(3)).unwrap()));
    seen.push(format!("{:?}", reader.story(RequestId::new(3), 100).unwrap()));
    seen.push(format!("{:?}", reader.request(RequestId::new(9_999)).unwrap()));
    seen
}

fn searches(reader: &Reader, size: u64) -> Vec<String> {
    let all = EntryFilter::default;
    let of_kind = |kind: &str| EntryFilter { kind: Some(kind.to_owned()), ..all() };
    let of_text = |text: &str| EntryFilter { text: Some(Words::parse(text).unwrap()), ..all() };
    let middle = reader.entry(size / 2).unwrap().unwrap().entry.time;
    let filters = [
        all(),
        of_kind("request.submitted"),
        of_kind("request.*"),
        of_kind("nothing.at-all"),
        of_text("disk"),
        of_text("disk full"),
        of_text("nowhere"),
        EntryFilter { actor: Some("usr-2".to_owned()), ..all() },
        EntryFilter { request: Some(RequestId::new(5)), ..all() },
        EntryFilter { task: Some("linux/TASK-1".to_owned()), ..all() },
        EntryFilter { outcome: Some("approved".to_owned()), actor: Some("usr-2".to_owned()), ..all() },
        EntryFilter { since: Some(middle), ..of_kind("request.decided") },
        EntryFilter { until: Some(middle), ..of_text("go") },
    ];
    filters.iter().flat_map(|filter| pages(|before| reader.entries(filter, before, 9).unwrap())).collect()
}

/// All pages of something, each as text.
fn pages<T: std::fmt::Debug>(page: impl Fn(Option<u64>) -> Page<T>) -> Vec<String> {
    let (mut seen, mut before) = (Vec::new(), None);
    loop {
        let Page { items, next } = page(before);
        seen.push(format!("{items:?}, next {next:?}"));
        match next {
            Some(next) => before = Some(next),
            None => return seen,
        }
    }
}

#[track_caller]
fn assert_same(one: &[String], other: &[String]) {
    for (place, (one, other)) in one.iter().zip(other).enumerate() {
        assert_eq!(one, other, "at {place}");
    }
    assert_eq!(one.len(), other.len());
}

/// Plays the same on both, and holds one against the other.
fn both<T: PartialEq + std::fmt::Debug>(
    cluster: &Cluster,
    name: &str,
    play: impl Fn(&DatabasePlace, &std::path::Path) -> T,
) -> T {
    let folder = tempfile::tempdir().unwrap();
    let (here, there) = (folder.path().join("here"), folder.path().join("there"));
    let one = play(&DatabasePlace::Folder, &here);
    let other = play(&cluster.database(name), &there);
    assert_eq!(one, other, "{name}");
    one
}

#[test]
fn both_engines_do_the_same() {
    let cluster = Cluster::start();
    whatever_happened_reads_the_same_also_after_a_restart(&cluster);
    what_is_beside_the_ledger_is_kept_alike(&cluster);
    several_servers_take_turns(&cluster);
    whoever_has_not_heard_cannot_append(&cluster);
    a_turn_keeps_others_waiting_until_it_ends(&cluster);
    a_newer_server_beside_this_one_says_whether_it_may_go_on(&cluster);
    an_address_that_gives_something_away_is_refused();
    erased_texts_are_gone_in_both(&cluster);
    archived_entries_leave_both_alike(&cluster);
    whoever_listens_hears_what_others_append(&cluster);
    what_runs_write_is_there_for_other_servers_piece_by_piece(&cluster);
    a_database_that_is_a_file_has_no_pieces();
    a_reader_finds_that_its_connection_ended(&cluster);
}

fn whatever_happened_reads_the_same_also_after_a_restart(cluster: &Cluster) {
    let folder = tempfile::tempdir().unwrap();
    let places = [DatabasePlace::Folder, cluster.database("history")];
    let told = places.clone().map(|place| {
        let path = folder.path().join(if place == DatabasePlace::Folder { "here" } else { "there" });
        let mut sample = Sample::organization_at(&place, &path);
        for _ in 0..STORIES {
            sample.story();
        }
        // Lists are gathered off the path of a reply, and written with a later batch.
        let reader = Reader::open_at(&place, sample.store.folder()).unwrap();
        sample.gather_lists(&reader);
        sample.story();
        let before = seen(&reader);
        drop((reader, sample));
        let sample = Sample::open_at(&place, &path).unwrap();
        let reader = Reader::open_at(&place, sample.store.folder()).unwrap();
        assert_same(&seen(&reader), &before);
        (before, sample.state)
    });
    let [(one, state), (other, other_state)] = told;
    assert_same(&one, &other);
    assert_eq!(state, other_state);
}

fn what_is_beside_the_ledger_is_kept_alike(cluster: &Cluster) {
    both(cluster, "beside", |place, path| {
        let mut sample = Sample::organization_at(place, path);
        let at = Timestamp::from_micros(77);
        let session = SessionRow { id: SessionId::new(9), hash: [3; 32], user: BOB, opened: at, seen: at };
        let kept =
            Idempotent { user: BOB, key: "once".into(), fingerprint: [1; 32], reply: "done".into(), at };
        let password = Credential { password: Some("$argon2id$…".into()), code: None };
        sample.beside(vec![
            SideWrite::Credential(ALICE, password),
            SideWrite::Code { user: ALICE, hash: [5; 32], expires: at },
            SideWrite::Code { user: BOB, hash: [6; 32], expires: at },
            SideWrite::OpenSession(session),
            SideWrite::TouchSession(SessionId::new(9), Timestamp::from_micros(78)),
            SideWrite::Idempotent(kept),
            SideWrite::SinkPosition { name: "siem".into(), position: 3 },
            SideWrite::SinkPosition { name: "siem".into(), position: 4 },
            SideWrite::Cosigned { size: 2, note: "one".into() },
            SideWrite::Cosigned { size: 2, note: "two".into() },
        ]);
        let reader = Reader::open_at(place, sample.store.folder()).unwrap();
        let before = format!(
            "{:?} {:?} {:?} {:?} {:?} {:?}",
            sample.store.credential(ALICE).unwrap(),
            sample.store.credential(BOB).unwrap(),
            sample.store.sessions().unwrap(),
            sample.store.idempotent(BOB, "once").unwrap(),
            reader.sink_position("siem").unwrap(),
            sample.store.cosigned().unwrap(),
        );
        sample.beside(vec![
            SideWrite::CloseSessionsOf(BOB),
            SideWrite::ForgetIdempotent(Timestamp::from_micros(100)),
        ]);
        assert!(sample.store.sessions().unwrap().is_empty());
        assert!(sample.store.idempotent(BOB, "once").unwrap().is_none());
        before
    });
}

/// The data folder of one more server: it has the key, as everybody who serves this ledger must.
fn one_more(first: &Path, second: &Path) {
    drop(DataFolder::claim(second).unwrap());
    for name in ["ledger.key", "ledger.vkey"] {
        std::fs::copy(first.join(name), second.join(name)).unwrap();
    }
}

fn several_servers_take_turns(cluster: &Cluster) {
    let folder = tempfile::tempdir().unwrap();
    let (one, two) = (folder.path().join("one"), folder.path().join("two"));
    let place = cluster.database("turns");
    let mut first = Sample::organization_at(&place, &one);
    one_more(&one, &two);
    let mut second = Sample::open_at(&place, &two).unwrap();
    assert_eq!((second.store.size(), &second.state), (first.store.size(), &first.state));
    for _ in 0..3 {
        first.story();
        assert!(second.catch_up() > 0, "it hears of all that the first did");
        assert_eq!(second.state, first.state);
        second.story();
        assert!(first.catch_up() > 0);
        assert_eq!(first.state, second.state);
    }
    assert_eq!(first.catch_up(), 0, "nothing is heard twice");
    let loaded = first.store.load().unwrap();
    assert_eq!(loaded, first.state, "what was heard adds up to what is stored");
}

fn whoever_has_not_heard_cannot_append(cluster: &Cluster) {
    let folder = tempfile::tempdir().unwrap();
    let (one, two) = (folder.path().join("one"), folder.path().join("two"));
    let place = cluster.database("not_heard");
    let mut first = Sample::organization_at(&place, &one);
    one_more(&one, &two);
    let mut second = Sample::open_at(&place, &two).unwrap();
    first.story();
    let size = first.store.size();
    let refused = second.ask().unwrap_err();
    assert!(matches!(refused, StoreError::Moved), "{refused}");
    assert_eq!(first.store.load().unwrap(), first.state, "nothing of it was written");
    assert_eq!(Reader::open_at(&place, first.store.folder()).unwrap().size().unwrap(), size);
}

fn a_turn_keeps_others_waiting_until_it_ends(cluster: &Cluster) {
    let folder = tempfile::tempdir().unwrap();
    let (one, two) = (folder.path().join("one"), folder.path().join("two"));
    let place = cluster.database("waiting");
    let mut first = Sample::organization_at(&place, &one);
    one_more(&one, &two);
    let mut second = Sample::open_at(&place, &two).unwrap();
    let known = first.store.size();
    assert!(first.store.begin_turn().unwrap().is_none());
    let waiting = std::thread::spawn(move || {
        let tail = second.store.begin_turn().unwrap();
        let heard = second.take_over(tail);
        second.ask().unwrap();
        (heard, second)
    });
    first.ask().unwrap();
    let (heard, mut second) = waiting.join().unwrap();
    assert!(heard > 0, "it waited, and then heard of it");
    assert!(first.store.size() > known);
    assert!(first.catch_up() > 0);
    assert_eq!(first.state, second.state);
    second.store.begin_turn().unwrap();
    second.store.end_turn();
    first.story();
}

fn a_newer_server_beside_this_one_says_whether_it_may_go_on(cluster: &Cluster) {
    let folder = tempfile::tempdir().unwrap();
    let (one, two) = (folder.path().join("one"), folder.path().join("two"));
    let place = cluster.database("newer");
    let mut first = Sample::organization_at(&place, &one);
    one_more(&one, &two);
    let sql = |statement: &str| cluster.sql("newer", statement);
    sql("UPDATE schema_version SET version = version + 1");
    let mut second = Sample::open_at(&place, &two).unwrap();
    second.story();
    sql("UPDATE schema_version SET since = version");
    drop(second);
    let refused = Sample::open_at(&place, &two).err().map(|error| error.to_string()).unwrap_or_default();
    assert!(refused.contains("newer Brevet"), "{refused}");
    assert!(first.catch_up() > 0, "whoever is there goes on");
    first.story();
    sql("UPDATE schema_version SET version = version - 1, since = version - 1");
    let mut second = Sample::open_at(&place, &two).unwrap();
    first.story();
    sql(
        "UPDATE entry SET bytes = overlay(bytes placing 'execution.finishem' from position('execution.finished' in bytes)) \
         WHERE seq = (SELECT max(seq) FROM entry)",
    );
    sql("UPDATE entry SET leaf = sha256('\\x00'::bytea || bytes) WHERE seq = (SELECT max(seq) FROM entry)");
    let said = second.store.look().unwrap_err();
    assert!(matches!(&said, StoreError::NewerEntry { kind } if kind == "execution.finishem"), "{said}");
}

fn an_address_that_gives_something_away_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    for (address, why) in [
        ("postgresql://brevet:secret@localhost/brevet", "database.password_file"),
        ("postgresql://brevet@db.example.org/brevet", "not encrypted"),
        ("postgresql:///brevet", "not encrypted"),
        ("mysql://brevet@localhost/brevet", "looks like postgresql://"),
    ] {
        let place = DatabasePlace::postgres(address.to_owned());
        let refused = Reader::open_at(&place, &DataFolder::claim(&folder.path().join("data")).unwrap())
            .unwrap_err()
            .to_string();
        assert!(refused.contains(why) && !refused.contains("secret"), "{address}: {refused}");
    }
}

fn erased_texts_are_gone_in_both(cluster: &Cluster) {
    both(cluster, "erased", |place, path| {
        let mut sample = Sample::organization_at(place, path);
        for _ in 0..5 {
            sample.story();
        }
        sample.beside(vec![SideWrite::EraseTexts(BOB)]);
        let reader = Reader::open_at(place, sample.store.folder()).unwrap();
        while let Some(user) = reader.erasing().unwrap().first().copied() {
            sample.beside(vec![SideWrite::EraseMore { user, entries: 2 }]);
        }
        let texts = |stored: StoredEntry| {
            let texts = stored.entry.event.texts().into_iter().map(|text| text.as_str().map(str::to_owned));
            texts.collect::<Vec<_>>()
        };
        let left: Vec<_> =
            (0..reader.size().unwrap()).map(|index| texts(reader.entry(index).unwrap().unwrap())).collect();
        assert!(left.iter().flatten().any(Option::is_none), "something was erased");
        let words = EntryFilter { text: Some(Words::parse("disk").unwrap()), ..EntryFilter::default() };
        assert!(reader.entries(&words, None, 9).unwrap().items.is_empty(), "no word of it is found");
        format!("{left:?}")
    });
}

fn archived_entries_leave_both_alike(cluster: &Cluster) {
    both(cluster, "archived", |place, path| {
        let mut sample = Sample::organization_at(place, path);
        for _ in 0..STORIES {
            sample.story();
        }
        let reader = Reader::open_at(place, sample.store.folder()).unwrap();
        sample.gather_lists(&reader);
        let file = ArchiveFile {
            first: 0,
            size: 100,
            name: "old".to_owned(),
            digest: [9; 32],
            pruned: 0,
            has_lists: false,
        };
        sample.beside(vec![SideWrite::Archive(file)]);
        let is_left = |file: &ArchiveFile| file.pruned < file.size || file.has_lists;
        let mut seen = Vec::new();
        while reader.archive_files().unwrap().iter().any(is_left) {
            sample.beside(vec![SideWrite::Prune { size: 100, at_once: 30 }]);
            seen.push(format!("{:?}", reader.archive_files().unwrap()));
        }
        let disk = EntryFilter { text: Some(Words::parse("disk").unwrap()), ..EntryFilter::default() };
        seen.extend(pages(|before| reader.entries(&disk, before, 9).unwrap()));
        seen
    });
}

fn whoever_listens_hears_what_others_append(cluster: &Cluster) {
    assert!(DatabasePlace::Folder.listen().unwrap().is_none(), "nobody else can append");
    let folder = tempfile::tempdir().unwrap();
    let place = cluster.database("listened");
    let mut sample = Sample::organization_at(&place, &folder.path().join("data"));
    let mut bell = place.listen().unwrap().unwrap();
    assert!(!bell.wait(Duration::ZERO).unwrap(), "what was before is not heard");
    sample.story();
    assert!(bell.wait(LONG).unwrap());
    sample.story();
    bell.check().unwrap();
    assert!(bell.wait(Duration::ZERO).unwrap(), "what is said meanwhile is not missed");
    assert!(!bell.wait(Duration::ZERO).unwrap(), "several words are one");
    sample.beside(vec![SideWrite::SinkPosition { name: "siem".into(), position: 3 }]);
    bell.check().unwrap();
    assert!(!bell.wait(Duration::ZERO).unwrap(), "nothing was appended");
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| bell.wait(LONG).unwrap());
        sample.story();
        assert!(waiting.join().unwrap(), "also while one waits");
    });
}

fn what_runs_write_is_there_for_other_servers_piece_by_piece(cluster: &Cluster) {
    let folder = tempfile::tempdir().unwrap();
    let place = cluster.database("recordings");
    let mut sample = Sample::organization_at(&place, &folder.path().join("data"));
    sample.story();
    let over = ExecutionId::new(1);
    let reader = Reader::open_at(&place, sample.store.folder()).unwrap();
    let recordings = Recordings::open(&place).unwrap().unwrap();
    let long = vec![7; PIECE_BYTES_MAX];
    for (at, piece) in [(0, &b"\0\xff"[..]), (2, &long), (u64::from(u32::MAX) + 9, b"far")] {
        recordings.put(over, at, piece).unwrap();
        recordings.put(over, at, piece).expect("whoever had no answer asks again");
        let expected = Recorded { piece: Some(piece.to_vec()), is_over: true };
        assert_eq!(reader.recorded(over, at).unwrap(), expected, "{at}");
    }
    for (at, piece) in [(0, &b"other"[..]), (1, &[long, vec![0]].concat())] {
        let refused = recordings.put(over, at, piece);
        assert!(matches!(refused, Err(StoreError::Piece(_))), "{at}: {refused:?}");
    }
    let nothing = Recorded { piece: None, is_over: true };
    assert_eq!(reader.recorded(over, 1).unwrap(), nothing, "no piece begins there");
    assert_eq!(reader.recorded(ExecutionId::new(99), 0).unwrap(), nothing, "there is no such run");
    sample.grant();
    let running = sample.run();
    assert_eq!(reader.recorded(running, 0).unwrap(), Recorded { piece: None, is_over: false });
}

fn a_database_that_is_a_file_has_no_pieces() {
    let folder = tempfile::tempdir().unwrap();
    assert!(Recordings::open(&DatabasePlace::Folder).unwrap().is_none());
    let mut sample = Sample::organization(&folder.path().join("data"));
    sample.grant();
    let running = sample.run();
    let reader = Reader::open(sample.store.folder()).unwrap();
    assert_eq!(reader.recorded(running, 0).unwrap(), Recorded { piece: None, is_over: false });
}

/// Comes last: it starts the database again.
fn a_reader_finds_that_its_connection_ended(cluster: &Cluster) {
    let folder = tempfile::tempdir().unwrap();
    let place = cluster.database("restarted");
    drop(Sample::organization_at(&place, &folder.path().join("data")));
    let data = DataFolder::visit(&folder.path().join("data")).unwrap();
    let (reader, on_file) =
        (Reader::open_at(&place, &data).unwrap(), Sample::organization(&folder.path().join("file")));
    assert!(!reader.has_ended());
    cluster.stop("immediate");
    cluster.run_on("-c listen_addresses=''");
    assert!(reader.has_ended(), "before it is asked anything");
    assert!(!Reader::open_again(&place).unwrap().has_ended());
    assert!(!Reader::open(on_file.store.folder()).unwrap().has_ended(), "a file stays");
}
