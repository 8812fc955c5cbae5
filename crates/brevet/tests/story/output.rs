//! What a task writes, byte for byte.

use crate::support::dice::Dice;
use crate::support::place::write_private;
use crate::support::stage::Stage;

#[test]
fn a_megabyte_of_any_bytes_comes_through_pipes_as_it_is() {
    let stage = Stage::with_policy("Linux/Blob", "");
    let mut dice = Dice::new(7);
    let bytes: Vec<u8> = (0..(1 << 20) / 8).flat_map(|_| dice.next().to_le_bytes()).collect();
    write_private(&stage.place.site("blob"), &bytes);
    stage.grant("bob", "--task Linux/Blob");
    let ran = stage.person("bob").run(&stage.server, &["run", "Linux/Blob"]);
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
    assert!(ran.stdout == bytes, "{} bytes of {}", ran.stdout.len(), bytes.len());
    let id = stage.asks("bob", "execution list --mine")[0]["id"].as_str().unwrap().to_owned();
    let again = stage.person("bob").run(&stage.server, &["execution", "output", &id]);
    assert!(again.stdout == bytes, "the recording is something else");
}

#[test]
fn output_and_error_stay_apart() {
    let stage = Stage::with_policy("Linux/Both", "");
    stage.grant("bob", "--task Linux/Both");
    let (output, errors) = stage.types("bob", "run Linux/Both", 0);
    assert_eq!((output.as_str(), errors.as_str()), ("out\n", "err\n"));
}

#[test]
fn the_output_of_a_detached_run_is_kept() {
    let stage = Stage::with_policy("Linux/Both", "");
    stage.grant("bob", "--task Linux/Both");
    stage.types("bob", "run Linux/Both --detach", 0);
    let id = stage.asks("bob", "execution list --mine")[0]["id"].as_str().unwrap().to_owned();
    let (output, _) = stage.types("bob", &format!("execution output {id}"), 0);
    assert_eq!(output, "out\n");
    stage.types("carol", &format!("execution output {id}"), 1);
}
