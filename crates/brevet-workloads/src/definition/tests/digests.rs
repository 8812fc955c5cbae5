//! Any change of a definition changes its digest, and that of every role and role group it is in.

use std::collections::BTreeSet;

use super::{Folder, workload};

const TASK: &str = r#"
[[task]]
name = "Task"
description = "d"
run = ["/usr/bin/env", "{x}", "{i}", "{{x}}"]
run_as = "root"
timeout = "60s"
on_expiry = "stop"
stdin = "{s}"
environment = { A = "b" }
directory = "/usr"
umask = "077"
output_limit = "1MiB"
parameters.i = { type = "integer", min = 1, max = 2, required = false }
parameters.s = { type = "string", secret = true }
parameters.x = { type = "string", description = "p", one_of = ["a", "b"], pattern = "[ab]", min_length = 1, max_length = 2, default = "a" }

[[role]]
name = "Role"
description = "r"
tasks = ["Task", "Other"]

[[role_group]]
name = "Group"
description = "g"
roles = ["Role"]

[[task]]
name = "Other"
run = ["/usr/bin/true"]
"#;

fn digests(text: &str) -> [String; 3] {
    let loaded = Folder::new([("a.toml", workload(text).as_str())])
        .load()
        .unwrap_or_else(|all| panic!("{all}\n{text}"));
    let task =
        loaded.definition.tasks.iter().find(|task| task.name.name().eq_ignore_ascii_case("task")).unwrap();
    let (role, group) = (&loaded.definition.roles[0], &loaded.definition.role_groups[0]);
    [task.digest, role.digest, group.digest].map(|digest| digest.to_string())
}

/// Every field of a task, each in a way that is nearly the same.
const CHANGES: [(&str, &str); 42] = [
    ("name = \"Task\"", "name = \"TASK\""),
    ("description = \"d\"", "description = \"D\""),
    ("description = \"d\"", ""),
    ("/usr/bin/env", "/usr/bin/true"),
    ("\"{x}\", \"{i}\"", "\"{i}\", \"{x}\""),
    ("\"{x}\", \"{i}\"", "\"{x}{i}\""),
    ("\"{{x}}\"", "\"{{i}}\""),
    ("\"{{x}}\"", "\"{x}\""),
    ("\"{{x}}\"", "\"\""),
    (", \"{{x}}\"", ""),
    ("run_as = \"root\"", ""),
    ("run_as = \"root\"", "run_as = \"daemon\""),
    ("60s", "61s"),
    ("\"stop\"", "\"finish\""),
    ("[\"/usr/bin/env\", \"{x}\"", "[\"/usr/bin/env\", \"{x}{s2}\""),
    ("{ A = \"b\" }", "{ A = \"c\" }"),
    ("{ A = \"b\" }", "{ B = \"b\" }"),
    ("{ A = \"b\" }", "{ A = \"b\", B = \"\" }"),
    ("{ A = \"b\" }", "{}"),
    ("\"/usr\"", "\"/etc\""),
    ("\"077\"", "\"027\""),
    ("1MiB", "2MiB"),
    ("min = 1, ", "min = 0, "),
    ("min = 1, ", ""),
    ("max = 2, ", "max = 3, "),
    ("max = 2, ", ""),
    ("min = 1, max = 2", "min = 2, max = 2"),
    ("required = false", "required = true"),
    ("required = false", "default = 1"),
    ("required = false", "required = false, allow_leading_dash = true"),
    ("type = \"integer\"", "type = \"list of integer\""),
    ("description = \"p\"", "description = \"q\""),
    ("[\"a\", \"b\"]", "[\"b\", \"a\"]"),
    ("[\"a\", \"b\"]", "[\"a\"]"),
    ("one_of = [\"a\", \"b\"], ", ""),
    ("\"[ab]\"", "\"[ba]\""),
    ("pattern = \"[ab]\", ", ""),
    ("min_length = 1", "min_length = 0"),
    ("max_length = 2", "max_length = 3"),
    ("default = \"a\"", "default = \"b\""),
    ("default = \"a\"", "required = false"),
    ("default = \"a\"", "allow_leading_dash = true"),
];

#[test]
fn any_change_of_a_task_changes_its_digest_and_those_of_its_role_and_role_group() {
    let before = digests(TASK);
    let mut seen: Vec<BTreeSet<String>> =
        before.iter().map(|digest| BTreeSet::from([digest.clone()])).collect();
    for (from, to) in CHANGES {
        assert!(TASK.contains(from), "{from}");
        let mut text = TASK.replacen(from, to, 1);
        if to.contains("{s2}") {
            text = text.replace("parameters.s =", "parameters.s2 = { type = \"string\" }\nparameters.s =");
        }
        for (seen, digest) in seen.iter_mut().zip(digests(&text)) {
            assert!(seen.insert(digest), "{from} → {to}");
        }
    }
}

#[test]
fn the_input_and_the_pinned_content_are_in_the_digest() {
    let before = digests(TASK);
    let stdin = TASK.replace("stdin = \"{s}\"", "stdin = \"{x}\"").replace("parameters.s =", "#");
    let open = TASK.replace("secret = true", "secret = false");
    let hex = {
        use sha2::Digest as _;
        brevet_core::Digest(sha2::Sha256::digest(std::fs::read("/usr/bin/env").unwrap()).into())
    };
    let pinned = TASK.replace("run_as", &format!("sha256 = \"{hex}\"\nrun_as"));
    let all: BTreeSet<String> = [stdin, open, pinned]
        .iter()
        .map(|text| digests(text)[0].clone())
        .chain([before[0].clone()])
        .collect();
    assert_eq!(all.len(), 4);
}

#[test]
fn the_workload_is_in_the_digest() {
    let one = Folder::new([("a.toml", workload(TASK).as_str())]).load().unwrap();
    let two =
        Folder::new([("a.toml", workload(TASK).replace("\"Linux\"", "\"Linus\"").as_str())]).load().unwrap();
    assert_ne!(one.definition.tasks[0].digest, two.definition.tasks[0].digest);
}

#[test]
fn roles_and_role_groups_have_digests_of_their_own_fields() {
    let before = digests(TASK);
    for (from, to, from_which) in [
        ("name = \"Role\"", "name = \"ROLE\"", 1),
        ("description = \"r\"", "description = \"s\"", 1),
        ("[\"Task\", \"Other\"]", "[\"Task\"]", 1),
        ("name = \"Group\"", "name = \"GROUP\"", 2),
        ("description = \"g\"", "description = \"h\"", 2),
    ] {
        let text = TASK.replacen(from, to, 1).replace("roles = [\"Role\"]", "roles = [\"role\"]");
        let base = digests(&TASK.replace("roles = [\"Role\"]", "roles = [\"role\"]"));
        let after = digests(&text);
        for i in 0..3 {
            assert_eq!(after[i] != base[i], i >= from_which, "{from} → {to}: {i}");
        }
    }
    assert_eq!(
        digests(&TASK.replace("[\"Task\", \"Other\"]", "[\"Other\", \"Task\"]")),
        before,
        "a role is a set"
    );
}

#[test]
fn what_is_no_part_of_a_definition_does_not_change_its_digest() {
    let before = digests(TASK);
    assert_eq!(digests(&format!("# a comment\n\n{TASK}")), before);
    assert_eq!(digests(&TASK.replace("timeout = \"60s\"", "timeout = \"1m\"")), before);
    assert_eq!(digests(&TASK.replace("output_limit = \"1MiB\"", "output_limit = \"1024KiB\"")), before);
}
