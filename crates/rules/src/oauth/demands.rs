//! What a request demands of whoever answers it: that it is one person and nobody else, and how they have to have
//! signed in (the `claims` parameter, OpenID Connect Core 5.5.1 and 5.5.1.1).
//!
//! `acr_values` demands nothing: it says what an application would like best, and `acr` of the token says what it got
//! (Core 3.1.2.1).

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::claims::ACR_VALUES;
use super::error::{self, OAuthError};

/// The demands of a request; none of them is the usual case.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Demands {
    /// `sub` that the ID token must have, one of these.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sub: Option<Vec<String>>,
    /// `acr` that it must have, one of these.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub acr: Option<Vec<String>>,
}

impl Demands {
    /// Reads them from the `id_token` member of the parsed `claims` parameter. Returns `CLAIMS` for a value that is no
    /// text, which nobody could fulfil, and `UNMET_DEMAND` for one of `acr` that this server never gives.
    pub fn read(claims: &Map<String, Value>) -> Result<Self, OAuthError> {
        let wanted = |name: &str| claims.get("id_token").and_then(|names| names.get(name));
        let sub = wanted("sub").map_or(Ok(None), values)?;
        let essential = |request: &&Value| request.get("essential") == Some(&Value::Bool(true));
        let acr = wanted("acr").filter(essential).map_or(Ok(None), values)?;
        let given = |value: &String| ACR_VALUES.contains(&value.as_str());
        if acr.as_ref().is_some_and(|values| !values.iter().any(given)) {
            return Err(error::UNMET_DEMAND);
        }
        Ok(Self { sub, acr })
    }

    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.sub.is_none() && self.acr.is_none()
    }

    /// Whether the request is about the person whose ID tokens have `sub`.
    pub fn mean(&self, sub: &str) -> bool {
        self.sub.as_ref().is_none_or(|values| values.iter().any(|value| value == sub))
    }

    /// Whether an ID token with `sub` and `acr` is an answer.
    pub fn are_met(&self, sub: &str, acr: &str) -> bool {
        self.mean(sub) && self.acr.as_ref().is_none_or(|values| values.iter().any(|value| value == acr))
    }
}

/// `value` and `values` of one claim's request; nothing when it has neither.
fn values(request: &Value) -> Result<Option<Vec<String>>, OAuthError> {
    let several = match request.get("values") {
        None => Vec::new(),
        Some(Value::Array(several)) => several.iter().collect(),
        Some(_) => return Err(error::CLAIMS),
    };
    let all = request.get("value").into_iter().chain(several);
    let texts: Option<Vec<String>> = all.map(|value| value.as_str().map(str::to_owned)).collect();
    let texts = texts.ok_or(error::CLAIMS)?;
    Ok((!texts.is_empty()).then_some(texts))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(id_token: &Value) -> Result<Demands, OAuthError> {
        let claims = json!({ "id_token": id_token });
        Demands::read(claims.as_object().unwrap())
    }

    #[test]
    fn a_subject_is_demanded_by_its_value_and_acr_only_when_it_is_essential() {
        let none = [
            json!({"sub": null, "acr": null}),
            json!({"sub": {"essential": true}, "acr": {"values": ["2"]}}),
            json!({"acr": {"essential": true}}),
            json!({"acr": {"essential": false, "value": "9"}, "sub": {"values": []}}),
            json!(["sub"]),
        ];
        assert!(none.iter().all(|claims| read(claims).unwrap().is_empty()));
        let both = json!({"sub": {"value": "a"}, "acr": {"essential": true, "values": ["9", "2"]}});
        let both = read(&both).unwrap();
        assert!(both.are_met("a", "2") && both.mean("a"));
        assert!(!both.are_met("a", "1") && !both.are_met("b", "2") && !both.mean("b"));
        assert!(Demands::default().are_met("a", "1"));
    }

    #[test]
    fn what_nobody_can_fulfil_is_refused() {
        assert_eq!(read(&json!({"acr": {"essential": true, "value": "9"}})), Err(error::UNMET_DEMAND));
        for bad in [
            json!({"sub": {"value": 7}}),
            json!({"sub": {"values": "a"}}),
            json!({"sub": {"values": [null]}}),
        ] {
            assert_eq!(read(&bad), Err(error::CLAIMS), "{bad}");
        }
    }
}
