//! Only what was allowed runs, and only as it was defined then.

use crate::fixture::{House, block_on, definitions, script};

#[test]
fn what_was_defined_anew_since_it_was_allowed_does_not_run() {
    let mut house = House::new(&script("echo one", ""));
    let permit = house.gate.permit("T", &[], &[]);
    house.workload.replace(definitions(&script("echo two", "")).commands);
    let finished = block_on(async {
        let started = house.start(permit);
        started.running.await
    });
    let ran = house.read(finished);
    assert!(ran.refusal().contains("was defined anew since this run was allowed"));
    assert_eq!(ran.finished.output, None);
}

#[test]
fn what_is_not_defined_any_more_does_not_run() {
    let mut house = House::new(&script("echo one", ""));
    house.workload.replace(definitions("").commands);
    assert!(house.run(&[], &[]).refusal().contains("Linux\\T is not defined here any more"));
}

#[test]
fn what_is_defined_again_as_it_was_runs() {
    let mut house = House::new(&script("echo one", ""));
    let permit = house.gate.permit("T", &[], &[]);
    house.workload.replace(definitions("").commands);
    house.workload.replace(definitions(&script("echo one", "")).commands);
    let finished = block_on(async {
        let started = house.start(permit);
        started.running.await
    });
    assert_eq!(house.read(finished).output(), "one\n");
}

#[test]
fn a_running_task_goes_on_as_it_was_started() {
    let mut house = House::new(&script(
        "echo started; read x; echo $x",
        "stdin = \"{x}\"\n[task.parameters.x]\ntype = \"string\"\n",
    ));
    let permit = house.gate.permit("T", &[("x", crate::fixture::text("to the end"))], &[]);
    let finished = block_on(async {
        let started = house.start(permit);
        let mut tail = started.live.tail();
        let first = async { tail.next().await.unwrap() };
        let ((), finished) = tokio::join!(
            async {
                first.await;
                house.workload.replace(definitions("").commands);
            },
            started.running
        );
        finished
    });
    assert_eq!(house.read(finished).output(), "started\nto the end\n");
}
