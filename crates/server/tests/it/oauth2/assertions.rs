//! Applications that prove themselves by what they sign: `private_key_jwt` and `client_secret_jwt`.

use serde_json::{Value, json};
use vestibule_crypto::asymmetric::KeyKind;
use vestibule_crypto::client_key::{ClientKey, sign_hs256};
use vestibule_crypto::jwk::Algorithm;
use vestibule_rules::fault::Outcome;
use vestibule_rules::time::Span;
use vestibule_testkit::server::{on_nodes, secret};
use vestibule_testkit::{Engine, TestServer};

use super::world::{
    Asks, CERT, KEYED, LONG, PUBLISHED, SIGNER, World, certified, forge, overlap_ends, sign, thumbprint,
};
use crate::journeys::passage::SHOP;

#[tokio::test]
async fn microsofts_libraries_name_their_certificate_and_send_an_assertion_again() -> Outcome<()> {
    // R20, R21, R33, S66
    let world = World::new().await?;
    let server = TestServer::start(Engine::Sqlite, &[&world.tenant()]).await?;
    let now = server.site.env.now().seconds();
    #[expect(clippy::cast_precision_loss, reason = "MSAL for Python writes its times so")]
    let python = json!({"exp": now as f64 + 600.25, "iat": now as f64 + 0.25, "nbf": null});
    for (algorithm, name, padding, more) in [
        (Algorithm::Ps256, "x5t#S256", "", json!({"exp": now + 600})),
        (Algorithm::Ps256, "x5t#S256", "=", python.clone()),
        (Algorithm::Rs256, "x5t", "=", python),
    ] {
        let header = json!({"typ": "JWT", name: format!("{}{padding}", thumbprint(name).as_str().unwrap())});
        let claims = World::claims(&server, CERT, more);
        let token = sign(&certified(), algorithm, header.clone(), &claims);
        for _ in 0..2 {
            let answer = server.asserting(&token).await?;
            assert_eq!(answer.status, 200, "{name}: {:?}", answer.body);
            assert_eq!((&answer.claims()["azpacr"], &answer.claims()["azp"]), (&json!("2"), &json!(CERT)));
            assert_eq!(answer.claims()["roles"], json!(["Orders.Read"]));
        }
        // Longer than the libraries make them, it is good once like any other.
        let claims = World::claims(&server, CERT, json!({"exp": now + 1_800}));
        let token = sign(&certified(), algorithm, header, &claims);
        assert_eq!(server.asserting(&token).await?.status, 200);
        assert_eq!(server.asserting(&token).await?.error(), ("invalid_client", 700_027));
    }
    server.finish().await
}

#[tokio::test]
async fn an_assertion_is_good_once_however_many_send_it_at_the_same_time() -> Outcome<()> {
    // S44
    let world = World::new().await?;
    on_nodes(&[&world.tenant()], async |server| {
        let token = world.assertion(server, json!({}));
        let (a, b, c) =
            tokio::join!(server.asserting(&token), server.asserting(&token), server.asserting(&token));
        let mut statuses = [a?.status, b?.status, c?.status];
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 401, 401]);
        // The name counts and not the token.
        let named = |name: &str| world.assertion(server, json!({"jti": name}));
        assert_eq!(server.asserting(&named("one")).await?.status, 200);
        assert_eq!(server.asserting(&named("one")).await?.error(), ("invalid_client", 700_027));
        assert_eq!(server.asserting(&named("two")).await?.status, 200);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn an_audience_is_the_issuer_or_the_endpoint_under_any_name() -> Outcome<()> {
    // R6, S43
    let world = World::new().await?;
    let server = TestServer::start(Engine::Sqlite, &[&world.tenant()]).await?;
    let tenant = server.site.directory.tenant(SHOP).unwrap().config.tenant.id;
    let origin = &server.origin;
    let issuer = format!("{origin}/{tenant}/v2.0");
    for good in [
        json!(issuer),
        json!([issuer, "https://elsewhere.example"]),
        json!(format!("{origin}/{tenant}/oauth2/v2.0/token")),
        json!(format!("{origin}/SHOP/oauth2/v2.0/token")),
        json!(format!("{origin}/shop.onmicrosoft.com/oauth2/v2.0/token")),
        json!(format!("{origin}/shop/1e1658e3-0000-4273-a7c8-6ab461c2a4b7/oauth2/v2.0/token")),
    ] {
        let token = world.assertion(&server, json!({"aud": good}));
        assert_eq!(server.asserting(&token).await?.status, 200, "{good}");
    }
    for bad in [
        json!(null),
        json!([]),
        json!(7),
        json!(KEYED),
        json!(format!("{issuer}/")),
        json!(format!("{origin}/northgate/oauth2/v2.0/token")),
        json!("https://login.microsoftonline.com/shop/oauth2/v2.0/token"),
    ] {
        let token = world.assertion(&server, json!({"aud": bad}));
        assert_eq!(server.asserting(&token).await?.error(), ("invalid_client", 700_023), "{bad}");
    }
    server.finish().await
}

#[tokio::test]
async fn times_and_names_are_held_to() -> Outcome<()> {
    // S42, S61
    let world = World::new().await?;
    let server = TestServer::start(Engine::Sqlite, &[&world.tenant()]).await?;
    let now = server.site.env.now().seconds();
    for good in [json!({"nbf": now + 8}), json!({"iat": now + 60}), json!({"exp": now + 3_600})] {
        let token = world.assertion(&server, good.clone());
        assert_eq!(server.asserting(&token).await?.status, 200, "{good}");
    }
    for (bad, number) in [
        (json!({"exp": null}), 700_024),
        (json!({"exp": now - 300}), 700_024),
        (json!({"exp": now}), 700_024),
        (json!({"exp": now + 3_601}), 700_024),
        (json!({"exp": (now + 300).to_string()}), 700_024),
        (json!({"exp": 1e300}), 700_024),
        (json!({"nbf": now + 61}), 700_024),
        (json!({"iat": now + 61}), 700_024),
        (json!({"jti": null}), 700_027),
        (json!({"jti": ""}), 700_027),
        (json!({"sub": CERT}), 700_021),
        (json!({"iss": CERT}), 700_021),
        (json!({"iss": null}), 700_021),
    ] {
        let token = world.assertion(&server, bad.clone());
        assert_eq!(server.asserting(&token).await?.error(), ("invalid_client", number), "{bad}");
    }
    server.finish().await
}

#[tokio::test]
async fn the_key_comes_from_the_registration_alone() -> Outcome<()> {
    // S42, S45, S61
    let world = World::new().await?;
    let server = TestServer::start(Engine::Sqlite, &[&world.tenant()]).await?;
    let claims = || World::claims(&server, KEYED, json!({}));
    let stranger = ClientKey::generate(KeyKind::P256)?;
    let embedded = serde_json::to_value(stranger.jwk()).unwrap();
    let elsewhere = format!("{}/keys", world.publisher.base);
    world.publisher.publishes(&[&stranger]);
    let good = json!({"kid": "k1", "typ": "JWT"});
    let with = |name: &str, value: Value| {
        let mut header = good.clone();
        header[name] = value;
        header
    };
    let es256 = |header: Value| sign(&stranger, Algorithm::Es256, header, &claims());
    let public = serde_json::to_string(&world.key.jwk()).unwrap();
    let own = |header: Value| sign(&world.key, Algorithm::Es256, header, &claims());
    let zero = |token: &str| format!("{}.{}", token.rsplit_once('.').unwrap().0, "A".repeat(86));
    for (why, token) in [
        ("the key of somebody else", es256(good.clone())),
        ("the key of another application", sign(&certified(), Algorithm::Rs256, good.clone(), &claims())),
        ("a key in the header", es256(with("jwk", embedded))),
        ("a key behind an address", es256(with("jku", json!(elsewhere)))),
        ("a certificate behind an address", es256(with("x5u", json!(elsewhere)))),
        ("none", forge(&json!({"alg": "none", "kid": "k1"}), &claims(), None)),
        ("nOnE", forge(&json!({"alg": "nOnE", "kid": "k1"}), &claims(), None)),
        ("a signature of zeros", zero(&own(good.clone()))),
        ("no signature", forge(&json!({"alg": "ES256", "kid": "k1"}), &claims(), None)),
        ("another name", own(json!({"kid": "k2", "typ": "JWT"}))),
        ("a path for a name", own(json!({"kid": "../../../../dev/null", "typ": "JWT"}))),
        ("a query for a name", own(json!({"kid": "k1' OR '1'='1", "typ": "JWT"}))),
        ("no text for a name", own(json!({"kid": 1, "typ": "JWT"}))),
        ("the type of a logout token", own(with("typ", json!("logout+jwt")))),
        ("the type of a proof", own(with("typ", json!("dpop+jwt")))),
        ("critical extensions", own(with("crit", json!(["b64"])))),
        ("nonsense", "not.a.token".to_owned()),
        ("more than is read", own(with("x", json!("x".repeat(10_000))))),
    ] {
        let form = [
            ("client_id", KEYED),
            ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
            ("client_assertion", token.as_str()),
        ];
        let answer = server.credentials(&form, &[]).await?;
        assert_eq!(answer.error(), ("invalid_client", 700_027), "{why}");
        assert_eq!(answer.status, 401, "{why}");
    }
    assert_eq!(world.publisher.asked("/keys"), 0);
    // The public key is no secret that anything can be signed with.
    let hs256 = forge(&json!({"alg": "HS256", "kid": "k1"}), &claims(), Some(public.as_bytes()));
    assert_eq!(server.asserting(&hs256).await?.error(), ("invalid_client", 7_000_218));
    assert_eq!(server.asserting(&own(good.clone())).await?.status, 200);
    server.finish().await
}

#[tokio::test]
async fn one_assertion_and_of_the_right_type() -> Outcome<()> {
    // S8, S36
    let world = World::new().await?;
    let server = TestServer::start(Engine::Sqlite, &[&world.tenant()]).await?;
    let token = world.assertion(&server, json!({}));
    let typed = ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer");
    let saml = ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:saml2-bearer");
    let own = ("client_assertion", token.as_str());
    for (proof, header) in [
        (vec![own], None),
        (vec![typed], None),
        (vec![saml, own], None),
        (vec![typed, own, own], None),
        (vec![typed, own, ("client_secret", "s")], None),
        (vec![typed, own], Some(super::world::basic(KEYED, "s"))),
    ] {
        let headers: Vec<_> = header.as_deref().map(|value| ("authorization", value)).into_iter().collect();
        let answer = server.credentials(&proof, &headers).await?;
        assert_eq!((answer.status, answer.error().0), (400, "invalid_request"), "{proof:?}");
    }
    // The parameter and the assertion name one client.
    let proof = [typed, own, ("client_id", CERT)];
    assert_eq!(server.credentials(&proof, &[]).await?.error(), ("invalid_client", 700_021));
    assert_eq!(server.credentials(&[typed, own, ("client_id", KEYED)], &[]).await?.status, 200);
    server.finish().await
}

#[tokio::test]
async fn a_registered_key_ends_to_the_second() -> Outcome<()> {
    // S48
    let world = World::new().await?;
    let server = TestServer::start(Engine::Sqlite, &[&world.tenant()]).await?;
    server.clock.set(overlap_ends() - Span::seconds(1));
    assert_eq!(server.asserting(&world.assertion(&server, json!({}))).await?.status, 200);
    server.clock.set(overlap_ends());
    let answer = server.asserting(&world.assertion(&server, json!({}))).await?;
    assert_eq!(answer.error(), ("invalid_client", 700_027));
    server.finish().await
}

#[tokio::test]
async fn published_keys_are_read_once_and_again_for_a_new_one() -> Outcome<()> {
    // S42, U31
    let world = World::new().await?;
    let server = TestServer::start(Engine::Sqlite, &[&world.tenant()]).await?;
    let (first, second) = (ClientKey::generate(KeyKind::Ed25519)?, ClientKey::generate(KeyKind::P384)?);
    world.publisher.publishes(&[&first]);
    let by = |key: &ClientKey| {
        let claims = World::claims(&server, PUBLISHED, json!({}));
        key.sign(key.algorithms()[0], &serde_json::Map::new(), &claims).unwrap()
    };
    for _ in 0..3 {
        assert_eq!(server.asserting(&by(&first)).await?.status, 200);
    }
    assert_eq!(world.publisher.asked("/keys"), 1);
    world.publisher.publishes(&[&first, &second]);
    assert_eq!(server.asserting(&by(&second)).await?.status, 200);
    assert_eq!(world.publisher.asked("/keys"), 2);
    // Names that nobody has are looked for once a minute.
    for _ in 0..5 {
        let stranger = ClientKey::generate(KeyKind::P256)?;
        assert_eq!(server.asserting(&by(&stranger)).await?.error(), ("invalid_client", 700_027));
    }
    assert_eq!(world.publisher.asked("/keys"), 2);
    server.clock.advance(Span::seconds(61));
    assert_eq!(server.asserting(&by(&ClientKey::generate(KeyKind::P256)?)).await?.status, 401);
    assert_eq!(world.publisher.asked("/keys"), 3);
    server.finish().await
}

#[tokio::test]
async fn a_secret_that_signs_is_kept_sealed_and_compared_with_nothing() -> Outcome<()> {
    // S37, S44, S47, A66
    let world = World::new().await?;
    let server = TestServer::start(Engine::Sqlite, &[&world.tenant()]).await?;
    let token = sign_hs256(&secret(LONG), &World::claims(&server, SIGNER, json!({})))?;
    let answer = server.asserting(&token).await?;
    assert_eq!((answer.status, &answer.claims()["azpacr"]), (200, &json!("1")));
    assert_eq!(server.asserting(&token).await?.error(), ("invalid_client", 700_027));
    let other = sign_hs256(&secret(&format!("{LONG}er")), &World::claims(&server, SIGNER, json!({})))?;
    assert_eq!(server.asserting(&other).await?.error(), ("invalid_client", 700_027));
    let long = secret(LONG);
    let proof = [("client_id", SIGNER), ("client_secret", long.expose().as_str())];
    assert_eq!(server.credentials(&proof, &[]).await?.error(), ("invalid_client", 7_000_218));
    let dump = server.dump().await?;
    assert!(!dump.windows(long.expose().len()).any(|window| window == long.expose().as_bytes()));
    // Applied again, nothing changes: what is sealed stays as it is.
    assert!(server.apply(&[&world.tenant()]).await?.is_empty());
    let short = world.tenant().replace(LONG, "secrets/short");
    let refused = server.apply(&[&short]).await.unwrap_err();
    assert!(refused.detail.contains("S47"), "{}", refused.detail);
    server.finish().await
}
