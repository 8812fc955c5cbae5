//! What an open request costs in both copies of the state, and what ended stories leave behind.

use std::hint::black_box;

use brevet_core::{
    Access, Digest, Live, Parameters, PolicyId, Purpose, Request, RequestId, RequestState, Span, State,
    TaskId, Text, Timestamp, User, UserId, UserName,
};
use tokio::runtime::Runtime;

use super::Outcome;
use super::durable::story;
use super::measure::{Sizes, float, folder, resident_bytes};
use super::organization::person;
use super::server;
use super::table::{Bar, Line, Unit};

type Failure = Box<dyn std::error::Error>;

const NOW: Timestamp = Timestamp::from_micros(1_750_000_000_000_000);
/// Requests that one person has open.
const OPEN_EACH: u64 = 10;
const CALLERS: u32 = 64;
const OPEN_MAX_BYTES: f64 = 2_048.0;
/// What may stay of a story that is over: nothing; a little noise of the allocator is not a story.
const ENDED_MAX_BYTES: f64 = 64.0;

pub(crate) fn measure(sizes: &Sizes) -> Outcome {
    let line = |what: &str, limit_is, ours, limit| {
        Line { what: what.to_owned(), limit_is, unit: Unit::Bytes, ours, limit, bar: Bar::AtMost(1.0) }
            .print();
    };
    let open = of_open_requests(sizes.open)?;
    line("an open request, both copies of the state", "2 KiB", open, OPEN_MAX_BYTES);
    let ended = of_ended_stories(sizes.ended)?;
    line("a story that is over: four entries", "what the allocator may blur", ended, ENDED_MAX_BYTES);
    Ok(())
}

fn of_open_requests(count: u64) -> Result<f64, Failure> {
    let people = || (1..=u32::try_from(count / OPEN_EACH).unwrap_or(u32::MAX)).map(user);
    let users: Vec<User> = people().collect::<Result<_, _>>()?;
    let state = |requests| {
        let live = Live { last: Some(NOW), users: users.clone(), requests, ..Live::default() };
        let state = State::from_live(live);
        (state.clone(), state)
    };
    // What the people cost is not what their requests cost.
    let without = state(Vec::new());
    let before = resident_bytes()?;
    let with = state((1..=count).map(request).collect());
    let after = resident_bytes()?;
    drop(black_box((without, with)));
    let empty = resident_of(|| state(Vec::new()))?;
    Ok((float(after) - float(before) - empty).max(0.0) / float(count))
}

fn resident_of<T>(make: impl Fn() -> T) -> Result<f64, Failure> {
    let first = make();
    let before = resident_bytes()?;
    let second = make();
    let grown = resident_bytes()?.saturating_sub(before);
    drop(black_box((first, second)));
    Ok(float(grown))
}

fn user(number: u32) -> Result<User, Failure> {
    Ok(User {
        id: UserId::new(number),
        name: Some(UserName::parse(&format!("person-{number}"))?),
        display_name: Text::default(),
        email: Text::default(),
        owner: None,
        administrator: false,
        auditor: false,
        active: true,
        sign_in: brevet_core::SignInLock::default(),
        groups: Vec::new(),
    })
}

fn request(number: u64) -> Request {
    Request {
        id: RequestId::new(number),
        requester: UserId::new(u32::try_from((number - 1) / OPEN_EACH + 1).unwrap_or(1)),
        purpose: Purpose::New,
        access: Access::Task(TaskId::new(1)),
        digest: Digest([7; 32]),
        bound: Parameters::new(),
        policy: PolicyId::new(1),
        duration: Span::hours(4),
        not_before: None,
        max_uses: None,
        submitted: NOW,
        state: RequestState::Pending { expires: NOW.plus(Span::hours(24)), votes: Vec::new() },
    }
}

/// Bytes that one ended story leaves, once the caches of the database are full.
fn of_ended_stories(count: usize) -> Result<f64, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let data = folder()?;
    let app = runtime.block_on(server::open(data.path()))?;
    runtime.block_on(server::found(&app, CALLERS))?;
    tell(&runtime, &app, count)?;
    let before = resident_bytes()?;
    tell(&runtime, &app, count)?;
    let grown = resident_bytes()?.saturating_sub(before);
    Ok(float(grown) / float(count as u64))
}

fn tell(runtime: &Runtime, app: &brevet::app::App, count: usize) -> Outcome {
    let each = count / CALLERS as usize;
    runtime.block_on(async {
        let tell = |caller| {
            let app = app.clone();
            tokio::spawn(async move {
                for _ in 0..each {
                    story(&app, person(caller)).await?;
                }
                Ok::<(), String>(())
            })
        };
        for caller in (0..CALLERS).map(tell).collect::<Vec<_>>() {
            caller.await??;
        }
        Ok(())
    })
}
