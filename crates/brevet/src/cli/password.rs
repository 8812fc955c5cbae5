//! Passwords and one-time codes: asked for without showing them, or read from standard input. `brevet password`.

use std::io::BufRead as _;
use std::path::Path;

use brevet_wire::{ChangePassword, SecretText};
use clap::Args;
use serde_json::Value;
use zeroize::Zeroizing;

use super::context::Context;
use super::exit::{Done, Failure};
use super::run_secrets;
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
        true => (line_of_input("password")?, line_of_input("password")?),
        false => (ask("Current password: ")?, choose()?),
    };
    client.post("/password", &ChangePassword { current, new }).await?;
    context.console.done("Your password was changed.", &Value::Null)?;
    Ok(Done::Well)
}

/// Reads a password.
pub(super) fn read(purpose: &Purpose, from_stdin: bool, terminal: Terminal) -> Result<SecretText, Failure> {
    match (from_stdin, purpose) {
        (true, _) => line_of_input("password"),
        (false, _) if !terminal.input => Err(Failure::Usage(
            "there is no terminal to ask for the password on; give it with --password-stdin".into(),
        )),
        (false, Purpose::Enter { user, server }) => ask(&format!("Password of {user} on {server}: ")),
        (false, Purpose::Choose) => choose(),
    }
}

/// Reads the one-time code of an option: asks, reads the file of `@FILE`, or a line of standard input for `-`. Anything else
/// is the code itself, which everybody on the machine could read meanwhile.
pub(super) fn code(option: &str, given: Option<String>, terminal: Terminal) -> Result<SecretText, Failure> {
    let code = match given {
        None if terminal.input => ask("One-time code: ")?,
        None => {
            return Err(Failure::Usage(format!(
                "there is no terminal to ask for the code on; give it with {option} @FILE or {option} -"
            )));
        }
        Some(text) if text == "-" || text == "@-" => line_of_input("one-time code")?,
        Some(text) => match text.strip_prefix('@') {
            Some(path) => run_secrets::from_file(Path::new(path))?,
            None => SecretText::new(text),
        },
    };
    code.reveal(|text| match text.trim() {
        "" => Err(Failure::Usage(format!("the one-time code of {option} is empty"))),
        text => Ok(SecretText::new(text.to_owned())),
    })
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

fn line_of_input(what: &str) -> Result<SecretText, Failure> {
    let mut line = Zeroizing::new(String::new());
    std::io::stdin().lock().read_line(&mut line).map_err(Failure::io("standard input cannot be read"))?;
    let secret = line.trim_end_matches(['\n', '\r']);
    match secret.is_empty() {
        true => Err(Failure::Usage(format!("standard input holds no {what}"))),
        false => Ok(SecretText::new(secret.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::code;
    use crate::cli::settings::Terminal;

    #[test]
    fn a_code_comes_from_a_file_and_without_a_terminal_it_is_said_how() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("code");
        let read = |given: Option<String>| code("--setup", given, Terminal::default());
        let file = || read(Some(format!("@{}", path.display())));
        std::fs::write(&path, " 4T8C-Z1PD \n").unwrap();
        file().unwrap().reveal(|code| assert_eq!(code, "4T8C-Z1PD"));
        std::fs::write(&path, "\n").unwrap();
        assert_eq!(file().unwrap_err().to_string(), "the one-time code of --setup is empty");
        let nobody = read(None).unwrap_err().to_string();
        assert!(nobody.contains("--setup @FILE") && nobody.contains("--setup -"), "{nobody}");
    }
}
