//! What the modules of the dynamic profile and of sign-ins by a third party demand: each registers a client of its own,
//! which proves itself with `private_key_jwt`.

use std::sync::Arc;

use reqwest::Method;
use serde_json::{Value, json};
use vestibule_crypto::asymmetric::KeyKind;
use vestibule_crypto::client_key::ClientKey;
use vestibule_crypto::jwk::{Algorithm, VerifyingKey};
use vestibule_crypto::jws::{self, Expected, Typ};
use vestibule_rules::fault::{Fault, Outcome};
use vestibule_rules::time::Span;
use vestibule_service::keys::rotation;
use vestibule_testkit::TestServer;

use super::party::{CALLBACK, Party, Seen, Shows};
use super::suite::{own, shared};
use crate::registration::world::{Applicant, Client, Host, PICTURE, send, tenant};

const RS256: Expected<'_> = Expected { algorithms: &[Algorithm::Rs256], typ: Typ::OneOf(&["JWT"]) };

async fn registered(more: Value) -> Outcome<Party<'static>> {
    let server = shared();
    Ok(Client::registers(server, more).await?.party(server))
}

async fn keys(party: &Party<'_>) -> Outcome<Vec<VerifyingKey>> {
    let (_, set) = party.get("discovery/v2.0/keys", None).await?;
    VerifyingKey::set(set.to_string().as_bytes())
}

/// A page of ours, and nowhere else.
fn stays(seen: Seen) -> Outcome<super::super::journeys::passage::Form> {
    match seen {
        Seen::Page(form) => Ok(*form),
        Seen::App(answer) => Err(Fault::ours(format!("it was redirected: {answer:?}"))),
    }
}

/// The error waits behind a link: nobody is sent to an application that nobody vouches for (S7).
fn offers(seen: Seen, error: &str) -> Outcome<()> {
    let form = stays(seen)?;
    let to = form.page.attribute("a#onward", "href").unwrap_or_default();
    assert!(to.starts_with(CALLBACK) && to.contains(&format!("error={error}")), "{to}");
    Ok(())
}

pub(super) async fn oidcc_idtoken_rs256() -> Outcome<()> {
    let party = registered(json!({"id_token_signed_response_alg": "RS256"})).await?;
    party.good(&[]).await.map(drop)
}

/// `none` is not advertised, which lets the suite skip the module, and it cannot be registered either.
pub(super) async fn oidcc_idtoken_unsigned() -> Outcome<()> {
    let party = registered(json!({})).await?;
    let document = party.metadata().await?;
    assert_eq!(document["id_token_signing_alg_values_supported"], json!(["RS256"]));
    let told = Applicant::new(json!({"id_token_signed_response_alg": "none"})).asks(shared()).await?;
    assert_eq!(told.error(), (400, "invalid_client_metadata"));
    Ok(())
}

pub(super) async fn oidcc_userinfo_rs256() -> Outcome<()> {
    let party = registered(json!({"userinfo_signed_response_alg": "RS256"})).await?;
    let tokens = party.good(&[]).await?;
    let document = party.metadata().await?;
    assert_eq!(document["userinfo_signing_alg_values_supported"], json!(["RS256"]));
    let url = document["userinfo_endpoint"].as_str().unwrap();
    let told = send(Method::GET, url, tokens.access_token.as_deref(), None).await?;
    assert_eq!((told.status, told.content_type.as_str()), (200, "application/jwt"));
    let claims = jws::verify(told.body.as_str().unwrap(), &keys(&party).await?, &RS256)?.claims;
    assert_eq!((&claims["iss"], &claims["sub"]), (&tokens.id["iss"], &tokens.id["sub"]));
    assert_eq!(claims["aud"], party.id());
    Ok(())
}

pub(super) async fn oidcc_ensure_redirect_uri_in_authorization_request() -> Outcome<()> {
    let uris = json!([CALLBACK, "https://suite.example/callback2"]);
    let party = registered(json!({"redirect_uris": uris})).await?;
    assert_eq!(stays(party.ask(&[("redirect_uri", "")]).await?)?.page.status, 400);
    Ok(())
}

const WITH_QUERY: &str = "https://suite.example/callback?dummy1=lorem&dummy2=ipsum";

pub(super) async fn oidcc_redirect_uri_query_ok() -> Outcome<()> {
    let party = registered(json!({"redirect_uris": [WITH_QUERY]})).await?;
    let tokens = party.good(&[]).await?;
    assert_eq!(tokens.answer.get("dummy1"), Some("lorem"));
    Ok(())
}

pub(super) async fn oidcc_redirect_uri_query_mismatch() -> Outcome<()> {
    let party = registered(json!({"redirect_uris": ["https://suite.example/callback?foo=bar"]})).await?;
    let other = "https://suite.example/callback?foo=bar1";
    assert_eq!(stays(party.ask(&[("redirect_uri", other)]).await?)?.page.status, 400);
    Ok(())
}

pub(super) async fn oidcc_redirect_uri_query_added() -> Outcome<()> {
    let party = registered(json!({})).await?;
    assert_eq!(stays(party.ask(&[("redirect_uri", WITH_QUERY)]).await?)?.page.status, 400);
    Ok(())
}

pub(super) async fn oidcc_redirect_uri_regfrag() -> Outcome<()> {
    let uri = format!("{CALLBACK}#foobar");
    let told = Applicant::new(json!({"redirect_uris": [uri]})).asks(shared()).await?;
    assert_eq!(told.error(), (400, "invalid_redirect_uri"));
    Ok(())
}

pub(super) async fn oidcc_discovery_endpoint_verification() -> Outcome<()> {
    super::core::oidcc_discovery_endpoint_verification().await?;
    let party = registered(json!({})).await?;
    let address = party.metadata().await?["registration_endpoint"].as_str().unwrap().to_owned();
    assert!(address.starts_with(&format!("{}/suite/", party.server.origin)));
    Ok(())
}

pub(super) async fn oidcc_server() -> Outcome<()> {
    let party = registered(json!({})).await?;
    let tokens = party.good(&[]).await?;
    party.told(&tokens).await.map(drop)
}

pub(super) async fn oidcc_registration_logo_uri() -> Outcome<()> {
    let logo = Host::start().await?.serves("/logo.png", PICTURE);
    let party = registered(json!({"logo_uri": logo})).await?;
    let form = stays(party.ask(&[]).await?)?;
    let shown = form.page.attribute("#stranger img", "src").unwrap();
    assert!(shown.starts_with("/suite/app-logo/"), "{shown}");
    let told = send(Method::GET, &format!("{}{shown}", party.server.origin), None, None).await?;
    assert_eq!((told.status, told.content_type.as_str()), (200, "image/png"));
    party.good(&[]).await.map(drop)
}

pub(super) async fn oidcc_registration_policy_uri() -> Outcome<()> {
    links("policy_uri", "a#app-policy").await
}

pub(super) async fn oidcc_registration_tos_uri() -> Outcome<()> {
    links("tos_uri", "a#app-terms").await
}

/// The first page has the link.
async fn links(name: &str, selector: &str) -> Outcome<()> {
    let party = registered(json!({ name: "https://suite.example/words" })).await?;
    let form = stays(party.ask(&[]).await?)?;
    assert_eq!(form.page.attribute(selector, "href").as_deref(), Some("https://suite.example/words"));
    party.good(&[]).await.map(drop)
}

/// A client that publishes its keys.
async fn publishing(server: &TestServer) -> Outcome<(Party<'_>, Host)> {
    let host = Host::start().await?;
    let key = Arc::new(ClientKey::generate(KeyKind::P256)?.with_kid("published"));
    let address = host.serves("/keys", json!({"keys": [key.jwk()]}).to_string());
    let client = Client::registers(server, json!({"jwks": null, "jwks_uri": address})).await?;
    let mut party = client.party(server);
    party.become_client(client.id(), CALLBACK, &key);
    Ok((party, host))
}

pub(super) async fn oidcc_registration_jwks_uri() -> Outcome<()> {
    let (party, _host) = publishing(shared()).await?;
    party.good(&[]).await.map(drop)
}

pub(super) async fn oidcc_registration_sector_uri() -> Outcome<()> {
    let sector = Host::start().await?.serves("/sector", json!([CALLBACK]).to_string());
    let party = registered(json!({"sector_identifier_uri": sector})).await?;
    party.good(&[]).await.map(drop)
}

pub(super) async fn oidcc_registration_sector_bad() -> Outcome<()> {
    let sector = Host::start().await?.serves("/sector", json!(["https://suite.example/other"]).to_string());
    let told = Applicant::new(json!({"sector_identifier_uri": sector})).asks(shared()).await?;
    assert_eq!(told.error(), (400, "invalid_client_metadata"));
    Ok(())
}

pub(super) async fn oidcc_server_rotate_keys() -> Outcome<()> {
    let server = own().await?;
    let party = Client::registers(&server, json!({})).await?.party(&server);
    let tokens = party.good(&[]).await?;
    let names = |keys: &[VerifyingKey]| -> Vec<_> {
        keys.iter().map(|key| key.kid().unwrap_or_default().to_owned()).collect()
    };
    let before = names(&keys(&party).await?);
    server.clock.advance(Span::days(3));
    rotation::rotate(&server.site.env, tenant(&server), false).await?;
    server.site.keyring.poll(&server.site.env).await?;
    let after = names(&keys(&party).await?);
    assert!(before.iter().all(|kid| after.contains(kid)), "old keys stay");
    assert!(after.iter().any(|kid| !before.contains(kid)), "a new one appears");
    jws::verify(&tokens.id_token, &keys(&party).await?, &RS256)?;
    server.finish().await
}

pub(super) async fn oidcc_refresh_token_rp_key_rotation() -> Outcome<()> {
    let server = own().await?;
    let (mut party, host) = publishing(&server).await?;
    let tokens = party.good(&[("scope", "openid offline_access")]).await?;
    let key = Arc::new(ClientKey::generate(KeyKind::P256)?.with_kid("rotated"));
    host.serves("/keys", json!({"keys": [key.jwk()]}).to_string());
    server.clock.advance(Span::seconds(61));
    let id = party.id().to_owned();
    party.become_client(&id, CALLBACK, &key);
    let refresh = tokens.refresh_token.as_deref().unwrap();
    let form = [("grant_type", "refresh_token"), ("refresh_token", refresh)];
    let (status, body) = party.token_by_key(&form).await?;
    assert_eq!(status, 200, "{body}");
    server.finish().await
}

/// Request objects by reference are answered as not supported; the suite itself calls that a failure, because the
/// profile has them.
pub(super) async fn oidcc_request_uri_unsigned() -> Outcome<()> {
    by_reference().await
}

/// See [`oidcc_request_uri_unsigned`].
pub(super) async fn oidcc_request_uri_signed_rs256() -> Outcome<()> {
    by_reference().await
}

async fn by_reference() -> Outcome<()> {
    let party = registered(json!({"request_uris": ["https://suite.example/request"]})).await?;
    assert_eq!(party.metadata().await?["request_uri_parameter_supported"], false);
    let request = [("request_uri", "https://suite.example/request")];
    offers(party.ask(&request).await?, "request_uri_not_supported")
}

pub(super) async fn oidcc_ensure_request_object_with_redirect_uri() -> Outcome<()> {
    let party = registered(json!({})).await?;
    offers(party.ask(&[("request", "eyJhbGciOiJub25lIn0.e30.")]).await?, "request_not_supported")
}

pub(super) async fn oidcc_refresh_token() -> Outcome<()> {
    let party = registered(json!({})).await?;
    let scope = [("scope", "openid offline_access"), ("prompt", "consent")];
    let tokens = party.good(&scope).await?;
    let refresh = tokens.refresh_token.as_deref().unwrap();
    let form = [("grant_type", "refresh_token"), ("refresh_token", refresh)];
    let other = Client::registers(party.server, json!({})).await?.party(party.server);
    let (status, body) = other.token_by_key(&form).await?;
    assert_eq!((status, &body["error"]), (400, &json!("invalid_grant")), "{body}");
    let (status, body) = party.token_by_key(&form).await?;
    assert_eq!(status, 200, "{body}");
    let id = crate::client::claims(body["id_token"].as_str().unwrap());
    for claim in ["iss", "sub", "aud", "auth_time"] {
        assert_eq!(id.get(claim), tokens.id.get(claim), "{claim}");
    }
    Ok(())
}

pub(super) async fn oidcc_ensure_client_assertion_with_iss_aud_succeeds() -> Outcome<()> {
    let party = registered(json!({})).await?;
    // What the client asserts is for the issuer.
    let answer = party.signs_in(party.ask(&[]).await?).await?;
    party.tokens(answer, &[], Shows::Key).await.map(drop)
}

const BEGINS: &str = "https://suite.example/initiate";

/// The suite looks for the address in both answers; that somebody can begin there is ours.
pub(super) async fn oidcc_3rd_party_init_login() -> Outcome<()> {
    let server = shared();
    let client = Client::registers(server, json!({"initiate_login_uri": BEGINS})).await?;
    assert_eq!(client.told.text("initiate_login_uri"), BEGINS);
    let read = send(Method::GET, client.address(), Some(client.token()), None).await?;
    assert_eq!((read.status, read.text("initiate_login_uri")), (200, BEGINS));
    assert!(read.content_type.starts_with("application/json"));
    let party = client.party(server);
    let launch = format!("{}/suite/launch/{}", party.server.origin, client.id());
    let form = stays(super::party::seen(&party.hand, party.hand.get(&launch).await?).await?)?;
    assert!(form.page.attribute("a#onward", "href").unwrap().starts_with(&format!("{BEGINS}?iss=")));
    Ok(())
}

pub(super) async fn oidcc_3rd_party_init_login_nonhttps() -> Outcome<()> {
    let told = Applicant::new(json!({"initiate_login_uri": "http://suite.example/initiate"}));
    assert_eq!(told.asks(shared()).await?.error(), (400, "invalid_client_metadata"));
    Ok(())
}
