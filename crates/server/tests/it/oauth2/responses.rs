//! Authorization responses say who answers (RFC 9207, security.md S18).

use vestibule_rules::fault::Outcome;
use vestibule_testkit::browser::Page;
use vestibule_testkit::{Engine, TestServer};

use super::app::{WEB, harbour, signed_in};
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
