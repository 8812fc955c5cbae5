//! Every command on every state of requests, authorizations and executions; deadlines, on both
//! sides of their instants, acted on or not.

mod world;

use brevet_core::{
    AuthorizationId, Command, ExecutionId, ExecutionResult, NewRequest, Origin, PolicyTerms, Reply,
    RequestId, ServerId, Span, StartRule, State, StopCause, may_run,
};
use world::{HOUR, World, approve, deny, extend, manual, micros, revoke, run, task};

fn office(terms: PolicyTerms) -> World {
    let mut world = World::office();
    world.policy("Reload", terms);
    world
}

/// A request of Rita's in this state.
fn request_in(state: &str) -> (World, RequestId) {
    let mut world = office(manual());
    let request = world.asks("rita", world.wants("Reload"));
    match state {
        "pending" => {}
        "approved" => world.acts("bob", approve(request)),
        "denied" => world.acts("bob", deny(request)),
        "expired" => {
            world.later(Span::hours(24));
            world.due();
        }
        "cancelled" => world.acts("rita", Command::Cancel(request)),
        other => panic!("{other}"),
    }
    assert_eq!(world.of_request(request), state);
    (world, request)
}

#[test]
fn a_pending_request_takes_a_decision_and_an_ended_one_takes_nothing_ever_again() {
    type Act = (&'static str, fn(RequestId) -> Command, &'static str);
    let acts: [Act; 3] =
        [("bob", approve, "approved"), ("bob", deny, "denied"), ("rita", Command::Cancel, "cancelled")];
    for (who, act, becomes) in acts {
        let (mut world, request) = request_in("pending");
        assert_eq!(world.says(who, act(request)), "ok");
        assert_eq!(world.of_request(request), becomes);
        for terminal in ["approved", "denied", "expired", "cancelled"] {
            let (mut world, request) = request_in(terminal);
            let before = world.row(request).clone();
            assert_eq!(world.says(who, act(request)), "ended", "{becomes} after {terminal}");
            world.later(Span::hours(1_000));
            world.due();
            assert_eq!(*world.row(request), before, "{terminal} is terminal");
        }
    }
}

#[test]
fn what_never_was_is_not_found_and_what_was_has_ended() {
    let (mut world, request) = request_in("denied");
    let next = RequestId::new(request.number() + 1);
    for (id, code) in [(RequestId::new(0), "not-found"), (request, "ended"), (next, "not-found")] {
        assert_eq!(world.says("bob", approve(id)), code, "{id}");
        assert_eq!(world.says("rita", Command::Cancel(id)), code, "{id}");
    }
    assert_eq!(world.says("rita", Command::GiveBack(AuthorizationId::new(1))), "not-found");
    let stop = Command::StopRun { execution: ExecutionId::new(1), cause: StopCause::Shutdown };
    assert_eq!(world.says("ada", stop), "not-found");
}

#[test]
fn at_its_deadline_a_request_can_expire_and_no_longer_be_decided() {
    let check = |after: Span, acted: bool, code: &str| {
        for act in [approve, deny, Command::Cancel] {
            let (mut world, request) = request_in("pending");
            world.later(after);
            if acted {
                world.due();
            }
            let who = if matches!(act(request), Command::Cancel(_)) { "rita" } else { "bob" };
            assert_eq!(world.says(who, act(request)), code, "{after} acted {acted}");
        }
    };
    let deadline = Span::hours(24);
    for acted in [false, true] {
        check(micros(deadline.micros() - 1), acted, "ok");
        check(deadline, acted, "ended");
        check(micros(deadline.micros() + 1), acted, "ended");
    }
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
fn every_command_on_every_state_of_an_authorization() {
    type Act = fn(AuthorizationId) -> (&'static str, Command);
    let give_back: Act = |id| ("rita", Command::GiveBack(id));
    let take_away: Act = |id| ("bob", revoke(id));
    let extension: Act = |id| ("rita", Command::Submit(extend(id, HOUR)));
    let start: Act = |_| ("rita", run("Reload", ""));
    let check = |state: &str, act: Act, code: &str, becomes: &str| {
        let (mut world, held) = authorization_in(state);
        let (who, command) = act(held);
        assert_eq!(world.says(who, command), code, "{state}");
        assert_eq!(world.of_authorization(held), becomes, "{state}, {code}");
    };
    for state in ["scheduled", "unclaimed", "active"] {
        check(state, give_back, "ok", "given back");
        check(state, take_away, "ok", "revoked");
    }
    check("scheduled", extension, "invalid", "scheduled");
    check("unclaimed", extension, "invalid", "scheduled");
    check("active", extension, "ok", "active");
    check("scheduled", start, "needs-approval", "scheduled");
    check("unclaimed", start, "ok", "active");
    check("active", start, "ok", "active");
    for terminal in ["ran out", "given back", "revoked", "used up", "voided"] {
        check(terminal, give_back, "ended", terminal);
        check(terminal, take_away, "ended", terminal);
        check(terminal, extension, "ended", terminal);
        check(terminal, start, if terminal == "voided" { "uncovered" } else { "needs-approval" }, terminal);
    }
}

#[test]
fn expiry_beats_every_other_end_at_its_instant_acted_on_or_not() {
    type Act = fn(&mut World, AuthorizationId);
    let ends: [(&str, Act); 4] =
        [
            ("given back", |world, held| drop(world.tries("rita", Command::GiveBack(held)))),
            ("revoked", |world, held| drop(world.tries("bob", revoke(held)))),
            ("voided", |world, _| world.disable("rita")),
            ("voided", |world, _| {
                drop(world.tries(
                    "ada",
                    Command::RemovePolicy { policy: brevet_core::PolicyId::new(1), seen: None },
                ));
            }),
        ];
    for (name, act) in ends {
        for (after, becomes) in [(HOUR.micros() - 1, name), (HOUR.micros(), "ran out")] {
            let (mut world, held) = authorization_in("active");
            world.later(micros(after));
            act(&mut world, held);
            world.due();
            assert_eq!(world.of_authorization(held), becomes, "{name} after {after}");
        }
    }
}

#[test]
fn a_request_that_waited_too_long_expired_even_where_it_could_not_stand() {
    for (after, becomes) in [(-1, "cancelled"), (0, "expired")] {
        let (mut world, request) = request_in("pending");
        world.later(micros(Span::hours(24).micros() + after));
        world.disable("rita");
        assert_eq!(world.of_request(request), becomes);
    }
}

#[test]
fn a_clock_that_went_back_revives_nothing() {
    let (mut world, held) = authorization_in("active");
    world.later(HOUR);
    world.brevet(Command::StartServer(brevet_core::ServerStart {
        version: "1".into(),
        ..brevet_core::ServerStart::default()
    }));
    world.now = world::T0;
    let secrets = brevet_core::Secrets::new();
    let (rita, reload) = (world.user("rita"), world::task("Reload"));
    assert!(may_run(&world.state, world.now, rita, &reload, &world::values(""), &secrets).is_err());
    assert_eq!(world.says("rita", run("Reload", "")), "needs-approval");
    assert_eq!(world.says("rita", Command::GiveBack(held)), "ended");
    world.asks("rita", world.wants("Reload"));
    assert!(world.entries.is_sorted_by_key(|entry| entry.time));
}

#[test]
fn a_run_is_stopped_once_finishes_once_and_is_never_run_again() {
    let results = [
        ExecutionResult::Succeeded,
        ExecutionResult::Failed { code: 2 },
        ExecutionResult::Killed { signal: 9 },
        ExecutionResult::NotStarted { why: "no".into() },
        ExecutionResult::Stopped(StopCause::TimedOut),
        ExecutionResult::Unknown,
    ];
    for result in results {
        let (mut world, _) = authorization_in("active");
        let execution = world.runs("rita", "Reload", "");
        let stop = || Command::StopRun { execution, cause: StopCause::Shutdown };
        let finish = || Command::FinishRun { execution, result: result.clone(), output: None };
        assert_eq!(world.says("rita", stop()), "ok");
        assert_eq!(world.says("rita", stop()), "no-change", "it is being stopped");
        world.brevet(finish());
        let before = world.run_row(execution).clone();
        assert_eq!(world.says("rita", stop()), "ended");
        assert_eq!(world.try_from(Origin::SYSTEM, finish()).unwrap_err().code(), "ended");
        world.brevet(Command::StartServer(brevet_core::ServerStart {
            version: "2".into(),
            ..brevet_core::ServerStart::default()
        }));
        assert_eq!(*world.run_row(execution), before);
    }
}

#[test]
fn what_ran_when_the_server_went_down_has_an_unknown_end() {
    let (mut world, held) = authorization_in("active");
    let run = world.runs("rita", "Reload", "");
    world.brevet(Command::StartServer(brevet_core::ServerStart {
        version: "2".into(),
        ..brevet_core::ServerStart::default()
    }));
    assert!(matches!(
        world.run_row(run).state,
        brevet_core::ExecutionState::Finished { result: ExecutionResult::Unknown, .. }
    ));
    assert_eq!(world.of_authorization(held), "active");
}

#[test]
fn the_end_of_an_authorization_ends_its_runs_unless_the_task_may_finish() {
    let check = |name: &str, end: fn(&mut World, AuthorizationId), becomes: &str| {
        let mut world = office(manual());
        world.policy("Backup", manual());
        let held = world.granted("rita", world.wants(name));
        let run = world.runs("rita", name, "");
        end(&mut world, held);
        assert_eq!(world.of_run(run), becomes, "{} {}", task(name), world.of_authorization(held));
    };
    let ran_out = |world: &mut World, _| {
        world.later(HOUR);
        world.due();
    };
    check("Reload", ran_out, "stopping: expired");
    check("Backup", ran_out, "running");
    for name in ["Reload", "Backup"] {
        check(name, |world, held| world.acts("bob", revoke(held)), "stopping: revoked");
        check(name, |world, held| world.acts("rita", Command::GiveBack(held)), "stopping: revoked");
        check(name, |world, _| world.disable("rita"), "stopping: revoked");
    }
    let outlived = |world: &mut World, _| {
        world.later(HOUR);
        world.due();
        world.disable("rita");
    };
    check("Backup", outlived, "stopping: revoked");
}

/// One of several servers starts; answers its id.
fn joins(world: &mut World) -> ServerId {
    world.brevet(Command::StartServer(brevet_core::ServerStart {
        version: "2".into(),
        shared: true,
        ..brevet_core::ServerStart::default()
    }));
    world.state.servers().last().map(|server| server.id).unwrap_or_else(|| panic!("it is not there"))
}

/// Rita runs something through a server.
fn runs_on(world: &mut World, server: ServerId) -> ExecutionId {
    let origin = Origin { server: Some(server), ..world.origin("rita") };
    let Ok(Reply::Execution(id)) = world.try_from(origin, run("Reload", "")) else { panic!() };
    id
}

#[test]
fn of_several_servers_each_answers_for_what_it_runs() {
    let (mut world, _) = authorization_in("active");
    let from_before = world.runs("rita", "Reload", "");
    let first = joins(&mut world);
    assert_eq!(world.of_run(from_before), "finished", "nobody answers for it");
    let on_first = runs_on(&mut world, first);
    let second = joins(&mut world);
    let on_second = runs_on(&mut world, second);
    assert_eq!((first.number(), second.number()), (1, 2));
    assert_eq!(world.run_row(on_first).server, Some(first));
    assert_eq!(world.of_run(on_first), "running", "the first is there");
    world.brevet(Command::LoseServer(first));
    assert_eq!((world.of_run(on_first), world.of_run(on_second)), ("finished", "running"));
    let again = world.try_from(Origin::SYSTEM, Command::LoseServer(first)).unwrap_err();
    assert_eq!(again.code(), "not-found", "it is lost once");
    let origin = Origin { server: Some(second), ..Origin::SYSTEM };
    world.try_from(origin, Command::StopServer).unwrap();
    assert_eq!(world.of_run(on_second), "finished");
    assert_eq!(world.state.servers().count(), 0);
    assert_eq!(joins(&mut world).number(), 3, "no number is given twice");
}

#[test]
fn a_server_that_is_alone_gives_up_those_that_were_there() {
    let (mut world, _) = authorization_in("active");
    let server = joins(&mut world);
    let left = runs_on(&mut world, server);
    let restored = State::from_live(world.state.live());
    assert_eq!(restored, world.state);
    world.brevet(Command::StartServer(brevet_core::ServerStart::default()));
    assert_eq!((world.of_run(left), world.state.servers().count()), ("finished", 0));
}
