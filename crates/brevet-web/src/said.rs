//! What a page says that was just done elsewhere: one of a few sentences, named by a word in its address.

use axum::http::Uri;

macro_rules! said {
    ($($name:ident $word:literal $sentence:literal,)*) => {
        /// Something that was done.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Said { $(#[doc = $sentence] $name,)* }

        impl Said {
            const fn word(self) -> &'static str {
                match self { $(Self::$name => $word,)* }
            }

            /// The sentence.
            pub(crate) const fn sentence(self) -> &'static str {
                match self { $(Self::$name => $sentence,)* }
            }

            fn named(word: &str) -> Option<Self> {
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

impl Said {
    /// What the address of a page says was done.
    pub(crate) fn of(uri: &Uri) -> Option<Self> {
        let query = uri.query()?;
        let mut said = query.split('&').filter_map(|pair| pair.strip_prefix("said="));
        said.next().and_then(Self::named)
    }

    /// The address of a page that says it.
    pub(crate) fn on(self, path: &str) -> String {
        let mark = if path.contains('?') { '&' } else { '?' };
        format!("{path}{mark}said={}", self.word())
    }
}

#[cfg(test)]
mod tests {
    use super::Said;

    #[test]
    fn a_page_says_only_sentences_of_ours() {
        let said = |uri: &str| Said::of(&uri.parse().unwrap());
        assert_eq!(said(&Said::Approved.on("/requests?status=all")), Some(Said::Approved));
        assert_eq!(said("/requests?said=You+are+hacked"), None);
        assert_eq!(said("/requests"), None);
    }
}
