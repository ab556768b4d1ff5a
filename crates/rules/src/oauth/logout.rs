//! Where to after signing out (OpenID Connect RP-Initiated Logout 1.0).
//!
//! Signing somebody out who did not ask for it is an attack, and so is sending them somewhere afterwards.
//! A request is therefore believed only with a hint that we signed, and followed only to an address that is
//! registered, byte for byte (security.md S84).

use crate::directory::application::Application;
use crate::ids::SessionId;

/// What a logout request shows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Shown {
    /// A hint that we signed, for this session.
    Hint(SessionId),
    /// A hint that is not ours, or not for this tenant.
    BadHint,
    /// No hint.
    Nothing,
    /// The person pressed the button on our own page.
    Confirmed,
}

/// What happens.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Decision {
    /// Ask the person.
    Confirm,
    /// Sign out, and go back to the application when it named a registered address.
    SignOut { may_return: bool },
}

/// Decides a request; `here` are the sessions of this browser.
pub fn decide(shown: Shown, here: &[SessionId]) -> Decision {
    match shown {
        Shown::Hint(hinted) if !here.is_empty() && !here.contains(&hinted) => Decision::Confirm,
        Shown::Hint(_) | Shown::Confirmed => Decision::SignOut { may_return: true },
        Shown::BadHint | Shown::Nothing if !here.is_empty() => Decision::Confirm,
        // Nobody is signed in, so nothing can be done to anybody; and nobody vouches for the address.
        Shown::BadHint | Shown::Nothing => Decision::SignOut { may_return: false },
    }
}

/// The address to go back to, with `state` exactly when it was sent.
pub fn target<'a, P: 'a>(
    mut applications: impl Iterator<Item = &'a Application<P>>,
    given: Option<&str>,
    state: Option<&str>,
) -> Option<String> {
    let given = given?;
    let registered =
        applications.any(|app| app.service_principal.account_enabled && is_registered(app, given));
    if !registered {
        return None;
    }
    let Some(state) = state else { return Some(given.to_owned()) };
    let encoded = url::form_urlencoded::Serializer::new(String::new()).append_pair("state", state).finish();
    let joint = if given.contains('?') { '&' } else { '?' };
    Some(format!("{given}{joint}{encoded}"))
}

fn is_registered<P>(app: &Application<P>, given: &str) -> bool {
    app.settings.post_logout_redirect_uris.iter().any(|uri| uri == given)
        || app.redirect_uris().any(|(_, uri)| uri == given)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oauth::testing::application;

    #[test]
    fn without_a_good_hint_the_person_is_asked() {
        // S84
        let [mine, beside, other] = [1, 2, 3].map(|n| SessionId::from_random([n; 16]));
        let out = Decision::SignOut { may_return: true };
        assert_eq!(decide(Shown::Hint(mine), &[mine]), out);
        assert_eq!(decide(Shown::Hint(beside), &[mine, beside]), out);
        assert_eq!(decide(Shown::Hint(mine), &[]), out);
        assert_eq!(decide(Shown::Hint(other), &[mine, beside]), Decision::Confirm);
        assert_eq!(decide(Shown::BadHint, &[mine]), Decision::Confirm);
        assert_eq!(decide(Shown::Nothing, &[mine]), Decision::Confirm);
        assert_eq!(decide(Shown::Confirmed, &[mine]), out);
        assert_eq!(decide(Shown::Nothing, &[]), Decision::SignOut { may_return: false });
    }

    #[test]
    fn only_registered_addresses_are_followed_and_state_is_echoed_iff_sent() {
        // R41, U18
        let app = application();
        let to = |uri, state| target(std::iter::once(&app), Some(uri), state);
        assert_eq!(to("https://app.example/cb", None).as_deref(), Some("https://app.example/cb"));
        assert_eq!(
            to("https://app.example/cb", Some("a&b")).as_deref(),
            Some("https://app.example/cb?state=a%26b")
        );
        for bad in [
            "https://app.example/cb/",
            "https://APP.example/cb",
            "//app.example/cb",
            "javascript:alert(1)",
            "",
        ] {
            assert_eq!(to(bad, Some("s")), None, "{bad}");
        }
        assert_eq!(
            target(std::iter::empty::<&Application<()>>(), Some("https://app.example/cb"), None),
            None
        );
    }
}
