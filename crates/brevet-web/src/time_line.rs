//! What was in force and what ran during the last day, workload by workload: the places of a drawing, and the same as rows.

use std::collections::BTreeMap;

use brevet_wire::{Authorization, Execution, ExecutionState, Time};
use jiff::Timestamp;

use crate::api::scope_and_name;
use crate::show;

/// How far it looks back, in seconds.
pub(crate) const SECONDS: i64 = 24 * 60 * 60;
/// Hours between two marks of its axis.
const TICK_HOURS: i64 = 4;
/// The width of the drawing, and where its times begin, in its own units.
const WIDTH: i64 = 960;
const LEFT: i64 = 120;
const RIGHT: i64 = 12;
/// The height of a workload, which has two bars above each other.
const ROW: i64 = 46;
const TOP: i64 = 8;
const BAR: i64 = 13;
const AXIS: i64 = 24;
/// The narrowest bar that can be seen.
const BAR_MIN: i64 = 3;
/// Workloads that are drawn; those with the newest things.
const ROWS_MAX: usize = 12;
/// Rows of the table beside it.
const ITEMS_MAX: usize = 100;

/// A drawing.
#[derive(Debug, Default)]
pub(crate) struct TimeLine {
    pub(crate) rows: Vec<Row>,
    pub(crate) ticks: Vec<Tick>,
    /// The same, newest first.
    pub(crate) items: Vec<Item>,
    pub(crate) height: i64,
}

/// A workload.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) workload: String,
    pub(crate) y: i64,
    pub(crate) bars: Vec<Bar>,
}

/// Something that lasted.
#[derive(Debug)]
pub(crate) struct Bar {
    pub(crate) x: i64,
    pub(crate) y: i64,
    pub(crate) width: i64,
    pub(crate) class: &'static str,
}

/// A mark of the axis.
#[derive(Debug)]
pub(crate) struct Tick {
    pub(crate) x: i64,
    pub(crate) word: String,
}

/// The same as a row of a table.
#[derive(Debug)]
pub(crate) struct Item {
    pub(crate) what: String,
    pub(crate) kind: &'static str,
    pub(crate) who: String,
    pub(crate) path: String,
    pub(crate) from: Time,
    pub(crate) until: Option<Time>,
    pub(crate) status: &'static str,
    class: &'static str,
}

impl TimeLine {
    /// What of these lay within the last day.
    pub(crate) fn new(authorizations: &[Authorization], executions: &[Execution], now: Timestamp) -> Self {
        let began = now.as_second() - SECONDS;
        let granted = authorizations.iter().filter_map(of_authorization);
        let mut items: Vec<Item> = granted.chain(executions.iter().map(of_execution)).collect();
        items.retain(|item| {
            let until = item.until.map_or(now, |until| until.0);
            until.as_second() >= began && item.from.0 <= now
        });
        items.sort_by_key(|item| std::cmp::Reverse(item.from));
        let mut rows = rows(&items, now);
        rows.sort_by(|one, other| one.workload.cmp(&other.workload));
        for (place, row) in (0..).zip(&mut rows) {
            row.y = TOP + place * ROW;
            row.bars.iter_mut().for_each(|bar| bar.y += row.y);
        }
        let height = TOP + i64::try_from(rows.len()).unwrap_or_default() * ROW + AXIS;
        items.truncate(ITEMS_MAX);
        Self { rows, ticks: ticks(), items, height }
    }
}

fn rows(items: &[Item], now: Timestamp) -> Vec<Row> {
    let mut rows: BTreeMap<&str, Vec<Bar>> = BTreeMap::new();
    for item in items {
        let workload = scope_and_name(&item.what).0;
        if rows.len() < ROWS_MAX || rows.contains_key(workload) {
            rows.entry(workload).or_default().push(bar(item, now));
        }
    }
    rows.into_iter().map(|(workload, bars)| Row { workload: workload.to_owned(), y: 0, bars }).collect()
}

fn bar(item: &Item, now: Timestamp) -> Bar {
    let until = item.until.map_or(now, |until| until.0.min(now));
    let (from, until) = (place(item.from.0, now), place(until, now));
    let width = (until - from).max(BAR_MIN);
    let y = if item.kind == "Authorization" { 4 } else { 4 + BAR + 5 };
    Bar { x: from.min(WIDTH - RIGHT - width), y, width, class: item.class }
}

/// Where an instant is in the drawing.
fn place(at: Timestamp, now: Timestamp) -> i64 {
    let seconds = (SECONDS - (now.as_second() - at.as_second())).clamp(0, SECONDS);
    LEFT + seconds * (WIDTH - LEFT - RIGHT) / SECONDS
}

fn ticks() -> Vec<Tick> {
    let hours = (0..=SECONDS / 3_600).rev().filter(|hours| hours % TICK_HOURS == 0);
    let tick = |hours: i64| Tick {
        x: LEFT + (SECONDS - hours * 3_600) * (WIDTH - LEFT - RIGHT) / SECONDS,
        word: if hours == 0 { "now".to_owned() } else { format!("{hours} h ago") },
    };
    hours.map(tick).collect()
}

/// Nothing where it has not started.
fn of_authorization(authorization: &Authorization) -> Option<Item> {
    Some(Item {
        what: authorization.access.name.clone(),
        kind: "Authorization",
        who: authorization.holder.name.clone(),
        path: format!("/authorizations/{}", authorization.id),
        from: authorization.starts_at?,
        until: authorization.ended_at.or(authorization.ends_at),
        status: show::authorization_state(&authorization.state).word,
        class: "grant",
    })
}

fn of_execution(execution: &Execution) -> Item {
    let class = match execution.state {
        ExecutionState::Running => "run going",
        ExecutionState::Succeeded => "run",
        ExecutionState::Failed | ExecutionState::Stopped | ExecutionState::Unknown => "run bad",
    };
    Item {
        what: execution.task.clone(),
        kind: "Run",
        who: execution.user.name.clone(),
        path: format!("/executions/{}", execution.id),
        from: execution.started_at,
        until: execution.finished_at,
        status: show::outcome(execution).word,
        class,
    }
}

#[cfg(test)]
mod tests {
    use super::{LEFT, RIGHT, TimeLine, WIDTH};
    use brevet_wire::Execution;
    use serde_json::json;

    fn run(id: u64, task: &str, started: &str, finished: Option<&str>) -> Execution {
        let user = json!({ "id": "usr-1", "name": "bob" });
        serde_json::from_value(json!({
            "id": format!("exe-{id}"), "user": user, "task": task, "digest": "", "parameters": {}, "command": [],
            "run_as": null, "basis": "authorization", "authorization": "aut-1", "flagged": false,
            "state": if finished.is_some() { "succeeded" } else { "running" }, "started_at": started,
            "finished_at": finished, "exit_code": null, "signal": null, "stop_cause": null, "stopped_by": null,
            "problem": null, "output": null, "may_stop": false, "server": null,
        }))
        .unwrap()
    }

    #[test]
    fn what_lay_within_the_last_day_has_its_place_in_it() {
        let runs = [
            run(1, "Linux\\Old", "2026-11-01T00:00:00Z", Some("2026-11-01T11:59:59Z")),
            run(2, "Linux\\Whole-Day", "2026-11-01T00:00:00Z", Some("2026-11-02T12:00:00Z")),
            run(3, "Linux\\Half", "2026-11-02T00:00:00Z", None),
            run(4, "Mail\\Now", "2026-11-02T12:00:00Z", None),
        ];
        let line = TimeLine::new(&[], &runs, "2026-11-02T12:00:00Z".parse().unwrap());
        let places: Vec<_> = line
            .rows
            .iter()
            .flat_map(|row| row.bars.iter().map(|bar| (row.workload.as_str(), bar.x, bar.x + bar.width)))
            .collect();
        let (end, middle) = (WIDTH - RIGHT, (LEFT + WIDTH - RIGHT) / 2);
        assert_eq!(places, [("Linux", middle, end), ("Linux", LEFT, end), ("Mail", end - 3, end)]);
        let newest_first: Vec<_> = line.items.iter().map(|item| item.path.as_str()).collect();
        assert_eq!(newest_first, ["/executions/exe-4", "/executions/exe-3", "/executions/exe-2"]);
        assert_eq!((line.ticks[0].x, line.ticks[6].x), (LEFT, end));
    }
}
