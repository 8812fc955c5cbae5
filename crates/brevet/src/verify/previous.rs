//! The ledgers that a recovered one goes on from: the one before, the one before that, and so on.

use brevet_ledger::{Checkpoint, Claim, Judgement, KeyType, Note, Origin, VerifierKey, judge};
use brevet_store::{Account, Questions, Recovered, study_source};

use super::case::own_keys;
use super::export::{ExportFile, Joined};
use super::found::{Found, Kind};
use super::given::Given;

/// What was found out about them.
#[derive(Debug, Default)]
pub(super) struct Before {
    pub(super) found: Vec<Found>,
    pub(super) notes: Vec<String>,
    /// How many checkpoints and receipts that were kept sign entries which are lost.
    pub(super) lost: usize,
    /// What was kept of none of these ledgers.
    pub(super) claims: Vec<Claim>,
}

/// The archives of the ledgers that one goes on from, the newest ledger first, as far as there are archives: `from` is the
/// one right before it. What they state is not believed.
pub(super) fn chain<'s>(from: Option<String>, archives: &[&'s ExportFile]) -> Result<Vec<Joined<'s>>, Found> {
    let (mut rest, mut next, mut chain) = (archives.to_vec(), from, Vec::new());
    while let Some(origin) = next.take() {
        let (own, others): (Vec<_>, Vec<_>) =
            rest.into_iter().partition(|file| file.heading.origin == origin);
        rest = others;
        for file in &own {
            next = next.or(file.previous()?);
        }
        chain.extend((!own.is_empty()).then(|| Joined::new(own)));
    }
    Ok(chain)
}

/// Verifies the ledgers before, one after the other from the newest on: each from its archive, against what the first entry of
/// the one after it says and against checkpoints that somebody kept.
pub(super) fn examine(
    account: &Account,
    archives: &[&ExportFile],
    claims: Vec<Claim>,
    given: &Given,
) -> Result<Before, Found> {
    let mut before = Before { claims, ..Before::default() };
    let (mut rest, mut next) = (archives.to_vec(), account.chronicle.recovered.clone());
    while let Some(recovered) = next.take() {
        let origin = &recovered.previous;
        let (own, others): (Vec<_>, Vec<_>) =
            rest.into_iter().partition(|file| file.heading.origin == *origin);
        rest = others;
        let is_of_it = |claim: &Claim| claim.checkpoint().origin().as_str() == origin;
        let (claims, others) = before.claims.drain(..).partition(is_of_it);
        before.claims = others;
        if own.is_empty() {
            before.pass_over(&recovered, &claims, given)?;
            return Ok(before);
        }
        next = before.verify(&recovered, own, claims, given)?;
    }
    let strangers = rest.iter().map(|file| {
        let sentence = format!("{} is of {}, another ledger", file.path().display(), file.heading.origin);
        Found::new(Kind::Changed, sentence)
    });
    before.found.extend(strangers);
    Ok(before)
}

/// The last checkpoint of a ledger before that was known, as the first entry of the one after it has it.
fn stated(recovered: &Recovered) -> Result<(Claim, Origin), Found> {
    let Recovered { previous, note, .. } = recovered;
    let by = format!("the checkpoint of {previous} in entry 0");
    let stated = Claim::kept(&by, note).map_err(|reason| brevet_ledger::Finding::Claim { by, reason })?;
    let origin = Origin::parse(previous).map_err(|error| {
        Found::new(Kind::Changed, format!("entry 0 names the ledger before: {error}")).at(0)
    })?;
    Ok((stated, origin))
}

/// Keys of which no ledger was read.
const fn alone(keys: Vec<VerifierKey>) -> Judgement<'static> {
    Judgement { believed: Vec::new(), keys, rotations: Vec::new(), findings: Vec::new() }
}

impl Before {
    /// A ledger of which nothing is here. Archives of those before it lead nowhere then.
    fn pass_over(&mut self, recovered: &Recovered, claims: &[Claim], given: &Given) -> Result<(), Found> {
        let Recovered { previous, size, .. } = recovered;
        let (stated, origin) = stated(recovered)?;
        self.notes.push(format!(
            "it goes on from {previous}, of which {size} entries were at hand: add their archive as --archive FILE"
        ));
        self.found.extend(claims.iter().map(|claim| {
            Found::cannot(format!(
                "{} is of the ledger before, {previous}: give its archive with --archive",
                claim.source()
            ))
        }));
        let judged = alone(given.keys_of(previous));
        self.look_beyond(recovered, &origin, &judged, &stated, claims);
        Ok(())
    }

    /// A ledger whose archive is here; answers which one that goes on from.
    fn verify(
        &mut self,
        recovered: &Recovered,
        archives: Vec<&ExportFile>,
        claims: Vec<Claim>,
        given: &Given,
    ) -> Result<Option<Recovered>, Found> {
        let Recovered { previous, size, root, .. } = recovered;
        let (stated, origin) = stated(recovered)?;
        let keys = self.keys(previous, &archives, given)?;
        let mut questions = Questions::default();
        questions.watch.sizes.insert(*size);
        claims.iter().chain([&stated]).for_each(|claim| claim.watch(&mut questions.watch));
        let older = study_source(&Joined::new(archives), &questions, None, &|_, _| ())?;
        if older.derived.roots.get(size).is_none_or(|found| *found.as_bytes() != root.0) {
            let sentence =
                format!("the archive of {previous} does not have the {size} entries that entry 0 states");
            self.found.push(Found::new(Kind::Changed, sentence).at(0));
        }
        let (beyond, mut within): (Vec<_>, Vec<_>) =
            claims.into_iter().partition(|claim| claim.checkpoint().size() > *size);
        if stated.checkpoint().size() <= *size {
            within.push(stated.clone());
        }
        let judged = judge(&within, &older.derived, &origin, &keys, &older.chronicle.rotations);
        self.found.extend(judged.findings.iter().cloned().map(Found::from));
        self.look_beyond(recovered, &origin, &judged, &stated, &beyond);
        self.notes.push(format!(
            "it goes on from {previous}, whose {size} entries were verified from their archive"
        ));
        Ok(older.chronicle.recovered)
    }

    /// The keys that the ledger before is checked with: those that were given, or those in its own archive when none was.
    fn keys(
        &mut self,
        previous: &str,
        archives: &[&ExportFile],
        given: &Given,
    ) -> Result<Vec<VerifierKey>, Found> {
        if given.keys.is_empty() {
            self.notes.push(format!(
                "{previous} was checked with the key in its own archive; give --key from elsewhere to check against \
                 its owner"
            ));
            let keys = archives.iter().flat_map(|file| own_keys(&file.heading.keys.join("\n")));
            return Ok(keys.filter(|key| key.key_type() == KeyType::Ed25519).collect());
        }
        let keys = given.keys_of(previous);
        if keys.is_empty() {
            let sentence = format!(
                "the ledger before is {previous}, and none of the keys that are trusted is of that name; add its key \
                 with --key"
            );
            return Err(Found::new(Kind::BadSignature, sentence));
        }
        Ok(keys)
    }

    /// Looks at what signs more entries than the ledger went on from. What entry 0 itself states is known; more than
    /// that was cut off.
    fn look_beyond(
        &mut self,
        recovered: &Recovered,
        origin: &Origin,
        judged: &Judgement<'_>,
        stated: &Claim,
        claims: &[Claim],
    ) {
        let Recovered { previous, size, .. } = recovered;
        let open = |note: &Note, of: u64| Checkpoint::open(note, origin, &judged.keys_at(of));
        let stated_size = stated.checkpoint().size();
        let is_stated = stated_size > *size;
        let has_keys = !judged.keys.is_empty();
        if is_stated
            && has_keys
            && let Err(reason) = open(stated.note(), stated_size)
        {
            let by = stated.source().to_owned();
            self.found.push(brevet_ledger::Finding::Claim { by, reason }.into());
        }
        let known = stated_size.max(*size);
        let mut largest: Option<&Claim> = None;
        for claim in claims.iter().filter(|claim| has_keys && claim.checkpoint().size() > *size) {
            let (checkpoint, by) = (claim.checkpoint(), claim.source().to_owned());
            if let Err(reason) = open(claim.note(), checkpoint.size()) {
                self.found.push(brevet_ledger::Finding::Claim { by, reason }.into());
                continue;
            }
            self.lost += 1;
            if checkpoint.size() == stated_size && checkpoint.root() != stated.checkpoint().root() {
                let sentence =
                    format!("{previous} was forked: {by} and entry 0 have two roots of {known} entries");
                self.found.push(Found::new(Kind::Forked, sentence));
            }
            if checkpoint.size() > largest.map_or(known, |claim| claim.checkpoint().size()) {
                largest = Some(claim);
            }
        }
        if let Some(claim) = largest {
            let (by, signed) = (claim.source(), claim.checkpoint().size());
            let sentence = format!(
                "{by} signs {signed} entries of {previous}; the ledger goes on after {size}: {} are lost",
                signed - size
            );
            self.found.push(Found::new(Kind::Truncated, sentence).at(*size));
        } else if is_stated {
            self.notes.push(format!(
                "{previous} had {stated_size} entries or more, as entry 0 says, and {size} were at hand: {} are lost",
                stated_size - size
            ));
        }
    }
}
