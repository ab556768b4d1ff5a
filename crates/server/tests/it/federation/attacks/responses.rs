//! What a browser comes back with.

use serde_json::json;
use vestibule_rules::fault::Outcome;
use vestibule_rules::time::Span;

use super::{depart, entrance, nobody_is_in, shown, suite, with_hostile};
use crate::federation::kinds::stand_in::CODE;
use crate::journeys::passage::{GUESTS, Hand};

#[tokio::test]
async fn a_response_that_nobody_asked_for_is_refused() -> Outcome<()> {
    // RP16, C13 (CVE-2026-16442): a sign-in that begins at the provider is a login CSRF with the provider's help.
    with_hostile(suite::PLAIN, async |server, provider| {
        let place = format!("{}/{GUESTS}/federation/stranger", server.origin);
        let iss = provider.base.as_str();
        let unasked: [&[(&str, &str)]; 6] = [
            &[("code", CODE)],
            &[("code", CODE), ("iss", iss)],
            &[("code", CODE), ("iss", iss), ("state", "")],
            &[("code", CODE), ("iss", iss), ("state", "01980000-0000-7000-8000-000000000000.1.AAAA")],
            &[("id_token", "e30.e30."), ("iss", iss)],
            &[("iss", iss), ("login_hint", "ada@northwind.example"), ("target_link_uri", iss)],
        ];
        for parameters in unasked {
            let hand = Hand::new(server);
            let url = url::Url::parse_with_params(&place, parameters).unwrap();
            let answered = hand.get(url.as_str()).await?;
            assert_eq!((answered.status, answered.session()), (400, None), "{url}");
            // Posted across, it is carried over and refused there.
            let carried = hand.post_across(&place, parameters).await?;
            let answered = hand.get(carried.location.unwrap().as_str()).await?;
            assert_eq!((answered.status, answered.session()), (400, None), "{url}");
        }
        assert!(provider.calls("/token").is_empty());
        nobody_is_in(server).await
    })
    .await
}

#[tokio::test]
async fn a_response_to_a_journey_that_lapsed_is_refused() -> Outcome<()> {
    // RP1: nobody watches a page for an hour; who comes back with its response later did not.
    with_hostile(suite::PLAIN, async |server, provider| {
        let hand = Hand::new(server);
        let departure = depart(provider, &hand, &entrance(&hand).await?).await?;
        server.clock.advance(Span::minutes(61));
        let answered = departure.return_with_code(&hand).await?;
        // It leads to the journey, which is over.
        let over = shown(&hand, answered).await?;
        assert!(over.asks().is_empty() && over.page.has("#back"));
        assert!(provider.calls("/token").is_empty());
        nobody_is_in(server).await
    })
    .await
}

#[tokio::test]
async fn parameters_that_stand_twice_are_read_by_nobody() -> Outcome<()> {
    // RP1: two readers would take two different ones.
    with_hostile(suite::PLAIN, async |server, provider| {
        let hand = Hand::new(server);
        let departure = depart(provider, &hand, &entrance(&hand).await?).await?;
        let place = url::Url::parse(&departure.sent["redirect_uri"]).unwrap();
        let state = departure.sent["state"].as_str();
        let twice: [&[(&str, &str)]; 3] = [
            &[("state", state), ("state", state), ("code", CODE)],
            &[("state", state), ("code", CODE), ("state", "other")],
            &[("state", "other"), ("code", CODE), ("state", state)],
        ];
        for parameters in twice {
            let mut url = place.clone();
            url.query_pairs_mut().extend_pairs(parameters);
            assert_eq!(hand.get(url.as_str()).await?.status, 400, "{url}");
        }
        let code = [("code", CODE), ("code", "other")];
        let form = shown(&hand, departure.back(&hand, &code).await?).await?;
        assert_eq!(form.asks(), "refused");
        assert!(provider.calls("/token").is_empty());
        nobody_is_in(server).await
    })
    .await
}

#[tokio::test]
async fn a_code_of_somebody_else_s_browser_is_worth_nothing_in_this_one() -> Outcome<()> {
    // RP2: code injection. The victim's own state, and the code that the attacker was given.
    with_hostile(suite::PLAIN, async |server, provider| {
        for knows_pkce in [true, false] {
            // Where the provider looks at no verifier, the nonce of the attacker's request gives it away.
            provider.says("ignores pkce", json!(!knows_pkce));
            let (attacker, victim) = (Hand::new(server), Hand::new(server));
            let theirs = depart(provider, &attacker, &entrance(&attacker).await?).await?;
            let own = depart(provider, &victim, &entrance(&victim).await?).await?;
            provider.departed(&theirs.sent);
            let form = shown(&victim, own.return_with_code(&victim).await?).await?;
            assert_eq!((form.asks(), form.problem().as_str()), ("refused", "refused-provider-failed"));
        }
        assert_eq!((provider.calls("/token").len(), provider.calls("/userinfo").len()), (2, 0));
        nobody_is_in(server).await
    })
    .await
}

#[tokio::test]
async fn a_posted_response_is_one_browser_s_and_one_provider_s() -> Outcome<()> {
    // RP2, RP6: what is sealed on its way does not open elsewhere.
    with_hostile(suite::POSTING, async |server, provider| {
        let (hand, victim) = (Hand::new(server), Hand::new(server));
        let departure = depart(provider, &hand, &entrance(&hand).await?).await?;
        let posted = [("code", CODE), ("state", departure.sent["state"].as_str())];
        let carried = hand.post_across(&departure.sent["redirect_uri"], &posted).await?.location.unwrap();
        assert!(!carried.as_str().contains(CODE));
        // Login CSRF: the attacker's response in the victim's browser.
        assert_eq!(victim.get(carried.as_str()).await?.status, 404);
        let mut broken = carried.as_str().to_owned();
        let last = broken.pop().unwrap();
        broken.push(if last == 'A' { 'B' } else { 'A' });
        for strange in [broken, format!("{carried}x"), carried.as_str().replace("stranger", "second")] {
            let status = hand.get(&strange).await?.status;
            assert!(matches!(status, 400 | 404), "{strange}: {status}");
        }
        assert!(provider.calls("/token").is_empty());
        assert_eq!(shown(&hand, hand.get(carried.as_str()).await?).await?.asks(), "details");
        nobody_is_in(server).await
    })
    .await
}

#[tokio::test]
async fn not_even_a_refusal_is_taken_from_another_issuer() -> Outcome<()> {
    // RP5: errors carry `iss` as well (RFC 9207 §2), and mix-up begins with whichever is believed.
    with_hostile(suite::PLAIN, async |server, provider| {
        provider.says("discovery", json!({"authorization_response_iss_parameter_supported": true}));
        let cases: [(Option<&str>, &str, &str); 6] = [
            (None, "refused", "refused-provider-failed"),
            (Some(""), "refused", "refused-provider-failed"),
            (Some("https://evil.example"), "refused", "refused-provider-failed"),
            (Some("{issuer}/"), "refused", "refused-provider-failed"),
            (Some("{issuer}#"), "refused", "refused-provider-failed"),
            (Some("{issuer}"), "sign-up", "provider-declined"),
        ];
        for (iss, asks, problem) in cases {
            let hand = Hand::new(server);
            let departure = depart(provider, &hand, &entrance(&hand).await?).await?;
            let iss = iss.map(|iss| iss.replace("{issuer}", &provider.base));
            let mut parameters = vec![("error", "access_denied")];
            parameters.extend(iss.as_deref().map(|iss| ("iss", iss)));
            let form = shown(&hand, departure.back(&hand, &parameters).await?).await?;
            assert_eq!((form.asks(), form.problem().as_str()), (asks, problem), "{iss:?}");
        }
        assert!(provider.calls("/token").is_empty());
        nobody_is_in(server).await
    })
    .await
}
