//! What a change of the policies would do is said before, and is what happens.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod world;

use std::time::{Duration, Instant};

use brevet_core::{
    Approval, CatalogDefinition, Command, NewPolicy, People, PolicyId, PolicyStep, PolicyTerms, Preview,
    Principal, Refusal, Requesters, Turn, Uncovered, preview,
};
use world::{World, definitions, manual, spec};

fn says(world: &World, who: &str, step: PolicyStep) -> Result<Preview, Refusal> {
    preview(world.state.clone(), world.now, world.origin(who), step)
}

fn would(world: &World, step: PolicyStep) -> Preview {
    says(world, "ada", step).unwrap()
}

fn create(world: &World, access: &str, terms: PolicyTerms) -> PolicyStep {
    PolicyStep::Create(NewPolicy { access: world.access(access), terms })
}

fn named(world: &World, who: &[&str], approval: Approval) -> PolicyTerms {
    let named = who.iter().map(|name| Principal::User(world.user(name))).collect();
    PolicyTerms::new(approval, Requesters::Named(named))
}

#[test]
fn a_first_policy_lets_everybody_ask_and_takes_standing_access_away() {
    let mut world = World::office();
    world.control(&[], Uncovered::Assigned);
    world.assign("rita", "Restart");
    let before = world.state.clone();
    let told = would(&world, create(&world, "Restart", manual()));
    let everybody = u32::try_from(world.state.users().len()).unwrap();
    assert_eq!((told.before, told.tasks.len()), (None, 1));
    assert_eq!((told.governs, told.may_ask.after), (Turn { before: 0, after: 1 }, everybody));
    let people = People { need_approval: 1, may_ask: everybody - 1, ..People::default() };
    assert_eq!(told.people, Some(people));
    assert_eq!(world.state, before, "nothing is done");
}

#[test]
fn a_narrower_circle_is_told_with_what_it_ends() {
    let mut world = World::office();
    let policy = world.policy("Restart", manual());
    world.granted("rita", world.wants("Restart"));
    world.granted("olaf", world.wants("Restart"));
    world.runs("rita", "Restart", "unit=nginx");
    world.asks("rita", world.wants("Restart"));
    let terms = named(&world, &["olaf", "sven"], manual().approval);
    let told = would(&world, PolicyStep::Set { policy, seen: 1, terms: terms.clone() });
    assert_eq!((told.pending, told.requests_ended), (1, 1));
    assert_eq!((told.authorizations, told.authorizations_voided, told.runs_stopped), (2, 1, 1));
    assert_eq!((told.may_ask.after, told.people.unwrap().shut_out), (2, told.may_ask.before - 2));
    assert_eq!(told.after.map(|policy| policy.revision), Some(2));
    world.set_policy(policy, terms);
    assert_eq!(world.state.authorizations().count(), 1);
}

#[test]
fn auto_is_running_without_anybodys_approval() {
    let mut world = World::office();
    let policy = world.policy("Restart", manual());
    let terms = named(&world, &["rita"], Approval::Auto);
    let people = would(&world, PolicyStep::Set { policy, seen: 1, terms: terms.clone() }).people.unwrap();
    assert_eq!((people.need_none, people.need_approval), (1, 0));
    world.set_policy(policy, terms);
    let back = would(&world, PolicyStep::Set { policy, seen: 2, terms: manual() }).people.unwrap();
    assert_eq!((back.need_approval, back.need_none), (1, 0));
}

#[test]
fn a_policy_that_comes_before_another_narrows_what_was_given_under_that() {
    let mut world = World::office();
    let role = world.policy("Web", manual());
    world.granted("rita", world.wants("Web"));
    let told = would(&world, create(&world, "Restart", manual()));
    assert_eq!((told.authorizations_narrowed, told.authorizations_voided), (1, 0));
    let told = would(&world, PolicyStep::Remove(role));
    assert_eq!((told.governs, told.after), (Turn { before: 2, after: 0 }, None));
    assert_eq!((told.authorizations_narrowed, told.authorizations_voided), (0, 1));
}

#[test]
fn what_the_command_would_refuse_is_refused() {
    let mut world = World::office();
    let policy = world.policy("Restart", manual());
    let code = |who: &str, step: PolicyStep| says(&world, who, step).map_err(|refusal| refusal.code());
    let set = |seen: u32, terms: PolicyTerms| PolicyStep::Set { policy, seen, terms };
    let auto = PolicyTerms::new(Approval::Auto, Requesters::Anyone);
    for (who, step, refused) in [
        ("rita", PolicyStep::Remove(policy), "forbidden"),
        ("ada", create(&world, "Restart", manual()), "exists"),
        ("ada", set(2, named(&world, &["rita"], Approval::Auto)), "changed"),
        ("ada", set(1, manual()), "no-change"),
        ("ada", set(1, auto), "invalid"),
        ("ada", PolicyStep::Remove(PolicyId::new(9)), "not-found"),
    ] {
        assert_eq!(code(who, step).unwrap_err(), refused);
    }
}

#[test]
fn with_access_control_off_policies_change_nothing_for_people() {
    let mut world = World::office();
    world.acts("ada", Command::DisableAccessControl);
    assert_eq!(would(&world, create(&world, "All", manual())).people, Some(People::default()));
}

/// A debug build takes a tenth of it. Looking at each authorization or assignment with each task takes longer.
const MOMENT: Duration = Duration::from_millis(500);

#[expect(clippy::disallowed_methods, reason = "how long it takes is what is tested")]
fn in_a_moment<T>(does: impl FnOnce() -> T) -> T {
    let begun = Instant::now();
    let done = does();
    assert!(begun.elapsed() < MOMENT, "{:?}", begun.elapsed());
    done
}

/// The role `Web` has a thousand tasks more, `T0` and on.
fn large() -> World {
    let mut world = World::office();
    let CatalogDefinition { mut tasks, mut roles, role_groups } = definitions(1);
    let names: Vec<String> = (0..1_000).map(|n| format!("T{n}")).collect();
    tasks.extend(names.iter().map(|name| spec(name, 1, vec![])));
    roles[0].tasks.extend(names.iter().map(|name| world::task(name)));
    world.brevet(Command::DefineCatalog(CatalogDefinition { tasks, roles, role_groups }));
    world
}

#[test]
fn many_authorizations_and_tasks_are_counted_in_a_moment() {
    let mut world = large();
    let policy = world.policy("Web", manual());
    for n in 0..5_000 {
        let name = format!("u{n}");
        world.add(&name, None);
        world.granted(&name, world.wants("Web"));
    }
    let told = would(&world, create(&world, "T7", manual()));
    assert_eq!((told.governs.after, told.authorizations_narrowed, told.authorizations_voided), (1, 5_000, 0));
    let told = in_a_moment(|| would(&world, PolicyStep::Remove(policy)));
    assert_eq!(
        (told.governs.before, told.authorizations_narrowed, told.authorizations_voided),
        (1_002, 0, 5_000)
    );
}

#[test]
fn what_many_assignments_have_of_many_tasks_is_counted_in_a_moment() {
    let mut world = large();
    for n in 0..10_000 {
        let name = format!("u{n}");
        world.add(&name, None);
        world.assign(&name, "All");
    }
    let coverage = in_a_moment(|| world.state.coverage());
    assert_eq!((coverage.assignments, coverage.governed_assignments), (10_000, 0));
    assert_eq!((coverage.tasks, coverage.uncovered.len()), (1_004, 1_004));
    world.policy("T999", manual());
    world.assign("rita", "Ops");
    let coverage = in_a_moment(|| world.state.coverage());
    assert_eq!((coverage.assignments, coverage.governed_assignments), (10_001, 10_000));
    assert_eq!((coverage.tasks, coverage.uncovered.len()), (1_004, 1_003));
}
