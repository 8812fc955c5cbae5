//! `--dry-run` of `brevet policy`: what a change would do, before it is done.

use brevet_wire::{PeopleTouched, PolicyPreview, Turn};

use super::console::{Show, View};
use super::table::Sheet;

impl Show for PolicyPreview {
    fn show(&self, view: &View) -> String {
        let mut sheet = Sheet::default();
        for difference in &self.differences {
            let said = |words: &Option<String>| words.clone().unwrap_or_else(|| "nothing".into());
            let (before, after) = (said(&difference.before), said(&difference.after));
            sheet = sheet.line("Would change", format!("{}: {before} -> {after}", difference.field));
        }
        sheet = sheet
            .line("Tasks of its access", self.tasks.to_string())
            .line("Tasks it governs", turn(self.governs))
            .line("People who may ask", turn(self.may_ask));
        sheet = match self.people {
            Some(touched) => people(sheet, touched),
            None => sheet.line("People", "too many people and tasks to count in a moment"),
        };
        sheet
            .line("Pending requests", format!("{}, {} would end", self.pending, self.requests_ended))
            .line("Authorizations", authorizations(self))
            .line("Runs", format!("{} would be stopped", self.runs_stopped))
            .maybe("Note", (!self.access_control).then_some("access control is off: policies touch nobody"))
            .line("Done", "nothing: this is a dry run")
            .text(view)
    }
}

fn people(sheet: Sheet, touched: PeopleTouched) -> Sheet {
    let PeopleTouched { need_approval, need_none, may_ask, shut_out } = touched;
    sheet
        .line("Newly need approval", need_approval.to_string())
        .line("Newly need none", need_none.to_string())
        .line("Newly may ask", may_ask.to_string())
        .line("Newly refused", shut_out.to_string())
}

fn authorizations(preview: &PolicyPreview) -> String {
    let PolicyPreview { authorizations, authorizations_voided, authorizations_narrowed, .. } = preview;
    format!(
        "{authorizations}, {authorizations_voided} would end, {authorizations_narrowed} would stay and run fewer tasks"
    )
}

fn turn(Turn { before, after }: Turn) -> String {
    match before == after {
        true => after.to_string(),
        false => format!("{before} -> {after}"),
    }
}
