//! What a server that lies might have written, and signed for.

use brevet_core::{Actor, Digest, Entry, Event, Span, TaskId, Verdict};

use super::sample::{ALICE, ANNA, BOB_TOO};

pub(super) fn own_second_account(entry: &mut Entry) {
    if let Event::RequestDecided { by, .. } = &mut entry.event
        && *by == ANNA
    {
        *by = BOB_TOO;
        entry.actor = Actor::User(BOB_TOO);
    }
}

pub(super) fn twice(entry: &mut Entry) {
    if let Event::RequestDecided { by, .. } = &mut entry.event {
        *by = ALICE;
        entry.actor = Actor::User(ALICE);
    }
}

pub(super) fn for_somebody(entry: &mut Entry) {
    if let Event::RequestDecided { by, .. } = &mut entry.event {
        *by = ANNA;
    }
}

pub(super) fn more_time(entry: &mut Entry) {
    if let Event::AuthorizationGranted { duration, .. } = &mut entry.event {
        *duration = Span::hours(2);
    }
}

pub(super) fn to_somebody(entry: &mut Entry) {
    if let Event::AuthorizationGranted { holder, .. } = &mut entry.event {
        *holder = ANNA;
    }
}

pub(super) fn too_late(entry: &mut Entry) {
    if let Event::AuthorizationGranted { duration, .. } = &mut entry.event {
        *duration = Span::from_micros(1).unwrap();
    }
}

pub(super) fn by_somebody(entry: &mut Entry) {
    if let Event::ExecutionStarted { user, .. } = &mut entry.event {
        *user = ANNA;
    }
}

pub(super) fn something_else(entry: &mut Entry) {
    if let Event::ExecutionStarted { task, digest, .. } = &mut entry.event {
        *task = TaskId::new(2);
        *digest = Digest([2; 32]);
    }
}

pub(super) fn denied(entry: &mut Entry) {
    if let Event::RequestDecided { verdict, .. } = &mut entry.event {
        *verdict = Verdict::Deny;
    }
}

pub(super) fn without_end(entry: &mut Entry) {
    if let Event::AuthorizationExtended { end, .. } = &mut entry.event {
        *end = end.plus(Span::hours(24));
    }
}

pub(super) fn too_often(entry: &mut Entry) {
    if let Event::AuthorizationGranted { max_uses, .. } = &mut entry.event {
        *max_uses = Some(1);
    }
}
