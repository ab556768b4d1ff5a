//! The cookies. One binds a journey to the browser that began it, one a trial of a provider, one is a session in a
//! tenant, one remembers the provider that was used last and nothing about anybody, one lets watching pages see that the
//! session changed. All but the last are out of scripts' reach; over TLS their names carry the prefix `__Host-`, so that
//! no neighbouring host or plain listener can plant them (security.md A39).

use http::header::{COOKIE, SET_COOKIE};
use http::{HeaderMap, HeaderValue};
use vestibule_rules::fault::{Fault, Outcome};
use vestibule_rules::ids::TenantId;
use vestibule_rules::text::Secret;
use vestibule_rules::time::Span;
use vestibule_service::hop::{SessionCookie, WayIn};

use crate::exchange::Listener;

/// How long a browser remembers which provider was used.
const REMEMBERED: Span = Span::days(180);

/// The cookie that binds journeys to a browser.
pub fn browser_name(listener: &Listener) -> String {
    format!("{}vestibule-browser", prefix(listener))
}

/// The session cookie of a tenant.
pub fn session_name(listener: &Listener, tenant: TenantId) -> String {
    of_tenant(listener, "session", tenant)
}

fn of_tenant(listener: &Listener, what: &str, tenant: TenantId) -> String {
    let tenant: String = tenant.simple().chars().take(8).collect();
    format!("{}vestibule-{what}-{tenant}", prefix(listener))
}

/// The provider by which somebody signed in to the tenant last time in this browser.
pub fn last_used(headers: &HeaderMap, listener: &Listener, tenant: TenantId) -> Option<String> {
    read(headers, &of_tenant(listener, "last", tenant)).map(|value| value.expose().clone())
}

/// Remembers by which way somebody came in, for the order of the buttons next time.
pub fn remember(headers: &mut HeaderMap, listener: &Listener, tenant: TenantId, way: &WayIn) -> Outcome<()> {
    let name = of_tenant(listener, "last", tenant);
    match way {
        WayIn::None => Ok(()),
        WayIn::Local => set(headers, listener, &name, "", Some(Span(0))),
        WayIn::Provider(id) => set(headers, listener, &name, &id.key(), Some(REMEMBERED)),
    }
}

/// What binds a trial of a provider to the browser that departed.
pub fn trial(headers: &HeaderMap, listener: &Listener, tenant: TenantId) -> Option<Secret<String>> {
    read(headers, &of_tenant(listener, "trial", tenant)).filter(|value| !value.expose().is_empty())
}

/// Binds a trial to the browser; without a value it takes the binding away, and an answer fits nowhere any more.
pub fn bind_trial(
    headers: &mut HeaderMap,
    listener: &Listener,
    tenant: TenantId,
    bound: Option<(&Secret<String>, Span)>,
) -> Outcome<()> {
    let name = of_tenant(listener, "trial", tenant);
    match bound {
        Some((value, age)) => set(headers, listener, &name, value.expose(), Some(age)),
        None => set(headers, listener, &name, "", Some(Span(0))),
    }
}

const fn prefix(listener: &Listener) -> &'static str {
    if listener.secure { "__Host-" } else { "" }
}

/// The value of a cookie of the request.
pub fn read(headers: &HeaderMap, name: &str) -> Option<Secret<String>> {
    let pairs =
        headers.get_all(COOKIE).into_iter().filter_map(|h| h.to_str().ok()).flat_map(|h| h.split(';'));
    let mut values = pairs.filter_map(|pair| pair.trim().split_once('=')).filter(|(n, _)| *n == name);
    values.next().map(|(_, value)| Secret::new(value.to_owned()))
}

/// Gives the browser a new binding. It goes when the browser closes, like the journeys it binds.
pub fn bind(headers: &mut HeaderMap, listener: &Listener, value: &Secret<String>) -> Outcome<()> {
    set(headers, listener, &browser_name(listener), value.expose(), None)
}

/// Lets the binding that the browser showed outlive the browser, for a journey that waits for somebody else.
pub fn keep(headers: &mut HeaderMap, listener: &Listener, value: &Secret<String>, age: Span) -> Outcome<()> {
    set(headers, listener, &browser_name(listener), value.expose(), Some(age))
}

/// Does to the session cookie what a hop says.
pub fn session(
    headers: &mut HeaderMap,
    listener: &Listener,
    tenant: TenantId,
    change: &SessionCookie,
) -> Outcome<()> {
    let name = session_name(listener, tenant);
    let state_name = browser_state_name(listener, tenant);
    match change {
        SessionCookie::Keep => Ok(()),
        SessionCookie::Set { value, persistent, state } => {
            put(headers, listener, (&name, value.expose(), *persistent), Reach::Frames)?;
            put(headers, listener, (&state_name, state, *persistent), Reach::Scripts)
        }
        SessionCookie::Clear => {
            put(headers, listener, (&name, "", Some(Span(0))), Reach::Frames)?;
            put(headers, listener, (&state_name, "", Some(Span(0))), Reach::Scripts)
        }
    }
}

/// The cookie by which a watching page sees that a session changed. It opens nothing, so scripts may read it.
pub fn browser_state_name(listener: &Listener, tenant: TenantId) -> String {
    of_tenant(listener, "state", tenant)
}

/// Who gets to see a cookie.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reach {
    /// Requests that begin on our own pages, and links that lead here.
    Own,
    /// Frames in other sites' pages, too: an app renews its tokens in one (native-auth-and-msal.md 2.13, R37). Every
    /// form of ours has its own token and looks at where it was sent from, so that this opens none to others.
    Frames,
    /// As above, and scripts.
    Scripts,
}

fn set(
    headers: &mut HeaderMap,
    listener: &Listener,
    name: &str,
    value: &str,
    age: Option<Span>,
) -> Outcome<()> {
    put(headers, listener, (name, value, age), Reach::Own)
}

fn put(
    headers: &mut HeaderMap,
    listener: &Listener,
    (name, value, age): (&str, &str, Option<Span>),
    reach: Reach,
) -> Outcome<()> {
    let age = age.map(|a| format!("; Max-Age={}", a.as_seconds())).unwrap_or_default();
    let secure = if listener.secure { "; Secure" } else { "" };
    let scripts = if reach == Reach::Scripts { "" } else { "; HttpOnly" };
    // Browsers take `None` over TLS only.
    let site = if reach == Reach::Own || !listener.secure { "Lax" } else { "None" };
    let mut header =
        HeaderValue::try_from(format!("{name}={value}; Path=/{scripts}; SameSite={site}{secure}{age}"))
            .map_err(|_| Fault::ours("a cookie value that no header can carry"))?;
    header.set_sensitive(true);
    headers.append(SET_COOKIE, header);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listener(secure: bool) -> Listener {
        Listener { origin: String::new(), secure }
    }

    #[test]
    fn over_tls_a_cookie_belongs_to_the_host() {
        let mut headers = HeaderMap::new();
        bind(&mut headers, &listener(true), &Secret::new("v".to_owned())).unwrap();
        bind(&mut headers, &listener(false), &Secret::new("v".to_owned())).unwrap();
        let all: Vec<_> = headers.get_all(SET_COOKIE).into_iter().map(|h| h.to_str().unwrap()).collect();
        assert_eq!(all[0], "__Host-vestibule-browser=v; Path=/; HttpOnly; SameSite=Lax; Secure");
        assert_eq!(all[1], "vestibule-browser=v; Path=/; HttpOnly; SameSite=Lax");
    }

    #[test]
    fn a_session_is_cleared_by_its_name() {
        let mut headers = HeaderMap::new();
        let tenant = TenantId::parse("aabbccdd-0000-4000-8000-000000000000").unwrap();
        session(&mut headers, &listener(true), tenant, &SessionCookie::Clear).unwrap();
        let header = headers.get(SET_COOKIE).unwrap().to_str().unwrap();
        assert!(
            header.starts_with("__Host-vestibule-session-aabbccdd=; ") && header.ends_with("Max-Age=0"),
            "{header}"
        );
    }

    #[test]
    fn frames_get_the_session_over_tls_and_scripts_only_its_state() {
        // R37, S86
        let tenant = TenantId::parse("aabbccdd-0000-4000-8000-000000000000").unwrap();
        let (value, state) = (Secret::new("v".to_owned()), "s".to_owned());
        let change = SessionCookie::Set { value, persistent: None, state };
        let of = |secure| {
            let mut headers = HeaderMap::new();
            session(&mut headers, &listener(secure), tenant, &change).unwrap();
            let all = headers.get_all(SET_COOKIE).into_iter();
            all.map(|h| h.to_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(
            of(true),
            [
                "__Host-vestibule-session-aabbccdd=v; Path=/; HttpOnly; SameSite=None; Secure",
                "__Host-vestibule-state-aabbccdd=s; Path=/; SameSite=None; Secure"
            ]
        );
        assert_eq!(
            of(false),
            [
                "vestibule-session-aabbccdd=v; Path=/; HttpOnly; SameSite=Lax",
                "vestibule-state-aabbccdd=s; Path=/; SameSite=Lax"
            ]
        );
    }

    #[test]
    fn a_cookie_is_found_by_its_whole_name() {
        let mut headers = HeaderMap::new();
        headers.append(COOKIE, HeaderValue::from_static("x-vestibule-browser=1; vestibule-browser=2"));
        headers.append(COOKIE, HeaderValue::from_static("other=3"));
        assert_eq!(read(&headers, "vestibule-browser").unwrap().expose(), "2");
        assert_eq!(read(&headers, "other").unwrap().expose(), "3");
        assert!(read(&headers, "browser").is_none());
    }
}
