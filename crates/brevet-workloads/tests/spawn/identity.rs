//! A task is the user that it was to be, wholly, or does not start.

use brevet_workloads::spawn::{Account, SpawnError, Step};

use super::fixture::{block_on, finish, run, shell, spawner};

/// The lines of /proc/self/status that say who a process is and what it may.
const WHO: &str = "exec grep -E '^(Uid|Gid|Groups|Cap(Inh|Prm|Eff|Amb)):' /proc/self/status";

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

#[test]
fn a_task_of_another_user_has_its_ids_and_groups_and_no_capability() {
    if !is_root() {
        println!("skipped: only root can run as someone else");
        return;
    }
    // A user of every system, with a group of its own besides the primary one on some.
    for name in ["nobody", "daemon"] {
        let account = Account::find(name).unwrap();
        let identity = account.identity();
        let (launch, captured) = shell(WHO);
        let output = run((launch.identity(identity.clone()), captured)).output();
        let four = |id: u32| format!("{id}\t{id}\t{id}\t{id}");
        let groups: Vec<_> = identity.groups().iter().map(u32::to_string).collect();
        let none = "0".repeat(16);
        let expected = format!(
            "Uid:\t{}\nGid:\t{}\nGroups:\t{} \nCapInh:\t{none}\nCapPrm:\t{none}\nCapEff:\t{none}\nCapAmb:\t{none}\n",
            four(identity.uid()),
            four(identity.gid()),
            groups.join(" ")
        );
        assert_eq!(output, expected);
    }
}

#[test]
fn a_task_of_another_user_dies_with_its_supervisor_too() {
    if !is_root() {
        println!("skipped: only root can run as someone else");
        return;
    }
    block_on(async {
        let spawner = spawner();
        let (launch, captured) = shell("echo $$; echo $PPID; sleep 1000");
        let identity = Account::find("nobody").unwrap().identity().clone();
        let mut child = spawner.spawn(launch.identity(identity)).await.unwrap();
        let processes = super::fixture::read_pids(&captured.stdout, 2).await;
        rustix::process::kill_process(processes[1].pid, rustix::process::Signal::KILL).unwrap();
        assert!(processes[0].ends());
        assert!(child.wait().await.is_err());
    });
}

#[test]
fn a_task_of_another_user_cannot_stand_where_that_user_cannot_go() {
    if !is_root() {
        println!("skipped: only root can run as someone else");
        return;
    }
    let place = super::fixture::directory();
    std::fs::set_permissions(place.path(), std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
    let (launch, captured) = shell("exit 0");
    let launch = launch
        .identity(Account::find("nobody").unwrap().identity().clone())
        .directory(std::fs::File::open(place.path()).unwrap().into());
    let outcome =
        block_on(async { finish(&spawner(), (launch, captured)).await.map(|finished| finished.exit) });
    assert!(matches!(outcome, Err(SpawnError::NotStarted { step: Step::Directory, .. })), "{outcome:?}");
}

#[test]
fn without_privilege_another_user_is_refused() {
    if is_root() {
        println!("skipped: root may run as anyone");
        return;
    }
    let (launch, captured) = shell("exit 0");
    let launch = launch.identity(Account::find("root").unwrap().identity().clone());
    let outcome =
        block_on(async { finish(&spawner(), (launch, captured)).await.map(|finished| finished.exit) });
    assert!(matches!(outcome, Err(SpawnError::NotStarted { step: Step::Identity, .. })), "{outcome:?}");
}
