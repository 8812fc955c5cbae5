//! How many must say yes: a total, and a minimum of each group, all of distinct people.

use std::collections::{BTreeMap, BTreeSet};

use minicbor::{Decode, Encode};

use crate::id::{GroupId, UserId};

/// At least so many approvals from the members of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
pub struct GroupMinimum {
    /// The group.
    #[n(0)]
    pub group: GroupId,
    /// How many of its members; zero means that they may approve, and none must.
    #[n(1)]
    pub minimum: u32,
}

/// The approvals that a request needs.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Encode, Decode)]
pub struct Quorum {
    /// In all; at least one.
    #[n(0)]
    pub total: u32,
    /// From which groups. Empty means the default approver group.
    #[n(1)]
    pub groups: Vec<GroupMinimum>,
}

/// One person's standing in a count: who it is, and the groups of the quorum they are in now.
#[derive(Debug, Clone)]
pub(crate) struct Supporter {
    pub(crate) person: UserId,
    pub(crate) groups: Vec<GroupId>,
}

impl Quorum {
    /// One approval, from the default approver group.
    pub const fn default_group() -> Self {
        Self { total: 1, groups: Vec::new() }
    }

    /// Whether these people, each with the groups they are in, are enough where `groups` approve; for those who
    /// check a story of which they know no state.
    pub fn is_met(&self, groups: &[GroupMinimum], people: &[(UserId, Vec<GroupId>)]) -> bool {
        let supporter =
            |(person, groups): &(UserId, Vec<GroupId>)| Supporter { person: *person, groups: groups.clone() };
        self.met_by(groups, &people.iter().map(supporter).collect::<Vec<_>>())
    }

    /// Whether these supporters are enough.
    ///
    /// Each person counts once: for the total, and towards the minimum of one group only, so that
    /// somebody in two groups is never two people. Whether everybody finds a place is a bipartite
    /// matching, found by augmenting paths.
    pub(crate) fn met_by(&self, groups: &[GroupMinimum], supporters: &[Supporter]) -> bool {
        let people = distinct_people(groups, supporters);
        let needed = groups.iter().fold(self.total, |sum, group| sum.max(group.minimum)) as usize;
        if self.total == 0 || people.len() < needed {
            return false;
        }
        let seats: Vec<GroupId> =
            groups.iter().flat_map(|g| std::iter::repeat_n(g.group, g.minimum as usize)).collect();
        let mut seated = vec![None; people.len()];
        (0..seats.len()).all(|seat| {
            let mut asked = vec![false; people.len()];
            find_place(seat, &seats, &people, &mut seated, &mut asked)
        })
    }
}

/// For each person the groups of theirs that the quorum names; people in none do not count.
fn distinct_people(groups: &[GroupMinimum], supporters: &[Supporter]) -> Vec<BTreeSet<GroupId>> {
    let mut people: BTreeMap<UserId, BTreeSet<GroupId>> = BTreeMap::new();
    for supporter in supporters {
        for group in supporter.groups.iter().filter(|group| groups.iter().any(|g| g.group == **group)) {
            people.entry(supporter.person).or_default().insert(*group);
        }
    }
    people.into_values().collect()
}

/// Seats somebody at `seat`, moving others where that helps (Kuhn's algorithm).
fn find_place(
    seat: usize,
    seats: &[GroupId],
    people: &[BTreeSet<GroupId>],
    seated: &mut [Option<usize>],
    asked: &mut [bool],
) -> bool {
    for (person, groups) in people.iter().enumerate() {
        if asked[person] || !groups.contains(&seats[seat]) {
            continue;
        }
        asked[person] = true;
        let free = match seated[person] {
            None => true,
            Some(taken) => find_place(taken, seats, people, seated, asked),
        };
        if free {
            seated[person] = Some(seat);
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::{GroupMinimum, Quorum, Supporter};
    use crate::id::{GroupId, UserId};

    /// `people` as (person, groups); `need` as (group, minimum).
    fn met(total: u32, need: &[(u32, u32)], people: &[(u32, &[u32])]) -> bool {
        let groups: Vec<_> = need
            .iter()
            .map(|(g, minimum)| GroupMinimum { group: GroupId::new(*g), minimum: *minimum })
            .collect();
        let supporters: Vec<_> = people
            .iter()
            .map(|(person, groups)| Supporter {
                person: UserId::new(*person),
                groups: groups.iter().copied().map(GroupId::new).collect(),
            })
            .collect();
        Quorum { total, groups: groups.clone() }.met_by(&groups, &supporters)
    }

    #[test]
    fn a_total_and_minimums_of_distinct_people() {
        assert!(met(1, &[(1, 0)], &[(1, &[1])]));
        assert!(!met(1, &[(1, 0)], &[]), "an empty list is nobody");
        assert!(!met(1, &[(1, 0)], &[(1, &[2])]), "a member of no named group does not count");
        assert!(!met(0, &[], &[]), "a quorum of nobody is never met");
        assert!(!met(2, &[(1, 0)], &[(1, &[1]), (1, &[1])]), "one person counts once");
        assert!(!met(1, &[(1, 1), (2, 1)], &[(1, &[1, 2])]), "one person sits on one chair");
        assert!(met(2, &[(1, 1), (2, 1)], &[(1, &[1, 2]), (2, &[1])]), "the one in both moves over");
        assert!(met(2, &[(1, 1), (2, 1)], &[(2, &[1]), (1, &[1, 2])]));
        assert!(!met(3, &[(1, 1), (2, 1)], &[(1, &[1, 2]), (2, &[1])]));
        assert!(!met(2, &[(1, 2), (2, 1)], &[(1, &[1, 2]), (2, &[1])]));
    }
}
