//! The last steps of a process before it is the task: everything of the server is taken from it, then it executes.
//!
//! Runs in a process of its own, forked by the supervisor. Any failure ends it; nothing is skipped.

use rustix::io::Errno;
use rustix::process::{self, Pid, Resource, Rlimit, Signal};
use rustix::thread::{self, CapabilitySet, CapabilitySets};

use super::instructions::{Instructions, Limits};
use super::report::{Failure, Step};
use super::{Identity, Request, executable, sys};

/// Becomes the task. Returns only when that failed, and why.
pub(super) fn become_task(request: &Request, supervisor: Pid) -> Failure {
    match prepare(request, supervisor) {
        Ok(()) => failed(Step::Execute, execute(request)),
        Err(failure) => failure,
    }
}

fn prepare(request: &Request, supervisor: Pid) -> Result<(), Failure> {
    let Instructions { umask, limits, identity, .. } = &request.instructions;
    at(Step::Session, process::setsid().map(drop))?;
    at(Step::Signals, sys::reset_signals())?;
    at(Step::Limits, limit(limits))?;
    process::umask(rustix::fs::Mode::from_raw_mode(*umask));
    at(Step::Streams, place_streams(request))?;
    at(Step::Descriptors, sys::close_on_exec_from(3))?;
    if let Some(identity) = identity {
        assume(identity)?;
    }
    at(Step::Capabilities, drop_capabilities())?;
    // After the change of user: the task is not to stand where it could not go.
    at(Step::Directory, process::fchdir(&request.directory))?;
    at(Step::DeathSignal, die_with(supervisor))?;
    at(Step::NoNewPrivileges, thread::set_no_new_privs(true))?;
    if request.instructions.is_script {
        at(Step::SameFile, same_script(request))?;
    }
    Ok(())
}

/// Executes the open file itself, so that nothing done to its name since it was checked matters.
///
/// A script is executed by its path: its interpreter opens it a second time by name, and the name of an open file
/// would be one that is closed by then. That path was found to lead to the same file just before
/// ([`Step::SameFile`]), and only root and the server's own user can change where it leads ([`super::Executable`]):
/// between the two, they can still swap it; nobody else can.
fn execute(request: &Request) -> Errno {
    let Instructions { arguments, environment, is_script, .. } = &request.instructions;
    match arguments.first() {
        Some(path) if *is_script => sys::exec_path(path, arguments, environment),
        Some(_) => sys::exec_file(std::os::fd::AsFd::as_fd(&request.executable), arguments, environment),
        None => Errno::INVAL,
    }
}

fn same_script(request: &Request) -> Result<(), Errno> {
    let path = request.instructions.arguments.first().ok_or(Errno::INVAL)?;
    let same = executable::is_still(path, std::os::fd::AsFd::as_fd(&request.executable))?;
    if same { Ok(()) } else { Err(Errno::STALE) }
}

fn limit(limits: &Limits) -> Result<(), Errno> {
    let Limits { open_files, processes, file_bytes, address_space_bytes, processor_seconds } = *limits;
    let all = [
        (Resource::Core, Some(0)),
        (Resource::Nofile, open_files),
        (Resource::Nproc, processes),
        (Resource::Fsize, file_bytes),
        (Resource::As, address_space_bytes),
        (Resource::Cpu, processor_seconds),
    ];
    for (resource, limit) in all {
        if let Some(wanted) = limit {
            // Never above what the server itself has: without privilege that fails, with it nobody would expect it.
            let most = process::getrlimit(resource).maximum.unwrap_or(u64::MAX).min(wanted);
            process::setrlimit(resource, Rlimit { current: Some(most), maximum: Some(most) })?;
        }
    }
    Ok(())
}

/// INVARIANT: what was received has numbers from 3 on, because the spawner keeps 0, 1 and 2 open. So none of the
/// three is overwritten before it is placed.
fn place_streams(request: &Request) -> Result<(), Errno> {
    rustix::stdio::dup2_stdin(&request.stdin)?;
    rustix::stdio::dup2_stdout(&request.stdout)?;
    rustix::stdio::dup2_stderr(&request.stderr)
}

/// Changes to the user of the task and verifies that it did, whatever the calls returned (CVE-class of `setuid`
/// failing unnoticed).
fn assume(identity: &Identity) -> Result<(), Failure> {
    if at(Step::Identity, is(identity))? {
        // A server without privileges may run what is to run as itself.
        return Ok(());
    }
    at(Step::Identity, change_to(identity))?;
    match at(Step::IdentityVerified, is(identity))? {
        true => Ok(()),
        false => Err(failed(Step::IdentityVerified, Errno::PERM)),
    }
}

fn change_to(identity: &Identity) -> Result<(), Errno> {
    let (uid, gid) = (process::Uid::from_raw(identity.uid()), process::Gid::from_raw(identity.gid()));
    let groups: Vec<_> = identity.groups().iter().map(|group| process::Gid::from_raw(*group)).collect();
    thread::set_thread_groups(&groups)?;
    thread::set_thread_res_gid(gid, gid, gid)?;
    thread::set_thread_res_uid(uid, uid, uid)
}

fn is(identity: &Identity) -> Result<bool, Errno> {
    let groups = process::getgroups()?.into_iter().map(|group| group.as_raw()).collect();
    let sys::Ids { users: [uid, ..], groups: [gid, ..] } = sys::ids()?;
    let single = sys::Ids { users: [uid; 3], groups: [gid; 3] } == sys::ids()?;
    Ok(single && Identity::new(uid, gid, groups) == *identity)
}

/// Root keeps its capabilities: they are what a task of root is for. Anyone else has none, also where the server got
/// some to be able to change users, which the kernel leaves in place between two users that are not root.
fn drop_capabilities() -> Result<(), Errno> {
    if process::geteuid().is_root() {
        return Ok(());
    }
    let none = CapabilitySets {
        effective: CapabilitySet::empty(),
        permitted: CapabilitySet::empty(),
        inheritable: CapabilitySet::empty(),
    };
    thread::clear_ambient_capability_set()?;
    thread::set_capabilities(None, none)?;
    if thread::capabilities(None)? == none { Ok(()) } else { Err(Errno::PERM) }
}

/// Ties this process to its parent. After every change of user, which forgets it. The parent may have died just
/// before; then nobody would tell us.
fn die_with(parent: Pid) -> Result<(), Errno> {
    process::set_parent_process_death_signal(Some(Signal::KILL))?;
    if process::getppid() == Some(parent) { Ok(()) } else { Err(Errno::SRCH) }
}

fn at<T>(step: Step, result: Result<T, Errno>) -> Result<T, Failure> {
    result.map_err(|errno| failed(step, errno))
}

fn failed(step: Step, errno: Errno) -> Failure {
    Failure { step, errno: errno.raw_os_error() }
}
