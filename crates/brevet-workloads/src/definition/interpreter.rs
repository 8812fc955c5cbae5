//! Programs that take code as an argument: a value put into that argument would be run as code.

use std::path::Path;

use super::problem::Report;
use super::section::Located;
use super::template::{Part, Template};

/// How programs of this family begin, and the letters of the options whose argument is code.
const FAMILIES: [(&str, &str); 16] = [
    ("ash", "c"),
    ("bash", "c"),
    ("busybox", "c"),
    ("csh", "c"),
    ("dash", "c"),
    ("fish", "c"),
    ("ksh", "c"),
    ("lua", "e"),
    ("node", "ep"),
    ("perl", "eE"),
    ("php", "r"),
    ("python", "c"),
    ("ruby", "e"),
    ("sh", "c"),
    ("tcsh", "c"),
    ("zsh", "c"),
];

/// Notes a placeholder in the code that an interpreter is given by an option.
pub(super) fn check(program: &Path, arguments: &[Located<Template>], report: &mut Report) {
    let name = program.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let stem = name.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.' || c == '-');
    let Some((_, letters)) = FAMILIES.iter().find(|(family, _)| *family == stem) else { return };
    let takes_code = |argument: &Located<Template>| match argument.value.0.first() {
        Some(Part::Literal(text)) => is_code_option(text, letters),
        _ => false,
    };
    let Some(option) = arguments.iter().position(takes_code) else { return };
    // `-c 'code'` and `-e'code'`: the option itself, or what follows it.
    for argument in arguments.iter().skip(option).take(2) {
        if let Some(parameter) = argument.value.parameters().next() {
            let sentence = format!("the value of '{parameter}' would be a part of the code that {name} runs");
            let hint = "give it to the code as an argument of its own, as in [\"sh\", \"-c\", \"…\\\"$1\\\"…\", \"sh\", \"{x}\"]";
            report.add(argument.at, sentence, hint);
        }
    }
}

fn is_code_option(text: &str, letters: &str) -> bool {
    text.strip_prefix('-').is_some_and(|flags| {
        let flags: &str = flags.split(|c: char| !c.is_ascii_alphabetic()).next().unwrap_or_default();
        flags.contains(|c: char| letters.contains(c))
    })
}
