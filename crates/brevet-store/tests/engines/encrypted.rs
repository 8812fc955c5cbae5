//! A database over the network: encrypted, and only with one that proves to be the host that was asked.

use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use brevet_store::{DataFolder, DatabasePlace, Reader, Standby, StoreError};

use crate::cluster::Cluster;
use crate::sample::Sample;

const PASSWORD: &str = "correct horse";

/// A server that speaks TLS on a loopback address, with a certificate for `localhost` alone.
struct Encrypted {
    cluster: Cluster,
    port: u16,
    /// Of this process, not the server's.
    own: tempfile::TempDir,
}

impl Encrypted {
    fn start(name: &str) -> Self {
        Self::start_with(name, "rsa:2048", "-sha256")
    }

    fn start_with(name: &str, key: &str, signature: &str) -> Self {
        let (cluster, own) = (Cluster::in_a_folder(), tempfile::tempdir().unwrap());
        let data = cluster.folder().join("data");
        cluster.run(
            "initdb",
            &[
                "--pgdata",
                &data.display().to_string(),
                "--username",
                "postgres",
                "--auth",
                "trust",
                "--no-sync",
            ],
        );
        authority(own.path(), "authority", key);
        certificate(own.path(), key, signature);
        for file in ["server.key", "server.pem"] {
            let place = data.join(file);
            std::fs::copy(own.path().join(file), &place).unwrap();
            std::fs::set_permissions(&place, PermissionsExt::from_mode(0o600)).unwrap();
            cluster.give(&place);
        }
        let rules = "local all all trust\nhostssl all all 127.0.0.1/32 scram-sha-256\n";
        std::fs::write(data.join("pg_hba.conf"), rules).unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        cluster.run_on(&format!(
            "-c listen_addresses=127.0.0.1 -c port={port} -c ssl=on -c ssl_cert_file=server.pem \
             -c ssl_key_file=server.key"
        ));
        let socket = cluster.folder().display().to_string();
        let port_text = port.to_string();
        let at = ["--host", &socket, "--port", &port_text, "--username", "postgres"];
        let set = format!("ALTER USER postgres PASSWORD '{PASSWORD}'");
        cluster.run("psql", &[&at[..], &["--command", &set, "postgres"]].concat());
        cluster.run("createdb", &[&at[..], &["--template", "template0", name]].concat());
        let password = own.path().join("password");
        std::fs::write(&password, format!("{PASSWORD}\n")).unwrap();
        std::fs::set_permissions(&password, PermissionsExt::from_mode(0o600)).unwrap();
        Self { cluster, port, own }
    }

    fn at(&self, host: &str, rest: &str, authority: Option<&str>) -> DatabasePlace {
        DatabasePlace::Postgres {
            address: format!("postgresql://postgres@{host}:{}/{rest}", self.port),
            password: Some(self.own.path().join("password")),
            authority: authority.map(|name| self.own.path().join(name)),
            standby: Standby::Unasked,
        }
    }
}

fn refused(place: &DatabasePlace) -> String {
    let folder = tempfile::tempdir().unwrap();
    let folder = DataFolder::claim(&folder.path().join("data")).unwrap();
    let error: StoreError = Reader::open_at(place, &folder).unwrap_err();
    error.to_string()
}

#[test]
fn a_database_on_the_network_proves_who_it_is() {
    for (key, signature) in
        [("rsa:2048", "-sha256"), ("rsa:2048", "-sha384"), ("ec -pkeyopt ec_paramgen_curve:P-256", "-sha512")]
    {
        let server = Encrypted::start_with("brevet", key, signature);
        let folder = tempfile::tempdir().unwrap();
        // Passwords are bound to the certificate.
        let place = server.at(
            "localhost",
            "brevet?channel_binding=require&sslmode=verify-full",
            Some("authority.pem"),
        );
        let mut sample = Sample::organization_at(&place, &folder.path().join("data"));
        sample.story();
    }
}

#[test]
fn a_database_that_does_not_prove_who_it_is_is_refused() {
    let server = Encrypted::start("brevet");
    authority(server.own.path(), "other", "rsa:2048");
    std::fs::write(server.own.path().join("empty.pem"), "").unwrap();
    for (host, mode, authority, wanted) in [
        ("localhost", "verify-full", "other.pem", "name the authority that signed"),
        ("localhost", "require", "other.pem", "name the authority that signed"),
        ("127.0.0.1", "verify-full", "authority.pem", "for another host"),
        ("127.0.0.1", "verify-ca", "authority.pem", "for another host"),
        ("localhost", "prefer", "authority.pem", "nothing in between"),
        ("localhost", "disable", "authority.pem", "nothing is encrypted"),
        ("localhost", "require", "nowhere.pem", "nowhere.pem"),
        ("localhost", "require", "empty.pem", "there is no certificate"),
    ] {
        let said = refused(&server.at(host, &format!("brevet?sslmode={mode}"), Some(authority)));
        assert!(said.contains(wanted) && !said.contains(PASSWORD), "{host} {mode} {authority}: {said}");
    }
    let said = refused(&server.at("localhost", "brevet?sslmode=verify-full", None));
    assert!(said.contains("name the authority that signed"), "the system does not trust it: {said}");
    let said = refused(&server.at("localhost", "brevet", None));
    assert!(said.contains("pg_hba.conf"), "and it does not take what is not encrypted: {said}");
}

#[test]
fn nobody_talks_brevet_out_of_encryption() {
    let server = Encrypted::start("brevet");
    let data = server.cluster.folder().join("data").display().to_string();
    server.cluster.run("pg_ctl", &["--pgdata", &data, "--wait", "stop"]);
    std::fs::write(server.cluster.folder().join("data/pg_hba.conf"), "host all all 127.0.0.1/32 trust\n")
        .unwrap();
    server.cluster.run_on(&format!("-c listen_addresses=127.0.0.1 -c port={} -c ssl=off", server.port));
    for mode in ["require", "verify-ca", "verify-full"] {
        let said = refused(&server.at("localhost", &format!("brevet?sslmode={mode}"), Some("authority.pem")));
        assert!(said.contains("server does not support TLS"), "{mode}: {said}");
    }
}

fn authority(folder: &Path, name: &str, key: &str) {
    openssl(
        folder,
        &format!(
            "req -x509 -newkey {key} -nodes -keyout {name}.key -out {name}.pem -days 30 -subj /CN={name} \
             -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign"
        ),
    );
}

fn certificate(folder: &Path, key: &str, signature: &str) {
    std::fs::write(folder.join("names"), "subjectAltName=DNS:localhost\n").unwrap();
    let request =
        format!("req -newkey {key} -nodes -keyout server.key -out server.request -subj /CN=database");
    openssl(folder, &request);
    openssl(
        folder,
        &format!(
            "x509 -req -in server.request -CA authority.pem -CAkey authority.key -CAcreateserial -days 30 \
             -extfile names {signature} -out server.pem"
        ),
    );
}

fn openssl(folder: &Path, arguments: &str) {
    let path: PathBuf = folder.to_owned();
    let done = Command::new("openssl").args(arguments.split(' ')).current_dir(path).output().unwrap();
    assert!(done.status.success(), "{arguments}: {}", String::from_utf8_lossy(&done.stderr));
}
