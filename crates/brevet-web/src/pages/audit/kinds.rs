//! What can be chosen in a search.

/// The kinds of entries, in the order of `docs/ledger-format.md`, by what they are about; `*` stands for all that begin so.
pub(super) const KINDS: &[&str] = &[
    "request.*",
    "request.submitted",
    "request.decided",
    "request.expired",
    "request.cancelled",
    "authorization.*",
    "authorization.granted",
    "authorization.extended",
    "authorization.started",
    "authorization.ended",
    "execution.*",
    "execution.started",
    "execution.stop-requested",
    "execution.finished",
    "execution.refused",
    "access-control.*",
    "access-control.enabled",
    "access-control.disabled",
    "policy.*",
    "policy.created",
    "policy.changed",
    "policy.removed",
    "assignment.*",
    "assignment.added",
    "assignment.removed",
    "group.*",
    "group.created",
    "group.member-added",
    "group.member-removed",
    "group.deleted",
    "user.*",
    "user.added",
    "user.disabled",
    "user.enabled",
    "user.code-issued",
    "user.password-set",
    "session.*",
    "session.opened",
    "session.refused",
    "session.closed",
    "task.*",
    "task.defined",
    "task.removed",
    "role.*",
    "role.defined",
    "role.removed",
    "role-group.*",
    "role-group.defined",
    "role-group.removed",
    "ledger.*",
    "ledger.opened",
    "ledger.read",
    "ledger.heartbeat",
    "ledger.key-rotated",
    "ledger.recovered",
    "ledger.texts-erased",
    "ledger.archive-requested",
    "ledger.archived",
    "ledger.archive-cancelled",
    "server.*",
    "server.started",
    "server.stopped",
    "server.clock-stepped",
    "server.lost",
];

/// How what an entry tells of came out.
pub(super) const OUTCOMES: &[&str] = &[
    "approved",
    "denied",
    "expired",
    "cancelled",
    "granted",
    "ran-out",
    "given-back",
    "revoked",
    "used-up",
    "voided",
    "succeeded",
    "failed",
    "stopped",
    "unknown",
    "refused",
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::KINDS;

    #[test]
    fn every_kind_of_the_format_can_be_chosen() {
        let format = include_str!("../../../../../docs/ledger-format.md");
        let rows = format.lines().filter_map(|line| {
            let mut cells = line.strip_prefix("| ")?.split(" | ");
            cells.next()?.parse::<u32>().ok()?;
            cells.next()?.strip_prefix('`')?.strip_suffix('`')
        });
        let written: BTreeSet<_> = rows.filter(|kind| kind.contains('.')).collect();
        let offered: BTreeSet<_> = KINDS.iter().copied().filter(|kind| !kind.ends_with('*')).collect();
        assert!(written.len() > 40);
        assert_eq!(offered, written);
        let all = KINDS.iter().filter_map(|kind| kind.strip_suffix('*'));
        all.for_each(|start| assert!(written.iter().any(|kind| kind.starts_with(start)), "{start}"));
    }
}
