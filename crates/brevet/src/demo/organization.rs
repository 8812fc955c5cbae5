//! The sample organization: people, groups, tasks of this machine that need no special rights.

use std::fmt::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use super::stage::Stage;

/// The password of everybody in the demonstration. It guards a temporary folder on loopback.
pub(super) const PASSWORD: &str = "brevet-demo-only";

/// Somebody in the story.
pub(super) struct Person {
    pub(super) name: &'static str,
    pub(super) what: &'static str,
    options: &'static str,
}

/// Everybody in the story; the first is the administrator who sets Brevet up.
pub(super) const PEOPLE: [Person; 6] = [
    Person { name: "ada", what: "the first administrator, who also audits", options: "" },
    Person { name: "alice", what: "approver", options: "--display-name \"Alice Approver\"" },
    Person { name: "anna", what: "approver", options: "--display-name \"Anna Approver\"" },
    Person { name: "bob", what: "operator", options: "--display-name \"Bob Operator\"" },
    Person { name: "otto", what: "auditor", options: "--display-name \"Otto Auditor\" --auditor" },
    Person { name: "backup", what: "system account, owned by ada", options: "--owner ada" },
];

/// Lets the people in: the first with the code of the first start, the others with codes of their own.
pub(super) fn found(stage: &mut Stage) -> anyhow::Result<()> {
    stage
        .head("The organization: an administrator, two approvers, an operator, an auditor, a system account");
    signs_in(stage, "ada", "--setup", &stage.setup_code())?;
    for person in &PEOPLE[1..] {
        stage.runs("ada", &format!("user add {} --no-code {}", person.name, person.options), None)?;
        let made = stage.runs("ada", &format!("user code {} -o json", person.name), None)?;
        let code = find_string(&made.stdout, "code")
            .with_context(|| format!("no code in: {}{}", made.stdout, made.stderr))?;
        signs_in(stage, person.name, "--code", &code)?;
    }
    stage.types("ada", "user list", 0)?;
    stage.types(
        "ada",
        "group create Linux-Approvers --description \"They decide on work on this machine\"",
        0,
    )?;
    for approver in ["alice", "anna"] {
        stage.types("ada", &format!("group add-member Linux-Approvers {approver}"), 0)?;
    }
    Ok(())
}

/// With a one-time code, which the option says the kind of.
fn signs_in(stage: &Stage, person: &str, option: &str, code: &str) -> anyhow::Result<()> {
    let line = format!("login --user {person} --password-stdin {option} -");
    let answer = stage.runs(person, &line, Some(&format!("{code}\n{PASSWORD}\n")))?;
    anyhow::ensure!(answer.code == 0, "{person} cannot sign in: {}", answer.stderr);
    Ok(())
}

/// The value of the first string field of this name, at any depth.
pub(super) fn find_string(json: &str, name: &str) -> Option<String> {
    fn find(value: &serde_json::Value, name: &str) -> Option<String> {
        match value {
            serde_json::Value::Object(fields) => {
                let here = fields.get(name).and_then(serde_json::Value::as_str).map(str::to_owned);
                here.or_else(|| fields.values().find_map(|value| find(value, name)))
            }
            serde_json::Value::Array(values) => values.iter().find_map(|value| find(value, name)),
            _ => None,
        }
    }
    find(&serde_json::from_str(json).ok()?, name)
}

/// Writes the definitions, a log to look at, and the file that only the broker may change.
pub(super) fn write_tasks(folder: &Path) -> anyhow::Result<()> {
    let (df, tail, tee) = (program("df")?, program("tail")?, program("tee")?);
    let (log, greeting) = (folder.join("site/site.log"), folder.join("site/greeting.conf"));
    let mut lines = String::new();
    for number in 1..=20 {
        writeln!(lines, "site: request {number} answered in {} ms", 10 + number * 7 % 13)?;
    }
    write_private(&log, &lines)?;
    write_private(&greeting, "greeting = hello\n")?;
    let [df, tail, tee, log, greeting] = [&df, &tail, &tee, &log, &greeting].map(|path| quoted(path));
    write_private(
        &folder.join("tasks/linux.toml"),
        &format!(
            r#"# The tasks of the demonstration. They are files of the machine's owner, never made through the API.
[workload]
name = "Linux"
kind = "command"

[[task]]
name = "Show-Disk-Usage"
description = "Show how full a file system is"
run = [{df}, "-h", "--", "{{path}}"]
timeout = "10s"

[task.parameters.path]
type = "string"
description = "Where"
one_of = ["/", "/tmp"]

[[task]]
name = "Read-Log"
description = "Show the newest lines of the site's log"
run = [{tail}, "-n", "{{lines}}", "--", {log}]
timeout = "10s"

[task.parameters.lines]
type = "integer"
description = "How many"
min = 1
max = 100
default = 5

[[task]]
name = "Follow-Log"
description = "Show the site's log as it grows"
run = [{tail}, "-n", "2", "-f", "--", {log}]
timeout = "10m"

[[task]]
name = "Set-Greeting"
description = "Change the site's greeting; the file belongs to the broker"
run = [{tee}, "--", {greeting}]
stdin = "{{text}}"
timeout = "10s"

[task.parameters.text]
type = "string"
description = "The new greeting"
pattern = "[A-Za-z0-9 ,.!]+"
max_length = 60

[[role]]
name = "Site-Operators"
description = "Looking after the site"
tasks = ["Read-Log", "Follow-Log", "Set-Greeting"]
"#
        ),
    )
}

/// Where a program really is: definitions name no symbolic links.
fn program(name: &str) -> anyhow::Result<PathBuf> {
    let places = ["/usr/bin", "/bin"].map(|folder| Path::new(folder).join(name));
    let found = places.iter().find_map(|path| path.canonicalize().ok());
    found.with_context(|| format!("this machine has no {name}"))
}

fn quoted(path: &Path) -> String {
    format!("'{}'", path.display())
}

fn write_private(path: &Path, text: &str) -> anyhow::Result<()> {
    let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    std::io::Write::write_all(&mut file, text.as_bytes())?;
    Ok(())
}
