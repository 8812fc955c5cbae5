//! Every limit of this face, by name, with its unit last. The limits of the domain are the core's.

use std::time::Duration;

/// A body, in bytes.
pub(super) const BODY_BYTES_MAX: usize = 1 << 20;
/// How long a body may take to arrive.
pub(super) const BODY_READ_MAX: Duration = Duration::from_secs(10);
/// The head of a request (method, path and headers), in bytes.
pub(super) const HEAD_BYTES_MAX: usize = 32 << 10;
/// Headers of one request.
pub(super) const HEADERS_MAX: usize = 64;
/// How long the head may take to arrive; also how long a connection may be idle between two requests.
pub(super) const HEAD_READ_MAX: Duration = Duration::from_secs(10);
/// Path and query, in bytes.
pub(super) const TARGET_BYTES_MAX: usize = 8 << 10;
/// Connections at once; one more is closed at once.
pub(super) const CONNECTIONS_MAX: usize = 4_096;
/// Connections of one address that is not this machine, or of one IPv6 network (/64), unless the settings say another number.
pub(super) const CONNECTIONS_OF_ADDRESS_MAX: usize = CONNECTIONS_MAX / 4;
/// How long what is written to a connection may get nowhere, because nobody reads it; then it is closed.
pub(super) const WRITE_STALLED_MAX: Duration = STREAM_STALLED_MAX;

/// What a page holds when the caller names no number.
pub(super) const PAGE_ITEMS_DEFAULT: usize = 50;
/// What a page holds at most.
pub(super) const PAGE_ITEMS_MAX: usize = 200;
/// Members of a group that are named where groups are listed; its own page has all of them.
pub(super) const MEMBERS_LISTED_MAX: usize = 10;
/// Rows that one page looks at, where it shows only some of them.
pub(super) const SCAN_ROWS_MAX: usize = 2_000;
/// Entries of one request's story that are looked at: how it was submitted, and its decisions, which come
/// before anything that is run.
pub(super) const STORY_ENTRIES_MAX: usize = brevet_core::APPROVALS_NEEDED_MAX as usize + 2;

/// Requests that wait for somebody, as far as they are counted.
pub(super) const WAITING_COUNTED_MAX: usize = 100;
/// Pending requests that are looked at to count them.
pub(super) const WAITING_LOOKED_AT_MAX: usize = 10_000;

/// How long an answer is held back for somebody who waits.
pub(super) const WAIT_SECONDS_MAX: u64 = 60;
/// Calls of one session that wait for the ledger to go on; one more is answered 429. A browser has six connections to a server
/// in all, and those that are left must do for everything else.
pub(super) const WAITS_OF_SESSION_MAX: usize = 4;
/// Calls of one account, in all its sessions, that wait, follow what a run writes, or export; one more is answered 429.
pub(super) const WAITS_OF_USER_MAX: usize = 16;
/// Runs that one account follows from their start; one more is answered 429, and not started. As many as it may have.
pub(super) const RUNS_FOLLOWED_OF_USER_MAX: usize = brevet_core::RUNS_PER_USER_MAX;
/// All of these of all accounts together; one more is answered 429. The other half of the connections is for everything else.
pub(super) const WAITS_MAX: usize = CONNECTIONS_MAX / 2;
/// How often a stream says that it is still there, and looks whether its reader may still read it.
pub(super) const STREAM_PULSE: Duration = Duration::from_secs(5);
/// How long a stream waits for a reader that does not read.
pub(super) const STREAM_STALLED_MAX: Duration = Duration::from_secs(60);
/// How long a stream waits for the end of a run to be on record.
pub(super) const FINISH_ON_RECORD_MAX: Duration = Duration::from_secs(30);
