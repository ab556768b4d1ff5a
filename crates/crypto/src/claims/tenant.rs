//! Issuers with a tenant in them: one application for the accounts of many organizations, as at Entra's
//! `common` and `organizations`. Its discovery document names no issuer but a pattern of issuers.

use serde_json::{Map, Value};
use vestibule_rules::fault::Outcome;

use crate::jws::Refusal;

/// What stands for the tenant in the pattern.
const PLACE: &str = "{tenantid}";

/// The issuer of a token whose provider publishes the pattern `template`: the pattern filled with the claim
/// `tid`, which must be what `iss` says to the letter. A template without a place is an issuer like any
/// other. Only the form is checked: which tenants may sign in is decided elsewhere, by `tid`.
pub fn issuer_of_template(template: &str, claims: &Map<String, Value>) -> Outcome<String> {
    let text = |name: &str| claims.get(name).and_then(Value::as_str).ok_or(Refusal::WrongIssuer);
    let issuer = if template.contains(PLACE) {
        // Anything but a GUID could make another issuer of the pattern.
        let tenant = text("tid").ok().filter(|tenant| is_guid(tenant)).ok_or(Refusal::WrongIssuer)?;
        template.replace(PLACE, tenant)
    } else {
        template.to_owned()
    };
    if text("iss")? == issuer { Ok(issuer) } else { Err(Refusal::WrongIssuer.into()) }
}

/// Whether it is written as RFC 9562 §4 writes it, in small letters or large.
fn is_guid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    const TEMPLATE: &str = "https://login.microsoftonline.com/{tenantid}/v2.0";
    const TENANT: &str = "72f988bf-86f1-41af-91ab-2d7cd011db47";

    fn issuer(template: &str, claims: &Value) -> Option<String> {
        issuer_of_template(template, claims.as_object().unwrap()).ok()
    }

    #[test]
    fn the_issuer_is_the_pattern_with_the_tenant() {
        let expected = format!("https://login.microsoftonline.com/{TENANT}/v2.0");
        let claims = json!({"tid": TENANT, "iss": expected});
        assert_eq!(issuer(TEMPLATE, &claims), Some(expected));
    }

    #[test]
    fn another_tenant_or_none_is_refused() {
        let of = |tenant: &str| format!("https://login.microsoftonline.com/{tenant}/v2.0");
        let other = "9188040d-6c67-4c5b-b112-36a304b66dad";
        for claims in [
            json!({"tid": other, "iss": of(TENANT)}),
            json!({"tid": TENANT, "iss": of(&TENANT.to_uppercase())}),
            json!({"tid": TENANT, "iss": format!("{}/", of(TENANT))}),
            json!({"tid": TENANT, "iss": TEMPLATE}),
            json!({"tid": TENANT, "iss": [of(TENANT)]}),
            json!({"tid": TENANT}),
            json!({"iss": of(TENANT)}),
            json!({"tid": [TENANT], "iss": of(TENANT)}),
            json!({"tid": "common", "iss": of("common")}),
            json!({"tid": "", "iss": of("")}),
            json!({"tid": "{tenantid}", "iss": TEMPLATE}),
            json!({"tid": "../../evil.example", "iss": of("../../evil.example")}),
            json!({"tid": TENANT.replace('-', ""), "iss": of(&TENANT.replace('-', ""))}),
            json!({"tid": format!("{{{TENANT}}}"), "iss": of(&format!("{{{TENANT}}}"))}),
            json!({"tid": format!("{TENANT}#"), "iss": of(&format!("{TENANT}#"))}),
        ] {
            assert_eq!(issuer(TEMPLATE, &claims), None, "{claims}");
        }
    }

    #[test]
    fn a_template_without_a_place_is_an_issuer() {
        let claims = json!({"iss": "https://idp.example"});
        assert_eq!(issuer("https://idp.example", &claims).as_deref(), Some("https://idp.example"));
        assert_eq!(issuer("https://idp.example/", &claims), None);
    }

    proptest! {
        #[test]
        fn whatever_is_returned_is_what_the_token_says(template in ".*(\\{tenantid\\})?.*", tid in ".*", iss in ".*") {
            let claims = json!({"tid": tid, "iss": iss});
            if let Some(issuer) = issuer(&template, &claims) {
                prop_assert_eq!(issuer, iss);
            }
            let filled = json!({"tid": tid, "iss": template.replace(PLACE, &tid)});
            prop_assert_eq!(issuer(&template, &filled).is_some(), !template.contains(PLACE) || is_guid(&tid));
        }
    }
}
