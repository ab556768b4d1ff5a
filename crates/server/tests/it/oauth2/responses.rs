//! Authorization responses say who answers (RFC 9207, security.md S18).

use vestibule_rules::fault::Outcome;
use vestibule_testkit::browser::Page;
use vestibule_testkit::{Engine, TestServer};

use super::app::{WEB, harbour, signed_in};
use crate::client::{claims, parameter};
use crate::journeys::passage::Answered;

/// The parameters of a response, wherever they travel.
fn parameters(answered: &Answered) -> Vec<(String, String)> {
    if let Some(to) = &answered.location {
        let text = to.fragment().or(to.query()).unwrap_or_default();
        return url::form_urlencoded::parse(text.as_bytes()).into_owned().collect();
    }
    let page =
        Page { url: WEB.redirect_uri.parse().unwrap(), status: answered.status, html: answered.body.clone() };
    let value = |name: &str| page.attribute(&format!("input[name={name}]"), "value");
    let names = ["code", "error", "state", "iss"];
    names.iter().filter_map(|name| Some(((*name).to_owned(), value(name)?))).collect()
}

#[tokio::test]
async fn every_response_names_its_issuer_once_in_every_mode() -> Outcome<()> {
    // S18, S19
    let server = TestServer::start(Engine::Sqlite, &[&harbour()]).await?;
    let hand = signed_in(&server).await?;
    let issuer = format!("{}/7b9ec640-0000-4c21-9355-5f02bb133710/v2.0", server.origin);
    for mode in ["query", "fragment", "form_post"] {
        for (change, outcome) in [
            (("nonce", "n"), "code"),
            (("scope", "openid unknown"), "error"),
            (("response_type", "magic"), "error"),
            (("max_age", "soon"), "error"),
        ] {
            let answered = hand.get(&WEB.address(&server, &[("response_mode", mode), change])).await?;
            let all = parameters(&answered);
            let of = |name: &str| {
                all.iter().filter(|(n, _)| n == name).map(|(_, v)| v.as_str()).collect::<Vec<_>>()
            };
            assert_eq!(of("iss"), [issuer.as_str()], "{mode} {change:?}");
            assert_eq!(of("state"), ["state of the app"], "{mode} {change:?}");
            assert_eq!(of(outcome).len(), 1, "{mode} {change:?} {all:?}");
        }
    }
    server.finish().await
}

#[tokio::test]
async fn a_posted_answer_ends_at_the_app_and_runs_nothing_of_the_request() -> Outcome<()> {
    // S13
    let server = TestServer::start(Engine::Sqlite, &[&harbour()]).await?;
    let hand = signed_in(&server).await?;
    let state = "\"><script>alert(1)</script><form action=https://evil.example>'";
    let asks = [("response_mode", "form_post"), ("state", state)];
    let answered = hand.get(&WEB.address(&server, &asks)).await?;
    let forms: Vec<&str> =
        answered.policy.split("; ").filter(|directive| directive.starts_with("form-action")).collect();
    assert_eq!(forms, ["form-action 'self' http://localhost:3001"], "{}", answered.policy);
    assert!(answered.policy.contains("script-src 'self'") && !answered.policy.contains("unsafe"));
    assert!(!answered.body.contains("alert(1)</script>"), "{}", answered.body);
    let page = Page { url: server.origin.parse().unwrap(), status: answered.status, html: answered.body };
    assert_eq!(page.count("form"), 1);
    assert_eq!(page.attribute("form", "action").as_deref(), Some(WEB.redirect_uri));
    assert_eq!(page.attribute("input[name=state]", "value").as_deref(), Some(state));
    // No script stands in the page itself, so that none of a request's could.
    assert_eq!(page.count("script"), page.count("script[src]"));
    server.finish().await
}

#[tokio::test]
async fn somebody_who_cancels_sends_the_issuer_along() -> Outcome<()> {
    // S18
    let server = TestServer::start(Engine::Sqlite, &[&harbour()]).await?;
    let hand = crate::journeys::passage::Hand::new(&server);
    let began = hand.get(&WEB.address(&server, &[])).await?;
    let form = hand.form(began.location.unwrap().as_str()).await?;
    let answered = hand.answer(&form, &[("action", "cancel")]).await?;
    let all = parameters(&answered);
    let issuer = format!("{}/7b9ec640-0000-4c21-9355-5f02bb133710/v2.0", server.origin);
    assert!(all.contains(&("error".to_owned(), "access_denied".to_owned())), "{all:?}");
    assert!(all.contains(&("iss".to_owned(), issuer)));
    server.finish().await
}

/// A text of so many bytes, with everything in it that an address or a page could trip over.
fn awkward(bytes: usize) -> String {
    let piece = "a&b=c+d%20e f'g\"h<i></script>j?k#l;m\\n{o}|p^q`r~ü€☃";
    let mut text: String = piece.chars().cycle().take(bytes).collect();
    while text.len() > bytes {
        text.pop();
    }
    while text.len() < bytes {
        text.push('x');
    }
    text
}

#[tokio::test]
async fn what_the_app_sent_along_comes_back_byte_for_byte_in_every_mode() -> Outcome<()> {
    // S19
    let server = TestServer::start(Engine::Sqlite, &[&harbour()]).await?;
    let hand = signed_in(&server).await?;
    for mode in ["query", "fragment", "form_post"] {
        for bytes in [0, 64, 384, 8_192] {
            let (state, nonce) = (awkward(bytes), awkward(bytes));
            let changes = [("response_mode", mode), ("state", &*state), ("nonce", &*nonce)];
            let answered = hand.get(&WEB.address(&server, &changes)).await?;
            let all = parameters(&answered);
            let of = |name: &str| all.iter().find(|(n, _)| n == name).map(|(_, v)| v.clone());
            // Nothing that was sent is nothing that comes back.
            let expected = Some(state).filter(|state| !state.is_empty());
            assert_eq!(of("state"), expected, "{mode} {bytes}");
            let code = of("code").unwrap_or_else(|| panic!("{mode} {bytes}: {all:?}"));
            let mut back = url::Url::parse(WEB.redirect_uri).unwrap();
            back.query_pairs_mut().append_pair("code", &code);
            let tokens = WEB.redeems(&back).token(&server).await?;
            assert_eq!(tokens.status, 200, "{mode} {bytes}: {}", tokens.body);
            let said = claims(tokens.text("id_token"));
            assert_eq!(said.get("nonce").and_then(|n| n.as_str()), Some(&*nonce).filter(|n| !n.is_empty()));
        }
    }
    server.finish().await
}

#[tokio::test]
async fn what_cannot_come_back_as_it_was_is_refused() -> Outcome<()> {
    // S19: neither split a header nor be mended on the way.
    let server = TestServer::start(Engine::Sqlite, &[&harbour()]).await?;
    let hand = signed_in(&server).await?;
    for mode in ["query", "fragment", "form_post"] {
        for name in ["state", "nonce"] {
            for value in ["a\r\nset-cookie: b=c", "a\nb", "a\rb", "a\0b", "a\u{7f}b", "a\tb", "a\u{85}b"] {
                let answered =
                    hand.get(&WEB.address(&server, &[("response_mode", mode), (name, value)])).await?;
                let all = parameters(&answered);
                let of = |name: &str| all.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str());
                assert_eq!(of("error"), Some("invalid_request"), "{mode} {name} {value:?}: {all:?}");
                assert_eq!(of("code"), None);
                assert!(answered.cookies.iter().all(|(name, _)| name.starts_with("vestibule-")));
            }
        }
    }
    // About as long as a head may be: as it was, or not at all.
    let long = "a".repeat(65_000);
    let by_get = hand.get(&WEB.address(&server, &[("state", &long)])).await?;
    match by_get.location {
        Some(to) => assert_eq!(parameter(&to, "state").as_ref(), Some(&long)),
        None => assert!([414, 431].contains(&by_get.status), "{}", by_get.status),
    }
    // Longer than a body may be: the app is not even looked up.
    let long = awkward(70_000);
    let pairs = WEB.asks(&[("state", &long)]);
    let fields: Vec<(&str, &str)> = pairs.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
    let address = super::app::at(&server, "oauth2/v2.0/authorize");
    let by_post = hand.post_from_app(&address, &fields).await?;
    assert!(by_post.status == 413 && by_post.location.is_none(), "{}", by_post.status);
    let silent = hand.get(&WEB.address(&server, &[("prompt", "none")])).await?.at_app()?;
    assert!(parameter(&silent, "code").is_some());
    server.finish().await
}
