use super::*;

#[test]
fn a_process_with_threads_cannot_prove_that_it_has_one() {
    // The test harness runs each test on a thread of its own beside the main one.
    let worker = std::thread::spawn(SingleThreaded::prove);
    let Err(refusal) = worker.join().unwrap() else { panic!("the harness and this test are two threads") };
    assert!(refusal.to_string().contains("threads"), "{refusal}");
}

#[test]
fn a_failed_exec_returns_the_reason_and_leaves_the_process_as_it_was() {
    let directory = std::fs::File::open("/").unwrap();
    let nothing = [];
    assert_eq!(exec_file(std::os::fd::AsFd::as_fd(&directory), &nothing, &nothing), Errno::ACCESS);
    assert_eq!(exec_path(c"/nonexistent", &nothing, &nothing), Errno::NOENT);
}

#[test]
fn pointer_arrays_end_with_null() {
    let strings = [c"a".to_owned(), c"b".to_owned()];
    let array = pointers(&strings);
    assert_eq!(array.len(), 3);
    assert!(array[2].is_null());
}

#[test]
fn the_ids_are_those_that_the_process_has() {
    let ids = ids().unwrap();
    assert_eq!(ids.users[1], rustix::process::geteuid().as_raw());
    assert_eq!(ids.groups[1], rustix::process::getegid().as_raw());
}

#[test]
fn root_is_a_user_and_an_invented_name_is_none() {
    let root = user_by_name(c"root").unwrap().unwrap();
    assert_eq!(root.uid, 0);
    assert!(user_by_name(c"no-such-user-of-brevet").unwrap().is_none());
}

#[test]
fn the_groups_of_a_user_hold_the_primary_one_and_respect_the_limit() {
    assert!(groups_of(c"root", 0, 64).unwrap().contains(&0));
    assert_eq!(groups_of(c"root", 0, 0), None);
}
