//! When an authorization lets runs in and how many: starts, ends, claims, extensions, uses, durations.

mod world;

use brevet_core::{
    Approval, AuthorizationId, Command, ExecutionResult, MaximumDuration, NewRequest, PolicyTerms, Quorum,
    Requesters, Span, StartRule, Verdict,
};
use world::{HOUR, World, approve, extend, manual, micros, revoke, run};

fn office(terms: PolicyTerms) -> World {
    let mut world = World::office();
    world.policy("Reload", terms);
    world
}

/// An authorization of Rita's in this state; one run at most where it is to be used up.
fn authorization_in(state: &str) -> (World, AuthorizationId) {
    let start = if state == "unclaimed" { StartRule::AtFirstUse(HOUR) } else { StartRule::AtApproval };
    let mut world = office(PolicyTerms { start, ..manual() });
    let not_before = (state == "scheduled").then(|| world.now.plus(HOUR));
    let max_uses = (state == "used up").then_some(1);
    let held = world.granted("rita", NewRequest { not_before, max_uses, ..world.wants("Reload") });
    match state {
        "scheduled" | "unclaimed" | "active" => {}
        "ran out" => {
            world.later(HOUR);
            world.due();
        }
        "given back" => world.acts("rita", Command::GiveBack(held)),
        "revoked" => world.acts("bob", revoke(held)),
        "used up" => {
            let run = world.runs("rita", "Reload", "");
            world.finish(run, ExecutionResult::Succeeded);
        }
        "voided" => {
            world.acts("ada", Command::RemovePolicy { policy: brevet_core::PolicyId::new(1), seen: None });
        }
        other => panic!("{other}"),
    }
    let shown = if state == "unclaimed" { "scheduled" } else { state };
    assert_eq!(world.of_authorization(held), shown);
    (world, held)
}

#[test]
fn a_run_is_let_in_until_the_end_of_the_window_exactly() {
    let check = |state: &str, after: i64, code: &str| {
        let (mut world, _) = authorization_in(state);
        world.later(micros(after));
        assert_eq!(world.says("rita", run("Reload", "")), code, "{state} after {after}");
    };
    let hour = HOUR.micros();
    check("active", hour - 1, "ok");
    check("active", hour, "needs-approval");
    check("scheduled", hour - 1, "needs-approval");
    check("scheduled", hour, "ok");
    check("scheduled", 2 * hour - 1, "ok");
    check("scheduled", 2 * hour, "needs-approval");
    check("unclaimed", hour - 1, "ok");
    check("unclaimed", hour, "needs-approval");
}

#[test]
fn a_scheduled_start_is_the_one_that_was_approved_however_late_it_is_acted_on() {
    let (mut world, held) = authorization_in("scheduled");
    let start = world.now.plus(HOUR);
    world.later(Span::minutes(90));
    world.due();
    assert_eq!(world.window(held), (start, start.plus(HOUR)));
    let (mut world, held) = authorization_in("scheduled");
    world.later(Span::hours(2));
    world.due();
    assert_eq!(world.of_authorization(held), "ran out", "a server that was down over the whole window");
}

#[test]
fn the_first_run_within_the_claim_window_starts_the_clock() {
    let (mut world, held) = authorization_in("unclaimed");
    world.later(Span::minutes(59));
    world.runs("rita", "Reload", "");
    assert_eq!(world.window(held), (world.now, world.now.plus(HOUR)));
    let (mut world, held) = authorization_in("unclaimed");
    world.later(HOUR);
    world.due();
    assert_eq!(world.of_authorization(held), "ran out");
}

#[test]
fn an_extension_goes_on_where_the_authorization_ends_and_never_beyond_the_maximum_from_now() {
    let check = |maximum: MaximumDuration, more: Span, end: Span| {
        let mut world = office(PolicyTerms { maximum_duration: maximum, ..manual() });
        let begun = world.now;
        let held = world.granted("rita", world.wants("Reload"));
        world.later(Span::minutes(30));
        let request = world.asks("rita", extend(held, more));
        assert_eq!(world.window(held).1, begun.plus(HOUR), "asking changes nothing");
        world.does("bob", approve(request));
        assert_eq!(world.window(held), (begun, begun.plus(end)));
        assert_eq!(world.given(request), held);
    };
    let most = |span| MaximumDuration::Limited(span);
    check(most(Span::hours(24)), HOUR, Span::hours(2));
    check(most(HOUR), HOUR, Span::minutes(90));
    check(MaximumDuration::Unlimited, Span::hours(100), Span::hours(101));
}

#[test]
fn an_extension_is_decided_like_any_request_and_lapses_with_its_authorization() {
    let ends: [fn(&mut World, AuthorizationId); 4] = [
        |world, held| world.acts("rita", Command::GiveBack(held)),
        |world, held| world.acts("bob", revoke(held)),
        |world, _| world.disable("rita"),
        |world, _| {
            world.later(HOUR);
            world.due();
        },
    ];
    for end in ends {
        let (mut world, held) = authorization_in("active");
        let request = world.asks("rita", extend(held, HOUR));
        assert_eq!(world.says("rita-admin", approve(request)), "self-approval");
        end(&mut world, held);
        assert_eq!(world.of_request(request), "cancelled");
    }
    let (mut world, held) = authorization_in("active");
    let request = world.asks("rita", extend(held, HOUR));
    world.later(HOUR);
    assert_eq!(world.says("bob", approve(request)), "ended", "it ran out, and nobody acted on it yet");
    let more_runs = NewRequest { max_uses: Some(3), ..extend(held, HOUR) };
    let (mut world, _) = authorization_in("active");
    assert_eq!(world.says("rita", Command::Submit(more_runs)), "invalid");
}

#[test]
fn a_last_run_used_up_lapses_a_request_for_more_time_too() {
    let mut world = office(PolicyTerms { max_uses: Some(1), ..manual() });
    let held = world.granted("rita", world.wants("Reload"));
    let request = world.asks("rita", extend(held, HOUR));
    let run = world.runs("rita", "Reload", "");
    world.finish(run, ExecutionResult::Succeeded);
    assert_eq!((world.of_authorization(held), world.of_request(request)), ("used up", "cancelled"));
}

#[test]
fn uses_are_counted_at_the_start_and_a_failed_start_gives_one_back() {
    let mut world = office(PolicyTerms { max_uses: Some(2), ..manual() });
    let held = world.granted("rita", world.wants("Reload"));
    let not_started = || ExecutionResult::NotStarted { why: "no such program".into() };
    let (first, second) = (world.runs("rita", "Reload", ""), world.runs("rita", "Reload", ""));
    assert_eq!(world.says("rita", run("Reload", "")), "needs-approval", "two are running");
    world.finish(first, not_started());
    let third = world.runs("rita", "Reload", "");
    world.finish(second, ExecutionResult::Failed { code: 1 });
    assert_eq!((world.of_authorization(held), world.held(held).uses), ("active", 2), "the last one runs");
    world.finish(third, ExecutionResult::Succeeded);
    assert_eq!(world.of_authorization(held), "used up");
    world.due();
    assert_eq!(world.of_authorization(held), "used up");
}

#[test]
fn the_policy_bounds_the_uses_when_it_is_asked_and_when_it_is_approved() {
    let check = |policy: Option<u32>, asked: Option<u32>, then: Option<u32>, given: Option<u32>| {
        let mut world = World::office();
        let id = world.policy("Reload", PolicyTerms { max_uses: policy, ..manual() });
        let request = world.asks("rita", NewRequest { max_uses: asked, ..world.wants("Reload") });
        if then != policy {
            world.set_policy(id, PolicyTerms { max_uses: then, ..manual() });
        }
        world.does("bob", approve(request));
        assert_eq!(world.held(world.given(request)).max_uses, given);
    };
    check(None, None, None, None);
    check(None, Some(3), None, Some(3));
    check(Some(3), None, Some(3), Some(3));
    check(Some(3), Some(2), Some(3), Some(2));
    check(None, None, Some(2), Some(2));
    check(Some(3), Some(3), Some(1), Some(1));
    check(Some(3), None, None, Some(3));
    let mut world = office(PolicyTerms { max_uses: Some(3), ..manual() });
    for (asked, code) in [(0, "invalid"), (3, "ok"), (4, "invalid")] {
        let new = NewRequest { max_uses: Some(asked), ..world.wants("Reload") };
        assert_eq!(world.says("rita", Command::Submit(new)), code, "{asked}");
    }
}

#[test]
fn a_duration_is_the_default_the_one_asked_for_or_the_shortest_that_an_approver_gave() {
    let check = |maximum: MaximumDuration, asked: Option<Span>, approved: [Option<Span>; 2], lasts: Span| {
        let mut world = World::office();
        let quorum = Approval::Manual(Quorum { total: 2, groups: vec![] });
        let terms = PolicyTerms { maximum_duration: maximum, ..PolicyTerms::new(quorum, Requesters::Anyone) };
        world.policy("Reload", terms);
        let request = world.asks("rita", NewRequest { duration: asked, ..world.wants("Reload") });
        for (who, duration) in ["anna", "bob"].into_iter().zip(approved) {
            let comment = brevet_core::Text::default();
            world.does(who, Command::Decide { request, verdict: Verdict::Approve, duration, comment });
        }
        let (start, end) = world.window(world.given(request));
        assert_eq!(start.until(end), Some(lasts));
    };
    let day = MaximumDuration::Limited(Span::hours(24));
    check(day, None, [None, None], Span::hours(4));
    check(MaximumDuration::Limited(HOUR), None, [None, None], HOUR);
    check(MaximumDuration::Unlimited, None, [None, None], Span::hours(4));
    check(day, Some(Span::hours(24)), [None, None], Span::hours(24));
    check(day, Some(Span::hours(8)), [Some(HOUR), Some(Span::hours(2))], HOUR);
    check(day, Some(Span::hours(8)), [None, Some(Span::hours(8))], Span::hours(8));
}

#[test]
fn durations_and_starts_have_limits_on_both_sides() {
    let check = |change: fn(NewRequest, &World) -> NewRequest, code: &str| {
        let mut world = office(manual());
        let new = change(world.wants("Reload"), &world);
        assert_eq!(world.says("rita", Command::Submit(new)), code);
    };
    check(|new, _| NewRequest { duration: Some(Span::hours(24)), ..new }, "ok");
    check(|new, _| NewRequest { duration: Some(micros(Span::hours(24).micros() + 1)), ..new }, "too-long");
    check(|new, world| NewRequest { not_before: Some(world.now), ..new }, "invalid");
    check(|new, world| NewRequest { not_before: Some(world.now.plus(micros(1))), ..new }, "ok");
    check(|new, world| NewRequest { not_before: Some(world.now.plus(Span::hours(24 * 366))), ..new }, "ok");
    check(
        |new, world| NewRequest {
            not_before: Some(world.now.plus(micros(Span::hours(24 * 366).micros() + 1))),
            ..new
        },
        "invalid",
    );
    assert!(Span::from_micros(0).is_err() && Span::from_micros(-1).is_err(), "never 'no end'");
    assert!(Span::from_micros(brevet_core::DURATION_MAX.micros() + 1).is_err());
    let mut world = office(PolicyTerms { start: StartRule::AtFirstUse(HOUR), ..manual() });
    let new = NewRequest { not_before: Some(world.now.plus(HOUR)), ..world.wants("Reload") };
    assert_eq!(world.says("rita", Command::Submit(new)), "invalid", "two clocks");
}

#[test]
fn nobody_decides_on_more_time_for_what_ran_out_though_nobody_acted_on_it() {
    let quorum = Approval::Manual(Quorum { total: 2, groups: vec![] });
    for (after, code) in [(HOUR.micros() - 1, "ok"), (HOUR.micros(), "ended")] {
        for (who, act) in [("bob", approve as fn(_) -> _), ("bob", world::deny), ("rita", Command::Cancel)] {
            let mut world = office(manual());
            let held = world.granted("rita", world.wants("Reload"));
            let terms = PolicyTerms::new(quorum.clone(), Requesters::Anyone);
            world.set_policy(brevet_core::PolicyId::new(1), terms);
            let request = world.asks("rita", extend(held, HOUR));
            world.later(micros(after));
            assert_eq!(world.says(who, act(request)), code, "{who} after {after}");
        }
    }
}
