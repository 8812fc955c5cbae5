//! Who may do what: every command by everybody, on what is theirs and on what is not, as a page to
//! be read. `BREVET_BLESS=1 cargo test -p brevet-core --test golden` writes it anew.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod world;

use std::fmt::Write;
use std::path::Path;

use brevet_core::{
    Access, AccessControlChange, AuthorizationId, CatalogDefinition, Command, ExecutionId, ExecutionResult,
    NewGroup, NewPolicy, NewPurpose, NewRequest, Origin, Parameters, Principal, RequestId, SessionId,
    StopCause, Text, Uncovered, UserId,
};
use world::{World, approve, deny, extend, manual, new_user, revoke, run};

/// Heading, account. `ada` administers, `anna` approves, `rita` asks and holds, `rita-admin` is her
/// second account, `dora` is disabled.
const WHO: [(&str, Option<&str>); 8] = [
    ("administrator", Some("ada")),
    ("auditor", Some("aude")),
    ("approver", Some("anna")),
    ("requester", Some("rita")),
    ("second account", Some("rita-admin")),
    ("other", Some("olaf")),
    ("disabled", Some("dora")),
    ("Brevet", None),
];

/// What somebody has: a request that waits, an authorization in force, a run, and the account.
#[derive(Clone, Copy)]
struct Belongings {
    user: UserId,
    request: RequestId,
    authorization: AuthorizationId,
    run: ExecutionId,
}

#[test]
fn who_may_do_what() {
    let page = page();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/who-may-do-what.txt");
    #[expect(clippy::disallowed_methods, reason = "a test has no config.rs to ask")]
    if std::env::var_os("BREVET_BLESS").is_some() {
        std::fs::write(&path, &page).unwrap();
    }
    let known = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(known == page, "not what {} says; read both, then bless:\n{page}", path.display());
}

fn page() -> String {
    let mut page = String::from(
        "Who may do what: 'yes', or the code of the refusal. 'own' is what belongs to the account at the head\n\
         of the column (for Brevet, to the requester). The second account belongs to the requester.\n\n",
    );
    write!(page, "{:42}", "").unwrap();
    WHO.iter().for_each(|(heading, _)| write!(page, "{heading:16}").unwrap());
    page.truncate(page.trim_end().len());
    page.push('\n');
    for (name, command) in on_what_is_held().into_iter().chain(on_an_account()) {
        let on = |owner: Option<&'static str>| {
            move |world: &mut World, who: Option<&str>| {
                let of = belongings(world, owner.or(who).unwrap_or("rita"));
                command(world, of)
            }
        };
        line(&mut page, &format!("{name}, own"), on(None));
        line(&mut page, &format!("{name}, of the requester"), on(Some("rita")));
    }
    for (name, command) in without_owner().into_iter().chain(on_the_ledger()) {
        line(&mut page, name, |world, _| command(world));
    }
    page
}

fn line(page: &mut String, name: &str, command: impl Fn(&mut World, Option<&str>) -> Command) {
    write!(page, "{name:42}").unwrap();
    for (_, who) in WHO {
        let mut world = sample();
        let command = command(&mut world, who);
        if who == Some("dora") && world.state.is_active(world.user("dora")) {
            world.disable("dora");
        }
        let origin = who.map_or(Origin::SYSTEM, |who| world.origin(who));
        let says = world.try_from(origin, command).map_or_else(|refusal| refusal.code(), |_| "yes");
        write!(page, "{says:16}").unwrap();
    }
    page.truncate(page.trim_end().len());
    page.push('\n');
}

fn sample() -> World {
    let mut world = World::office();
    world.add("dora", None);
    world.policy("Restart", manual());
    world.policy("Reload", manual());
    world.group("Empty", &[]);
    world
}

fn belongings(world: &mut World, who: &str) -> Belongings {
    let authorization = world.granted(who, world.wants("Reload"));
    let run = world.runs(who, "Reload", "");
    let request = world.asks(who, world.wants("Restart"));
    Belongings { user: world.user(who), request, authorization, run }
}

type OnSomething = fn(&mut World, Belongings) -> Command;

fn on_what_is_held() -> Vec<(&'static str, OnSomething)> {
    vec![
        ("approve a request", |_, of| approve(of.request)),
        ("deny a request", |_, of| deny(of.request)),
        ("cancel a request", |_, of| Command::Cancel(of.request)),
        ("extend", |_, of| Command::Submit(extend(of.authorization, world::HOUR))),
        ("give back", |_, of| Command::GiveBack(of.authorization)),
        ("revoke", |_, of| revoke(of.authorization)),
        ("stop a run", |_, of| Command::StopRun { execution: of.run, cause: StopCause::Shutdown }),
        ("finish a run", |_, of| Command::FinishRun {
            execution: of.run,
            result: ExecutionResult::Succeeded,
            output: None,
        }),
    ]
}

fn on_an_account() -> Vec<(&'static str, OnSomething)> {
    vec![
        ("set a password", |_, of| Command::SetPassword(of.user)),
        ("issue a code", |_, of| Command::IssueCode(of.user)),
        ("sign in", |_, of| Command::SignIn { user: of.user, source: Text::default() }),
        ("fail to sign in", |_, of| Command::FailSignIn { user: of.user, source: Text::default() }),
        ("sign out", |world, of| {
            world.brevet(Command::SignIn { user: of.user, source: Text::default() });
            Command::SignOut { user: of.user, session: SessionId::new(1) }
        }),
        ("disable", |_, of| Command::DisableUser(of.user)),
        ("enable", |world, of| {
            if of.user != world.user("ada") {
                world.does("ada", Command::DisableUser(of.user));
            }
            Command::EnableUser(of.user)
        }),
        ("add to a group", |world, of| {
            let group = world.group_id("Security");
            if world.state.group(group).unwrap().members.contains(&of.user) {
                world.does("ada", Command::RemoveMember { group, user: of.user });
            }
            Command::AddMember { group, user: of.user }
        }),
        ("remove from a group", |world, of| {
            let group = world.group_id("Empty");
            world.does("ada", Command::AddMember { group, user: of.user });
            Command::RemoveMember { group, user: of.user }
        }),
        ("assign a task to", |world, of| Command::AddAssignment {
            principal: Principal::User(of.user),
            access: world.access("Backup"),
        }),
        ("note a refused run of", |_, of| Command::NoteRefusal {
            user: of.user,
            task: world::task("Backup"),
            why: "uncovered",
            count: 1,
        }),
    ]
}

type OnNothing = fn(&mut World) -> Command;

fn without_owner() -> Vec<(&'static str, OnNothing)> {
    vec![
        ("ask for an access", |world| Command::Submit(world.wants("Restart"))),
        ("ask for what no policy covers", |world| {
            Command::Submit(NewRequest {
                purpose: NewPurpose::Access {
                    access: Access::Task(uncovered(world)),
                    bound: Parameters::new(),
                },
                ..world.wants("Restart")
            })
        }),
        ("run without an authorization", |_| run("Restart", "unit=nginx")),
        ("run what no policy covers", |_| run("Backup", "")),
        ("add a user", |_| Command::AddUser(new_user("new", None))),
        ("create a group", |_| Command::CreateGroup(new_group())),
        ("delete a group", |world| Command::DeleteGroup(world.group_id("Empty"))),
        ("change access control", |world| {
            Command::EnableAccessControl(AccessControlChange {
                default_approver_group: world.group_id("Security"),
                system_accounts: std::collections::BTreeSet::new(),
                uncovered: Uncovered::Refused,
                seen: None,
            })
        }),
        ("switch access control off", |_| Command::DisableAccessControl),
        ("remove an assignment", |world| {
            world.assign("olaf", "Backup");
            Command::RemoveAssignment(brevet_core::AssignmentId::new(1))
        }),
        ("create a policy", |world| {
            Command::CreatePolicy(NewPolicy { access: world.access("Backup"), terms: manual() })
        }),
        ("change a policy", |_| Command::SetPolicy {
            policy: brevet_core::PolicyId::new(1),
            seen: 1,
            terms: brevet_core::PolicyTerms { max_uses: Some(1), ..manual() },
        }),
        ("remove a policy", |_| Command::RemovePolicy { policy: brevet_core::PolicyId::new(1), seen: None }),
        ("define the catalog", |_| Command::DefineCatalog(CatalogDefinition::default())),
        ("read the ledger", |_| Command::NoteRead { query: Text::default() }),
        ("open the ledger again", |_| Command::OpenLedger { origin: "again".into() }),
        ("set up again", |_| Command::SetUp(new_user("second", None))),
        ("start the server", |_| {
            Command::StartServer(brevet_core::ServerStart {
                version: "1".into(),
                ..brevet_core::ServerStart::default()
            })
        }),
        ("act on what is due", |_| Command::ActOnDue),
    ]
}

fn on_the_ledger() -> Vec<(&'static str, OnNothing)> {
    vec![
        ("stop the server", |_| Command::StopServer),
        ("write a heartbeat", |_| Command::Beat { every: brevet_core::Span::seconds(60) }),
        ("note a moved clock", |_| Command::NoteClockStep { by: brevet_core::Span::seconds(60), back: true }),
        ("erase the texts of a disabled account", |world| {
            world.disable("sven");
            Command::EraseTexts(world.user("sven"))
        }),
        ("rotate the key", |world| Command::RotateKey {
            old: "old".into(),
            new: "new".into(),
            overlap_until: world.now,
        }),
        ("begin the ledger anew", |world| {
            world.state.before_first_entry();
            let (origin, previous, note) = ("new".into(), "old".into(), String::new());
            let root = brevet_core::Digest([0; 32]);
            Command::Recover(brevet_core::Recovery { origin, previous, size: 1, root, note })
        }),
        ("ask for an archive", |world| {
            world.later(brevet_core::Span::hours(24 * 500));
            let retention = brevet_core::Span::hours(24 * 400);
            Command::RequestArchive { size: 256, before: world::T0, retention }
        }),
        ("cancel an archive", |world| {
            world.later(brevet_core::Span::hours(24 * 500));
            let retention = brevet_core::Span::hours(24 * 400);
            world.does("ada", Command::RequestArchive { size: 256, before: world::T0, retention });
            Command::CancelArchive
        }),
    ]
}

fn uncovered(world: &World) -> brevet_core::TaskId {
    world.state.catalog().task_named(&world::task("Backup")).unwrap().id
}

fn new_group() -> NewGroup {
    NewGroup {
        name: brevet_core::GroupName::parse("Night shift").unwrap(),
        email: Text::default(),
        description: Text::default(),
    }
}
