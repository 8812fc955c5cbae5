//! After something was done: its receipt is fetched, checked and kept, and what the server shows of its ledger is
//! compared with what was seen before.
//!
//! What was done is done, and its exit code stays: a receipt that cannot be had is one line on standard error, a
//! history that cannot be true is a warning that nobody overlooks.

use brevet_wire as wire;

use super::folder::{Lock, Memory, Remembered, holds_receipt, keep_receipt};
use super::judge::{self, Contradiction, Fits, Trouble};
use super::{Act, Keeping, evidence};
use crate::cli::client::Client;
use crate::cli::connect::Open;
use crate::cli::console::safe_lines;
use crate::cli::context::Context;
use crate::cli::exit::Failure;
use crate::on_record::By;

/// How long a server has to answer with a receipt.
const RECEIPT_SECONDS_MAX: u64 = 5;
/// How often the memory is read, and the server asked, without holding the lock: parallel commands of one person
/// then wait for each other's answers no longer.
const FREE_ATTEMPTS: u32 = 2;
/// How many receipts one command keeps at most, for a server that says it did more.
const ACTS_MAX: usize = 64;

/// Keeps the receipts of what was done since the last time.
pub(crate) async fn keep_receipts(context: &mut Context) {
    let acts = context.acts.take();
    if acts.is_empty() {
        return;
    }
    let folder = match context.keeping().clone() {
        Keeping::Off => return,
        Keeping::NoPlace => {
            return context.console.note(
                "brevet: no receipt is kept, because neither HOME nor XDG_STATE_HOME is set; set one, or \
                 BREVET_RECEIPTS=off",
            );
        }
        Keeping::In(folder) => folder,
    };
    let Ok(client) = context.client() else { return };
    let memory = Memory::new(&folder);
    let mut talk = Talk { memory, client, open: None, by: None };
    for act in acts.into_iter().take(ACTS_MAX) {
        let entry = act.entry.map(|entry| format!(" for entry {entry}")).unwrap_or_default();
        let kept = tokio::select! {
            kept = keep_one(&mut talk, act) => kept,
            () = context.interrupts.next() => Err(Told::Line("you left".into())),
        };
        match kept {
            Ok(()) => {}
            Err(Told::Unnamed(warning)) => context.console.note(&safe_lines(&warning)),
            Err(Told::Warning(warning)) => return context.console.note(&safe_lines(&warning)),
            Err(Told::Line(why)) => {
                let text = format!("brevet: it was done, but there is no receipt{entry}: {why}");
                context.console.note(&safe_lines(&text));
            }
        }
    }
}

/// What a person is told when there is no receipt.
enum Told {
    /// It cannot be had, for a reason that says nothing against the server.
    Line(String),
    /// The server names no entry; what else was done may have one.
    Unnamed(String),
    /// The ledger contradicts itself: one such warning says all.
    Warning(String),
}

impl From<Failure> for Told {
    fn from(failure: Failure) -> Self {
        Self::Line(failure.to_string())
    }
}

/// What receipts are asked for with.
struct Talk {
    memory: Memory,
    client: Client,
    open: Option<Open>,
    /// Who acts, once that was asked.
    by: Option<By>,
}

impl Talk {
    /// As whom the server takes the person who acts.
    async fn by(&mut self) -> Result<By, Failure> {
        if let Some(by) = &self.by {
            return Ok(by.clone());
        }
        let answer = self.client.get_on(&mut self.open, "/whoami", RECEIPT_SECONDS_MAX).await?;
        let wire::WhoAmI { user, session, .. } = answer.read()?;
        Ok(self.by.insert(By { user: user.id, session }).clone())
    }
}

async fn keep_one(talk: &mut Talk, act: Act) -> Result<(), Told> {
    let server = talk.client.server().to_string();
    if act.open.is_some() {
        talk.open = act.open;
    }
    let Some(entry) = act.entry else {
        return Err(match act.was_repeated {
            true => Told::Line("the connection broke, and what was done before is not named again".into()),
            false => Told::Unnamed(evidence::unnamed(&server, act.asked.kind())),
        });
    };
    let by = talk.by().await?;
    let Talk { memory, client, open, .. } = talk;
    let mut attempt = 0;
    loop {
        let lock = if attempt < FREE_ATTEMPTS { None } else { Some(memory.lock().await?) };
        let before = memory.of_server(&server)?;
        let kept =
            before.as_ref().and_then(|before| before.known.seen.as_ref()).map(|seen| seen.checkpoint.size());
        let query = kept.map(|size| format!("?kept={size}")).unwrap_or_default();
        let path = format!("/ledger/receipts/{entry}{query}");
        let answer: wire::Receipt = client.get_on(open, &path, RECEIPT_SECONDS_MAX).await?.read()?;
        let before = match before {
            // A server that is new here may show a ledger that another one showed.
            None => memory.of_origin(&answer.origin)?,
            before => before,
        };
        let knew_server = kept.is_some() || before.as_ref().is_none_or(|before| before.known.seen.is_none());
        if !knew_server {
            // What the other server showed must be asked about: under this one's name from now on.
            link(memory, lock, &server, before.as_ref()).await?;
            continue;
        }
        let lock = match lock {
            Some(lock) => lock,
            None => memory.lock().await?,
        };
        let fits = judge::receipt(before.as_ref().map(|before| &before.known), entry, &answer);
        let fits = fits.and_then(|fits| {
            let named_before = before.as_ref().is_some_and(|before| holds_receipt(&before.folder, &fits));
            judge::is_of(fits, &act.asked, &by, named_before)
        });
        let fits = match fits {
            Ok(fits) => fits,
            Err(trouble) => return Err(told(&server, before.as_ref(), trouble)),
        };
        // Another command may have seen more in the meantime; then all of it is looked at again.
        if seen(memory.of_server(&server)?.as_ref()) == seen(before.as_ref()) || attempt >= FREE_ATTEMPTS {
            return keep(memory, &lock, &server, before, &fits);
        }
        attempt += 1;
    }
}

/// What a server that is new here shows is the ledger that another one showed; an impostor is found out by its key.
async fn link(
    memory: &Memory,
    lock: Option<Lock>,
    server: &str,
    before: Option<&Remembered>,
) -> Result<(), Told> {
    let lock = match lock {
        Some(lock) => lock,
        None => memory.lock().await?,
    };
    match before {
        Some(before) => Ok(memory.remember(&lock, server, &before.known).map(drop)?),
        None => Ok(()),
    }
}

fn seen(ledger: Option<&Remembered>) -> Option<u64> {
    Some(ledger?.known.seen.as_ref()?.checkpoint.size())
}

fn keep(
    memory: &Memory,
    lock: &Lock,
    server: &str,
    before: Option<Remembered>,
    fits: &Fits,
) -> Result<(), Told> {
    let folder = match before {
        Some(before) if !fits.is_news => before.folder,
        _ => memory.remember(lock, server, &fits.known)?,
    };
    Ok(keep_receipt(lock, &folder, &fits.proof)?)
}

fn told(server: &str, before: Option<&Remembered>, trouble: Trouble) -> Told {
    match (trouble, before) {
        (Trouble::Unclear(why), _) => Told::Line(why),
        (Trouble::Against { contradiction, .. }, None) => Told::Line(format!(
            "{} Nothing was known of this server yet, so it is not trusted now either.",
            evidence::what(&contradiction)
        )),
        (Trouble::Against { contradiction, shown }, Some(before)) => {
            Told::Warning(against(server, before, &contradiction, &shown))
        }
    }
}

/// Writes the evidence down, and says so.
pub(super) fn against(
    server: &str,
    before: &Remembered,
    contradiction: &Contradiction,
    shown: &str,
) -> String {
    let written = evidence::write(&before.folder, server, &before.known, contradiction, shown);
    let place = match written {
        Ok(path) => path.display().to_string(),
        Err(failure) => format!("(it could not be written: {failure})"),
    };
    evidence::warning(server, &before.known, contradiction, &place)
}
