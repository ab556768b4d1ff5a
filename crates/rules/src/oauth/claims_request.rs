//! The `claims` parameter (OpenID Connect Core 5.5): which claims a request names one by one.
//!
//! Only standard claims that this server knows are remembered. The rest is not an error: MSAL asks in every request for
//! claims that only Entra has (native-auth-and-msal.md 2.4).

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::demands::Demands;
use super::error::{self, OAuthError};

/// Longest parameter that is read, in bytes.
const LONGEST: usize = 8 * 1024;

/// Claims about a person that can be asked for by name, each with the scope that brings it anyway.
pub const PERSONAL: &[(&str, &str)] = &[
    ("name", "profile"),
    ("given_name", "profile"),
    ("family_name", "profile"),
    ("preferred_username", "profile"),
    ("email", "email"),
    ("email_verified", "email"),
    ("address", "address"),
    ("phone_number", "phone"),
    ("phone_number_verified", "phone"),
];

/// Names that were asked for, each once.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ClaimsRequest {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub userinfo: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub id_token: Vec<String>,
}

impl ClaimsRequest {
    /// Reads the parameter: the names, and what is demanded with them. What is not a JSON object is malformed; what is in
    /// it and not known is left out.
    pub fn parse(text: Option<&str>) -> Result<(Self, Demands), OAuthError> {
        let Some(text) = text else { return Ok(Default::default()) };
        if text.len() > LONGEST {
            return Err(error::CLAIMS);
        }
        let Ok(Value::Object(claims)) = serde_json::from_str(text) else { return Err(error::CLAIMS) };
        let names = |place: &str| match claims.get(place) {
            Some(Value::Object(wanted)) => {
                let known = PERSONAL.iter().map(|(name, _)| *name).filter(|name| wanted.contains_key(*name));
                known.map(str::to_owned).collect()
            }
            Some(_) | None => Vec::new(),
        };
        let demands = Demands::read(&claims)?;
        Ok((Self { userinfo: names("userinfo"), id_token: names("id_token") }, demands))
    }

    /// Whether nothing was asked for.
    pub const fn is_empty(&self) -> bool {
        self.userinfo.is_empty() && self.id_token.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn known_names_are_kept_and_others_are_no_error() {
        // oidcc-claims-essential, native-auth-and-msal.md 2.4
        let read = |text| ClaimsRequest::parse(Some(text)).unwrap().0;
        let asked = read(r#"{"userinfo":{"name":{"essential":true},"x":null},"id_token":{"email":null}}"#);
        assert_eq!((asked.userinfo, asked.id_token), (vec!["name".to_owned()], vec!["email".to_owned()]));
        let msal = r#"{"id_token":{"signin_state":{"essential":false}},"access_token":{"xms_cc":{"values":["cp1"]}}}"#;
        assert!(read(msal).is_empty());
        assert!(read(r#"{"userinfo":7,"id_token":["name"]}"#).is_empty());
        assert!(ClaimsRequest::parse(None).unwrap().0.is_empty());
        let long = format!("{{\"a\":\"{}\"}}", "x".repeat(LONGEST));
        for bad in ["", "{", "[]", "\"name\"", "null", &long] {
            assert_eq!(ClaimsRequest::parse(Some(bad)), Err(error::CLAIMS), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn whatever_comes_is_read_or_refused(text in ".{0,200}") {
            let _ = ClaimsRequest::parse(Some(&text));
        }
    }
}
