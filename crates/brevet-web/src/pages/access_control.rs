//! Access control: the switch of the organization. What it changes is shown before it is changed.

use askama::Template;
use axum::Router;
use axum::extract::RawQuery;
use axum::routing::{get, post};
use brevet_wire::{
    AccessControl, AccessControlSeen, Coverage, EnableAccessControl, Group, List, Problem, Reference,
    Uncovered, User, reason,
};
use serde_json::json;

use super::{NAMES_SUGGESTED_MAX, administrators_only};
use crate::api::segment;
use crate::failure::{Answer, Failure};
use crate::form::Form;
use crate::gate::{Site, Visit, or_told};
use crate::page::{Here, Page, show, show_again};
use crate::said::Said;

/// System accounts whose names are looked up before the API takes them; it allows no more.
const SYSTEM_ACCOUNTS_MAX: usize = 100;

pub(crate) fn routes() -> Router<Site> {
    Router::new()
        .route("/access-control", get(settings))
        .route("/access-control/review", get(review))
        .route("/access-control/enable", post(enable))
        .route("/access-control/disable", get(ask_disable).post(disable))
}

/// What the form for the settings says.
#[derive(Default)]
pub(crate) struct SettingsFields {
    pub(crate) group: String,
    /// Names, between white space or commas.
    pub(crate) system_accounts: String,
    pub(crate) lets_assigned_run: bool,
}

impl SettingsFields {
    pub(crate) fn of(form: &Form) -> Self {
        let text = |name| form.owned(name).unwrap_or_default();
        Self {
            group: text("group"),
            system_accounts: text("system_accounts"),
            lets_assigned_run: form.text("uncovered") == Some("assigned"),
        }
    }

    fn now(control: &AccessControl) -> Self {
        let names: Vec<_> = control.system_accounts.iter().map(|user| user.name.as_str()).collect();
        Self {
            group: control
                .default_approver_group
                .as_ref()
                .map_or_else(String::new, |group| group.name.clone()),
            system_accounts: names.join("\n"),
            lets_assigned_run: control.uncovered == Uncovered::Assigned,
        }
    }

    fn names(&self) -> Vec<String> {
        let names = self.system_accounts.split(|c: char| c.is_whitespace() || c == ',');
        names.filter(|name| !name.is_empty()).map(str::to_owned).collect()
    }

    const fn uncovered(&self) -> Uncovered {
        if self.lets_assigned_run { Uncovered::Assigned } else { Uncovered::Refused }
    }

    /// What the API is asked for, as long as it is as it was seen.
    fn command(&self, seen: AccessControlSeen) -> EnableAccessControl {
        EnableAccessControl {
            default_approver_group: self.group.clone(),
            system_accounts: self.names(),
            uncovered: Some(self.uncovered()),
            seen: Some(seen),
        }
    }
}

#[derive(Template)]
#[template(path = "access_control/settings.html")]
struct SettingsPage {
    page: Page,
    told: Option<Problem>,
    control: AccessControl,
    coverage: Option<Coverage>,
    groups: Vec<Group>,
    fields: SettingsFields,
}

async fn settings(visit: Visit) -> Answer {
    let control: AccessControl = visit.api.get("/access-control").await?;
    let fields = SettingsFields::now(&control);
    show(&settings_page(&visit, control, fields, None).await?)
}

async fn settings_page(
    visit: &Visit,
    control: AccessControl,
    fields: SettingsFields,
    told: Option<Problem>,
) -> Result<SettingsPage, Failure> {
    let oversees = visit.administers() || visit.audits();
    let coverage = if oversees { Some(visit.api.get("/access-control/coverage").await?) } else { None };
    let groups = if visit.administers() { some_groups(visit).await? } else { Vec::new() };
    let page = visit.page("Access control", Here::AccessControl);
    Ok(SettingsPage { page, told, control, coverage, groups, fields })
}

/// Some groups, to be suggested where a name is typed.
pub(crate) async fn some_groups(visit: &Visit) -> Result<Vec<Group>, Failure> {
    let path = format!("/groups?limit={NAMES_SUGGESTED_MAX}");
    Ok(visit.api.get::<List<Group>>(&path).await?.items)
}

/// What a form would change.
struct Change {
    is_switched_on: bool,
    group_before: Option<Reference>,
    group: Group,
    added: Vec<Reference>,
    removed: Vec<Reference>,
    kept: Vec<Reference>,
    uncovered_before: Uncovered,
    uncovered: Uncovered,
}

impl Change {
    async fn of(visit: &Visit, control: &AccessControl, fields: &SettingsFields) -> Result<Self, Failure> {
        let group = match fields.group.is_empty() {
            true => return Err(Failure::unreadable("name the group that approves by default")),
            false => visit.api.get::<Group>(&format!("/groups/{}", segment(&fields.group))).await?,
        };
        let mut accounts: Vec<Reference> = Vec::new();
        for name in fields.names().iter().take(SYSTEM_ACCOUNTS_MAX + 1) {
            let User { id, name, .. } = visit.api.get(&format!("/users/{}", segment(name))).await?;
            if accounts.iter().all(|account| account.id != id) {
                accounts.push(Reference { id, name });
            }
        }
        if accounts.len() > SYSTEM_ACCOUNTS_MAX {
            return Err(Failure::unreadable(format!("system accounts: at most {SYSTEM_ACCOUNTS_MAX}")));
        }
        let before = &control.system_accounts;
        let (kept, added) = accounts.iter().cloned().partition(|account| before.contains(account));
        Ok(Self {
            is_switched_on: !control.enabled,
            group_before: control.default_approver_group.clone(),
            group,
            added,
            removed: before.iter().filter(|account| !accounts.contains(account)).cloned().collect(),
            kept,
            uncovered_before: control.uncovered,
            uncovered: fields.uncovered(),
        })
    }

    fn changes_group(&self) -> bool {
        self.group_before.as_ref().is_none_or(|before| before.id != self.group.id)
    }

    fn changes_accounts(&self) -> bool {
        !self.added.is_empty() || !self.removed.is_empty()
    }

    fn changes_uncovered(&self) -> bool {
        self.uncovered != self.uncovered_before
    }

    fn is_none(&self) -> bool {
        let is_same = !self.changes_group() && !self.changes_accounts() && !self.changes_uncovered();
        is_same && !self.is_switched_on
    }
}

#[derive(Template)]
#[template(path = "access_control/review.html")]
struct ReviewPage {
    page: Page,
    told: Option<Problem>,
    change: Change,
    coverage: Coverage,
    fields: SettingsFields,
    /// What the review was made of, in JSON.
    seen: String,
    /// What somebody else changed since the review before this one.
    meanwhile: Vec<&'static str>,
    is_first_start: bool,
}

/// Nothing is done here; the page that shows what would be has the form that does it.
async fn review(visit: Visit, RawQuery(said): RawQuery) -> Answer {
    administrators_only(&visit)?;
    let form = form_urlencoded::parse(said.unwrap_or_default().as_bytes()).into_owned().collect::<Form>();
    match review_page(&visit, &form, None, None).await {
        Ok(page) => show(&page),
        Err(failure) => {
            let problem = failure.about_what_is_named().into_told()?;
            told_on_settings(&visit, &form, problem).await
        }
    }
}

async fn review_page(
    visit: &Visit,
    form: &Form,
    told: Option<Problem>,
    before: Option<&AccessControlSeen>,
) -> Result<ReviewPage, Failure> {
    let fields = SettingsFields::of(form);
    let control: AccessControl = visit.api.get("/access-control").await?;
    let change = Change::of(visit, &control, &fields).await?;
    let coverage = visit.api.get("/access-control/coverage").await?;
    let page = visit.page("Review", Here::AccessControl);
    let now = AccessControlSeen::from(&control);
    Ok(ReviewPage {
        page,
        told,
        change,
        coverage,
        fields,
        seen: serde_json::to_string(&now).map_err(|error| Failure::bug(&error.to_string()))?,
        meanwhile: before.map(|before| differences(before, &now)).unwrap_or_default(),
        is_first_start: form.text("from") == Some("start"),
    })
}

/// What the review said that the form is of.
fn seen(form: &Form) -> Result<AccessControlSeen, Failure> {
    let unreadable = "this form does not say what was reviewed; open the page of access control again";
    let seen = form.text("seen").and_then(|seen| serde_json::from_str(seen).ok());
    seen.ok_or_else(|| Failure::unreadable(unreadable))
}

/// What is another one now.
fn differences(before: &AccessControlSeen, now: &AccessControlSeen) -> Vec<&'static str> {
    let AccessControlSeen { enabled, default_approver_group, system_accounts, uncovered } = before;
    let differs = [
        (*enabled != now.enabled, "whether it is on"),
        (*default_approver_group != now.default_approver_group, "the default approver group"),
        (*system_accounts != now.system_accounts, "the system accounts"),
        (*uncovered != now.uncovered, "tasks that no policy covers"),
    ];
    differs.into_iter().filter(|(differs, _)| *differs).map(|(_, what)| what).collect()
}

async fn told_on_settings(visit: &Visit, form: &Form, problem: Problem) -> Answer {
    let control: AccessControl = visit.api.get("/access-control").await?;
    let page = settings_page(visit, control, SettingsFields::of(form), Some(problem.clone())).await?;
    show_again(&problem, &page)
}

async fn enable(visit: Visit, form: Form) -> Answer {
    let seen = match seen(&form) {
        Ok(seen) => seen,
        Err(failure) => return told_on_settings(&visit, &form, *failure.0).await,
    };
    let command = SettingsFields::of(&form).command(seen.clone());
    let done = visit.api.post::<AccessControl>("/access-control/enable", &command, form.key()).await;
    let done = done.map_err(Failure::about_what_is_named);
    let again = async |problem: Problem| match problem.reason.as_deref() {
        Some(reason::CHANGED) => {
            match review_page(&visit, &form, Some(problem.clone()), Some(&seen)).await {
                Ok(page) => show_again(&problem, &page),
                // Somebody or something that is named is gone by now.
                Err(failure) => {
                    let problem = failure.about_what_is_named().into_told()?;
                    told_on_settings(&visit, &form, problem).await
                }
            }
        }
        _ => told_on_settings(&visit, &form, problem).await,
    };
    let place = if form.text("from") == Some("start") { "/start" } else { "/access-control" };
    match or_told(done, again).await {
        Ok(done) => Ok(visit.done(&done, place, Said::AccessControlOn)),
        Err(answer) => answer,
    }
}

#[derive(Template)]
#[template(path = "access_control/disable.html")]
struct DisablePage {
    page: Page,
    told: Option<Problem>,
    coverage: Coverage,
}

async fn disable_page(visit: &Visit, told: Option<Problem>) -> Result<DisablePage, Failure> {
    let coverage = visit.api.get("/access-control/coverage").await?;
    Ok(DisablePage { page: visit.page("Switch access control off", Here::AccessControl), told, coverage })
}

async fn ask_disable(visit: Visit) -> Answer {
    administrators_only(&visit)?;
    show(&disable_page(&visit, None).await?)
}

async fn disable(visit: Visit, form: Form) -> Answer {
    let done = visit.api.post::<AccessControl>("/access-control/disable", &json!({}), form.key()).await;
    let again =
        async |problem: Problem| show_again(&problem.clone(), &disable_page(&visit, Some(problem)).await?);
    match or_told(done, again).await {
        Ok(done) => Ok(visit.done(&done, "/access-control", Said::AccessControlOff)),
        Err(answer) => answer,
    }
}

#[cfg(test)]
mod tests {
    use super::SettingsFields;
    use crate::form::Form;
    use brevet_wire::Uncovered;

    #[test]
    fn system_accounts_stand_on_lines_or_between_commas() {
        let said =
            [("group", "Approvers"), ("system_accounts", " otto\r\n backup,monitor ,\n"), ("uncovered", "x")];
        let form: Form = said.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        let fields = SettingsFields::of(&form);
        assert_eq!(fields.names(), ["otto", "backup", "monitor"]);
        // What is not said is refused, not let through.
        assert_eq!(fields.uncovered(), Uncovered::Refused);
    }
}
