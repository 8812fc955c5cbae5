//! What is done with each new checkpoint, off the path of every reply: it goes into the anchor, is published, and is
//! shown to the witnesses.
//!
//! A witness that is away holds up nothing but the tasks that demand to be witnessed. An anchor that somebody else
//! wrote ends all writing: two servers go on with one ledger.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use brevet_core::{Origin, Span, Timestamp};
use brevet_ledger::{AddCheckpoint, Checkpoint, Note, NoteSignature, PolicyWitness, VerifierKey};
use brevet_store::{Anchor, AnchorFault, SideWrite};
use tokio::sync::Notify;
use tokio::task::JoinSet;

use super::settings::Witnesses;
use super::{App, AppError, Inner};
use crate::witness::client::{Answer, Client};
use crate::world::World;

/// How long a published checkpoint is the newest at least, unless somebody waits for a witness: many entries share one.
const EVERY: Duration = Duration::from_millis(200);
/// How long until a witness or an anchor that failed is tried again when nothing else happens.
const AGAIN_AFTER: Duration = Duration::from_secs(15);
/// How long witnesses that are not needed for the quorum are waited for.
const STRAGGLERS: Duration = Duration::from_secs(1);
/// How far apart cosigned checkpoints that are kept for ever are at least.
const KEEP_EVERY: Span = Span::seconds(60);

/// Follows the ledger with the anchor until the application ends, or the anchor turns out to be somebody else's.
pub(super) async fn keep_anchor<W: World>(app: Weak<Inner<W>>) {
    let Some(mut changed) = app.upgrade().map(|inner| inner.published.changed()) else { return };
    loop {
        changed.mark_unchanged();
        let Some(inner) = app.upgrade() else { return };
        let note = inner.published.load().checkpoint.clone();
        if !note.is_empty() && !attest(&inner, &note).await {
            return;
        }
        drop(inner);
        tokio::select! {
            done = changed.changed() => if done.is_err() { return },
            () = tokio::time::sleep(AGAIN_AFTER) => {}
        }
        tokio::time::sleep(EVERY).await;
    }
}

/// Puts the newest checkpoint into the anchor. Answers whether to go on.
pub(super) async fn attest<W: World>(inner: &Inner<W>, note: &str) -> bool {
    if note == inner.standings.load().checkpoint_as_signed() {
        return true;
    }
    let now = inner.world.now();
    inner.standings.update(|standing| standing.behind_since = standing.behind_since.or(Some(now)));
    match put_into_anchor(&inner.anchor, note).await {
        Ok(Put::Surpassed) => {}
        Ok(Put::There) => inner.standings.update(|standing| standing.take_over(note)),
        Err(fault @ AnchorFault::Moved { .. }) => {
            tracing::error!(%fault, "this server stops writing");
            inner.halt.set(fault.to_string());
            inner.runs.stop_all(brevet_core::StopCause::LedgerUnavailable);
            return false;
        }
        Err(fault) => {
            tracing::error!(%fault, "the newest checkpoint is not in the anchor");
            inner.standings.update(|standing| standing.anchor_problem = Some(fault.to_string()));
        }
    }
    true
}

/// What became of a checkpoint.
enum Put {
    /// It is in the anchor.
    There,
    /// A newer one is.
    Surpassed,
}

async fn put_into_anchor(anchor: &Arc<Mutex<Anchor>>, note: &str) -> Result<Put, AnchorFault> {
    let (anchor, note) = (Arc::clone(anchor), note.to_owned());
    let write = move || {
        let mut anchor = anchor.lock().unwrap_or_else(PoisonError::into_inner);
        // Whoever came later may have been faster; the anchor never goes back.
        match anchor.checkpoint().is_some_and(|known| size_of(known) > size_of(&note)) {
            true => Ok(Put::Surpassed),
            false => anchor.replace(&note).map(|()| Put::There),
        }
    };
    let failed = |error| AnchorFault::Unusable { path: PathBuf::new(), source: std::io::Error::other(error) };
    tokio::task::spawn_blocking(write).await.unwrap_or_else(|error| Err(failed(error)))
}

/// The size that a checkpoint speaks of.
fn size_of(note: &str) -> Option<u64> {
    note.lines().nth(1)?.parse().ok()
}

/// Shows checkpoints to witnesses.
pub(super) struct Messenger {
    pub(super) client: Client,
    /// Rung when somebody waits for witnesses.
    pub(super) urgent: Arc<Notify>,
}

impl Messenger {
    /// Follows what is published until the application ends.
    pub(super) async fn work<W: World>(self, app: Weak<Inner<W>>) {
        let Some(mut published) = app.upgrade().map(|inner| inner.standings.checkpointed()) else { return };
        let mut kept = Timestamp::MIN;
        loop {
            published.mark_unchanged();
            let Some(inner) = app.upgrade() else { return };
            self.ask(&App { inner }, &mut kept).await;
            tokio::select! {
                done = published.changed() => if done.is_err() { return },
                () = tokio::time::sleep(AGAIN_AFTER) => {}
            }
            tokio::select! {
                () = self.urgent.notified() => {}
                () = tokio::time::sleep(EVERY) => {}
            }
        }
    }

    /// Shows the newest checkpoint to every witness that has not signed it, all at once. Goes on when enough of them
    /// have and the rest take their time.
    async fn ask<W: World>(&self, app: &App<W>, kept: &mut Timestamp) {
        let standing = app.standing();
        let Some(Witnesses { policy, .. }) = &app.inner.settings.witnesses else { return };
        let Ok(signed) = standing.checkpoint_as_signed().parse::<Note>() else { return };
        let Ok(checkpoint) = signed.text().parse::<Checkpoint>() else { return };
        let (size, signed_text) = (checkpoint.size(), signed.to_string());
        let mut asked = JoinSet::new();
        for (witness, known) in policy.witnesses().iter().zip(&standing.witnesses) {
            if known.size < size {
                let (app, client) = (app.clone(), self.client.clone());
                let (witness, old, signed) = (witness.clone(), known.size, signed.clone());
                asked.spawn(async move {
                    let answer = ask_one(&app, &client, &witness, old, size, &signed).await;
                    (witness.name, answer)
                });
            }
        }
        let (keys, mut merged, mut has_quorum) = (app.verifier_keys(), signed.clone(), false);
        loop {
            let next = match has_quorum {
                true => tokio::time::timeout(STRAGGLERS, asked.join_next()).await.unwrap_or(None),
                false => asked.join_next().await,
            };
            let Some(Ok((name, answer))) = next else { break };
            let signatures =
                answer.as_ref().map(|note| note.signatures()[signed.signatures().len()..].to_vec());
            for signature in signatures.unwrap_or_default() {
                merged = merged.clone().with_signature(signature).unwrap_or(merged);
            }
            has_quorum = policy.has_quorum() && policy.check_with_logs(&merged, &keys).is_ok();
            let (now, merged) = (app.now(), merged.to_string());
            app.inner.standings.update(|standing| {
                standing.note_answer(now, &name, size, answer.err());
                standing.note_signatures(&signed_text, &merged);
                if has_quorum {
                    standing.note_quorum(now, size, merged.clone());
                }
            });
        }
        self.keep(app, kept).await;
    }

    /// Cosigned checkpoints go into the database from time to time: they date the entries between them.
    async fn keep<W: World>(&self, app: &App<W>, kept: &mut Timestamp) {
        let standing = app.standing();
        let (Some(at), Some(note)) = (standing.witnessed_at, &standing.witnessed_checkpoint) else { return };
        if at < kept.plus(KEEP_EVERY) {
            return;
        }
        let (size, note) = (standing.witnessed, note.clone());
        let write = move |_| vec![SideWrite::Cosigned { size, note }];
        match app.command_with(Origin::SYSTEM, None, None, write).await {
            Ok(_) => *kept = at,
            Err(error) => tracing::warn!(%error, "a cosigned checkpoint was not kept"),
        }
    }
}

/// The note as the witness signed it, or why it did not.
async fn ask_one<W: World>(
    app: &App<W>,
    client: &Client,
    witness: &PolicyWitness,
    old: u64,
    size: u64,
    signed: &Note,
) -> Result<Note, String> {
    let Some(url) = &witness.url else { return Err("the policy has no address for it".to_owned()) };
    let mut old = old;
    // The second attempt is for a witness that has seen more, or less, than this server remembers.
    for _ in 0..2 {
        let proof = app.stored(move |reader| reader.consistency(old, size)).await.map_err(say)?;
        let request = AddCheckpoint { old, proof, checkpoint: signed.clone() };
        match client.add_checkpoint(url, &request).await.map_err(|error| error.to_string())? {
            Answer::Cosigned(signatures) => {
                // Whatever else it sends takes no place in the note.
                let is_theirs = |signature: &NoteSignature| {
                    signature.name() == witness.key.name() && signature.key_id() == witness.key.id()
                };
                let add = |note: Note, signature| note.with_signature(signature);
                let note = signatures.into_iter().filter(is_theirs).try_fold(signed.clone(), add);
                let note = note.map_err(|error| error.to_string())?;
                let keys: &[VerifierKey] = std::slice::from_ref(&witness.key);
                return match note.cosignatures(keys) {
                    Ok(cosigned) if !cosigned.is_empty() => Ok(note),
                    Ok(_) => Err("it answered without a signature of its key".to_owned()),
                    Err(error) => Err(format!("its signature does not hold: {error}")),
                };
            }
            // One of several servers was quicker; what it showed is known here in a moment, and then shown again.
            Answer::HasSize(has) if has > size && app.is_shared() && app.reach(has).await.is_ok() => {
                return Err(format!("another server has shown it {has} entries; it is asked again"));
            }
            Answer::HasSize(has) if has > size => {
                return Err(format!(
                    "it has seen {has} entries of this ledger, and this server has {size}: \
                     a backup was restored here, or another server goes on with the same ledger"
                ));
            }
            Answer::HasSize(has) => old = has,
            Answer::Refused { status, text } => {
                return Err(format!("it refuses ({status}): {}", text.trim()));
            }
        }
    }
    Err("it says another size each time".to_owned())
}

fn say(error: AppError) -> String {
    error.to_string()
}
