//! The two databases that a test is played on, and a home for a store on either.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use brevet_store::{DataFolder, DatabasePlace, Reader, StoreError, move_ledger, verify_folder};
use tempfile::TempDir;

use crate::cluster::Cluster;
use crate::sample::Sample;

/// Ends every connection to this database, and waits until they are gone.
pub(crate) const END_ALL: &str =
    "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = current_database()
    AND pid <> pg_backend_pid() AND backend_type = 'client backend'";

/// What a test is played on.
pub(crate) enum Engine {
    /// SQLite, in the data folder.
    Folder,
    /// A PostgreSQL of the test's own.
    Postgres(Cluster),
}

/// A data folder and a database, for one ledger.
pub(crate) struct Home<'e> {
    folder: TempDir,
    pub(crate) place: DatabasePlace,
    /// Where it is PostgreSQL: the server, and the name of the database.
    pub(crate) elsewhere: Option<(&'e Cluster, String)>,
}

impl Engine {
    /// A home in which there is no ledger yet.
    pub(crate) fn home(&self) -> Home<'_> {
        static HOMES: AtomicUsize = AtomicUsize::new(0);
        let folder = tempfile::tempdir().unwrap();
        match self {
            Self::Folder => Home { folder, place: DatabasePlace::Folder, elsewhere: None },
            Self::Postgres(cluster) => {
                let name = format!("home_{}", HOMES.fetch_add(1, Ordering::Relaxed));
                let place = cluster.database(&name);
                Home { folder, place, elsewhere: Some((cluster, name)) }
            }
        }
    }
}

impl Home<'_> {
    /// The data folder.
    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// The sample organization, founded.
    pub(crate) fn organization(&self) -> Sample {
        Sample::organization_at(&self.place, &self.path())
    }

    /// The same, opened again.
    pub(crate) fn open(&self) -> Result<Sample, StoreError> {
        Sample::open_at(&self.place, &self.path())
    }

    /// One more server of the ledger, with a data folder of its own.
    pub(crate) fn open_beside(&self) -> Result<Sample, StoreError> {
        let beside = self.folder.path().join("beside");
        drop(DataFolder::claim(&beside)?);
        for name in ["ledger.key", "ledger.vkey"] {
            std::fs::copy(self.path().join(name), beside.join(name)).unwrap();
        }
        Sample::open_at(&self.place, &beside)
    }

    pub(crate) fn reader(&self) -> Reader {
        Reader::open_at(&self.place, &DataFolder::visit(&self.path()).unwrap()).unwrap()
    }

    /// Holds every row and every entry against the signed checkpoint, while nobody has the ledger open. What is on
    /// PostgreSQL is verified on its way into the folder, and once more there; it stays where it is.
    #[track_caller]
    pub(crate) fn assert_verifies(&self, size: u64) {
        if self.elsewhere.is_some() {
            // Who closed a connection does not wait until PostgreSQL has noticed.
            self.sql(END_ALL);
            let folder = DataFolder::claim(&self.path()).unwrap();
            move_ledger(&self.place, &DatabasePlace::Folder, &folder, &mut |_| ()).unwrap();
        }
        let report = verify_folder(&self.path(), None, &[], &|_, _| ()).unwrap();
        assert_eq!((report.ledger.size, report.signed_size), (size, Some(size)));
        if self.elsewhere.is_some() {
            std::fs::remove_file(self.path().join("brevet.db")).unwrap();
            self.sql("UPDATE schema_version SET version = -version");
        }
    }

    /// Says something to the database, past Brevet.
    #[track_caller]
    pub(crate) fn sql(&self, statement: &str) {
        match &self.elsewhere {
            None => in_file(&self.path(), statement),
            Some((cluster, name)) => cluster.sql(name, statement),
        }
    }
}

#[track_caller]
fn in_file(path: &Path, statement: &str) {
    rusqlite::Connection::open(path.join("brevet.db")).unwrap().execute_batch(statement).unwrap();
}

/// Makes of each function a test in a folder; and one test of all of them, one after the other, on one PostgreSQL, because
/// that takes longer to start than most of them.
macro_rules! on_both_engines {
    ($($test:ident,)+) => {
        mod in_a_folder {
            $(#[test] fn $test() { super::$test(&crate::engine::Engine::Folder); })+
        }

        #[test]
        fn on_postgresql() {
            let engine = crate::engine::Engine::Postgres(crate::cluster::Cluster::start());
            $(
                eprintln!("{}", stringify!($test));
                $test(&engine);
            )+
        }
    };
}
