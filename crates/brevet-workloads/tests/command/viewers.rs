//! Watching output as it comes.

use std::io::Write as _;

use brevet_workloads::recording::{Live, Stream};

use crate::fixture::{House, Started, block_on, script};

async fn read_all(live: Live) -> Vec<u8> {
    let mut tail = live.tail();
    let mut bytes = Vec::new();
    while let Some(frame) = tail.next().await.unwrap() {
        assert_eq!(frame.stream, Stream::Output);
        bytes.extend(frame.bytes);
    }
    bytes
}

#[test]
fn any_number_of_viewers_see_all_of_it_and_one_that_never_reads_holds_up_nothing() {
    let mut house = House::new(&script("yes | head -c 2000000", ""));
    let permit = house.gate.permit("T", &[], &[]);
    let (finished, seen) = block_on(async {
        let Started { stop: _stop, live, running } = house.start(permit);
        let _never_reads = live.tail();
        let viewers: Vec<_> = (0..8).map(|_| tokio::spawn(read_all(live.clone()))).collect();
        let finished = running.await;
        assert!(live.is_finished());
        let mut seen = Vec::new();
        for viewer in viewers {
            seen.push(viewer.await.unwrap());
        }
        // One that comes when all is over, and the file has its last name, sees the same.
        seen.push(read_all(live).await);
        (finished, seen)
    });
    let stored = house.read(finished).stdout;
    assert_eq!(stored.len(), 2_000_000);
    assert!(seen.iter().all(|bytes| *bytes == stored));
}

#[test]
fn a_viewer_sees_each_word_before_the_next_is_written() {
    // The task writes its next word only when the viewer has answered the one before.
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("answer");
    let mode = rustix::fs::Mode::from_raw_mode(0o600);
    rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, mode, 0).unwrap();
    // Both ends stay open for the whole test: a writer that closes late would end the next word's `read` early.
    let mut answers = std::fs::OpenOptions::new().read(true).write(true).open(&pipe).unwrap();
    let text = format!("exec < {}; for i in 1 2 3; do echo $i; read answer; done", pipe.display());
    let mut house = House::new(&script(&text, ""));
    let permit = house.gate.permit("T", &[], &[]);
    block_on(async {
        let Started { stop: _stop, live, running } = house.start(permit);
        let mut tail = live.tail();
        let view = async {
            for i in 1..=3 {
                let frame = tail.next().await.unwrap().unwrap();
                assert_eq!(frame.bytes, format!("{i}\n").into_bytes());
                answers.write_all(b"x\n").unwrap();
            }
            assert_eq!(tail.next().await.unwrap(), None);
        };
        drop(tokio::join!(view, running));
    });
}

#[test]
fn a_viewer_of_a_run_that_writes_nothing_sees_its_end() {
    let mut house = House::new(&script("exit 0", ""));
    let permit = house.gate.permit("T", &[], &[]);
    block_on(async {
        let Started { stop: _stop, live, running } = house.start(permit);
        let (seen, finished) = tokio::join!(read_all(live), running);
        assert_eq!((seen.len(), finished.output), (0, None));
    });
}

#[test]
fn a_viewer_of_a_run_that_does_not_start_sees_its_end() {
    let mut house = House::new(&script("exit 0", ""));
    let permit = house.gate.permit("T", &[], &[]);
    house.workload.replace(brevet_workloads::definition::CommandTasks::default());
    block_on(async {
        let Started { stop: _stop, live, running } = house.start(permit);
        let (seen, finished) = tokio::join!(read_all(live), running);
        assert!(matches!(finished.result, brevet_core::ExecutionResult::NotStarted { .. }));
        assert_eq!(seen.len(), 0);
    });
}
