//! How far the ledger is vouched for; erasure and archives.

use brevet_wire as wire;

use crate::app::{Archives, SinkStatus, Standing, WitnessStanding};
use crate::http::answer::{changed, created, shown};
use crate::http::extract::{Given, Nothing};
use crate::http::operation::operation;
use crate::http::problem::{Answer, Failure};
use crate::http::route::{Caller, Permission, Routes};
use crate::http::take;
use crate::http::view::at;

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .get("/api/v1/ledger", Permission::SignedIn, show, {
            operation("show_ledger", "Shows how far the ledger is vouched for")
                .note("An entry is durable, then checkpointed (signed, published and in the anchor), then witnessed.")
                .shows::<wire::Ledger>("How far.")
        })
        .post("/api/v1/ledger/erasures", Permission::Administrator, erase, {
            operation("erase_texts", "Erases the personal texts of one person for good; every proof stays valid")
                .note("The account must be disabled. Texts that others wrote about the person are theirs, and stay.")
                .takes::<wire::Erase>()
                .shows::<wire::Erased>("Whose texts are gone.")
        })
        .get("/api/v1/ledger/archives", Permission::Oversight, archives, {
            operation("list_archives", "Shows what is archived, and what somebody asks to be")
                .shows::<wire::Archives>("The archives.")
        })
        .post("/api/v1/ledger/archives", Permission::Administrator, ask, {
            operation("ask_for_archive", "Asks that old entries move to an archive file")
                .note("A second person must agree. Nothing younger than the retention of the settings can go.")
                .takes::<wire::AskForArchive>()
                .shows::<wire::Archives>("The archives, with what was asked for.")
        })
        .post("/api/v1/ledger/archives/agree", Permission::Administrator, agree, {
            operation("agree_to_archive", "Agrees to the archive that somebody else asked for")
                .note("Names the size that was looked at: what is asked for may have become another meanwhile.")
                .takes::<wire::AgreeToArchive>()
                .creates::<wire::ArchiveFile>("The file that was written.")
        })
        .post("/api/v1/ledger/archives/cancel", Permission::Administrator, cancel, {
            operation("cancel_archive", "Withdraws, or refuses, the archive that was asked for")
                .takes::<Nothing>()
                .shows::<wire::Archives>("The archives.")
        })
}

async fn show(caller: Caller) -> Answer {
    let (app, standing) = (&caller.app, caller.app.standing());
    let (administrator, auditor) = caller.standing();
    let oversees = administrator || auditor;
    let Standing { checkpointed, checkpoint, witnessed, witnessed_checkpoint, witnessed_at, .. } = &*standing;
    shown(&wire::Ledger {
        origin: app.ledger_origin().to_owned(),
        keys: app.verifier_keys().iter().map(ToString::to_string).collect(),
        durable: app.published().size,
        checkpointed: *checkpointed,
        witnessed: *witnessed,
        witnessed_at: witnessed_at.map(at),
        has_quorum: standing.has_quorum,
        witnesses: standing.witnesses.iter().map(|one| witness(one, oversees)).collect(),
        sinks: sinks(&caller),
        anchor_is_beside: standing.anchor_is_beside,
        anchor_problem: told(standing.anchor_problem.as_ref(), oversees),
        checkpoint: checkpoint.clone(),
        witnessed_checkpoint: witnessed_checkpoint.clone(),
    })
}

/// What is wrong with a sink may name machines and paths: not for everybody.
fn sinks(caller: &Caller) -> Vec<wire::Sink> {
    let (administrator, auditor) = caller.standing();
    let sinks = caller.app.sinks().into_iter().filter(|_| administrator || auditor);
    sinks.map(sink).collect()
}

fn sink(status: SinkStatus) -> wire::Sink {
    let SinkStatus { name, kind, to: _, position, sent, sent_at, problem, since } = status;
    let (sent_at, since) = (sent_at.map(at), at(since));
    wire::Sink { name, kind: kind.to_owned(), position, sent, sent_at, problem, since }
}

/// What is wrong, for those who watch over the server; the others learn that something is.
fn told(problem: Option<&String>, oversees: bool) -> Option<String> {
    problem.map(|problem| if oversees { problem.clone() } else { "there is a problem".to_owned() })
}

fn witness(WitnessStanding { name, size, at, problem }: &WitnessStanding, oversees: bool) -> wire::Witness {
    wire::Witness {
        name: name.clone(),
        size: *size,
        at: at.map(crate::http::view::at),
        problem: told(problem.as_ref(), oversees),
    }
}

async fn erase(caller: Caller, given: Given<wire::Erase>) -> Answer {
    let user = caller.app.read(|state| take::user(state, &given.value.user))?;
    let done = caller.app.erase_texts(caller.origin(), user, given.key).await?;
    let archives = caller.app.archives().await?.files.into_iter().map(|file| file.name).collect();
    changed(&done, &wire::Erased { user: user.to_string(), archives })
}

async fn archives(caller: Caller) -> Answer {
    shown(&all(&caller).await?)
}

async fn ask(caller: Caller, given: Given<wire::AskForArchive>) -> Answer {
    let before = take::timestamp(given.value.before);
    let done = caller.app.ask_for_archive(caller.origin(), before, given.key).await?;
    changed(&done, &all(&caller).await?)
}

async fn agree(caller: Caller, given: Given<wire::AgreeToArchive>) -> Answer {
    let (file, done) = caller.app.agree_to_archive(caller.origin(), given.value.size, given.key).await?;
    created(&done, "/ledger/archives", &archive_file(file))
}

async fn cancel(caller: Caller, given: Given<Nothing>) -> Answer {
    let command = brevet_core::Command::CancelArchive;
    let done = caller.app.command(caller.origin(), command, given.key).await?;
    changed(&done, &all(&caller).await?)
}

async fn all(caller: &Caller) -> Result<wire::Archives, Failure> {
    let Archives { files, asked, folder } = caller.app.archives().await?;
    let asked = asked.map(|asked| wire::ArchiveAsked {
        by: caller.view(|view| view.user_ref(asked.by)),
        at: at(asked.at),
        before: at(asked.before),
        size: asked.size,
    });
    let files = files.into_iter().map(archive_file).collect();
    Ok(wire::Archives { files, asked, folder: folder.display().to_string() })
}

fn archive_file(file: brevet_store::ArchiveFile) -> wire::ArchiveFile {
    let brevet_store::ArchiveFile { first, size, name, digest, pruned: _, has_lists: _ } = file;
    let sha256 = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    wire::ArchiveFile { name, first, size, sha256 }
}
