//! Who may write definitions.

use std::os::unix::fs::{PermissionsExt, symlink};

use super::super::limit::{FILE_BYTES_MAX, FILES_MAX};
use super::{Folder, workload};

const GOOD: &str = "[[task]]\nname = \"A\"\nrun = [\"/usr/bin/true\"]\n";

fn good() -> Folder {
    Folder::new([("a.toml", workload(GOOD).as_str())])
}

#[track_caller]
fn check(folder: &Folder, begin: &str, words: &str) {
    let problems = folder.problems();
    let [problem] = problems.as_slice() else { panic!("{problems:?}") };
    assert!(problem.starts_with(begin) && problem.contains(words) && problem.contains(" — "), "{problem}");
}

#[test]
fn others_must_not_be_able_to_write() {
    for mode in [0o664, 0o646, 0o666] {
        let folder = good();
        std::fs::set_permissions(folder.path().join("a.toml"), PermissionsExt::from_mode(mode)).unwrap();
        check(&folder, "a.toml: ", "others than the owner can write this");
    }
    for mode in [0o770, 0o707, 0o1777] {
        let folder = good();
        std::fs::set_permissions(folder.path(), PermissionsExt::from_mode(mode)).unwrap();
        check(&folder, "", "chmod go-w");
    }
}

#[test]
fn another_owner_is_refused() {
    if !rustix::process::geteuid().is_root() {
        return;
    }
    let folder = good();
    std::os::unix::fs::chown(folder.path().join("a.toml"), Some(65_534), None).unwrap();
    check(&folder, "a.toml: ", "belongs to user 65534");
    let folder = good();
    std::os::unix::fs::chown(folder.path(), Some(65_534), None).unwrap();
    check(&folder, "", "belongs to user 65534");
}

#[test]
fn links_are_refused() {
    let (folder, elsewhere) = (good(), good());
    symlink(elsewhere.path().join("a.toml"), folder.path().join("b.toml")).unwrap();
    check(&folder, "b.toml: ", "this is a symbolic link");
    let link = folder.path().join("folder");
    symlink(elsewhere.path(), &link).unwrap();
    let problems = super::load(&link).expect_err("a link").to_string();
    assert!(problems.contains("is a symbolic link to one"), "{problems}");
}

#[test]
fn what_is_no_file_is_refused_without_waiting_for_it() {
    let folder = good();
    std::fs::create_dir(folder.path().join("b.toml")).unwrap();
    check(&folder, "b.toml: ", "not a regular file");
    let folder = good();
    let mode = rustix::fs::Mode::from_raw_mode(0o600);
    let pipe = folder.path().join("b.toml");
    rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, mode, 0).unwrap();
    check(&folder, "b.toml: ", "not a regular file");
}

#[test]
fn a_missing_folder_is_a_problem() {
    let problems = super::load("/no/such/folder".as_ref()).expect_err("nothing there").to_string();
    assert_eq!(problems, "/no/such/folder: this does not exist — create it, or correct the path");
}

#[test]
fn a_file_that_is_too_large_or_no_text_is_a_problem() {
    let folder = good();
    let fits = usize::try_from(FILE_BYTES_MAX).unwrap() - workload("").len();
    folder.write("b.toml", &workload(&"#".repeat(fits)));
    assert!(folder.load().is_ok());
    folder.write("b.toml", &workload(&"#".repeat(fits + 1)));
    check(&folder, "b.toml: ", "more than 1048576 bytes");
    let folder = good();
    std::fs::write(folder.path().join("b.toml"), b"# \xff").unwrap();
    check(&folder, "b.toml: ", "not UTF-8 from byte 2 on");
}

#[test]
fn too_many_files_are_a_problem() {
    let folder = Folder::new([]);
    for i in 0..FILES_MAX {
        folder.write(&format!("{i}.toml"), &workload(""));
    }
    assert!(folder.load().is_ok());
    folder.write("one-more.toml", &workload(""));
    let problems = folder.problems();
    assert!(problems[0].contains("more than 256 files"), "{problems:?}");
}
