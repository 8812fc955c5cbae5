//! The memory of the server does not grow with what a task writes. A program of its own, because other tests that ran
//! in it would be measured too.
#![expect(clippy::unwrap_used, reason = "what the tests share fails the test that uses it")]

#[expect(dead_code, reason = "other tests use the rest")]
#[path = "../command/fixture.rs"]
mod fixture;
#[path = "../support/gate.rs"]
mod gate;

use crate::fixture::{House, Started, block_on, script};

/// What this process has in memory at most, in KiB, since it was last asked to forget.
fn peak_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[test]
fn three_hundred_megabytes_need_no_more_memory_than_a_few() {
    let mut house = House::new(&script("head -c 300000000 /dev/zero", "output_limit = \"1GiB\""));
    let permit = house.gate.permit("T", &[], &[]);
    std::fs::write("/proc/self/clear_refs", "5").unwrap();
    let before = peak_kib();
    let finished = block_on(async {
        let Started { stop: _stop, live, running } = house.start(permit);
        let viewer = tokio::spawn(async move {
            let mut tail = live.tail();
            let mut bytes = 0;
            while let Some(frame) = tail.next().await.unwrap() {
                bytes += frame.bytes.len();
            }
            bytes
        });
        let finished = running.await;
        assert_eq!(viewer.await.unwrap(), 300_000_000);
        finished
    });
    let grown = peak_kib().saturating_sub(before);
    let output = finished.output.unwrap();
    assert!(output.bytes > 300_000_000 && output.dropped == 0);
    // Two runtimes, a buffer of the run, three of the viewer.
    assert!(grown < 16 * 1024, "{grown} KiB");
}
