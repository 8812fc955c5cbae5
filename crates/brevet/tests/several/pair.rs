//! Two servers on one database, and people who use both.

use std::os::unix::fs::DirBuilderExt as _;
use std::path::Path;

use brevet_store::DatabasePlace;

use crate::cluster::Cluster;
use crate::support::place::Place;
use crate::support::server::Server;
use crate::support::stage::Stage;

/// Both servers; the first is the stage's.
pub(crate) struct Pair {
    pub(crate) stage: Stage,
    pub(crate) second: Server,
    pub(crate) other: Place,
    // Ends last.
    pub(crate) cluster: Cluster,
}

impl Pair {
    /// Access control is on, and no policy covers anything yet.
    pub(crate) fn set(tasks: &str) -> Self {
        let cluster = Cluster::start();
        let DatabasePlace::Postgres { address, .. } = cluster.database("brevet") else { unreachable!() };
        Self::set_on(cluster, &address, tasks)
    }

    /// The same on a database at this address.
    pub(crate) fn set_on(cluster: Cluster, address: &str, tasks: &str) -> Self {
        Self::set_each(cluster, [address; 2], tasks)
    }

    /// The same where what is acknowledged must be on a standby too.
    pub(crate) fn set_with_standby(cluster: Cluster, address: &str, tasks: &str) -> Self {
        Self::set_each_with(cluster, [address; 2], "ha = true\n", tasks)
    }

    /// The same on a database that each of both reaches at an address of its own.
    pub(crate) fn set_each(cluster: Cluster, addresses: [&str; 2], tasks: &str) -> Self {
        Self::set_each_with(cluster, addresses, "", tasks)
    }

    /// The same with more of the settings, from those of the database on.
    pub(crate) fn set_each_with(cluster: Cluster, addresses: [&str; 2], settings: &str, tasks: &str) -> Self {
        let (place, other) = (Place::new(), Place::new());
        let tasks = tasks.replace("SITE", &place.path().join("site").display().to_string());
        for (place, address) in [&place, &other].into_iter().zip(addresses) {
            place.settings(&format!("[database]\nurl = \"{address}\"\n{settings}"));
            place.define("linux.toml", &tasks);
        }
        let stage = Stage::set_in(place, &tasks);
        join(&stage.place, &other);
        let second = Server::start(&other);
        Self { stage, second, other, cluster }
    }

    /// One of both: 0 is the first.
    pub(crate) fn server(&self, number: usize) -> &Server {
        if number.is_multiple_of(2) { &self.stage.server } else { &self.second }
    }

    /// What the database holds is exported, and verified without any of the servers' code that reads it.
    pub(crate) fn verifies(&self) {
        let export = self.stage.place.site("export.jsonl");
        let otto = self.stage.person("otto");
        otto.types(&self.stage.server, &format!("audit export --out {}", export.display()), 0);
        let line = format!("audit verify --export {} -o json", export.display());
        assert_eq!(otto.types(&self.stage.server, &line, 0).json()["verified"], true);
    }
}

/// Whoever serves a ledger has its key, and an anchor of its own that begins where another one is.
pub(crate) fn join(from: &Place, to: &Place) {
    std::fs::DirBuilder::new().mode(0o700).create(to.data()).unwrap();
    for name in ["ledger.key", "ledger.vkey", "anchor"] {
        copy(&from.data().join(name), &to.data().join(name));
    }
}

fn copy(from: &Path, to: &Path) {
    std::fs::copy(from, to).unwrap();
}
