//! What follows from a change: authorizations voided, requests cancelled, runs stopped, at once.

mod world;

use brevet_core::{
    Approval, Command, Ending, Event, Limits, Origin, ParameterKind, ParameterSpec, PolicyTerms, Principal,
    Refusal, Requesters, Value, decide,
};
use world::{HOUR, World, definitions, manual, parameter, revoke};

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
        |world| {
            world.acts("ada", Command::RemovePolicy { policy: brevet_core::PolicyId::new(1), seen: None });
        },
        ended,
        stopped,
        "pending",
        "cancelled",
    );
    check(
        "the other policy removed",
        |world| {
            world.acts("ada", Command::RemovePolicy { policy: brevet_core::PolicyId::new(2), seen: None });
        },
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

#[test]
fn a_role_that_is_defined_otherwise_voids_what_was_given_of_it_and_nothing_else() {
    let mut world = office();
    for access in ["Restart", "Web", "All"] {
        world.policy(access, manual());
    }
    let task = world.granted("rita", world.wants("Restart"));
    let role = world.granted("rita", world.wants("Web"));
    let group = world.granted("rita", world.wants("All"));
    let mut other = definitions(1);
    other.roles[0].digest = world::digest("Web", 2);
    world.brevet(Command::DefineCatalog(other.clone()));
    let stand = |world: &World| [task, role, group].map(|held| world.of_authorization(held));
    assert_eq!(stand(&world), ["active", "voided", "active"]);
    other.role_groups[0].digest = world::digest("All", 2);
    world.brevet(Command::DefineCatalog(other));
    assert_eq!(stand(&world), ["active", "voided", "voided"]);
}

#[test]
fn a_definition_that_no_entry_can_hold_is_refused_by_name() {
    let world = World::office();
    let define = |choice_bytes: usize| {
        let choices = (0..600).map(|n| Value::Text(format!("{n:0choice_bytes$}"))).collect();
        let mut definitions = definitions(2);
        definitions.tasks[0].parameters = vec![ParameterSpec {
            limits: Limits { one_of: choices, ..Limits::default() },
            ..parameter("x", ParameterKind::Text)
        }];
        decide(&world.state, world.now, Origin::SYSTEM, Command::DefineCatalog(definitions))
    };
    assert!(define(90).is_ok());
    let refused = define(110).unwrap_err();
    assert!(
        matches!(&refused, Refusal::Invalid(why) if why.contains("longer than the 60000 bytes")),
        "{refused}"
    );
}
