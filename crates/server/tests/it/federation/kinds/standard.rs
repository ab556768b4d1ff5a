//! Any OpenID Connect provider: what is asked of its user info endpoint, requests that are pushed (RFC 9126), and
//! tokens that are bound to a key (RFC 9449).

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use vestibule_crypto::digest;
use vestibule_crypto::jwk::{Algorithm, VerifyingKey};
use vestibule_crypto::jws::{Expected, Typ, verify};
use vestibule_rules::fault::Outcome;
use vestibule_testkit::server::BEGIN;

use super::stand_in::{CLIENT, Call, Company, Reply, StandIn, TOKEN};
use super::{
    Newcomer, arrive, depart, entrance, fails, makes_accounts, refused, shown, travel, with_company,
};
use crate::journeys::passage::Hand;

const SUBJECT: &str = "24400320";
const MAIL: &str = "a@fabrikam.example";
const REFERENCE: &str = "urn:ietf:params:oauth:request_uri:bwc4JK-ESC0w8acc191e-Y1LTC2";
const NONCE: &str = "eyJ7S_zG.eyJH0-Z.HX4w-7v";

const STANDARD: Company = Company {
    section: r#"displayName: Fabrikam
issuer: "{base}"
clientId: "{client}"
clientSecret: { file: secrets/of-the-company }"#,
    answer,
};

/// An attribute of the flow is a claim that its ID tokens may lack.
pub(super) const MAPPED: Company = Company {
    section: r#"displayName: Fabrikam
issuer: "{base}"
clientId: "{client}"
clientSecret: { file: secrets/of-the-company }
inboundClaimMapping: { displayName: name, city: address.locality }"#,
    answer,
};

const NEVER_ASKED: Company = Company {
    section: r#"displayName: Fabrikam
issuer: "{base}"
userInfo: never
clientId: "{client}"
clientSecret: { file: secrets/of-the-company }"#,
    answer,
};

const ALWAYS_ASKED: Company = Company {
    section: r#"displayName: Fabrikam
issuer: "{base}"
userInfo: always
clientId: "{client}"
clientSecret: { file: secrets/of-the-company }"#,
    answer,
};

pub(super) const PUSHED: Company = Company {
    section: r#"displayName: Fabrikam
issuer: "{base}"
pushedAuthorizationRequest: true
prompt: select_account
acrValues: mfa
clientId: "{client}"
clientSecret: { file: secrets/of-the-company }"#,
    answer,
};

const BOUND: Company = Company {
    section: r#"displayName: Fabrikam
issuer: "{base}"
dpop: true
userInfo: always
clientAuthentication: private_key_jwt
clientId: "{client}"
clientKey: { file: secrets/fabrikam.p8 }"#,
    answer: bound,
};

/// A provider that leaves the client's proof to the test.
pub(super) fn answer(provider: &StandIn, call: &Call) -> Reply {
    match call.path.as_str() {
        "/.well-known/openid-configuration" => {
            Reply::ok(provider.document("discovery", discovery(&provider.base)))
        }
        "/keys" => Reply::ok(provider.keys()),
        // RFC 9126 §2.2.
        "/par" => {
            provider.departed(&call.form);
            Reply::error(201, json!({"request_uri": REFERENCE, "expires_in": 60}))
        }
        "/token" if !provider.redeems(call) || !provider.proves(call) => Reply::oauth_error("invalid_grant"),
        "/token" => Reply::ok(provider.document("token", token(provider))),
        // OpenID Connect Core 1.0 §5.3.3.
        "/userinfo" if !call.header("authorization").ends_with(TOKEN) => {
            Reply::error(401, Value::Null).with("www-authenticate", "Bearer error=\"invalid_token\"")
        }
        "/userinfo" => Reply::ok(provider.document("userinfo", user_info())),
        _ => Reply::error(404, Value::Null),
    }
}

/// OpenID Connect Discovery 1.0 §3.
fn discovery(base: &str) -> Value {
    json!({
        "issuer": base,
        "authorization_endpoint": format!("{base}/authorize"),
        "token_endpoint": format!("{base}/token"),
        "userinfo_endpoint": format!("{base}/userinfo"),
        "jwks_uri": format!("{base}/keys"),
        "pushed_authorization_request_endpoint": format!("{base}/par"),
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
    })
}

fn token(provider: &StandIn) -> Value {
    let claims = json!({
        "iss": provider.base, "sub": SUBJECT, "name": "Ada Lovelace", "email": MAIL, "email_verified": true,
    });
    json!({
        "access_token": TOKEN, "token_type": "Bearer", "expires_in": 3_600,
        "id_token": provider.id_token(claims),
    })
}

fn user_info() -> Value {
    json!({
        "sub": SUBJECT, "name": "Ada Lovelace", "email": MAIL, "email_verified": true,
        "address": {"locality": "London"},
    })
}

#[tokio::test]
async fn an_account_of_any_provider_becomes_a_guest_and_a_customer() -> Outcome<()> {
    makes_accounts(STANDARD, |provider| Newcomer {
        mail: MAIL,
        subjects: [SUBJECT, SUBJECT].map(str::to_owned),
        issuers: [provider.base.clone(), provider.base.clone()],
        name: "Ada Lovelace",
    })
    .await
}

#[tokio::test]
async fn user_info_is_asked_when_something_is_missing() -> Outcome<()> {
    let asked = async |company: Company, claims: Value, times: usize| {
        with_company(company, async |server, provider| {
            provider.says("id_token", claims.clone());
            let (_, form) = arrive(server, provider).await?;
            assert_eq!(form.asks(), "details", "{claims}");
            let calls = provider.calls("/userinfo");
            assert_eq!(calls.len(), times, "{claims}");
            assert!(calls.iter().all(Call::shows_token));
            Ok(())
        })
        .await
    };
    asked(STANDARD, json!({}), 0).await?;
    asked(STANDARD, json!({"email": null, "email_verified": null}), 1).await?;
    asked(MAPPED, json!({"address": {"locality": "Paris"}}), 0).await?;
    asked(MAPPED, json!({}), 1).await?;
    asked(ALWAYS_ASKED, json!({}), 1).await?;
    asked(NEVER_ASKED, json!({"name": null}), 0).await
}

#[tokio::test]
async fn user_info_that_is_never_asked_tells_no_address() -> Outcome<()> {
    with_company(NEVER_ASKED, async |server, provider| {
        provider.says("id_token", json!({"email": null}));
        super::not_believed(server, provider).await?;
        assert!(provider.calls("/userinfo").is_empty());
        Ok(())
    })
    .await
}

#[tokio::test]
async fn what_the_id_token_says_goes_before_user_info() -> Outcome<()> {
    with_company(ALWAYS_ASKED, async |server, provider| {
        provider.says("userinfo", json!({"email": "ceo@victim.example", "name": "Eve"}));
        let (_, form) = arrive(server, provider).await?;
        assert_eq!(form.page.attribute("#displayName", "value").as_deref(), Some("Ada Lovelace"));
        assert!(!form.page.html.contains("victim.example"));
        Ok(())
    })
    .await
}

#[tokio::test]
async fn an_address_is_not_proven_by_a_word_on_another_one() -> Outcome<()> {
    // IDP-OIDC-01: what the ID token says to be verified is an address that it does not even tell.
    with_company(STANDARD, async |server, provider| {
        provider.says("id_token", json!({"email": null}));
        provider.says("userinfo", json!({"email": "ceo@victim.example", "email_verified": null}));
        super::not_believed(server, provider).await?;
        provider.says("userinfo", json!({"email": "ceo@victim.example", "email_verified": false}));
        super::not_believed(server, provider).await
    })
    .await
}

#[tokio::test]
async fn user_info_of_somebody_else_is_refused() -> Outcome<()> {
    // RP11
    with_company(ALWAYS_ASKED, async |server, provider| {
        for other in [json!("24400321"), json!(24_400_320), json!(null), json!("")] {
            provider.says("userinfo", json!({"sub": other}));
            fails(server, provider).await?;
        }
        provider.answers("/userinfo", Reply::error(401, json!({"error": "invalid_token"})));
        fails(server, provider).await
    })
    .await
}

#[tokio::test]
async fn user_info_is_not_asked_after_an_id_token_that_was_refused() -> Outcome<()> {
    // RP9
    with_company(ALWAYS_ASKED, async |server, provider| {
        for lie in [json!({"nonce": "n"}), json!({"aud": "another"}), json!({"exp": BEGIN.seconds() - 61})] {
            provider.says("id_token", lie);
            fails(server, provider).await?;
        }
        provider.says("token", json!({"id_token": null}));
        fails(server, provider).await?;
        assert!(provider.calls("/userinfo").is_empty());
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_pushed_request_leaves_the_browser_a_reference() -> Outcome<()> {
    with_company(PUSHED, async |server, provider| {
        let hand = Hand::new(server);
        let departure = depart(provider, &hand, &entrance(&hand).await?).await?;
        let carried: Vec<_> = departure.url.query_pairs().into_owned().collect();
        let expected = [("client_id", CLIENT), ("request_uri", REFERENCE)];
        assert_eq!(carried, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
        let pushed = provider.only_call("/par");
        assert!(pushed.posts_secret());
        let fixed = [
            ("response_type", "code"),
            ("scope", "openid profile email"),
            ("code_challenge_method", "S256"),
            ("prompt", "select_account"),
            ("acr_values", "mfa"),
        ];
        for (name, value) in fixed {
            assert_eq!(pushed.field(name), value);
        }
        for name in ["state", "nonce", "code_challenge", "redirect_uri"] {
            assert!(!pushed.field(name).is_empty() && !departure.url.as_str().contains(pushed.field(name)));
        }
        let answered = departure.return_with_code(&hand).await?;
        assert_eq!(shown(&hand, answered).await?.asks(), "details");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_provider_that_demands_pushed_requests_gets_them() -> Outcome<()> {
    with_company(STANDARD, async |server, provider| {
        provider.says("discovery", json!({"require_pushed_authorization_requests": true}));
        assert_eq!(arrive(server, provider).await?.1.asks(), "details");
        assert_eq!(provider.calls("/par").len(), 1);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_request_that_cannot_be_pushed_is_not_sent_in_the_clear() -> Outcome<()> {
    let stuck = async |provider: &StandIn, server: &vestibule_testkit::TestServer| {
        let hand = Hand::new(server);
        let form = entrance(&hand).await?;
        let form = hand.next(&form, &[("action", "idp-stranger")]).await?;
        refused(server, &(hand, form), "refused-provider-failed").await?;
        provider.repents();
        Ok::<_, vestibule_rules::fault::Fault>(())
    };
    with_company(PUSHED, async |server, provider| {
        provider.answers("/par", Reply::oauth_error("invalid_request"));
        stuck(provider, server).await?;
        provider.answers("/par", Reply::error(201, json!({"expires_in": 60})));
        stuck(provider, server).await
    })
    .await?;
    with_company(PUSHED, async |server, provider| {
        provider.says("discovery", json!({"pushed_authorization_request_endpoint": null}));
        stuck(provider, server).await
    })
    .await
}

/// A provider that wants its nonce in every proof, at both endpoints (RFC 9449 §8 and §9).
fn bound(provider: &StandIn, call: &Call) -> Reply {
    if !matches!(call.path.as_str(), "/token" | "/userinfo") {
        return answer(provider, call);
    }
    let Some((_, proof)) = proof(call) else { return Reply::oauth_error("invalid_dpop_proof") };
    if proof["nonce"] != NONCE {
        let reply = if call.path == "/token" {
            Reply::oauth_error("use_dpop_nonce")
        } else {
            Reply::error(401, Value::Null).with("www-authenticate", "DPoP error=\"use_dpop_nonce\"")
        };
        return reply.with("dpop-nonce", NONCE);
    }
    let mut reply = answer(provider, call);
    if call.path == "/token" && reply.body.get("id_token").is_some() {
        reply.body = provider.document(
            "bound",
            json!({
                "access_token": TOKEN, "token_type": "DPoP", "id_token": reply.body["id_token"],
            }),
        );
    }
    reply
}

/// The key of a proof and what it says, when it is signed with the key that it shows (RFC 9449 §4.3).
fn proof(call: &Call) -> Option<(Value, Value)> {
    let token = call.header("dpop");
    let header: Value =
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(token.split('.').next()?).ok()?).ok()?;
    let key = VerifyingKey::from_jwk(header["jwk"].as_object()?).ok()?;
    assert!(header["jwk"].get("d").is_none(), "the private half stays here");
    let expected = Expected { algorithms: &[Algorithm::Es256], typ: Typ::OneOf(&["dpop+jwt"]) };
    let verified = verify(token, &[key], &expected).ok()?;
    Some((header["jwk"].clone(), Value::Object(verified.claims)))
}

#[tokio::test]
async fn a_token_is_bound_to_a_key_and_every_request_proves_it() -> Outcome<()> {
    with_company(BOUND, async |server, provider| {
        assert_eq!(arrive(server, provider).await?.1.asks(), "details");
        let calls = [provider.calls("/token"), provider.calls("/userinfo")];
        let all: Vec<_> = calls.iter().flatten().collect();
        let proofs: Vec<_> = all.iter().map(|call| proof(call).unwrap()).collect();
        // The nonce is demanded once at each, and answered.
        let nonces: Vec<_> = proofs.iter().map(|(_, said)| said["nonce"].as_str()).collect();
        assert_eq!(nonces, [None, Some(NONCE), None, Some(NONCE)]);
        let hash = digest::base64url(&digest::sha256(TOKEN.as_bytes()));
        for (call, (key, said)) in all.iter().zip(&proofs) {
            assert_eq!(key, &proofs[0].0);
            assert_eq!((&said["htm"], &said["iat"]), (&json!(call.method.as_str()), &json!(BEGIN.seconds())));
            assert_eq!(said["htu"], format!("{}{}", provider.base, call.path));
            let ath = (call.path == "/userinfo").then_some(hash.as_str());
            assert_eq!(said["ath"].as_str(), ath);
        }
        assert!(calls[1].iter().all(|call| call.header("authorization") == format!("DPoP {TOKEN}")));
        let fresh: BTreeSet<_> = proofs.iter().map(|(_, said)| said["jti"].to_string()).collect();
        assert_eq!(fresh.len(), 4);
        // RFC 7523 §3: a server that keeps the ids of assertions would refuse the second try with the first one's.
        let assertion =
            |call: &Call| crate::client::claims(call.field("client_assertion"))["jti"].to_string();
        assert_ne!(assertion(&calls[0][0]), assertion(&calls[0][1]));
        // Two sign-ins cannot be told to be of one server by their key.
        let (hand, form) = (Hand::new(server), proofs[0].0.clone());
        travel(provider, &hand, &entrance(&hand).await?).await?;
        assert_ne!(proof(&provider.calls("/token")[2]).unwrap().0, form);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_token_that_is_not_bound_is_refused() -> Outcome<()> {
    with_company(BOUND, async |server, provider| {
        for kind in [json!("Bearer"), json!(null)] {
            provider.says("bound", json!({"token_type": kind}));
            fails(server, provider).await?;
        }
        assert!(provider.calls("/userinfo").is_empty());
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_provider_that_is_never_content_is_not_asked_for_ever() -> Outcome<()> {
    with_company(BOUND, async |server, provider| {
        let never = Reply::oauth_error("use_dpop_nonce").with("dpop-nonce", "another one");
        provider.answers("/token", never);
        fails(server, provider).await?;
        assert_eq!(provider.calls("/token").len(), 2);
        Ok(())
    })
    .await
}
