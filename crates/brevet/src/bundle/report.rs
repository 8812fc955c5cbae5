//! What a bundle proves once nothing is wrong with it: for people, and for scripts.

use std::fmt;

use brevet_core::{Timestamp, escape_for_display};
use brevet_ledger::{Policy, VerifierKey, Witnessed};

use super::Signed;
use super::format::Bundle;
use super::story::{Story, Told};

/// What the reader of a bundle trusts: keys and perhaps a policy that came from elsewhere. With neither, nothing
/// verifies.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Trust<'a> {
    /// Verifier keys of ledgers.
    pub(crate) keys: &'a [VerifierKey],
    /// Which witnesses must have cosigned; its logs are trusted as well.
    pub(crate) policy: Option<&'a Policy>,
}

/// A bundle without a fault. Its `Display` tells the whole story to people.
#[derive(Debug)]
pub(crate) struct BundleReport {
    /// Whose story, for example `req-42`.
    pub(crate) request: String,
    /// The name of the ledger.
    pub(crate) origin: String,
    /// How many entries the checkpoint covers.
    pub(crate) size: u64,
    /// The verifier keys that signed it.
    pub(crate) signers: Vec<String>,
    /// The witnesses of the policy that cosigned it, and when. None where no policy was given.
    pub(crate) witnessed: Vec<Witnessed>,
    /// Since when a quorum vouches for it, in seconds since 1970 UTC.
    pub(crate) quorum_at: Option<u64>,
    /// How many entries it has.
    pub(crate) entries: usize,
    /// How many texts are beside them, each as committed to.
    pub(crate) texts_present: usize,
    /// How many were erased.
    pub(crate) texts_erased: usize,
    /// How many outputs are in it.
    pub(crate) outputs: usize,
    story: Story,
}

impl BundleReport {
    pub(super) fn new(bundle: &Bundle, signed: Signed, told: &[Told], story: Story, outputs: usize) -> Self {
        let Signed { checkpoint, signers, witnessed, quorum_at } = signed;
        Self {
            request: bundle.request.clone(),
            origin: checkpoint.origin().to_string(),
            size: checkpoint.size(),
            signers,
            witnessed,
            quorum_at,
            entries: told.len(),
            texts_present: told.iter().map(|told| told.texts_present).sum(),
            texts_erased: told.iter().map(|told| told.texts_erased).sum(),
            outputs,
            story,
        }
    }

    /// The story, a sentence for each entry that it has one for, oldest first: what the entries say, not what the file
    /// says about them.
    pub(crate) fn sentences(&self) -> Vec<String> {
        self.story.lines().iter().map(ToString::to_string).collect()
    }

    /// The same for scripts.
    pub(crate) fn to_json(&self) -> serde_json::Value {
        serde_json::json!({
            "verified": true,
            "request": self.request,
            "origin": self.origin,
            "checkpoint_size": self.size,
            "signed_by": self.signers,
            "witnessed": self.witnessed.iter().map(|witnessed| serde_json::json!({
                "name": witnessed.name,
                "at": seconds(witnessed.unix_seconds),
            })).collect::<Vec<_>>(),
            "quorum_at": self.quorum_at.map(seconds),
            "entries": self.entries,
            "texts_present": self.texts_present,
            "texts_erased": self.texts_erased,
            "outputs": self.outputs,
            "story": self.story.lines().iter().map(|line| serde_json::json!({
                "entry": line.index,
                "time": instant(line.time),
                "text": line.text,
            })).collect::<Vec<_>>(),
        })
    }
}

impl fmt::Display for BundleReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { request, origin, size, signers, witnessed, entries, texts_present, texts_erased, .. } =
            self;
        writeln!(
            f,
            "The bundle verifies: the story of {request} in the ledger {}.",
            escape_for_display(origin)
        )?;
        for line in self.story.lines() {
            writeln!(f, "  {line}")?;
        }
        writeln!(f, "checkpoint  {size} entries, signed by {}", signers.join(", "))?;
        match witnessed.is_empty() {
            true => writeln!(f, "witnesses   not asked for; give --policy to demand them")?,
            false => {
                let said = |witnessed: &Witnessed| {
                    format!("{} at {}", witnessed.name, seconds(witnessed.unix_seconds))
                };
                let said: Vec<String> = witnessed.iter().map(said).collect();
                writeln!(f, "witnesses   {}", said.join(", "))?;
            }
        }
        writeln!(f, "entries     {entries}, each proven to be in the ledger")?;
        writeln!(f, "texts       {texts_present} as committed to, {texts_erased} erased")?;
        writeln!(f, "outputs     {} in the bundle, each as its run's entry says", self.outputs)?;
        writeln!(
            f,
            "It proves what it shows. That nothing else happened, only the whole ledger shows: brevet audit verify"
        )
    }
}

fn seconds(unix_seconds: u64) -> String {
    let micros = i64::try_from(unix_seconds).ok().and_then(|seconds| seconds.checked_mul(1_000_000));
    micros.map_or_else(|| unix_seconds.to_string(), |micros| instant(Timestamp::from_micros(micros)))
}

/// RFC 3339, in UTC.
pub(super) fn instant(time: Timestamp) -> String {
    brevet_wire::Time::from_micros(time.micros()).0.to_string()
}
