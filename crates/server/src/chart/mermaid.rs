//! A flow as a Mermaid flowchart.

use vestibule_service::flow_chart::Chart;

use super::words::{Look, arrows, heading, lines, look};

/// The text of the diagram.
pub fn mermaid(chart: &Chart) -> String {
    let mut text = vec![
        "---".to_owned(),
        format!("title: {}", serde_json::Value::from(format!("{} – {}", chart.tenant, chart.flow))),
        "---".to_owned(),
        "flowchart TD".to_owned(),
    ];
    for (i, page) in chart.pages.iter().enumerate() {
        let mut label = vec![plain(&heading(page))];
        label.extend(lines(page).iter().map(|line| plain(line)));
        let label = label.join("<br/>");
        let class = look(page).class();
        let node = match look(page) {
            Look::Entrance | Look::Done => format!("([\"{label}\"])"),
            Look::Page | Look::Closed => format!("[\"{label}\"]"),
            Look::Away => format!("[[\"{label}\"]]"),
        };
        text.push(format!("  p{i}{node}:::{class}"));
    }
    for arrow in arrows(chart) {
        let line = if arrow.aside { "-.->" } else { "-->" };
        let label =
            if arrow.label.is_empty() { String::new() } else { format!("|\"{}\"|", plain(&arrow.label)) };
        text.push(format!("  p{} {line}{label} p{}", arrow.from, arrow.to));
    }
    text.push("  classDef entrance stroke-width:2px".to_owned());
    text.push("  classDef away stroke-dasharray:4 3".to_owned());
    text.push("  classDef done stroke:#17693a,stroke-width:2px".to_owned());
    text.push("  classDef closed stroke:#b3141d".to_owned());
    text.join("\n")
}

/// A text that Mermaid shows as it is: what means something to it is written as an entity code.
fn plain(text: &str) -> String {
    let mut shown = String::new();
    for letter in text.chars() {
        match letter {
            '"' | '#' | '&' | '<' | '>' | '`' | '|' | ';' | '\\' | '_' => {
                shown.extend(['#'].into_iter().chain(u32::from(letter).to_string().chars()).chain([';']));
            }
            letter if letter.is_control() => shown.push(' '),
            letter => shown.push(letter),
        }
    }
    shown
}
