//! One verification: a subject, what the verifier brought along, and what comes out.

use std::path::{Path, PathBuf};

use brevet_ledger::{Checkpoint, Claim, Finding, Judgement, KeyType, Origin, Rotation, VerifierKey, judge};
use brevet_store::{
    Account, Discrepancy, Progress, Questions, Rows, Source, Tree, VerifiedFolder, study_source,
};

use super::export::{ExportFile, Joined};
use super::found::{Found, Kind, evidence};
use super::given::Given;
use super::witnessed::Word;

/// A ledger that was read from its first entry to its last.
#[derive(Debug)]
pub(super) struct Case {
    pub(super) origin: String,
    pub(super) account: Account,
    pub(super) claims: Vec<Claim>,
    rotations: Vec<Rotation>,
    /// Keys that lie with the ledger; they prove nothing against its owner.
    own_keys: Vec<VerifierKey>,
    /// What was found on the way.
    found: Vec<Found>,
    /// All hashes, where something signed contradicts the entries and a proof may be wanted.
    tree: Option<Tree>,
    /// What the reader of the result should know.
    pub(super) notes: Vec<String>,
    /// Whether there was more than hashes.
    pub(super) entries_read: bool,
    /// Whether the texts beside the entries were there to be read.
    pub(super) texts_read: bool,
    /// How many of the things that were kept sign what a ledger before this one lost.
    pub(super) lost: usize,
}

/// What came out.
pub(super) struct Outcome<'c> {
    pub(super) case: &'c Case,
    pub(super) judged: Judgement<'c>,
    pub(super) word: Word,
    /// Whether the keys were brought along rather than found with the ledger.
    pub(super) is_own_key: bool,
    /// The most severe first.
    pub(super) found: Vec<Found>,
}

/// What can be read to be verified.
#[derive(Debug)]
pub(super) struct Subject<'a> {
    pub(super) presented: Vec<(String, String)>,
    pub(super) origin: String,
    pub(super) own_keys: Vec<VerifierKey>,
    pub(super) archives: &'a [ExportFile],
    /// Why there is nothing but hashes.
    pub(super) withheld: Option<String>,
}

impl Case {
    /// A data folder, with archive files beside it.
    pub(super) fn of_folder(
        data: &Path,
        archives: &[PathBuf],
        given: &mut Given,
        progress: Progress<'_>,
    ) -> Result<Self, Found> {
        // Read first: what was signed before the database was read must be in it.
        let anchor = super::given::read(&data.join(brevet_store::ANCHOR_FILE)).ok();
        let folder = VerifiedFolder::open(data)?;
        let head = folder.snapshot().head();
        let mut presented = vec![("the checkpoint in the folder".to_owned(), head.checkpoint.clone())];
        presented.extend(head.cosigned.iter().map(|note| ("a cosigned checkpoint".to_owned(), note.clone())));
        presented.extend(head.handovers.iter().map(|handover| {
            (format!("the checkpoint over entry {}", handover.index), handover.checkpoint.clone())
        }));
        let own_keys = own_keys(folder.own_key()?.as_deref().unwrap_or_default());
        let mut archives = open_all(archives)?;
        archives.extend(lying_in(&data.join("archive"), &archives)?);
        let origin = origin_of(&presented)?;
        given.take_anchor(anchor.as_deref(), &origin);
        let subject = Subject { presented, origin, own_keys, archives: &archives, withheld: None };
        let (claims, mut questions) = subject.questions(given)?;
        questions.watch.leaves.extend(head.handovers.iter().map(|handover| handover.index));
        let (own, before) = subject.archives();
        let before = super::previous::chain(previous_of(head.previous.clone(), &own)?, &before)?;
        let before: Vec<&dyn Source> = before.iter().rev().map(|joined| joined as &dyn Source).collect();
        let own_sources = own.iter().map(|file| *file as &dyn Source).collect();
        let account = folder.study(own_sources, &before, &questions, true, progress)?;
        let mut case = Self::new(subject, account, claims, given)?.with_tree(folder.snapshot())?;
        let (rotations, found) = super::handovers::compare(&head.handovers, &case.account);
        case.rotations = rotations;
        case.found.extend(found);
        Ok(case)
    }

    /// An export, with archive files of what is before its first entry.
    pub(super) fn of_export(
        path: &Path,
        archives: &[PathBuf],
        given: &mut Given,
        progress: Progress<'_>,
    ) -> Result<Self, Found> {
        let file = ExportFile::open(path)?;
        let archives = open_all(archives)?;
        let by = format!("the checkpoint in {}", path.display());
        let presented: Vec<_> = file.checkpoints.iter().map(|note| (by.clone(), note.clone())).collect();
        let (origin, own_keys) = (file.heading.origin.clone(), own_keys(&file.heading.keys.join("\n")));
        let is_whole = !presented.is_empty();
        let subject = Subject { presented, origin, own_keys, archives: &archives, withheld: None };
        let (own, _) = subject.archives();
        if own.iter().map(|file| file.range().start).chain([file.range().start]).min() > Some(0) {
            return Err(Found::cannot(format!(
                "{} begins with entry {}: give the archive with the entries before it as --archive FILE",
                path.display(),
                file.range().start
            )));
        }
        let (claims, questions) = subject.questions(given)?;
        let joined = Joined::new(own.into_iter().chain([&file]).collect());
        let account = study_source(&joined, &questions, None, progress)?;
        let (said, size) = (file.heading.size, account.derived.size);
        let mut case = Self::new(subject, account, claims, given)?.with_tree(&joined)?;
        case.notes.push(
            "where a line says time, kind, actor and session, they are what its bytes say; summary, details and names stand \
             there for reading only, and were not compared"
                .to_owned(),
        );
        if size < said || !is_whole {
            case.found.push(Found::new(
                Kind::Truncated,
                format!(
                    "{} was cut short: it announces {said} entries and its checkpoint, and ends after {size}",
                    path.display()
                ),
            ));
        } else if size > said {
            let sentence = format!("{} announces {said} entries and has {size}", path.display());
            case.found.push(Found::new(Kind::Changed, sentence).at(said));
        }
        Ok(case)
    }

    /// Anything else that was studied.
    pub(super) fn new(
        subject: Subject<'_>,
        account: Account,
        claims: Vec<Claim>,
        given: &Given,
    ) -> Result<Self, Found> {
        let rotations = account.chronicle.rotations.clone();
        let (own, before) = subject.archives();
        let mut found: Vec<Found> = own.iter().filter_map(|file| foreign(file, &account)).collect();
        let mut notes = Vec::new();
        if let Some(why) = &subject.withheld {
            notes.push(format!(
                "the entries were not read ({why}): what was kept is held against hashes alone; set BREVET_TOKEN to \
                 that of an auditor"
            ));
        } else if account.derived.archived > 0 {
            notes.push(format!(
                "{} entries are in an archive file that was not given: of these only the hashes were verified; \
                 add --archive FILE",
                account.derived.archived
            ));
        }
        let before = super::previous::examine(&account, &before, claims, given)?;
        found.extend(before.found);
        notes.extend(before.notes);
        let claims = before.claims;
        let Subject { origin, own_keys, withheld, presented: _, archives: _ } = subject;
        let (entries_read, texts_read, lost) = (withheld.is_none(), true, before.lost);
        // Entry 0 says what the ledger is called; a checkpoint that says otherwise is of another one.
        let origin = account.chronicle.origin.clone().unwrap_or(origin);
        let tree = None;
        Ok(Self {
            origin,
            account,
            claims,
            rotations,
            own_keys,
            found,
            tree,
            notes,
            entries_read,
            texts_read,
            lost,
        })
    }

    /// Keeps all hashes of the entries, where something that was signed contradicts them.
    pub(super) fn with_tree(self, source: &dyn Source) -> Result<Self, Found> {
        let roots = &self.account.derived.roots;
        let differs = |claim: &Claim| {
            let checkpoint = claim.checkpoint();
            roots.get(&checkpoint.size()).is_some_and(|root| *root != checkpoint.root())
        };
        let tree = self.claims.iter().any(differs).then(|| Tree::read(source)).transpose()?;
        Ok(Self { tree, ..self })
    }

    /// A finding; a fork over two sizes with the proof that both cannot be.
    fn found(&self, finding: &Finding) -> Found {
        let Finding::Forked(fork) = finding else { return finding.clone().into() };
        let root = self.account.derived.roots.get(&fork.size);
        let proof =
            self.tree.as_ref().and_then(|tree| tree.prove_consistency(fork.size, fork.presented_size).ok());
        let growth = root.zip(proof).filter(|_| fork.size < fork.presented_size);
        let evidence = evidence(fork, growth.as_ref().map(|(root, proof)| (*root, proof.as_slice())));
        Found { evidence: Some(evidence), ..Found::from(finding.clone()) }
    }

    /// Holds everything against everything.
    pub(super) fn judge(&self, given: &Given) -> Outcome<'_> {
        let mut found = self.found.clone();
        let is_ours =
            |key: &&VerifierKey| key.name().as_str() == self.origin && key.key_type() == KeyType::Ed25519;
        let is_own_key = !given.keys.is_empty();
        let keys = if is_own_key { &given.keys } else { &self.own_keys };
        let trusted: Vec<VerifierKey> = keys.iter().filter(is_ours).cloned().collect();
        if trusted.is_empty() {
            let sentence = match is_own_key {
                true => format!(
                    "the ledger is {}, and none of the keys that are trusted is of that name",
                    self.origin
                ),
                false => {
                    format!("there is no key of {} to check signatures with; give it with --key", self.origin)
                }
            };
            found
                .push(Found::new(if is_own_key { Kind::BadSignature } else { Kind::CannotVerify }, sentence));
        }
        let origin = Origin::parse(&self.origin);
        let judged = match origin {
            Ok(origin) if !trusted.is_empty() => {
                judge(&self.claims, &self.account.derived, &origin, &trusted, &self.rotations)
            }
            _ => Judgement {
                believed: Vec::new(),
                keys: Vec::new(),
                rotations: Vec::new(),
                findings: Vec::new(),
            },
        };
        found.extend(judged.findings.iter().map(|finding| self.found(finding)));
        let word = Word::of(given, &judged, &self.account);
        found.extend(word.found.iter().cloned());
        if let Some(Rows::Differ(differs)) = &self.account.rows {
            let (sentence, entry) = (differs.to_string(), differs.index());
            found.push(Found { entry, ..Found::new(Kind::RowsDiffer, sentence) });
        }
        found.sort_by_key(|found| found.kind);
        Outcome { case: self, judged, word, is_own_key, found }
    }
}

impl<'a> Subject<'a> {
    /// The claims of both sides, and what must be remembered to judge them.
    pub(super) fn questions(&self, given: &Given) -> Result<(Vec<Claim>, Questions), Found> {
        let mut claims = Vec::new();
        for (source, note) in &self.presented {
            let claim = Claim::presented(source, note);
            claims.push(claim.map_err(|reason| Finding::Claim { by: source.clone(), reason })?);
        }
        claims.extend(given.claims.iter().cloned());
        let mut questions = Questions::default();
        for claim in &claims {
            claim.watch(&mut questions.watch);
            let size = claim.checkpoint().size();
            questions.times.extend(size.checked_sub(1).into_iter().chain([size]));
        }
        Ok((claims, questions))
    }

    /// The archives of this ledger, and those of ledgers before it.
    pub(super) fn archives(&self) -> (Vec<&'a ExportFile>, Vec<&'a ExportFile>) {
        self.archives.iter().partition(|file| file.heading.origin == self.origin)
    }
}

/// The origin that the newest checkpoint states, believed or not.
pub(super) fn origin_of(presented: &[(String, String)]) -> Result<String, Found> {
    let Some((source, note)) = presented.first() else {
        return Err(Found::new(Kind::Truncated, "there is no checkpoint"));
    };
    let claim = Claim::presented(source, note);
    let claim = claim.map_err(|reason| Finding::Claim { by: source.clone(), reason })?;
    let checkpoint: &Checkpoint = claim.checkpoint();
    Ok(checkpoint.origin().to_string())
}

/// The ledger before, as entry 0 states it in the folder or, when that entry is in an archive, there.
fn previous_of(stated: Option<String>, own: &[&ExportFile]) -> Result<Option<String>, Found> {
    let mut previous = stated;
    for file in own {
        previous = previous.or(file.previous()?);
    }
    Ok(previous)
}

pub(super) fn own_keys(text: &str) -> Vec<VerifierKey> {
    text.lines().filter_map(|line| line.trim().parse().ok()).collect()
}

pub(super) fn open_all(paths: &[PathBuf]) -> Result<Vec<ExportFile>, Discrepancy> {
    paths.iter().map(|path| ExportFile::open(path)).collect()
}

/// The archive files of a data folder: those that were given, and those that lie in it. A sentence where one cannot be
/// read.
pub(crate) fn archives(data: &Path, given: &[PathBuf]) -> Result<Vec<ExportFile>, String> {
    let mut files = open_all(given).map_err(|error| error.to_string())?;
    files.extend(lying_in(&data.join("archive"), &files).map_err(|found| found.sentence)?);
    Ok(files)
}

/// The archive files that lie in the data folder, unless they were given already.
fn lying_in(folder: &Path, given: &[ExportFile]) -> Result<Vec<ExportFile>, Found> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Ok(Vec::new()) };
    let mut paths: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "jsonl"));
    paths.sort();
    let files = open_all(&paths)?.into_iter().map(ExportFile::found);
    Ok(files.filter(|file| !given.iter().any(|given| given.digest == file.digest)).collect())
}

/// The ledger states the digest of each of its archive files.
fn foreign(file: &ExportFile, account: &Account) -> Option<Found> {
    let stated = account.chronicle.archives.iter().find(|stated| stated.size == file.range().end);
    match stated {
        Some(stated) if stated.file.0 == file.digest => None,
        Some(stated) => Some(
            Found::new(
                Kind::Changed,
                format!(
                    "{} is not the archive that entry {} states: its SHA-256 is another",
                    file.path().display(),
                    stated.index
                ),
            )
            .at(stated.index),
        ),
        // Written, and not agreed on in the end.
        None if file.is_found => None,
        None => Some(Found::new(
            Kind::Changed,
            format!("no entry of the ledger states the archive {}", file.path().display()),
        )),
    }
}
