//! Addresses of our own pages: links are values, nothing else puts a path together.

use vestibule_rules::ids::{ClientId, DeviceId, JourneyId, RequestId};
use vestibule_service::visit::Segments;

/// The home of a tenant.
pub fn home(segments: &Segments) -> String {
    format!("/{}", encode(&segments.tenant))
}

/// The page of a journey.
pub fn journey(segments: &Segments, id: JourneyId) -> String {
    format!("{}/journey/{id}", home(segments))
}

/// The logo of an app that registered itself.
pub fn app_logo(segments: &Segments, client: ClientId, digest: &str) -> String {
    format!("{}/app-logo/{client}?v={}", home(segments), encode(digest))
}

/// A document that a journey asks to accept, in one language.
pub fn terms(segments: &Segments, id: JourneyId, document: &str, language: &str) -> String {
    format!("{}/terms/{}?language={}", journey(segments, id), encode(document), encode(language))
}

/// Where the code is typed that a device shows. It is read out and typed, so it is short, and it names no flow.
pub fn device_entry(segments: &Segments) -> String {
    format!("{}/device", home(segments))
}

/// A device that somebody decides about.
pub fn device(segments: &Segments, id: DeviceId) -> String {
    format!("{}/{id}", device_entry(segments))
}

/// Where somebody says which account a request is for.
pub fn choose(segments: &Segments, id: RequestId) -> String {
    format!("{}/choose/{id}", home(segments))
}

/// Where somebody agrees to what an app asks for.
pub fn consent(segments: &Segments, id: RequestId) -> String {
    format!("{}/consent/{id}", home(segments))
}

/// Somebody's own account.
pub fn account(segments: &Segments) -> String {
    format!("{}/account", home(segments))
}

/// The apps that somebody let use their account.
pub fn apps(segments: &Segments) -> String {
    format!("{}/apps", account(segments))
}

/// The logout endpoint, under the segments that were asked.
pub fn logout(segments: &Segments) -> String {
    let flow = segments.flow.as_deref().map(|f| format!("/{}", encode(f))).unwrap_or_default();
    format!("{}{flow}/oauth2/v2.0/logout", home(segments))
}

/// The page of a trial of a provider; with the token of its link it can be opened.
pub fn trial(segments: &Segments, provider: &str, token: Option<&str>) -> String {
    let token = token.map(|token| format!("?token={}", encode(token))).unwrap_or_default();
    format!("{}/federation/{}/test{token}", home(segments), encode(provider))
}

/// The first page of a preview for one kind of visitor. `lang` is a language that was chosen.
pub fn preview_start(who: &str, lang: Option<&str>) -> String {
    in_language(format!("/as/{}", encode(who)), lang)
}

/// A walk through a flow that is previewed.
pub fn preview_walk(id: &str, lang: Option<&str>) -> String {
    in_language(format!("/walk/{}", encode(id)), lang)
}

fn in_language(path: String, lang: Option<&str>) -> String {
    match lang {
        Some(lang) => format!("{path}?lang={}", encode(lang)),
        None => path,
    }
}

/// The list of a development server's mails.
pub const INBOX: &str = "/dev/inbox";

/// One mail. The key is the internal one of the outbox: letters, digits and hyphens.
pub fn mail(tenant: &str, key: &str) -> String {
    format!("{INBOX}/{}/{}", encode(tenant), encode(key))
}

/// The HTML of a mail as a document of its own.
pub fn mail_html(tenant: &str, key: &str) -> String {
    format!("{}/html", mail(tenant, key))
}

/// One path segment. What a browser sent is echoed, and must not become another path on the way.
fn encode(segment: &str) -> String {
    let mut url = String::with_capacity(segment.len());
    for byte in segment.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => url.push(char::from(byte)),
            _ => {
                url.push('%');
                url.extend(
                    [byte >> 4, byte & 15]
                        .map(|n| char::from_digit(n.into(), 16).unwrap_or('0').to_ascii_uppercase()),
                );
            }
        }
    }
    url
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_segment_stays_a_segment() {
        let segments = Segments { tenant: "a/..//evil?x#y é".to_owned(), flow: Some("B2X_1_A".to_owned()) };
        assert_eq!(home(&segments), "/a%2F..%2F%2Fevil%3Fx%23y%20%C3%A9");
        assert!(logout(&segments).ends_with("/B2X_1_A/oauth2/v2.0/logout"));
    }
}
