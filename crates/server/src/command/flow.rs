//! `vestibule flow`: the life of user flows. Testing, drawing and previewing them stand beside it.

use serde_json::{Value, json};
use vestibule_rules::directory::difference::Difference;
use vestibule_rules::fault::{Fault, Kind};
use vestibule_service::directory::drafts;
use vestibule_service::directory::life::{self, Form, Named, Revision, Step, Summary};

use super::apply::{agree, author, open, origin, parse, refused};
use super::{flow_preview, flow_show, flow_test};
use crate::cli::{ApplyFiles, FlowArgs, FlowCommand, Settings, StepArgs};
use crate::failure::{Done, Failure};
use crate::terminal::say;

pub(super) fn run(command: &FlowCommand) -> Done {
    match command {
        FlowCommand::List(settings) => list(settings),
        FlowCommand::History { flow, json } => history(flow, *json),
        FlowCommand::Diff { flow, from, to, json } => {
            let to = to.as_deref().map(form).transpose()?;
            diff(flow, (from.map(Form::Revision), to), *json)
        }
        FlowCommand::Draft(files) => draft(files),
        FlowCommand::Publish(args) => step(args, Form::Draft),
        FlowCommand::Discard(flow) => discard(flow),
        FlowCommand::Rollback { step: args, to } => step(args, Form::Revision(*to)),
        FlowCommand::Test(args) => flow_test::run(args),
        FlowCommand::Show(args) => flow_show::run(args),
        FlowCommand::Preview(args) => flow_preview::run(args),
        FlowCommand::Schema => {
            say(&format!("{:#}", vestibule_service::flow_test::schema()));
            Ok(())
        }
    }
}

fn list(settings: &Settings) -> Done {
    let config = settings.read()?;
    super::block_on(async {
        let (db, _) = open(&config).await?;
        let all = life::list(&db).await?;
        for flow in &all {
            say(&line(flow));
        }
        if all.is_empty() {
            say("There are no flows.");
        }
        Ok(())
    })
}

fn line(flow: &Summary) -> String {
    let Summary { tenant_name, id, name, revision, flow_version, draft_of } = flow;
    let published = flow_version.map_or_else(
        || "not published".to_owned(),
        |version| format!("revision {revision}, run as version {version}"),
    );
    let draft = match draft_of {
        Some(base) if base == revision => ", with a draft",
        Some(_) => ", with a draft of an older revision",
        None => "",
    };
    format!("{tenant_name}: “{name}” ({id}): {published}{draft}")
}

fn history(args: &FlowArgs, as_json: bool) -> Done {
    let config = args.settings.read()?;
    super::block_on(async {
        let (db, _) = open(&config).await?;
        let all = life::history(&db, named(args)).await.map_err(told)?;
        if as_json {
            say(&format!("{:#}", Value::Array(all.iter().map(revision_json).collect())));
        } else {
            for revision in &all {
                say(&revision_line(revision));
            }
        }
        Ok(())
    })
}

fn revision_line(revision: &Revision) -> String {
    let Revision { number, flow_version, at, actor, correlation, note, flow } = revision;
    let what = match flow {
        Some(_) => format!("run as version {flow_version}"),
        None => "removed".to_owned(),
    };
    let note = note.as_ref().map(|note| format!("  {note}")).unwrap_or_default();
    format!("{number:>4}  {}  {what}  {actor}  {correlation}{note}", at.rfc3339())
}

fn revision_json(revision: &Revision) -> Value {
    json!({
        "revision": revision.number,
        "flowVersion": revision.flow_version,
        "at": revision.at.rfc3339(),
        "actor": revision.actor,
        "correlationId": revision.correlation,
        "note": revision.note,
        "flow": revision.flow,
    })
}

fn form(text: &str) -> Done<Form> {
    if text == "draft" {
        return Ok(Form::Draft);
    }
    let number = text.parse().map_err(|_| Failure::usage("--to: say the number of a revision, or “draft”"));
    number.map(Form::Revision)
}

fn diff(args: &FlowArgs, (from, to): (Option<Form>, Option<Form>), as_json: bool) -> Done {
    let config = args.settings.read()?;
    super::block_on(async {
        let (db, _) = open(&config).await?;
        let (from, to, all) = life::differences(&db, named(args), from, to).await.map_err(told)?;
        if as_json {
            say(&format!("{:#}", json!({ "from": word(from), "to": word(to), "differences": all })));
            return Ok(());
        }
        say(&format!("From {} to {}:", word(from), word(to)));
        for difference in &all {
            say(&difference_lines(difference));
        }
        if all.is_empty() {
            say("  nothing differs");
        }
        Ok(())
    })
}

fn word(form: Form) -> String {
    match form {
        Form::Revision(0) => "nothing".to_owned(),
        Form::Revision(number) => format!("revision {number}"),
        Form::Draft => "the draft".to_owned(),
    }
}

fn difference_lines(difference: &Difference) -> String {
    let Difference { key, before, after } = difference;
    let key = if key.is_empty() { "the flow" } else { key };
    match (before, after) {
        (Some(before), Some(after)) => format!("  {key}: {before} → {after}"),
        (Some(before), None) => format!("- {key}: {before}"),
        (None, Some(after)) => format!("+ {key}: {after}"),
        (None, None) => format!("  {key}"),
    }
}

fn draft(files: &ApplyFiles) -> Done {
    let config = files.settings.read()?;
    let parsed = parse(&files.files)?;
    super::block_on(async {
        let (db, sealing) = open(&config).await?;
        let all = drafts::draft(&db, &sealing, &parsed, &author()).await.map_err(refused)?;
        for drafted in &all {
            say(&drafted.to_string());
        }
        if all.is_empty() {
            say("Nothing to draft: every flow, or its draft, is as its file says.");
        }
        Ok(())
    })
}

fn step(args: &StepArgs, to: Form) -> Done {
    let config = args.flow.settings.read()?;
    super::block_on(async {
        let (db, _) = open(&config).await?;
        let author = author();
        let step = Step { flow: named(&args.flow), to, note: args.note.clone() };
        let hits = life::step_hits(&db, &step, author.now, &origin(&config)).await.map_err(told)?;
        agree(&hits, args.yes)?;
        let changes = life::take(&db, &step, &author).await.map_err(told)?;
        for change in &changes {
            say(&change.to_string());
        }
        if changes.is_empty() {
            say("Nothing to publish: the flow is that already.");
        }
        Ok(())
    })
}

fn discard(args: &FlowArgs) -> Done {
    let config = args.settings.read()?;
    super::block_on(async {
        let (db, _) = open(&config).await?;
        let gone = drafts::discard(&db, named(args), &author()).await.map_err(told)?;
        say(if gone { "The draft is gone." } else { "Nothing to discard: the flow has no draft." });
        Ok(())
    })
}

fn named(args: &FlowArgs) -> Named<'_> {
    Named { tenant: &args.tenant, flow: &args.flow }
}

/// What somebody can mend is said in its own words.
pub(super) fn told(fault: Fault) -> Failure {
    match fault.kind {
        Kind::Missing | Kind::Conflict => Failure::new(fault.detail),
        Kind::Malformed
        | Kind::WrongClient
        | Kind::WrongCredential
        | Kind::Expired
        | Kind::Used
        | Kind::Forbidden
        | Kind::Stale
        | Kind::Throttled(_)
        | Kind::Upstream
        | Kind::Ours => refused(fault),
    }
}
