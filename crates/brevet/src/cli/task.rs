//! `brevet task`, `brevet role`, `brevet role-group`: what there is to run and to ask for.

use brevet_wire::{OnExpiry, Parameter, ParameterType, Role, RoleGroup, Task, Value};
use clap::Subcommand;

use super::client::qualified;
use super::console::{Show, View};
use super::context::Context;
use super::exit::{Done, Failure};
use super::table::{Row, Sheet, Shown, Tone, plain, toned};

#[derive(Debug, Subcommand)]
pub(crate) enum TaskCommand {
    /// List the tasks, and which of them you can run now
    #[command(after_help = "Example:\n  brevet task list --runnable")]
    List {
        /// Only those of this workload
        #[arg(long, value_name = "WORKLOAD")]
        scope: Option<String>,
        /// Only those that you can run now
        #[arg(long)]
        runnable: bool,
    },
    /// Show a task: what it runs, with which inputs, and whether you can
    #[command(after_help = "Example:\n  brevet task show Linux/Restart-Service")]
    Show {
        /// As Scope/Name
        task: String,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum RoleCommand {
    /// List the roles
    #[command(after_help = "Example:\n  brevet role list")]
    List,
    /// Show a role and its tasks
    #[command(after_help = "Example:\n  brevet role show Linux/Web-Operators")]
    Show {
        /// As Scope/Name
        role: String,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum RoleGroupCommand {
    /// List the role groups
    #[command(after_help = "Example:\n  brevet role-group list")]
    List,
    /// Show a role group and its roles
    #[command(after_help = "Example:\n  brevet role-group show Linux/Operators")]
    Show {
        /// As Scope/Name
        role_group: String,
    },
}

pub(super) async fn run_task(context: &mut Context, command: TaskCommand) -> Result<Done, Failure> {
    match command {
        TaskCommand::Show { task } => context.show::<Task>(&format!("/tasks/{}", qualified(&task)?)).await,
        TaskCommand::List { scope, runnable } => {
            let mut listed = context.list::<Task>("/tasks", &[], 0).await?;
            let wanted = |task: &Task| {
                (!runnable || task.may_run)
                    && scope.as_ref().is_none_or(|scope| task.scope.eq_ignore_ascii_case(scope))
            };
            let keep: Vec<bool> = listed.items.iter().map(wanted).collect();
            let mut kept = keep.iter();
            listed.items.retain(|_| kept.next().is_some_and(|keep| *keep));
            let mut kept = keep.iter();
            listed.answered.retain(|_| kept.next().is_some_and(|keep| *keep));
            let none = match runnable {
                true => {
                    "There is no task that you can run now. 'brevet task list' shows what you can ask for."
                }
                false => {
                    "No tasks. They are defined in files on the server, in the folder given with --tasks."
                }
            };
            context.console.list(&listed.items, &listed.answered, none)?;
            Ok(Done::Well)
        }
    }
}

pub(super) async fn run_role(context: &mut Context, command: RoleCommand) -> Result<Done, Failure> {
    match command {
        RoleCommand::Show { role } => context.show::<Role>(&format!("/roles/{}", qualified(&role)?)).await,
        RoleCommand::List => {
            let listed = context.list::<Role>("/roles", &[], 0).await?;
            let none = "No roles. They are defined in files on the server, beside the tasks.";
            context.console.list(&listed.items, &listed.answered, none)?;
            Ok(Done::Well)
        }
    }
}

pub(super) async fn run_role_group(
    context: &mut Context,
    command: RoleGroupCommand,
) -> Result<Done, Failure> {
    match command {
        RoleGroupCommand::Show { role_group } => {
            context.show::<RoleGroup>(&format!("/role-groups/{}", qualified(&role_group)?)).await
        }
        RoleGroupCommand::List => {
            let listed = context.list::<RoleGroup>("/role-groups", &[], 0).await?;
            let none = "No role groups. They are defined in files on the server, beside the tasks.";
            context.console.list(&listed.items, &listed.answered, none)?;
            Ok(Done::Well)
        }
    }
}

impl Row for Task {
    const HEADS: &'static [&'static str] = &["TASK", "DESCRIPTION", "POLICY", "YOU"];

    fn row(&self, view: &View) -> Vec<Shown> {
        vec![
            plain(&self.name),
            plain(&self.description),
            plain(self.policy.as_deref().unwrap_or("-")),
            you(self, view),
        ]
    }
}

/// What whoever asks can do with it.
fn you(task: &Task, view: &View) -> Shown {
    match (task.enabled, task.may_run, task.may_ask, task.until) {
        (false, ..) => toned("not defined any more", Tone::Quiet),
        (true, true, _, Some(until)) => {
            toned(format!("can run it, ends {}", view.clock.relative(until)), Tone::Good)
        }
        (true, true, _, None) => toned("can run it", Tone::Good),
        (true, false, true, _) => toned("can ask", Tone::Waiting),
        (true, false, false, _) => toned("no", Tone::Quiet),
    }
}

impl Show for Task {
    fn show(&self, view: &View) -> String {
        let expiry = match self.on_expiry {
            OnExpiry::Stop => "it is ended",
            OnExpiry::Finish => "it may finish",
        };
        let sheet = Sheet::default()
            .line("Task", format!("{} ({})", self.name, self.id))
            .maybe("Description", Some(self.description.as_str()))
            .line("Runs", self.command.join(" "))
            .maybe("As", self.run_as.as_deref())
            .line("May take", &self.timeout)
            .line("When time is up", expiry)
            .maybe("Waits for", self.witnessed.then_some("witnesses who have seen that it was allowed"))
            .maybe("Roles", Some(self.roles.join(", ")))
            .line("Policy", self.policy.as_deref().unwrap_or("none covers it"))
            .shown("You", you(self, view))
            .maybe("Under", self.authorization.as_deref())
            .line("Digest", &self.digest);
        if self.parameters.is_empty() {
            return sheet.line("Parameters", "none").text(view);
        }
        let mut text = sheet.text(view);
        text.push_str("\n\n");
        text.push_str(&super::table::table(&self.parameters, view));
        text
    }
}

impl Row for Parameter {
    const HEADS: &'static [&'static str] = &["PARAMETER", "TYPE", "NEEDED", "VALUES", "DESCRIPTION"];

    fn row(&self, _: &View) -> Vec<Shown> {
        let needed = match (&self.default, self.required) {
            (Some(default), _) => format!("no, {default} when left out"),
            (None, true) => "yes".into(),
            (None, false) => "no".into(),
        };
        vec![
            plain(&self.name),
            plain(kind(self)),
            plain(needed),
            plain(values(self)),
            plain(&self.description),
        ]
    }
}

fn kind(parameter: &Parameter) -> String {
    let kind = match parameter.kind {
        ParameterType::String => "string",
        ParameterType::Integer => "integer",
        ParameterType::Boolean => "boolean",
    };
    match (parameter.secret, parameter.list) {
        (true, _) => format!("secret {kind}"),
        (false, true) => format!("list of {kind}"),
        (false, false) => kind.into(),
    }
}

/// What values must satisfy, in words.
fn values(parameter: &Parameter) -> String {
    let mut rules = Vec::new();
    if !parameter.one_of.is_empty() {
        rules.push(parameter.one_of.iter().map(Value::to_string).collect::<Vec<_>>().join(", "));
    }
    rules.extend(parameter.pattern.as_ref().map(|pattern| format!("matching {pattern}")));
    rules.extend(match (parameter.min, parameter.max) {
        (Some(min), Some(max)) => Some(format!("{min} to {max}")),
        (Some(min), None) => Some(format!("{min} or more")),
        (None, Some(max)) => Some(format!("{max} or less")),
        (None, None) => None,
    });
    rules.extend(match (parameter.min_length, parameter.max_length) {
        (Some(min), Some(max)) => Some(format!("{min} to {max} characters")),
        (Some(min), None) => Some(format!("{min} or more characters")),
        (None, Some(max)) => Some(format!("at most {max} characters")),
        (None, None) => None,
    });
    match rules.is_empty() {
        true => "any".into(),
        false => rules.join("; "),
    }
}

macro_rules! named_set {
    ($type:ty, $label:literal, $head:literal, $parts:ident, $parts_label:literal) => {
        impl Row for $type {
            const HEADS: &'static [&'static str] = &[$head, "DESCRIPTION", $parts_label, "POLICY", "YOU"];

            fn row(&self, _: &View) -> Vec<Shown> {
                vec![
                    plain(&self.name),
                    plain(&self.description),
                    plain(self.$parts.join(", ")),
                    plain(self.policy.as_deref().unwrap_or("-")),
                    set_you(self.enabled, self.may_ask),
                ]
            }
        }

        impl Show for $type {
            fn show(&self, view: &View) -> String {
                Sheet::default()
                    .line($label, format!("{} ({})", self.name, self.id))
                    .maybe("Description", Some(self.description.as_str()))
                    .line("Has", self.$parts.join("\n"))
                    .line("Policy", self.policy.as_deref().unwrap_or("none"))
                    .shown("You", set_you(self.enabled, self.may_ask))
                    .line("Digest", &self.digest)
                    .text(view)
            }
        }
    };
}
named_set!(Role, "Role", "ROLE", tasks, "TASKS");
named_set!(RoleGroup, "Role group", "ROLE GROUP", roles, "ROLES");

fn set_you(enabled: bool, may_ask: bool) -> Shown {
    match (enabled, may_ask) {
        (false, _) => toned("not defined any more", Tone::Quiet),
        (true, true) => toned("can ask", Tone::Waiting),
        (true, false) => toned("no", Tone::Quiet),
    }
}
