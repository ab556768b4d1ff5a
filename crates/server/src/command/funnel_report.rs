//! What `vestibule funnel` prints: tables for people, JSON for programs.

use std::fmt::Write as _;

use serde_json::{Value, json};
use vestibule_rules::journey::facts::Intent;
use vestibule_rules::journey::step::StepName;
use vestibule_rules::journey::trail::Stage;
use vestibule_rules::time::{Span, Timestamp};
use vestibule_service::funnel::{By, Filter, Group, Reason, Report, StageCount, Traced};
use vestibule_store::stages::StageRow;

/// Reasons that a table shows; JSON has all of them.
const REASONS: usize = 20;

/// The time within which the counted journeys began.
#[derive(Clone, Copy)]
pub(super) struct Period {
    pub(super) since: Timestamp,
    pub(super) until: Timestamp,
}

pub(super) fn report(report: &Report, filter: Filter<'_>, period: Period) -> String {
    let mut text = headline(report, filter, period);
    if report.total.started == 0 {
        return text;
    }
    text.push_str("\n\n");
    text.push_str(&match filter.by {
        By::Step => stages(&report.total),
        By::Method => groups(&report.groups, "method"),
        By::App => groups(&report.groups, "app"),
        By::Language => groups(&report.groups, "language"),
    });
    if !report.reasons.is_empty() {
        text.push_str("\nJourneys   what stood in the way\n");
    }
    for (reason, journeys) in report.reasons.iter().take(REASONS) {
        let _ = writeln!(text, "{journeys:>8}   {}", reason_line(reason));
    }
    let more = report.reasons.len().saturating_sub(REASONS);
    if more > 0 {
        let _ = writeln!(text, "           and {more} rarer ones (--json has them all)");
    }
    text.trim_end().to_owned()
}

fn headline(report: &Report, filter: Filter<'_>, period: Period) -> String {
    let Group { started, completed, median, .. } = &report.total;
    let what = match filter.intent {
        Intent::SignUp => "Sign-ups",
        Intent::SignIn => "Sign-ins",
        Intent::Reset => "Resets",
    };
    let since = period.since.rfc3339();
    let under_way = match report.under_way {
        0 => String::new(),
        n => format!(" {n} under way, not counted."),
    };
    if *started == 0 {
        return format!("{what} since {since}: none is over.{under_way}");
    }
    let median = median.map(|m| format!(", median {}", length(m))).unwrap_or_default();
    let share = percent(*completed, *started);
    format!(
        "{what} since {since}: {started} began, {completed} ended signed in ({share}){median}.{under_way}"
    )
}

fn stages(group: &Group) -> String {
    let mut text = "Stage                    reached           stopped here     median time\n".to_owned();
    for count in &group.stages {
        let StageCount { stage, page, reached, dropped, median } = count;
        let name = stage_name(*stage, *page);
        let (share, stopped) = (percent(*reached, group.started), percent(*dropped, *reached));
        let median = median.map(length).unwrap_or_default();
        let line = format!("{name:<22}{reached:>10}{share:>10}{dropped:>10}{stopped:>10}{median:>12}");
        let _ = writeln!(text, "{}", line.trim_end());
    }
    text
}

fn groups(groups: &[Group], what: &str) -> String {
    let names: Vec<&str> = groups.iter().map(name_of).collect();
    let widest = names.iter().map(|name| name.chars().count()).chain([what.len(), 12]).max().unwrap_or(0);
    let mut text =
        format!("{:<widest$}     began   signed in              median   most stopped at\n", title(what));
    for (group, name) in groups.iter().zip(names) {
        let Group { started, completed, median, stages, .. } = group;
        let share = percent(*completed, *started);
        let median = median.map(length).unwrap_or_default();
        let most = stages.iter().rev().filter(|s| s.dropped > 0).max_by_key(|s| s.dropped);
        let most =
            most.map(|s| format!("{} ({})", stage_name(s.stage, s.page), s.dropped)).unwrap_or_default();
        let line = format!("{name:<widest$}{started:>10}{completed:>12}{share:>10}{median:>10}   {most}");
        let _ = writeln!(text, "{}", line.trim_end());
    }
    text
}

/// A journey that was left at its first page has no method.
fn name_of(group: &Group) -> &str {
    if group.name.is_empty() { "none yet" } else { &group.name }
}

fn title(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

fn reason_line(reason: &Reason) -> String {
    let Reason { stage, step, page, code, message, field } = reason;
    let at = at_step(step, *page);
    let told = refusal(*code, message.as_deref(), field.as_deref());
    match stage {
        Stage::Cancelled => format!("cancelled {at}"),
        Stage::Abandoned => format!("abandoned {at}"),
        Stage::Refused
        | Stage::Started
        | Stage::MethodChosen
        | Stage::Verified
        | Stage::FormShown
        | Stage::Submitted
        | Stage::Created
        | Stage::SignedIn
        | Stage::Token => format!("refused {at}: {told}"),
    }
}

fn at_step(step: &str, page: Option<i64>) -> String {
    page.map_or_else(|| format!("at “{step}”"), |page| format!("at “{step}”, page {page}"))
}

fn refusal(code: i64, message: Option<&str>, field: Option<&str>) -> String {
    let mut text = message.unwrap_or("no message").to_owned();
    if let Some(field) = field {
        let _ = write!(text, ", field “{field}”");
    }
    if code != 0 {
        let _ = write!(text, " (AADSTS{code})");
    }
    text
}

fn stage_name(stage: Stage, page: Option<i64>) -> String {
    let name = match stage {
        Stage::Started => "began",
        Stage::MethodChosen => "method chosen",
        Stage::Verified => "verified",
        Stage::FormShown => "form shown",
        Stage::Submitted => "form submitted",
        Stage::Created => "account created",
        Stage::SignedIn => "signed in",
        Stage::Token => "tokens fetched",
        Stage::Refused => "refused",
        Stage::Cancelled => "cancelled",
        Stage::Abandoned => "abandoned",
    };
    page.map_or_else(|| name.to_owned(), |page| format!("{name}, page {page}"))
}

fn percent(part: u64, whole: u64) -> String {
    // In tenths of a percent, rounded half up.
    let Some(tenths) = (part * 2000).checked_div(whole).map(|twice| twice.div_ceil(2)) else {
        return String::new();
    };
    format!("{}.{} %", tenths / 10, tenths % 10)
}

fn length(span: Span) -> String {
    let tenths = span.0 / 100_000;
    match tenths {
        0..600 => format!("{}.{}s", tenths / 10, tenths % 10),
        600..36_000 => format!("{}m {:02}s", tenths / 600, tenths % 600 / 10),
        _ => format!("{}h {:02}m", tenths / 36_000, tenths % 36_000 / 600),
    }
}

pub(super) fn report_json(report: &Report, filter: Filter<'_>, period: Period) -> String {
    let by = match filter.by {
        By::Step => "step",
        By::Method => "method",
        By::App => "app",
        By::Language => "language",
    };
    let intent = match filter.intent {
        Intent::SignUp => "signUp",
        Intent::SignIn => "signIn",
        Intent::Reset => "reset",
    };
    let reason = |(reason, journeys): &(Reason, u64)| {
        json!({
            "kind": reason.stage.as_str(),
            "step": reason.step,
            "page": reason.page,
            "errorCode": reason.code,
            "message": reason.message,
            "field": reason.field,
            "journeys": journeys,
        })
    };
    let value = json!({
        "intent": intent,
        "by": by,
        "since": period.since.rfc3339(),
        "until": period.until.rfc3339(),
        "underWay": report.under_way,
        "total": group_json(&report.total),
        "groups": report.groups.iter().map(group_json).collect::<Vec<_>>(),
        "reasons": report.reasons.iter().map(reason).collect::<Vec<_>>(),
    });
    format!("{value:#}")
}

fn group_json(group: &Group) -> Value {
    let stage = |count: &StageCount| {
        json!({
            "stage": count.stage.as_str(),
            "page": count.page,
            "reached": count.reached,
            "share": ratio(count.reached, group.started),
            "dropped": count.dropped,
            "dropOff": ratio(count.dropped, count.reached),
            "medianSeconds": count.median.map(seconds),
        })
    };
    json!({
        "name": group.name,
        "started": group.started,
        "completed": group.completed,
        "completion": ratio(group.completed, group.started),
        "medianSeconds": group.median.map(seconds),
        "stages": group.stages.iter().map(stage).collect::<Vec<_>>(),
    })
}

/// A share with four digits after the point.
#[expect(clippy::cast_precision_loss, reason = "at most ten thousand")]
fn ratio(part: u64, whole: u64) -> f64 {
    (part * 10_000).checked_div(whole).unwrap_or(0) as f64 / 10_000.0
}

#[expect(clippy::cast_precision_loss, reason = "a few hours in milliseconds")]
fn seconds(span: Span) -> f64 {
    (span.0 / 1_000) as f64 / 1_000.0
}

pub(super) fn trace(found: &[Traced]) -> String {
    found.iter().map(way).collect::<Vec<_>>().join("\n\n")
}

fn way(traced: &Traced) -> String {
    let Traced { tenant, app, flow, stands_at, rows } = traced;
    let Some(first) = rows.first() else { return String::new() };
    let what = match first.intent.as_str() {
        "signUp" => "Sign-up",
        "reset" => "Reset",
        _ => "Sign-in",
    };
    let method = first.method.as_ref().map(|method| format!(", method “{method}”")).unwrap_or_default();
    let mut text = format!(
        "{what} at {tenant} for “{app}” by the flow “{flow}”, version {}, in “{}”{method}\njourney {}\n\n",
        first.flow_version, first.language, first.journey
    );
    for row in rows {
        let _ = writeln!(text, "{}", stage_line(row));
    }
    let left_out = rows.last().map_or(0, |row| row.left_out);
    if left_out > 0 {
        let _ = writeln!(text, "There was no room for {left_out} more.");
    }
    if let Some(step) = stands_at {
        let _ = writeln!(text, "It goes on: the person is at “{}”.", step.as_str());
    }
    text.trim_end().to_owned()
}

fn stage_line(row: &StageRow) -> String {
    let StageRow { at, stage, step, page, correlation, chosen, user, error_code, message, field, .. } = row;
    let after = length(at.since(row.started_at));
    let correlation = correlation.as_deref().unwrap_or("-");
    let what = match Stage::parse(stage) {
        Some(Stage::Refused) => {
            format!(
                "refused {}: {}",
                at_step(step, *page),
                refusal(*error_code, message.as_deref(), field.as_deref())
            )
        }
        Some(stage @ (Stage::Cancelled | Stage::Abandoned)) => {
            format!("{} {}", stage_name(stage, None), at_step(step, *page))
        }
        Some(stage) => stage_name(stage, *page),
        None => stage.clone(),
    };
    let chosen = chosen.as_ref().map(|chosen| format!(": {chosen}")).unwrap_or_default();
    let user = user.map(|user| format!(": {user}")).unwrap_or_default();
    format!("{}  {after:>8}  {correlation:<36}  {what}{chosen}{user}", at.rfc3339())
}

pub(super) fn trace_json(found: &[Traced]) -> String {
    let stage = |row: &StageRow| {
        json!({
            "at": row.at.rfc3339(),
            "stage": row.stage,
            "signUpStage": row.graph_stage,
            "step": row.step,
            "page": row.page,
            "correlationId": row.correlation,
            "chosen": row.chosen,
            "userId": row.user.map(|user| user.to_string()),
            "errorCode": row.error_code,
            "message": row.message,
            "field": row.field,
        })
    };
    let journey = |traced: &Traced| {
        let first = traced.rows.first();
        json!({
            "journey": first.map(|row| row.journey.to_string()),
            "tenant": traced.tenant,
            "app": traced.app,
            "clientId": first.map(|row| row.client.to_string()),
            "flow": traced.flow,
            "flowId": first.map(|row| row.flow.to_string()),
            "flowVersion": first.map(|row| row.flow_version),
            "intent": first.map(|row| row.intent.clone()),
            "method": first.and_then(|row| row.method.clone()),
            "language": first.map(|row| row.language.clone()),
            "standsAt": traced.stands_at.map(StepName::as_str),
            "leftOut": traced.rows.last().map_or(0, |row| row.left_out),
            "stages": traced.rows.iter().map(stage).collect::<Vec<_>>(),
        })
    };
    format!("{:#}", Value::Array(found.iter().map(journey).collect()))
}
