//! What good files give.

use brevet_core::{OnExpiry, ParameterKind, Span, Value};

use super::{Folder, workload};

const EVERYTHING: &str = r#"
[workload]
name = "Linux"
kind = "command"

[[task]]
name = "Restart-Service"
description = "Restart one systemd unit"
run = ["/usr/bin/env", "--", "{unit}", "n={count}", "{{literal}}", "{tags}"]
run_as = "root"
timeout = "60s"
on_expiry = "finish"
stdin = "{password}"
environment = { LANG = "C.UTF-8", PGHOST = "db" }
directory = "/usr"
umask = "027"
output_limit = "2MiB"

[task.parameters.unit]
type = "string"
description = "Unit to restart"
one_of = ["nginx.service", "postgresql.service"]

[task.parameters.count]
type = "integer"
min = -3
max = 10
default = 1

[task.parameters.tags]
type = "list of string"
pattern = "[a-z]+"
min_length = 1
max_length = 8
required = false

[task.parameters.password]
type = "string"
secret = true
allow_leading_dash = true

[[task]]
name = "Reload"
run = ["/usr/bin/true"]

[[role]]
name = "Web-Operators"
description = "Those who keep the site up"
tasks = ["restart-service", "Other/Look"]

[[role_group]]
name = "Operators"
roles = ["Web-Operators"]
"#;

const OTHER: &str = r#"
workload = { name = "Other", kind = "command" }
[[task]]
name = "Look"
run = ["/usr/bin/true"]
"#;

#[test]
fn every_key_is_read() {
    let loaded = Folder::new([("linux.toml", EVERYTHING), ("other.toml", OTHER)]).load().unwrap();
    let task = &loaded.commands["linux\\restart-service"];
    let spec = task.spec();
    assert_eq!(spec.name.as_str(), "Linux\\Restart-Service");
    assert_eq!(spec.description, "Restart one systemd unit");
    assert_eq!(spec.command[2..4], ["{unit}", "n={count}"]);
    assert_eq!((spec.run_as.as_deref(), spec.timeout), (Some("root"), Span::seconds(60)));
    assert_eq!(spec.on_expiry, OnExpiry::Finish);
    assert_eq!(task.program().to_str(), Some("/usr/bin/env"));
    assert_eq!(task.arguments.len(), 5);
    assert_eq!(task.arguments[3].as_literal(), Some("{literal}"));
    assert_eq!(task.stdin.as_ref().map(|name| name.as_str()), Some("password"));
    assert_eq!(task.environment.get("PGHOST").map(String::as_str), Some("db"));
    assert_eq!(task.directory.to_str(), Some("/usr"));
    assert_eq!((task.umask, task.output_limit), (0o027, 2 << 20));

    let [count, password, tags, unit] = spec.parameters.as_slice() else { panic!("{:?}", spec.parameters) };
    assert_eq!((count.kind, count.required), (ParameterKind::Integer, false));
    assert_eq!((&count.default, count.limits.min), (&Some(Value::Integer(1)), Some(-3)));
    assert!(password.secret && password.required && password.limits.allow_leading_dash);
    assert!(tags.list && !tags.required && tags.limits.pattern.is_some());
    assert_eq!((tags.limits.min_length, tags.limits.max_length), (Some(1), Some(8)));
    assert_eq!((unit.limits.one_of.len(), unit.description.as_str()), (2, "Unit to restart"));

    let [role] = loaded.definition.roles.as_slice() else { panic!("one role") };
    let tasks: Vec<&str> = role.tasks.iter().map(|name| name.as_str()).collect();
    assert_eq!(tasks, ["Linux\\Restart-Service", "Other\\Look"]);
    assert_eq!(loaded.definition.role_groups[0].roles[0].as_str(), "Linux\\Web-Operators");
    assert_eq!((loaded.definition.tasks.len(), loaded.commands.len()), (3, 3));
}

#[test]
fn what_is_not_said_has_its_default() {
    let loaded = Folder::new([("other.toml", OTHER)]).load().unwrap();
    let task = &loaded.commands["other\\look"];
    assert_eq!((task.spec.timeout, task.spec.on_expiry), (Span::minutes(10), OnExpiry::Stop));
    assert_eq!((task.umask, task.output_limit), (0o077, 64 << 20));
    assert_eq!(task.directory.to_str(), Some("/"));
    assert!(task.environment.is_empty() && task.stdin.is_none() && task.sha256.is_none());
    assert_eq!(task.spec.run_as, None);
}

#[test]
fn an_empty_folder_defines_nothing_and_other_files_do_not_count() {
    let loaded =
        Folder::new([("README", "x = "), (".hidden.toml", "x = "), ("a.toml~", "x = ")]).load().unwrap();
    assert!(loaded.commands.is_empty() && loaded.definition.tasks.is_empty());
}

#[test]
fn a_workload_may_be_spread_over_files_and_the_core_takes_it() {
    let one = workload("[[task]]\nname = \"A\"\nrun = [\"/usr/bin/true\"]\n");
    let two = workload("[[role]]\nname = \"R\"\ntasks = [\"A\"]\n");
    let loaded = Folder::new([("1.toml", one.as_str()), ("2.toml", two.as_str())]).load().unwrap();
    let mut state = brevet_core::State::default();
    let define = brevet_core::Command::DefineCatalog(loaded.definition.clone());
    let origin = brevet_core::Origin::SYSTEM;
    let now = brevet_core::Timestamp::from_micros(1);
    let outcome = brevet_core::transact(&mut state, now, origin, define).unwrap();
    assert_eq!(outcome.entries.len(), 2);
    let again = brevet_core::Command::DefineCatalog(loaded.definition);
    assert_eq!(brevet_core::transact(&mut state, now, origin, again).unwrap().entries.len(), 0);
}

#[test]
fn the_content_of_a_program_can_be_pinned() {
    use sha2::Digest as _;
    let found = sha2::Sha256::digest(std::fs::read("/usr/bin/true").unwrap());
    let hex = brevet_core::Digest(found.into()).to_string();
    let with = |hex: &str| {
        workload(&format!("[[task]]\nname = \"A\"\nrun = [\"/usr/bin/true\"]\nsha256 = \"{hex}\"\n"))
    };
    assert!(Folder::new([("a.toml", with(&hex).as_str())]).load().is_ok());
    let problems = Folder::new([("a.toml", with(&"0".repeat(64)).as_str())]).problems();
    assert!(problems[0].contains(&format!("its SHA-256 is {hex}")), "{problems:?}");
}
