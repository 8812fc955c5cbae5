//! Who can change a file or a folder: what the server is told by one is believed only when that is root or its own user.

use rustix::fs::{Mode, Stat};

/// Somebody besides root and this process's user who could change it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stranger {
    /// The user it belongs to.
    Owner(u32),
    /// Its group, or everybody.
    Others,
}

/// INVARIANT: what passes can be changed by root and by this process's user only.
pub fn only_owner_writes(stat: &Stat) -> Result<(), Stranger> {
    if stat.st_uid != 0 && stat.st_uid != rustix::process::geteuid().as_raw() {
        return Err(Stranger::Owner(stat.st_uid));
    }
    // An access control list shows here too: its mask takes the place of the group's bits. A sticky bit does not
    // help: it keeps others from renaming the file, but not from putting one where none is yet.
    if Mode::from_raw_mode(stat.st_mode).intersects(Mode::WGRP | Mode::WOTH) {
        return Err(Stranger::Others);
    }
    Ok(())
}
