//! A decision in memory beside one look-up in a standard `HashMap` of as many keys.
//!
//! Both are measured as what somebody waits for who needs the answer before the next question: each question
//! depends on the answer before it, so that the processor cannot work on several at once.

use std::collections::HashMap;
use std::hint::black_box;

use brevet_core::{
    Access, AccessControl, Approval, Authorization, AuthorizationId, AuthorizationState, Binding, Digest,
    Limits, Live, OnExpiry, ParameterKind, ParameterName, ParameterSpec, Parameters, Policy, PolicyId,
    PolicyTerms, QualifiedName, Quorum, RequestId, Requesters, Secrets, Span, State, Task, TaskId, TaskSpec,
    Text, Timestamp, User, UserId, UserName, Value, may_run,
};

use super::Outcome;
use super::measure::{Dice, Sizes, float, median, seconds};
use super::table::{Bar, Line, Unit};

const NOW: Timestamp = Timestamp::from_micros(1_750_000_000_000_000);
const QUESTIONS: usize = 100_000;
/// Authorizations that one person holds.
const HELD: u32 = 10;

pub(crate) fn measure(sizes: &Sizes) -> Outcome {
    let [few, many] = sizes.authorizations;
    let few = World::new(u32::try_from(few)?, sizes.policies)?;
    let many = World::new(u32::try_from(many)?, sizes.policies)?;
    let mut times: [Vec<f64>; 6] = Default::default();
    for round in 0..sizes.rounds {
        let dice = Dice(round as u64);
        let taken = [
            few.look_up(&dice),
            few.decide(&dice, Given::Nothing),
            many.look_up(&dice),
            many.decide(&dice, Given::Nothing),
            many.decide(&dice, Given::OneValue),
            many.refuse(&dice),
        ];
        times.iter_mut().zip(taken).for_each(|(times, taken)| times.push(taken));
    }
    let [look_up_few, decide_few, look_up, decide, with_value, refused] = times.map(median);
    let one = "one HashMap look-up among as many";
    let line = |what: String, ours, limit, bar| {
        Line { what, limit_is: one, unit: Unit::Nanoseconds, ours, limit, bar }.print();
    };
    let policies = sizes.policies;
    line(format!("allowed, {} in force, {policies} policies", many.count), decide, look_up, Bar::AtMost(3.0));
    line(format!("allowed, {} in force, {policies} policies", few.count), decide_few, look_up_few, Bar::None);
    line("allowed, with a parameter value".to_owned(), with_value, look_up, Bar::None);
    line("refused, with the way out".to_owned(), refused, look_up, Bar::None);
    Line {
        what: format!("growth from {} to {} in force", few.count, many.count),
        limit_is: "growth of the look-up: caches only",
        unit: Unit::Times,
        ours: decide / decide_few,
        limit: look_up / look_up_few,
        bar: Bar::AtMost(1.0),
    }
    .print();
    Ok(())
}

#[derive(Debug, Clone, Copy)]
enum Given {
    Nothing,
    OneValue,
}

struct World {
    count: u32,
    state: State,
    names: Vec<QualifiedName>,
    keys: HashMap<(u32, u32), u64>,
    pairs: Vec<(u32, u32)>,
    policies: u32,
}

impl World {
    /// Every second task has a parameter; every person holds ten tasks.
    fn new(count: u32, policies: u32) -> Result<Self, Box<dyn std::error::Error>> {
        let names: Vec<QualifiedName> = (1..=policies)
            .map(|n| QualifiedName::new("Linux", &format!("Task-{n}")))
            .collect::<Result<_, _>>()?;
        let pairs = pairs(count, policies);
        let authorizations = (1..).zip(&pairs).map(|(id, (user, task))| authorization(id, *user, *task));
        let live = Live {
            access_control: AccessControl { enabled: true, ..AccessControl::default() },
            last: Some(NOW),
            users: (1..=count.div_ceil(HELD)).map(user).collect::<Result<_, _>>()?,
            tasks: (1..).zip(&names).map(|(id, name)| task(id, name)).collect::<Result<_, _>>()?,
            policies: (1..=policies).map(policy).collect(),
            authorizations: authorizations.collect(),
            ..Live::default()
        };
        let keys = (1..).zip(&pairs).map(|(id, pair)| (*pair, id)).collect();
        Ok(Self { count, state: State::from_live(live), names, keys, pairs, policies })
    }

    /// Nanoseconds for one look-up.
    fn look_up(&self, dice: &Dice) -> f64 {
        let pairs = self.questions(dice, Given::Nothing);
        let (taken, _) = seconds(|| {
            let mut last = 0;
            for (user, task) in &pairs {
                let found = self.keys.get(&(user + last, *task)).copied();
                last = always_zero(found.unwrap_or(0));
            }
            last
        });
        each(taken)
    }

    /// Nanoseconds for one decision that allows.
    fn decide(&self, dice: &Dice, given: Given) -> f64 {
        let pairs = self.questions(dice, given);
        let values = match given {
            Given::Nothing => Parameters::new(),
            Given::OneValue => values(),
        };
        self.time(&pairs, &values, true)
    }

    /// Nanoseconds for one decision that refuses: the person holds ten other tasks.
    fn refuse(&self, dice: &Dice) -> f64 {
        let mut pairs = self.questions(dice, Given::Nothing);
        for (_, task) in &mut pairs {
            // Two further on: a task without parameters again, which this person does not hold.
            *task = (*task + 1) % self.policies + 1;
        }
        self.time(&pairs, &Parameters::new(), false)
    }

    fn time(&self, pairs: &[(u32, u32)], values: &Parameters, expected: bool) -> f64 {
        let secrets = Secrets::new();
        let (taken, _) = seconds(|| {
            let mut last = 0;
            for (user, task) in pairs {
                let name = &self.names[*task as usize - 1];
                let answer = may_run(&self.state, NOW, UserId::new(user + last), name, values, &secrets);
                assert_eq!(answer.is_ok(), expected, "{answer:?}");
                last = always_zero(u64::from(answer.is_ok()));
            }
            last
        });
        each(taken)
    }

    /// Pairs in force, by chance; tasks with an even number have no parameter.
    fn questions(&self, dice: &Dice, given: Given) -> Vec<(u32, u32)> {
        let mut dice = dice.clone();
        let odd = matches!(given, Given::OneValue);
        let pair = std::iter::repeat_with(|| {
            self.pairs[usize::try_from(dice.below(self.pairs.len() as u64)).unwrap_or(0)]
        });
        pair.filter(|(_, task)| (task % 2 == 1) == odd).take(QUESTIONS).collect()
    }
}

/// What every answer turns into, which the compiler cannot know.
fn always_zero(answer: u64) -> u32 {
    u32::try_from(black_box(answer) >> 62).unwrap_or(0)
}

fn each(seconds: f64) -> f64 {
    seconds * 1e9 / float(QUESTIONS as u64)
}

/// Ten tasks for each person, far apart in the catalog and never two in a row.
fn pairs(count: u32, policies: u32) -> Vec<(u32, u32)> {
    let task = |user: u32, place: u32| (user * 7 + place * (policies / HELD + 1)) % policies + 1;
    (0..count).map(|n| (n / HELD + 1, task(n / HELD + 1, n % HELD))).collect()
}

fn user(number: u32) -> Result<User, Box<dyn std::error::Error>> {
    Ok(User {
        id: UserId::new(number),
        name: Some(UserName::parse(&format!("person-{number}"))?),
        display_name: Text::default(),
        email: Text::default(),
        owner: None,
        administrator: false,
        auditor: false,
        active: true,
        sign_in: brevet_core::SignInLock::default(),
        groups: Vec::new(),
    })
}

fn task(number: u32, name: &QualifiedName) -> Result<Task, Box<dyn std::error::Error>> {
    let parameters = if number % 2 == 1 { vec![parameter()?] } else { Vec::new() };
    let spec = TaskSpec {
        name: name.clone(),
        description: "Something privileged".into(),
        parameters,
        command: vec!["/usr/bin/true".into()],
        run_as: Some("root".into()),
        timeout: Span::minutes(1),
        on_expiry: OnExpiry::Stop,
        digest: Digest([7; 32]),
        witnessed: None,
    };
    Ok(Task { id: TaskId::new(number), spec, enabled: true })
}

fn parameter() -> Result<ParameterSpec, Box<dyn std::error::Error>> {
    let choices = ["nginx.service", "postgresql.service"];
    Ok(ParameterSpec {
        name: ParameterName::parse("unit")?,
        kind: ParameterKind::Text,
        list: false,
        required: true,
        default: None,
        secret: false,
        description: String::new(),
        limits: Limits { one_of: choices.map(|unit| Value::Text(unit.into())).into(), ..Limits::default() },
    })
}

fn values() -> Parameters {
    let name = ParameterName::parse("unit").ok();
    name.into_iter().map(|name| (name, Value::Text("postgresql.service".into()))).collect()
}

fn policy(number: u32) -> Policy {
    let terms = PolicyTerms::new(Approval::Manual(Quorum::default_group()), Requesters::Anyone);
    let PolicyTerms { approval, requesters, maximum_duration, pending_lifetime, start, max_uses, binding } =
        terms;
    Policy {
        id: PolicyId::new(number),
        revision: 1,
        access: Access::Task(TaskId::new(number)),
        approval,
        requesters,
        maximum_duration,
        pending_lifetime,
        start,
        max_uses,
        binding,
    }
}

fn authorization(id: u64, user: u32, task: u32) -> Authorization {
    Authorization {
        id: AuthorizationId::new(id),
        holder: UserId::new(user),
        access: Access::Task(TaskId::new(task)),
        digest: Digest([7; 32]),
        bound: Parameters::new(),
        policy: PolicyId::new(task),
        request: RequestId::new(id),
        granted: NOW,
        uses: 0,
        max_uses: None,
        state: AuthorizationState::Active { start: NOW, end: NOW.plus(Span::hours(4)) },
        binding: Binding::Open,
    }
}
