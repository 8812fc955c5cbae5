//! The order in which one run is decided (docs/deciding.md), case by case.

mod world;

use brevet_core::{
    Approval, Basis, Binding, Command, ExecutionId, ExecutionResult, Limits, NewRequest, ParameterKind,
    ParameterSpec, PolicyTerms, Principal, Quorum, RUNS_PER_USER_MAX, Requesters, RunOrder, Secrets,
    Uncovered, Value, explain, may_run,
};
use world::{HOUR, World, definitions, digest, manual, parameter, run, secrets, task, values};

/// How Rita's run of `Restart` of nginx is answered: its basis, or the code of the refusal.
fn answer(world: &World) -> &'static str {
    answer_to(world, "rita", "Restart", "unit=nginx")
}

fn answer_to(world: &World, who: &str, name: &str, given: &str) -> &'static str {
    let given = values(given);
    let secrets = Secrets::new();
    let verdict = may_run(&world.state, world.now, world.user(who), &task(name), &given, &secrets);
    let explained = explain(&world.state, world.now, world.user(who), &task(name), &given);
    assert_eq!(explained.verdict, verdict, "what is explained is what is decided");
    match verdict.map(|allowed| allowed.basis) {
        Ok(Basis::Authorization(_)) => "authorization",
        Ok(Basis::SystemAccount) => "system account",
        Ok(Basis::AccessControlOff) => "off",
        Ok(Basis::Uncovered) => "uncovered: assigned",
        Err(refusal) => refusal.code(),
    }
}

fn off(world: &mut World) {
    world.does("ada", Command::DisableAccessControl);
}

#[test]
fn the_first_that_answers_wins() {
    type Change = fn(&mut World);
    let assigned: Change = |world| world.assign("rita", "Restart");
    let system: Change = |world| world.control(&["rita"], Uncovered::Refused);
    let covered: Change = |world| _ = world.policy("Restart", manual());
    let granted: Change = |world| _ = world.granted("rita", world.wants("Restart"));
    let uncovered: Change = |world| world.control(&[], Uncovered::Assigned);
    let disabled: Change = |world| world.disable("rita");
    let removed: Change = |world| {
        let mut definitions = definitions(1);
        definitions.tasks.remove(0);
        definitions.roles.clear();
        definitions.role_groups.clear();
        world.brevet(Command::DefineCatalog(definitions));
    };
    let check = |changes: &[Change], expected: &str| {
        let mut world = World::office();
        changes.iter().for_each(|change| change(&mut world));
        assert_eq!(answer(&world), expected);
    };
    check(&[disabled], "inactive");
    check(&[system, assigned, disabled], "inactive");
    check(&[system, assigned, removed], "not-found");
    check(&[removed, disabled], "inactive");
    check(&[assigned, system], "system account");
    check(&[assigned, system, off], "system account");
    check(&[assigned, covered, granted, system], "system account");
    check(&[system], "uncovered");
    check(&[system, off], "not-assigned");
    check(&[off], "not-assigned");
    check(&[assigned, off], "off");
    check(&[covered, granted, off], "not-assigned");
    check(&[assigned, covered, granted, off], "off");
    check(&[], "uncovered");
    check(&[assigned], "uncovered");
    check(&[uncovered], "not-assigned");
    check(&[assigned, uncovered], "uncovered: assigned");
    check(&[assigned, uncovered, covered], "needs-approval");
    check(&[assigned, covered], "needs-approval");
    check(&[covered, granted], "authorization");
    check(&[covered, granted, disabled], "inactive");
}

#[test]
fn the_values_are_checked_before_any_right_is() {
    let check = |given: &str, expected: &str| {
        let mut world = World::office();
        world.assign("rita", "Restart");
        world.control(&["rita"], Uncovered::Refused);
        assert_eq!(answer_to(&world, "rita", "Restart", given), expected, "{given}");
    };
    check("unit=nginx", "system account");
    check("unit=nginx level=2", "system account");
    check("", "bad-parameters");
    check("unit=sshd", "bad-parameters");
    check("unit=nginx level=high", "bad-parameters");
    check("unit=nginx more=1", "bad-parameters");
}

#[test]
fn an_assignment_counts_to_a_person_a_group_a_task_a_role_and_a_role_group() {
    let check = |to: &str, access: &str, expected: &str| {
        let mut world = World::office();
        off(&mut world);
        let principal = match to {
            "Approvers" => Principal::Group(world.group_id(to)),
            _ => Principal::User(world.user(to)),
        };
        let access = world.access(access);
        world.does("ada", Command::AddAssignment { principal, access });
        assert_eq!(answer_to(&world, "anna", "Restart", "unit=nginx"), expected, "{to} {access:?}");
    };
    for access in ["Restart", "Web", "All"] {
        check("anna", access, "off");
        check("Approvers", access, "off");
        check("bob", access, "not-assigned");
    }
    check("anna", "Reload", "not-assigned");
    check("anna", "Ops", "not-assigned");
}

#[test]
fn the_most_specific_policy_governs_and_of_one_rank_the_strictest() {
    let auto = |world: &World| {
        PolicyTerms::new(Approval::Auto, Requesters::Named(vec![Principal::User(world.user("rita"))]))
    };
    let two = PolicyTerms::new(Approval::Manual(Quorum { total: 2, groups: vec![] }), Requesters::Anyone);
    let mut world = World::office();
    let governs = |world: &World| {
        let explained =
            explain(&world.state, world.now, world.user("rita"), &task("Restart"), &values("unit=nginx"));
        let considered: Vec<_> = explained.considered.iter().map(|it| (it.policy, it.why.clone())).collect();
        considered.first().map(|(policy, _)| *policy)
    };
    assert_eq!(governs(&world), None);
    let all = world.policy("All", two);
    assert_eq!(governs(&world), Some(all));
    let web = world.policy("Web", manual());
    assert_eq!(governs(&world), Some(web), "a role before a role group, however strict");
    let mut more = definitions(1);
    let second = brevet_core::RoleDefinition { name: task("Web2"), ..more.roles[0].clone() };
    more.roles.push(second);
    world.brevet(Command::DefineCatalog(more));
    let lax = world.policy("Web2", auto(&world));
    assert_eq!(governs(&world), Some(web), "somebody's approval before nobody's");
    let explained =
        explain(&world.state, world.now, world.user("rita"), &task("Restart"), &values("unit=nginx"));
    let why = |id| explained.considered.iter().find(|it| it.policy == id).map(|it| it.why.clone()).unwrap();
    assert_eq!(why(lax), format!("{web} is stricter: it needs somebody's approval"));
    assert_eq!(why(all), format!("{web} is more specific"));
    let task_policy = world.policy("Restart", auto(&world));
    assert_eq!(governs(&world), Some(task_policy), "a task before a role");
}

#[test]
fn of_two_like_policies_of_one_rank_the_older_governs_whatever_else_differs_the_stricter() {
    let check = |second: fn(&World) -> PolicyTerms, stricter: bool| {
        let mut world = World::office();
        let mut more = definitions(1);
        more.roles.push(brevet_core::RoleDefinition { name: task("Web2"), ..more.roles[0].clone() });
        world.brevet(Command::DefineCatalog(more));
        let older = world.policy("Web", PolicyTerms { max_uses: Some(5), ..manual() });
        let terms = second(&world);
        let younger = world.policy("Web2", terms);
        let governing = world.state.governing(world.access("Restart")).unwrap().id;
        assert_eq!(governing, if stricter { younger } else { older });
    };
    let like = |_: &World| PolicyTerms { max_uses: Some(5), ..manual() };
    check(like, false);
    check(|_| PolicyTerms { max_uses: Some(4), ..manual() }, true);
    check(|_| PolicyTerms { max_uses: Some(6), ..manual() }, false);
    check(|_| manual(), false);
    check(
        |_| PolicyTerms { maximum_duration: brevet_core::MaximumDuration::Limited(HOUR), ..manual() },
        true,
    );
    check(|_| PolicyTerms { maximum_duration: brevet_core::MaximumDuration::Unlimited, ..manual() }, false);
    check(
        |world| PolicyTerms {
            requesters: Requesters::Named(vec![Principal::User(world.user("rita"))]),
            ..manual()
        },
        true,
    );
    check(
        |_| PolicyTerms::new(Approval::Manual(Quorum { total: 2, groups: vec![] }), Requesters::Anyone),
        true,
    );
}

/// What an approved access to `access` with `bound` lets Rita run afterwards.
fn after_approval(terms: PolicyTerms, access: &str, bound: &str) -> World {
    let mut world = World::office();
    world.policy(access, terms);
    world.granted("rita", world.wants_with(access, bound));
    world
}

#[test]
fn an_open_binding_lets_the_unnamed_be_free_and_an_exact_one_nothing() {
    let check = |binding: Binding, bound: &str, given: &str, expected: &str| {
        let world = after_approval(PolicyTerms { binding, ..manual() }, "Restart", bound);
        assert_eq!(answer_to(&world, "rita", "Restart", given), expected, "{binding:?} {bound} / {given}");
    };
    let (yes, no) = ("authorization", "needs-approval");
    check(Binding::Open, "", "unit=nginx", yes);
    check(Binding::Open, "", "unit=redis level=7", yes);
    check(Binding::Open, "unit=nginx", "unit=nginx", yes);
    check(Binding::Open, "unit=nginx", "unit=nginx level=7", yes);
    check(Binding::Open, "unit=nginx", "unit=redis", no);
    check(Binding::Open, "level=7", "unit=nginx", no);
    check(Binding::Open, "level=1", "unit=nginx", yes);
    check(Binding::Exact, "unit=nginx", "unit=nginx", yes);
    check(Binding::Exact, "unit=nginx", "unit=nginx level=1", yes);
    check(Binding::Exact, "unit=nginx", "unit=nginx level=2", no);
    check(Binding::Exact, "unit=nginx level=2", "unit=nginx", no);
    check(Binding::Exact, "unit=nginx level=2", "unit=nginx level=2", yes);
}

#[test]
fn what_a_request_binds_must_be_there_fit_and_under_an_exact_policy_be_complete() {
    let check = |binding: Binding, bound: &str, code: &str| {
        let mut world = World::office();
        world.policy("Restart", PolicyTerms { binding, ..manual() });
        assert_eq!(world.says("rita", Command::Submit(world.wants_with("Restart", bound))), code, "{bound}");
    };
    check(Binding::Open, "", "ok");
    check(Binding::Open, "unit=sshd", "bad-parameters");
    check(Binding::Open, "other=1", "bad-parameters");
    check(Binding::Exact, "", "bad-parameters");
    check(Binding::Exact, "level=2", "bad-parameters");
    check(Binding::Exact, "unit=nginx", "ok");
    let mut world = World::office();
    world.policy("Web", manual());
    assert_eq!(world.says("rita", Command::Submit(world.wants_with("Web", "unit=nginx"))), "invalid");
    let exact = brevet_core::NewPolicy {
        access: world.access("Ops"),
        terms: PolicyTerms { binding: Binding::Exact, ..manual() },
    };
    assert_eq!(world.says("ada", Command::CreatePolicy(exact)), "invalid", "a role has no parameters");
}

#[test]
fn an_access_covers_its_tasks_and_no_others() {
    let check = |access: &str, name: &str, given: &str, expected: &str| {
        let world = after_approval(manual(), access, "");
        assert_eq!(answer_to(&world, "rita", name, given), expected, "{access} / {name}");
    };
    check("Restart", "Restart", "unit=nginx", "authorization");
    check("Restart", "Reload", "", "uncovered");
    check("Web", "Restart", "unit=redis", "authorization");
    check("Web", "Reload", "", "authorization");
    check("Web", "Backup", "", "uncovered");
    check("All", "Reload", "", "authorization");
    check("All", "Backup", "", "authorization");
}

#[test]
fn an_authorization_lapses_with_whatever_it_was_given_for() {
    let check = |what: &str, change: fn(&mut World), expected: &str| {
        let mut world = World::office();
        world.group("Askers", &["rita", "rita-bot"]);
        let named = Requesters::Named(vec![Principal::Group(world.group_id("Askers"))]);
        world.policy("Web", PolicyTerms { requesters: named, ..manual() });
        let held = world.granted("rita", world.wants("Web"));
        assert_eq!(answer(&world), "authorization");
        assert_eq!(answer_to(&world, "rita-bot", "Reload", ""), "needs-approval", "an account, not a person");
        change(&mut world);
        assert_eq!(answer(&world), expected, "{what}");
        let voided = if what == "another policy" { "active" } else { "voided" };
        assert_eq!(world.of_authorization(held), voided, "{what}");
    };
    check("left the requesters", |world| world.leave("Askers", "rita"), "may-not-ask");
    check("disabled", |world| world.disable("rita"), "inactive");
    check(
        "disabled and enabled",
        |world| {
            world.disable("rita");
            world.acts("ada", Command::EnableUser(world.user("rita")));
        },
        "needs-approval",
    );
    check(
        "policy removed",
        |world| {
            world.acts("ada", Command::RemovePolicy { policy: brevet_core::PolicyId::new(1), seen: None });
        },
        "uncovered",
    );
    check(
        "requesters changed",
        |world| {
            let requesters = Requesters::Named(vec![Principal::User(world.user("olaf"))]);
            world.set_policy(brevet_core::PolicyId::new(1), PolicyTerms { requesters, ..manual() });
        },
        "may-not-ask",
    );
    check(
        "another definition",
        |world| drop(world.try_from(brevet_core::Origin::SYSTEM, Command::DefineCatalog(definitions(2)))),
        "needs-approval",
    );
    check("another policy", |world| _ = world.policy("Restart", manual()), "needs-approval");
}

#[test]
fn a_definition_that_drifted_and_came_back_was_another_meanwhile() {
    let mut world = after_approval(manual(), "Restart", "");
    for version in [2, 1] {
        world.brevet(Command::DefineCatalog(definitions(version)));
        assert_eq!(answer(&world), "needs-approval");
    }
    let mut only_role = definitions(1);
    only_role.roles[0].digest = digest("Web", 9);
    let mut world = after_approval(manual(), "Restart", "");
    world.brevet(Command::DefineCatalog(only_role));
    assert_eq!(answer(&world), "authorization", "the task is as it was");
}

#[test]
fn a_permit_has_the_terms_of_the_authorization_and_the_values_that_were_checked() {
    let mut world = after_approval(manual(), "Restart", "unit=nginx");
    let end = world.now.plus(HOUR);
    world.later(brevet_core::Span::minutes(50));
    let mut state = world.state.clone();
    let outcome =
        brevet_core::transact(&mut state, world.now, world.origin("rita"), run("restart", "unit=nginx"))
            .unwrap();
    let permit = outcome.draft.unwrap().recorded(7);
    assert_eq!((permit.end(), permit.entry()), (Some(end), 7));
    assert_eq!(permit.parameters(), &values("unit=nginx level=1"));
    assert_eq!(permit.digest(), digest("Restart", 1));
    assert_eq!(permit.task().to_string(), "Linux\\Restart");
}

#[test]
fn a_secret_is_given_to_the_run_checked_and_written_down_nowhere() {
    let mut world = World::office();
    world.policy("Rotate", manual());
    let bound = world.wants_with("Rotate", "password=hunter2");
    assert_eq!(world.says("rita", Command::Submit(bound)), "bad-parameters");
    world.granted("rita", world.wants("Rotate"));
    let order = |given: &str, secret: &str| {
        Command::Run(RunOrder { task: task("Rotate"), parameters: values(given), secrets: secrets(secret) })
    };
    assert_eq!(world.says("rita", order("", "")), "bad-parameters");
    assert_eq!(world.says("rita", order("password=hunter2", "")), "bad-parameters");
    assert_eq!(world.says("rita", order("", "password=-hunter2")), "bad-parameters");
    assert_eq!(world.says("rita", order("", "password=hunter2 other=1")), "bad-parameters");
    assert_eq!(world.says("rita", order("", "password=hunter2")), "ok");
    assert!(!format!("{:?}", world.entries).contains("hunter2"));
    let explained = explain(&world.state, world.now, world.user("rita"), &task("Rotate"), &values(""));
    assert!(explained.verdict.is_ok(), "secrets are taken as given: {:?}", explained.verdict);
}

#[test]
fn a_secret_satisfies_its_constraints_and_has_no_default() {
    let check = |kind: ParameterKind, limits: Limits, text: &str, code: &str| {
        let mut world = World::office();
        let default = Some(Value::Text("leaked".into()));
        let spec = ParameterSpec { secret: true, limits, default, ..parameter("password", kind) };
        let mut definitions = definitions(1);
        definitions.tasks[3].parameters = vec![spec];
        world.brevet(Command::DefineCatalog(definitions));
        off(&mut world);
        world.assign("rita", "Rotate");
        let order = RunOrder { task: task("Rotate"), parameters: values(""), secrets: secrets(text) };
        assert_eq!(world.says("rita", Command::Run(order)), code, "{kind:?} {text}");
    };
    let one_of = || Limits { one_of: vec![Value::Text("a".into())], ..Limits::default() };
    let small = || Limits { max: Some(9), ..Limits::default() };
    check(ParameterKind::Text, Limits::default(), "", "bad-parameters");
    check(ParameterKind::Text, one_of(), "password=a", "ok");
    check(ParameterKind::Text, one_of(), "password=b", "bad-parameters");
    check(ParameterKind::Integer, small(), "password=9", "ok");
    check(ParameterKind::Integer, small(), "password=10", "bad-parameters");
    check(ParameterKind::Integer, small(), "password=x", "bad-parameters");
    check(ParameterKind::Boolean, Limits::default(), "password=true", "ok");
    check(ParameterKind::Boolean, Limits::default(), "password=1", "bad-parameters");
}

#[test]
fn a_refusal_names_the_policy_who_can_approve_and_why_what_is_held_does_not_do() {
    let mut world = after_approval(manual(), "Restart", "unit=nginx");
    let refusal = world.tries("rita", run("Restart", "unit=redis")).unwrap_err();
    assert_eq!(refusal.to_string(), "Insufficient permissions. Raise an access request for this task.");
    let brevet_core::Refusal::NeedsApproval(way_out) = refusal else { panic!("{refusal:?}") };
    assert_eq!(way_out.approver_groups, ["Approvers"]);
    assert_eq!(way_out.held, ["aut-1 was approved for other parameter values"]);
}

#[test]
fn of_several_the_one_whose_clock_runs_and_then_the_one_that_lasts_longest_is_used() {
    let mut world = World::office();
    let start = brevet_core::StartRule::AtFirstUse(HOUR);
    let policy = world.policy("Reload", PolicyTerms { start, ..manual() });
    let unclaimed = world.granted("rita", world.wants("Reload"));
    world.set_policy(policy, manual());
    let short = world.granted("rita", world.wants("Reload"));
    let long = NewRequest { duration: Some(brevet_core::Span::hours(2)), ..world.wants("Reload") };
    let long = world.granted("rita", long);
    let run = world.runs("rita", "Reload", "");
    assert_eq!(world.run_row(run).basis, Basis::Authorization(long));
    assert_eq!([world.of_authorization(unclaimed), world.of_authorization(short)], ["scheduled", "active"]);
}

#[test]
fn one_person_has_so_many_runs_at_once_and_no_more() {
    let mut world = World::office();
    off(&mut world);
    world.assign("rita", "Restart");
    world.assign("sven", "Restart");
    for _ in 0..RUNS_PER_USER_MAX {
        assert_eq!(world.says("rita", run("restart", "unit=nginx")), "ok");
    }
    assert_eq!(world.says("rita", run("restart", "unit=nginx")), "too-many");
    assert_eq!(world.says("sven", run("restart", "unit=nginx")), "ok", "others still can");
    let (execution, result) = (ExecutionId::new(1), ExecutionResult::Succeeded);
    world.brevet(Command::FinishRun { execution, result, output: None });
    assert_eq!(world.says("rita", run("restart", "unit=nginx")), "ok");
}
