//! The rule on age: what it refers to must be asked of everybody.

use super::{Findings, Place, is_strict};
use crate::directory::age::AgeRule;
use crate::directory::flow::{AttributeInput, InputType, UserFlow, WhenProvided};
use crate::directory::tenant::TenantConfig;
use crate::ids::AttributeId;
use crate::journey::values::text;

/// No rule on age asks for more.
const OLDEST: u8 = 99;

pub(super) fn check(config: &TenantConfig, flow: &UserFlow, at: &Place, found: &mut Findings) {
    let Some(rule) = &flow.age else { return };
    let at = at.key("age");
    if is_strict(config) {
        found.add(&at, "AGE-01", "the original has no rule on age (compatibility: strict)");
    }
    date_of_birth(flow, rule, &at.key("dateOfBirth"), found);
    country(flow, rule, &at, found);
    let bound = |years: u8| (1..=OLDEST).contains(&years);
    if !bound(rule.minimum) {
        found.add(&at.key("minimum"), "AGE-01", format!("say a number of years from 1 to {OLDEST}"));
    }
    if rule.adult < rule.minimum || !bound(rule.adult) {
        found.add(&at.key("adult"), "AGE-01", format!("say a number of years from minimum to {OLDEST}"));
    }
    for (code, years) in &rule.minimum_by_country {
        let at = at.key("minimumByCountry").key(code);
        if text::country(code).is_none_or(|known| known != code) {
            found.add(&at, "AGE-01", format!("“{code}” is no country code (ISO 3166-1 alpha-2, such as DE)"));
        }
        if !bound(*years) || *years > rule.adult {
            found.add(&at, "AGE-01", "say a number of years from 1 to adult");
        }
    }
}

fn date_of_birth(flow: &UserFlow, rule: &AgeRule, at: &Place, found: &mut Findings) {
    let Some(input) = asked(flow, &rule.date_of_birth) else {
        found.add(at, "AGE-01", format!("the flow does not ask for “{}”", rule.date_of_birth));
        return;
    };
    if input.input_type != InputType::DateTimeDropdown {
        found.add(at, "AGE-01", "the date of birth is asked for with inputType: date");
    }
    if input.when_provided == WhenProvided::Skip {
        let text =
            "the date of birth is shown to everybody: whenProvided may be editable or fixed, and not skip";
        found.add(at, "AGE-01", text);
    }
    if !input.required || !is_of_everybody(flow, input) {
        let text = "the date of birth must be required and asked of everybody: no when, not hidden, editable";
        found.add(at, "AGE-01", text);
    }
}

fn country(flow: &UserFlow, rule: &AgeRule, at: &Place, found: &mut Findings) {
    match &rule.country {
        None if rule.minimum_by_country.is_empty() => {}
        None => {
            found.add(&at.key("country"), "AGE-01", "say in which attribute the flow asks for the country");
        }
        Some(attribute) => {
            let input = asked(flow, attribute);
            if input.is_none_or(|i| i.input_type != InputType::Country || !is_of_everybody(flow, i)) {
                let text =
                    format!("the flow does not ask everybody for “{attribute}” with inputType: country");
                found.add(&at.key("country"), "AGE-01", text);
            }
        }
    }
}

fn asked<'f>(flow: &'f UserFlow, attribute: &AttributeId) -> Option<&'f AttributeInput> {
    flow.attribute_collection.all().map(|(_, input)| input).find(|input| input.attribute == *attribute)
}

fn is_of_everybody(flow: &UserFlow, input: &AttributeInput) -> bool {
    let views = &flow.attribute_collection.views;
    let page = views.iter().find(|view| view.inputs.iter().any(|i| i.attribute == input.attribute));
    input.when.is_none() && page.is_none_or(|p| p.when.is_none()) && !input.hidden && input.editable
}
