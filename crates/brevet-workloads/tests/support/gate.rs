//! A gate that lets one person run tasks: permits come from the core, as they do in the server.

use std::collections::BTreeMap;

use brevet_core::{
    Access, CatalogDefinition, Command, NewUser, Origin, ParameterName, Parameters, Permit, Principal,
    QualifiedName, Reply, RunOrder, Secret, Secrets, SessionId, State, Text, Timestamp, UserId, UserName,
    Value, transact,
};

/// A state with one administrator, who is assigned to every task, access control off.
pub(crate) struct Gate {
    state: State,
    user: UserId,
    entries: u64,
}

impl Gate {
    pub(crate) fn new(definition: CatalogDefinition) -> Self {
        let mut gate = Self { state: State::default(), user: UserId::new(1), entries: 0 };
        let new = NewUser {
            name: UserName::parse("alice").unwrap(),
            display_name: Text::default(),
            email: Text::default(),
            owner: None,
            administrator: true,
            auditor: false,
        };
        let Reply::User(user) = gate.tell(Origin::SYSTEM, Command::SetUp(new)) else { panic!("a user") };
        gate.user = user;
        gate.define(definition);
        gate
    }

    /// Takes other definitions, and assigns the user to every task that is new.
    pub(crate) fn define(&mut self, definition: CatalogDefinition) {
        let before = self.state.catalog().tasks().len();
        self.tell(Origin::SYSTEM, Command::DefineCatalog(definition));
        let new: Vec<_> = self.state.catalog().tasks()[before..].iter().map(|task| task.id).collect();
        for task in new {
            let assign =
                Command::AddAssignment { principal: Principal::User(self.user), access: Access::Task(task) };
            self.tell(self.origin(), assign);
        }
    }

    /// A permit for `Linux\task`, as if its entry were durable.
    pub(crate) fn permit(
        &mut self,
        task: &str,
        values: &[(&str, Value)],
        secrets: &[(&str, &str)],
    ) -> Permit {
        let name = |text: &str| ParameterName::parse(text).unwrap();
        let order = RunOrder {
            task: QualifiedName::new("Linux", task).unwrap(),
            parameters: values.iter().map(|(key, value)| (name(key), value.clone())).collect::<Parameters>(),
            secrets: secrets
                .iter()
                .map(|(key, text)| (name(key), Secret::new((*text).to_owned())))
                .collect::<BTreeMap<_, _>>() as Secrets,
        };
        let (now, origin) = (Timestamp::from_micros(1), self.origin());
        let outcome = transact(&mut self.state, now, origin, Command::Run(order)).unwrap();
        self.entries += 1;
        outcome.draft.expect("a run has a draft").recorded(self.entries)
    }

    fn origin(&self) -> Origin {
        Origin::user(self.user, SessionId::new(1))
    }

    fn tell(&mut self, origin: Origin, command: Command) -> Reply {
        transact(&mut self.state, Timestamp::from_micros(1), origin, command).unwrap().reply
    }
}
