//! A flow as an SVG that stands alone: its own style for light and dark, a title and a description.

use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment, Value, context};
use serde::Serialize;
use vestibule_rules::journey::step::StepName;
use vestibule_service::flow_chart::{Chart, Page};

use super::layout::{Curve, Layout, Line, Plan, layout};
use super::words::{Arrow, Look, arrows, description, heading, lines, look};

const TEMPLATE: &str = include_str!("chart.svg");
/// The height of a heading with the room around it, and of a line below it.
const HEAD: f64 = 44.0;
const ROW: f64 = 20.0;
/// Room below the last line.
const FOOT: f64 = 10.0;

#[derive(Serialize)]
struct Node {
    class: &'static str,
    x: f64,
    y: f64,
    width: f64,
    height: f64,
    /// The middle of the heading.
    middle: f64,
    head: f64,
    heading: String,
    lines: Vec<Row>,
}

#[derive(Serialize)]
struct Row {
    x: f64,
    y: f64,
    text: String,
}

#[derive(Serialize)]
struct Link {
    path: String,
    aside: bool,
    label: String,
    x: f64,
    y: f64,
}

/// The picture.
pub fn svg(chart: &Chart) -> Result<String, minijinja::Error> {
    let arrows = arrows(chart);
    let plan = Plan {
        boxes: chart.pages.iter().map(size).collect(),
        lines: arrows
            .iter()
            .map(|arrow| Line {
                from: arrow.from,
                to: arrow.to,
                label: width(&arrow.label, 6.3),
                loose: goes_back(chart, arrow),
            })
            .collect(),
    };
    let Layout { width, height, boxes, curves } = layout(&plan);
    let places = plan.boxes.iter().zip(boxes);
    let nodes: Vec<Node> =
        chart.pages.iter().zip(places).map(|(page, (size, at))| node(page, *size, at)).collect();
    let links: Vec<Link> = arrows
        .into_iter()
        .zip(&curves)
        .map(|(arrow, curve)| Link {
            path: path(curve),
            aside: arrow.aside,
            label: arrow.label,
            x: curve.label.0.round(),
            y: (curve.label.1 + 4.0).round(),
        })
        .collect();
    let mut environment = Environment::new();
    environment.set_auto_escape_callback(|_| AutoEscape::Html);
    environment.add_template("chart.svg", TEMPLATE)?;
    let title = format!("{} – {}", chart.tenant, chart.flow);
    let description = description(chart);
    let (nodes, links) = (Value::from(Serde(nodes)), Value::from(Serde(links)));
    let values =
        context! { width => width.ceil(), height => height.ceil(), title, description, nodes, links };
    Ok(environment.get_template("chart.svg")?.render(values)?.trim_end().to_owned())
}

/// Whether an arrow is no reason to stand lower: it leads to an entrance, or from an account that exists to
/// the ways into it.
fn goes_back(chart: &Chart, arrow: &Arrow) -> bool {
    let to_an_entrance = chart.pages.get(arrow.to).is_some_and(|page| look(page) == Look::Entrance);
    let exists = chart.pages.get(arrow.from).is_some_and(|page| page.step == StepName::Exists);
    to_an_entrance || exists
}

/// About how wide a text is; no font is at hand, and a little room to spare looks better than too little.
fn width(text: &str, letter: f64) -> f64 {
    text.chars().map(|_| letter).sum()
}

fn size(page: &Page) -> (f64, f64) {
    let lines = lines(page);
    let widest = lines.iter().map(|line| width(line, 6.6) + 36.0).fold(0.0, f64::max);
    let wide = widest.max(width(&heading(page), 8.2) + 40.0).max(132.0);
    let rows: f64 = lines.iter().map(|_| ROW).sum();
    (wide.ceil(), if lines.is_empty() { HEAD } else { HEAD + rows + FOOT })
}

fn node(page: &Page, (width, height): (f64, f64), (x, y): (f64, f64)) -> Node {
    let (x, y) = (x.round(), y.round());
    let row = |(n, text): (usize, String)| {
        let above: f64 = (0..n).map(|_| ROW).sum();
        Row { x: x + 18.0, y: y + HEAD + 14.0 + above, text }
    };
    Node {
        class: look(page).class(),
        x,
        y,
        width,
        height,
        middle: x + width / 2.0,
        head: y + HEAD / 2.0 + 5.0,
        heading: heading(page),
        lines: lines(page).into_iter().enumerate().map(row).collect(),
    }
}

/// Curves that leave and reach every layer straight down.
fn path(curve: &Curve) -> String {
    let mut points = curve.points.iter().map(|(x, y)| (x.round(), y.round()));
    let Some((x, y)) = points.next() else { return String::new() };
    let mut path = vec![format!("M{x},{y}")];
    if curve.bow {
        let rest: Vec<String> = points.map(|(x, y)| format!("{x},{y}")).collect();
        return format!("M{x},{y} C{}", rest.join(" "));
    }
    let mut before = (x, y);
    for (x, y) in points {
        let half = before.1.midpoint(y).round();
        path.push(format!("C{},{half} {x},{half} {x},{y}", before.0));
        before = (x, y);
    }
    path.join(" ")
}
