//! Finding and ending every process that came from this one, whatever it did to get away.
//!
//! A descendant cannot leave: the supervisor is a *subreaper*, so a process whose parent ends becomes its child, be it
//! in a session of its own or not.

use std::collections::HashMap;
use std::fs;
use std::io;

use rustix::io::retry_on_intr;
use rustix::process::{
    Pid, PidfdFlags, Signal, WaitId, WaitIdOptions, getpgid, getpgrp, getpid, kill_process,
    kill_process_group, pidfd_open, pidfd_send_signal, waitid,
};

/// Sends `signal` to every descendant that lives, each once.
///
/// One that is forked meanwhile is missed; [`end_all`] is what misses none.
pub(super) fn signal_all(signal: Signal) -> io::Result<()> {
    for process in descendants_of(getpid(), &snapshot()?) {
        process.signal(signal);
    }
    Ok(())
}

/// Kills and reaps all children, and what becomes a child by that, until there is none.
pub(super) fn end_all() {
    while reap_ended() {
        // Without the list there is still the wait below: they are not left alone, only not hurried.
        for child in children().unwrap_or_default() {
            kill_with_group(child);
        }
        // Blocks until a child ends. What that one leaves behind is our child before its end is seen here.
        let _ended_or_none_left = retry_on_intr(|| waitid(WaitId::All, WaitIdOptions::EXITED));
    }
}

/// The children of this process, ended ones that nobody waited for among them.
pub(super) fn children() -> io::Result<Vec<Pid>> {
    match fs::read_to_string("/proc/thread-self/children") {
        Ok(list) => Ok(list.split_whitespace().filter_map(parse_pid).collect()),
        // The kernel can be built without that file.
        Err(_) => {
            let us = getpid().as_raw_nonzero().get();
            Ok(snapshot()?.iter().filter(|process| process.parent == us).map(|process| process.pid).collect())
        }
    }
}

/// Reaps the children that have ended; says whether others live.
fn reap_ended() -> bool {
    loop {
        match retry_on_intr(|| waitid(WaitId::All, WaitIdOptions::EXITED | WaitIdOptions::NOHANG)) {
            Ok(Some(_ended)) => {}
            Ok(None) => return true,
            Err(_no_children) => return false,
        }
    }
}

/// The whole group at once, so that one that forks as fast as it can does not get away within it.
///
/// A child that was not waited for keeps its own number and its group's from being used again. A group never holds
/// others than descendants: the task began with a session of its own, and groups do not cross sessions.
fn kill_with_group(child: Pid) {
    // ESRCH is the only possible error, and what we want.
    let _gone = match getpgid(Some(child)) {
        // A task that has not got as far as its own session is still in the group of this process.
        Ok(group) if group != getpgrp() => kill_process_group(group, Signal::KILL),
        _ => Ok(()),
    };
    let _gone = kill_process(child, Signal::KILL);
}

/// A process as it was seen in /proc.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Seen {
    pid: Pid,
    parent: i32,
    /// In clock ticks since the system started: a number that is used again has another.
    start: u64,
}

impl Seen {
    /// Signals this very process, or nobody when it ended and its number went to another.
    fn signal(self, signal: Signal) {
        let Ok(pidfd) = pidfd_open(self.pid, PidfdFlags::empty()) else { return };
        if look_at(self.pid).is_some_and(|now| now.start == self.start) {
            let _gone = pidfd_send_signal(&pidfd, signal);
        }
    }
}

fn snapshot() -> io::Result<Vec<Seen>> {
    let entries = fs::read_dir("/proc")?;
    let pids = entries.filter_map(|entry| parse_pid(entry.ok()?.file_name().to_str()?));
    Ok(pids.filter_map(look_at).collect())
}

fn look_at(pid: Pid) -> Option<Seen> {
    let stat = fs::read(format!("/proc/{pid}/stat", pid = pid.as_raw_nonzero())).ok()?;
    parse_stat(pid, &stat)
}

/// See proc_pid_stat(5): the second field is a name of any bytes in parentheses, the 4th the parent, the 22nd the
/// start time.
fn parse_stat(pid: Pid, stat: &[u8]) -> Option<Seen> {
    let name_end = stat.iter().rposition(|byte| *byte == b')')?;
    let fields = std::str::from_utf8(stat.get(name_end + 1..)?).ok()?;
    let mut fields = fields.split_ascii_whitespace();
    let parent = fields.nth(1)?.parse().ok()?;
    let start = fields.nth(17)?.parse().ok()?;
    Some(Seen { pid, parent, start })
}

fn descendants_of(ancestor: Pid, all: &[Seen]) -> Vec<Seen> {
    let mut by_parent: HashMap<i32, Vec<Seen>> = HashMap::new();
    for process in all {
        by_parent.entry(process.parent).or_default().push(*process);
    }
    let mut found = Vec::new();
    let mut parents = vec![ancestor.as_raw_nonzero().get()];
    while let Some(parent) = parents.pop() {
        // Removed, so that a list that was read while it changed cannot lead in a circle.
        for process in by_parent.remove(&parent).unwrap_or_default() {
            parents.push(process.pid.as_raw_nonzero().get());
            found.push(process);
        }
    }
    found
}

fn parse_pid(text: &str) -> Option<Pid> {
    Pid::from_raw(text.parse().ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pid(number: i32) -> Pid {
        Pid::from_raw(number).unwrap()
    }

    #[test]
    fn a_name_with_parentheses_and_spaces_does_not_shift_the_fields() {
        let stat = b"42 (a) R 1 (b) S 7 42 42 0 -1 4194304 1 2 3 4 5 6 7 8 20 0 1 0 98765 0\n";
        assert_eq!(parse_stat(pid(42), stat), Some(Seen { pid: pid(42), parent: 7, start: 98765 }));
        assert_eq!(parse_stat(pid(42), b"42 (cut) S"), None);
        assert_eq!(parse_stat(pid(42), b""), None);
    }

    #[test]
    fn this_process_is_in_the_list_with_its_parent() {
        let seen = look_at(getpid()).unwrap();
        assert_eq!(Pid::from_raw(seen.parent), rustix::process::getppid());
        assert!(snapshot().unwrap().contains(&seen));
    }

    #[test]
    fn descendants_are_found_at_every_depth_and_strangers_are_not() {
        let seen = |number, parent| Seen { pid: pid(number), parent, start: 0 };
        let all = [seen(2, 1), seen(10, 2), seen(11, 10), seen(12, 11), seen(3, 1), seen(13, 3), seen(14, 2)];
        let mut found: Vec<_> =
            descendants_of(pid(2), &all).iter().map(|p| p.pid.as_raw_nonzero().get()).collect();
        found.sort_unstable();
        assert_eq!(found, [10, 11, 12, 14]);
    }

    #[test]
    fn a_circle_in_a_list_read_while_it_changed_ends() {
        let seen = |number, parent| Seen { pid: pid(number), parent, start: 0 };
        assert_eq!(descendants_of(pid(2), &[seen(3, 2), seen(2, 3)]).len(), 2);
    }
}
