use std::path::Path;

use super::*;

type Variables<'a> = &'a [(&'a [u8], &'a [u8])];

fn launch(arguments: &[Vec<u8>]) -> Result<Launch, BadLaunch> {
    let executable = Executable::open(Path::new("/usr/bin/env")).unwrap();
    let (streams, _captured) = Streams::captured().unwrap();
    Launch::new(executable, arguments, streams)
}

fn with_environment(variables: Variables<'_>) -> Result<Launch, BadLaunch> {
    launch(&[]).and_then(|launch| launch.environment(variables.iter().copied()))
}

#[test]
fn the_path_is_the_first_argument_and_the_defaults_are_narrow() {
    let launch = launch(&[b"-x".to_vec()]).unwrap();
    assert_eq!(launch.instructions.arguments, [c"/usr/bin/env".to_owned(), c"-x".to_owned()]);
    assert_eq!(launch.instructions.umask, 0o077);
    assert!(launch.instructions.environment.is_empty());
}

#[test]
fn a_nul_is_refused_wherever_it_stands() {
    assert_eq!(
        launch(&[b"ok".to_vec(), b"a\0b".to_vec()]).unwrap_err(),
        BadLaunch::NulInArgument { index: 2 }
    );
    assert_eq!(
        with_environment(&[(b"A", b"x\0")]).unwrap_err(),
        BadLaunch::NulInVariable { name: "A".to_owned() }
    );
    assert!(matches!(with_environment(&[(b"A\0", b"x")]).unwrap_err(), BadLaunch::NulInVariable { .. }));
}

#[test]
fn a_variable_has_a_name_once() {
    for name in [&b""[..], b"A=B", b"="] {
        assert!(matches!(with_environment(&[(name, b"x")]).unwrap_err(), BadLaunch::VariableName { .. }));
    }
    assert_eq!(
        with_environment(&[(b"A", b"1"), (b"B", b"2"), (b"A", b"1")]).unwrap_err(),
        BadLaunch::VariableTwice { name: "A".to_owned() }
    );
}

#[test]
fn arguments_end_at_their_limits() {
    let path_bytes = "/usr/bin/env".len() + 1;
    let largest = Launch::ARGUMENTS_BYTES_MAX - path_bytes - 1;
    assert!(launch(&[vec![b'a'; largest]]).is_ok());
    let refusal = launch(&[vec![b'a'; largest + 1]]).unwrap_err();
    assert_eq!(
        refusal,
        BadLaunch::ArgumentsTooLong {
            bytes: Launch::ARGUMENTS_BYTES_MAX + 1,
            max: Launch::ARGUMENTS_BYTES_MAX
        }
    );
    assert!(launch(&vec![Vec::new(); Launch::ARGUMENTS_MAX - 1]).is_ok());
    let refusal = launch(&vec![Vec::new(); Launch::ARGUMENTS_MAX]).unwrap_err();
    assert!(matches!(refusal, BadLaunch::TooManyArguments { .. }), "{refusal}");
}

#[test]
fn the_environment_ends_at_its_limits() {
    let value = vec![b'a'; Launch::VARIABLES_BYTES_MAX - 3];
    assert!(with_environment(&[(b"A", &value)]).is_ok());
    let refusal = with_environment(&[(b"AB", &value)]).unwrap_err();
    assert!(matches!(refusal, BadLaunch::EnvironmentTooLong { .. }), "{refusal}");

    let names: Vec<_> = (0..=Launch::VARIABLES_MAX).map(|number| format!("V{number}").into_bytes()).collect();
    let variables: Vec<_> = names.iter().map(|name| (&name[..], &b""[..])).collect();
    assert!(with_environment(&variables[1..]).is_ok());
    let refusal = with_environment(&variables).unwrap_err();
    assert!(matches!(refusal, BadLaunch::TooManyVariables { .. }), "{refusal}");
}

#[test]
fn the_largest_launch_fits_its_message() {
    let count = Launch::ARGUMENTS_MAX - 1;
    let each = (Launch::ARGUMENTS_BYTES_MAX - 13) / count - 1;
    let mut launch = launch(&vec![vec![b'a'; each]; count]).unwrap();
    let names: Vec<_> = (0..Launch::VARIABLES_MAX).map(|number| format!("{number:03}")).collect();
    launch = launch.environment(names.iter().map(|name| (name, vec![b'a'; 123]))).unwrap();
    launch = launch.identity(Identity::new(1, 1, (0..1024).collect()));
    let bytes = launch.instructions.encode();
    assert!(bytes.len() <= Instructions::BYTES_MAX, "{}", bytes.len());
    assert_eq!(Instructions::decode(&bytes), Ok(launch.instructions));
}
