//! A server, its tasks, and people: Ada administers, Alice and Anna approve, Bob and Carol ask, Otto audits.

use serde_json::Value;

use super::person::{People, Person};
use super::place::Place;
use super::server::Server;

/// The tasks; `SITE` is a folder where they leave traces.
pub(crate) const TASKS: &str = r#"
[workload]
name = "Linux"
kind = "command"

[[task]]
name = "Say"
description = "Says something"
run = ["PRINTF", "%s\\n", "{text}", "{aside}"]
timeout = "10s"

[task.parameters.text]
type = "string"

[task.parameters.aside]
type = "string"
required = false

[[task]]
name = "Exit"
description = "Ends with a code"
run = ["SH", "-c", "exit \"$1\"", "sh", "{code}"]
timeout = "10s"

[task.parameters.code]
type = "integer"

[[task]]
name = "Linger"
description = "Stays, and so does its child"
run = ["SH", "-c", "sleep 300 & echo started; wait", "SITE/linger"]
timeout = "10m"

[[task]]
name = "Finish"
description = "May finish after its window"
run = ["SH", "-c", "echo started; while [ ! -e SITE/go ]; do sleep 0.05; done; echo finished", "sh"]
timeout = "60s"
on_expiry = "finish"

[[task]]
name = "Slow"
description = "Takes longer than it may"
run = ["SH", "-c", "sleep 300", "SITE/slow"]
timeout = "1s"

[[task]]
name = "Blob"
description = "Writes bytes"
run = ["CAT", "SITE/blob"]
timeout = "60s"

[[task]]
name = "Both"
description = "Writes to both"
run = ["SH", "-c", "echo out; echo err >&2"]
timeout = "10s"

[[task]]
name = "Secret"
description = "Takes a secret"
run = ["SH", "-c", "cat > SITE/received; while [ ! -e SITE/go ]; do sleep 0.05; done", "SITE/secret"]
stdin = "{password}"
timeout = "60s"

[task.parameters.password]
type = "string"
secret = true

[[role]]
name = "Speakers"
tasks = ["Say", "Both"]
"#;

/// All of it.
pub(crate) struct Stage {
    pub(crate) place: Place,
    pub(crate) server: Server,
    people: People,
}

impl Stage {
    /// Access control is on, and no policy covers anything yet.
    pub(crate) fn set() -> Self {
        Self::set_with(TASKS)
    }

    /// The same, with tasks of one's own.
    pub(crate) fn set_with(tasks: &str) -> Self {
        Self::set_in(Place::new(), tasks)
    }

    /// The same in a place that has settings.
    pub(crate) fn set_in(place: Place, tasks: &str) -> Self {
        place.define("linux.toml", tasks);
        let server = Server::start(&place);
        let people = People::found(&server, &place, &["bob", "carol"]);
        Self { place, server, people }
    }

    /// Stops the server; what it leaves is for [`Stage::again`].
    pub(crate) fn stop(self) -> (Place, People) {
        let Self { place, server, people } = self;
        let (status, log) = server.stop();
        assert!(status.success(), "{status}: {log}");
        (place, people)
    }

    /// Starts a server where another was.
    pub(crate) fn again(place: Place, people: People) -> Self {
        let server = Server::start(&place);
        Self { place, server, people }
    }

    /// Everybody signs in with their password.
    pub(crate) fn sign_in_again(&mut self) {
        self.people.sign_in_again(&self.server, &self.place);
    }

    /// `kill -9`, and a new server at the same place.
    pub(crate) fn crash_and_start_again(&mut self) {
        self.server.crash_and_start_again(&self.place);
    }

    /// The same, with a manual policy for a task.
    pub(crate) fn with_policy(task: &str, terms: &str) -> Self {
        let stage = Self::set();
        stage.policy(task, terms);
        stage
    }

    /// Adds a manual policy; answers its id.
    pub(crate) fn policy(&self, task: &str, terms: &str) -> String {
        let made = self.asks("ada", &format!("policy create --task {task} --approval-type manual {terms}"));
        text(&made, "id")
    }

    /// Adds an account, which signs in.
    pub(crate) fn add(&mut self, account: Value) {
        self.people.add(&self.server, &self.place, account);
    }

    /// Every entry of the ledger.
    pub(crate) fn entries(&self) -> Vec<Value> {
        let export = self.people["otto"].connect(&self.server).get("/api/v1/audit/export").unwrap();
        let lines = export.body.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        let lines = lines.map(|line| serde_json::from_slice::<Value>(line).unwrap());
        lines.filter(|line| line.get("index").is_some()).collect()
    }

    pub(crate) fn person(&self, name: &str) -> &Person {
        &self.people[name]
    }

    /// Somebody types a line; answers what it wrote.
    pub(crate) fn types(&self, who: &str, line: &str, code: i32) -> (String, String) {
        let typed = self.people[who].types(&self.server, line, code);
        (typed.text(), typed.stderr)
    }

    pub(crate) fn asks(&self, who: &str, line: &str) -> Value {
        self.people[who].asks(&self.server, line)
    }

    /// Somebody asks, and Alice approves; answers the authorization.
    pub(crate) fn grant(&self, who: &str, what: &str) -> String {
        let request = self.request(who, what);
        text(&self.asks("alice", &format!("request approve {request}")), "authorization")
    }

    /// Somebody asks; answers the request.
    pub(crate) fn request(&self, who: &str, what: &str) -> String {
        text(&self.asks(who, &format!("request new {what} --reason Because")), "id")
    }

    pub(crate) fn verify(&self) {
        let data = self.place.data();
        let line = format!("audit verify --data {} -o json", data.display());
        assert_eq!(self.people["otto"].types(&self.server, &line, 0).json()["verified"], true);
    }
}

/// A field of an object.
pub(crate) fn text(object: &Value, field: &str) -> String {
    object[field].as_str().unwrap_or_else(|| panic!("no {field} in {object}")).to_owned()
}
