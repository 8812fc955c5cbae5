//! A ledger whose old entries are in archive files, read together with them.

use std::collections::BTreeMap;

use brevet_ledger::{Content, Row, Salt, TextBeside};

use super::Discrepancy;
use super::source::{Item, PartReader, Source, end_of};

/// A source with archives laid over it.
pub struct Layered<'s> {
    base: &'s dyn Source,
    archives: Vec<&'s dyn Source>,
}

impl<'s> Layered<'s> {
    /// Entries whose bytes are not in `base` are taken from the archive that has them.
    pub fn new(base: &'s dyn Source, archives: Vec<&'s dyn Source>) -> Self {
        Self { base, archives }
    }
}

impl std::fmt::Debug for Layered<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Layered").field("archives", &self.archives.len()).finish_non_exhaustive()
    }
}

impl Source for Layered<'_> {
    fn size(&self) -> u64 {
        self.base.size()
    }

    fn reader(&self) -> Result<Box<dyn PartReader + '_>, Discrepancy> {
        let archives = self
            .archives
            .iter()
            .map(|archive| Ok((archive.first()..archive.first() + archive.size(), archive.reader()?)))
            .collect::<Result<_, Discrepancy>>()?;
        Ok(Box::new(Reader { base: self.base.reader()?, archives }))
    }
}

type Held = (Vec<u8>, Vec<Option<(Salt, String)>>);

struct Reader<'s> {
    base: Box<dyn PartReader + 's>,
    archives: Vec<(std::ops::Range<u64>, Box<dyn PartReader + 's>)>,
}

impl Reader<'_> {
    /// What the archives have of the part that begins at `first`.
    fn archived(&mut self, first: u64) -> Result<BTreeMap<u64, Held>, Discrepancy> {
        let mut held = BTreeMap::new();
        for (range, reader) in &mut self.archives {
            if range.start < end_of(first) && range.end > first {
                reader.read(first, &mut |item| {
                    if let Content::Here { bytes, .. } = item.row.content {
                        held.insert(item.row.position, (bytes.to_vec(), owned(item.row.texts)));
                    }
                })?;
            }
        }
        Ok(held)
    }
}

impl PartReader for Reader<'_> {
    fn read(&mut self, first: u64, take: &mut dyn FnMut(Item<'_>)) -> Result<(), Discrepancy> {
        let held = self.archived(first)?;
        self.base.read(first, &mut |item| {
            let Row { position, content, texts } = item.row;
            match (content, held.get(&position)) {
                (Content::Archived { leaf }, Some((bytes, beside))) if texts.is_empty() => {
                    let content = Content::Here { bytes, leaf: Some(leaf) };
                    let texts: Vec<_> = beside.iter().map(lent).collect();
                    let row = Row { position, content, texts: &texts };
                    take(Item { row, texts_are_elsewhere: true, ..item });
                }
                _ => take(item),
            }
        })
    }
}

fn owned(texts: &[TextBeside<'_>]) -> Vec<Option<(Salt, String)>> {
    let own = |text: &TextBeside<'_>| match *text {
        TextBeside::Present { salt, text } => Some((salt.clone(), text.to_owned())),
        TextBeside::Erased => None,
    };
    texts.iter().map(own).collect()
}

/// A text as the verifier takes it.
pub(super) fn lent(text: &Option<(Salt, String)>) -> TextBeside<'_> {
    match text {
        Some((salt, text)) => TextBeside::Present { salt, text },
        None => TextBeside::Erased,
    }
}
