//! Where the answer to an authorization request goes, and in what form.

use serde::{Deserialize, Serialize};
use url::Url;
use url::form_urlencoded;

use super::error::OAuthError;

/// A verified way back to an application. Nothing else can redirect to one (security.md S6, S7).
///
/// It is made in one place, the table of [`super::authorize`], after the client and the redirect address
/// were found in the tenant's configuration. It can be serialised so that a journey remembers its request
/// while a person answers questions; that is safe because journeys are stored in our own database and the
/// stored form never leaves the server: no browser, application or token carries it. Before a code goes
/// out, [`super::authorize::resume`] looks the address up again, for the configuration may have changed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Callback {
    redirect_uri: String,
    mode: ResponseMode,
    state: Option<String>,
}

/// How parameters travel back (OAuth 2.0 Multiple Response Type Encoding Practices, Form Post Response Mode).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResponseMode {
    #[default]
    Query,
    Fragment,
    FormPost,
}

/// An answer that is ready to be sent.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Answer {
    /// Go to this address.
    Redirect(String),
    /// A page that posts these fields to the address.
    Post { action: String, fields: Vec<(String, String)> },
}

impl Callback {
    /// Only verified parts may come in here.
    pub(super) const fn new(redirect_uri: String, mode: ResponseMode, state: Option<String>) -> Self {
        Self { redirect_uri, mode, state }
    }

    /// The redirect address as it was requested; with the port that a loopback app chose.
    pub fn redirect_uri(&self) -> &str {
        &self.redirect_uri
    }

    pub const fn mode(&self) -> ResponseMode {
        self.mode
    }

    pub fn state(&self) -> Option<&str> {
        self.state.as_deref()
    }

    /// The parameters that hand over what was asked for; `iss` tells the app who answers (RFC 9207).
    pub fn success(&self, granted: Vec<(&str, String)>, issuer: &str) -> Vec<(String, String)> {
        self.parameters(granted, issuer)
    }

    /// The parameters that hand over an error.
    pub fn failure(&self, error: &OAuthError, issuer: &str) -> Vec<(String, String)> {
        let mut first = vec![("error", error.code.as_str().to_owned()), ("error_description", error.text())];
        if let Some(suberror) = error.suberror {
            first.push(("suberror", suberror.to_owned()));
        }
        self.parameters(first, issuer)
    }

    fn parameters(&self, first: Vec<(&str, String)>, issuer: &str) -> Vec<(String, String)> {
        // MSAL checks that `state` comes back once, and unchanged (native-auth-and-msal.md 2.4).
        let state = self.state.clone().map(|state| ("state", state));
        let all = first.into_iter().chain(state).chain([("iss", issuer.to_owned())]);
        all.map(|(name, value)| (name.to_owned(), value)).collect()
    }

    /// The answer with `parameters`, in the form that the request asked for.
    pub fn answer(&self, parameters: Vec<(String, String)>) -> Answer {
        let encoded = form_urlencoded::Serializer::new(String::new()).extend_pairs(&parameters).finish();
        match self.mode {
            ResponseMode::Query if self.redirect_uri.contains('?') => {
                Answer::Redirect(format!("{}&{encoded}", self.redirect_uri))
            }
            ResponseMode::Query => Answer::Redirect(format!("{}?{encoded}", self.redirect_uri)),
            ResponseMode::Fragment => Answer::Redirect(format!("{}#{encoded}", self.redirect_uri)),
            ResponseMode::FormPost => Answer::Post { action: self.redirect_uri.clone(), fields: parameters },
        }
    }

    /// The origin of the address, for an app that is a page.
    pub fn origin(&self) -> Option<String> {
        let origin = Url::parse(&self.redirect_uri).ok()?.origin();
        origin.is_tuple().then(|| origin.ascii_serialization())
    }

    /// The origin that a content security policy must allow a form to be sent to: `scheme://host:port`, or
    /// `scheme:` for an app's own scheme.
    pub fn form_action(&self) -> Option<String> {
        let url = Url::parse(&self.redirect_uri).ok()?;
        Some(if url.origin().is_tuple() {
            url.origin().ascii_serialization()
        } else {
            format!("{}:", url.scheme())
        })
    }
}

impl ResponseMode {
    /// The name on the wire.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "query" => Some(Self::Query),
            "fragment" => Some(Self::Fragment),
            "form_post" => Some(Self::FormPost),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oauth::error;

    fn callback(uri: &str, mode: ResponseMode) -> Callback {
        Callback::new(uri.to_owned(), mode, Some("a&b=\r\n\"</script>".to_owned()))
    }

    #[test]
    fn state_and_issuer_come_back_unchanged_in_every_mode() {
        // S18, S19
        let parameters = callback("https://a.example/cb", ResponseMode::Query)
            .success(vec![("code", "c".to_owned())], "https://i");
        for (mode, start) in [
            (ResponseMode::Query, "https://a.example/cb?"),
            (ResponseMode::Fragment, "https://a.example/cb#"),
        ] {
            let Answer::Redirect(to) = callback("https://a.example/cb", mode).answer(parameters.clone())
            else {
                panic!("a redirect");
            };
            assert!(to.is_ascii() && !to.contains(['\r', '\n', '"', '<']), "{to}");
            let encoded = to.strip_prefix(start).unwrap();
            let back: Vec<(String, String)> =
                form_urlencoded::parse(encoded.as_bytes()).into_owned().collect();
            assert_eq!(back, parameters);
        }
        let post = callback("https://a.example/cb", ResponseMode::FormPost).answer(parameters.clone());
        assert_eq!(post, Answer::Post { action: "https://a.example/cb".to_owned(), fields: parameters });
    }

    #[test]
    fn a_query_of_the_registered_address_is_kept() {
        let answer = Callback::new("https://a.example/cb?x=1".to_owned(), ResponseMode::Query, None)
            .answer(vec![("code".to_owned(), "c".to_owned())]);
        assert_eq!(answer, Answer::Redirect("https://a.example/cb?x=1&code=c".to_owned()));
    }

    #[test]
    fn an_error_names_the_issuer_too() {
        // R43, S18
        let callback = Callback::new("https://a.example/cb".to_owned(), ResponseMode::Query, None);
        let names: Vec<_> =
            callback.failure(&error::CANCELLED, "https://i").into_iter().map(|p| p.0).collect();
        assert_eq!(names, ["error", "error_description", "iss"]);
    }

    #[test]
    fn forms_may_only_go_to_the_callback() {
        // S13
        let action = |uri| callback(uri, ResponseMode::FormPost).form_action();
        assert_eq!(action("http://localhost:4711/").as_deref(), Some("http://localhost:4711"));
        assert_eq!(action("com.example.app:/callback").as_deref(), Some("com.example.app:"));
    }

    #[test]
    fn it_survives_being_stored() {
        let callback = callback("https://a.example/cb", ResponseMode::FormPost);
        let stored = serde_json::to_string(&callback).unwrap();
        assert_eq!(serde_json::from_str::<Callback>(&stored).unwrap(), callback);
    }
}
