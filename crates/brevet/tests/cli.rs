//! The real binary, without a server: what it says before it needs one, and its exit codes.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::path::Path;
use std::process::{Command, Output};

/// Runs the binary in an empty environment, with `home` as its home.
fn brevet(home: &Path, words: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_brevet"));
    command.args(words).env_clear().env("HOME", home).output().unwrap()
}

fn code(output: &Output) -> i32 {
    output.status.code().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
fn exit_codes_before_any_server() {
    let home = tempfile::tempdir().unwrap();
    for (words, expected) in [
        (&["--help"][..], 0),
        (&["--version"], 0),
        (&["help", "run"], 0),
        (&[], 2),
        (&["runn"], 2),
        (&["run"], 2),
        (&["policy", "create", "--task", "A/b"], 2),
        (&["request", "new", "--task", "A/b", "--role", "A/c", "--reason", "x"], 2),
        (&["request", "new", "--task", "A/b", "--reason", "x", "--hours", "0"], 2),
        (&["request", "new", "--task", "A/b", "--reason", "x", "--duration", "soon"], 2),
        (&["whoami"], 4),
        (&["whoami", "--server", "http://example.org"], 4),
        (&["login", "--user", "maria", "--password-stdin", "--server", "http://example.org"], 2),
        (&["login", "--user", "maria", "--password-stdin", "--server", "http://127.0.0.1:1"], 2),
    ] {
        let output = brevet(home.path(), words);
        assert_eq!(code(&output), expected, "{words:?}: {}{}", text(&output.stdout), text(&output.stderr));
    }
}

#[test]
fn a_token_of_the_environment_does_not_leave_this_machine_in_the_clear() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_brevet"));
    command.args(["whoami", "--server", "http://192.0.2.1"]).env_clear().env("BREVET_TOKEN", "t0ken");
    let output = command.output().unwrap();
    assert_eq!(code(&output), 2);
    assert!(text(&output.stderr).contains("in the clear"), "{}", text(&output.stderr));
}

#[test]
fn a_server_that_is_not_there_is_named() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_brevet"));
    command.args(["whoami", "--server", "http://127.0.0.1:1"]).env_clear().env("BREVET_TOKEN", "t0ken");
    let output = command.output().unwrap();
    assert_eq!(code(&output), 1);
    assert!(
        text(&output.stderr).contains("http://127.0.0.1:1 cannot be reached"),
        "{}",
        text(&output.stderr)
    );
}

#[test]
fn completions_and_man_pages_are_generated() {
    let home = tempfile::tempdir().unwrap();
    for shell in ["bash", "zsh", "fish"] {
        let output = brevet(home.path(), &["completions", shell]);
        assert_eq!(code(&output), 0);
        assert!(text(&output.stdout).contains("give-back"), "{shell}");
        assert!(!text(&output.stdout).contains("spawner"), "{shell} shows what is hidden");
    }
    let out = home.path().join("man");
    let output = brevet(home.path(), &["man", "--out", out.to_str().unwrap()]);
    assert_eq!(code(&output), 0, "{}", text(&output.stderr));
    let page = std::fs::read_to_string(out.join("brevet-request-new.1")).unwrap();
    assert!(page.contains("duration\\-hours"), "{page}");
    assert!(!out.join("brevet-spawner.1").exists());
}
