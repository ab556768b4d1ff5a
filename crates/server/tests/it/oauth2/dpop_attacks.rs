//! Proofs that are not good for the request they come with (security.md S78 to S80).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use vestibule_crypto::asymmetric::KeyKind;
use vestibule_crypto::client_key::ClientKey;
use vestibule_rules::fault::Outcome;
use vestibule_rules::time::Span;
use vestibule_testkit::server::on_nodes;
use vestibule_testkit::{Engine, TestServer};

use super::app::{Answer, Call, Prover, WEB, at, back, harbour, signed_in, userinfo};

fn own_token() -> Call {
    WEB.call(&[("grant_type", "client_credentials"), ("scope", "api://orders/.default")])
}

async fn show(server: &TestServer, proof: &str) -> Outcome<Answer> {
    own_token().with("dpop", proof).token(server).await
}

fn private_members() -> [Value; 3] {
    ["d", "p", "k"].map(|member| json!({member: "AA"}))
}

#[tokio::test]
async fn a_proof_that_is_not_good_for_the_request_is_refused() -> Outcome<()> {
    // S78
    let server = TestServer::start(Engine::Sqlite, &[&harbour()]).await?;
    let prover = Prover::new();
    let now = server.site.env.now().seconds();
    let origin = &server.origin;
    let other_port = format!("http://localhost:1/{}", "harbour/oauth2/v2.0/token");
    for changes in [
        json!({"htm": "GET"}),
        json!({"htm": null}),
        json!({"htu": null}),
        json!({"htu": at(&server, "oauth2/v2.0/par")}),
        json!({"htu": at(&server, "oauth2/v2.0/token/")}),
        json!({"htu": format!("{origin}/elsewhere/oauth2/v2.0/token")}),
        json!({"htu": at(&server, "oauth2/v2.0/token").replace("http:", "https:")}),
        json!({"htu": at(&server, "oauth2/v2.0/token").replace("localhost", "127.0.0.1")}),
        json!({"htu": other_port}),
        json!({"htu": "/harbour/oauth2/v2.0/token"}),
        json!({"iat": now - 301}),
        json!({"iat": now + 61}),
        json!({"iat": now.to_string()}),
        json!({"iat": null}),
        json!({"jti": null}),
        json!({"jti": ""}),
        json!({"nonce": 1}),
    ] {
        let answer = show(&server, &prover.at_token(&server, &changes)).await?;
        assert_eq!(answer.refusal(), (400, "invalid_dpop_proof"), "{changes}");
        assert!(answer.header("dpop-nonce").is_some());
    }
    for changes in [
        json!({"iat": now - 10}),
        json!({"iat": now + 10}),
        json!({"htu": format!("{}?a=b#c", at(&server, "oauth2/v2.0/token"))}),
        json!({"htu": at(&server, "oauth2/v2.0/token").replace("localhost", "LOCALHOST")}),
    ] {
        let answer = show(&server, &prover.at_token(&server, &changes)).await?;
        assert_eq!(answer.status, 200, "{changes}: {}", answer.body);
    }
    server.finish().await
}

#[tokio::test]
async fn a_proof_that_is_not_signed_by_the_key_in_it_is_refused() -> Outcome<()> {
    // S78
    let server = TestServer::start(Engine::Sqlite, &[&harbour()]).await?;
    let (prover, other) = (Prover::new(), Prover::new());
    let claims = |n: u8| {
        json!({"jti": format!("j{n}"), "htm": "POST", "htu": at(&server, "oauth2/v2.0/token"),
            "iat": server.site.env.now().seconds()})
    };
    let own = serde_json::to_value(prover.key.jwk()).unwrap();
    let rsa = serde_json::to_value(ClientKey::generate(KeyKind::Rsa2048)?.jwk()).unwrap();
    let mut headers = vec![
        json!({"typ": "dpop+jwt"}),
        json!({"typ": "JWT", "jwk": own}),
        json!({"typ": "at+jwt", "jwk": own}),
        json!({"typ": "dpop+jwt", "jwk": other.key.jwk()}),
        json!({"typ": "dpop+jwt", "jwk": rsa}),
        json!({"typ": "dpop+jwt", "jwk": {"kty": "oct", "k": "AAAA"}}),
        json!({"typ": "dpop+jwt", "jwk": "key"}),
    ];
    for private in private_members() {
        let mut jwk = own.clone();
        jwk.as_object_mut().unwrap().extend(private.as_object().unwrap().clone());
        headers.push(json!({"typ": "dpop+jwt", "jwk": jwk}));
    }
    for header in headers {
        let answer = show(&server, &prover.sign(&header, &claims(1))).await?;
        assert_eq!(answer.refusal(), (400, "invalid_dpop_proof"), "{header}");
    }
    for alg in ["none", "HS256", "es256"] {
        let header = json!({"typ": "dpop+jwt", "alg": alg, "jwk": own});
        let [header, claims] = [header.to_string(), claims(2).to_string()].map(|p| URL_SAFE_NO_PAD.encode(p));
        for signature in ["", "AAAA"] {
            let answer = show(&server, &format!("{header}.{claims}.{signature}")).await?;
            assert_eq!(answer.refusal(), (400, "invalid_dpop_proof"), "{alg}");
        }
    }
    let good = prover.sign(&json!({"typ": "dpop+jwt", "jwk": own}), &claims(3));
    for broken in [String::new(), good[..good.len() - 4].to_owned(), format!("{good}.x"), "a.b.c".to_owned()]
    {
        assert_eq!(show(&server, &broken).await?.refusal(), (400, "invalid_dpop_proof"), "{broken}");
    }
    // One of two is not chosen, however good it is.
    let twice = own_token().with("dpop", &good).with("dpop", &good).token(&server).await?;
    assert_eq!(twice.refusal(), (400, "invalid_dpop_proof"));
    assert_eq!(show(&server, &good).await?.status, 200);
    server.finish().await
}

#[tokio::test]
async fn a_proof_is_good_once_on_all_nodes() -> Outcome<()> {
    // S78
    on_nodes(&[&harbour()], async |server| {
        let prover = Prover::new();
        let proof = prover.at_token(server, &json!({}));
        let all = tokio::join!(show(server, &proof), show(server, &proof), show(server, &proof));
        let good = [all.0?, all.1?, all.2?].iter().filter(|answer| answer.status == 200).count();
        assert_eq!(good, 1);
        assert_eq!(show(server, &proof).await?.refusal(), (400, "invalid_dpop_proof"));
        // What is known of it is in the database: a server that has just started refuses it as well. It stays there for
        // as long as the proof could be shown.
        server.clock.advance(Span::seconds(300));
        vestibule_service::jobs::remove_old(&server.site).await?;
        assert_eq!(show(server, &proof).await?.refusal(), (400, "invalid_dpop_proof"));
        // Nobody uses up the names of another key.
        let other = Prover::new();
        let same = json!({"jti": format!("{}-1", prover.thumbprint())});
        assert_eq!(show(server, &other.at_token(server, &same)).await?.status, 200);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_stolen_token_is_of_no_use_with_another_proof() -> Outcome<()> {
    // S78, S79, S80
    let server = TestServer::start(Engine::Sqlite, &[&harbour()]).await?;
    let (hand, prover, thief) = (signed_in(&server).await?, Prover::new(), Prover::new());
    let mut tokens = Vec::new();
    for bound in [true, true, false] {
        let url = back(&hand, &WEB.address(&server, &[])).await?;
        let mut call = WEB.redeems(&url);
        if bound {
            call = call.with("dpop", &prover.at_token(&server, &json!({})));
        }
        tokens.push(call.token(&server).await?.text("access_token").to_owned());
    }
    let [token, second, plain] = [&tokens[0], &tokens[1], &tokens[2]].map(String::as_str);
    let own = |changes: Value| prover.at_userinfo(&server, token, &changes);
    let used = own(json!({}));
    assert_eq!(userinfo(&server, ("DPoP", token), &[&used]).await?.status, 200);
    let (one, two) = (own(json!({})), own(json!({})));
    for proofs in [
        &[][..],
        &[one.as_str(), two.as_str()],
        &[&used],
        &[&thief.at_userinfo(&server, token, &json!({}))],
        &[&own(json!({"ath": null}))],
        &[&prover.at_userinfo(&server, second, &json!({}))],
        &[&own(json!({"htm": "POST"}))],
        &[&own(json!({"htu": at(&server, "oauth2/v2.0/token")}))],
        &[&own(json!({"iat": server.site.env.now().seconds() - 301}))],
    ] {
        let answer = userinfo(&server, ("DPoP", token), proofs).await?;
        assert_eq!(answer.refusal(), (401, "invalid_dpop_proof"), "{proofs:?}");
        let challenge = answer.header("www-authenticate").unwrap();
        assert!(challenge.starts_with("DPoP error=\"invalid_dpop_proof\", algs=\"ES256 "), "{challenge}");
    }
    let stale = userinfo(&server, ("DPoP", token), &[&own(json!({"nonce": "stale"}))]).await?;
    assert_eq!(stale.refusal(), (401, "use_dpop_nonce"));
    assert!(stale.header("www-authenticate").unwrap().starts_with("DPoP error=\"use_dpop_nonce\""));
    let given = stale.header("dpop-nonce").unwrap();
    let fresh = own(json!({"nonce": given}));
    assert_eq!(userinfo(&server, ("dpop", token), &[&fresh]).await?.status, 200);
    // A bound token without its proof, and one that is not bound with somebody's.
    let bearer = userinfo(&server, ("Bearer", token), &[&own(json!({}))]).await?;
    assert_eq!(bearer.refusal(), (401, "invalid_token"));
    assert!(bearer.header("www-authenticate").unwrap().starts_with("DPoP "));
    let proof = prover.at_userinfo(&server, plain, &json!({}));
    let unbound = userinfo(&server, ("DPoP", plain), &[&proof]).await?;
    assert_eq!(unbound.refusal(), (401, "invalid_token"));
    assert!(unbound.header("www-authenticate").unwrap().starts_with("DPoP "));
    assert_eq!(userinfo(&server, ("Bearer", plain), &[]).await?.status, 200);
    server.finish().await
}

#[tokio::test]
async fn a_proof_names_the_address_that_the_client_used() -> Outcome<()> {
    // S78: the tenant has several names, and each is an address of its own.
    let server = TestServer::start(Engine::Sqlite, &[&harbour()]).await?;
    let prover = Prover::new();
    for name in ["HARBOUR", "harbour.onmicrosoft.com", "harbour/b2x_1_guests"] {
        let url = format!("{}/{name}/oauth2/v2.0/token", server.origin);
        let good = own_token().with("dpop", &prover.proof(&server, ("POST", &url), &json!({})));
        assert_eq!(good.post(&url).await?.status, 200, "{name}");
        let elsewhere = own_token().with("dpop", &prover.at_token(&server, &json!({})));
        assert_eq!(elsewhere.post(&url).await?.refusal(), (400, "invalid_dpop_proof"), "{name}");
    }
    server.finish().await
}
