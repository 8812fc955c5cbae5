//! The system calls that have no safe face in a library, each behind one.
//!
//! Nothing here decides anything. Everything unsafe of this crate is in this file.
#![expect(unsafe_code, reason = "fork, exec and the C library's user database have no safe interface")]

use std::ffi::{CStr, CString, c_char, c_int, c_uint};
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};
use std::time::Duration;

use rustix::io::Errno;
use rustix::process::Pid;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// Proof that this process has a single thread, so that a fork copies no lock that another thread holds.
///
/// It stays true because the spawner and what it forks never start a thread.
pub(super) struct SingleThreaded(());

impl SingleThreaded {
    pub(super) fn prove() -> io::Result<Self> {
        match std::fs::read_dir("/proc/self/task")?.count() {
            1 => Ok(Self(())),
            threads => Err(io::Error::other(format!(
                "this process has {threads} threads; the spawner must be entered before any is started"
            ))),
        }
    }
}

/// Which of the two processes a fork returned in.
pub(super) enum Fork {
    Parent { child: Pid },
    Child,
}

pub(super) fn fork(_proof: &SingleThreaded) -> io::Result<Fork> {
    // SAFETY: the process has one thread, so the child may do all that the parent may.
    let pid = unsafe { libc::fork() };
    match pid {
        -1 => Err(io::Error::last_os_error()),
        0 => Ok(Fork::Child),
        _ => Pid::from_raw(pid).map(|child| Fork::Parent { child }).ok_or_else(|| Errno::SRCH.into()),
    }
}

/// Ends this process at once: a forked copy must not run what its parent registered to run at exit.
pub(super) fn exit_now(code: u8) -> ! {
    // SAFETY: `_exit` has no preconditions.
    unsafe { libc::_exit(c_int::from(code)) }
}

/// Becomes the program that `program` is open on; returns only when that failed.
pub(super) fn exec_file(program: BorrowedFd<'_>, arguments: &[CString], environment: &[CString]) -> Errno {
    let (argv, envp) = (pointers(arguments), pointers(environment));
    // SAFETY: both arrays end with a null pointer, and they and what they point to outlive the call.
    unsafe {
        let (argv, envp) = (argv.as_ptr().cast(), envp.as_ptr().cast());
        libc::execveat(program.as_raw_fd(), c"".as_ptr(), argv, envp, libc::AT_EMPTY_PATH);
    }
    last_errno()
}

/// Becomes the program at `path`; returns only when that failed.
pub(super) fn exec_path(path: &CStr, arguments: &[CString], environment: &[CString]) -> Errno {
    let (argv, envp) = (pointers(arguments), pointers(environment));
    // SAFETY: as in `exec_file`; `path` ends with a NUL by its type.
    unsafe {
        libc::execve(path.as_ptr(), argv.as_ptr(), envp.as_ptr());
    }
    last_errno()
}

fn pointers(strings: &[CString]) -> Vec<*const c_char> {
    strings.iter().map(|string| string.as_ptr()).chain([std::ptr::null()]).collect()
}

fn last_errno() -> Errno {
    Errno::from_io_error(&io::Error::last_os_error()).unwrap_or(Errno::IO)
}

/// The kernel's count of signals, and the size of a set of them.
const SIGNALS: c_int = 64;
const SIGNAL_SET_BYTES: usize = 8;

/// Gives every signal its default action and blocks none.
pub(super) fn reset_signals() -> Result<(), Errno> {
    // All zeroes is the kernel's `sigaction` for the default action. The kernel is asked itself because the C library
    // refuses to touch the two signals that it uses internally, and those may be inherited as ignored.
    let default = [0_u64; 4];
    for signal in 1..=SIGNALS {
        // SAFETY: the array is at least as large as the structure that is read. KILL and STOP refuse; so be it.
        unsafe {
            let (action, old) = (default.as_ptr(), std::ptr::null_mut::<u64>());
            libc::syscall(libc::SYS_rt_sigaction, signal, action, old, SIGNAL_SET_BYTES)
        };
    }
    let mut none = MaybeUninit::<libc::sigset_t>::uninit();
    // SAFETY: `sigemptyset` initializes the set that `sigprocmask` then reads.
    let done = unsafe {
        libc::sigemptyset(none.as_mut_ptr());
        libc::sigprocmask(libc::SIG_SETMASK, none.as_ptr(), std::ptr::null_mut())
    };
    if done == 0 { Ok(()) } else { Err(last_errno()) }
}

/// Ignores what a terminal or a service manager sends to whole groups of processes.
pub(super) fn ignore_termination() {
    for signal in [libc::SIGHUP, libc::SIGINT, libc::SIGQUIT, libc::SIGTERM] {
        // SAFETY: ignoring a signal installs no handler.
        unsafe { libc::signal(signal, libc::SIG_IGN) };
    }
}

/// Marks every descriptor from `first` on to be closed by a successful exec.
pub(super) fn close_on_exec_from(first: c_uint) -> Result<(), Errno> {
    // A constant whose type differs between C libraries.
    let flags = c_int::try_from(libc::CLOSE_RANGE_CLOEXEC).map_err(|_too_large| Errno::INVAL)?;
    // SAFETY: it changes a flag of descriptors and closes none, so every owned descriptor stays valid.
    match unsafe { libc::close_range(first, c_uint::MAX, flags) } {
        0 => Ok(()),
        _ => Err(last_errno()),
    }
}

/// The real, effective and saved ids of a process.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Ids {
    pub(super) users: [u32; 3],
    pub(super) groups: [u32; 3],
}

pub(super) fn ids() -> Result<Ids, Errno> {
    let ([mut r, mut e, mut s], [mut rg, mut eg, mut sg]) = ([0; 3], [0; 3]);
    // SAFETY: all pointers are to live integers of the right size.
    let done =
        unsafe { libc::getresuid(&mut r, &mut e, &mut s) | libc::getresgid(&mut rg, &mut eg, &mut sg) };
    if done == 0 { Ok(Ids { users: [r, e, s], groups: [rg, eg, sg] }) } else { Err(last_errno()) }
}

/// What all children that were waited for have used: user time, system time, and the largest resident set of one.
pub(super) fn usage_of_children() -> (Duration, Duration, u64) {
    let mut usage = MaybeUninit::<libc::rusage>::zeroed();
    // SAFETY: the pointer is to a `rusage`, for which all zeroes is a value, should the call fail.
    let usage = unsafe {
        libc::getrusage(libc::RUSAGE_CHILDREN, usage.as_mut_ptr());
        usage.assume_init()
    };
    let kibibytes = u64::try_from(usage.ru_maxrss).unwrap_or(0);
    (duration(usage.ru_utime), duration(usage.ru_stime), kibibytes.saturating_mul(1024))
}

fn duration(time: libc::timeval) -> Duration {
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    Duration::from_secs(seconds) + Duration::from_micros(u64::try_from(time.tv_usec).unwrap_or(0))
}

/// Registers a descriptor with the runtime that this is called in.
pub(super) fn watch_readable(fd: OwnedFd) -> io::Result<AsyncFd<OwnedFd>> {
    // SAFETY: an `OwnedFd` keeps its descriptor open, and the same one, for as long as it lives.
    Ok(unsafe { AsyncFd::register_with_interest(fd, Interest::READABLE) }?)
}

/// One line of the user database.
pub(super) struct UserRecord {
    pub(super) uid: u32,
    pub(super) gid: u32,
    pub(super) home: CString,
}

/// More than any directory service sends for one user.
const RECORD_BYTES_MAX: usize = 1 << 20;

/// Looks `name` up in the system's user database (files, LDAP, whatever is configured). `None`: there is no such user.
pub(super) fn user_by_name(name: &CStr) -> io::Result<Option<UserRecord>> {
    let mut buffer: Vec<c_char> = vec![0; 1024];
    loop {
        let mut record = MaybeUninit::<libc::passwd>::uninit();
        let mut found = std::ptr::null_mut();
        // SAFETY: all pointers are to live memory, and the length is that of the buffer.
        let code = unsafe {
            libc::getpwnam_r(
                name.as_ptr(),
                record.as_mut_ptr(),
                buffer.as_mut_ptr(),
                buffer.len(),
                &mut found,
            )
        };
        match code {
            0 if found.is_null() => return Ok(None),
            0 => {
                // SAFETY: a non-null result means that `record` was filled with strings that live in `buffer`.
                let (record, home) = unsafe {
                    let record = record.assume_init();
                    (record, CStr::from_ptr(record.pw_dir).to_owned())
                };
                return Ok(Some(UserRecord { uid: record.pw_uid, gid: record.pw_gid, home }));
            }
            libc::ERANGE if buffer.len() < RECORD_BYTES_MAX => buffer.resize(buffer.len() * 2, 0),
            // What some directories answer for a name that does not exist, says getpwnam(3).
            libc::ENOENT | libc::ESRCH => return Ok(None),
            code => return Err(io::Error::from_raw_os_error(code)),
        }
    }
}

/// The groups of the user `name`, `gid` among them. `None`: they are more than `count_max`.
pub(super) fn groups_of(name: &CStr, gid: u32, count_max: usize) -> Option<Vec<u32>> {
    let mut groups = vec![0; count_max];
    let mut count = c_int::try_from(count_max).ok()?;
    // SAFETY: `count` is the length of `groups`, which the call does not exceed.
    let answer = unsafe { libc::getgrouplist(name.as_ptr(), gid, groups.as_mut_ptr(), &mut count) };
    if answer < 0 {
        return None;
    }
    groups.truncate(usize::try_from(count).ok()?);
    Some(groups)
}

#[cfg(test)]
mod tests;
