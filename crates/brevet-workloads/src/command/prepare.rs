//! Everything of a run that is decided before it starts.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::sync::Arc;

use brevet_core::{ExecutionId, Permit};

use super::{input, render};
use crate::definition::CommandTask;
use crate::definition::system::{find_account, in_full, open_directory, open_program};
use crate::spawn::{Account, Captured, Executable, Launch, Streams};

/// A run that only has to be started, and our ends of its output.
pub(super) struct Prepared {
    pub(super) launch: Launch,
    pub(super) captured: Captured,
}

/// The variables that every task has, unless its definition gives them another value.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
const LANG: &str = "C.UTF-8";

pub(super) async fn prepare(task: &Arc<CommandTask>, permit: &Permit) -> Result<Prepared, String> {
    let arguments = render::arguments(task, permit)?;
    let Opened { executable, account, directory } = open(task).await?;
    let (mut streams, captured) = Streams::captured().map_err(failed("make the pipes for the output"))?;
    streams.stdin =
        input::standard_input(task.stdin.as_ref(), permit).map_err(failed("make the standard input"))?;
    let environment = environment(task, account.as_ref(), permit.execution());
    let launch = Launch::new(executable, arguments, streams)
        .and_then(|launch| launch.environment(environment))
        .map_err(|bad| in_full(&bad))?
        .umask(task.umask);
    let launch = match directory {
        Some(directory) => launch.directory(directory),
        None => launch,
    };
    let launch = match account {
        Some(account) if is_someone_else(&account) => launch.identity(account.identity().clone()),
        _ => launch,
    };
    Ok(Prepared { launch, captured })
}

struct Opened {
    executable: Executable,
    account: Option<Account>,
    directory: Option<std::os::fd::OwnedFd>,
}

/// Looking up a user may ask a directory service, and a digest reads the whole program: these go where waiting hurts
/// nobody. Otherwise it is a few calls to the kernel, and a change of threads would cost more.
async fn open(task: &Arc<CommandTask>) -> Result<Opened, String> {
    if task.spec.run_as.is_none() && task.sha256.is_none() {
        return open_now(task);
    }
    let task = Arc::clone(task);
    let opened = tokio::task::spawn_blocking(move || open_now(&task)).await;
    opened.map_err(|error| error.to_string())?
}

fn open_now(task: &CommandTask) -> Result<Opened, String> {
    let root = task.directory.as_os_str() == "/";
    Ok(Opened {
        executable: open_program(&task.program, task.sha256)?,
        account: find_account(task.spec.run_as.as_deref())?,
        directory: if root { None } else { Some(open_directory(&task.directory)?) },
    })
}

fn is_someone_else(account: &Account) -> bool {
    // Root takes on the groups of the account even where it is root's own; another user cannot, and need not.
    let us = rustix::process::geteuid().as_raw();
    us == 0 || us != account.identity().uid()
}

/// Exactly these variables. None of them comes from the environment of the server.
fn environment(
    task: &CommandTask,
    account: Option<&Account>,
    execution: ExecutionId,
) -> BTreeMap<String, Vec<u8>> {
    use std::os::unix::ffi::OsStrExt as _;
    let mut variables = BTreeMap::new();
    let mut set = |name: &str, value: &[u8]| drop(variables.insert(name.to_owned(), value.to_vec()));
    set("PATH", PATH.as_bytes());
    set("LANG", LANG.as_bytes());
    if let Some((account, name)) = account.zip(task.spec.run_as.as_ref()) {
        set("HOME", account.home().as_os_str().as_bytes());
        set("USER", name.as_bytes());
        set("LOGNAME", name.as_bytes());
    }
    for (name, value) in &task.environment {
        set(name, value.as_bytes());
    }
    set("BREVET_EXECUTION", execution.to_string().as_bytes());
    variables
}

fn failed<E: Display>(doing: &'static str) -> impl Fn(E) -> String {
    move |error| format!("the system could not {doing}: {error}")
}
