//! What `vestibule provider map` prints.

use std::fmt::Write as _;

use serde_json::{Value, json};
use vestibule_rules::directory::provider::claims::{ClaimsFrom, Mapped, UpdateWhen, Why};
use vestibule_service::federation::dry_run::{Attribute, DryRun, Given};

pub(super) fn table(run: &DryRun) -> String {
    let mut text = format!("{} of “{}”. {}\n", given(run.given).0, run.name, given(run.given).1);
    text.push_str("\nWho it is\n");
    for mapped in &run.identity {
        line(&mut text, mapped);
    }
    match &run.address {
        Some(told) if told.vouched => {
            let _ =
                writeln!(text, "  The address {} is believed, and no code is sent.", shown(&told.address));
        }
        Some(told) => {
            let _ = writeln!(
                text,
                "  The address {} is not believed: a code proves it at sign-up.",
                shown(&told.address)
            );
        }
        None => text.push_str("  No address is told: it is asked for, and a code proves it at sign-up.\n"),
    }
    if run.subject.is_none() {
        text.push_str("  Nobody can sign in so: there is no subject that can be kept.\n");
    }
    text.push_str("\nAttributes\n");
    for attribute in &run.attributes {
        line(&mut text, &attribute.mapped);
        let _ = writeln!(text, "      {}", kept(attribute));
    }
    if run.attributes.is_empty() {
        text.push_str("  none: the mapping names none\n");
    }
    if run.asks_user_info {
        text.push_str(
            "\nAt a sign-in the user info endpoint is asked for what is missing here. Hand in its answer too, as\n\
             {\"idToken\": …, \"userInfo\": …}, to see the whole.\n",
        );
    }
    text.trim_end().to_owned()
}

/// What was handed in, and how far it is looked at.
const fn given(given: Given) -> (&'static str, &'static str) {
    match given {
        Given::Token => ("A token", "Its claims are taken as they are: nothing of it is checked."),
        Given::IdToken => ("The claims of an ID token", "They are taken as they are."),
        Given::UserInfo => ("An answer of the user info endpoint", "It is taken as it is."),
        Given::Both => (
            "An ID token and an answer of the user info endpoint",
            "They are taken as they are: nothing is checked.",
        ),
    }
}

fn line(text: &mut String, mapped: &Mapped) {
    let value =
        mapped.value.as_deref().map_or_else(|| "nothing".to_owned(), |value| format!("“{}”", shown(value)));
    let _ = writeln!(text, "  {:<16} {value}", mapped.attribute);
    let _ = writeln!(text, "      {}", why(&mapped.why));
}

/// A value as it can stand in a line of a terminal.
fn shown(value: &str) -> String {
    value.chars().flat_map(|c| if c.is_control() { c.escape_unicode().collect() } else { vec![c] }).collect()
}

fn why(why: &Why) -> String {
    match why {
        Why::Claims(used) => {
            let claims: Vec<String> =
                used.iter().map(|(name, from)| format!("{name} {}", place(*from))).collect();
            format!("from {}", claims.join(" and "))
        }
        Why::Constant => "a constant of the configuration".to_owned(),
        Why::Missing(names) => format!("none of these claims is there: {}", names.join(", ")),
        Why::NotReadable(name) => format!("{name} is neither a text nor a number nor true or false"),
        Why::Nothing => "nothing is left of the value after it was split, or it is too long".to_owned(),
    }
}

const fn place(from: ClaimsFrom) -> &'static str {
    match from {
        ClaimsFrom::IdToken => "in the ID token",
        ClaimsFrom::UserInfo => "of the user info endpoint",
    }
}

const fn update(update: UpdateWhen) -> (&'static str, &'static str) {
    match update {
        UpdateWhen::Never => ("never", "stays as it is at later sign-ins"),
        UpdateWhen::WhenEmpty => ("whenEmpty", "is taken over at later sign-ins while there is none"),
        UpdateWhen::Always => ("always", "is taken over at every sign-in"),
    }
}

/// What the flows make of it.
fn kept(attribute: &Attribute) -> String {
    if attribute.kept.is_empty() {
        return "no flow with this provider asks for it, so it is not kept".to_owned();
    }
    let one = |(flow, value): &(String, Option<Value>)| match value {
        Some(Value::String(text)) if Some(text) == attribute.mapped.value.as_ref() => {
            format!("kept by “{flow}”")
        }
        Some(value) => format!("kept by “{flow}” as {value}"),
        None if attribute.mapped.value.is_none() => format!("asked for by “{flow}”"),
        None => format!("“{flow}” cannot keep this value, and asks for another"),
    };
    let flows: Vec<String> = attribute.kept.iter().map(one).collect();
    format!("{}; {}", flows.join(", "), update(attribute.mapped.update).1)
}

pub(super) fn json(run: &DryRun) -> String {
    let mapped = |mapped: &Mapped| {
        json!({
            "attribute": mapped.attribute,
            "value": mapped.value,
            "why": why(&mapped.why),
            "update": update(mapped.update).0,
        })
    };
    let attribute = |attribute: &Attribute| {
        let mut one = mapped(&attribute.mapped);
        let flow = |(flow, value): &(String, Option<Value>)| json!({ "flow": flow, "keeps": value });
        if let Some(members) = one.as_object_mut() {
            members.insert("flows".to_owned(), attribute.kept.iter().map(flow).collect());
        }
        one
    };
    let all = json!({
        "displayName": run.name,
        "checked": false,
        "subject": run.subject,
        "address": run.address.as_ref().map(|told| json!({ "address": told.address, "believed": told.vouched })),
        "identity": run.identity.iter().map(mapped).collect::<Vec<Value>>(),
        "attributes": run.attributes.iter().map(attribute).collect::<Vec<Value>>(),
        "asksUserInfo": run.asks_user_info,
    });
    format!("{all:#}")
}
