//! Authorizations.

use brevet_core::{Authorization, AuthorizationId, Command, Refusal, TextKind};
use brevet_store::AuthorizationFilter;
use brevet_wire as wire;
use serde::Deserialize;

use super::scan::scan;
use crate::app::{AppError, IdempotencyKey};
use crate::http::answer::{changed, shown};
use crate::http::extract::{Given, Nothing, Query, Segments, id};
use crate::http::operation::operation;
use crate::http::pages::{Page, listed};
use crate::http::problem::{Answer, Failure};
use crate::http::route::{Caller, Permission, Routes};
use crate::http::view::{AuthorizationTold, told_of_authorization};
use crate::http::{take, view};

pub(super) fn routes(routes: Routes) -> Routes {
    let authorization = "The authorization.";
    routes
        .get("/api/v1/authorizations", Permission::SignedIn, list, {
            operation("list_authorizations", "Lists authorizations that the caller may see, newest first")
                .query::<Wanted>()
                .lists::<wire::Authorization>("Authorizations.")
        })
        .get("/api/v1/authorizations/{id}", Permission::SignedIn, show, {
            operation("show_authorization", "Shows an authorization")
                .shows::<wire::Authorization>(authorization)
        })
        .post("/api/v1/authorizations/{id}/revoke", Permission::SignedIn, revoke, {
            operation("revoke_authorization", "Takes an authorization away; what runs under it ends")
                .takes::<wire::Revoke>()
                .shows::<wire::Authorization>(authorization)
        })
        .post("/api/v1/authorizations/{id}/give-back", Permission::SignedIn, give_back, {
            operation("give_back_authorization", "Ends one's own authorization")
                .takes::<Nothing>()
                .shows::<wire::Authorization>(authorization)
        })
}

/// Which authorizations.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
struct Wanted {
    /// `scheduled`, `active` or `ended`.
    state: Option<wire::AuthorizationState>,
    /// One's own only.
    #[serde(default)]
    mine: bool,
    /// How many at most: 50 when left out, never more than 200.
    limit: Option<usize>,
    /// What the last page said as `next`.
    cursor: Option<String>,
}

/// As the store has it.
const fn number(state: wire::AuthorizationState) -> u8 {
    match state {
        wire::AuthorizationState::Scheduled => 0,
        wire::AuthorizationState::Active => 1,
        wire::AuthorizationState::Ended => 2,
    }
}

async fn list(caller: Caller, Query(wanted): Query<Wanted>) -> Answer {
    let page = Page::new(wanted.limit, wanted.cursor.as_deref())?;
    let holder = (wanted.mine || caller.sees_only_own()).then(|| caller.user());
    let filter = AuthorizationFilter { state: wanted.state.map(number), holder };
    let seer = caller.clone();
    let rows = caller.app.stored(move |reader| {
        let read = |before, limit| reader.authorizations(filter, before, limit);
        let sees = |row: &Authorization| seer.view(|view| view.sees_authorization(row));
        let rows = scan(page, |row: &Authorization| row.id.number(), read, sees)?;
        let told = rows.items.into_iter().map(|row| told_of_authorization(reader, row));
        Ok((told.collect::<Result<Vec<_>, _>>()?, rows.next))
    });
    let (told, next) = rows.await?;
    shown(&caller.view(|view| listed(told, next, |told| view.authorization(&told))))
}

async fn show(caller: Caller, Segments(given): Segments<String>) -> Answer {
    let id = id(AuthorizationId::parse(&given))?;
    shown(&authorization(&caller, id).await?)
}

async fn revoke(caller: Caller, Segments(given): Segments<String>, body: Given<wire::Revoke>) -> Answer {
    let comment = take::text("comment", TextKind::Comment, body.value.comment.as_deref())?;
    act(&caller, &given, body.key, |authorization| Command::Revoke { authorization, comment }).await
}

async fn give_back(caller: Caller, Segments(given): Segments<String>, body: Given<Nothing>) -> Answer {
    act(&caller, &given, body.key, Command::GiveBack).await
}

async fn act(
    caller: &Caller,
    given: &str,
    key: Option<IdempotencyKey>,
    command: impl FnOnce(AuthorizationId) -> Command,
) -> Answer {
    let id = id(AuthorizationId::parse(given))?;
    told(caller, id).await?;
    match caller.app.command(caller.origin(), command(id), key).await {
        Ok(done) => changed(&done, &acted_on(caller, id).await?),
        Err(AppError::Refused(Refusal::Over { .. })) => {
            let told = told(caller, id).await?;
            Err(caller.view(|view| view::ended("authorization", &id.to_string(), told.ended(view))))
        }
        Err(error) => Err(error.into()),
    }
}

async fn authorization(caller: &Caller, id: AuthorizationId) -> Result<wire::Authorization, Failure> {
    let told = told(caller, id).await?;
    Ok(caller.view(|view| view.authorization(&told)))
}

/// The authorization that the caller just acted on. They hear what they did, also if they may not see it any more since.
async fn acted_on(caller: &Caller, id: AuthorizationId) -> Result<wire::Authorization, Failure> {
    let told = find(caller, id).await?.ok_or_else(|| Failure::no_such("authorization", id))?;
    Ok(caller.view(|view| view.authorization(&told)))
}

/// The authorization, if the caller may see it.
pub(super) async fn told(caller: &Caller, id: AuthorizationId) -> Result<AuthorizationTold, Failure> {
    let found = find(caller, id).await?;
    let seen = found.filter(|told| caller.view(|view| view.sees_authorization(&told.authorization)));
    seen.ok_or_else(|| Failure::no_such("authorization", id))
}

async fn find(caller: &Caller, id: AuthorizationId) -> Result<Option<AuthorizationTold>, AppError> {
    let read = move |reader: &brevet_store::Reader| {
        let row = reader.authorization(id)?;
        row.map(|row| told_of_authorization(reader, row)).transpose()
    };
    caller.app.stored(read).await
}
