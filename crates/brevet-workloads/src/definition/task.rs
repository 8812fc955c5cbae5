//! `[[task]]`: what runs, as whom, with which limits.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use brevet_core::{Digest, ParameterName, ParameterSpec, QualifiedName, TaskSpec};

use super::limit::{ARGUMENTS_BYTES_MAX, ARGUMENTS_MAX};
use super::problem::Report;
use super::section::{Located, Section, suggestion};
use super::template::Template;
use super::{digest, environment, interpreter, parameter, text};

/// A task of a `command` workload: what the core knows of it, and what it takes to run it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandTask {
    pub(crate) spec: TaskSpec,
    /// Absolute.
    pub(crate) program: PathBuf,
    /// What the content of the program must be.
    pub(crate) sha256: Option<Digest>,
    /// After the program.
    pub(crate) arguments: Vec<Template>,
    /// The parameter whose value is the standard input; none is an empty input.
    pub(crate) stdin: Option<ParameterName>,
    pub(crate) environment: BTreeMap<String, String>,
    /// Absolute.
    pub(crate) directory: PathBuf,
    pub(crate) umask: u32,
    /// What is kept of the output, in bytes.
    pub(crate) output_limit: u64,
}

impl CommandTask {
    /// What the core knows of it.
    pub fn spec(&self) -> &TaskSpec {
        &self.spec
    }

    /// The program that runs.
    pub fn program(&self) -> &Path {
        &self.program
    }
}

const KEYS: [&str; 14] = [
    "description",
    "directory",
    "environment",
    "name",
    "on_expiry",
    "output_limit",
    "parameters",
    "run",
    "run_as",
    "sha256",
    "stdin",
    "timeout",
    "umask",
    "witnessed",
];

/// A task with the places that later checks point at.
pub(super) struct ReadTask {
    pub(super) task: CommandTask,
    pub(super) at: usize,
    pub(super) run_at: usize,
    pub(super) run_as_at: usize,
    pub(super) directory_at: usize,
}

/// Reads a task of the workload `scope`. What cannot be read is noted and stands in with its default: nothing is
/// used of a file with a problem.
pub(super) fn read(section: &Section<'_>, scope: &str, report: &mut Report) -> Option<ReadTask> {
    section.only(&KEYS, report);
    let parameters = parameter::read_all(section, report);
    let run = read_run(section, report);
    let stdin = read_stdin(section, report);
    let run_as = section.text("run_as", report);
    check_use(&parameters, &run, stdin.as_ref(), report);
    let name = section.needed_text("name", report)?;
    let qualified = qualify(scope, name, report)?;
    let task = CommandTask {
        spec: TaskSpec {
            name: qualified,
            description: text::description(section, report),
            parameters: parameters.into_iter().map(|parameter| parameter.value).collect(),
            command: run.written,
            run_as: run_as.map(|user| user.value.to_owned()),
            timeout: text::timeout(section, report),
            on_expiry: text::on_expiry(section, report),
            digest: Digest([0; 32]),
            witnessed: text::witnessed(section, report),
        },
        program: run.program,
        sha256: read_sha256(section, report),
        arguments: run.arguments.into_iter().map(|argument| argument.value).collect(),
        stdin: stdin.map(|stdin| stdin.value),
        environment: environment::read(section, report),
        directory: text::directory(section, report),
        umask: text::umask(section, report),
        output_limit: text::output_limit(section, report),
    };
    Some(ReadTask {
        task: digest::sealed(task),
        at: name.at,
        run_at: run.at,
        run_as_at: run_as.map_or(section.at, |user| user.at),
        directory_at: section.place("directory"),
    })
}

/// A name within the workload.
pub(super) fn qualify(scope: &str, name: Located<&str>, report: &mut Report) -> Option<QualifiedName> {
    QualifiedName::new(scope, name.value)
        .inspect_err(|error| {
            let hint = "write the name alone; its workload is that of the file";
            report.add(name.at, format!("the name '{}' cannot be: {error}", name.value), hint);
        })
        .ok()
}

struct Run {
    at: usize,
    written: Vec<String>,
    program: PathBuf,
    arguments: Vec<Located<Template>>,
    /// Whether every argument could be read, so that a parameter can be said to be in none.
    is_readable: bool,
}

fn read_run(section: &Section<'_>, report: &mut Report) -> Run {
    let mut run = Run {
        at: section.at,
        written: Vec::new(),
        program: PathBuf::from("/"),
        arguments: Vec::new(),
        is_readable: false,
    };
    let example = "write run = [\"/usr/bin/program\", \"argument\"]";
    if !section.has("run") {
        report.missing(section.at, format!("{} needs 'run'", section.what), example);
    }
    let Some(list) = section.texts("run", report) else { return run };
    run.at = list.at;
    run.written = list.value.iter().map(|argument| argument.value.to_owned()).collect();
    let bytes: usize = run.written.iter().map(|argument| argument.len() + 1).sum();
    if run.written.len() > ARGUMENTS_MAX || bytes > ARGUMENTS_BYTES_MAX {
        let hint =
            format!("at most {ARGUMENTS_MAX} arguments and {ARGUMENTS_BYTES_MAX} bytes: write a script");
        report.add(list.at, "'run' is too long", hint);
    }
    let Some((program, arguments)) = list.value.split_first() else {
        report.add(list.at, "'run' is empty", example);
        return run;
    };
    run.program = read_program(*program, report).unwrap_or(run.program);
    run.is_readable = true;
    for argument in arguments {
        match Template::parse(argument.value) {
            Ok(template) => run.arguments.push(argument.map(|_| template)),
            Err(bad) => {
                run.is_readable = false;
                report.add(argument.at, bad.sentence, bad.hint);
            }
        }
    }
    interpreter::check(&run.program, &run.arguments, report);
    run
}

fn read_program(written: Located<&str>, report: &mut Report) -> Option<PathBuf> {
    let template = Template::parse(written.value)
        .inspect_err(|bad| report.add(written.at, bad.sentence.clone(), bad.hint))
        .ok()?;
    let Some(path) = template.as_literal() else {
        let hint = "write the whole path of one program, and a task for each";
        report.add(written.at, "the program cannot be a parameter", hint);
        return None;
    };
    match text::plain_path(path) {
        Ok(()) => Some(PathBuf::from(path)),
        Err(sentence) => {
            let hint = "write the whole path, as `command -v` prints it: nothing is searched for";
            report.add(written.at, format!("the program {sentence}"), hint);
            None
        }
    }
}

fn read_stdin(section: &Section<'_>, report: &mut Report) -> Option<Located<ParameterName>> {
    let text = section.text("stdin", report)?;
    let name = Template::parse(text.value).ok().and_then(|template| template.as_parameter().cloned());
    if name.is_none() {
        let sentence = format!("'stdin' is one parameter and nothing else, not '{}'", text.value);
        report.add(text.at, sentence, "write stdin = \"{parameter}\"");
    }
    name.map(|name| Located { value: name, at: text.at })
}

fn read_sha256(section: &Section<'_>, report: &mut Report) -> Option<Digest> {
    let text = section.text("sha256", report)?;
    let digest = parse_hex(text.value);
    if digest.is_none() {
        report.add(text.at, "'sha256' is not a SHA-256", "write the 64 digits that `sha256sum` prints");
    }
    digest.map(Digest)
}

fn parse_hex(text: &str) -> Option<[u8; 32]> {
    let digits: Vec<u8> =
        text.chars().map(|c| c.to_digit(16).and_then(|d| u8::try_from(d).ok())).collect::<Option<_>>()?;
    let bytes: Vec<u8> = digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect();
    if digits.len() == 64 { bytes.try_into().ok() } else { None }
}

/// Every placeholder names a parameter, every parameter is used, and a secret only as standard input.
fn check_use(
    parameters: &[Located<ParameterSpec>],
    run: &Run,
    stdin: Option<&Located<ParameterName>>,
    report: &mut Report,
) {
    let of_argument = |argument: &'_ Located<Template>| {
        let at = argument.at;
        argument.value.parameters().cloned().map(move |value| Located { value, at }).collect::<Vec<_>>()
    };
    let in_run: Vec<Located<ParameterName>> = run.arguments.iter().flat_map(of_argument).collect();
    check_placeholders(parameters, in_run.iter().chain(stdin), report);
    for Located { value: spec, at } in parameters {
        let argument = in_run.iter().find(|used| used.value == spec.name);
        let is_stdin = stdin.is_some_and(|stdin| stdin.value == spec.name);
        if let Some(used) = argument
            && spec.secret
        {
            let sentence = format!("the secret '{}' is an argument, which every process can read", spec.name);
            report.add(used.at, sentence, format!("give it by stdin = \"{{{}}}\"", spec.name));
        }
        if argument.is_none() && !is_stdin && run.is_readable {
            let hint = format!("put {{{}}} into 'run' or 'stdin', or remove it", spec.name);
            report.missing(*at, format!("the parameter '{}' is not used", spec.name), hint);
        }
    }
}

fn check_placeholders<'a>(
    parameters: &[Located<ParameterSpec>],
    used: impl Iterator<Item = &'a Located<ParameterName>>,
    report: &mut Report,
) {
    let names: Vec<&str> = parameters.iter().map(|parameter| parameter.value.name.as_str()).collect();
    for Located { value: name, at } in used.filter(|used| !names.contains(&used.value.as_str())) {
        let hint = match names.is_empty() {
            true => format!("add [task.parameters.{name}]"),
            false => suggestion(name.as_str(), &names),
        };
        report.missing(*at, format!("there is no parameter '{name}'"), hint);
    }
}
