//! The `claims` parameter (OpenID Connect Core 5.5): which claims a request names one by one.
//!
//! Only standard claims that this server knows are remembered. The rest is not an error: MSAL asks in every request for
//! claims that only Entra has (native-auth-and-msal.md 2.4).

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::demands::Demands;
use super::error::{self, OAuthError};
use super::scope::Scope;

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

    /// What it asks for beside `scope`: whoever has to agree to a scope has to agree to a claim of it, too.
    pub fn widen(&self, scope: &Scope) -> Scope {
        let mut scope = scope.clone();
        for name in self.userinfo.iter().chain(&self.id_token) {
            match bringing(name) {
                Some("profile") => scope.profile = true,
                Some("email") => scope.email = true,
                Some("address") => scope.address = true,
                Some("phone") => scope.phone = true,
                Some(_) | None => {}
            }
        }
        scope
    }

    /// Leaves out what no scope of `given` brings.
    pub fn limit(&mut self, given: &[String]) {
        let is_given =
            |name: &String| bringing(name).is_some_and(|scope| given.iter().any(|own| own == scope));
        self.userinfo.retain(is_given);
        self.id_token.retain(is_given);
    }

    /// Whether nothing was asked for.
    pub const fn is_empty(&self) -> bool {
        self.userinfo.is_empty() && self.id_token.is_empty()
    }
}

/// The scope that brings a claim.
fn bringing(name: &str) -> Option<&'static str> {
    PERSONAL.iter().find(|(claim, _)| *claim == name).map(|(_, scope)| *scope)
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

    #[test]
    fn a_claim_weighs_as_much_as_its_scope() {
        let every: Vec<String> = PERSONAL.iter().map(|(name, _)| (*name).to_owned()).collect();
        let mut all = ClaimsRequest { userinfo: every.clone(), id_token: every };
        let wide = all.widen(&Scope { openid: true, ..Scope::default() });
        assert!(wide.openid && wide.profile && wide.email && wide.address && wide.phone);
        assert!(!wide.offline_access && wide.resource.is_none());
        all.limit(&["openid".to_owned(), "email".to_owned()]);
        assert_eq!(all.userinfo, ["email", "email_verified"]);
        assert_eq!(all.id_token, all.userinfo);
        assert_eq!(ClaimsRequest::default().widen(&wide), wide);
    }

    proptest! {
        #[test]
        fn whatever_comes_is_read_or_refused(text in ".{0,200}") {
            let _ = ClaimsRequest::parse(Some(&text));
        }
    }
}
