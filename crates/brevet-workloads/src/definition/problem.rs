//! What is wrong in files of definitions: all of it, each with its place and a way out.

use std::collections::BTreeSet;
use std::fmt;
use std::path::{Path, PathBuf};

use brevet_core::escape_for_display;

/// One thing that is wrong, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// The file, or the folder.
    pub file: PathBuf,
    /// The line, counted from 1, where the problem is in the text of the file.
    pub line: Option<usize>,
    /// What is wrong.
    pub sentence: String,
    /// What to do.
    pub hint: String,
}

/// Everything that is wrong in all files, in the order of files and lines. Never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problems(Vec<Problem>);

impl Problem {
    pub(super) fn of_file(file: &Path, sentence: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { file: file.to_owned(), line: None, sentence: sentence.into(), hint: hint.into() }
    }
}

impl fmt::Display for Problem {
    /// `file:line: sentence — hint`, on one line whatever the file holds.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, line, sentence, hint } = self;
        f.write_str(&escape_for_display(&file.to_string_lossy()))?;
        if let Some(line) = line {
            write!(f, ":{line}")?;
        }
        write!(f, ": {} — {}", escape_for_display(sentence), escape_for_display(hint))
    }
}

impl Problems {
    /// `None` when there is none.
    pub(super) fn new(mut problems: Vec<Problem>) -> Option<Self> {
        problems.sort();
        problems.dedup();
        (!problems.is_empty()).then_some(Self(problems))
    }

    /// Each of them.
    pub fn as_slice(&self) -> &[Problem] {
        &self.0
    }
}

impl fmt::Display for Problems {
    /// One line for each.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().enumerate().try_for_each(|(i, problem)| {
            f.write_str(if i == 0 { "" } else { "\n" })?;
            problem.fmt(f)
        })
    }
}

impl std::error::Error for Problems {}

/// What is wrong in one file, while it is read.
#[derive(Debug)]
pub(super) struct Report {
    file: PathBuf,
    /// Where each line begins, in bytes.
    lines: Vec<usize>,
    problems: Vec<Problem>,
    /// Lines that are not TOML: what follows from that is not reported again.
    unreadable: BTreeSet<usize>,
}

impl Report {
    pub(super) fn new(file: &Path, text: &str) -> Self {
        let ends = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at + 1);
        let lines = std::iter::once(0).chain(ends).collect();
        Self { file: file.to_owned(), lines, problems: Vec::new(), unreadable: BTreeSet::new() }
    }

    /// Notes a problem at this byte of the file.
    pub(super) fn add(&mut self, at: usize, sentence: impl Into<String>, hint: impl Into<String>) {
        let line = self.line(at);
        if !self.unreadable.contains(&line) {
            self.put(line, sentence.into(), hint.into());
        }
    }

    /// Notes that something is not there; in a file that could not be read whole it may well be.
    pub(super) fn missing(&mut self, at: usize, sentence: impl Into<String>, hint: impl Into<String>) {
        if self.is_readable() {
            self.add(at, sentence, hint);
        }
    }

    /// Notes that the text is not TOML here.
    pub(super) fn unreadable(&mut self, at: usize, sentence: impl Into<String>, hint: impl Into<String>) {
        let line = self.line(at);
        self.put(line, sentence.into(), hint.into());
        self.unreadable.insert(line);
    }

    /// Whether every name that the file defines is known, so that others can be said to be missing.
    pub(super) fn is_readable(&self) -> bool {
        self.unreadable.is_empty()
    }

    /// `file:line`, to point at from another place.
    pub(super) fn place(&self, at: usize) -> String {
        format!("{}:{}", self.file.display(), self.line(at))
    }

    pub(super) fn finish(self) -> Vec<Problem> {
        self.problems
    }

    fn line(&self, at: usize) -> usize {
        self.lines.partition_point(|begin| *begin <= at)
    }

    fn put(&mut self, line: usize, sentence: String, hint: String) {
        self.problems.push(Problem { file: self.file.clone(), line: Some(line), sentence, hint });
    }
}
