//! Everything that can be wrong, each with its line, all at once.

use super::{Folder, workload};

/// Checks the only problem of a file with a good head and this rest: its line within the rest, and words of it.
#[track_caller]
fn check(rest: &str, line: usize, words: &str) {
    let problems = Folder::new([("a.toml", workload(rest).as_str())]).problems();
    let [problem] = problems.as_slice() else { panic!("{rest}\n{}", problems.join("\n")) };
    assert!(problem.starts_with(&format!("a.toml:{}: ", line + 3)), "line {line} of\n{rest}\n{problem}");
    assert!(problem.contains(words) && problem.contains(" — "), "{words}\n{problem}");
}

/// The same for a line in a good task.
#[track_caller]
fn check_task(line: &str, words: &str) {
    check(&format!("[[task]]\nname = \"A\"\nrun = [\"/usr/bin/true\"]\n{line}\n"), 4, words);
}

/// The same for `run` of a task with a free string parameter `x`.
#[track_caller]
fn check_run(run: &str, words: &str) {
    check(
        &format!("[[task]]\nname = \"A\"\nrun = {run}\n[task.parameters]\nx = {{ type = \"string\" }}\n"),
        3,
        words,
    );
}

/// The same for the lines of the parameter `x`, the first of which is line 5.
#[track_caller]
fn check_parameter(lines: &str, line: usize, words: &str) {
    let head = "[[task]]\nname = \"A\"\nrun = [\"/usr/bin/true\", \"{x}\"]\n[task.parameters.x]\n";
    check(&format!("{head}{lines}\n"), line, words);
}

#[test]
fn keys_of_a_task() {
    check_task("tiemout = \"1s\"", "a task has no key 'tiemout' — did you mean 'timeout'?");
    check_task("user = \"root\"", "did you mean 'run_as'?");
    check_task("timeout = 10", "'timeout' must be a string, not a whole number");
    check_task("timeout = \"25h\"", "at most 1d");
    check_task("timeout = \"0s\"", "more than zero");
    check_task("timeout = \"soon\"", "the timeout 'soon' cannot be");
    check_task("on_expiry = \"stopp\"", "did you mean 'stop'?");
    check_task("umask = 77", "'umask' must be a string");
    check_task("umask = \"0888\"", "not a umask");
    check_task("umask = \"+77\"", "not a umask");
    check_task("umask = \"7777\"", "not a umask");
    check_task("output_limit = \"5GiB\"", "out of range — from 1KiB to 4GiB");
    check_task("output_limit = \"0B\"", "out of range");
    check_task("output_limit = \"64MB\"", "not a size");
    check_task("directory = \"tmp\"", "does not begin with /");
    check_task("directory = \"/usr/../etc\"", "goes through '..'");
    check_task("directory = \"/no/such/folder\"", "does not exist");
    check_task("directory = \"/tmp\"", "everybody can write to");
    check_task("directory = \"/bin\"", "symbolic link");
    check_task("run_as = \"no-such-user-of-brevet\"", "there is no user");
    check_task("run_as = \"a b\"", "there is no user");
    check_task("sha256 = \"00\"", "not a SHA-256");
    check_task("description = 1", "must be a string");
    check_task("environment = { LD_PRELOAD = \"x\" }", "the variable LD_PRELOAD is not given to tasks");
    check_task("environment = { A = 1 }", "the variable A must be a string, not a whole number");
    check_task("environment = \"A=b\"", "'environment' must be a table");
    check_task("stdin = \"{x} \"", "'stdin' is one parameter and nothing else");
    check_task("stdin = \"{x}\"", "there is no parameter 'x' — add [task.parameters.x]");
    check_task("parameters = 3", "'parameters' must be a table");
    check_task("parameters = { x = 3 }", "must be a table, not a whole number");
}

#[test]
fn a_task_needs_a_name_and_a_program() {
    check("[[task]]\nrun = [\"/usr/bin/true\"]\n", 1, "a task needs 'name'");
    check("\n[[task]]\nname = \"A\"\n", 2, "a task needs 'run'");
    check("[[task]]\nname = \"A B\"\nrun = [\"/usr/bin/true\"]\n", 2, "the name 'A B' cannot be");
    check("[[task]]\nname = \"Linux/A\"\nrun = [\"/usr/bin/true\"]\n", 2, "write the name alone");
    check("[task]\nname = \"A\"\n", 1, "write [[task]] with two brackets");
    check("task = [1]\n", 1, "a workload has no key 'task'");
}

#[test]
fn what_runs() {
    check("[[task]]\nname = \"A\"\nrun = []\n", 3, "'run' is empty");
    check("[[task]]\nname = \"A\"\nrun = \"/usr/bin/true x\"\n", 3, "'run' must be a list, not a string");
    check(
        "[[task]]\nname = \"A\"\nrun = [\"/usr/bin/true\", 1]\n",
        3,
        "each element of 'run' must be a string",
    );
    check_run("[\"true\", \"{x}\"]", "does not begin with /");
    check_run("[\"/usr/bin/../bin/true\", \"{x}\"]", "goes through '..'");
    check_run("[\"/usr/bin/{x}\", \"{x}\"]", "the program cannot be a parameter");
    check_run("[\"/usr/bin/no-such-program\", \"{x}\"]", "does not exist");
    check_run("[\"/bin/true\", \"{x}\"]", "symbolic link /bin; write /usr/bin/true");
    check_run("[\"/usr/bin/true\", \"{x}\", \"{y}\"]", "there is no parameter 'y' — did you mean 'x'?");
    check_run("[\"/usr/bin/true\", \"{x}\", \"{\"]", "a '{' has no '}' after it — write {{");
    check_run("[\"/usr/bin/true\", \"{x}\", \"}\"]", "a '}' has no '{' before it — write }}");
    check_run("[\"/usr/bin/true\", \"{x}\", \"{a b}\"]", "does not name a parameter");
    check_run("[\"/usr/bin/true\", \"{x}\", \"a\\u0000\"]", "the character NUL");
    check_run("[\"/usr/bin/dash\", \"-c\", \"echo {x}\"]", "would be a part of the code that dash runs");
    check_run("[\"/usr/bin/perl\", \"-we{x}\"]", "would be a part of the code that perl runs");
    check(
        "[[task]]\nname = \"A\"\nrun = [\"/usr/bin/true\"]\n[task.parameters.x]\ntype = \"string\"\n",
        4,
        "is not used",
    );
}

#[test]
fn an_interpreter_with_a_value_as_its_own_argument_is_fine() {
    let run =
        "[[task]]\nname = \"A\"\nrun = [\"/usr/bin/dash\", \"-c\", \"echo \\\"$1\\\"\", \"sh\", \"{x}\"]\n";
    let text = workload(&format!("{run}parameters.x.type = \"string\"\n"));
    assert!(Folder::new([("a.toml", text.as_str())]).load().is_ok());
}

#[test]
fn parameters() {
    check_parameter("type = \"sting\"", 5, "there is no type 'sting' — did you mean 'string'?");
    check_parameter("description = \"x\"", 4, "the parameter 'x' needs 'type'");
    check_parameter("type = \"string\"\nregex = \"x\"", 6, "did you mean 'pattern'?");
    check_parameter("type = \"string\"\nmin = 1", 6, "no meaning for a string — did you mean 'min_length'?");
    check_parameter("type = \"integer\"\npattern = \"x\"", 6, "no meaning for a whole number");
    check_parameter("type = \"boolean\"\none_of = [true]", 6, "no meaning for a boolean");
    check_parameter("type = \"string\"\npattern = \"(\"", 6, "the pattern cannot be used: unclosed group");
    check_parameter("type = \"string\"\npattern = \"a)|(b\"", 6, "the pattern cannot be used");
    check_parameter("type = \"integer\"\nmin = 2\nmax = 1", 4, "'min' is above 'max'");
    check_parameter(
        "type = \"string\"\nmin_length = 2\nmax_length = 1",
        4,
        "'min_length' is above 'max_length'",
    );
    check_parameter("type = \"string\"\nmax_length = -1", 6, "'max_length' must be from 0");
    check_parameter("type = \"integer\"\nmin = 9223372036854775808", 6, "not a number that large");
    check_parameter(
        "type = \"string\"\none_of = [1]",
        6,
        "'one_of' has a whole number where the type is string",
    );
    check_parameter("type = \"string\"\none_of = [\"a\", \"a\"]", 6, "'one_of' has 'a' twice");
    check_parameter("type = \"string\"\none_of = []", 6, "'one_of' is empty");
    check_parameter(
        "type = \"string\"\none_of = [\"-v\"]",
        6,
        "could never be chosen: it must not begin with '-'",
    );
    check_parameter(
        "type = \"string\"\nmax_length = 1\none_of = [\"a\",\n\"bb\"]",
        8,
        "'bb' could never be chosen",
    );
    check_parameter(
        "type = \"string\"\ndefault = 1",
        6,
        "the default is a whole number, which is not of the type",
    );
    check_parameter("type = \"list of integer\"\ndefault = 1", 6, "write a list of integer");
    check_parameter(
        "type = \"string\"\npattern = \"a+\"\ndefault = \"b\"",
        7,
        "the default must match the pattern a+",
    );
    check_parameter(
        "type = \"string\"\none_of = [\"a\"]\ndefault = \"b\"",
        7,
        "the default must be one of: a",
    );
    check_parameter(
        "type = \"string\"\nrequired = true\ndefault = \"b\"",
        4,
        "is required and has a default",
    );
    check_parameter(
        "type = \"string\"\nrequired = \"yes\"",
        6,
        "'required' must be true or false, not a string",
    );
    check_parameter("type = \"string\"\nsecret = true", 3, "the secret 'x' is an argument");
}

#[test]
fn a_secret_is_a_string_without_a_value_in_the_file() {
    let with = |line: &str| {
        let head = "[[task]]\nname = \"A\"\nrun = [\"/usr/bin/true\"]\nstdin = \"{x}\"\n[task.parameters.x]\nsecret = true\n";
        format!("{head}{line}\n")
    };
    check(&with("type = \"integer\""), 5, "is secret and not a string");
    check(&with("type = \"list of string\""), 5, "is secret and not a string");
    check(&with("type = \"string\"\ndefault = \"x\""), 8, "a secret has no 'default'");
    check(&with("type = \"string\"\none_of = [\"x\"]"), 8, "a secret has no 'one_of'");
}

#[test]
fn roles() {
    let task = "[[task]]\nname = \"Alpha\"\nrun = [\"/usr/bin/true\"]\n";
    let with = |rest: &str| format!("{task}{rest}");
    check(
        &with("[[role]]\nname = \"R\"\ntasks = [\n\"Alpa\"]\n"),
        7,
        "there is no task 'Linux\\Alpa' — did you mean 'Linux\\Alpha'?",
    );
    check(&with("[[role]]\nname = \"R\"\ntasks = [\"Other/Alpha\"]\n"), 6, "there is no task 'Other\\Alpha'");
    check(
        &with("[[role]]\nname = \"R\"\ntasks = [\"Alpha\", \"linux/alpha\"]\n"),
        6,
        "'tasks' has 'linux\\alpha' twice",
    );
    check(&with("[[role]]\nname = \"R\"\ntasks = []\n"), 6, "a role has no tasks");
    check(&with("[[role]]\nname = \"R\"\n"), 4, "a role needs 'tasks'");
    check(&with("[[role]]\ntasks = [\"Alpha\"]\n"), 4, "a role needs 'name'");
    check(
        &with("[[role]]\nname = \"R\"\ntasks = [\"Alpha\"]\nroles = []\n"),
        7,
        "a role has no key 'roles' — there are: description, name, tasks",
    );
    check(&with("[[role_group]]\nname = \"R\"\nroles = [\"None\"]\n"), 6, "there is no role 'Linux\\None'");
    let twice = "[[role]]\nname = \"R\"\ntasks = [\"Alpha\"]\n[[role]]\nname = \"r\"\ntasks = [\"Alpha\"]\n";
    check(&with(twice), 8, "the role Linux\\r is defined already in");
}

#[test]
fn heads() {
    for (text, line, words) in [
        ("", 1, "the file does not say of which workload it is"),
        ("[workload]\nname = \"Linux\"\n", 1, "a workload needs 'kind'"),
        ("[workload]\nkind = \"command\"\n", 1, "a workload needs 'name'"),
        ("[workload]\nname = \"Linux\"\nkind = \"comand\"\n", 3, "did you mean 'command'?"),
        ("[workload]\nname = \"Lin ux\"\nkind = \"command\"\n", 2, "the workload name 'Lin ux' cannot be"),
        ("[workload]\nname = \"BREVET\"\nkind = \"command\"\n", 2, "Brevet's own administration"),
        ("[workload]\nname = \"Linux\"\nkind = \"command\"\nhost = 1\n", 4, "a workload has no key 'host'"),
        ("[[tasks]]\n[workload]\nname = \"Linux\"\nkind = \"command\"\n", 1, "did you mean 'task'?"),
        (
            "[workload]\nname = \"Linux\"\nname = \"X\"\nkind = \"command\"\n",
            3,
            "this is not TOML: duplicate key",
        ),
        ("[workload\nname = \"Linux\"\nkind = \"command\"\n", 1, "this is not TOML"),
    ] {
        let problems = Folder::new([("a.toml", text)]).problems();
        let [problem] = problems.as_slice() else { panic!("{text}\n{}", problems.join("\n")) };
        assert!(
            problem.starts_with(&format!("a.toml:{line}: ")) && problem.contains(words),
            "{text}\n{problem}"
        );
    }
}

#[test]
fn all_problems_of_all_files_come_at_once() {
    let one = "[[task]]\nname = \"A\"\nrun = [\"true\"]\ntimeout = 1\n[[task]]\nname = \"A\"\nrunn = 1\n";
    let two = "[[task]]\nname = \"a\"\nrun = [\"/usr/bin/true\"]\n[[role]]\nname = \"R\"\ntasks = [\"B\"]\n";
    let head = "[workload]\nname = \"linux\"\nkind = \"command\"\n";
    let (one, two) = (workload(one), format!("{head}{two}"));
    let folder = Folder::new([("2.toml", two.as_str()), ("1.toml", one.as_str())]);
    let problems = folder.problems();
    let expected = [
        "1.toml:6: the program 'true' does not begin with / — ",
        "1.toml:7: 'timeout' must be a string",
        "1.toml:8: a task needs 'run' — ",
        "1.toml:9: the task Linux\\A is defined already in 1.toml:5 — ",
        "1.toml:10: a task has no key 'runn' — did you mean 'run'?",
        "2.toml:2: the workload 'linux' is written 'Linux' in 1.toml:2 — ",
        "2.toml:5: the task linux\\a is defined already in 1.toml:5 — ",
        "2.toml:9: there is no task 'linux\\B' — ",
    ];
    assert_eq!(problems.len(), expected.len(), "{}", problems.join("\n"));
    for (problem, expected) in problems.iter().zip(expected) {
        assert!(problem.starts_with(expected), "{problem}\n{expected}");
    }
}

#[test]
fn what_follows_from_an_unreadable_line_is_not_reported_again() {
    let broken = workload("[[task]]\nname = \"A\nrun = [\"/usr/bin/true\"]\n");
    let role = workload("[[role]]\nname = \"R\"\ntasks = [\"A\"]\nx = 1\n");
    let problems = Folder::new([("1.toml", broken.as_str()), ("2.toml", role.as_str())]).problems();
    assert!(
        problems.iter().all(|p| p.starts_with("1.toml:5: this is not TOML") || p.starts_with("2.toml:7: ")),
        "{problems:?}"
    );
}

#[test]
fn a_problem_is_one_line_whatever_the_file_holds() {
    let problems =
        Folder::new([("a.toml", workload("\"\\u001b[2J\\nforged\\u202e\" = 1\n").as_str())]).problems();
    assert_eq!(problems.len(), 1);
    assert!(problems[0].contains("\\u{1b}[2J\\u{a}forged\\u{202e}"), "{problems:?}");
}
