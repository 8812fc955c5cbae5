//! What is kept of what a task writes.

use std::os::unix::fs::PermissionsExt as _;

use brevet_core::{Digest, ExecutionResult, Output};
use brevet_workloads::recording::{BadRecording, HEADER};
use sha2::{Digest as _, Sha256};

use crate::fixture::{House, run_script, script};

#[test]
fn both_streams_are_kept_apart_and_each_in_order() {
    let script = "for i in 1 2 3; do echo out $i; echo err $i >&2; done";
    let ran = run_script(script, "");
    assert_eq!(ran.finished.result, ExecutionResult::Succeeded);
    assert_eq!(ran.stdout, b"out 1\nout 2\nout 3\n");
    assert_eq!(ran.stderr, b"err 1\nerr 2\nerr 3\n");
}

#[test]
fn the_file_is_named_by_its_digest_and_is_for_nobody_else() {
    let mut house = House::new(&crate::fixture::script("echo on", ""));
    let output = house.run(&[], &[]).finished.output.unwrap();
    let path = house.blobs.path(output.digest);
    let bytes = std::fs::read(&path).unwrap();
    assert_eq!(Digest(Sha256::digest(&bytes).into()), output.digest);
    assert_eq!((output.bytes, output.dropped), (bytes.len() as u64, 0));
    assert_eq!(bytes.len(), HEADER.len() + 13 + 3);
    let hex = output.digest.to_string();
    assert!(path.ends_with(format!("blobs/{}/{hex}", &hex[..2])));
    for (path, mode) in [(path.as_path(), 0o600), (path.parent().unwrap(), 0o700)] {
        assert_eq!(std::fs::metadata(path).unwrap().permissions().mode() & 0o777, mode);
    }
    assert_eq!(std::fs::read_dir(house.data.path().join("blobs/partial")).unwrap().count(), 0);
}

#[test]
fn the_time_of_each_frame_counts_from_the_start() {
    let mut house = House::new(&script("echo 1; sleep 0.05; echo 2", ""));
    let output = house.run(&[], &[]).finished.output.unwrap();
    let times: Vec<u64> = house.blobs.read(&output).unwrap().map(|frame| frame.unwrap().micros).collect();
    let [first, second] = times.as_slice() else { panic!("{times:?}") };
    assert!(first <= second && (50_000..30_000_000).contains(second), "{times:?}");
}

#[test]
fn what_is_beyond_the_limit_is_counted_and_dropped_and_the_task_goes_on() {
    for (written, kept, dropped) in
        [(1023, 1023, 0), (1024, 1024, 0), (1025, 1024, 1), (5_000_000, 1024, 4_998_976)]
    {
        let script = format!("head -c {written} /dev/zero; exit 7");
        let ran = run_script(&script, "output_limit = \"1KiB\"");
        assert_eq!(ran.finished.result, ExecutionResult::Failed { code: 7 });
        assert_eq!((ran.stdout.len(), ran.finished.output.unwrap().dropped), (kept, dropped), "{written}");
    }
}

#[test]
fn large_outputs_arrive_whole_from_both_streams_at_once() {
    let script = "yes out | head -c 3000000 & yes err | head -c 3000000 >&2; wait";
    let ran = run_script(script, "");
    for (bytes, word) in [(&ran.stdout, "out\n"), (&ran.stderr, "err\n")] {
        assert_eq!(bytes.len(), 3_000_000);
        assert!(bytes.chunks(4).all(|line| line == word.as_bytes()));
    }
}

#[test]
fn what_is_written_just_before_the_end_is_not_lost() {
    for bytes in [1, 4096, 65_536] {
        let ran = run_script(&format!("head -c {bytes} /dev/zero; kill -KILL $$"), "");
        assert_eq!(ran.finished.result, ExecutionResult::Killed { signal: 9 });
        assert_eq!(ran.stdout.len(), bytes);
    }
}

#[test]
fn closed_streams_do_not_end_a_run() {
    let ran = run_script("echo on; exec >&- 2>&-; sleep 0.05; exit 4", "");
    assert_eq!(ran.finished.result, ExecutionResult::Failed { code: 4 });
    assert_eq!(ran.stdout, b"on\n");
}

#[test]
fn a_run_whose_output_cannot_be_recorded_is_killed_and_its_end_is_unknown() {
    let mut house = House::new(&script("trap '' TERM; echo on; sleep 1000", ""));
    std::fs::remove_dir(house.data.path().join("blobs/partial")).unwrap();
    let ran = house.run(&[], &[]);
    assert_eq!((ran.finished.result, ran.finished.output), (ExecutionResult::Unknown, None));
    assert!(ran.finished.trouble.unwrap().contains("the output could not be recorded: No such file"));
}

#[test]
fn a_recording_that_was_changed_anywhere_is_not_read() {
    let mut house = House::new(&script("echo on; echo off >&2", ""));
    let output = house.run(&[], &[]).finished.output.unwrap();
    let path = house.blobs.path(output.digest);
    let good = std::fs::read(&path).unwrap();
    let refused = |bytes: &[u8]| {
        std::fs::write(&path, bytes).unwrap();
        assert!(matches!(house.blobs.read(&output), Err(BadRecording::Digest)), "{} bytes", bytes.len());
    };
    for at in 0..good.len() {
        let mut bad = good.clone();
        bad[at] ^= 1;
        refused(&bad);
        refused(&good[..at]);
    }
    refused(&[&good[..], b"x"].concat());
    std::fs::write(&path, &good).unwrap();
    assert_eq!(house.blobs.read(&output).unwrap().filter_map(Result::ok).count(), 2);
    let another = Output { bytes: output.bytes + 1, ..output };
    assert!(matches!(house.blobs.read(&another), Err(BadRecording::Digest)));
}
