//! What the tests share: the tree as the words of RFC 6962 have it, and small ledgers to do harm to.

use std::cell::RefCell;

use crate::{
    Checkpoint, Claim, Commitment, Commitments, Content, Derived, EntryRef, Error, Finding, Hash, HashReader,
    KeyName, Origin, PART_ROWS, Part, RightEdge, Row, Salt, SigningKey, StoredHead, StoredNode, TextBeside,
    Verifier, Watch, empty_root, judge, leaf_hash, node_hash,
};

mod speed;
mod vectors;

/// `MTH(D[n])`, RFC 6962 section 2.1, over leaf hashes.
pub(crate) fn mth(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => empty_root(),
        [leaf] => *leaf,
        _ => {
            let (left, right) = leaves.split_at(largest_power_of_two_below(leaves.len()));
            node_hash(&mth(left), &mth(right))
        }
    }
}

/// `PATH(m, D[n])`, RFC 6962 section 2.1.1.
pub(crate) fn path(m: usize, leaves: &[Hash]) -> Vec<Hash> {
    if leaves.len() == 1 {
        return Vec::new();
    }
    let k = largest_power_of_two_below(leaves.len());
    let (left, right) = leaves.split_at(k);
    if m < k {
        [path(m, left), vec![mth(right)]].concat()
    } else {
        [path(m - k, right), vec![mth(left)]].concat()
    }
}

/// `SUBPROOF(m, D[n], b)`, RFC 6962 section 2.1.2; `PROOF` is this with `b = true`.
pub(crate) fn subproof(m: usize, leaves: &[Hash], b: bool) -> Vec<Hash> {
    let n = leaves.len();
    if m == n {
        return if b { Vec::new() } else { vec![mth(leaves)] };
    }
    let k = largest_power_of_two_below(n);
    let (left, right) = leaves.split_at(k);
    if m <= k {
        [subproof(m, left, b), vec![mth(right)]].concat()
    } else {
        [subproof(m - k, right, false), vec![mth(left)]].concat()
    }
}

fn largest_power_of_two_below(n: usize) -> usize {
    let mut k = 1;
    while k * 2 < n {
        k *= 2;
    }
    k
}

/// Leaves that differ.
pub(crate) fn leaves(count: u64) -> Vec<Hash> {
    (0..count).map(|index| leaf_hash(&index.to_be_bytes())).collect()
}

/// The stored hashes of a tree, as a store would hand them out. Remembers which were asked for.
pub(crate) struct MemoryHashes {
    levels: Vec<Vec<Hash>>,
    pub(crate) reads: RefCell<Vec<(u8, u64, usize)>>,
}

impl MemoryHashes {
    pub(crate) fn new(leaves: &[Hash]) -> Self {
        let mut levels = vec![leaves.to_vec()];
        let mut edge = RightEdge::new();
        for node in leaves.iter().flat_map(|leaf| edge.append(*leaf)) {
            let level = usize::from(node.tile_level);
            levels.resize(levels.len().max(level + 1), Vec::new());
            assert_eq!(levels[level].len() as u64, node.index);
            levels[level].push(node.hash);
        }
        Self { levels, reads: RefCell::default() }
    }
}

impl HashReader for MemoryHashes {
    type Error = Error;

    fn hashes(&self, tile_level: u8, first: u64, count: usize) -> Result<Vec<Hash>, Error> {
        self.reads.borrow_mut().push((tile_level, first, count));
        let from = usize::try_from(first).unwrap();
        assert_eq!(from / 256, (from + count - 1) / 256, "one read stays in one tile");
        let level = &self.levels[usize::from(tile_level)];
        level.get(from..from + count).map(<[Hash]>::to_vec).ok_or(Error::HashesMissing { tile_level, first })
    }
}

/// A key that everybody knows.
pub(crate) fn key(name: &str) -> SigningKey {
    SigningKey::from_seed(KeyName::parse(name).unwrap(), &[7; 32])
}

/// The origin of all sample ledgers, and the name of their key.
pub(crate) const ORIGIN: &str = "ledger.example/sample";

/// One stored row, owned, to be tampered with.
#[derive(Clone)]
pub(crate) struct SampleRow {
    pub(crate) position: u64,
    pub(crate) bytes: Vec<u8>,
    pub(crate) leaf: Hash,
    pub(crate) texts: Vec<Option<(Salt, String)>>,
}

impl SampleRow {
    fn lend<'a>(&'a self, texts: &'a [TextBeside<'a>]) -> Row<'a> {
        let content = Content::Here { bytes: &self.bytes, leaf: Some(self.leaf) };
        Row { position: self.position, content, texts }
    }
}

/// A whole stored ledger.
#[derive(Clone)]
pub(crate) struct Sample {
    pub(crate) rows: Vec<SampleRow>,
    pub(crate) nodes: Vec<StoredNode>,
    pub(crate) size: u64,
    pub(crate) edge: Vec<u8>,
    pub(crate) checkpoints: Vec<String>,
}

impl Sample {
    /// A sound ledger of so many entries, with a checkpoint over all of them.
    pub(crate) fn new(size: u64) -> Self {
        let rows = (0..size).map(sample_row).collect();
        let mut sample = Self { rows, nodes: Vec::new(), size: 0, edge: Vec::new(), checkpoints: Vec::new() };
        sample.derive();
        sample.checkpoints.push(sample.checkpoint());
        sample
    }

    /// What somebody who owns the host would do after a change: make everything but the checkpoint fit again.
    pub(crate) fn derive(&mut self) {
        let mut edge = RightEdge::new();
        self.nodes.clear();
        for row in &mut self.rows {
            row.leaf = leaf_hash(&row.bytes);
            self.nodes.extend(edge.append(row.leaf));
        }
        self.nodes.sort_by_key(|node| (node.tile_level, node.index));
        self.size = edge.size();
        self.edge = edge.to_bytes();
    }

    /// A checkpoint over the entries as they are.
    pub(crate) fn checkpoint(&self) -> String {
        let root = RightEdge::from_bytes(&self.edge).unwrap().root();
        let checkpoint = Checkpoint::new(Origin::parse(ORIGIN).unwrap(), self.size, root);
        checkpoint.sign(&key(ORIGIN)).unwrap().to_string()
    }

    /// All of it: the entries, what is stored of the tree, and the checkpoints.
    pub(crate) fn verify(&self) -> Result<Derived, Finding> {
        let by = "the checkpoint";
        let claim = |note: &String| Claim::presented(by, note);
        let claims: Vec<Claim> = self
            .checkpoints
            .iter()
            .map(claim)
            .collect::<Result<_, _>>()
            .map_err(|reason| Finding::Claim { by: by.to_owned(), reason })?;
        let mut watch = Watch::default();
        claims.iter().for_each(|claim| claim.watch(&mut watch));
        let derived = self.derive_all(&watch)?;
        let origin = Origin::parse(ORIGIN).unwrap();
        let judged = judge(&claims, &derived, &origin, &[key(ORIGIN).verifier().clone()], &[]);
        judged.findings.into_iter().next().map_or(Ok(derived), Err)
    }

    /// The entries and what is stored of the tree.
    pub(crate) fn derive_all(&self, watch: &Watch) -> Result<Derived, Finding> {
        let mut verifier = Verifier::new();
        self.with_rows(|rows| {
            let width = usize::try_from(PART_ROWS).unwrap();
            for (first, rows) in (0..).step_by(width).zip(rows.chunks(width)) {
                let mut part = Part::new(first, watch);
                for row in rows {
                    // What is wrong is found again when the part is accepted.
                    drop(part.push(row));
                }
                verifier.accept(part)?;
            }
            Ok(())
        })?;
        let head = StoredHead { size: self.size, edge: &self.edge };
        verifier.finish(Some(head), Some(&self.nodes))
    }

    /// Lends the rows as the verifier wants them.
    pub(crate) fn with_rows<T>(&self, use_rows: impl FnOnce(&[Row<'_>]) -> T) -> T {
        let texts: Vec<Vec<TextBeside<'_>>> =
            self.rows.iter().map(|row| row.texts.iter().map(text_beside).collect()).collect();
        let rows: Vec<Row<'_>> = self.rows.iter().zip(&texts).map(|(row, texts)| row.lend(texts)).collect();
        use_rows(&rows)
    }
}

fn text_beside(text: &Option<(Salt, String)>) -> TextBeside<'_> {
    match text {
        Some((salt, text)) => TextBeside::Present { salt, text },
        None => TextBeside::Erased,
    }
}

fn sample_row(index: u64) -> SampleRow {
    let texts: Vec<_> = (0..index % 3).map(|slot| Some(sample_text(index, slot))).collect();
    let commitments: Vec<_> =
        texts.iter().flatten().map(|(salt, text)| Commitment::to_text(salt, text).to_bytes()).collect();
    let mut bytes = Vec::new();
    let entry = EntryRef {
        index,
        time_micros: 1_767_225_600_000_000 + i64::try_from(index / 2).unwrap(),
        kind: "request.submitted",
        kind_version: 1,
        actor: "usr-7",
        session: index,
        commitments: Commitments::from(&commitments[..]),
        body: &index.to_be_bytes()[..usize::try_from(index % 8).unwrap()],
    };
    entry.encode(&mut bytes).unwrap();
    SampleRow { position: index, leaf: leaf_hash(&bytes), bytes, texts }
}

fn sample_text(index: u64, slot: u64) -> (Salt, String) {
    let mut salt = [0; 16];
    salt[..8].copy_from_slice(&index.to_be_bytes());
    salt[8..].copy_from_slice(&slot.to_be_bytes());
    (Salt::from_bytes(salt), format!("reason {index}.{slot}: größere Wartung"))
}
