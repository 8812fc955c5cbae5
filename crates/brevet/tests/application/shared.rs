//! Several servers on one PostgreSQL, in one process: what one of them leaves behind, and what nobody knows.

use std::time::Duration;

use brevet::app::{AppError, SESSION_IDLE};
use brevet::world::World as _;
use brevet_core::{Command, Origin, Span, UserId};
use brevet_store::{DatabasePlace, Reader};
use tempfile::TempDir;

use crate::cluster::Cluster;
use crate::house::{ADA, ALICE, BOB, House, origin, secret, user};
use crate::wire_cutter::{Cut, WireCutter};

const PASSWORD: &str = "correct horse battery";
/// Longer than anything takes.
const LONG: Duration = Duration::from_secs(30);

/// A PostgreSQL, and the folders of the servers on it.
struct Site {
    cluster: Cluster,
    folder: TempDir,
}

impl Site {
    fn new() -> (Self, DatabasePlace) {
        let cluster = Cluster::start();
        let place = cluster.database("brevet");
        (Self { cluster, folder: TempDir::new().unwrap() }, place)
    }

    fn data(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }

    /// One more server beside a house, on its clock.
    async fn beside(&self, first: &House, place: &DatabasePlace) -> House {
        let (from, to) = (self.data("one"), self.data("two"));
        drop(brevet_store::DataFolder::claim(&to).unwrap());
        for name in ["ledger.key", "ledger.vkey", "anchor"] {
            std::fs::copy(from.join(name), to.join(name)).unwrap();
        }
        House::open_at(place.clone(), &to, first.clock.clone()).await.unwrap()
    }
}

/// How many entries there are in the database.
async fn stored_size(house: &House) -> u64 {
    house.app.stored(Reader::size).await.unwrap()
}

/// Waits until something holds.
async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let held = async {
        while !holds().await {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(LONG, held).await.unwrap_or_else(|_| panic!("never: {what}"));
}

#[tokio::test(flavor = "multi_thread")]
async fn after_its_own_end_a_server_writes_nothing_more_whatever_is_due() {
    let (site, place) = Site::new();
    let house = House::found_at(place.clone(), &site.data("one")).await;
    house.ask(None).await;
    house.app.shut_down(LONG).await;
    let size = stored_size(&house).await;
    let last = house.app.stored(move |reader| reader.entry(size - 1)).await.unwrap().unwrap();
    assert_eq!(last.entry.event.kind().name, "server.stopped");
    house.clock.forward(Span::hours(25));
    // When the second is answered the first was worked off, with what was due.
    for _ in 0..2 {
        let refused = house.by(ADA, Command::DisableUser(BOB)).await;
        assert!(matches!(refused, Err(AppError::Stopping)), "{refused:?}");
    }
    assert_eq!(stored_size(&house).await, size);
    // That is for those who come.
    let other = site.beside(&house, &place).await;
    until("the request expires", async || other.app.read(|state| state.requests().count()) == 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_arrives_together_with_the_end_of_its_server_is_not_done() {
    let (site, place) = Site::new();
    let house = House::found_at(place, &site.data("one")).await;
    let stop = house.app.command(Origin::SYSTEM, Command::StopServer, None);
    let adds = ["carol", "dora", "emil"].map(|name| house.by(ADA, Command::AddUser(user(name))));
    let [carol, dora, emil] = adds;
    let (stopped, carol, dora, emil) = tokio::join!(stop, carol, dora, emil);
    for refused in [carol, dora, emil] {
        assert!(matches!(refused, Err(AppError::Stopping)), "{refused:?}");
    }
    assert_eq!(stored_size(&house).await, stopped.unwrap().position);
}

/// Somebody signs in.
async fn signs_in(house: &House, name: &str, who: UserId) -> String {
    let code = house.app.issue_code(origin(ADA), who, None).await.unwrap().code;
    let signed_in = house.app.enrol(name, code, secret(PASSWORD), "").await.unwrap();
    signed_in.token.reveal(str::to_owned)
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_that_a_server_leaves_behind_are_closed_by_the_one_that_leads() {
    let (site, place) = Site::new();
    let first = House::found_at(place.clone(), &site.data("one")).await;
    let second = site.beside(&first, &place).await;
    signs_in(&second, "bob", BOB).await;
    let alice = signs_in(&second, "alice", ALICE).await;
    let minutes = async |minutes| {
        first.clock.forward(Span::minutes(minutes));
        first.app.tend().await.unwrap();
        let now = first.clock.now();
        first.app.stored(move |reader| reader.has_unused_sessions(now.minus(SESSION_IDLE))).await.unwrap()
    };
    assert!(!minutes(10).await);
    second.app.session(&alice).await.unwrap();
    second.app.tend().await.unwrap();
    second.app.shut_down(LONG).await;
    drop(second);
    assert!(minutes(6).await, "another server may have kept it alive a moment ago");
    assert!(!minutes(2).await, "nobody has");
    let session = first.app.session(&alice).await.unwrap();
    assert_eq!(session.user, ALICE, "what was used is there");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_commit_that_cannot_be_looked_up_callers_hear_that_nobody_knows() {
    for (cut, kept) in [(Cut::Behind, 1), (Cut::Before, 0)] {
        let (site, _) = Site::new();
        let wire = WireCutter::before(site.cluster.folder());
        let host = wire.folder().display().to_string().replace('/', "%2F");
        let place = DatabasePlace::postgres(format!("postgresql://postgres@{host}/brevet"));
        let house = House::found_at(place, &site.data("one")).await;
        // The next commit is that of the command.
        until("the lists are written", async || house.app.stored(Reader::unlisted).await.unwrap().is_none())
            .await;
        let size = stored_size(&house).await;
        // Whoever connects again is refused, so that nothing can be looked up.
        site.cluster.sql("brevet", "UPDATE schema_version SET version = version + 1, since = version + 1");
        wire.arm(cut);
        let unknown = house.by(ADA, Command::AddUser(user("carol"))).await.unwrap_err();
        assert!(matches!(unknown, AppError::OutcomeUnknown { .. }), "{cut:?}: {unknown}");
        assert!(unknown.to_string().contains("nobody knows whether this was done"), "{unknown}");
        let refused = house.by(ADA, Command::AddUser(user("dora"))).await.unwrap_err();
        assert!(matches!(refused, AppError::LedgerUnavailable { .. }), "the server is at its end: {refused}");
        until("PostgreSQL has kept it or not", async || stored_size(&house).await == size + kept).await;
        assert_eq!(wire.cuts(), 1);
    }
}
