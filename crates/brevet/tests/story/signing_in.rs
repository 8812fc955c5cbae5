//! Signing in by the command line: the token's file, and the lock.

use std::fs;
use std::os::unix::fs::MetadataExt as _;

use crate::support::PASSWORD;
use crate::support::person::Person;
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
