//! A PostgreSQL server of the test's own, in a folder of its own, which nobody reaches but through a socket in it.

use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use brevet_store::DatabasePlace;
use tempfile::TempDir;

/// The user that it runs as where the tests run as root, which PostgreSQL refuses to.
const USER: &str = "postgres";

/// A server that ends with this value.
pub(crate) struct Cluster {
    folder: TempDir,
    programs: PathBuf,
}

impl Cluster {
    pub(crate) fn start() -> Self {
        let cluster = Self::in_a_folder();
        let data = cluster.data();
        cluster.run("initdb", &["--pgdata", &data, "--username", USER, "--auth", "trust", "--no-sync"]);
        cluster.run_on("-c listen_addresses=''");
        cluster
    }

    /// One that has no data yet.
    pub(crate) fn in_a_folder() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let cluster = Self { folder, programs: programs() };
        cluster.give(cluster.folder.path());
        std::fs::set_permissions(cluster.folder.path(), PermissionsExt::from_mode(0o700)).unwrap();
        cluster
    }

    /// Gives a file to the user that the server runs as.
    pub(crate) fn give(&self, path: &Path) {
        if rustix::process::geteuid().is_root() {
            chown(path, Some(id("-u")), Some(id("-g"))).unwrap();
        }
    }

    /// Starts the server with options of its own.
    pub(crate) fn run_on(&self, options: &str) {
        let (data, socket) = (self.data(), self.folder().display());
        let options = format!("{options} -c unix_socket_directories='{socket}' -c max_connections=40");
        let log = format!("{socket}/log");
        self.run("pg_ctl", &["--pgdata", &data, "--log", &log, "--options", &options, "--wait", "start"]);
    }

    /// Stops the server so (`fast`, or `immediate` as in a crash); [`Cluster::run_on`] starts it again.
    pub(crate) fn stop(&self, how: &str) {
        self.run("pg_ctl", &["--pgdata", &self.data(), "--mode", how, "--wait", "stop"]);
    }

    /// A standby of this server, which is attached to it at any moment.
    pub(crate) fn attach_standby(&self) -> Self {
        let standby = Self::in_a_folder();
        let (socket, data) = (self.folder().display().to_string(), standby.data());
        let (whence, how) = (["--host", &socket, "--username", USER], ["--checkpoint", "fast", "--no-sync"]);
        let arguments = [&["--pgdata", &data, "--write-recovery-conf"][..], &whence, &how].concat();
        standby.run("pg_basebackup", &arguments);
        standby.run_on("-c listen_addresses=''");
        standby
    }

    /// Makes a standby the one that takes writes.
    pub(crate) fn promote(&self) {
        self.run("pg_ctl", &["--pgdata", &self.data(), "--wait", "promote"]);
    }

    /// The folder that everything is in: the data in `data`, the socket in itself.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    fn data(&self) -> String {
        self.folder().join("data").display().to_string()
    }

    /// A new database.
    pub(crate) fn database(&self, name: &str) -> DatabasePlace {
        let socket = self.folder.path().display().to_string();
        self.run("createdb", &["--host", &socket, "--username", USER, "--template", "template0", name]);
        let host = socket.replace('/', "%2F");
        DatabasePlace::postgres(format!("postgresql://{USER}@{host}/{name}"))
    }

    /// Says something to a database of this server.
    #[track_caller]
    pub(crate) fn sql(&self, database: &str, statement: &str) {
        let socket = self.folder().display().to_string();
        let how = ["--host", &socket, "--username", USER, "--no-psqlrc", "--quiet"];
        self.run("psql", &[&how[..], &["--command", statement, database]].concat());
    }

    #[track_caller]
    pub(crate) fn run(&self, program: &str, arguments: &[&str]) {
        let Output { status, stdout, stderr } = self.command(program).args(arguments).output().unwrap();
        let said = [stdout, stderr].concat();
        assert!(status.success(), "{program}: {}", String::from_utf8_lossy(&said));
    }

    fn command(&self, program: &str) -> Command {
        let program = self.programs.join(program);
        let mut command = if rustix::process::geteuid().is_root() {
            let mut command = Command::new("setpriv");
            command.args(["--reuid", USER, "--regid", USER, "--init-groups"]).arg(program);
            command
        } else {
            Command::new(program)
        };
        // Who starts a server may stand in a folder that the server must not see.
        command.current_dir(self.folder.path());
        command
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let data = self.data();
        drop(
            self.command("pg_ctl")
                .args(["--pgdata", &data, "--mode", "immediate", "--wait", "stop"])
                .output(),
        );
    }
}

/// Where the newest version's programs are.
fn programs() -> PathBuf {
    let versions = std::fs::read_dir("/usr/lib/postgresql").expect("PostgreSQL is installed");
    let mut versions: Vec<PathBuf> = versions.map(|entry| entry.unwrap().path().join("bin")).collect();
    versions.retain(|path| path.join("initdb").exists());
    let number = |path: &Path| -> u32 {
        let name = path.parent().and_then(Path::file_name).and_then(|name| name.to_str());
        name.and_then(|name| name.parse().ok()).unwrap_or(0)
    };
    versions.into_iter().max_by_key(|path| number(path)).expect("initdb is there")
}

fn id(what: &str) -> u32 {
    let said = Command::new("id").args([what, USER]).output().unwrap().stdout;
    String::from_utf8(said).unwrap().trim().parse().expect("there is a user for PostgreSQL")
}
