//! Who says yes: quorums of distinct people, nobody for themselves, and what follows from changes.

mod world;

use brevet_core::{
    Approval, Command, Ending, Event, NewPolicy, Origin, PolicyTerms, Principal, Requesters, Uncovered,
    Verdict,
};
use world::{HOUR, World, approve, definitions, deny, manual, revoke, run};

fn of_groups(world: &World, total: u32, groups: &[(&str, u32)]) -> PolicyTerms {
    PolicyTerms::new(Approval::Manual(world.quorum(total, groups)), Requesters::Anyone)
}

/// The office with one more Security person, Stan, and Anna's second account among the approvers.
fn office() -> World {
    let mut world = World::office();
    world.add("stan", None);
    world.join("Security", "stan");
    world.add("anna-admin", Some("anna"));
    world.join("Approvers", "anna-admin");
    world
}

#[test]
fn a_total_and_minimums_of_distinct_people() {
    let check = |total: u32, groups: &[(&str, u32)], votes: &[(&str, &str)], becomes: &str| {
        let mut world = office();
        let terms = of_groups(&world, total, groups);
        world.policy("Reload", terms);
        let request = world.asks("rita", world.wants("Reload"));
        for (who, code) in votes {
            assert_eq!(world.says(who, approve(request)), *code, "{who} of {votes:?}");
        }
        assert_eq!(world.of_request(request), becomes, "{total} {groups:?} {votes:?}");
    };
    let (default, approvers): (&[_], &[_]) = (&[], &[("Approvers", 0)]);
    check(1, default, &[("bob", "ok")], "approved");
    check(1, default, &[("sven", "not-an-approver")], "pending");
    check(1, approvers, &[("bob", "ok"), ("anna", "ended")], "approved");
    check(2, default, &[("bob", "ok")], "pending");
    check(2, default, &[("bob", "ok"), ("bob", "already-voted")], "pending");
    check(2, default, &[("bob", "ok"), ("anna", "ok")], "approved");
    check(2, default, &[("anna", "ok"), ("anna-admin", "already-voted")], "pending");
    let both: &[_] = &[("Approvers", 1), ("Security", 1)];
    check(2, both, &[("anna", "ok")], "pending");
    check(2, both, &[("bob", "ok"), ("sven", "ok")], "approved");
    check(2, both, &[("anna", "ok"), ("bob", "ok")], "approved");
    check(2, both, &[("anna", "ok"), ("sven", "ok")], "approved");
    check(2, both, &[("sven", "ok"), ("stan", "ok")], "pending");
    check(2, both, &[("sven", "ok"), ("stan", "ok"), ("bob", "ok")], "approved");
    check(3, both, &[("sven", "ok"), ("bob", "ok")], "pending");
    let two_of_security: &[_] = &[("Approvers", 0), ("Security", 2)];
    check(2, two_of_security, &[("bob", "ok"), ("sven", "ok")], "pending");
    check(2, two_of_security, &[("bob", "ok"), ("sven", "ok"), ("anna", "ok")], "approved");
}

#[test]
fn one_denial_ends_a_request_whoever_said_yes_before() {
    let mut world = office();
    let terms = of_groups(&world, 2, &[]);
    world.policy("Reload", terms);
    let request = world.asks("rita", world.wants("Reload"));
    world.does("bob", approve(request));
    world.does("bob", deny(request));
    assert_eq!(world.of_request(request), "denied");
}

#[test]
fn a_quorum_that_makes_no_sense_is_refused() {
    let check = |total: u32, groups: &[(&str, u32)], code: &str| {
        let mut world = office();
        let terms = of_groups(&world, total, groups);
        let new = NewPolicy { access: world.access("Reload"), terms };
        assert_eq!(world.says("ada", Command::CreatePolicy(new)), code, "{total} {groups:?}");
    };
    check(0, &[], "invalid");
    check(1, &[], "ok");
    check(20, &[], "ok");
    check(21, &[], "invalid");
    check(1, &[("Approvers", 1)], "ok");
    check(1, &[("Approvers", 1), ("Security", 1)], "invalid");
    check(2, &[("Approvers", 1), ("Approvers", 1)], "invalid");
    check(1, &[("Approvers", u32::MAX), ("Security", u32::MAX)], "invalid");
}

#[test]
fn nobody_decides_for_themselves_by_any_account() {
    let all = ["rita", "rita-admin", "rita-bot"];
    for asks in all {
        for votes in all {
            let mut world = office();
            all.iter().for_each(|account| world.join("Approvers", account));
            world.policy("Reload", manual());
            let request = world.asks(asks, world.wants("Reload"));
            assert_eq!(world.says(votes, approve(request)), "self-approval", "{votes} for {asks}");
            assert_eq!(world.says(votes, deny(request)), "self-approval");
            assert_eq!(world.says("bob", approve(request)), "ok");
        }
    }
}

#[test]
fn accounts_of_one_owner_are_one_person_and_chains_have_a_limit() {
    let mut world = office();
    let mut owner = String::from("rita");
    for link in 1..brevet_core::OWNER_CHAIN_MAX {
        let name = format!("link-{link}");
        world.add(&name, Some(&owner));
        owner = name;
    }
    let last = Some(world.user(&owner));
    let code = world.says("ada", Command::AddUser(world::new_user("one-too-many", last)));
    assert_eq!(code, "too-many");
    assert_eq!(world.state.person(world.user(&owner)), world.user("rita"));
    world.join("Approvers", &owner);
    world.policy("Reload", manual());
    let request = world.asks("rita", world.wants("Reload"));
    assert_eq!(world.says(&owner, approve(request)), "self-approval");
    let request = world.asks(&owner, world.wants("Reload"));
    world.join("Approvers", "rita");
    assert_eq!(world.says("rita", approve(request)), "self-approval");
}

#[test]
fn only_those_who_are_approvers_now_count() {
    type Change = fn(&mut World);
    let check = |what: &str, meanwhile: Change, becomes: &str| {
        let mut world = office();
        world.join("Approvers", "stan");
        let terms = of_groups(&world, 2, &[]);
        world.policy("Reload", terms);
        let request = world.asks("rita", world.wants("Reload"));
        world.does("bob", approve(request));
        meanwhile(&mut world);
        world.does("stan", approve(request));
        assert_eq!(world.of_request(request), becomes, "{what}");
    };
    check("nothing", |_| {}, "approved");
    check("left", |world| world.leave("Approvers", "bob"), "pending");
    check("disabled", |world| world.disable("bob"), "pending");
    check(
        "left and came back",
        |world| {
            world.leave("Approvers", "bob");
            world.join("Approvers", "bob");
        },
        "approved",
    );
    check("a second approver is another person", |world| world.leave("Approvers", "anna"), "approved");
}

#[test]
fn a_request_that_nobody_could_approve_is_refused_at_once() {
    type Change = fn(&mut World);
    let check = |total: u32, groups: &[(&str, u32)], change: Change, code: &str| {
        let mut world = office();
        change(&mut world);
        let terms = of_groups(&world, total, groups);
        world.policy("Reload", terms);
        let code_now = world.says("rita", Command::Submit(world.wants("Reload")));
        assert_eq!(code_now, code, "{total} {groups:?}");
    };
    let nobody = "nobody-can-approve";
    check(2, &[], |_| {}, "ok");
    check(3, &[], |_| {}, nobody);
    check(2, &[], |world| world.disable("bob"), nobody);
    check(
        1,
        &[("Security", 1)],
        |world| ["anna", "sven", "stan"].iter().for_each(|who| world.disable(who)),
        nobody,
    );
    check(
        1,
        &[("Approvers", 1)],
        |world| ["anna", "anna-admin", "bob"].iter().for_each(|who| world.leave("Approvers", who)),
        nobody,
    );
    check(2, &[("Approvers", 2)], |world| world.leave("Approvers", "anna"), "ok");
    check(
        2,
        &[("Approvers", 2)],
        |world| {
            world.leave("Approvers", "bob");
            world.join("Approvers", "rita-bot");
        },
        nobody,
    );
}

#[test]
fn a_default_group_that_is_not_set_is_nobody() {
    let mut world = World::empty();
    world.add("rita", None);
    world.brevet(Command::DefineCatalog(definitions(1)));
    world.policy("Reload", manual());
    assert_eq!(world.says("rita", Command::Submit(world.wants("Reload"))), "nobody-can-approve");
}

#[test]
fn the_default_group_of_this_moment_decides() {
    let mut world = office();
    world.policy("Reload", manual());
    let request = world.asks("rita", world.wants("Reload"));
    let settings = brevet_core::AccessControlChange {
        default_approver_group: world.group_id("Security"),
        system_accounts: std::collections::BTreeSet::new(),
        uncovered: Uncovered::Refused,
    };
    world.does("ada", Command::EnableAccessControl(settings));
    assert_eq!(world.says("bob", approve(request)), "not-an-approver");
    assert_eq!(world.says("sven", approve(request)), "ok");
    assert_eq!(world.of_request(request), "approved");
}

#[test]
fn an_auto_policy_names_who_may_ask_and_gives_at_once() {
    let mut world = office();
    let auto = |requesters| PolicyTerms::new(Approval::Auto, requesters);
    let access = world.access("Reload");
    for requesters in [Requesters::Anyone, Requesters::Named(vec![])] {
        let new = NewPolicy { access, terms: auto(requesters) };
        assert_eq!(world.says("ada", Command::CreatePolicy(new)), "invalid");
    }
    let rita = Requesters::Named(vec![Principal::User(world.user("rita"))]);
    world.policy("Reload", auto(rita));
    let request = world.asks("rita", world.wants("Reload"));
    assert_eq!(world.of_request(request), "approved");
    assert_eq!(world.says("rita", run("Reload", "")), "ok");
    for other in ["olaf", "rita-admin", "ada"] {
        assert_eq!(world.says(other, Command::Submit(world.wants("Reload"))), "may-not-ask", "{other}");
    }
}

#[test]
fn an_approver_can_shorten_and_not_lengthen() {
    let check = |asked: brevet_core::Span, code: &str| {
        let mut world = office();
        world.policy("Reload", manual());
        let request = world.asks("rita", world.wants("Reload"));
        let comment = brevet_core::Text::default();
        let vote = Command::Decide { request, verdict: Verdict::Approve, duration: Some(asked), comment };
        assert_eq!(world.says("bob", vote), code, "{asked}");
    };
    check(world::micros(1), "ok");
    check(HOUR, "ok");
    check(world::micros(HOUR.micros() + 1), "invalid");
}

#[test]
fn a_policy_changed_by_two_at_once_is_changed_by_one() {
    let mut world = office();
    let policy = world.policy("Reload", manual());
    let shorter = || PolicyTerms { max_uses: Some(1), ..manual() };
    let set = |seen| Command::SetPolicy { policy, seen, terms: shorter() };
    assert_eq!(world.says("ada", set(1)), "ok");
    assert_eq!(world.says("ada", set(1)), "changed");
    assert_eq!(world.says("ada", set(2)), "no-change");
}

#[test]
fn what_a_change_makes_untenable_ends_in_the_same_breath() {
    type Change = fn(&mut World);
    // Rita holds Restart and runs it, waits for Web, and asked for more time on what she holds.
    let check = |what: &str, change: Change, held: &str, runs: &str, waits: &str, more: &str| {
        let mut world = office();
        world.group("Askers", &["rita"]);
        let named = Requesters::Named(vec![Principal::Group(world.group_id("Askers"))]);
        let terms = || PolicyTerms { requesters: named.clone(), ..manual() };
        world.policy("Restart", terms());
        world.policy("Web", terms());
        let authorization = world.granted("rita", world.wants("Restart"));
        let execution = world.runs("rita", "Restart", "unit=nginx");
        let waiting = world.asks("rita", world.wants("Web"));
        let extension = world.asks("rita", world::extend(authorization, HOUR));
        let at = world.now;
        change(&mut world);
        let says = (world.of_authorization(authorization), world.of_run(execution));
        assert_eq!(says, (held, runs), "{what}");
        assert_eq!((world.of_request(waiting), world.of_request(extension)), (waits, more), "{what}");
        assert_eq!(world.now, at, "at once");
    };
    let (ended, stopped) = ("voided", "stopping: revoked");
    check("nothing", |_| {}, "active", "running", "pending", "pending");
    check("disabled", |world| world.disable("rita"), ended, stopped, "cancelled", "cancelled");
    check("left", |world| world.leave("Askers", "rita"), ended, stopped, "cancelled", "cancelled");
    check("another left", |world| world.leave("Security", "sven"), "active", "running", "pending", "pending");
    check(
        "its policy removed",
        |world| world.acts("ada", Command::RemovePolicy(brevet_core::PolicyId::new(1))),
        ended,
        stopped,
        "pending",
        "cancelled",
    );
    check(
        "the other policy removed",
        |world| world.acts("ada", Command::RemovePolicy(brevet_core::PolicyId::new(2))),
        "active",
        "running",
        "cancelled",
        "pending",
    );
    check(
        "redefined",
        |world| _ = world.brevet(Command::DefineCatalog(definitions(2))),
        ended,
        stopped,
        "cancelled",
        "cancelled",
    );
    check(
        "removed",
        |world| _ = world.brevet(Command::DefineCatalog(brevet_core::CatalogDefinition::default())),
        ended,
        stopped,
        "cancelled",
        "cancelled",
    );
    check(
        "defined as it was",
        |world| _ = world.brevet(Command::DefineCatalog(definitions(1))),
        "active",
        "running",
        "pending",
        "pending",
    );
}

#[test]
fn a_group_that_something_names_is_not_deleted() {
    type Name = fn(&mut World);
    let check = |what: &str, name: Name, code: &str| {
        let mut world = office();
        let group = world.group("Night", &["olaf"]);
        name(&mut world);
        assert_eq!(world.says("ada", Command::DeleteGroup(group)), code, "{what}");
        assert_eq!(world.state.user(world.user("olaf")).unwrap().groups.is_empty(), code == "ok");
    };
    check("nothing", |_| {}, "ok");
    check(
        "approves",
        |world| {
            let terms = of_groups(world, 1, &[("Night", 1)]);
            world.policy("Reload", terms);
        },
        "in-use",
    );
    check(
        "asks",
        |world| {
            let requesters = Requesters::Named(vec![Principal::Group(world.group_id("Night"))]);
            world.policy("Reload", PolicyTerms { requesters, ..manual() });
        },
        "in-use",
    );
    check(
        "is assigned",
        |world| {
            let principal = Principal::Group(world.group_id("Night"));
            let access = world.access("Reload");
            world.does("ada", Command::AddAssignment { principal, access });
        },
        "in-use",
    );
    let mut world = office();
    let default = world.group_id("Approvers");
    assert_eq!(world.says("ada", Command::DeleteGroup(default)), "in-use");
}

#[test]
fn consequences_are_brevets_own_and_a_revocation_names_its_author() {
    let mut world = office();
    world.policy("Reload", manual());
    let held = world.granted("rita", world.wants("Reload"));
    world.runs("rita", "Reload", "");
    let before = world.entries.len();
    world.does("bob", revoke(held));
    let [ended, stopped] = &world.entries[before..] else { panic!("{:?}", world.entries) };
    let bob = world.user("bob");
    assert!(matches!(ended.event, Event::AuthorizationEnded { how: Ending::Revoked(by), .. } if by == bob));
    assert_eq!(ended.actor, world.origin("bob").actor);
    assert!(matches!(stopped.event, Event::ExecutionStopRequested { .. }));
    assert_eq!((stopped.actor, stopped.session), (Origin::SYSTEM.actor, None));
}

#[test]
fn an_approver_may_stop_a_run_that_outlived_its_authorization() {
    let mut world = office();
    world.policy("Backup", manual());
    world.granted("rita", world.wants("Backup"));
    let execution = world.runs("rita", "Backup", "");
    world.later(HOUR);
    world.due();
    let stop = || Command::StopRun { execution, cause: brevet_core::StopCause::Shutdown };
    assert_eq!(world.says("olaf", stop()), "forbidden");
    assert_eq!(world.says("bob", stop()), "ok");
}

#[test]
fn what_one_person_may_have_waiting_and_hold_has_a_limit() {
    let mut world = office();
    world.policy("Reload", manual());
    for _ in 0..brevet_core::PENDING_PER_USER_MAX {
        world.asks("rita", world.wants("Reload"));
    }
    assert_eq!(world.says("rita", Command::Submit(world.wants("Reload"))), "too-many");
    assert_eq!(world.says("olaf", Command::Submit(world.wants("Reload"))), "ok");
    let requesters = Requesters::Named(vec![Principal::User(world.user("olaf"))]);
    world.policy("Backup", PolicyTerms::new(Approval::Auto, requesters));
    for _ in 0..brevet_core::AUTHORIZATIONS_PER_USER_MAX {
        world.asks("olaf", world.wants("Backup"));
    }
    assert_eq!(world.says("olaf", Command::Submit(world.wants("Backup"))), "too-many");
}
