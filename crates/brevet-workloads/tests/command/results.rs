//! How runs end.

use brevet_core::ExecutionResult;

use crate::fixture::{House, run_script, script};

#[test]
fn the_exit_code_is_the_result() {
    assert_eq!(run_script("exit 0", "").finished.result, ExecutionResult::Succeeded);
    for code in [1, 2, 125, 255] {
        let ran = run_script(&format!("exit {code}"), "");
        assert_eq!(ran.finished.result, ExecutionResult::Failed { code });
    }
}

#[test]
fn a_signal_is_told_from_an_exit_code() {
    let ran = run_script("kill -SEGV $$", "");
    assert_eq!(ran.finished.result, ExecutionResult::Killed { signal: 11 });
}

#[test]
fn a_run_that_wrote_nothing_has_no_output_and_no_file() {
    let mut house = House::new(&script("exit 0", ""));
    let ran = house.run(&[], &[]);
    assert_eq!(ran.finished.output, None);
    let blobs = house.data.path().join("blobs");
    let names: Vec<_> = std::fs::read_dir(&blobs).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, ["partial"]);
    assert_eq!(std::fs::read_dir(blobs.join("partial")).unwrap().count(), 0);
}

#[test]
fn a_program_that_is_gone_or_may_be_changed_by_others_since_the_definitions_were_read_does_not_start() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let path = std::fs::canonicalize(folder.path()).unwrap().join("program");
    std::fs::copy("/bin/true", &path).unwrap();
    let mut house = House::new(&format!("[[task]]\nname = \"T\"\nrun = [{path:?}]\n"));
    assert_eq!(house.run(&[], &[]).finished.result, ExecutionResult::Succeeded);

    std::fs::set_permissions(&path, PermissionsExt::from_mode(0o777)).unwrap();
    assert!(house.run(&[], &[]).refusal().contains("can be written to by others"));
    std::fs::remove_file(&path).unwrap();
    assert!(house.run(&[], &[]).refusal().contains("does not exist"));
}

#[test]
fn a_program_with_other_content_than_pinned_does_not_start() {
    use sha2::Digest as _;
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let path = std::fs::canonicalize(folder.path()).unwrap().join("program");
    std::fs::copy("/bin/true", &path).unwrap();
    let digest = brevet_core::Digest(sha2::Sha256::digest(std::fs::read(&path).unwrap()).into());
    let mut house = House::new(&format!("[[task]]\nname = \"T\"\nrun = [{path:?}]\nsha256 = \"{digest}\"\n"));
    assert_eq!(house.run(&[], &[]).finished.result, ExecutionResult::Succeeded);

    std::fs::copy("/bin/false", &path).unwrap();
    assert!(house.run(&[], &[]).refusal().contains("is not the program of the definition"));
}
