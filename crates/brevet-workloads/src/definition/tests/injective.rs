//! The bytes that are hashed belong to one definition only: they can be read back.

use std::collections::BTreeMap;
use std::path::PathBuf;

use brevet_core::{
    Digest, Limits, OnExpiry, ParameterKind, ParameterName, ParameterSpec, Pattern, QualifiedName, Span,
    TaskSpec, Value,
};
use proptest::prelude::{Just, Strategy, any, prop, prop_oneof, proptest};

use super::super::digest::{TASK_V1, encode};
use super::super::task::CommandTask;
use super::super::template::{Part, Template};

/// Reads the encoding back; the second half of the proof that it is injective.
struct Decoder<'a>(&'a [u8]);

impl<'a> Decoder<'a> {
    fn raw<const N: usize>(&mut self) -> [u8; N] {
        let (head, rest) = self.0.split_first_chunk().expect("more bytes");
        self.0 = rest;
        *head
    }

    fn number(&mut self) -> u64 {
        u64::from_be_bytes(self.raw())
    }

    fn choice(&mut self) -> u8 {
        let [choice] = self.raw();
        choice
    }

    fn flag(&mut self) -> bool {
        match self.choice() {
            0 => false,
            1 => true,
            other => panic!("{other} is no flag"),
        }
    }

    fn text(&mut self) -> String {
        let length = usize::try_from(self.number()).unwrap();
        let (text, rest) = self.0.split_at(length);
        self.0 = rest;
        String::from_utf8(text.to_vec()).unwrap()
    }

    fn name(&mut self) -> ParameterName {
        ParameterName::parse(&self.text()).unwrap()
    }

    fn option<T>(&mut self, read: impl FnOnce(&mut Self) -> T) -> Option<T> {
        self.flag().then(|| read(self))
    }

    fn list<T>(&mut self, read: impl Fn(&mut Self) -> T) -> Vec<T> {
        (0..self.number()).map(|_| read(self)).collect()
    }

    fn task(bytes: &'a [u8]) -> CommandTask {
        let mut decoder = Decoder(bytes.strip_prefix(TASK_V1.as_bytes()).unwrap());
        assert_eq!(decoder.text(), "command");
        let task = CommandTask {
            spec: decoder.spec(),
            program: PathBuf::from(decoder.text()),
            sha256: decoder.option(|d| Digest(d.raw())),
            arguments: decoder.list(Self::template),
            stdin: decoder.option(Self::name),
            environment: decoder.list(|d| (d.text(), d.text())).into_iter().collect(),
            directory: PathBuf::from(decoder.text()),
            umask: u32::try_from(decoder.number()).unwrap(),
            output_limit: decoder.number(),
        };
        assert!(decoder.0.is_empty());
        task
    }

    fn spec(&mut self) -> TaskSpec {
        TaskSpec {
            name: QualifiedName::parse(&self.text()).unwrap(),
            description: self.text(),
            parameters: self.list(Self::parameter),
            command: self.list(Self::text),
            run_as: self.option(Self::text),
            timeout: Span::from_micros(i64::try_from(self.number()).unwrap()).unwrap(),
            on_expiry: if self.flag() { OnExpiry::Finish } else { OnExpiry::Stop },
            witnessed: self.flag().then_some(true),
            digest: Digest([0; 32]),
        }
    }

    fn template(&mut self) -> Template {
        Template(self.list(|d| if d.flag() { Part::Parameter(d.name()) } else { Part::Literal(d.text()) }))
    }

    fn parameter(&mut self) -> ParameterSpec {
        ParameterSpec {
            name: self.name(),
            kind: [ParameterKind::Text, ParameterKind::Integer, ParameterKind::Boolean]
                [usize::from(self.choice())],
            list: self.flag(),
            required: self.flag(),
            default: self.option(Self::value),
            secret: self.flag(),
            description: self.text(),
            limits: Limits {
                one_of: self.list(Self::value),
                pattern: self.option(|d| Pattern::parse(&d.text()).unwrap()),
                min: self.option(|d| i64::from_be_bytes(d.raw())),
                max: self.option(|d| i64::from_be_bytes(d.raw())),
                min_length: self.option(|d| u32::try_from(d.number()).unwrap()),
                max_length: self.option(|d| u32::try_from(d.number()).unwrap()),
                allow_leading_dash: self.flag(),
            },
        }
    }

    fn value(&mut self) -> Value {
        match self.choice() {
            0 => Value::Text(self.text()),
            1 => Value::Integer(i64::from_be_bytes(self.raw())),
            2 => Value::Boolean(self.flag()),
            _ => Value::List(self.list(Self::value)),
        }
    }
}

fn text() -> impl Strategy<Value = String> {
    // Few letters, so that neighbouring fields can look alike when they are run together.
    "[ab{}\u{0}\u{1}]{0,4}"
}

fn name() -> impl Strategy<Value = ParameterName> {
    "[ab]{1,2}".prop_map(|text| ParameterName::parse(&text).unwrap())
}

fn list<S: Strategy>(of: S) -> impl Strategy<Value = Vec<S::Value>> {
    prop::collection::vec(of, 0..3)
}

fn option<S: Strategy>(of: S) -> impl Strategy<Value = Option<S::Value>> {
    prop::option::of(of)
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = || {
        prop_oneof![
            text().prop_map(Value::Text),
            any::<i64>().prop_map(Value::Integer),
            any::<bool>().prop_map(Value::Boolean)
        ]
    };
    prop_oneof![leaf(), list(leaf()).prop_map(Value::List)]
}

fn limits() -> impl Strategy<Value = Limits> {
    let pattern = option("[ab]{0,2}".prop_map(|text| Pattern::parse(&text).unwrap()));
    let numbers = (option(any::<i64>()), option(any::<i64>()), option(any::<u32>()), option(any::<u32>()));
    (list(value()), pattern, numbers, any::<bool>()).prop_map(
        |(one_of, pattern, (min, max, min_length, max_length), allow_leading_dash)| Limits {
            one_of,
            pattern,
            min,
            max,
            min_length,
            max_length,
            allow_leading_dash,
        },
    )
}

fn parameter() -> impl Strategy<Value = ParameterSpec> {
    let kind =
        prop_oneof![Just(ParameterKind::Text), Just(ParameterKind::Integer), Just(ParameterKind::Boolean)];
    let flags = (any::<bool>(), any::<bool>(), any::<bool>());
    (name(), kind, flags, option(value()), text(), limits()).prop_map(
        |(name, kind, (list, required, secret), default, description, limits)| ParameterSpec {
            name,
            kind,
            list,
            required,
            default,
            secret,
            description,
            limits,
        },
    )
}

fn template() -> impl Strategy<Value = Template> {
    list(prop_oneof![text().prop_map(Part::Literal), name().prop_map(Part::Parameter)]).prop_map(Template)
}

fn spec() -> impl Strategy<Value = TaskSpec> {
    let name = "[ab]{1,2}/[ab]{1,2}".prop_map(|text| QualifiedName::parse(&text).unwrap());
    let on_expiry = prop_oneof![Just(OnExpiry::Stop), Just(OnExpiry::Finish)];
    let timeout = (1..1000_i64).prop_map(|micros| Span::from_micros(micros).unwrap());
    let then = (on_expiry, any::<bool>());
    (name, text(), list(parameter()), list(text()), option(text()), timeout, then).prop_map(
        |(name, description, parameters, command, run_as, timeout, (on_expiry, witnessed))| TaskSpec {
            name,
            description,
            parameters,
            command,
            run_as,
            timeout,
            on_expiry,
            digest: Digest([0; 32]),
            witnessed: witnessed.then_some(true),
        },
    )
}

fn task() -> impl Strategy<Value = CommandTask> {
    let paths = (text(), text());
    let environment = list((text(), text())).prop_map(|pairs| pairs.into_iter().collect::<BTreeMap<_, _>>());
    let sha256 = option(any::<[u8; 32]>().prop_map(Digest));
    let numbers = (any::<u32>(), any::<u64>());
    (spec(), paths, sha256, list(template()), option(name()), environment, numbers).prop_map(
        |(spec, (program, directory), sha256, arguments, stdin, environment, (umask, output_limit))| {
            CommandTask {
                spec,
                program: program.into(),
                sha256,
                arguments,
                stdin,
                environment,
                directory: directory.into(),
                umask,
                output_limit,
            }
        },
    )
}

proptest! {
    #[test]
    fn a_definition_can_be_read_back_from_the_bytes_that_are_hashed(task in task()) {
        assert_eq!(Decoder::task(&encode(&task)), task);
    }
}
