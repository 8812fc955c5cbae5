use clap::CommandFactory as _;

use crate::cli::Cli;
use crate::cli::testing::snapshot;

/// Every command that does something, with its words.
fn leaves(command: &clap::Command, words: &str, found: &mut Vec<(String, clap::Command)>) {
    let words = format!("{words} {}", command.get_name()).trim().to_owned();
    found.push((words.clone(), command.clone()));
    for below in command.get_subcommands().filter(|below| below.get_name() != "help" && !below.is_hide_set())
    {
        leaves(below, &words, found);
    }
}

fn all() -> Vec<(String, clap::Command)> {
    let mut found = Vec::new();
    let mut command = Cli::command();
    command.build();
    leaves(&command, "", &mut found);
    found
}

#[test]
fn the_commands_make_sense() {
    Cli::command().debug_assert();
}

#[test]
fn every_command_says_what_it_does_and_has_an_example_that_parses() {
    for (words, command) in all() {
        assert!(command.get_about().is_some(), "{words} says nothing about itself");
        let after = command.get_after_help().map(ToString::to_string).unwrap_or_default();
        assert!(after.contains("Example"), "{words} has no example");
        let after = after.replace("\\\n", " ");
        for line in after.lines().filter_map(|line| line.strip_prefix("  brevet ")) {
            let line = ["&&", " > ", " | "].iter().fold(line, |line, end| line.split(end).next().unwrap());
            let words = std::iter::once("brevet".to_owned()).chain(shell_words(line));
            if let Err(error) = Cli::command().try_get_matches_from(words) {
                panic!("brevet {line}\n{error}");
            }
        }
    }
}

#[test]
fn every_option_is_described() {
    for (words, command) in all() {
        for argument in command.get_arguments() {
            assert!(argument.get_help().is_some(), "{words} {} is not described", argument.get_id());
        }
    }
}

#[test]
fn the_commands_are_those_of_the_contract() {
    let listed: Vec<String> = all().into_iter().map(|(words, _)| words).collect();
    snapshot("commands.txt", &listed.join("\n"));
}

#[test]
fn help_texts() {
    for (words, mut command) in all() {
        if ["brevet", "brevet run", "brevet policy create", "brevet request new", "brevet login"]
            .contains(&words.as_str())
        {
            let text = command.render_long_help().to_string();
            snapshot(&format!("help-{}.txt", words.replace(' ', "-")), &text);
        }
    }
}

/// Words as a shell would split them; quotes are all that the examples use.
fn shell_words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    for (place, part) in line.trim().split('"').enumerate() {
        match place % 2 {
            0 => words.extend(part.split_whitespace().map(str::to_owned)),
            _ => words.push(part.to_owned()),
        }
    }
    words
}
