//! What a task finds around itself: what its definition says, and nothing of the server.

use crate::fixture::{House, run_script};

fn lines(text: &str) -> Vec<&str> {
    let mut lines: Vec<&str> = text.lines().collect();
    lines.sort_unstable();
    lines
}

const ENV: &str = "[[task]]\nname = \"T\"\nrun = [\"/usr/bin/env\"]\n";
const PATH: &str = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

#[test]
fn the_environment_is_exactly_what_was_decided() {
    let ran = House::new(ENV).run(&[], &[]);
    assert_eq!(lines(&ran.output()), ["BREVET_EXECUTION=exe-1", "LANG=C.UTF-8", PATH]);
}

#[test]
fn the_definition_adds_and_replaces_variables() {
    let rest = "environment = { LANG = \"C\", PATH = \"/usr/bin\", EMPTY = \"\", ODD = \"$x 'y' {z}\" }\n";
    let ran = House::new(&format!("{ENV}{rest}")).run(&[], &[]);
    let expected = ["BREVET_EXECUTION=exe-1", "EMPTY=", "LANG=C", "ODD=$x 'y' {z}", "PATH=/usr/bin"];
    assert_eq!(lines(&ran.output()), expected);
}

#[test]
fn directory_and_umask_are_those_of_the_definition() {
    assert_eq!(run_script("pwd; umask", "").output(), "/\n0077\n");
    assert_eq!(run_script("pwd; umask", "directory = \"/usr\"\numask = \"027\"").output(), "/usr\n0027\n");
}

#[test]
fn without_input_the_input_is_at_its_end() {
    assert_eq!(run_script("cat; readlink /proc/self/fd/0", "").output(), "/dev/null\n");
}

#[test]
fn a_task_runs_as_the_user_of_its_definition() {
    if !rustix::process::geteuid().is_root() {
        return;
    }
    let script =
        "id -un; id -gn; echo $HOME $USER $LOGNAME; grep -c '^CapEff:[[:space:]]*0*$' /proc/self/status";
    let ran = run_script(script, "run_as = \"daemon\"");
    assert_eq!(ran.output(), "daemon\ndaemon\n/usr/sbin daemon daemon\n1\n");
}
