//! Signing in by the command line: the token's file, and the lock.

use std::fs;
use std::os::unix::fs::MetadataExt as _;

use serde_json::json;

use crate::support::PASSWORD;
use crate::support::patience::until;
use crate::support::person::Person;
use crate::support::place::{Place, write_private};
use crate::support::server::Server;
use crate::support::stage::Stage;

#[test]
fn the_token_is_in_a_file_that_nobody_else_can_read() {
    let stage = Stage::set();
    let bob = Person { token: String::new(), ..stage.person("bob").clone() };
    bob.types(&stage.server, "whoami", 4);
    assert_eq!(bob.pipes(&stage.server, "login --user bob --password-stdin", PASSWORD.as_bytes()).code, 0);
    let file = bob.home.join("brevet/token");
    assert_eq!(fs::metadata(&file).unwrap().mode() & 0o7777, 0o600);
    assert_eq!(fs::metadata(file.parent().unwrap()).unwrap().mode() & 0o7777, 0o700);
    assert_eq!(bob.asks(&stage.server, "whoami")["user"]["name"], "bob");
    bob.types(&stage.server, "logout", 0);
    assert!(!fs::read_to_string(&file).unwrap().contains("token\":"));
    bob.types(&stage.server, "whoami", 4);
}

#[test]
fn an_account_is_locked_after_too_many_guesses() {
    let stage = Stage::set();
    let bob = Person { token: String::new(), ..stage.person("bob").clone() };
    let login = "login --user bob --password-stdin";
    for _ in 0..10 {
        assert_eq!(bob.pipes(&stage.server, login, b"a wrong password").code, 1);
    }
    let locked = bob.pipes(&stage.server, login, PASSWORD.as_bytes());
    assert_eq!(locked.code, 1, "{}", locked.stderr);
    assert!(stage.asks("ada", "user show bob")["locked_until"].is_string());
    stage.types("ada", "user enable bob", 0);
    assert_eq!(bob.pipes(&stage.server, login, PASSWORD.as_bytes()).code, 0);
}

#[test]
fn a_one_time_code_is_on_no_command_line() {
    let place = Place::new();
    let server = Server::start(&place);
    let code = server.setup_code();
    let command = format!("brevet login --server {} --user NAME --setup\n", server.url());
    assert!(server.output().contains(&command), "{}", server.output());

    let (ada, bob) = (Person::named(&place, "ada"), Person::named(&place, "bob"));
    let both = format!("{code}\n{PASSWORD}\n");
    let typed = ada.pipes(&server, "login --user ada --setup - --password-stdin", both.as_bytes());
    assert_eq!(typed.code, 0, "{}", typed.stderr);

    let added = ada.types(&server, "user add bob", 0).text();
    assert!(added.ends_with("\n  brevet login --user bob --code\n"), "{added}");
    let code = added.lines().find_map(|line| line.strip_prefix("  ")).unwrap();
    let file = bob.home.join("code");
    write_private(&file, format!("{code}\n").as_bytes());
    let nobody = bob.types(&server, "login --user bob --code --password-stdin", 2).stderr;
    assert!(nobody.contains("--code @FILE or --code -"), "{nobody}");
    let login = format!("login --user bob --code @{} --password-stdin", file.display());
    let typed = bob.pipes(&server, &login, PASSWORD.as_bytes());
    assert_eq!(typed.code, 0, "{}", typed.stderr);
    assert_eq!(bob.asks(&server, "whoami")["user"]["name"], "bob");
}

#[test]
fn a_withdrawn_code_of_the_first_start_is_told_in_the_log() {
    let place = Place::new();
    let server = Server::start(&place);
    let mut anybody = server.connect("");
    let mut guess = |code: &str| {
        let set_up = json!({"code": code, "name": "ada", "password": PASSWORD});
        anybody.post("/api/v1/setup", &set_up).unwrap().status
    };
    let withdrawn = "start the server again for a new one";
    for _ in 0..9 {
        assert_eq!(guess("AAAAA-AAAAA-AAAAA-AAAAA"), 401);
    }
    assert!(!server.errors().contains(withdrawn), "{}", server.errors());
    assert_eq!(guess("AAAAA-AAAAA-AAAAA-AAAAA"), 401);
    let code = server.setup_code();
    assert_eq!(guess(&code), 401);
    until("the log says so", || server.errors().contains(withdrawn));
    assert!(!server.errors().contains(&code));
}
