//! Values reach programs as what they are.

use brevet_core::{LIST_VALUES_MAX, Value};

use crate::fixture::{House, text};

/// A task that prints each of its arguments and a NUL.
const ARGUMENTS: &str = r#"
[[task]]
name = "T"
run = ["$PROBE", "arguments", "{whole}", "--part={part}.", "{optional}", "<{optional}>", "{list}", "{{n}}={n}", "{yes}"]
[task.parameters]
whole = { type = "string", required = false }
part = { type = "string", required = false }
optional = { type = "string", required = false }
list = { type = "list of string", required = false }
n = { type = "integer", default = -7, min = -10 }
yes = { type = "boolean", required = false }
"#;

/// What shells, option parsers, terminals and parsers of all sorts give a meaning.
const CORPUS: [&str; 44] = [
    " ",
    "\t",
    "\n",
    "\r\n",
    "a b",
    "a  b",
    "'",
    "\"",
    "\\",
    "`id`",
    "$(id)",
    "${HOME}",
    "$HOME",
    "$$",
    "$?",
    "&",
    "&&",
    "|",
    "||",
    ";",
    ";;",
    "<",
    ">",
    ">>",
    "<<<",
    "*",
    "?",
    "[a-z]",
    "{a,b}",
    "{whole}",
    "{{whole}}",
    "~",
    "~root",
    "#",
    "!",
    "!!",
    "%s%n",
    "\u{1b}]0;x\u{7}",
    "\u{202e}",
    "é",
    "日本語",
    "\u{fffd}",
    "=",
    "a=b",
];

fn arguments(ran: &crate::fixture::Ran) -> Vec<String> {
    let output = ran.output();
    let mut arguments: Vec<String> = output.split('\0').map(str::to_owned).collect();
    assert_eq!(arguments.pop().as_deref(), Some(""));
    arguments
}

#[test]
fn metacharacters_arrive_as_they_are_in_the_one_argument_that_they_are_for() {
    let mut house = House::new(ARGUMENTS);
    let all = CORPUS.concat();
    for value in CORPUS.iter().copied().chain([all.as_str()]) {
        let list = Value::List(vec![text(&value.replace(',', "")), text("x")]);
        let ran = house.run(&[("whole", text(value)), ("part", text(value)), ("list", list)], &[]);
        let expected = [
            value.to_owned(),
            format!("--part={value}."),
            "<>".to_owned(),
            format!("{},x", value.replace(',', "")),
            "{n}=-7".to_owned(),
        ];
        assert_eq!(arguments(&ran), expected);
    }
}

#[test]
fn what_is_not_given_is_left_out_where_it_is_the_whole_argument_and_empty_elsewhere() {
    let mut house = House::new(ARGUMENTS);
    assert_eq!(arguments(&house.run(&[], &[])), ["--part=.", "<>", "{n}=-7"]);
    let given = [("optional", text("")), ("yes", Value::Boolean(false)), ("n", Value::Integer(3))];
    assert_eq!(arguments(&house.run(&given, &[])), ["--part=.", "", "<>", "{n}=3", "false"]);
}

#[test]
fn the_largest_values_arrive_whole() {
    let mut house = House::new(ARGUMENTS);
    let long = "x".repeat(brevet_core::VALUE_BYTES_MAX);
    let list: Vec<_> = (0..LIST_VALUES_MAX).map(|i| text(&format!("{i}"))).collect();
    let given = [("whole", text(&long)), ("part", text(&long)), ("list", Value::List(list))];
    let arguments = arguments(&house.run(&given, &[]));
    assert_eq!(arguments[0], long);
    assert_eq!(arguments[1].len(), long.len() + "--part=.".len());
    assert!(arguments[3].ends_with(",98,99"));
}

#[test]
fn input_is_the_value_and_nothing_more() {
    let stdin = "[[task]]\nname = \"T\"\nrun = [\"$SH\", \"-c\", \"wc -c; cat\"]\nstdin = \"{x}\"\n";
    let tail = "[task.parameters]\nx = { type = \"string\", required = false }\n";
    let cat = stdin.replace("wc -c; cat", "cat; echo end");
    let mut house = House::new(&format!("{cat}{tail}"));
    for value in CORPUS {
        assert_eq!(house.run(&[("x", text(value))], &[]).output(), format!("{value}end\n"));
    }
    assert_eq!(house.run(&[], &[]).output(), "end\n");
}
