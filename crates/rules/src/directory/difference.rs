//! What lies between two configured flows, in words that a person can follow: keys with what they were and
//! what they are. It works on the JSON form, so that a member that flows get later is compared as well.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use super::attribute::bare_name;
use super::flow::UserFlow;

/// Members that tell the elements of a list apart, the most telling one first.
const IDENTITIES: [&str; 4] = ["attribute", "id", "name", "value"];

/// One key that differs.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Difference {
    /// Where it is, such as `attributeCollection.inputs[city].required`. `order of …` stands for the order of
    /// a list whose elements are compared one by one.
    pub key: String,
    /// What it was; nothing when it was not there.
    pub before: Option<Value>,
    /// What it is; nothing when it is gone.
    pub after: Option<Value>,
}

/// Every difference from `before` to `after`; nothing stands for a flow that is not there.
pub fn between(before: Option<&UserFlow>, after: Option<&UserFlow>) -> Vec<Difference> {
    let form = |flow: Option<&UserFlow>| flow.and_then(|flow| serde_json::to_value(flow).ok());
    let mut found = Vec::new();
    compare("", form(before).as_ref(), form(after).as_ref(), &mut found);
    found
}

fn compare(key: &str, before: Option<&Value>, after: Option<&Value>, found: &mut Vec<Difference>) {
    // What says nothing is the same as what is not there: a later version of the product may write it.
    let (before, after) = (before.filter(|v| !v.is_null()), after.filter(|v| !v.is_null()));
    match (before, after) {
        (Some(Value::Object(before)), Some(Value::Object(after))) => {
            let mut names: Vec<&String> = before.keys().chain(after.keys()).collect();
            names.sort();
            names.dedup();
            for name in names {
                let key = if key.is_empty() { name.clone() } else { format!("{key}.{name}") };
                compare(&key, before.get(name), after.get(name), found);
            }
        }
        (Some(Value::Array(before)), Some(Value::Array(after))) => lists(key, before, after, found),
        (before, after) if before != after => {
            found.push(Difference { key: key.to_owned(), before: before.cloned(), after: after.cloned() });
        }
        _ => {}
    }
}

fn lists(key: &str, before: &[Value], after: &[Value], found: &mut Vec<Difference>) {
    let named_by = |name: &&str| Some((named(before, name)?, named(after, name)?));
    let Some((was, is)) = IDENTITIES.iter().find_map(named_by).or_else(|| titled(before, after)) else {
        if before.len() == after.len() && before.iter().chain(after).all(Value::is_object) {
            for (i, (was, is)) in before.iter().zip(after).enumerate() {
                compare(&format!("{key}[{}]", i + 1), Some(was), Some(is), found);
            }
            return;
        }
        if before != after {
            let list = |values: &[Value]| Some(Value::Array(values.to_vec()));
            found.push(Difference { key: key.to_owned(), before: list(before), after: list(after) });
        }
        return;
    };
    let (old, new): (BTreeMap<_, _>, BTreeMap<_, _>) =
        (was.iter().copied().collect(), is.iter().copied().collect());
    // `businessName` says it; the id of the application that owns it does not.
    let at = |name: &str| format!("{key}[{}]", bare_name(name).unwrap_or(name));
    for (name, value) in &was {
        compare(&at(name), Some(value), new.get(name).copied(), found);
    }
    for (name, value) in is.iter().filter(|(name, _)| !old.contains_key(name)) {
        compare(&at(name), None, Some(value), found);
    }
    let order = |list: &[(&str, &Value)], other: &BTreeMap<&str, &Value>| -> Vec<Value> {
        list.iter().filter(|(name, _)| other.contains_key(name)).map(|(name, _)| (*name).into()).collect()
    };
    let (before, after) = (order(&was, &new), order(&is, &old));
    if before != after {
        let key = format!("order of {key}");
        found.push(Difference { key, before: Some(Value::Array(before)), after: Some(Value::Array(after)) });
    }
}

type Named<'v> = Vec<(&'v str, &'v Value)>;

/// Pages by their titles; a page that only got another title is the same page still.
fn titled<'v>(before: &'v [Value], after: &'v [Value]) -> Option<(Named<'v>, Named<'v>)> {
    let (was, is) = (named(before, "title")?, named(after, "title")?);
    let known = |name: &str| was.iter().any(|(old, _)| *old == name);
    (was.len() != is.len() || is.iter().all(|(name, _)| known(name))).then_some((was, is))
}

/// The elements by the member that tells them apart, if it does.
fn named<'v>(values: &'v [Value], member: &str) -> Option<Named<'v>> {
    let all: Vec<_> =
        values.iter().map(|v| Some((v.get(member)?.as_str()?, v))).collect::<Option<Vec<_>>>()?;
    let mut names: Vec<&str> = all.iter().map(|(name, _)| *name).collect();
    names.sort_unstable();
    names.dedup();
    (names.len() == all.len()).then_some(all)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::directory::flow::{AttributeCollection, AttributeInput};

    fn input(attribute: &str) -> AttributeInput {
        serde_json::from_value(json!({ "attribute": attribute })).unwrap()
    }

    fn flow(inputs: Vec<AttributeInput>) -> UserFlow {
        let mut flow: UserFlow = serde_json::from_value(
            json!({ "id": "B2X_1_a", "displayName": "A", "identityProviders": ["EmailOtpSignup-OAUTH"] }),
        )
        .unwrap();
        flow.attribute_collection = AttributeCollection { inputs, ..AttributeCollection::default() };
        flow
    }

    fn keys(before: &UserFlow, after: &UserFlow) -> Vec<String> {
        between(Some(before), Some(after)).into_iter().map(|d| d.key).collect()
    }

    #[test]
    fn a_flow_does_not_differ_from_itself() {
        let same = flow(vec![input("city"), input("givenName")]);
        assert_eq!(keys(&same, &same), [""; 0]);
    }

    #[test]
    fn inputs_are_matched_by_their_attribute() {
        let before = flow(vec![input("city"), input("givenName")]);
        let required = AttributeInput { required: true, ..input("givenName") };
        let after = flow(vec![input("surname"), required]);
        let found = between(Some(&before), Some(&after));
        let seen: Vec<_> =
            found.iter().map(|d| (d.key.as_str(), d.before.is_some(), d.after.is_some())).collect();
        assert_eq!(
            seen,
            [
                ("attributeCollection.inputs[city]", true, false),
                ("attributeCollection.inputs[givenName].required", true, true),
                ("attributeCollection.inputs[surname]", false, true),
            ]
        );
    }

    #[test]
    fn only_another_order_is_told_as_such() {
        let before = flow(vec![input("city"), input("givenName")]);
        let after = flow(vec![input("givenName"), input("city")]);
        let found = between(Some(&before), Some(&after));
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].key, "order of attributeCollection.inputs");
        assert_eq!(found[0].after, Some(json!(["givenName", "city"])));
    }

    fn paged(titles: &[&str], attribute: &str) -> UserFlow {
        let mut flow = flow(Vec::new());
        flow.attribute_collection.views = serde_json::from_value(json!(
            titles
                .iter()
                .map(|title| json!({ "title": title, "inputs": [{ "attribute": attribute }] }))
                .collect::<Vec<_>>()
        ))
        .unwrap();
        flow
    }

    #[test]
    fn pages_are_matched_by_their_titles_and_else_by_their_place() {
        let before = paged(&["You", "Company"], "city");
        let mut after = before.clone();
        after.attribute_collection.views[1].inputs[0].required = true;
        assert_eq!(keys(&before, &after), ["attributeCollection.views[Company].inputs[city].required"]);
        after.attribute_collection.views[1].title = Some("Your company".to_owned());
        assert_eq!(
            keys(&before, &after),
            ["attributeCollection.views[2].inputs[city].required", "attributeCollection.views[2].title"]
        );
        let moved = paged(&["Company", "You"], "city");
        assert_eq!(keys(&before, &moved), ["order of attributeCollection.views"]);
        assert_eq!(keys(&before, &paged(&["You"], "city")), ["attributeCollection.views[Company]"]);
    }

    #[test]
    fn plain_lists_are_told_whole_and_a_missing_flow_is_one_difference() {
        let before = flow(Vec::new());
        let mut after = before.clone();
        after.identity_providers.push("fabrikam".to_owned());
        assert_eq!(keys(&before, &after), ["identityProviders"]);
        assert_eq!(between(Some(&before), None).len(), 1);
        assert_eq!(between(None, None), []);
    }
}
