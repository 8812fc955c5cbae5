//! The story: refused, asked, approved, run several times, the window over, refused again, and proved.

use anyhow::{Context as _, ensure};

use super::organization::find_string;
use super::stage::Stage;

/// How long Bob's window is: long enough to work in, short enough to wait for.
const WINDOW: &str = "12s";
/// Exit code: an approval is needed.
const NEEDS_APPROVAL: i32 = 3;
/// Exit code: refused.
const REFUSED: i32 = 1;

const DISK: &str = "run Linux/Show-Disk-Usage -p path=/";

pub(super) fn tell(stage: &mut Stage) -> anyhow::Result<()> {
    before(stage)?;
    policy(stage)?;
    ask(stage)?;
    use_it(stage)?;
    revoke(stage)?;
    system_account(stage)?;
    prove(stage)
}

fn before(stage: &Stage) -> anyhow::Result<()> {
    stage.head("1. Access control is off: whoever is assigned runs the task, as on any machine today");
    stage.types("ada", "assignment add --user ada --task Linux/Show-Disk-Usage", 0)?;
    stage.types("ada", DISK, 0).map(drop)
}

fn policy(stage: &Stage) -> anyhow::Result<()> {
    stage.head("2. Access control is enabled, and policies say who approves what");
    stage.types("ada", "access enable --approvers Linux-Approvers --system-account backup", 0)?;
    stage.types(
        "ada",
        "policy create --task Linux/Show-Disk-Usage --approval-type manual --approver-group Linux-Approvers",
        0,
    )?;
    stage.types(
        "ada",
        "policy create --role Linux/Site-Operators --approval-type manual --max-duration 1h --max-uses 20",
        0,
    )?;
    stage.head("3. Now the same run is refused, even for the administrator");
    stage.types("ada", DISK, NEEDS_APPROVAL)?;
    stage.types("bob", DISK, NEEDS_APPROVAL).map(drop)
}

fn ask(stage: &Stage) -> anyhow::Result<()> {
    stage.head("4. Bob asks, with a reason and a duration; he cannot decide himself, Alice does");
    let asked = format!(
        "request new --task Linux/Show-Disk-Usage -p path=/ --reason \"The site is slow, the disk may be full\" --duration {WINDOW}"
    );
    stage.types("bob", &asked, 0)?;
    stage.types("bob", "request approve req-1 --comment \"I trust me\"", REFUSED)?;
    stage.types("alice", "request list --for-me", 0)?;
    stage.types("alice", "request approve req-1 --comment \"Go ahead\"", 0).map(drop)
}

fn use_it(stage: &Stage) -> anyhow::Result<()> {
    stage
        .head("5. The same run works, as often as needed until the window ends; only with what was approved");
    stage.types("bob", DISK, 0)?;
    stage.types("bob", DISK, 0)?;
    stage.types("bob", "run Linux/Show-Disk-Usage -p path=/tmp", NEEDS_APPROVAL)?;
    stage.types("bob", "authorization list --mine", 0)?;
    wait_for_the_window(stage)?;
    stage.types("bob", DISK, NEEDS_APPROVAL).map(drop)
}

/// The window ends at an instant; nothing but the clock brings it about.
fn wait_for_the_window(stage: &Stage) -> anyhow::Result<()> {
    let shown = stage.runs("bob", "authorization show aut-1 -o json", None)?;
    let ends: jiff::Timestamp =
        find_string(&shown.stdout, "ends_at").context("no end of the window")?.parse()?;
    stage.say(&format!("\n  ... until the window ends, at {ends} ...\n"));
    let left = std::time::Duration::try_from(ends.duration_since(jiff::Timestamp::now())).unwrap_or_default();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
    runtime.block_on(async { tokio::time::sleep(left).await });
    Ok(())
}

fn revoke(stage: &Stage) -> anyhow::Result<()> {
    stage.head("6. A role: Bob changes a file that only the broker can write, and an approver takes the right away mid-run");
    stage.types(
        "bob",
        "request new --role Linux/Site-Operators --reason \"New greeting for the launch\" --hours 1",
        0,
    )?;
    stage.types("anna", "request approve req-2 --duration 30m --comment \"Half an hour is enough\"", 0)?;
    stage.types("bob", "run Linux/Set-Greeting -p text=\"Welcome, everybody!\"", 0)?;
    let greeting = std::fs::read_to_string(stage.site().join("greeting.conf"))?;
    ensure!(greeting == "Welcome, everybody!", "the greeting is {greeting:?}");
    let following = stage.begins("bob", "run Linux/Follow-Log")?;
    wait_until_it_runs(stage)?;
    stage.types("anna", "authorization revoke aut-2 --comment \"The launch is off\"", 0)?;
    let ended = stage.sees(following)?;
    ensure!(ended.code != 0, "the run went on after the revocation");
    stage.types("bob", "run Linux/Read-Log", NEEDS_APPROVAL).map(drop)
}

fn wait_until_it_runs(stage: &Stage) -> anyhow::Result<()> {
    for _ in 0..1_000 {
        let running = stage.runs("bob", "execution list --mine --running -o json", None)?;
        if find_string(&running.stdout, "id").is_some() {
            return Ok(());
        }
    }
    anyhow::bail!("the run did not start")
}

fn system_account(stage: &Stage) -> anyhow::Result<()> {
    stage.head(
        "7. The system account that was excluded runs what it is assigned to, and every use is flagged",
    );
    stage.types("ada", "assignment add --user backup --task Linux/Show-Disk-Usage", 0)?;
    stage.types("backup", DISK, 0).map(drop)
}

fn prove(stage: &Stage) -> anyhow::Result<()> {
    stage.head("8. Everything is in the ledger, and the ledger proves itself, without the server");
    stage.types("otto", "audit search --request req-1", 0)?;
    stage.types("otto", &format!("audit verify --data {}", stage.data().display()), 0)?;
    stage.say("\nThat is the whole story.\n");
    Ok(())
}
