//! The parameters of a request, as they came. What is repeated is malformed (security.md S8), what is empty
//! counts as absent (S9), and what is unknown is never looked at (S10).

use super::error::{self, OAuthError};

/// Decoded names and values in the order of the request.
#[derive(Clone, Default)]
pub struct Params(Vec<(String, String)>);

/// Values may be secrets (`client_secret`, `code`, `refresh_token`), so only names are printed.
impl std::fmt::Debug for Params {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.0.iter().map(|(name, _)| name)).finish()
    }
}

impl From<Vec<(String, String)>> for Params {
    fn from(pairs: Vec<(String, String)>) -> Self {
        Self(pairs)
    }
}

impl Params {
    /// Wraps decoded pairs.
    pub const fn new(pairs: Vec<(String, String)>) -> Self {
        Self(pairs)
    }

    /// The parameters of an `application/x-www-form-urlencoded` text: a query or a form.
    pub fn decode(text: &str) -> Self {
        Self(url::form_urlencoded::parse(text.as_bytes()).into_owned().collect())
    }

    /// The value of a parameter; `None` when it is absent or empty.
    pub fn get(&self, name: &str) -> Result<Option<&str>, OAuthError> {
        let mut values = self.all(name);
        match (values.next(), values.next()) {
            (_, Some(_)) => Err(error::REPEATED),
            (value, None) => Ok(value.filter(|v| !v.is_empty())),
        }
    }

    /// Like [`Self::get`] for a parameter that must be there.
    pub fn require(&self, name: &str) -> Result<&str, OAuthError> {
        self.get(name)?.ok_or(error::MISSING_PARAMETER)
    }

    /// The value when it is there exactly once. For parameters that are only hints.
    pub fn hint(&self, name: &str) -> Option<&str> {
        self.get(name).ok().flatten()
    }

    /// Whether a flag is set: `1` or `true` (native-auth-and-msal.md R45).
    pub fn is_set(&self, name: &str) -> bool {
        matches!(self.hint(name), Some("1" | "true"))
    }

    /// Fails when one of `names` is repeated, or holds a control character. None of them has a use for one,
    /// and NUL cannot be stored in every database.
    pub fn check(&self, names: &[&str]) -> Result<(), OAuthError> {
        names.iter().try_for_each(|name| match self.get(name)? {
            Some(value) if value.chars().any(char::is_control) => Err(error::MALFORMED),
            Some(_) | None => Ok(()),
        })
    }

    /// The values of a parameter that its specification lets occur more than once.
    pub fn values<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a str> {
        self.all(name).filter(|value| !value.is_empty())
    }

    /// The parameters with one of these names, in their order.
    pub fn only(&self, names: &[&str]) -> Vec<(String, String)> {
        self.0.iter().filter(|(name, _)| names.contains(&name.as_str())).cloned().collect()
    }

    fn all<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(n, _)| n == name).map(|(_, value)| value.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_is_absent_and_repeated_is_an_error() {
        // S8, S9, S10
        let params = Params::decode("a=1&b=&c=1&c=&d=x%20y&unknown=1&unknown=2");
        assert_eq!(params.get("a"), Ok(Some("1")));
        assert_eq!(params.get("b"), Ok(None));
        assert_eq!(params.get("c"), Err(error::REPEATED));
        assert_eq!(params.get("d"), Ok(Some("x y")));
        assert_eq!(params.get("e"), Ok(None));
        assert_eq!(params.require("e"), Err(error::MISSING_PARAMETER));
        assert!(params.check(&["a", "b", "d"]).is_ok());
        assert_eq!(params.check(&["a", "c"]), Err(error::REPEATED));
    }

    #[test]
    fn control_characters_are_malformed() {
        for text in ["a=%00", "a=x%0D%0Ay", "a=%7F"] {
            assert_eq!(Params::decode(text).check(&["a"]), Err(error::MALFORMED), "{text}");
        }
    }

    #[test]
    fn values_are_never_printed() {
        assert_eq!(format!("{:?}", Params::decode("client_secret=hush")), r#"{"client_secret"}"#);
    }
}
