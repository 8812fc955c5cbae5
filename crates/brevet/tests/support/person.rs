//! People: each has an account, a token and settings of their own, and types commands.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};

use serde_json::{Value, json};

use super::http::Connection;
use super::place::Place;
use super::server::Server;
use super::{BREVET, PASSWORD};

/// Somebody with an account.
#[derive(Debug, Clone)]
pub(crate) struct Person {
    pub(crate) name: String,
    pub(crate) token: String,
    /// Where this person's own settings are.
    pub(crate) home: PathBuf,
}

/// What a command answered.
#[derive(Debug)]
pub(crate) struct Typed {
    pub(crate) code: i32,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: String,
}

impl Typed {
    pub(crate) fn of(output: Output) -> Self {
        let code = output.status.code().expect("brevet was killed");
        Self { code, stdout: output.stdout, stderr: String::from_utf8_lossy(&output.stderr).into_owned() }
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.stdout).unwrap_or_else(|error| panic!("{error} in {self:?}"))
    }
}

impl Person {
    /// Somebody of this name, without an account yet.
    pub(crate) fn named(place: &Place, name: &str) -> Self {
        let home = place.path().join("people").join(name);
        std::fs::DirBuilder::new().mode(0o700).recursive(true).create(&home).unwrap();
        Self { name: name.to_owned(), token: String::new(), home }
    }

    /// The command that this person types, before it is started.
    pub(crate) fn command(&self, server: &Server, words: &[&str]) -> Command {
        let mut command = Command::new(BREVET);
        command.args(words).env_clear().env("XDG_CONFIG_HOME", &self.home).env("BREVET_SERVER", server.url());
        if !self.token.is_empty() {
            command.env("BREVET_TOKEN", &self.token);
        }
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Types a command, to its end.
    pub(crate) fn run(&self, server: &Server, words: &[&str]) -> Typed {
        Typed::of(self.command(server, words).output().unwrap())
    }

    /// Types a line, and insists on its exit code.
    pub(crate) fn types(&self, server: &Server, line: &str, code: i32) -> Typed {
        let words = words(line);
        let typed = self.run(server, &words.iter().map(String::as_str).collect::<Vec<_>>());
        assert_eq!(typed.code, code, "{}$ brevet {line}\n{}{}", self.name, typed.text(), typed.stderr);
        typed
    }

    /// Types a line, and takes the answer as JSON.
    pub(crate) fn asks(&self, server: &Server, line: &str) -> Value {
        self.types(server, &format!("{line} -o json"), 0).json()
    }

    /// Types a line with something on its standard input.
    pub(crate) fn pipes(&self, server: &Server, line: &str, input: &[u8]) -> Typed {
        let words = words(line);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let mut child = self.command(server, &words).stdin(Stdio::piped()).spawn().unwrap();
        // Somebody who does not read their input is no failure of the pipe.
        drop(child.stdin.take().unwrap().write_all(input));
        Typed::of(child.wait_with_output().unwrap())
    }

    /// Types a line that goes on.
    pub(crate) fn begins(&self, server: &Server, line: &str) -> Child {
        let words = words(line);
        self.command(server, &words.iter().map(String::as_str).collect::<Vec<_>>()).spawn().unwrap()
    }

    pub(crate) fn connect(&self, server: &Server) -> Connection {
        server.connect(&self.token)
    }
}

/// Everybody with an account.
pub(crate) struct People(BTreeMap<String, Person>);

impl std::ops::Index<&str> for People {
    type Output = Person;

    fn index(&self, name: &str) -> &Person {
        &self.0[name]
    }
}

impl People {
    /// Sets the server up: Ada administers and audits; Alice and Anna are in `Approvers`, the default approver
    /// group; access control is on. `others` are anybody.
    pub(crate) fn found(server: &Server, place: &Place, others: &[&str]) -> Self {
        let mut people = Self(BTreeMap::new());
        let ada = json!({"code": server.setup_code(), "name": "ada", "password": PASSWORD});
        let mut anybody = server.connect("");
        let session = anybody.post("/api/v1/setup", &ada).unwrap().ok();
        people.insert(place, "ada", &session);
        for name in ["alice", "anna"].iter().chain(others) {
            people.add(server, place, json!({"name": name}));
        }
        people.add(server, place, json!({"name": "otto", "auditor": true}));
        let mut ada = people["ada"].connect(server);
        ada.post("/api/v1/groups", &json!({"name": "Approvers"})).unwrap().ok();
        for approver in ["alice", "anna"] {
            ada.post("/api/v1/groups/Approvers/members", &json!({"user": approver})).unwrap().ok();
        }
        ada.post("/api/v1/access-control/enable", &json!({"default_approver_group": "Approvers"}))
            .unwrap()
            .ok();
        people
    }

    /// Adds an account, which signs in.
    pub(crate) fn add(&mut self, server: &Server, place: &Place, account: Value) {
        let mut ada = self["ada"].connect(server);
        let name = account["name"].as_str().unwrap().to_owned();
        ada.post("/api/v1/users", &account).unwrap().ok();
        let code = ada.post(&format!("/api/v1/users/{name}/code"), &json!({})).unwrap().ok()["code"].clone();
        let sign_in = json!({"name": name, "password": PASSWORD, "code": code});
        let session = server.connect("").post("/api/v1/sessions", &sign_in).unwrap().ok();
        self.insert(place, &name, &session);
    }

    /// Everybody signs in with their password.
    pub(crate) fn sign_in_again(&mut self, server: &Server, place: &Place) {
        let names: Vec<String> = self.0.keys().cloned().collect();
        for name in names {
            let sign_in = json!({"name": name, "password": PASSWORD});
            let session = server.connect("").post("/api/v1/sessions", &sign_in).unwrap().ok();
            self.insert(place, &name, &session);
        }
    }

    fn insert(&mut self, place: &Place, name: &str, session: &Value) {
        let token = session["token"].as_str().unwrap().to_owned();
        self.0.insert(name.to_owned(), Person { token, ..Person::named(place, name) });
    }
}

/// Splits a line at spaces, keeping what is in double quotes together.
fn words(line: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut is_quoted = false;
    for c in line.chars() {
        match c {
            '"' => is_quoted = !is_quoted,
            ' ' if !is_quoted => words.push(String::new()),
            c => words.last_mut().unwrap().push(c),
        }
    }
    words.retain(|word| !word.is_empty());
    words
}
