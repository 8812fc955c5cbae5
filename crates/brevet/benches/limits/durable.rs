//! Durable commands through the sequencer, beside a bare SQLite program that writes the very same rows.
//!
//! A caller submits a request, has it approved and revokes what it gave, one command after the other, and
//! begins again. The bare program's callers do the same with its writer, which decides nothing, hashes nothing
//! and signs nothing: it writes the rows that ours wrote before.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicI64;
use std::time::Duration;

use brevet::app::App;
use brevet_core::{AuthorizationId, Origin, Reply, RequestId, UserId};
use brevet_store::DataFolder;
use tokio::runtime::Runtime;

use super::Outcome;
use super::bare::{Bare, Step, Stories, Writer};
use super::callers::{GivenUp, bare_rate, rate};
use super::measure::{Sizes, clock, float, folder, median};
use super::organization::{APPROVER, approve, person, revoke, submit};
use super::server;
use super::table::{Bar, Line, Unit};

type Failure = Box<dyn std::error::Error>;

pub(crate) const MANY: u32 = 64;
const MINIMUM: f64 = 0.7;

pub(crate) fn measure(sizes: &Sizes) -> Outcome {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let one = compare(&runtime, sizes, 1)?;
    let many = compare(&runtime, sizes, MANY)?;
    let line = |what: &str, limit_is, (ours, limit), bar| {
        Line { what: what.to_owned(), limit_is, unit: Unit::PerSecond, ours, limit, bar }.print();
    };
    let bar = Bar::AtLeast(MINIMUM);
    line("commands, 1 caller", "bare SQLite, single transactions", one, bar);
    line("commands, 64 callers", "bare SQLite, group commit, 64 callers", many, bar);
    line("commands, 64 callers", "ours with 1 caller", (many.0, one.0), Bar::AtLeast(8.0));
    line("bare group commit, 64 callers", "bare single transactions", (many.1, one.1), Bar::None);
    Ok(())
}

/// Commands per second: ours and the bare program's.
fn compare(runtime: &Runtime, sizes: &Sizes, callers: u32) -> Result<(f64, f64), Failure> {
    let (ours, bare) = (folder()?, folder()?);
    let app = runtime.block_on(open(ours.path(), callers))?;
    ours_for(runtime, &app, callers, sizes.round)?;
    let stories = Arc::new(Stories::read(&DataFolder::visit(ours.path())?.database())?);
    let bare = Bare::open(&bare.path().join("bare.db"), Arc::clone(&stories))?;
    let mut limit: Box<dyn FnMut() -> Result<f64, Failure>> = match callers {
        1 => alone(bare, sizes.round),
        _ => together(runtime, Writer::start(bare)?, callers, sizes.round),
    };
    limit()?;
    let mut rates = (Vec::new(), Vec::new());
    for _ in 0..sizes.rounds {
        rates.0.push(ours_for(runtime, &app, callers, sizes.round)?);
        rates.1.push(limit()?);
    }
    Ok((median(rates.0), median(rates.1)))
}

async fn open(path: &Path, people: u32) -> Result<App, Failure> {
    let app = server::open(path).await?;
    server::found(&app, people).await?;
    Ok(app)
}

pub(crate) fn ours_for(runtime: &Runtime, app: &App, callers: u32, round: Duration) -> Result<f64, Failure> {
    rate(runtime, callers, |caller| call(app.clone(), caller, round))
}

/// One caller; answers how many commands it got done.
async fn call(app: App, caller: u32, round: Duration) -> Result<u64, GivenUp> {
    let start = clock();
    let mut done = 0;
    while start.elapsed() < round {
        story(&app, person(caller)).await?;
        done += 3;
    }
    Ok(done)
}

/// Three commands.
pub(crate) async fn story(app: &App, requester: Origin) -> Result<(), String> {
    let text = |error: Failure| error.to_string();
    let submitted = app.command(requester, submit().map_err(text)?, None).await.map_err(|e| e.to_string())?;
    let Reply::Request(request) = submitted.reply else { return Err("not a request".into()) };
    app.command(APPROVER, approve(request).map_err(text)?, None).await.map_err(|e| e.to_string())?;
    let user = requester.user_id().unwrap_or(UserId::new(0));
    let given = app.read(|state| given(state, user, request)).ok_or("nothing was given")?;
    app.command(APPROVER, revoke(given).map_err(text)?, None).await.map_err(|e| e.to_string())?;
    Ok(())
}

fn given(state: &brevet_core::State, user: UserId, request: RequestId) -> Option<AuthorizationId> {
    state.authorizations_of(user).find(|held| held.request == request).map(|held| held.id)
}

/// One thread with the connection in its hand.
fn alone<'a>(mut bare: Bare, round: Duration) -> Box<dyn FnMut() -> Result<f64, Failure> + 'a> {
    let mut id = 0;
    Box::new(move || {
        let (start, mut done) = (clock(), 0);
        while start.elapsed() < round {
            id += 1;
            for step in [Step::Submit, Step::Approve, Step::Revoke] {
                bare.write(&[(step, id)])?;
                done += 1;
            }
        }
        Ok(float(done) / start.elapsed().as_secs_f64())
    })
}

/// Callers before a writer that takes all who wait into one transaction.
fn together(
    runtime: &Runtime,
    writer: Writer,
    callers: u32,
    round: Duration,
) -> Box<dyn FnMut() -> Result<f64, Failure> + '_> {
    let (writer, next) = (Arc::new(writer), Arc::new(AtomicI64::new(1)));
    Box::new(move || bare_rate(runtime, &writer, &next, callers, round))
}
