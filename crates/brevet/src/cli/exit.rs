//! How a command ends: exit codes that scripts rely on, and errors that tell a person what to do next.

use std::process::ExitCode;

use brevet_wire::{Problem, WayOut};

/// Refused or failed.
pub(crate) const FAILED: u8 = 1;
/// The command line made no sense.
pub(crate) const USAGE: u8 = 2;
/// An approval is needed: a request exists, or can be made.
pub(crate) const NEEDS_APPROVAL: u8 = 3;
/// Nobody is signed in.
pub(crate) const NOT_SIGNED_IN: u8 = 4;
/// A run started, and Brevet itself failed after that.
pub(crate) const LOST: u8 = 125;
/// Left by Ctrl-C (128 + SIGINT), as shells say it.
pub(crate) const INTERRUPTED: u8 = 130;
/// A run was stopped before its own end (128 + SIGTERM).
pub(crate) const STOPPED: u8 = 143;

/// Why a command did not do what it was told to.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// No session, or one that is over.
    #[error("{why} Sign in with: brevet login --user NAME")]
    NotSignedIn {
        /// What is so, as a sentence.
        why: String,
    },
    /// The server said no, and how to get a yes.
    #[error("{}", needs_approval(.0))]
    NeedsApproval(Box<Problem>),
    /// A request was made, or was there, and is not approved yet.
    #[error("{0}")]
    Waiting(String),
    /// The server said no, or could not.
    #[error("{}", refused(.0))]
    Refused(Box<Problem>),
    /// What was typed cannot be meant.
    #[error("{0}")]
    Usage(String),
    /// No connection, or one that broke.
    #[error(
        "{server} cannot be reached: {why}. Is the server running? Name another with --server or BREVET_SERVER."
    )]
    Unreachable {
        /// Where to.
        server: String,
        /// What went wrong.
        why: String,
    },
    /// The server answered something that this version does not understand.
    #[error("{server} gave an answer that this version of brevet does not understand: {why}")]
    Unexpected {
        /// Who answered.
        server: String,
        /// What is wrong with it.
        why: String,
    },
    /// Anything else, as a sentence.
    #[error("{0}")]
    Failed(String),
    /// A run started, and what became of it is not known here.
    #[error("{0}")]
    Lost(String),
    /// Left by Ctrl-C.
    #[error("{0}")]
    Interrupted(String),
    /// Reading or writing failed.
    #[error("{what}: {source}")]
    Io {
        /// What was read or written.
        what: String,
        /// Why it failed.
        source: std::io::Error,
    },
}

impl Failure {
    /// Names what was read or written when it failed.
    pub(crate) fn io(what: impl Into<String>) -> impl FnOnce(std::io::Error) -> Self {
        let what = what.into();
        move |source| Self::Io { what, source }
    }

    /// The exit code.
    pub(crate) const fn code(&self) -> u8 {
        match self {
            Self::NotSignedIn { .. } => NOT_SIGNED_IN,
            Self::NeedsApproval(_) | Self::Waiting(_) => NEEDS_APPROVAL,
            Self::Usage(_) => USAGE,
            Self::Lost(_) => LOST,
            Self::Interrupted(_) => INTERRUPTED,
            Self::Refused(_)
            | Self::Unreachable { .. }
            | Self::Unexpected { .. }
            | Self::Failed(_)
            | Self::Io { .. } => FAILED,
        }
    }

    /// What the server said, where it was the server who refused.
    pub(crate) fn problem(&self) -> Option<&Problem> {
        match self {
            Self::NeedsApproval(problem) | Self::Refused(problem) => Some(problem),
            _ => None,
        }
    }

    /// Whether nobody is left to read what is written (`brevet … | head`): nothing to complain about.
    pub(crate) fn is_broken_pipe(&self) -> bool {
        matches!(self, Self::Io { source, .. } if source.kind() == std::io::ErrorKind::BrokenPipe)
    }
}

/// How a command ended that did what it was told to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Done {
    /// All well.
    Well,
    /// With an exit code that is not Brevet's own.
    Code(u8),
}

impl From<Done> for ExitCode {
    fn from(done: Done) -> Self {
        match done {
            Done::Well => Self::SUCCESS,
            Done::Code(code) => Self::from(code),
        }
    }
}

fn refused(problem: &Problem) -> String {
    match (problem.detail.is_empty(), problem.title.is_empty()) {
        (false, _) => problem.detail.clone(),
        (true, false) => format!("{}.", problem.title),
        (true, true) => format!("The server answered with status {} and no reason.", problem.status),
    }
}

fn needs_approval(problem: &Problem) -> String {
    let mut lines = vec![refused(problem)];
    if let Some(way_out) = &problem.way_out {
        let WayOut { task, policy, approver_groups, held, ask } = way_out;
        lines.push(match approver_groups.as_slice() {
            [] => format!("  {task} is governed by {policy}, which approves by itself those who may ask."),
            groups => format!("  {task} is governed by {policy}; {} can approve.", groups.join(", ")),
        });
        lines.extend(held.iter().map(|held| format!("  {held}")));
        lines.push(format!(
            "Ask with:\n  {ask}\nor let 'brevet run' ask, wait and run: add --reason \"WHY\" --wait"
        ));
    }
    lines.join("\n")
}
