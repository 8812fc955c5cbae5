//! The house rules: who may know whom, and how large a room may get. ARCHITECTURE.md says why.

#![expect(clippy::unwrap_used, reason = "reading the project's own files")]

use std::fs;
use std::path::{Path, PathBuf};

/// Lines of one source file, its tests not counted.
const FILE_LINES_MAX: usize = 500;
/// Lines of one function; clippy holds it too, here it counts without its signature's attributes.
const FUNCTION_LINES_MAX: usize = 70;

/// A folder under `crates/`, and what the code in it must not name.
const WALLS: &[(&str, &[&str])] = &[
    (
        "brevet-core/src",
        &[
            "std::fs",
            "std::net",
            "std::process",
            "std::env",
            "std::thread",
            "std::io",
            "Instant",
            "SystemTime",
            "tokio",
            "rusqlite",
            "serde",
            "brevet_ledger",
            "brevet_store",
            "brevet_workloads",
            "async fn",
        ],
    ),
    (
        "brevet-ledger/src",
        &[
            "std::fs",
            "std::net",
            "std::process",
            "std::env",
            "std::io",
            "Instant",
            "SystemTime",
            "tokio",
            "rusqlite",
            "brevet_core",
            "brevet_store",
            "brevet_workloads",
            "async fn",
        ],
    ),
    ("brevet-store/src", &["axum", "SystemTime", "getrandom", "brevet_workloads", "std::env"]),
    (
        "brevet-workloads/src",
        &["rusqlite", "axum", "SystemTime", "brevet_store", "brevet_ledger", "std::env::var"],
    ),
    ("brevet/src", &["rusqlite", "tokio_postgres", "libc::"]),
    ("brevet/src/app", &["crate::http", "crate::cli", "brevet_wire", "axum", "clap", "SystemTime"]),
    ("brevet-wire/src", &["brevet_core", "brevet_store", "axum", "std::fs", "SystemTime"]),
    // The pages reach nothing but the API.
    (
        "brevet-web/src",
        &["brevet_core", "brevet_store", "brevet_ledger", "std::fs", "std::net", "std::env", "SystemTime"],
    ),
    ("brevet/src/cli", &["crate::app", "crate::http", "brevet_store", "brevet_workloads", "axum"]),
    (
        "brevet/src/http",
        &["crate::cli", "brevet_ledger", "brevet_workloads::spawn", "SystemTime", "transact("],
    ),
    ("brevet/src/export", &["crate::app", "crate::http", "crate::cli", "tokio", "std::fs", "axum"]),
    ("brevet/src/sinks", &["crate::cli", "axum", "brevet_ledger", "SystemTime"]),
    ("brevet/src/demo", &["crate::app", "crate::http", "brevet_store", "brevet_core"]),
    // A witness knows nothing of the server whose ledger it watches.
    ("brevet/src/witness", &["crate::app", "brevet_wire", "clap", "SystemTime"]),
    (
        "brevet-store/src/witness",
        &["brevet_core", "crate::append", "crate::load", "crate::schema", "crate::verify"],
    ),
];

/// What only one place of a room may name: the folder, the word, and how the paths in it begin that may.
const DOORS: &[(&str, &str, &str)] = &[("brevet-store/src", "tokio", "engine/")];

/// What each crate may depend on among the crates of the house.
const MAY_USE: &[(&str, &[&str])] = &[
    ("brevet-core", &[]),
    ("brevet-ledger", &[]),
    ("brevet-store", &["brevet-core", "brevet-ledger"]),
    ("brevet-workloads", &["brevet-core"]),
    ("brevet-wire", &[]),
    ("brevet-web", &["brevet-wire"]),
    (
        "brevet",
        &["brevet-core", "brevet-ledger", "brevet-store", "brevet-web", "brevet-wire", "brevet-workloads"],
    ),
];

fn crates() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// Every source file below, tests left out.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let is_test = path.file_stem().is_some_and(|name| name == "tests" || name == "testing");
        if path.is_dir() && !is_test {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") && !is_test {
            found.push(path);
        }
    }
    found
}

/// The lines of code before the tests at a file's end, comments left out.
fn code(path: &Path) -> Vec<(usize, String)> {
    let text = fs::read_to_string(path).unwrap();
    let lines = text.lines().enumerate().take_while(|(_, line)| *line != "#[cfg(test)]");
    let is_code = |line: &str| !line.trim_start().starts_with("//");
    lines.filter(|(_, line)| is_code(line)).map(|(number, line)| (number + 1, line.to_owned())).collect()
}

#[test]
fn nobody_looks_through_a_wall() {
    let mut found = Vec::new();
    for (folder, forbidden) in WALLS {
        for path in sources(&crates().join(folder)) {
            for (number, line) in code(&path) {
                let named = forbidden.iter().find(|word| line.contains(*word));
                found.extend(named.map(|word| format!("{}:{number}: {word}", path.display())));
            }
        }
    }
    assert!(found.is_empty(), "code names what its room must not know:\n{}", found.join("\n"));
}

#[test]
fn a_driver_has_one_door() {
    let mut found = Vec::new();
    for (folder, word, door) in DOORS {
        let room = crates().join(folder);
        for path in sources(&room).into_iter().filter(|path| !path.starts_with(room.join(door))) {
            let named = code(&path).into_iter().filter(|(_, line)| line.contains(word));
            found.extend(named.map(|(number, _)| format!("{}:{number}: {word}", path.display())));
        }
    }
    assert!(found.is_empty(), "named where it has no door:\n{}", found.join("\n"));
}

#[test]
fn crates_depend_in_one_direction() {
    for (name, may) in MAY_USE {
        let manifest = fs::read_to_string(crates().join(name).join("Cargo.toml")).unwrap();
        let dependencies = manifest.split("[dev-dependencies]").next().unwrap();
        for line in dependencies.lines().filter(|line| line.starts_with("brevet-")) {
            let used = line.split(['.', ' ', '=']).next().unwrap();
            assert!(may.contains(&used), "{name} must not depend on {used}");
        }
    }
}

#[test]
fn files_and_functions_fit_a_reader() {
    let mut found = Vec::new();
    for (name, _) in MAY_USE {
        for path in sources(&crates().join(name).join("src")) {
            let code = code(&path);
            if code.len() > FILE_LINES_MAX {
                found.push(format!("{}: {} lines", path.display(), code.len()));
            }
            found.extend(long_functions(&path, &code));
        }
    }
    assert!(found.is_empty(), "too long to be read at once:\n{}", found.join("\n"));
}

/// Functions begin at a line with `fn ` and end at the closing brace of the same indentation.
fn long_functions(path: &Path, code: &[(usize, String)]) -> Vec<String> {
    let mut long = Vec::new();
    for (place, (number, line)) in code.iter().enumerate() {
        let indent = line.len() - line.trim_start().len();
        let starts = line.trim_start().split(' ').any(|word| word == "fn") && line.contains("fn ");
        if !starts || line.trim_end().ends_with(';') {
            continue;
        }
        let closing = format!("{}}}", " ".repeat(indent));
        let length = code[place..].iter().position(|(_, line)| *line == closing).unwrap_or(0);
        if length > FUNCTION_LINES_MAX {
            long.push(format!("{}:{number}: {length} lines", path.display()));
        }
    }
    long
}

#[test]
fn every_room_says_what_it_is_for() {
    for (name, _) in MAY_USE {
        for path in sources(&crates().join(name).join("src")) {
            let text = fs::read_to_string(&path).unwrap();
            assert!(
                text.starts_with("//!"),
                "{} does not begin with a sentence about itself",
                path.display()
            );
        }
    }
}

#[test]
fn nothing_is_allowed_without_a_reason() {
    for (name, _) in MAY_USE {
        for path in sources(&crates().join(name).join("src")) {
            for (number, line) in code(&path) {
                assert!(
                    !line.contains("#[allow("),
                    "{}:{number}: use #[expect(…, reason = …)]",
                    path.display()
                );
            }
        }
    }
}
