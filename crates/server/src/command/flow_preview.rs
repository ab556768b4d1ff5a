//! `vestibule flow preview`: the pages of a flow in a browser, with nothing behind them.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use vestibule_rules::fault::Kind;
use vestibule_service::directory::{StandInSecrets, parse};
use vestibule_service::flow_preview::{self, Stage};
use vestibule_service::ports::clock::SystemClock;
use vestibule_service::ports::entropy::SystemEntropy;
use vestibule_store::db;
use vestibule_web::surface::preview::{self, Preview};

use super::apply::read;
use super::flow::told;
use crate::cli::FlowPreviewArgs;
use crate::config::Log;
use crate::failure::{Done, Failure};
use crate::listener::{self, Door};
use crate::terminal::say;
use crate::{telemetry, wire};

pub(super) fn run(args: &FlowPreviewArgs) -> Done {
    super::block_on(async {
        // The templates of a server belong to its pages; a file stands for itself.
        let (stage, templates) = match (&args.draft, &args.file) {
            (Some(flow), _) => of_draft(args, flow).await?,
            (None, Some(file)) => (of_file(args, file)?, None),
            (None, None) => return Err(Failure::usage("name a tenant file, or a flow with --draft")),
        };
        telemetry::start(&Log { level: "warn".to_owned(), json: false });
        serve(args, stage, templates.as_deref()).await
    })
}

async fn serve(args: &FlowPreviewArgs, stage: Stage, templates: Option<&Path>) -> Done {
    let stop = wire::signals()?;
    let pages = wire::pages(templates)?;
    let socket = listener::bind(args.listen).await?;
    let address =
        socket.local_addr().map_err(|error| Failure::new(format!("the listener has no address: {error}")))?;
    let name = stage.name().to_owned();
    let preview = Preview::new(stage, pages, Arc::new(SystemClock), Arc::new(SystemEntropy));
    let door = Door::new(socket, None, preview::router(preview), Arc::new(|_, _| ()));
    say(&format!("Preview of “{name}”: http://{address}/"));
    say("Nothing is stored or sent. Ctrl-C ends it.");
    listener::serve(door, stop).await;
    Ok(())
}

fn of_file(args: &FlowPreviewArgs, file: &Path) -> Done<Stage> {
    let mut source = read(file).map_err(|failure| Failure::usage(failure.to_string()))?;
    for (word, text) in &args.placeholder {
        source.text = source.text.replace(&format!("{{{word}}}"), text);
    }
    let parsed = parse(&[source], &StandInSecrets).map_err(|problems| {
        let heading = if problems.len() == 1 { "there is a problem" } else { "there are problems" };
        let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
        Failure::usage(format!("{heading}; nothing can be previewed:\n{}", lines.join("\n")))
    })?;
    let stages =
        |flow| -> Vec<Stage> { parsed.iter().flat_map(|t| flow_preview::of_file(t, flow)).collect() };
    let mut found = stages(args.flow.as_deref());
    match (found.pop(), found.is_empty()) {
        (Some(only), true) => Ok(only),
        (several, _) => {
            let text = if several.is_some() { "the file has several flows" } else { "there is no such flow" };
            let all = stages(None);
            let names: Vec<&str> = all.iter().map(Stage::name).collect();
            Err(Failure::usage(format!("{text}; choose one with --flow: {}", names.join(", "))))
        }
    }
}

/// The draft, and where the server's templates are. The database is closed before anything is served.
async fn of_draft(args: &FlowPreviewArgs, flow: &str) -> Done<(Stage, Option<PathBuf>)> {
    let config = args.settings.read()?;
    let settings = wire::database(&config.database);
    if let db::Settings::Sqlite { path } = &settings
        && !path.exists()
    {
        return Err(Failure::new(format!(
            "there is no database at {}, so there is no draft",
            path.display()
        )));
    }
    let db = wire::open(settings).await?;
    // A preview changes nothing, not even an old schema.
    let stage = flow_preview::of_draft(&db, args.tenant.as_deref(), flow).await.map_err(|fault| {
        if fault.kind == Kind::Ours {
            let hint = "a database of an older version needs `vestibule migrate` first";
            return Failure::new(format!("the draft cannot be read ({hint}): {}", fault.detail));
        }
        told(fault)
    })?;
    Ok((stage, config.templates))
}
