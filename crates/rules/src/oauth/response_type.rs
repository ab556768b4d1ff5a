//! What the authorization endpoint answers with (OAuth 2.0 Multiple Response Type Encoding Practices, OpenID Connect
//! Core 3). Whatever is not `code` travels through the browser and is refused unless the client's profile and the app
//! itself allow it (security.md S11, S12).

use serde::{Deserialize, Serialize};

use super::callback::ResponseMode;
use super::error::{self, OAuthError};
use super::profile;
use crate::directory::application::{Application, Platform};

/// A set of answers; never empty.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ResponseType {
    pub code: bool,
    pub id_token: bool,
    pub token: bool,
}

impl Default for ResponseType {
    fn default() -> Self {
        Self { code: true, id_token: false, token: false }
    }
}

impl ResponseType {
    /// Every combination, as discovery lists it.
    pub const ALL: [&'static str; 7] =
        ["code", "id_token", "token", "id_token token", "code id_token", "code token", "code id_token token"];

    /// Reads the parameter; the order of the words has no meaning.
    pub fn parse(text: &str) -> Option<Self> {
        let mut read = Self { code: false, id_token: false, token: false };
        for word in text.split(' ').filter(|word| !word.is_empty()) {
            let flag = match word {
                "code" => &mut read.code,
                "id_token" => &mut read.id_token,
                "token" => &mut read.token,
                _ => return None,
            };
            if std::mem::replace(flag, true) {
                return None;
            }
        }
        (read.code || read.uses_front_channel()).then_some(read)
    }

    /// Whether tokens travel through the browser.
    pub const fn uses_front_channel(self) -> bool {
        self.id_token || self.token
    }

    /// How the answer travels when the request does not say.
    pub const fn usual_mode(self) -> ResponseMode {
        if self.uses_front_channel() { ResponseMode::Fragment } else { ResponseMode::Query }
    }

    /// Whether the application may be answered so.
    pub fn check<P>(self, application: &Application<P>, platform: Platform) -> Result<(), OAuthError> {
        if application.registered.as_ref().is_some_and(|own| !own.response_types.contains(&self)) {
            return Err(error::RESPONSE_TYPE_NOT_ENABLED);
        }
        if !self.uses_front_channel() {
            return Ok(());
        }
        let ticked = application.web.implicit_grant_settings;
        let allowed = profile::of(application.settings.security_profile).front_channel_tokens
            && matches!(platform, Platform::Web | Platform::Spa)
            && (!self.id_token || ticked.enable_id_token_issuance)
            && (!self.token || ticked.enable_access_token_issuance)
            // What comes through the browser is bound to no key.
            && !(self.token && application.settings.dpop_bound_access_tokens);
        if allowed { Ok(()) } else { Err(error::RESPONSE_TYPE_NOT_ENABLED) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::directory::client::SecurityProfile;
    use crate::oauth::testing::application;

    #[test]
    fn words_come_in_any_order_and_once() {
        // S11, oidcc-response-type-missing
        for text in ResponseType::ALL {
            let reversed: Vec<&str> = text.split(' ').rev().collect();
            assert!(ResponseType::parse(text).is_some());
            assert_eq!(ResponseType::parse(text), ResponseType::parse(&reversed.join(" ")));
        }
        for bad in ["", " ", "none", "code code", "Code", "code none", "id_token,token"] {
            assert_eq!(ResponseType::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn an_app_whose_access_tokens_are_bound_gets_none_through_the_browser() {
        let mut app = application();
        app.settings.security_profile = SecurityProfile::OidcCompat;
        app.settings.dpop_bound_access_tokens = true;
        app.web.implicit_grant_settings.enable_id_token_issuance = true;
        app.web.implicit_grant_settings.enable_access_token_issuance = true;
        for text in ResponseType::ALL {
            let allowed = !text.split(' ').any(|word| word == "token");
            let checked = ResponseType::parse(text).unwrap().check(&app, Platform::Web);
            assert_eq!(checked.is_ok(), allowed, "{text}");
        }
    }

    #[test]
    fn each_token_needs_its_tick_and_the_profile() {
        // S11
        let mut app = application();
        let check = |app: &_, text, platform| ResponseType::parse(text).unwrap().check(app, platform);
        for profile in SecurityProfile::ALL {
            app.settings.security_profile = profile;
            for (id_token, token) in [(false, false), (false, true), (true, false), (true, true)] {
                app.web.implicit_grant_settings.enable_id_token_issuance = id_token;
                app.web.implicit_grant_settings.enable_access_token_issuance = token;
                for text in ResponseType::ALL {
                    let compat = profile == SecurityProfile::OidcCompat;
                    let named = |word| text.split(' ').any(|w| w == word);
                    let allowed = text == "code"
                        || (compat && (!named("id_token") || id_token) && (!named("token") || token));
                    assert_eq!(check(&app, text, Platform::Web).is_ok(), allowed, "{text} {profile:?}");
                    assert_eq!(check(&app, text, Platform::PublicClient).is_ok(), text == "code");
                }
            }
        }
    }
}
