//! What surrounds the command line: the environment, the clock and the terminal of this process are read here and
//! nowhere else in `cli`.

use std::ffi::OsString;
use std::io::IsTerminal as _;
use std::path::PathBuf;

use brevet_wire::SecretText;

use super::exit::Failure;
use super::memory::Keeping;
use super::server::ServerUrl;
use super::token::TokenFile;
use crate::world::{Machine, World as _};

/// Where the server listens and the command line looks, unless told otherwise.
pub const DEFAULT_ADDRESS: &str = "127.0.0.1:8420";

/// The environment, as far as the command line looks at it.
#[derive(Debug, Default)]
pub(crate) struct Environment {
    /// `BREVET_SERVER`.
    pub(crate) server: Option<String>,
    /// `BREVET_TOKEN`.
    pub(crate) token: Option<SecretText>,
    /// `BREVET_CA_FILE`.
    pub(crate) ca_file: Option<PathBuf>,
    /// The folder for Brevet's own settings: `$XDG_CONFIG_HOME/brevet`, or `~/.config/brevet`.
    pub(crate) config_folder: Option<PathBuf>,
    /// Where receipts are kept: in `$XDG_STATE_HOME/brevet` or `~/.local/state/brevet`, and where only the folder for
    /// settings is known, there. `BREVET_RECEIPTS=off` keeps none.
    pub(crate) keeping: Keeping,
    /// Whether `NO_COLOR` asks for plain text (no-color.org), or the terminal can do no better.
    pub(crate) plain: bool,
}

impl Environment {
    /// Reads it.
    pub(crate) fn read() -> Self {
        let absolute = |name| variable(name).map(PathBuf::from).filter(|path| path.is_absolute());
        let config =
            absolute("XDG_CONFIG_HOME").or_else(|| absolute("HOME").map(|home| home.join(".config")));
        let state =
            absolute("XDG_STATE_HOME").or_else(|| absolute("HOME").map(|home| home.join(".local/state")));
        let is_off = text("BREVET_RECEIPTS").is_some_and(|text| text == "off");
        let keeping = match state.or_else(|| config.clone()) {
            _ if is_off => Keeping::Off,
            Some(state) => Keeping::In(state.join("brevet").join("receipts")),
            None => Keeping::NoPlace,
        };
        Self {
            keeping,
            server: text("BREVET_SERVER"),
            token: text("BREVET_TOKEN").map(SecretText::new),
            ca_file: variable("BREVET_CA_FILE").map(PathBuf::from),
            config_folder: config.map(|folder| folder.join("brevet")),
            plain: variable("NO_COLOR").is_some() || variable("TERM").is_some_and(|term| term == "dumb"),
        }
    }
}

impl Environment {
    /// The server that `BREVET_TOKEN` is for: that of `BREVET_SERVER`, otherwise the one that was signed in to last, or
    /// the default. A token file that cannot be read names none.
    pub(crate) fn token_server(&self) -> Result<ServerUrl, Failure> {
        let last = || {
            let tokens = TokenFile::in_folder(self.config_folder.as_deref()?).load();
            tokens.unwrap_or_default().current
        };
        match self.server.clone().or_else(last) {
            Some(named) => ServerUrl::parse(&named),
            None => ServerUrl::parse(&format!("http://{DEFAULT_ADDRESS}")),
        }
    }
}

/// A variable, unless it is not set or empty.
#[expect(clippy::disallowed_methods, reason = "the one place where the command line reads its environment")]
fn variable(name: &str) -> Option<OsString> {
    std::env::var_os(name).filter(|value| !value.is_empty())
}

fn text(name: &str) -> Option<String> {
    variable(name)?.into_string().ok().map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
}

/// The clock of the person in front of it; nothing is decided by it.
pub(crate) fn now() -> jiff::Timestamp {
    jiff::Timestamp::now()
}

/// 128 random bits in hexadecimal, to tell a repeated call from a second one.
pub(crate) fn random_key() -> std::io::Result<String> {
    let mut bytes = [0; 16];
    Machine.fill(&mut bytes)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Which of the three standard streams are a terminal, and how wide it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Terminal {
    /// Standard input.
    pub(crate) input: bool,
    /// Standard output.
    pub(crate) output: bool,
    /// Standard error.
    pub(crate) error: bool,
    /// Columns, when the output is a terminal that says so.
    pub(crate) width: Option<u16>,
}

impl Terminal {
    /// Looks.
    pub(crate) fn look() -> Self {
        let output = std::io::stdout().is_terminal();
        let size = || rustix::termios::tcgetwinsize(std::io::stdout()).ok();
        let width = output.then(size).flatten().map(|size| size.ws_col).filter(|columns| *columns > 0);
        Self { input: std::io::stdin().is_terminal(), output, error: std::io::stderr().is_terminal(), width }
    }
}
