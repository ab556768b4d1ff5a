//! What an extension contributes when a form is submitted (sign-up.md 3, ATTR-12, ATTR-18, ATTR-19).

use super::facts::Facts;
use super::flow::Flow;
use super::question::RawFields;

/// Keeps what an extension set for the form that is about to be submitted. It overrides what the person
/// types, and passes the same checks. What the flow does not have, or does not let anybody change, is ignored.
pub fn supply(flow: &Flow, facts: &mut Facts, values: &RawFields) {
    let editable = |name: &str| flow.fields.iter().any(|f| f.id.as_str() == name && f.input.editable);
    facts.supplied =
        values.iter().filter(|(name, _)| editable(name)).map(|(n, v)| (n.clone(), v.clone())).collect();
}

#[cfg(test)]
mod tests {
    use super::supply;
    use crate::directory::flow::InputType;
    use crate::directory::tenant::TenantKind;
    use crate::journey::flow::Method;
    use crate::journey::form;
    use crate::journey::pages::outline;
    use crate::journey::testing::{field, flow, proven, typed};

    // T-26, ATTR-12, ATTR-18, ATTR-19
    #[test]
    fn an_extension_fills_in_what_nobody_sees_and_nothing_that_cannot_be_changed() {
        let mut flow = flow(TenantKind::Workforce, &[Method::Code]);
        flow.fields = vec![
            field("city", InputType::Text, |_| {}),
            field("extension_x_risk", InputType::Text, |f| f.input.hidden = true),
            field("state", InputType::Text, |f| f.input.editable = false),
        ];
        let mut facts = proven(&flow, "ada@example.com");
        let set = [("city", "Bath"), ("extension_x_risk", "low"), ("state", "Avon"), ("country", "Wales")];
        let set: Vec<(&str, &[&str])> = set.iter().map(|(n, v)| (*n, std::slice::from_ref(v))).collect();
        supply(&flow, &mut facts, &typed(&set));
        facts.typed = typed(&[("city", &["Leeds"])]);
        let stored = outline(&flow, &facts).collected().unwrap();
        let stored: Vec<String> = stored.iter().map(|(id, value)| format!("{id} {value}")).collect();
        assert_eq!(stored, ["city \"Bath\"", "extension_x_risk \"low\""]);
        let shown = form::form(&flow, &facts);
        assert!(shown.fields.iter().all(|f| f.name != "extension_x_risk"));
    }
}
