//! What can be asked for.

use minicbor::{Decode, Encode};

use crate::id::{RoleGroupId, RoleId, TaskId};

/// A task, a role or a role group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
pub enum Access {
    /// One task.
    #[n(0)]
    Task(#[n(0)] TaskId),
    /// Every task of a role.
    #[n(1)]
    Role(#[n(0)] RoleId),
    /// Every task of every role of a role group.
    #[n(2)]
    RoleGroup(#[n(0)] RoleGroupId),
}

/// SHA-256 of a definition: of a task, or of a role or role group with all that is in it.
///
/// An authorization holds the digest that was approved; another digest today voids it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(transparent)]
pub struct Digest(#[cbor(n(0), with = "minicbor::bytes")] pub [u8; 32]);

impl std::fmt::Display for Digest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl std::fmt::Debug for Digest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Digest({self})")
    }
}
