//! Clocks that step, disks that are full, ledgers that somebody else wrote to.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command as Process;
use std::time::Duration;

use brevet::app::AppError;
use brevet_core::{Command, Refusal, Span};
use tempfile::TempDir;

use super::house::{ADA, ALICE, BOB, House, request};
use super::signing_in::reopened;

#[tokio::test]
async fn a_clock_that_steps_back_stops_decisions_until_it_is_right_again() {
    let folder = TempDir::new().unwrap();
    let house = House::found(&folder.path().join("data")).await;
    house.clock.back(Span::seconds(1));
    house.ask(None).await;
    house.clock.back(Span::hours(1));
    let refused = house.by(BOB, Command::Submit(request(None))).await;
    assert!(matches!(refused, Err(AppError::ClockWentBack { behind_seconds: 3_600..=3_601 })), "{refused:?}");
    house.clock.forward(Span::hours(1));
    house.ask(None).await;
}

#[tokio::test]
async fn with_a_clock_that_went_back_what_somebody_has_can_still_be_taken_away() {
    let folder = TempDir::new().unwrap();
    let house = House::found(&folder.path().join("data")).await;
    let authorization = house.grant(None).await;
    let done = house.by(BOB, super::house::run()).await.unwrap();
    let brevet_core::Reply::Execution(execution) = done.reply else { panic!() };
    house.clock.back(Span::hours(1));
    assert!(matches!(house.by(BOB, super::house::run()).await, Err(AppError::ClockWentBack { .. })));
    let cause = brevet_core::StopCause::ByUser(ALICE);
    house.by(ALICE, Command::StopRun { execution, cause }).await.unwrap();
    house.by(ALICE, Command::Revoke { authorization, comment: Default::default() }).await.unwrap();
    house.by(ADA, Command::DisableUser(BOB)).await.unwrap();
    assert_eq!(house.app.read(|state| state.authorizations().count()), 0);
    let enabled = house.by(ADA, Command::EnableUser(BOB)).await;
    assert!(matches!(enabled, Err(AppError::ClockWentBack { .. })), "that would give something: {enabled:?}");
}

#[tokio::test]
async fn a_server_goes_down_also_where_the_end_of_a_run_cannot_be_recorded() {
    let folder = TempDir::new().unwrap();
    let house = House::found(&folder.path().join("data")).await;
    house.grant(None).await;
    // Started, and nobody there who could say that it is over.
    house.by(BOB, super::house::run()).await.unwrap();
    let down = house.app.shut_down(Duration::from_millis(50));
    tokio::time::timeout(Duration::from_secs(10), down).await.expect("it waits for ever");
}

#[tokio::test]
async fn a_clock_that_went_back_does_not_revive_an_authorization() {
    let folder = TempDir::new().unwrap();
    let house = House::found(&folder.path().join("data")).await;
    house.grant(None).await;
    house.clock.forward(Span::hours(1));
    assert!(matches!(
        house.by(BOB, super::house::run()).await,
        Err(AppError::Refused(Refusal::NeedsApproval(_)))
    ));
    house.clock.back(Span::minutes(30));
    assert!(house.by(BOB, super::house::run()).await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_due_is_acted_on_without_anybody_asking() {
    let folder = TempDir::new().unwrap();
    let house = House::found(&folder.path().join("data")).await;
    house.ask(None).await;
    house.grant(None).await;
    house.clock.forward(Span::hours(25));
    let idle =
        |house: &House| house.app.read(|state| state.requests().count() + state.authorizations().count());
    let acted = async {
        while idle(&house) > 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(5), acted).await.expect("nobody acted on what was due");
}

#[tokio::test]
async fn a_vote_at_the_deadline_is_too_late_whether_or_not_the_expiry_was_acted_on() {
    let folder = TempDir::new().unwrap();
    let house = House::found(&folder.path().join("data")).await;
    let request = house.ask(None).await;
    house.clock.forward(Span::hours(24));
    let late = house.approve(request).await;
    assert!(matches!(late, Err(AppError::Refused(Refusal::Over { .. }))), "{late:?}");
}

/// A small file system of its own, for as long as this lives. Needs root.
struct SmallDisk(PathBuf);

impl SmallDisk {
    fn mount(at: &Path, size: &str) -> Option<Self> {
        fs::create_dir_all(at).unwrap();
        let options = format!("size={size},mode=0700");
        let mounted =
            Process::new("mount").args(["-t", "tmpfs", "-o", &options, "brevet-test"]).arg(at).status();
        mounted.is_ok_and(|status| status.success()).then(|| Self(at.to_owned()))
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        drop(Process::new("umount").arg("--lazy").arg(&self.0).status());
    }
}

#[tokio::test]
async fn a_full_disk_stops_work_with_a_clear_error_and_nothing_is_lost() {
    let folder = TempDir::new().unwrap();
    let mount = folder.path().join("disk");
    let Some(_disk) = SmallDisk::mount(&mount, "16m") else {
        println!("skipped: mounting a small disk needs root");
        return;
    };
    let data = mount.join("data");
    let house = House::found(&data).await;
    let kept = house.ask(None).await;
    fill(&mount);
    let mut refused = None;
    for _ in 0..200 {
        match house.by(BOB, Command::Submit(request(None))).await {
            Ok(_) => {}
            Err(error) => {
                refused = Some(error);
                break;
            }
        }
    }
    assert!(matches!(&refused, Some(AppError::LedgerUnavailable { .. })), "{refused:?}");
    let acknowledged = house.app.read(|state| state.requests().count());
    fs::remove_file(mount.join("ballast")).unwrap();
    house.approve(kept).await.unwrap();
    let clock = house.clock.clone();
    drop(house);
    let house = reopened(&data, clock).await;
    assert_eq!(house.app.read(|state| state.requests().count()), acknowledged - 1);
    brevet_store::verify_folder(&data, None, &[], &|_, _| ()).unwrap();
}

/// Takes all room that is left, to the last page.
fn fill(folder: &Path) {
    let mut ballast = fs::File::create(folder.join("ballast")).unwrap();
    for size in [1 << 20, 1 << 12, 1] {
        while std::io::Write::write(&mut ballast, &vec![0; size]).is_ok_and(|written| written > 0) {}
    }
}

#[tokio::test]
async fn a_ledger_that_somebody_else_wrote_to_is_not_written_any_more() {
    let folder = TempDir::new().unwrap();
    let data = folder.path().join("data");
    let house = House::found(&data).await;
    let request = house.ask(None).await;
    let database = rusqlite::Connection::open(data.join("brevet.db")).unwrap();
    database.execute("UPDATE head SET size = size + 1", []).unwrap();
    for _ in 0..2 {
        let refused = house.approve(request).await;
        assert!(matches!(refused, Err(AppError::LedgerUnavailable { .. })), "{refused:?}");
    }
    database.execute("UPDATE head SET size = size - 1", []).unwrap();
    assert!(house.approve(request).await.is_err(), "only a restart knows what is on the disk");
    let clock = house.clock.clone();
    drop(house);
    let house = reopened(&data, clock).await;
    house.approve(request).await.unwrap();
}

#[tokio::test]
async fn a_run_that_was_going_on_when_the_server_went_down_is_unknown_and_not_run_again() {
    let folder = TempDir::new().unwrap();
    let data = folder.path().join("data");
    let house = House::found(&data).await;
    house.grant(None).await;
    let done = house.by(BOB, super::house::run()).await.unwrap();
    assert!(done.permit.is_some());
    let clock = house.clock.clone();
    drop((house, done));
    let house = reopened(&data, clock).await;
    assert_eq!(house.app.read(|state| state.executions().count()), 0);
    let execution =
        house.app.stored(|reader| reader.execution(brevet_core::ExecutionId::new(1))).await.unwrap().unwrap();
    let unknown = brevet_core::ExecutionResult::Unknown;
    assert!(
        matches!(execution.state, brevet_core::ExecutionState::Finished { result, .. } if result == unknown)
    );
    assert!(house.by(ALICE, super::house::run()).await.is_err());
}
