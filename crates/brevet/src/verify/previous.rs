//! The ledger that a recovered one goes on from.

use brevet_ledger::{Claim, KeyType, Origin, VerifierKey, judge};
use brevet_store::{Account, Questions, Recovered, study_source};

use super::case::own_keys;
use super::export::{ExportFile, Joined};
use super::found::{Found, Kind};

/// What was found out about it.
#[derive(Debug, Default)]
pub(super) struct Before {
    pub(super) found: Vec<Found>,
    pub(super) notes: Vec<String>,
}

/// Verifies the ledger before from its archive, against what the first entry of this one says of it and against
/// checkpoints that somebody kept.
pub(super) fn examine(
    account: &Account,
    archives: &[&ExportFile],
    claims: Vec<Claim>,
) -> Result<Before, Found> {
    let mut before = Before::default();
    let Some(recovered) = &account.chronicle.recovered else {
        let strangers = archives.iter().map(|file| {
            Found::new(
                Kind::Changed,
                format!("{} is of {}, another ledger", file.path().display(), file.heading.origin),
            )
        });
        before.found.extend(strangers);
        return Ok(before);
    };
    let Recovered { previous, size, root, note } = recovered;
    // Older ones are of ledgers before that one.
    let archives: Vec<_> = archives.iter().copied().filter(|file| file.heading.origin == *previous).collect();
    if archives.is_empty() {
        before.notes.push(format!(
            "it goes on from {previous}, of which {size} entries were at hand: add their archive as --archive FILE"
        ));
        before.found.extend(claims.iter().map(|claim| {
            Found::cannot(format!(
                "{} is of the ledger before, {previous}: give its archive with --archive",
                claim.source()
            ))
        }));
        return Ok(before);
    }
    let mut claims = claims;
    let by = format!("the checkpoint of {previous} in entry 0");
    claims.push(Claim::kept(&by, note).map_err(|reason| brevet_ledger::Finding::Claim { by, reason })?);
    let mut questions = Questions::default();
    questions.watch.sizes.insert(*size);
    claims.iter().for_each(|claim| claim.watch(&mut questions.watch));
    let joined = Joined::new(archives.clone());
    let older = study_source(&joined, &questions, None, &|_, _| ())?;
    if older.derived.roots.get(size).is_none_or(|found| *found.as_bytes() != root.0) {
        let sentence =
            format!("the archive of {previous} does not have the {size} entries that entry 0 states");
        before.found.push(Found::new(Kind::Changed, sentence).at(0));
    }
    let keys: Vec<VerifierKey> =
        archives.iter().flat_map(|file| own_keys(&file.heading.keys.join("\n"))).collect();
    let keys: Vec<_> = keys.into_iter().filter(|key| key.key_type() == KeyType::Ed25519).collect();
    let (lost, mut kept): (Vec<_>, Vec<_>) =
        claims.into_iter().partition(|claim| claim.checkpoint().size() > *size);
    if let Some(largest) = lost.iter().map(|claim| claim.checkpoint().size()).max() {
        before.notes.push(format!(
            "{previous} had {largest} entries or more, and {size} were at hand: {} are lost",
            largest - size
        ));
    }
    if let Ok(origin) = Origin::parse(previous) {
        kept.retain(|claim| claim.checkpoint().origin() == &origin);
        let judged = judge(&kept, &older.derived, &origin, &keys, &older.chronicle.rotations);
        before.found.extend(judged.findings.into_iter().map(Found::from));
    }
    before
        .notes
        .push(format!("it goes on from {previous}, whose {size} entries were verified from their archive"));
    Ok(before)
}
