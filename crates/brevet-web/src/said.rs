//! What the next page says was just done: one of a few sentences, named by a word that a cookie carries there once.

macro_rules! said {
    ($($name:ident $word:literal $sentence:literal,)*) => {
        /// Something that was done.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Said { $(#[doc = $sentence] $name,)* }

        impl Said {
            /// The word for it.
            pub(crate) const fn word(self) -> &'static str {
                match self { $(Self::$name => $word,)* }
            }

            /// The sentence.
            pub(crate) const fn sentence(self) -> &'static str {
                match self { $(Self::$name => $sentence,)* }
            }

            /// What a word names.
            pub(crate) fn named(word: &str) -> Option<Self> {
                match word { $($word => Some(Self::$name),)* _ => None }
            }
        }
    };
}

said! {
    SignedOut "signed-out" "You are signed out.",
    Submitted "submitted" "The request is submitted. Those who decide can see it now.",
    ApprovedAtOnce "approved-at-once" "The policy approved it at once. You can run it now.",
    Approved "approved" "Approved.",
    Denied "denied" "Denied.",
    Cancelled "cancelled" "The request is withdrawn.",
    Decided "decided" "The decisions are on record.",
    GivenBack "given-back" "The authorization is given back.",
    Revoked "revoked" "The authorization is revoked; nothing starts under it any more.",
    Stopping "stopping" "The run is told to stop.",
    Saved "saved" "Saved.",
    Created "created" "Created.",
    Removed "removed" "Removed.",
    Disabled "disabled" "Disabled.",
    Enabled "enabled" "Enabled.",
    PasswordChanged "password-changed" "The password is changed. Sign in with the new one.",
    MemberAdded "member-added" "Added to the group.",
    MemberRemoved "member-removed" "Removed from the group.",
    GroupDeleted "group-deleted" "The group is deleted.",
    CodeToldOnce "code-told-once" "The account is there. Its code was told once already; make a new one below.",
    AssignmentAdded "assignment-added" "The assignment is added.",
    AssignmentRemoved "assignment-removed" "The assignment is removed.",
    AccessControlOn "access-control-on" "Access control is on.",
    AccessControlOff "access-control-off" "Access control is off.",
    PolicyCreated "policy-created" "The policy is in force.",
}

#[cfg(test)]
mod tests {
    use super::Said;

    #[test]
    fn a_page_says_only_sentences_of_ours() {
        assert_eq!(Said::named(Said::Approved.word()), Some(Said::Approved));
        assert_eq!(Said::named("You are hacked"), None);
    }
}
