//! The token file: who is signed in where, readable by nobody else.
//!
//! `$XDG_CONFIG_HOME/brevet/token`, mode 0600 in a folder of mode 0700. A file or folder that others could read
//! or change is not used, and not repaired silently either: whoever widened it should know.

use std::collections::BTreeMap;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{ErrorKind, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use brevet_wire::{SecretText, Time};
use serde::{Deserialize, Serialize};

use super::exit::Failure;
use super::settings;

/// What is known of one server.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Kept {
    /// Who is signed in.
    pub(crate) user: String,
    /// Their token.
    pub(crate) token: SecretText,
    /// When the session ends in any case.
    pub(crate) expires_at: Time,
}

/// All that the file holds.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Tokens {
    /// The server that was signed in to last: the one that is meant when none is named.
    pub(crate) current: Option<String>,
    /// By the address of the server.
    pub(crate) servers: BTreeMap<String, Kept>,
}

/// Where the tokens are.
#[derive(Debug, Clone)]
pub(crate) struct TokenFile {
    path: PathBuf,
}

impl TokenFile {
    /// The file in the folder of Brevet's settings.
    pub(crate) fn in_folder(folder: &Path) -> Self {
        Self { path: folder.join("token") }
    }

    /// Where it is.
    #[cfg(test)]
    fn path(&self) -> &Path {
        &self.path
    }

    /// Reads it; nothing where there is none.
    pub(crate) fn load(&self) -> Result<Tokens, Failure> {
        let mut file = match OpenOptions::new().read(true).custom_flags(NO_FOLLOW).open(&self.path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Tokens::default()),
            Err(error) => return Err(self.io("cannot be read")(error)),
        };
        if let Some(folder) = self.path.parent() {
            refuse_when_wide(folder, &fs::metadata(folder).map_err(self.io("cannot be examined"))?, 0o700)?;
        }
        refuse_when_wide(&self.path, &file.metadata().map_err(self.io("cannot be examined"))?, 0o600)?;
        let mut text = zeroize::Zeroizing::new(String::new());
        file.read_to_string(&mut text).map_err(self.io("cannot be read"))?;
        serde_json::from_str(&text).map_err(|_| {
            let path = self.path.display();
            Failure::Failed(format!(
                "{path} is damaged; remove it and sign in again with: brevet login --user NAME"
            ))
        })
    }

    /// Writes it, whole or not at all.
    pub(crate) fn save(&self, tokens: &Tokens) -> Result<(), Failure> {
        let folder = self.path.parent().unwrap_or(Path::new("."));
        DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(self.io("cannot be written"))?;
        refuse_when_wide(folder, &fs::metadata(folder).map_err(self.io("cannot be examined"))?, 0o700)?;
        let text = zeroize::Zeroizing::new(serde_json::to_string_pretty(tokens).map_err(|error| {
            Failure::Failed(format!("{} cannot be written: {error}", self.path.display()))
        })?);
        let key = settings::random_key().map_err(|error| Failure::Failed(error.to_string()))?;
        let beside = self.path.with_extension(&key[..8]);
        let written = write_new(&beside, text.as_bytes()).and_then(|()| fs::rename(&beside, &self.path));
        if written.is_err() {
            let _ = fs::remove_file(&beside);
        }
        written.map_err(self.io("cannot be written"))
    }

    fn io(&self, what: &str) -> impl FnOnce(std::io::Error) -> Failure + use<> {
        Failure::io(format!("{} {what}", self.path.display()))
    }
}

/// `O_NOFOLLOW`: a link could lead to another's file.
const NO_FOLLOW: i32 = rustix::fs::OFlags::NOFOLLOW.bits().cast_signed();

fn write_new(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut file: File = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

fn refuse_when_wide(path: &Path, found: &fs::Metadata, mode: u32) -> Result<(), Failure> {
    let path = path.display();
    if found.uid() != rustix::process::geteuid().as_raw() {
        return Err(Failure::Failed(format!(
            "{path} belongs to another user, so the token in it is not used"
        )));
    }
    if found.mode() & 0o077 != 0 {
        let is = found.mode() & 0o777;
        return Err(Failure::Failed(format!(
            "{path} has mode {is:04o}, so others on this machine may have read or changed the token; \
             run: chmod {mode:o} {path} && brevet login --user NAME"
        )));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
