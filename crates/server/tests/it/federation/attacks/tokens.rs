//! What a provider signs, and what it only says.

use serde_json::{Value, json};
use vestibule_crypto::digest;
use vestibule_rules::fault::Outcome;
use vestibule_testkit::server::BEGIN;

use super::with_hostile_on_both;
use super::{arrive, depart, entrance, fails, joins, nobody_is_in, shown, suite, with_hostile};
use crate::federation::kinds::stand_in::{CLIENT, CODE, Company, Reply, TOKEN};
use crate::journeys::passage::Hand;

#[tokio::test]
async fn no_provider_talks_us_out_of_pkce() -> Outcome<()> {
    // RP4: whoever stands between us and its metadata could leave it out.
    with_hostile(suite::PLAIN, async |server, provider| {
        let methods = [json!(["S256"]), json!(["plain"]), json!([]), json!(null), json!(["plain", "S256"])];
        for methods in methods {
            provider.says("discovery", json!({"code_challenge_methods_supported": methods}));
            server.clock.advance(vestibule_rules::time::Span::hours(1));
            let hand = Hand::new(server);
            let sent = depart(provider, &hand, &entrance(&hand).await?).await?.sent;
            assert_eq!((sent["code_challenge_method"].as_str(), sent["code_challenge"].len()), ("S256", 43));
        }
        Ok(())
    })
    .await?;
    with_hostile(suite::PLAIN, async |server, provider| {
        provider.says("discovery", json!({"code_challenge_methods_supported": ["plain"]}));
        joins(server, provider).await?;
        assert_eq!(provider.only_call("/token").field("code_verifier").len(), 43);
        Ok(())
    })
    .await
}

/// Headers that a token must not have, whatever its signature.
fn headers() -> Vec<Value> {
    let own = suite::curve();
    vec![
        json!({"alg": "none"}),
        json!({"alg": "None", "kid": null}),
        json!({"alg": "nOnE"}),
        json!({"alg": ""}),
        json!({"alg": null}),
        json!({"alg": ["RS256"]}),
        json!({"alg": "rs256"}),
        json!({"alg": "RS512"}),
        json!({"alg": "PS256"}),
        json!({"alg": "HS256"}),
        json!({"alg": "HS256", "kid": null}),
        // The key comes with the token, or from where the token says.
        json!({"alg": "ES256", "jwk": own, "kid": null}),
        json!({"alg": "ES256", "jwk": own}),
        json!({"kid": "../../etc/passwd"}),
        json!({"kid": "' OR 1=1 --"}),
        json!({"kid": 1}),
        json!({"kid": ["a"]}),
        json!({"crit": ["exp"]}),
        json!({"crit": []}),
        json!({"b64": false, "crit": ["b64"]}),
        // Other kinds of tokens that the same provider signs for us.
        json!({"typ": "at+jwt"}),
        json!({"typ": "logout+jwt"}),
        json!({"typ": "dpop+jwt"}),
        json!({"typ": 1}),
    ]
}

#[tokio::test]
async fn no_header_talks_us_into_a_token() -> Outcome<()> {
    // RP9, S61
    with_hostile(suite::PLAIN, async |server, provider| {
        for key in ["secret", "public"] {
            provider.says("hmac key", json!(key));
            for header in headers() {
                // With another key than the client's secret, only HMAC differs.
                if key == "public" && header["alg"] != "HS256" {
                    continue;
                }
                provider.says("header", header.clone());
                fails(server, provider, &header.to_string()).await?;
            }
        }
        assert!(provider.calls("/userinfo").is_empty());
        provider.repents();
        joins(server, provider).await.map(drop)
    })
    .await
}

#[tokio::test]
async fn no_claim_that_is_wrong_gets_as_far_as_user_info() -> Outcome<()> {
    // RP3, RP9, C92 (CVE-2026-55669), C110 (CVE-2026-15612)
    with_hostile(suite::PLAIN, async |server, provider| {
        let now = BEGIN.seconds();
        let half = |text: &str| digest::base64url(&digest::sha256(text.as_bytes())[..16]);
        let lies = [
            json!({"nonce": null}),
            json!({"nonce": ""}),
            json!({"nonce": ["n"]}),
            json!({"iss": format!("{}/", provider.base)}),
            json!({"iss": provider.base.to_uppercase()}),
            json!({"iss": [provider.base]}),
            json!({"aud": null}),
            json!({"aud": []}),
            json!({"aud": ""}),
            json!({"aud": [CLIENT, "another"]}),
            json!({"aud": ["another"], "azp": CLIENT}),
            json!({"aud": [CLIENT, 1]}),
            json!({"aud": {"0": CLIENT}}),
            json!({"azp": "another"}),
            json!({"exp": now - 60}),
            json!({"exp": 1e99}),
            json!({"exp": -1}),
            json!({"iat": null}),
            json!({"iat": now + 61}),
            json!({"iat": now.to_string()}),
            json!({"nbf": now + 61}),
            json!({"sub": null}),
            json!({"sub": "x".repeat(256)}),
            json!({"at_hash": half("another")}),
            json!({"at_hash": ""}),
            json!({"at_hash": TOKEN}),
            json!({"c_hash": half("another")}),
            json!({"c_hash": half(TOKEN)}),
            json!({"c_hash": [half(CODE)]}),
        ];
        for lie in lies {
            provider.says("id_token", lie.clone());
            fails(server, provider, &lie.to_string()).await?;
        }
        assert!(provider.calls("/userinfo").is_empty());
        provider.says("id_token", json!({"c_hash": half(CODE), "at_hash": half(TOKEN), "azp": CLIENT}));
        joins(server, provider).await.map(drop)
    })
    .await
}

const ONLY_ES256: Company = Company {
    section: r#"displayName: Suite
issuer: "{base}"
signingAlgorithms: [ES256]
clientAuthentication: client_secret_basic
clientId: "{client}"
clientSecret: { file: secrets/of-the-company }"#,
    answer: suite::answer,
};

#[tokio::test]
async fn an_algorithm_that_is_not_agreed_is_refused_from_a_good_key() -> Outcome<()> {
    // RP9: the list is the administrator's and not the provider's.
    with_hostile(ONLY_ES256, async |server, provider| {
        provider.says("keys", json!({"keys": [suite::key(0), suite::curve()]}));
        fails(server, provider, "RS256").await?;
        provider.says("header", json!({"alg": "ES256"}));
        joins(server, provider).await.map(drop)
    })
    .await
}

#[tokio::test]
async fn keys_without_end_are_not_read_to_the_end() -> Outcome<()> {
    // RP10: at most 100 keys, and at most 1 MiB.
    with_hostile(suite::PLAIN, async |server, provider| {
        let many = |before: usize| {
            let mut keys = vec![suite::curve(); before];
            keys.push(suite::key(0));
            json!({ "keys": keys })
        };
        provider.says("id_token", json!({"exp": BEGIN.seconds() + 3_600}));
        provider.says("keys", many(100));
        fails(server, provider, "the 101st key").await?;
        server.clock.advance(vestibule_rules::time::Span::minutes(1));
        provider.says("keys", json!({"keys": [suite::key(0)], "padding": "x".repeat(1024 * 1024)}));
        fails(server, provider, "more than a MiB").await?;
        for broken in [json!("no keys"), json!([]), json!({}), json!({"keys": "none"}), json!(null)] {
            server.clock.advance(vestibule_rules::time::Span::minutes(1));
            provider.answers("/keys", Reply::ok(broken.clone()));
            fails(server, provider, &broken.to_string()).await?;
        }
        Ok(())
    })
    .await?;
    with_hostile(suite::PLAIN, async |server, provider| {
        let mut keys = vec![suite::curve(); 99];
        keys.push(suite::key(0));
        provider.says("keys", json!({ "keys": keys }));
        joins(server, provider).await.map(drop)
    })
    .await
}

#[tokio::test]
async fn user_info_that_is_signed_is_verified() -> Outcome<()> {
    // RP11
    with_hostile(suite::PLAIN, async |server, provider| {
        provider.says("signs user info", json!(true));
        let lies = [
            json!({"sub": "another"}),
            json!({"sub": null}),
            json!({"iss": "https://evil.example"}),
            json!({"aud": "another"}),
            json!({"aud": []}),
        ];
        for lie in lies {
            provider.says("userinfo", lie.clone());
            fails(server, provider, &lie.to_string()).await?;
        }
        provider.says("userinfo", json!({"aud": [CLIENT, "another"], "iss": provider.base}));
        assert_eq!(arrive(server, provider).await?.1.asks(), "details");
        // The ID token is good, and what comes after it is signed by nobody, or by somebody else.
        let claims = json!({"sub": suite::SUBJECT, "email": suite::MAIL, "email_verified": true});
        for token in suite::forgeries(&claims) {
            let reply = Reply::ok(json!(token)).with("content-type", "application/jwt");
            provider.answers("/userinfo", reply);
            fails(server, provider, &token).await?;
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn no_token_of_a_provider_is_kept_so_none_can_be_refreshed_into_another_person() -> Outcome<()> {
    // RP19
    with_hostile_on_both(suite::PLAIN, async |server, provider| {
        const REFRESH: &str = "r3fresh-0f-the-person";
        provider.says("token", json!({"refresh_token": REFRESH}));
        let hand = Hand::new(server);
        let departure = depart(provider, &hand, &entrance(&hand).await?).await?;
        assert!(!departure.sent["scope"].contains("offline_access"));
        let form = shown(&hand, departure.return_with_code(&hand).await?).await?;
        hand.answer(&form, &[("displayName", "Ada Lovelace")]).await?.at_app()?;
        let stored = server.dump().await?;
        let holds = |text: &str| stored.windows(text.len()).any(|window| window == text.as_bytes());
        assert!(holds(suite::SUBJECT), "the dump shows what is stored");
        assert!(!holds(REFRESH) && !holds(TOKEN) && !holds(CODE));
        let grants: Vec<_> =
            provider.calls("/token").iter().map(|c| c.field("grant_type").to_owned()).collect();
        assert_eq!(grants, ["authorization_code"]);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_token_response_that_says_nothing_good_lets_nobody_in() -> Outcome<()> {
    // RP9: an error beside tokens, no ID token, or a token that is none.
    with_hostile(suite::PLAIN, async |server, provider| {
        let lies = [
            json!({"id_token": null}),
            json!({"id_token": ""}),
            json!({"id_token": "."}),
            json!({"id_token": ".."}),
            json!({"id_token": "e30.e30."}),
            json!({"id_token": "a.b.c.d.e"}),
            json!({"id_token": ["e30.e30."]}),
            json!({"id_token": "x".repeat(70_000)}),
            json!({"error": "invalid_grant", "access_token": null}),
        ];
        for lie in lies {
            provider.says("token", lie.clone());
            fails(server, provider, &lie.to_string().chars().take(60).collect::<String>()).await?;
        }
        provider.answers("/token", Reply::ok(json!("no object")));
        fails(server, provider, "a text").await?;
        provider.answers("/token", Reply::ok(json!("<html>")).with("content-type", "text/html"));
        fails(server, provider, "a page").await?;
        assert!(provider.calls("/userinfo").is_empty());
        nobody_is_in(server).await
    })
    .await
}
