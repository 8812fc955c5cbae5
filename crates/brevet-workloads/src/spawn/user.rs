//! The users that tasks run as.

use std::ffi::{CString, OsString};
use std::io;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

use super::sys;

/// What a process is to the kernel: user, group, supplementary groups. The real, effective and saved ids are all the
/// same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    uid: u32,
    gid: u32,
    /// Sorted, each once.
    groups: Vec<u32>,
}

impl Identity {
    /// More than people have; a user with more is refused rather than run with fewer.
    pub const GROUPS_MAX: usize = 1024;

    pub(super) fn new(uid: u32, gid: u32, mut groups: Vec<u32>) -> Self {
        groups.sort_unstable();
        groups.dedup();
        Self { uid, gid, groups }
    }

    /// The user id.
    pub fn uid(&self) -> u32 {
        self.uid
    }

    /// The primary group.
    pub fn gid(&self) -> u32 {
        self.gid
    }

    /// The supplementary groups, sorted.
    pub fn groups(&self) -> &[u32] {
        &self.groups
    }
}

/// A user of this system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    identity: Identity,
    home: PathBuf,
}

/// Why a user name is nobody to run a task as.
#[derive(Debug, thiserror::Error)]
pub enum AccountError {
    /// No such name.
    #[error("there is no user {name:?} on this system; create it, or correct `run_as`")]
    Unknown {
        /// The name that was looked up.
        name: String,
    },
    /// More groups than a run may have.
    #[error("the user {name:?} is in more than {max} groups; give `run_as` a user made for the task", max = Identity::GROUPS_MAX)]
    TooManyGroups {
        /// The name that was looked up.
        name: String,
    },
    /// The user database did not answer.
    #[error("the user {name:?} could not be looked up")]
    Lookup {
        /// The name that was looked up.
        name: String,
        /// The system's reason.
        source: io::Error,
    },
}

impl Account {
    /// Looks a user up, with the groups that they have now. It may ask a directory service over the network: do not
    /// call it where waiting hurts.
    pub fn find(name: &str) -> Result<Self, AccountError> {
        let unknown = || AccountError::Unknown { name: name.to_owned() };
        let text = CString::new(name).map_err(|_nul| unknown())?;
        let record = sys::user_by_name(&text)
            .map_err(|source| AccountError::Lookup { name: name.to_owned(), source })?
            .ok_or_else(unknown)?;
        let groups = sys::groups_of(&text, record.gid, Identity::GROUPS_MAX)
            .ok_or_else(|| AccountError::TooManyGroups { name: name.to_owned() })?;
        Ok(Self {
            identity: Identity::new(record.uid, record.gid, groups),
            home: PathBuf::from(OsString::from_vec(record.home.into_bytes())),
        })
    }

    /// What a process of this user is to the kernel.
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// The home directory, for `HOME`. Nothing says that it exists.
    pub fn home(&self) -> &Path {
        &self.home
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn root_has_the_ids_of_root() {
        let root = Account::find("root").unwrap();
        assert_eq!((root.identity().uid(), root.identity().gid()), (0, 0));
        assert!(root.identity().groups().contains(&0));
        assert!(root.home().is_absolute());
    }

    #[test]
    fn a_name_of_nobody_is_refused_with_what_to_do() {
        for name in ["no-such-user-of-brevet", "", "ro\0ot", "../root", "0"] {
            let refusal = Account::find(name).unwrap_err().to_string();
            assert!(refusal.contains("there is no user") && refusal.contains("`run_as`"), "{refusal}");
        }
    }

    #[test]
    fn groups_are_a_set() {
        assert_eq!(Identity::new(1, 2, vec![5, 3, 5]).groups(), [3, 5]);
    }
}
