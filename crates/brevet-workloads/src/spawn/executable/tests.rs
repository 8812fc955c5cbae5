use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};

use super::*;

/// A directory that passes the checks: /tmp never does.
fn directory() -> tempfile::TempDir {
    let parent = Path::new(env!("CARGO_MANIFEST_DIR"));
    let directory = tempfile::Builder::new().prefix(".executable-").tempdir_in(parent).unwrap();
    fs::set_permissions(directory.path(), Permissions::from_mode(0o755)).unwrap();
    directory
}

fn program(directory: &Path, name: &str, mode: u32) -> PathBuf {
    let path = directory.join(name);
    fs::write(&path, "#!/usr/bin/dash\n").unwrap();
    fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
    path
}

fn refusal(path: impl AsRef<Path>) -> String {
    Executable::open(path.as_ref()).unwrap_err().to_string()
}

#[test]
fn a_program_of_the_system_opens() {
    let program = Executable::open(Path::new("/usr//bin/./env")).unwrap();
    assert_eq!(program.path(), Path::new("/usr/bin/env"));
    assert!(!program.is_script());
}

#[test]
fn a_script_is_known_by_its_first_bytes() {
    let directory = directory();
    assert!(Executable::open(&program(directory.path(), "script", 0o755)).unwrap().is_script());
    let empty = directory.path().join("empty");
    fs::write(&empty, "").unwrap();
    fs::set_permissions(&empty, Permissions::from_mode(0o700)).unwrap();
    assert!(!Executable::open(&empty).unwrap().is_script());
}

#[test]
fn the_digest_is_of_the_content() {
    let directory = directory();
    let program = Executable::open(&program(directory.path(), "script", 0o755)).unwrap();
    assert_eq!(program.sha256().unwrap(), <[u8; 32]>::from(Sha256::digest("#!/usr/bin/dash\n")));
}

#[test]
fn a_path_must_be_absolute_and_plain() {
    assert!(refusal("bin/env").ends_with("is not an absolute path; write the whole path from /"));
    assert!(refusal("/usr/lib/../bin/env").ends_with("goes through `..`; write the path without it"));
    assert!(refusal("/usr/bin/e\0nv").contains("NUL"));
    assert!(refusal("").contains("absolute"));
    assert!(refusal("/").contains("not a regular file"));
    assert!(refusal("/usr/bin").contains("not a regular file"));
    assert!(refusal("/usr/bin/env/x").contains("/usr/bin/env"));
    assert_eq!(refusal("/nowhere/x"), "/nowhere does not exist; correct the path, or install the program");
}

#[test]
fn a_symbolic_link_is_named_with_the_path_to_write() {
    let directory = directory();
    let real = directory.path().join("real");
    fs::create_dir(&real).unwrap();
    fs::set_permissions(&real, Permissions::from_mode(0o755)).unwrap();
    let target = program(&real, "tool", 0o755);

    let parent = directory.path().join("link");
    symlink(&real, &parent).unwrap();
    let through = parent.join("tool");
    let expected = |path: &Path, link: &Path| {
        let (path, link, target) = (path.display(), link.display(), target.display());
        format!("{path} passes through the symbolic link {link}; write {target}")
    };
    assert_eq!(refusal(&through), expected(&through, &parent));

    let last = directory.path().join("tool-link");
    symlink(&target, &last).unwrap();
    assert_eq!(refusal(&last), expected(&last, &last));

    let dangling = directory.path().join("dangling");
    symlink("/nowhere", &dangling).unwrap();
    assert!(refusal(&dangling).ends_with("write the path that it should lead to"));
}

#[test]
fn modes_that_let_others_change_or_gain_are_refused() {
    let directory = directory();
    let cases = [
        (0o4755, "set-user-id"),
        (0o2755, "set-group-id"),
        (0o775, "chmod go-w"),
        (0o757, "chmod go-w"),
        (0o644, "chmod +x"),
    ];
    for (mode, expected) in cases {
        let path = program(directory.path(), "tool", mode);
        assert!(refusal(&path).contains(expected), "{mode:o}: {}", refusal(&path));
        fs::remove_file(path).unwrap();
    }
}

#[test]
fn a_parent_that_others_write_to_is_refused_sticky_or_not() {
    for mode in [0o1777, 0o777, 0o775] {
        let directory = directory();
        let path = program(directory.path(), "tool", 0o755);
        fs::set_permissions(directory.path(), Permissions::from_mode(mode)).unwrap();
        let parent = directory.path().display();
        assert_eq!(
            refusal(&path),
            format!(
                "{parent} can be written to by others than its owner, who could change what runs: chmod go-w {parent}"
            )
        );
    }
}

#[test]
fn a_program_or_parent_of_another_user_is_refused() {
    if !rustix::process::geteuid().is_root() {
        println!("skipped: only root can give a file away");
        return;
    }
    let directory = directory();
    let path = program(directory.path(), "tool", 0o755);
    std::os::unix::fs::chown(&path, Some(65534), None).unwrap();
    assert!(refusal(&path).contains("belongs to user 65534"), "{}", refusal(&path));
    std::os::unix::fs::chown(&path, Some(0), None).unwrap();
    std::os::unix::fs::chown(directory.path(), Some(65534), None).unwrap();
    assert!(refusal(&path).contains("belongs to user 65534"), "{}", refusal(&path));
}

#[test]
fn a_pipe_is_refused_without_waiting_for_its_writer() {
    let directory = directory();
    let path = directory.path().join("pipe");
    rustix::fs::mknodat(CWD, &path, FileType::Fifo, Mode::from_raw_mode(0o755), 0).unwrap();
    assert!(refusal(&path).contains("not a regular file"));
}
