//! `vestibule flow show`: a flow as a drawing.

use vestibule_service::directory::{StandInSecrets, parse};
use vestibule_service::flow_chart::{self, Chart};

use super::apply::read;
use crate::chart;
use crate::cli::{Drawing, FlowShowArgs};
use crate::failure::{Done, Failure};
use crate::terminal::say;

pub(super) fn run(args: &FlowShowArgs) -> Done {
    let mut source = read(&args.file).map_err(|failure| Failure::usage(failure.to_string()))?;
    for (word, text) in &args.placeholder {
        source.text = source.text.replace(&format!("{{{word}}}"), text);
    }
    let parsed = parse(&[source], &StandInSecrets).map_err(|problems| {
        let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
        Failure::usage(format!("the tenant file is not good:\n{}", lines.join("\n")))
    })?;
    let drawn = |flow| -> Vec<Chart> { parsed.iter().flat_map(|t| flow_chart::charts(t, flow)).collect() };
    let charts = drawn(args.flow.as_deref());
    let [only] = charts.as_slice() else {
        let names: Vec<String> = drawn(None).into_iter().map(|chart| chart.flow).collect();
        let text = if charts.is_empty() { "there is no such flow" } else { "the file has several flows" };
        return Err(Failure::usage(format!("{text}; choose one with --flow: {}", names.join(", "))));
    };
    say(&match args.format {
        Drawing::Mermaid => chart::mermaid(only),
        Drawing::Svg => chart::svg(only).map_err(|error| Failure::new(error.to_string()))?,
    });
    Ok(())
}
