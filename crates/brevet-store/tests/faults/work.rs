//! A batch that writes to every table, and everything that a reader and a store can see.

use brevet_core::{
    Change, Command, Entry, Origin, Parameters, QualifiedName, Reply, RunOrder, Secrets, ServerId, SessionId,
    Span, State, Text, Timestamp, Verdict, transact,
};
use brevet_ledger::Salt;
use brevet_store::{
    Appended, ArchiveFile, AuthorizationFilter, Batch, Credential, EntryFilter, ExecutionFilter, Idempotent,
    Reader, RequestFilter, SessionRow, SideWrite, StoreError, Words,
};

use crate::engine::Home;
use crate::sample::{ADMIN, ALICE, BOB, Sample, request, user};

/// Which of several servers the first one is.
pub(crate) const FIRST: ServerId = ServerId::new(1);

/// What is appended together.
pub(crate) struct Work {
    entries: Vec<Entry>,
    changes: Vec<Change>,
    state: State,
    side: Vec<SideWrite>,
    /// Where the salts of its texts begin: the same bytes each time that it is tried.
    salts: u64,
}

impl Work {
    /// Work that is only beside the ledger.
    pub(crate) fn beside(sample: &Sample, side: Vec<SideWrite>) -> Self {
        let (state, salts) = (sample.state.clone(), sample.salts);
        Self { entries: Vec::new(), changes: Vec::new(), state, side, salts }
    }

    pub(crate) fn of(sample: &Sample, commands: Vec<(Origin, Command)>, side: Vec<SideWrite>) -> Self {
        let mut work = Self::beside(sample, side);
        for (origin, command) in commands {
            work.does(sample.now, origin, command);
        }
        work
    }

    fn does(&mut self, now: Timestamp, origin: Origin, command: Command) -> Reply {
        let passed = i64::try_from(self.entries.len()).unwrap() + 1;
        let outcome = transact(&mut self.state, now.plus(Span::seconds(passed)), origin, command).unwrap();
        self.entries.extend(outcome.entries);
        self.changes.extend(outcome.changes);
        outcome.reply
    }

    /// Entries with texts, all kinds of objects, and everything beside them that stays.
    pub(crate) fn of_everything(sample: &Sample, reader: &Reader) -> Self {
        let mut work = Self::beside(sample, Vec::new());
        let now = sample.now;
        work.does(now, by(ADMIN), Command::AddUser(user("carol")));
        let Reply::Request(asked) = work.does(now, by(BOB), Command::Submit(request("the disk is full")))
        else {
            panic!("no request")
        };
        let comment = Text::default();
        let decide = Command::Decide { request: asked, verdict: Verdict::Approve, duration: None, comment };
        work.does(now, by(ALICE), decide);
        let task = QualifiedName::parse("Linux/Task-1").unwrap();
        let run = RunOrder { task, parameters: Parameters::new(), secrets: Secrets::new() };
        work.does(now, by(BOB), Command::Run(run));
        let at = Timestamp::from_micros(90);
        let session =
            |id: u64, hash| SessionRow { id: SessionId::new(id), hash, user: BOB, opened: at, seen: at };
        let kept =
            Idempotent { user: ALICE, key: "new".into(), fingerprint: [2; 32], reply: "yes".into(), at };
        let gathered = reader.unlisted().unwrap().expect("there is something to list");
        work.side = vec![
            SideWrite::Lists(gathered),
            SideWrite::Credential(ALICE, Credential { password: Some("$argon2id$…".into()), code: None }),
            SideWrite::Code { user: BOB, hash: [6; 32], expires: at },
            SideWrite::OpenSession(session(21, [21; 32])),
            SideWrite::OpenSession(session(22, [22; 32])),
            SideWrite::TouchSession(SessionId::new(11), Timestamp::from_micros(91)),
            SideWrite::CloseSession(SessionId::new(12)),
            SideWrite::CloseUnused(SessionId::new(13), at),
            SideWrite::ForgetIdempotent(Timestamp::from_micros(80)),
            SideWrite::Idempotent(kept),
            SideWrite::SinkPosition { name: "siem".into(), position: 7 },
            SideWrite::Cosigned { size: 3, note: "two".into() },
            SideWrite::JoinServer(ServerId::new(2)),
        ];
        work
    }

    /// What is there already when that begins, so that there is something to change.
    pub(crate) fn before_everything(sample: &Sample) -> Self {
        let at = Timestamp::from_micros(70);
        let session = |id: u8| SessionRow {
            id: SessionId::new(u64::from(id)),
            hash: [id; 32],
            user: BOB,
            opened: at,
            seen: at,
        };
        let kept =
            Idempotent { user: BOB, key: "old".into(), fingerprint: [1; 32], reply: "done".into(), at };
        Self::beside(
            sample,
            vec![
                SideWrite::JoinServer(FIRST),
                SideWrite::OpenSession(session(11)),
                SideWrite::OpenSession(session(12)),
                SideWrite::OpenSession(session(13)),
                SideWrite::Idempotent(kept),
                SideWrite::SinkPosition { name: "siem".into(), position: 3 },
                SideWrite::Cosigned { size: 3, note: "one".into() },
            ],
        )
    }

    /// What makes things leave. It is no honest ledger afterwards: no entry says so.
    pub(crate) fn of_leaving(sample: &Sample) -> Self {
        let file = |size| ArchiveFile {
            first: 0,
            size,
            name: "old".to_owned(),
            digest: [9; 32],
            pruned: 0,
            has_lists: false,
        };
        Self::beside(
            sample,
            vec![
                SideWrite::EraseTexts(BOB),
                SideWrite::EraseMore { user: BOB, entries: 12 },
                SideWrite::Archive(file(10)),
                SideWrite::Prune { size: 10, at_once: 8 },
                SideWrite::CloseSessionsOf(BOB),
                SideWrite::LeaveServer(ServerId::new(2)),
            ],
        )
    }

    /// Its entries.
    pub(crate) fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Tries to append it; only then is it part of the sample.
    pub(crate) fn try_on(&self, sample: &mut Sample) -> Result<Appended, StoreError> {
        let mut salts = self.salts;
        let mut salt = || {
            salts += 1;
            let mut bytes = [1; Salt::BYTES];
            bytes[..8].copy_from_slice(&salts.to_be_bytes());
            Salt::from_bytes(bytes)
        };
        let Self { entries, changes, state, side, .. } = self;
        let appended = sample.store.append(&Batch { entries, changes, state, side }, &mut salt)?;
        self.happened(sample);
        Ok(appended)
    }

    /// Makes it part of the sample.
    pub(crate) fn happened(&self, sample: &mut Sample) {
        sample.state = self.state.clone();
        sample.state.forget(&self.changes);
        sample.now = sample.state.last().unwrap();
        sample.salts += 1_000;
    }
}

fn by(user: brevet_core::UserId) -> Origin {
    Origin::user(user, SessionId::new(1))
}

/// Everything that anybody can see of a ledger.
pub(crate) struct Seen {
    parts: Vec<String>,
    state: State,
}

impl Seen {
    /// Nothing is to be seen but this.
    #[track_caller]
    pub(crate) fn assert_unchanged(&self, home: &Home<'_>, sample: &mut Sample, after: &str) {
        let now = seen(home, sample);
        for (now, before) in now.parts.iter().zip(&self.parts) {
            assert_eq!(now, before, "after {after}");
        }
        assert!(now.state == self.state, "another state after {after}");
    }
}

/// Sees it.
pub(crate) fn seen(home: &Home<'_>, sample: &mut Sample) -> Seen {
    let reader = home.reader();
    let size = reader.size().unwrap();
    let disk = EntryFilter { text: Some(Words::parse("disk").unwrap()), ..EntryFilter::default() };
    let mut parts = vec![
        format!("{size} {} {}", reader.checkpoint().unwrap(), sample.store.checkpoint()),
        format!("unlisted: {}", reader.unlisted().unwrap().is_some()),
        format!("{:?}", reader.requests(RequestFilter::default(), None, 1_000).unwrap()),
        format!("{:?}", reader.authorizations(AuthorizationFilter::default(), None, 1_000).unwrap()),
        format!("{:?}", reader.executions(ExecutionFilter::default(), None, 1_000).unwrap()),
        format!("{:?}", [ADMIN, ALICE, BOB].map(|user| reader.credential(user).unwrap())),
        format!("{:?}", sample.store.sessions().unwrap()),
        format!(
            "{:?}",
            [(ALICE, "new"), (BOB, "old")].map(|(user, key)| reader.idempotent(user, key).unwrap())
        ),
        format!("{:?} {:?}", reader.sink_position("siem").unwrap(), sample.store.cosigned().unwrap()),
        format!("{:?} {:?}", reader.erasing().unwrap(), reader.archive_files().unwrap()),
    ];
    for at in [0, size / 2, size - 1] {
        parts.push(reader.receipt(at).unwrap().unwrap().proof);
    }
    for filter in [EntryFilter::default(), disk] {
        parts.push(format!("{:?}", reader.entries(&filter, None, 1_000).unwrap()));
    }
    Seen { parts, state: sample.store.load().unwrap() }
}
