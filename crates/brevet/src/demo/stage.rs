//! The stage: folders, the server, and the people who type.

use std::io::{IsTerminal as _, Write as _};
use std::net::SocketAddr;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use anyhow::{Context as _, bail};

use super::server::Server;

/// Folders, server and people of the demonstration.
pub(super) struct Stage {
    program: PathBuf,
    folder: PathBuf,
    server: Option<Server>,
    url: String,
    in_colour: bool,
}

/// What a command answered.
pub(super) struct Answer {
    pub(super) code: i32,
    pub(super) stdout: String,
    pub(super) stderr: String,
}

impl Stage {
    /// Makes the folders and the definitions, and starts the server.
    pub(super) fn set(folder: &Path, listen: Option<SocketAddr>) -> anyhow::Result<Self> {
        let program = std::env::current_exe().context("where this program is cannot be found out")?;
        for name in ["data", "tasks", "site", "people"] {
            std::fs::DirBuilder::new().mode(0o700).create(folder.join(name))?;
        }
        super::organization::write_tasks(folder)?;
        let listen = listen.map_or_else(|| "127.0.0.1:0".to_owned(), |listen| listen.to_string());
        let server = Server::start(&program, &folder.join("data"), &folder.join("tasks"), &listen)?;
        let url = server.url.clone();
        let in_colour = std::io::stdout().is_terminal();
        Ok(Self { program, folder: folder.to_owned(), server: Some(server), url, in_colour })
    }

    pub(super) fn program(&self) -> &Path {
        &self.program
    }

    pub(super) fn url(&self) -> &str {
        &self.url
    }

    /// The data folder of the server.
    pub(super) fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// The file that only the broker may change.
    pub(super) fn site(&self) -> PathBuf {
        self.folder.join("site")
    }

    pub(super) fn setup_code(&self) -> String {
        self.server.as_ref().map(|server| server.setup_code.clone()).unwrap_or_default()
    }

    pub(super) fn say(&self, text: &str) {
        let mut out = std::io::stdout();
        drop(out.write_all(text.as_bytes()).and_then(|()| out.flush()));
    }

    /// A heading of the story.
    pub(super) fn head(&self, text: &str) {
        let (bold, plain) = if self.in_colour { ("\x1b[1m", "\x1b[0m") } else { ("", "") };
        self.say(&format!("\n{bold}{text}{plain}\n"));
    }

    /// Lets a person type a command, shows what it prints, and insists on its exit code.
    pub(super) fn types(&self, person: &str, line: &str, wanted: i32) -> anyhow::Result<Answer> {
        self.prompt(person, line);
        let answer = self.runs(person, line, None)?;
        for text in [&answer.stdout, &answer.stderr] {
            self.say(&indented(text));
        }
        match answer.code == wanted {
            true => Ok(answer),
            false => bail!("'brevet {line}' ended with {}, and should have with {wanted}", answer.code),
        }
    }

    fn prompt(&self, person: &str, line: &str) {
        let (bold, plain) = if self.in_colour { ("\x1b[36m", "\x1b[0m") } else { ("", "") };
        self.say(&format!("\n  {bold}{person}$ brevet {line}{plain}\n"));
    }

    /// Runs a command as a person, without showing it.
    pub(super) fn runs(&self, person: &str, line: &str, input: Option<&str>) -> anyhow::Result<Answer> {
        let mut child =
            self.command(person, line)?.stdin(Stdio::piped()).spawn().context("brevet cannot be started")?;
        if let (Some(mut stdin), Some(input)) = (child.stdin.take(), input) {
            stdin.write_all(input.as_bytes())?;
        }
        answer(child.wait_with_output()?)
    }

    /// Lets a person start a command that goes on; [`Stage::sees`] waits for its end.
    pub(super) fn begins(&self, person: &str, line: &str) -> anyhow::Result<Child> {
        self.prompt(person, &format!("{line} &"));
        self.command(person, line)?.stdin(Stdio::null()).spawn().context("brevet cannot be started")
    }

    /// Shows how a command that was begun ended.
    pub(super) fn sees(&self, child: Child) -> anyhow::Result<Answer> {
        let answer = answer(child.wait_with_output()?)?;
        self.say(&indented(&answer.stdout));
        self.say(&indented(&answer.stderr));
        Ok(answer)
    }

    /// Each person has settings and a token file of their own.
    fn command(&self, person: &str, line: &str) -> anyhow::Result<Command> {
        let home = self.folder.join("people").join(person);
        std::fs::DirBuilder::new().mode(0o700).recursive(true).create(&home)?;
        let mut command = Command::new(&self.program);
        command.args(words(line)).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.env("XDG_STATE_HOME", home.join("state")).env_remove("BREVET_RECEIPTS");
        command.env("XDG_CONFIG_HOME", &home).env("BREVET_SERVER", &self.url).env_remove("BREVET_TOKEN");
        Ok(command)
    }

    /// Ends the server.
    pub(super) fn strike(mut self) -> anyhow::Result<()> {
        self.server.take().map_or(Ok(()), Server::stop)
    }
}

fn answer(output: Output) -> anyhow::Result<Answer> {
    let code = output.status.code().context("brevet was killed")?;
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    Ok(Answer { code, stdout: text(output.stdout), stderr: text(output.stderr) })
}

fn indented(text: &str) -> String {
    text.lines().map(|line| format!("    {line}\n")).collect()
}

/// Splits a line at spaces, keeping what is in double quotes together: enough for the lines of the story.
fn words(line: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut quoted = false;
    for c in line.chars() {
        match c {
            '"' => quoted = !quoted,
            ' ' if !quoted => words.push(String::new()),
            c => {
                if let Some(word) = words.last_mut() {
                    word.push(c);
                }
            }
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

#[cfg(test)]
mod tests {
    #[test]
    fn quotes_keep_words_together() {
        assert_eq!(super::words(r#"run X -p text="a b" --wait"#), ["run", "X", "-p", "text=a b", "--wait"]);
    }
}
