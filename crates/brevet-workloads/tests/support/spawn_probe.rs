//! Runs as whatever the tests of `spawn` need, by its first argument. Not part of the product.

use std::io::Write as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::process::ExitCode;

use brevet_workloads::spawn::{Executable, Launch, Spawner, Streams, no_input, spawner_main};

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    let mode = arguments.next().unwrap_or_default();
    match mode.to_str() {
        Some("spawner") => spawner_main(),
        Some("arguments") => print_arguments(),
        Some("descriptors") => print_descriptors(),
        Some("inode") => print_inode(),
        Some("server") => serve(&arguments.map(|argument| argument.as_bytes().to_vec()).collect::<Vec<_>>()),
        _ => ExitCode::from(64),
    }
}

/// Prints every argument followed by a NUL, which none can hold.
fn print_arguments() -> ExitCode {
    let mut bytes = Vec::new();
    for argument in std::env::args_os().skip(2) {
        bytes.extend(argument.as_bytes());
        bytes.push(0);
    }
    print(&bytes)
}

/// Prints the numbers of the open descriptors, but for the one that finding them out takes.
fn print_descriptors() -> ExitCode {
    let Ok(entries) = std::fs::read_dir("/proc/self/fd") else { return ExitCode::FAILURE };
    let taken = entries.flatten().filter(|entry| {
        let target = std::fs::read_link(entry.path());
        !target.is_ok_and(|target| target.starts_with("/proc"))
    });
    let mut numbers: Vec<_> = taken.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    numbers.sort();
    print(numbers.join(" ").as_bytes())
}

/// Prints which file this process executes.
fn print_inode() -> ExitCode {
    match std::fs::metadata("/proc/self/exe") {
        Ok(file) => print(file.ino().to_string().as_bytes()),
        Err(_) => ExitCode::FAILURE,
    }
}

fn print(bytes: &[u8]) -> ExitCode {
    match std::io::stdout().write_all(bytes) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

/// Is a server: prints the id of its spawner, runs the shell with the arguments given and its output on our own, and
/// waits for it.
fn serve(arguments: &[Vec<u8>]) -> ExitCode {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build();
    match runtime.map_err(Into::into).and_then(|runtime| runtime.block_on(run(arguments))) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _unheard = writeln!(std::io::stderr(), "{error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: &[Vec<u8>]) -> Result<(), Box<dyn std::error::Error>> {
    use std::os::fd::AsFd as _;
    let spawner = Spawner::start(&std::env::current_exe()?, &["spawner"])?;
    let streams = Streams {
        stdin: no_input()?,
        stdout: std::io::stdout().as_fd().try_clone_to_owned()?,
        stderr: std::io::stderr().as_fd().try_clone_to_owned()?,
    };
    let launch = Launch::new(Executable::open(&std::fs::canonicalize("/bin/sh")?)?, arguments, streams)?;
    writeln!(std::io::stdout(), "{}", spawner.id())?;
    spawner.spawn(launch).await?.wait().await?;
    Ok(())
}
