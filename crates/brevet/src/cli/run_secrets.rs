//! Values of secret parameters. Never on the command line itself: everybody on the machine can read that.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::Path;

use brevet_wire::SecretText;
use zeroize::Zeroizing;

use super::exit::Failure;
use super::password::ask;
use super::settings::Terminal;

/// Reads every secret: `name` asks, `name=@file` reads a file, `name=-` reads standard input.
pub(super) fn read(given: &[String], terminal: Terminal) -> Result<BTreeMap<String, SecretText>, Failure> {
    let mut secrets = BTreeMap::new();
    let mut stdin_is_taken = false;
    for text in given {
        let (name, from) =
            text.split_once('=').map_or((text.as_str(), None), |(name, from)| (name, Some(from)));
        let value = match from {
            None if terminal.input => ask(&format!("{name}: "))?,
            None => {
                return Err(Failure::Usage(format!(
                    "there is no terminal to ask for '{name}' on; give it with --secret {name}=@FILE or {name}=-"
                )));
            }
            Some("-" | "@-") if std::mem::replace(&mut stdin_is_taken, true) => {
                return Err(Failure::Usage("standard input can hold one secret only".into()));
            }
            Some("-" | "@-") => from_stdin()?,
            Some(from) => match from.strip_prefix('@') {
                Some(path) => from_file(Path::new(path))?,
                None => {
                    return Err(Failure::Usage(format!(
                        "a secret on the command line can be read by everybody on this machine; \
                         use --secret {name} to be asked, {name}=@FILE or {name}=-"
                    )));
                }
            },
        };
        if secrets.insert(name.to_owned(), value).is_some() {
            return Err(Failure::Usage(format!("the secret '{name}' is given twice")));
        }
    }
    Ok(secrets)
}

fn from_stdin() -> Result<SecretText, Failure> {
    let mut text = Zeroizing::new(String::new());
    std::io::stdin()
        .lock()
        .read_to_string(&mut text)
        .map_err(Failure::io("standard input cannot be read"))?;
    Ok(without_newline(&text))
}

/// The text of a file.
pub(super) fn from_file(path: &Path) -> Result<SecretText, Failure> {
    let text =
        std::fs::read_to_string(path).map_err(Failure::io(format!("{} cannot be read", path.display())))?;
    Ok(without_newline(&Zeroizing::new(text)))
}

/// Without the one newline that editors and `echo` leave at the end.
fn without_newline(text: &str) -> SecretText {
    let text = text.strip_suffix('\n').unwrap_or(text);
    SecretText::new(text.strip_suffix('\r').unwrap_or(text).to_owned())
}

#[cfg(test)]
mod tests {
    use super::read;
    use crate::cli::settings::Terminal;

    #[test]
    fn a_secret_comes_from_anywhere_but_the_command_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        std::fs::write(&path, "two\nlines\n").unwrap();
        let given = [format!("password=@{}", path.display())];
        let secrets = read(&given, Terminal::default()).unwrap();
        secrets["password"].reveal(|password| assert_eq!(password, "two\nlines"));
        for bad in ["password=hunter2", "password"] {
            let sentence = read(&[bad.to_owned()], Terminal::default()).unwrap_err().to_string();
            assert!(
                sentence.contains("password=@FILE") || sentence.contains("--secret password=@FILE"),
                "{sentence}"
            );
            assert!(!sentence.contains("hunter2"));
        }
        let twice = [given[0].clone(), given[0].clone()];
        assert!(read(&twice, Terminal::default()).is_err());
    }
}
