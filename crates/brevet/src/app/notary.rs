//! What is done with each new checkpoint, off the path of every reply: it goes into the anchor, is published, and is
//! shown to the witnesses.
//!
//! A witness that is away holds up nothing but the tasks that demand to be witnessed. An anchor that somebody else
//! wrote ends all writing: two servers go on with one ledger.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use brevet_core::{Origin, Span, Timestamp};
use brevet_ledger::{AddCheckpoint, Checkpoint, Note, Policy, PolicyWitness, VerifierKey};
use brevet_store::{Anchor, AnchorFault, SideWrite};
use tokio::sync::Notify;

use super::settings::Witnesses;
use super::standing::{Standing, WitnessStanding};
use super::{App, AppError, Halt};
use crate::witness::client::{Answer, Client};
use crate::world::World;

/// How long a published checkpoint is the newest at least, unless somebody waits for a witness: many entries share one.
const EVERY: Duration = Duration::from_millis(200);
/// How long until a witness or an anchor that failed is tried again when nothing else happens.
const AGAIN_AFTER: Duration = Duration::from_secs(15);
/// How far apart cosigned checkpoints that are kept for ever are at least.
const KEEP_EVERY: Span = Span::seconds(60);

/// What the notary works with.
pub(super) struct Notary {
    pub(super) anchor: Arc<Mutex<Anchor>>,
    pub(super) halt: Halt,
    /// Rung when somebody waits for witnesses.
    pub(super) urgent: Arc<Notify>,
}

impl Notary {
    /// Follows the ledger until the process ends, or the anchor turns out to be somebody else's.
    pub(super) async fn work<W: World>(self, app: App<W>) {
        let witnesses = app.inner.settings.witnesses.as_ref();
        let client = match witnesses.map(|w| Client::new(w.timeout, w.authority.as_deref())) {
            Some(Ok(client)) => Some(client),
            Some(Err(error)) => {
                tracing::error!(%error, "no witness can be asked");
                None
            }
            None => None,
        };
        let mut changed = app.changed();
        let mut kept = Timestamp::MIN;
        loop {
            changed.mark_unchanged();
            let note = app.published().checkpoint.clone();
            if !note.is_empty() && !self.attest(&app, client.as_ref(), &note, &mut kept).await {
                return;
            }
            tokio::select! {
                done = changed.changed() => if done.is_err() { return },
                () = self.urgent.notified() => continue,
                () = tokio::time::sleep(AGAIN_AFTER) => {}
            }
            tokio::select! {
                () = self.urgent.notified() => {}
                () = tokio::time::sleep(EVERY) => {}
            }
        }
    }

    /// Whether to go on.
    async fn attest<W: World>(
        &self,
        app: &App<W>,
        client: Option<&Client>,
        note: &str,
        kept: &mut Timestamp,
    ) -> bool {
        let mut standing = Standing::clone(&app.standing());
        if note != standing.checkpoint_as_signed() {
            match self.put_into_anchor(note).await {
                Ok(()) => {
                    standing.take_over(note);
                    app.inner.standings.publish(standing.clone());
                }
                Err(fault @ AnchorFault::Moved { .. }) => {
                    tracing::error!(%fault, "this server stops writing");
                    drop(self.halt.set(fault.to_string()));
                    app.inner.halt_rung.notify_one();
                    app.inner.runs.stop_all(brevet_core::StopCause::Shutdown);
                    return false;
                }
                Err(fault) => {
                    tracing::error!(%fault, "the newest checkpoint is not in the anchor");
                    standing.anchor_problem = Some(fault.to_string());
                    app.inner.standings.publish(standing);
                    return true;
                }
            }
        }
        if let (Some(Witnesses { policy, .. }), Some(client)) = (&app.inner.settings.witnesses, client) {
            self.ask(app, policy, client, standing, kept).await;
        }
        true
    }

    async fn put_into_anchor(&self, note: &str) -> Result<(), AnchorFault> {
        let (anchor, note) = (Arc::clone(&self.anchor), note.to_owned());
        let write = move || anchor.lock().unwrap_or_else(PoisonError::into_inner).replace(&note);
        tokio::task::spawn_blocking(write).await.unwrap_or_else(|_| Ok(()))
    }

    /// Shows the newest checkpoint to every witness that has not signed it, all at once.
    async fn ask<W: World>(
        &self,
        app: &App<W>,
        policy: &Policy,
        client: &Client,
        mut standing: Standing,
        kept: &mut Timestamp,
    ) {
        let Ok(signed) = standing.checkpoint_as_signed().parse::<Note>() else { return };
        let Ok(checkpoint) = signed.text().parse::<Checkpoint>() else { return };
        let size = checkpoint.size();
        let behind = |(witness, known): (&PolicyWitness, &WitnessStanding)| {
            (known.size < size).then(|| (witness.clone(), known.size))
        };
        let behind: Vec<_> = policy.witnesses().iter().zip(&standing.witnesses).filter_map(behind).collect();
        if behind.is_empty() {
            return;
        }
        let asked = behind.into_iter().map(|(witness, old)| {
            let (app, client, signed) = (app.clone(), client.clone(), signed.clone());
            tokio::spawn(async move {
                let answer = ask_one(&app, &client, &witness, old, size, &signed).await;
                (witness.name, answer)
            })
        });
        let asked: Vec<_> = asked.collect();
        for task in asked {
            let Ok((name, answer)) = task.await else { continue };
            standing.note_answer(app.now(), &name, size, answer);
            standing.judge(app.now(), policy, &app.verifier_keys(), checkpoint.size());
            app.inner.standings.publish(standing.clone());
        }
        self.keep(app, &standing, kept).await;
    }

    /// Cosigned checkpoints go into the database from time to time: they date the entries between them.
    async fn keep<W: World>(&self, app: &App<W>, standing: &Standing, kept: &mut Timestamp) {
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
                let add = |note: Note, signature| note.with_signature(signature);
                let note = signatures.into_iter().try_fold(signed.clone(), add);
                let note = note.map_err(|error| error.to_string())?;
                let keys: &[VerifierKey] = std::slice::from_ref(&witness.key);
                return match note.cosignatures(keys) {
                    Ok(cosigned) if !cosigned.is_empty() => Ok(note),
                    Ok(_) => Err("it answered without a signature of its key".to_owned()),
                    Err(error) => Err(format!("its signature does not hold: {error}")),
                };
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
