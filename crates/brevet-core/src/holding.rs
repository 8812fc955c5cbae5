//! Authorizations, beside the person who holds them: what a decision reads lies together, however many others
//! there are.

use std::collections::hash_map::Entry;
use std::hint::black_box;
use std::ops::Range;

use crate::access::Access;
use crate::authorization::Authorization;
use crate::hash::IdMap;
use crate::id::{AuthorizationId, UserId};

/// Who holds what.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Holdings {
    /// By user id.
    people: Vec<Holding>,
    /// Where to find each one.
    places: IdMap<AuthorizationId, (UserId, Access)>,
}

/// What one person holds.
///
/// INVARIANT: sorted by access, then id; `accesses` has the access of each authorization, so that looking for one
/// reads a few bytes of each.
#[derive(Debug, Clone, Default, PartialEq)]
struct Holding {
    accesses: Vec<Access>,
    authorizations: Vec<Authorization>,
}

impl Holdings {
    /// Makes room for so many people.
    pub(crate) fn grow(&mut self, people: usize) {
        self.people.resize_with(people, Holding::default);
    }

    /// Begins to bring what a user holds close to the processor, while it is busy with something else: among a
    /// million authorizations each lies far away.
    pub(crate) fn fetch(&self, user: UserId) {
        if let Some(Holding { accesses, authorizations }) = self.people.get(user.index()) {
            black_box((accesses.first().copied(), authorizations.first().map(|held| held.id)));
        }
    }

    /// What a user holds for exactly this access, by id.
    pub(crate) fn of_access(&self, user: UserId, access: Access) -> &[Authorization] {
        let held = self.people.get(user.index());
        held.map_or(&[], |held| &held.authorizations[held.span(access)])
    }

    /// What a user holds, by access and then id.
    pub(crate) fn of(&self, user: UserId) -> &[Authorization] {
        self.people.get(user.index()).map_or(&[], |held| &held.authorizations)
    }

    /// What anybody holds, by user.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Authorization> {
        self.people.iter().flat_map(|held| &held.authorizations)
    }

    pub(crate) fn get(&self, id: AuthorizationId) -> Option<&Authorization> {
        let (person, index) = self.find(id)?;
        self.people.get(person)?.authorizations.get(index)
    }

    /// To be changed in all but id, holder and access: these are its place.
    pub(crate) fn get_mut(&mut self, id: AuthorizationId) -> Option<&mut Authorization> {
        let (person, index) = self.find(id)?;
        self.people.get_mut(person)?.authorizations.get_mut(index)
    }

    /// Gives an authorization to its holder. One whose holder has no place is nobody's, and is not kept; nor is one
    /// of an id that there is.
    pub(crate) fn insert(&mut self, authorization: Authorization) {
        let (id, holder, access) = (authorization.id, authorization.holder, authorization.access);
        if let Some(held) = self.people.get_mut(holder.index())
            && let Entry::Vacant(place) = self.places.entry(id)
        {
            place.insert((holder, access));
            held.insert(authorization);
        }
    }

    pub(crate) fn remove(&mut self, id: AuthorizationId) {
        if let Some((person, index)) = self.find(id)
            && let Some(held) = self.people.get_mut(person)
        {
            held.remove(index);
        }
        self.places.remove(&id);
    }

    fn find(&self, id: AuthorizationId) -> Option<(usize, usize)> {
        let (holder, access) = self.places.get(&id)?;
        let index = self.people.get(holder.index())?.index_of(*access, id).ok()?;
        Some((holder.index(), index))
    }
}

impl Holding {
    fn span(&self, access: Access) -> Range<usize> {
        let first = self.accesses.partition_point(|held| *held < access);
        let count = self.accesses[first..].iter().take_while(|held| **held == access).count();
        first..first + count
    }

    /// Where it is, or where it belongs.
    fn index_of(&self, access: Access, id: AuthorizationId) -> Result<usize, usize> {
        let span = self.span(access);
        let found = self.authorizations[span.clone()].binary_search_by_key(&id, |held| held.id);
        found.map(|index| span.start + index).map_err(|index| span.start + index)
    }

    fn insert(&mut self, authorization: Authorization) {
        let Err(index) = self.index_of(authorization.access, authorization.id) else { return };
        // Most people hold one or two: doubling from four would waste most of what they cost.
        if self.authorizations.len() == self.authorizations.capacity() {
            let more = 1 + self.authorizations.len() / 2;
            self.authorizations.reserve_exact(more);
            self.accesses.reserve_exact(more);
        }
        self.accesses.insert(index, authorization.access);
        self.authorizations.insert(index, authorization);
    }

    fn remove(&mut self, index: usize) {
        self.accesses.remove(index);
        self.authorizations.remove(index);
        if self.authorizations.is_empty() {
            *self = Self::default();
        }
    }
}
