//! Passwords: asked for without showing them, or read from standard input. `brevet password`.

use std::io::BufRead as _;

use brevet_wire::{ChangePassword, SecretText};
use clap::Args;
use serde_json::Value;
use zeroize::Zeroizing;

use super::context::Context;
use super::exit::{Done, Failure};
use super::settings::Terminal;

/// Change your password
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  brevet password")]
pub(crate) struct PasswordArgs {
    /// Read the current and the new password from standard input, one line each
    #[arg(long)]
    password_stdin: bool,
}

/// Why a password is asked for.
pub(super) enum Purpose {
    /// To sign in with it.
    Enter {
        /// Whose it is.
        user: String,
        /// Where.
        server: String,
    },
    /// To have it from now on; asked for twice.
    Choose,
}

/// Changes the password of whoever is signed in.
pub(super) async fn change(context: &mut Context, args: &PasswordArgs) -> Result<Done, Failure> {
    let client = context.client()?;
    let (current, new) = match args.password_stdin {
        true => (line_of_input()?, line_of_input()?),
        false => (ask("Current password: ")?, choose()?),
    };
    client.post("/password", &ChangePassword { current, new }).await?;
    context.console.done("Your password was changed.", &Value::Null)?;
    Ok(Done::Well)
}

/// Reads a password.
pub(super) fn read(purpose: &Purpose, from_stdin: bool, terminal: Terminal) -> Result<SecretText, Failure> {
    match (from_stdin, purpose) {
        (true, _) => line_of_input(),
        (false, _) if !terminal.input => Err(Failure::Usage(
            "there is no terminal to ask for the password on; give it with --password-stdin".into(),
        )),
        (false, Purpose::Enter { user, server }) => ask(&format!("Password of {user} on {server}: ")),
        (false, Purpose::Choose) => choose(),
    }
}

fn choose() -> Result<SecretText, Failure> {
    let first = ask("New password: ")?;
    let second = ask("New password again: ")?;
    match first.reveal(|first| second.reveal(|second| first == second)) {
        true => Ok(first),
        false => Err(Failure::Usage("the two passwords differ; try again".into())),
    }
}

/// Asks on the terminal, without showing what is typed.
pub(super) fn ask(prompt: &str) -> Result<SecretText, Failure> {
    rpassword::prompt_password(prompt)
        .map(SecretText::new)
        .map_err(Failure::io("the terminal cannot be read"))
}

fn line_of_input() -> Result<SecretText, Failure> {
    let mut line = Zeroizing::new(String::new());
    std::io::stdin().lock().read_line(&mut line).map_err(Failure::io("standard input cannot be read"))?;
    let password = line.trim_end_matches(['\n', '\r']);
    match password.is_empty() {
        true => Err(Failure::Usage("standard input holds no password".into())),
        false => Ok(SecretText::new(password.to_owned())),
    }
}
