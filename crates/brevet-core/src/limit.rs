//! Every limit of the domain, by name, with its unit last.

use crate::time::Span;

/// How long a pending request waits for its decisions, unless its policy says otherwise.
pub const PENDING_LIFETIME_DEFAULT: Span = Span::hours(24);
/// How long an authorization lasts when the request names no duration.
pub const DURATION_DEFAULT: Span = Span::hours(4);
/// The longest duration a policy allows, unless it says otherwise.
pub const DURATION_MAXIMUM_DEFAULT: Span = Span::hours(24);
/// The longest duration that anything may have, even where a policy says `unlimited`.
pub const DURATION_MAX: Span = Span::hours(24 * 366 * 10);
/// How far ahead an authorization may be scheduled.
pub const SCHEDULE_AHEAD_MAX: Span = Span::hours(24 * 366);

/// A reason or a comment, in bytes of UTF-8.
pub const REASON_BYTES_MAX: usize = 2_000;
/// A description of a group, task, role or parameter, in bytes.
pub const DESCRIPTION_BYTES_MAX: usize = 1_000;
/// The name by which a person is shown, in bytes.
pub const DISPLAY_NAME_BYTES_MAX: usize = 200;
/// An e-mail address, in bytes (RFC 5321, section 4.5.3.1.3, without the angle brackets).
pub const EMAIL_BYTES_MAX: usize = 254;
/// A user name, in bytes.
pub const USER_NAME_BYTES_MAX: usize = 64;
/// A group name, in bytes.
pub const GROUP_NAME_BYTES_MAX: usize = 64;
/// Each half of `Scope\Name`, in bytes.
pub const TASK_NAME_BYTES_MAX: usize = 64;
/// A parameter's name, in bytes.
pub const PARAMETER_NAME_BYTES_MAX: usize = 64;

/// Parameters of one task.
pub const PARAMETERS_MAX: usize = 32;
/// One text value, in bytes, unless the definition sets less.
pub const VALUE_BYTES_MAX: usize = 4_096;
/// The values of one list.
pub const LIST_VALUES_MAX: usize = 100;
/// All values of one request or run, in bytes.
pub const VALUES_BYTES_MAX: usize = 16_384;
/// A pattern's source, in bytes.
pub const PATTERN_BYTES_MAX: usize = 512;
/// A compiled pattern, in bytes.
pub const PATTERN_COMPILED_BYTES_MAX: usize = 1 << 20;

/// The definition of one task as it stands in the ledger, in bytes; with its envelope it must fit into an entry.
pub const DEFINITION_BYTES_MAX: usize = 60_000;

/// Members of one group.
pub const GROUP_MEMBERS_MAX: usize = 10_000;
/// Approver groups of one policy.
pub const APPROVER_GROUPS_MAX: usize = 8;
/// Approvals that one policy may need.
pub const APPROVALS_NEEDED_MAX: u32 = 20;
/// System accounts of the organization.
pub const SYSTEM_ACCOUNTS_MAX: usize = 100;
/// People and groups named as requesters of one policy.
pub const REQUESTERS_MAX: usize = 1_000;
/// Requests that one person may have pending at once.
pub const PENDING_PER_USER_MAX: usize = 100;
/// Authorizations that one person may hold at once; only an Auto policy could give so many.
pub const AUTHORIZATIONS_PER_USER_MAX: usize = 1_000;
/// Runs of one person at once.
pub const RUNS_PER_USER_MAX: usize = 100;
/// Runs at once; each has a few open files of the server, and one of the spawner, who has 1,024 at most.
pub const RUNS_MAX: usize = 500;
/// Accounts in a chain of owners.
pub const OWNER_CHAIN_MAX: usize = 8;

/// Failed sign-ins of one account before it is locked.
pub const SIGN_IN_FAILURES_MAX: u32 = 10;
/// How long an account stays locked after that.
pub const SIGN_IN_LOCK: Span = Span::minutes(30);
/// Things that one pass over what is due acts on, so that a pass stays short.
pub const DUE_PER_PASS_MAX: usize = 512;
/// How long entries stay in the database, unless set.
pub const ARCHIVE_RETENTION_DEFAULT: Span = Span::hours(24 * 400);
/// How long entries stay in the database at least, whatever is configured.
pub const ARCHIVE_RETENTION_MIN: Span = Span::hours(24 * 90);
/// Entries are archived by so many, as they are published: a file of entries (C2SP tlog-tiles) is there as a whole, or gone.
pub const ARCHIVE_MULTIPLE: u64 = 256;
/// Pairs of an account and a task that a preview of a policy looks at, before and after; with more of them nobody is
/// counted.
pub const PREVIEW_PAIRS_MAX: usize = 500_000;
