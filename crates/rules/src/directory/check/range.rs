//! Where the values of an input begin and end, and the country whose phone numbers it understands: what beyond
//! the original an input can say.

use super::{Findings, Place};
use crate::directory::flow::{AttributeInput, Bound, InputType};
use crate::journey::values::{date, text};

pub(super) fn check(input: &AttributeInput, at: &Place, found: &mut Findings) {
    let ends = [("minimum", &input.minimum), ("maximum", &input.maximum)];
    for (key, bound) in ends {
        if let Some(problem) = bound.as_ref().and_then(|bound| misplaced(input.input_type, bound)) {
            found.add(&at.key(key), "ATTR-10", problem);
        }
    }
    if crossed(input) {
        let text = "the minimum is above the maximum: no value is in between";
        found.add(&at.key("minimum"), "ATTR-10", text);
    }
    let Some(region) = &input.default_region else { return };
    let at = at.key("defaultRegion");
    if input.input_type != InputType::Phone {
        found.add(&at, "ATTR-10", "only phone has a country whose numbers need no country code");
    } else if !text::has_phones(region) {
        let text =
            format!("“{region}” is not a country: use its two capital letters, such as DE (ISO 3166-1)");
        found.add(&at, "ATTR-10", text);
    }
}

fn misplaced(kind: InputType, bound: &Bound) -> Option<String> {
    if kind == InputType::DateTimeDropdown {
        let good = date::parse(&bound.to_string()).is_some();
        return (!good).then(|| format!("“{bound}” is not a date such as 1990-03-27"));
    }
    if kind != InputType::NumericTextBox {
        return Some("only numericTextBox and dateTimeDropdown have a range".to_owned());
    }
    match bound {
        Bound::Number(_) => None,
        Bound::Date(text) => Some(format!("“{text}” is not a whole number")),
    }
}

fn crossed(input: &AttributeInput) -> bool {
    match (&input.minimum, &input.maximum) {
        (Some(Bound::Number(least)), Some(Bound::Number(most))) => least > most,
        (Some(Bound::Date(first)), Some(Bound::Date(last))) => {
            date::parse(first).zip(date::parse(last)).is_some_and(|(first, last)| first > last)
        }
        (Some(Bound::Number(_)), Some(Bound::Date(_)) | None)
        | (Some(Bound::Date(_)), Some(Bound::Number(_)) | None)
        | (None, _) => false,
    }
}
