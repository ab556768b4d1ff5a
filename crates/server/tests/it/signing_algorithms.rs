//! What a tenant's tokens are signed with: each algorithm, the change from one to the next, and tokens that want to be
//! checked by another one than their key is for.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rustix::time::{ClockId, clock_gettime};
use serde_json::{Map, Value, json};
use vestibule_crypto::asymmetric::Pkcs8;
use vestibule_crypto::client_key::ClientKey;
use vestibule_crypto::jwk::{Algorithm, VerifyingKey};
use vestibule_crypto::jws::{self, Expected, Refusal, Typ};
use vestibule_rules::fault::Outcome;
use vestibule_rules::oauth::signing::SigningAlgorithm;
use vestibule_rules::time::Span;
use vestibule_service::keys::rotation::{self, State};
use vestibule_testkit::server::on_both;
use vestibule_testkit::{Engine, TestServer};

use crate::client::claims;
use crate::conformance::logout::{back_channel, logout_token, sign_out};
use crate::conformance::party::{CALLBACK, CLIENT, Party, Seen, Shows, Tokens, Variant};
use crate::conformance::suite::sign_up;
use crate::journeys::passage::Answered;
use crate::oauth2::world::forge;
use crate::signing_keys::{tenant, token};

const FILE: &str = include_str!("conformance/suite.yaml");

pub(crate) fn signing_with(algorithm: &str) -> String {
    let mark = "  shortName: suite\n";
    FILE.replacen(mark, &format!("{mark}  tokens: {{ signingAlgorithm: {algorithm} }}\n"), 1)
}

async fn listed(server: &TestServer) -> Outcome<Vec<(String, State)>> {
    let keys = rotation::listed(&server.site.env, tenant(server)).await?;
    Ok(keys.into_iter().map(|key| (key.algorithm, key.state)).collect())
}

async fn announced(server: &TestServer) -> Outcome<Value> {
    let document = Party::new(server, Variant::of("code")).metadata().await?;
    Ok(document["id_token_signing_alg_values_supported"].clone())
}

/// What every algorithm has to be good for.
async fn serves(
    server: &TestServer,
    algorithm: SigningAlgorithm,
    heard: impl AsyncFnOnce() -> String,
) -> Outcome<()> {
    sign_up(server).await?;
    assert_eq!(announced(server).await?, json!([algorithm.as_str()]));
    let party = Party::new(server, Variant::of("code id_token token"));
    // The hashes of what travels beside the ID token are checked in there (S70).
    let tokens = party.good(&[]).await?;
    assert_eq!(header(&tokens.id_token)["alg"], algorithm.as_str());
    assert_eq!(party.told(&tokens).await?["sub"], tokens.id["sub"]);
    let (_, set) = party.get("discovery/v2.0/keys", None).await?;
    for key in set["keys"].as_array().unwrap() {
        // S89
        assert!(["d", "p", "q", "k"].iter().all(|private| key.get(private).is_none()));
        let named = (algorithm != SigningAlgorithm::Rs256).then(|| json!(algorithm.as_str()));
        assert_eq!(key.get("alg"), named.as_ref());
    }
    let hint = ("id_token_hint", tokens.id_token.as_str());
    let Seen::App(_) = sign_out(&party, &[hint, ("post_logout_redirect_uri", CALLBACK)]).await? else {
        panic!("the hint is not believed");
    };
    let token = logout_token(&heard().await);
    let keys = VerifyingKey::set(set.to_string().as_bytes())?;
    let expected = Expected { algorithms: &[algorithm.into()], typ: Typ::OneOf(&["logout+jwt"]) };
    assert_eq!(jws::verify(&token, &keys, &expected).unwrap().claims["sid"], tokens.id["sid"]);
    Ok(())
}

#[tokio::test]
async fn every_algorithm_signs_what_a_careful_client_takes() -> Outcome<()> {
    // S70, S89
    for (algorithm, engine) in [
        (SigningAlgorithm::Ps256, Engine::Sqlite),
        (SigningAlgorithm::Es256, Engine::Postgres),
        (SigningAlgorithm::EdDsa, Engine::Sqlite),
    ] {
        let (address, mut bodies) = back_channel().await?;
        let mark = "    securityProfile: oidc-compat\n";
        let file = signing_with(algorithm.as_str()).replacen(
            mark,
            &format!("{mark}    backChannelLogoutUri: {address}\n"),
            1,
        );
        let server = TestServer::start(engine, &[&file]).await?;
        serves(&server, algorithm, async || bodies.recv().await.unwrap()).await?;
        server.finish().await?;
    }
    Ok(())
}

fn header(token: &str) -> Value {
    claims(&format!(".{token}"))
}

#[tokio::test]
async fn another_algorithm_comes_with_the_usual_overlap() -> Outcome<()> {
    // S90
    on_both(&[FILE], async |server| {
        let first = token(server).await?;
        server.apply(&[&signing_with("ES256")]).await?;
        // Two nodes find it due at once.
        let (one, two) = tokio::join!(rotation::keep_up(&server.site), rotation::keep_up(&server.site));
        one.and(two)?;
        server.site.keyring.poll(&server.site.env).await?;
        let named = |names: [&str; 2], states: [State; 2]| {
            names.map(str::to_owned).into_iter().zip(states).collect::<Vec<_>>()
        };
        assert_eq!(listed(server).await?, named(["RS256", "ES256"], [State::Current, State::Next]));
        assert_eq!(announced(server).await?, json!(["RS256", "ES256"]));
        assert_eq!(header(&token(server).await?)["alg"], "RS256");
        let party = Party::new(server, Variant::of("code"));
        let (_, known) = party.get("discovery/v2.0/keys", None).await?;
        let known = VerifyingKey::set(known.to_string().as_bytes())?;
        server.clock.advance(Span::days(2));
        let fresh = token(server).await?;
        assert_eq!(header(&fresh)["alg"], "ES256");
        let any = Expected { algorithms: &Algorithm::ALL, typ: Typ::OneOf(&["JWT"]) };
        assert!([&first, &fresh].iter().all(|token| jws::verify(token, &known, &any).is_ok()));
        assert_eq!(announced(server).await?, json!(["ES256"]));
        // Somebody thinks better of it before the change is complete: what waits has signed nothing and goes.
        rotation::keep_up(&server.site).await?;
        assert_eq!(listed(server).await?.last().unwrap(), &("ES256".to_owned(), State::Next));
        server.apply(&[FILE]).await?;
        rotation::keep_up(&server.site).await?;
        server.site.keyring.poll(&server.site.env).await?;
        assert_eq!(listed(server).await?.last().unwrap(), &("RS256".to_owned(), State::Next));
        assert_eq!(listed(server).await?.len(), 3);
        // Nobody waits for a key that is already known when the one in use is in other hands.
        rotation::rotate(&server.site.env, tenant(server), true).await?;
        server.site.keyring.poll(&server.site.env).await?;
        let all = listed(server).await?;
        assert!(all.iter().all(|(algorithm, _)| algorithm == "RS256") && all.len() == 2, "{all:?}");
        Ok(())
    })
    .await
}

/// Tokens like good ones, each to be checked by something else than the key is for.
async fn confused(server: &TestServer, good: &str) -> Outcome<Vec<(String, String)>> {
    let (keys, now) =
        (server.site.keyring.of(&server.site.env, tenant(server)).await?, server.site.env.now());
    let key = keys.current(now)?;
    let own = ClientKey::from_pkcs8(&Pkcs8::new(key.pkcs8()?.expose().clone()))?;
    let (body, kid) = (claims(good), key.kid());
    let mut all = Vec::new();
    for algorithm in own.algorithms().iter().filter(|other| **other != key.algorithm().into()) {
        let header = Map::from_iter([("typ".to_owned(), json!("JWT")), ("kid".to_owned(), json!(kid))]);
        let nameless = Map::from_iter([("typ".to_owned(), json!("JWT"))]);
        for header in [header, nameless] {
            all.push((algorithm.name().to_owned(), own.sign_with_header(*algorithm, header, &body)?));
        }
    }
    let jwk =
        serde_json::to_value(key.jwk()).map_err(|e| vestibule_rules::fault::Fault::ours(e.to_string()))?;
    let public = jwk["n"].as_str().or(jwk["x"].as_str()).unwrap().as_bytes();
    for secret in [public, key.certificate(), jwk.to_string().as_bytes(), b""] {
        let header = json!({"typ": "JWT", "alg": "HS256", "kid": kid});
        all.push(("HS256".to_owned(), forge(&header, &body, Some(secret))));
    }
    for alg in ["none", "None", "nOnE", ""] {
        all.push((alg.to_owned(), forge(&json!({"typ": "JWT", "alg": alg, "kid": kid}), &body, None)));
    }
    // A signature of zeros, which a broken ECDSA takes for anything.
    let (signed, _) = good.rsplit_once('.').unwrap();
    all.push(("zeros".to_owned(), format!("{signed}.{}", "A".repeat(86))));
    for kid in ["../../dev/null", "' OR 1=1 --", "", "\u{0}"] {
        let header = Map::from_iter([("typ".to_owned(), json!("JWT")), ("kid".to_owned(), json!(kid))]);
        let own_algorithm = key.algorithm().into();
        all.push((format!("kid {kid}"), own.sign_with_header(own_algorithm, header, &body)?));
    }
    for typ in ["logout+jwt", "dpop+jwt", "at+jwt"] {
        let header = Map::from_iter([("typ".to_owned(), json!(typ)), ("kid".to_owned(), json!(kid))]);
        all.push((typ.to_owned(), own.sign_with_header(key.algorithm().into(), header, &body)?));
    }
    all.extend(bombs());
    Ok(all)
}

/// Encrypted tokens that cost much to whoever starts to open them.
fn bombs() -> Vec<(String, String)> {
    let slow = json!({"typ": "JWT", "alg": "PBES2-HS256+A128KW", "enc": "A128GCM", "p2s": "c2FsdHNhbHQ", "p2c": 1_000_000_000});
    let deep = json!({"typ": "JWT", "alg": "dir", "enc": "A256GCM", "zip": "DEF"});
    let filler = "A".repeat(2_000);
    let compact = |header: &Value| {
        let header = URL_SAFE_NO_PAD.encode(header.to_string());
        format!("{header}.{}.AAAAAAAAAAAAAAAA.{filler}.AAAAAAAAAAAAAAAAAAAAAA", "A".repeat(54))
    };
    let recipients = vec![json!({"header": slow, "encrypted_key": "A".repeat(54)}); 10];
    let many = json!({"recipients": recipients, "iv": "A", "ciphertext": filler, "tag": "A"});
    let named = |(what, token): (&str, String)| (what.to_owned(), token);
    [("a slow JWE", compact(&slow)), ("a deflated JWE", compact(&deep)), ("a JWE of ten", many.to_string())]
        .map(named)
        .into()
}

/// What of this thread's own time on a processor goes by: not the time in which others have it.
fn processor_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(u64::try_from(time.tv_sec).unwrap(), u32::try_from(time.tv_nsec).unwrap())
}

#[test]
fn an_encrypted_token_costs_no_more_than_looking_at_it() {
    // S58
    let expected = Expected { algorithms: &Algorithm::ALL, typ: Typ::OneOf(&["JWT"]) };
    for (what, token) in bombs() {
        let before = processor_time();
        let answer = jws::verify(&token, &[], &expected);
        let spent = processor_time().saturating_sub(before);
        assert!(matches!(answer, Err(Refusal::NotCompact)), "{what}");
        assert!(spent < Duration::from_millis(5), "{what} took {spent:?}");
    }
}

async fn about(party: &Party<'_>, endpoint: &str, token: &str) -> Outcome<Answered> {
    let secret = vestibule_testkit::server::secret("secrets/app");
    let form = [("client_id", CLIENT), ("client_secret", secret.expose().as_str()), ("token", token)];
    let url = format!("{}/suite/oauth2/v2.0/{endpoint}", party.server.origin);
    party.hand.post(&url, &form).await
}

async fn is_active(party: &Party<'_>, token: &str) -> Outcome<bool> {
    let answered = about(party, "introspect", token).await?;
    let body: Value = serde_json::from_str(&answered.body).unwrap();
    Ok(body["active"] == true)
}

/// The session is there, and the app learns so without a page.
async fn is_signed_in(party: &Party<'_>) -> Outcome<bool> {
    let seen = party.ask(&[("prompt", "none")]).await?;
    Ok(matches!(seen, Seen::App(answer) if answer.get("code").is_some()))
}

#[tokio::test]
async fn a_key_is_good_for_its_own_algorithm_alone() -> Outcome<()> {
    // S58, S60, S61, S84
    for algorithm in ["RS256", "PS256", "ES256", "EdDSA"] {
        let server = TestServer::start(Engine::Sqlite, &[&signing_with(algorithm)]).await?;
        sign_up(&server).await?;
        let party = Party::new(&server, Variant::of("code"));
        let Tokens { access_token, id_token, .. } = party.good(&[]).await?;
        let access = access_token.unwrap();
        assert!(is_active(&party, &access).await?);
        for (what, token) in confused(&server, &access).await? {
            assert!(!is_active(&party, &token).await?, "{algorithm} as {what}");
            let (status, _) = party.get("openid/userinfo", Some(&token)).await?;
            assert_eq!(status, 401, "{algorithm} as {what}");
            let form = [
                ("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"),
                ("assertion", token.as_str()),
                ("requested_token_use", "on_behalf_of"),
                ("scope", "openid"),
            ];
            let (status, body) = party.token((CLIENT, "secrets/app"), &form, Shows::Post).await?;
            assert_eq!(
                (status, body["error"].as_str()),
                (400, Some("invalid_grant")),
                "{algorithm} as {what}"
            );
            // Whoever revokes is told the same of every token; the grant of the good one stands.
            assert_eq!(about(&party, "revoke", &token).await?.status, 200, "{algorithm} as {what}");
            assert!(is_active(&party, &access).await?, "{algorithm} as {what} ended a grant");
        }
        for (what, hint) in confused(&server, &id_token).await? {
            // Nobody's hint is not the hint of who is signed in.
            let answer = match party.ask(&[("prompt", "none"), ("id_token_hint", &hint)]).await? {
                Seen::App(answer) => answer,
                Seen::Page(form) => return Err(form.page.unexpected(&what)),
            };
            assert_eq!(answer.get("error"), Some("login_required"), "{algorithm} as {what}");
            // S84: nor does it sign anybody out, or send anybody anywhere.
            let pairs = [("id_token_hint", hint.as_str()), ("post_logout_redirect_uri", CALLBACK)];
            let Seen::Page(asks) = sign_out(&party, &pairs).await? else {
                panic!("{algorithm} as {what} is believed at the logout endpoint");
            };
            assert!(asks.page.has("input[name=csrf]"), "{algorithm} as {what}: {}", asks.page.html);
            assert!(is_signed_in(&party).await?, "{algorithm} as {what} signed somebody out");
        }
        // What all of these were made of is good.
        assert_eq!(about(&party, "revoke", &access).await?.status, 200);
        assert!(!is_active(&party, &access).await?);
        let good = [("id_token_hint", id_token.as_str()), ("post_logout_redirect_uri", CALLBACK)];
        assert!(matches!(sign_out(&party, &good).await?, Seen::App(_)));
        server.finish().await?;
    }
    Ok(())
}
