use super::{Control, Piece, Wanted, command, fields, parameters, secrets, written};
use crate::form::Form;
use brevet_wire::{Parameters, Task, Value};

fn task() -> Task {
    let parameter = |name: &str, kind: &str, more: serde_json::Value| {
        let mut parameter = serde_json::json!({
            "name": name, "type": kind, "list": false, "required": true, "default": null, "secret": false,
            "description": "", "one_of": [], "pattern": null, "min": null, "max": null, "min_length": null,
            "max_length": null, "allow_leading_dash": false,
        });
        let more = more.as_object().unwrap().clone();
        parameter.as_object_mut().unwrap().extend(more);
        parameter
    };
    serde_json::from_value(serde_json::json!({
        "id": "tsk-1", "name": "Linux\\Try", "scope": "Linux", "description": "", "run_as": null,
        "timeout": "1m", "timeout_seconds": 60, "on_expiry": "stop", "witnessed": false, "digest": "",
        "enabled": true, "roles": [], "policy": null, "may_run": true, "may_ask": true, "authorization": null,
        "until": null, "command": ["try", "--unit={unit}:{lines}", "{{unit}}", "{hosts}", "{other"],
        "parameters": [
            parameter("unit", "string", serde_json::json!({})),
            parameter("lines", "integer", serde_json::json!({"default": 10, "min": 1})),
            parameter("hosts", "string", serde_json::json!({"list": true, "required": false})),
            parameter("force", "boolean", serde_json::json!({"required": false})),
            parameter("password", "string", serde_json::json!({"secret": true})),
        ],
    }))
    .unwrap()
}

fn form(fields: &[(&str, &str)]) -> Form {
    fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

#[test]
fn what_is_left_empty_is_not_named_and_a_list_has_a_value_on_each_line() {
    let form = form(&[
        ("p.unit", " a "),
        ("p.lines", "  "),
        ("p.hosts", "x\r\n\r\ny"),
        ("p.hosts", "z"),
        ("p.password", "no"),
        ("p.unknown", "1"),
        ("s.password", " s "),
    ]);
    let named = parameters(&task(), &form);
    let hosts = Value::List(vec![text("x"), text("y"), text("z")]);
    assert_eq!(named, Parameters::from([("unit".to_owned(), text(" a ")), ("hosts".to_owned(), hosts)]));
    let secrets = secrets(&task(), &form);
    assert_eq!(secrets.len(), 1);
    secrets["password"].reveal(|secret| assert_eq!(secret, " s "));
    let hosts: Vec<_> = written(&named).into_iter().filter(|(name, _)| name == "p.hosts").collect();
    assert_eq!(hosts.len(), 3);
}

#[test]
fn a_request_is_never_asked_for_a_secret_nor_a_run_for_what_is_bound() {
    let task = task();
    let names = |wanted| -> Vec<_> {
        let fields = fields(&task, wanted, &form(&[("s.password", "hunter2")]), None);
        assert!(fields.iter().all(|field| !field.value().contains("hunter2")));
        fields.iter().map(|field| (field.parameter.name.as_str(), field.control, field.required)).collect()
    };
    let (unit, lines, hosts, force) = ("unit", "lines", "hosts", "force");
    let ask = [
        (unit, Control::Line, false),
        (lines, Control::Number, false),
        (hosts, Control::Lines, false),
        (force, Control::Choice, false),
    ];
    assert_eq!(names(Wanted::Bind { exact: false }), ask);
    assert!(names(Wanted::Bind { exact: true })[0].2);
    let bound = Parameters::from([(unit.to_owned(), text("web"))]);
    let run = names(Wanted::Run { bound: &bound, exact: true });
    assert_eq!(run, [(unit, Control::Fixed, false), ("password", Control::Secret, true)]);
    assert_eq!(names(Wanted::Run { bound: &bound, exact: false }).len(), 5);
}

#[test]
fn a_command_keeps_values_apart_from_what_is_always_so() {
    let values = Parameters::from([("unit".to_owned(), text("{lines}"))]);
    let of = |parameter: &str, value: Option<&str>| Piece::Of {
        parameter: parameter.to_owned(),
        value: value.map(str::to_owned),
    };
    let plain = |text: &str| Piece::Plain(text.to_owned());
    assert_eq!(
        command(&task(), &values),
        [
            vec![plain("try")],
            vec![plain("--unit="), of("unit", Some("{lines}")), plain(":"), of("lines", None)],
            vec![plain("{{unit}}")],
            vec![of("hosts", None)],
            vec![plain("{other")],
        ]
    );
}
