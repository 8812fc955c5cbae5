use super::{
    BadValue, Limits, ParameterKind, ParameterSpec, Parameters, Pattern, Secret, Secrets, Value, check_bound,
    check_run,
};
use crate::name::ParameterName;

fn text(value: &str) -> Value {
    Value::Text(value.to_owned())
}

fn name(text: &str) -> ParameterName {
    ParameterName::parse(text).unwrap()
}

fn spec(kind: ParameterKind, limits: Limits) -> ParameterSpec {
    ParameterSpec {
        name: name("p"),
        kind,
        list: false,
        required: true,
        default: None,
        secret: false,
        description: String::new(),
        limits,
    }
}

#[test]
fn a_pattern_matches_the_whole_value_or_not_at_all() {
    let limits = Limits { pattern: Some(Pattern::parse("HR_[a-z]+|IT").unwrap()), ..Limits::default() };
    let spec = spec(ParameterKind::Text, limits);
    for (value, fits) in
        [("HR_ab", true), ("IT", true), ("xHR_ab", false), ("HR_ab\n", false), ("ITx", false), ("", false)]
    {
        assert_eq!(spec.check(&text(value)).is_ok(), fits, "{value:?}");
    }
    assert!(Pattern::parse("a)|(b").is_err(), "must not escape its anchors");
    assert!(Pattern::parse("(").is_err());
    assert!(Pattern::parse(&"a".repeat(513)).is_err());
    assert!(Pattern::parse("((a{100}){100}){100}").is_err(), "a compiled pattern has a limit");
}

#[test]
fn what_would_be_an_option_or_end_an_argument_is_refused() {
    let spec = spec(ParameterKind::Text, Limits::default());
    assert_eq!(spec.check(&text("-rf")), Err(BadValue::LeadingDash));
    assert_eq!(spec.check(&text("a\0b")), Err(BadValue::Nul));
    assert_eq!(spec.check(&text("a-rf; $(x) `y` 'z' \"&|<>\n")), Ok(()), "no shell reads it");
    let allowed = ParameterSpec { limits: Limits { allow_leading_dash: true, ..Limits::default() }, ..spec };
    assert_eq!(allowed.check(&text("-rf")), Ok(()));
}

#[test]
fn numbers_keep_their_range_and_types_do_not_mix() {
    let limits = Limits { min: Some(1), max: Some(10), ..Limits::default() };
    let spec = spec(ParameterKind::Integer, limits);
    for (value, fits) in [(0, false), (1, true), (10, true), (11, false), (i64::MIN, false)] {
        assert_eq!(spec.check(&Value::Integer(value)).is_ok(), fits, "{value}");
    }
    assert!(matches!(spec.check(&text("5")), Err(BadValue::Type { .. })));
    let free = ParameterSpec { limits: Limits::default(), ..spec };
    assert_eq!(free.check(&Value::Integer(-1)), Err(BadValue::LeadingDash));
}

#[test]
fn lengths_count_characters() {
    let limits = Limits { min_length: Some(2), max_length: Some(3), ..Limits::default() };
    let spec = spec(ParameterKind::Text, limits);
    for (value, fits) in [("ü", false), ("üü", true), ("üüü", true), ("üüüü", false)] {
        assert_eq!(spec.check(&text(value)).is_ok(), fits, "{value}");
    }
}

#[test]
fn a_list_checks_each_value_and_refuses_a_comma() {
    let limits = Limits { one_of: vec![text("a"), text("b")], ..Limits::default() };
    let spec = ParameterSpec { list: true, ..spec(ParameterKind::Text, limits) };
    assert_eq!(spec.check(&Value::List(vec![text("a"), text("b")])), Ok(()));
    assert!(matches!(spec.check(&Value::List(vec![text("c")])), Err(BadValue::NotOneOf { .. })));
    assert_eq!(spec.check(&Value::List(vec![text("a,b")])), Err(BadValue::Comma));
    assert!(spec.check(&Value::List(vec![text("a"); 101])).is_err());
    assert!(spec.check(&text("a")).is_err());
    assert!(spec.check(&Value::List(vec![Value::List(vec![])])).is_err(), "no lists of lists");
}

#[test]
fn every_problem_is_named_at_once() {
    let specs = [spec(ParameterKind::Integer, Limits::default())];
    let given = Parameters::from([(name("x"), text("1")), (name("p"), text("1"))]);
    let problems = check_run(&specs, &given, &Secrets::new()).unwrap_err();
    assert_eq!(problems.0.len(), 2);
    assert!(problems.to_string().contains("parameter 'x' the task has no such parameter"), "{problems}");
}

#[test]
fn a_secret_is_given_to_the_run_alone_and_never_comes_back() {
    let secret = ParameterSpec { secret: true, ..spec(ParameterKind::Text, Limits::default()) };
    let specs = [secret];
    let open = Parameters::from([(name("p"), text("s3cret"))]);
    assert_eq!(check_bound(&specs, &open).unwrap_err().0[0].1, BadValue::SecretInRequest);
    assert!(check_run(&specs, &open, &Secrets::new()).is_err());
    let secrets = Secrets::from([(name("p"), Secret::new("s3cret".into()))]);
    assert_eq!(check_run(&specs, &Parameters::new(), &secrets), Ok(Parameters::new()));
    let problem =
        check_run(&specs, &Parameters::new(), &Secrets::from([(name("p"), Secret::new("-s3cret".into()))]));
    assert!(!problem.unwrap_err().to_string().contains("s3cret"));
    assert_eq!(format!("{:?}", Secret::new("s3cret".into())), "Secret(…)");
}

#[test]
fn defaults_are_added_to_a_run_and_not_to_a_request() {
    let optional = ParameterSpec {
        required: false,
        default: Some(Value::Integer(7)),
        ..spec(ParameterKind::Integer, Limits::default())
    };
    let specs = [optional];
    assert_eq!(
        check_run(&specs, &Parameters::new(), &Secrets::new()),
        Ok(Parameters::from([(name("p"), Value::Integer(7))]))
    );
    assert_eq!(check_bound(&specs, &Parameters::new()), Ok(()));
}
