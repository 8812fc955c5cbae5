//! Looking at processes through `/proc`.

use std::collections::HashMap;
use std::fs;

/// A process; its start time tells it from a later one with the same number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Process {
    pub(crate) pid: u32,
    started: u64,
}

impl Process {
    /// Whether it still runs; a zombie that nobody has waited for does not.
    pub(crate) fn is_alive(self) -> bool {
        stat(self.pid).is_some_and(|stat| stat.started == self.started && stat.state != 'Z')
    }
}

struct Stat {
    state: char,
    parent: u32,
    started: u64,
}

/// `/proc/PID/stat`, proc(5): what follows the last parenthesis begins with field 3.
fn stat(pid: u32) -> Option<Stat> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let fields: Vec<&str> = text.rsplit_once(')')?.1.split_whitespace().collect();
    Some(Stat {
        state: fields.first()?.chars().next()?,
        parent: fields.get(1)?.parse().ok()?,
        started: fields.get(19)?.parse().ok()?,
    })
}

fn all() -> Vec<u32> {
    let entries = fs::read_dir("/proc").unwrap();
    entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok()).collect()
}

/// Every process below this one.
pub(crate) fn descendants(root: u32) -> Vec<Process> {
    let stats: HashMap<u32, Stat> = all().into_iter().filter_map(|pid| Some((pid, stat(pid)?))).collect();
    let mut found = vec![root];
    let mut place = 0;
    while place < found.len() {
        let parent = found[place];
        found.extend(stats.iter().filter(|(_, stat)| stat.parent == parent).map(|(pid, _)| *pid));
        place += 1;
    }
    found.iter().skip(1).map(|pid| Process { pid: *pid, started: stats[pid].started }).collect()
}

/// Every process with this text in its arguments.
pub(crate) fn with_argument(text: &str) -> Vec<u32> {
    let has = |pid: &u32| {
        let arguments = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        arguments.windows(text.len()).any(|window| window == text.as_bytes())
    };
    all().into_iter().filter(has).filter(|pid| stat(*pid).is_some_and(|stat| stat.state != 'Z')).collect()
}
