//! Who says yes: quorums of distinct people, and nobody for themselves.

mod world;

use brevet_core::{Approval, Command, NewPolicy, PolicyTerms, Principal, Requesters, Uncovered, Verdict};
use world::{HOUR, World, approve, definitions, deny, manual, run};

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
        seen: None,
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
fn what_somebody_else_changed_meanwhile_is_not_undone_unseen() {
    let mut world = office();
    let seen = world.state.access_control().clone();
    let change = |world: &World, uncovered, seen| {
        Command::EnableAccessControl(brevet_core::AccessControlChange {
            default_approver_group: world.group_id("Approvers"),
            system_accounts: [world.user("sven")].into(),
            uncovered,
            seen: Some(seen),
        })
    };
    let (first, second) =
        (change(&world, Uncovered::Assigned, seen.clone()), change(&world, Uncovered::Refused, seen));
    assert_eq!(world.says("ada", first), "ok");
    assert_eq!(world.says("ada", second), "changed");
    let switched_on = world.state.access_control().clone();
    world.acts("ada", Command::DisableAccessControl);
    let unseen = change(&world, Uncovered::Refused, switched_on);
    assert_eq!(world.says("ada", unseen), "changed");
    let seen = world.state.access_control().clone();
    let again = change(&world, Uncovered::Refused, seen);
    assert_eq!(world.says("ada", again), "ok");

    let policy = world.policy("Reload", manual());
    let remove = |seen| Command::RemovePolicy { policy, seen: Some(seen) };
    let terms = of_groups(&world, 2, &[]);
    world.set_policy(policy, terms);
    assert_eq!(world.says("ada", remove(1)), "changed");
    assert_eq!(world.says("ada", remove(2)), "ok");
    assert_eq!(world.says("ada", remove(2)), "not-found");
}
