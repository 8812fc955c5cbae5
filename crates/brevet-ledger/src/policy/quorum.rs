//! The quorum of a policy: a tree of groups with witnesses as its leaves.

/// What must have cosigned.
#[derive(Clone, Debug)]
pub(super) enum Quorum {
    /// This witness, by its number in the policy.
    Witness(usize),
    /// So many of these. INVARIANT: the threshold is 1 to the number of members, and no witness is twice in the tree.
    Group { threshold: usize, members: Vec<Self> },
}

impl Quorum {
    /// How many more witnesses must cosign at the least, given which are there; 0 when the quorum is met.
    pub(super) fn lacking(&self, there: &[bool]) -> usize {
        match self {
            Self::Witness(number) => usize::from(!there.get(*number).is_some_and(|there| *there)),
            Self::Group { threshold, members } => {
                // No witness is in two members, so the cheapest members are the cheapest way.
                let mut lacking: Vec<_> = members.iter().map(|member| member.lacking(there)).collect();
                lacking.sort_unstable();
                lacking.iter().take(*threshold).sum()
            }
        }
    }

    /// The numbers of the witnesses that count, in the order of the groups.
    pub(super) fn witnesses(&self) -> Vec<usize> {
        match self {
            Self::Witness(number) => vec![*number],
            Self::Group { members, .. } => members.iter().flat_map(Self::witnesses).collect(),
        }
    }
}
