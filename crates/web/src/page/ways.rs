//! The buttons that lead to providers, as one device shows them: the one that was used last comes first, many
//! are folded away, and what does not open inside another app is not offered there.

use serde::Serialize;
use vestibule_rules::directory::provider::kind::ProviderKind;
use vestibule_rules::journey::form::ProviderButton;

/// More buttons than this are too many to choose from at a glance.
const MOST: usize = 4;
/// Buttons that are not folded away when there are too many.
const FIRST: usize = 3;

/// What a request tells about the device that it comes from.
#[derive(Clone, Copy, Debug, Default)]
pub struct Device<'a> {
    /// The provider by which somebody signed in here last time.
    pub last_used: Option<&'a str>,
    /// The page is shown by another app and not by a browser.
    pub embedded: bool,
}

impl<'a> Device<'a> {
    /// The device of a request with this `User-Agent`.
    pub fn new(last_used: Option<&'a str>, user_agent: &str) -> Self {
        Self { last_used, embedded: is_embedded(user_agent) }
    }
}

/// The buttons in their places.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Ways {
    shown: Vec<Button>,
    folded: Vec<Button>,
    /// The names of providers that refuse to open inside another app.
    elsewhere: Vec<String>,
}

#[derive(Clone, Debug, Serialize)]
struct Button {
    #[serde(flatten)]
    button: ProviderButton,
    last_used: bool,
}

impl Ways {
    /// Places the buttons of a form.
    pub fn new(buttons: Vec<ProviderButton>, device: Device<'_>) -> Self {
        let (elsewhere, buttons): (Vec<_>, Vec<_>) =
            buttons.into_iter().partition(|b| device.embedded && refuses_embedded(b.kind));
        let key = device.last_used.map(str::to_lowercase);
        let mut shown: Vec<Button> = buttons
            .into_iter()
            .map(|button| Button { last_used: key.as_ref() == Some(&button.id.key()), button })
            .collect();
        shown.sort_by_key(|b| !b.last_used);
        let folded = if shown.len() > MOST { shown.split_off(FIRST) } else { Vec::new() };
        Self { shown, folded, elsewhere: elsewhere.into_iter().map(|b| b.display_name).collect() }
    }
}

/// Google answers `disallowed_useragent` to a page inside an app (OAuth 2.0 for Mobile and Desktop Apps, RFC 8252
/// section 8.12 gives the reason).
const fn refuses_embedded(kind: ProviderKind) -> bool {
    matches!(kind, ProviderKind::Google)
}

/// Whether the page is inside another app: Android's WebView says so, the one of iOS lacks the browser's own
/// word, and the large apps name themselves.
fn is_embedded(user_agent: &str) -> bool {
    const APPS: [&str; 6] = ["FBAN/", "FBAV/", "Instagram", "MicroMessenger", "Line/", "LinkedInApp"];
    let has = |word: &str| user_agent.contains(word);
    let android = has("Android") && has("; wv)");
    let ios = (has("iPhone") || has("iPad")) && has("AppleWebKit/") && !has("Safari/");
    android || ios || APPS.into_iter().any(has)
}

#[cfg(test)]
mod tests {
    use vestibule_rules::ids::ProviderId;
    use vestibule_rules::text::Message;

    use super::*;

    fn button(id: &str, kind: ProviderKind) -> ProviderButton {
        ProviderButton {
            id: ProviderId::new(id),
            kind,
            display_name: id.to_owned(),
            label: Message::new("provider-sign-in"),
        }
    }

    fn buttons(ids: &[&str]) -> Vec<ProviderButton> {
        ids.iter().map(|id| button(id, ProviderKind::OpenIdConnect)).collect()
    }

    fn ids(buttons: &[Button]) -> Vec<&str> {
        buttons.iter().map(|b| b.button.id.as_str()).collect()
    }

    #[test]
    fn the_last_one_used_comes_first_and_many_are_folded() {
        let ways = Ways::new(buttons(&["a", "b", "c", "d"]), Device::default());
        assert_eq!((ids(&ways.shown), ways.folded.len()), (vec!["a", "b", "c", "d"], 0));
        let device = Device { last_used: Some("E"), embedded: false };
        let ways = Ways::new(buttons(&["a", "b", "c", "d", "e"]), device);
        assert_eq!((ids(&ways.shown), ids(&ways.folded)), (vec!["e", "a", "b"], vec!["c", "d"]));
        assert!(ways.shown[0].last_used && !ways.shown[1].last_used);
        let gone = Device { last_used: Some("gone"), embedded: false };
        assert_eq!(ids(&Ways::new(buttons(&["a"]), gone).shown), ["a"]);
    }

    #[test]
    fn what_does_not_open_inside_another_app_is_not_offered_there() {
        let all = || vec![button("g", ProviderKind::Google), button("f", ProviderKind::Facebook)];
        for agent in [
            "Mozilla/5.0 (Linux; Android 14; Pixel 8 Build/AP1A; wv) AppleWebKit/537.36 Version/4.0 Chrome/120.0 Mobile Safari/537.36",
            "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148",
            "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148 Safari/604.1 [FBAN/FBIOS;FBAV/440]",
        ] {
            let ways = Ways::new(all(), Device::new(None, agent));
            assert_eq!((ids(&ways.shown), ways.elsewhere), (vec!["f"], vec!["g".to_owned()]), "{agent}");
        }
        for agent in [
            "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0 Mobile Safari/537.36",
            "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15 Version/17.0 Mobile/15E148 Safari/604.1",
            "Mozilla/5.0 (X11; Linux x86_64; rv:120.0) Gecko/20100101 Firefox/120.0",
            "",
        ] {
            assert!(Ways::new(all(), Device::new(None, agent)).elsewhere.is_empty(), "{agent}");
        }
    }
}
