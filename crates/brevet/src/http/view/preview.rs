//! What a change of the policies would do.

use brevet_core::{Access, People, Preview, Turn};
use brevet_wire as wire;

use super::View;

/// Names of tasks that are told; the others are counted.
const TASK_NAMES_MAX: usize = 20;

impl View<'_> {
    pub(in crate::http) fn preview(&self, preview: &Preview) -> wire::PolicyPreview {
        let Preview {
            before,
            after,
            tasks,
            governs,
            may_ask,
            pending,
            requests_ended,
            authorizations,
            authorizations_voided,
            authorizations_narrowed,
            runs_stopped,
            people,
        } = preview;
        let before = before.as_ref().map(|policy| self.policy(policy));
        let after = after.as_ref().map(|policy| self.policy(policy));
        let first = tasks.iter().take(TASK_NAMES_MAX);
        wire::PolicyPreview {
            differences: differences(before.as_ref(), after.as_ref()),
            before,
            after,
            access_control: self.state.access_control().enabled,
            tasks: u32::try_from(tasks.len()).unwrap_or(u32::MAX),
            task_names: first.map(|task| self.access_name(Access::Task(*task))).collect(),
            governs: turn(*governs),
            may_ask: turn(*may_ask),
            pending: *pending,
            requests_ended: *requests_ended,
            authorizations: *authorizations,
            authorizations_voided: *authorizations_voided,
            authorizations_narrowed: *authorizations_narrowed,
            runs_stopped: *runs_stopped,
            people: people.map(self::people),
        }
    }
}

const fn turn(Turn { before, after }: Turn) -> wire::Turn {
    wire::Turn { before, after }
}

const fn people(People { need_approval, need_none, may_ask, shut_out }: People) -> wire::PeopleTouched {
    wire::PeopleTouched { need_approval, need_none, may_ask, shut_out }
}

fn differences(before: Option<&wire::Policy>, after: Option<&wire::Policy>) -> Vec<wire::PolicyDifference> {
    let before = before.map(wire::Policy::in_words);
    let after = after.map(wire::Policy::in_words);
    let Some(fields) = before.as_ref().or(after.as_ref()) else { return Vec::new() };
    let fields = fields.iter().enumerate().map(|(place, (field, _))| {
        let said = |words: &Option<Vec<(&str, String)>>| {
            words.as_ref().and_then(|words| words.get(place)).map(|(_, said)| said.clone())
        };
        wire::PolicyDifference { field: (*field).to_owned(), before: said(&before), after: said(&after) }
    });
    fields.filter(|field| field.before != field.after).collect()
}
