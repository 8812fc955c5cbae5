use std::collections::hash_map::DefaultHasher;
use std::hash::{BuildHasher, BuildHasherDefault};

use super::{BadName, GroupName, QualifiedName, UserName};

#[test]
fn a_user_name_has_one_spelling() {
    for text in ["bob", " Bob ", "BOB"] {
        assert_eq!(UserName::parse(text).unwrap().as_str(), "bob", "{text}");
    }
}

#[test]
fn reserved_names_and_their_look_alikes_are_refused() {
    for text in
        ["root", "Root", " root", "R00T", "ro-ot", "sy5tem", "br3vet", "un.known", "A11", "n0ne", "any_one"]
    {
        assert!(matches!(UserName::parse(text), Err(BadName::Reserved { .. })), "{text}");
        assert!(matches!(GroupName::parse(text), Err(BadName::Reserved { .. })), "{text}");
    }
    for text in ["rooter", "system-team", "brevet-admins", "alla", "nona"] {
        assert!(UserName::parse(text).is_ok(), "{text}");
    }
}

#[test]
fn other_scripts_controls_and_bad_edges_are_refused() {
    for text in [
        "ｒｏｏｔ",
        "rооt",
        "bob\u{200b}",
        "bob\n",
        "b\u{202e}ob",
        "bob bob",
        "-bob",
        "bob.",
        "@",
        "bob/x",
        "b*b",
    ] {
        let trimmed_away = text == "bob\n";
        assert_eq!(UserName::parse(text).is_ok(), trimmed_away, "{text:?}");
    }
    assert_eq!(UserName::parse(""), Err(BadName::Empty));
    assert!(UserName::parse(&"a".repeat(64)).is_ok());
    assert_eq!(UserName::parse(&"a".repeat(65)), Err(BadName::Long { len: 65, max: 64 }));
}

#[test]
fn a_task_is_written_with_its_workload_and_matched_without_case() {
    let name = QualifiedName::parse("Linux/Restart-Service").unwrap();
    assert_eq!(name.to_string(), "Linux\\Restart-Service");
    assert_eq!((name.scope(), name.name()), ("Linux", "Restart-Service"));
    let shouted = QualifiedName::parse("linux\\RESTART-service").unwrap();
    assert_eq!(shouted, name);
    let hash = |name: &QualifiedName| BuildHasherDefault::<DefaultHasher>::default().hash_one(name);
    assert_eq!(hash(&shouted), hash(&name), "what is equal hashes alike");
    assert_eq!(QualifiedName::parse("Restart-Service"), Err(BadName::Unqualified));
    for text in
        ["Linux\\", "\\x", "a\\b\\c", "Linux\\a b", "Linux\\..", "Linux/../x", "Linux\\-x", "Linux\\a*"]
    {
        assert!(QualifiedName::parse(text).is_err(), "{text}");
    }
}

#[test]
fn a_name_is_never_taken_for_an_id() {
    for text in ["usr-5", "USR-5", "grp-12", "42", "req-1"] {
        assert_eq!(UserName::parse(text), Err(BadName::LooksLikeAnId), "{text}");
        assert_eq!(GroupName::parse(text).map(drop), Err(BadName::LooksLikeAnId), "{text}");
    }
    for text in ["user-5", "bob-5", "usr-5a", "b42", "team-usr-5"] {
        assert!(UserName::parse(text).is_ok(), "{text}");
    }
}
