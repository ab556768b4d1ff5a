//! What the modules of the core plans demand (security.md 1.2).

use serde_json::{Value, json};
use vestibule_crypto::digest::{base64url, pkce_s256};
use vestibule_rules::fault::{Fault, Outcome};
use vestibule_rules::time::Span;
use vestibule_testkit::TestServer;

use super::party::{Answer, CALLBACK, Party, SECOND, Seen, Shows, Tokens, Variant};
use super::suite::{own, shared};

fn party(variant: Variant) -> Party<'static> {
    Party::new(shared(), variant)
}

/// The browser is back at once, without a page.
fn at_once(seen: Seen) -> Outcome<Answer> {
    match seen {
        Seen::App(answer) => Ok(answer),
        Seen::Page(form) => Err(form.page.unexpected("asks something")),
    }
}

/// An error of the application's, or a page of our own that goes nowhere.
fn refused(seen: Seen, errors: &[&str]) {
    match seen {
        Seen::App(answer) => assert!(answer.get("error").is_some_and(|e| errors.contains(&e)), "{answer:?}"),
        Seen::Page(form) => assert_eq!(form.page.status, 400),
    }
}

async fn passes_with(variant: Variant, changes: &[(&str, &str)]) -> Outcome<Tokens> {
    party(variant).good(changes).await
}

pub(super) async fn oidcc_server(variant: Variant) -> Outcome<()> {
    let party = party(variant);
    let tokens = party.good(&[]).await?;
    party.told(&tokens).await.map(drop)
}

pub(super) async fn oidcc_server_client_secret_post(variant: Variant) -> Outcome<()> {
    let party = party(variant);
    let answer = party.signs_in(party.ask(&[]).await?).await?;
    party.tokens(answer, &[], Shows::Post).await.map(drop)
}

pub(super) async fn oidcc_response_type_missing(variant: Variant) -> Outcome<()> {
    let seen = party(variant).ask(&[("response_type", "")]).await?;
    refused(seen, &["unsupported_response_type", "invalid_request"]);
    Ok(())
}

pub(super) async fn oidcc_userinfo_get(variant: Variant) -> Outcome<()> {
    oidcc_server(variant).await
}

pub(super) async fn oidcc_userinfo_post_header(variant: Variant) -> Outcome<()> {
    userinfo_by_post(variant, false).await
}

pub(super) async fn oidcc_userinfo_post_body(variant: Variant) -> Outcome<()> {
    userinfo_by_post(variant, true).await
}

async fn userinfo_by_post(variant: Variant, in_body: bool) -> Outcome<()> {
    let party = party(variant);
    let tokens = party.good(&[]).await?;
    let (status, body) = party.post_userinfo(&tokens.access_token.unwrap(), in_body).await?;
    assert_eq!(status, 200, "{body}");
    assert!(body["sub"].is_string());
    Ok(())
}

pub(super) async fn oidcc_ensure_request_without_nonce_fails(variant: Variant) -> Outcome<()> {
    refused(party(variant).ask(&[("nonce", "")]).await?, &["invalid_request"]);
    Ok(())
}

pub(super) async fn oidcc_ensure_request_without_nonce_succeeds_for_code_flow(
    variant: Variant,
) -> Outcome<()> {
    passes_with(variant, &[("nonce", "")]).await.map(drop)
}

async fn scope(variant: Variant, scope: &str, claims: &[&str]) -> Outcome<()> {
    let party = party(variant);
    let tokens = party.good(&[("scope", scope)]).await?;
    let told = party.told(&tokens).await?;
    for claim in claims {
        assert!(told.get(claim).is_some(), "{claim} is missing in {told}");
    }
    Ok(())
}

const PROFILE: [&str; 4] = ["name", "given_name", "family_name", "preferred_username"];
const EMAIL: [&str; 2] = ["email", "email_verified"];
const PHONE: [&str; 2] = ["phone_number", "phone_number_verified"];

pub(super) async fn oidcc_scope_profile(variant: Variant) -> Outcome<()> {
    scope(variant, "openid profile", &PROFILE).await
}

pub(super) async fn oidcc_scope_email(variant: Variant) -> Outcome<()> {
    scope(variant, "openid email", &EMAIL).await
}

pub(super) async fn oidcc_scope_address(variant: Variant) -> Outcome<()> {
    scope(variant, "openid address", &["address"]).await
}

pub(super) async fn oidcc_scope_phone(variant: Variant) -> Outcome<()> {
    scope(variant, "openid phone", &PHONE).await
}

pub(super) async fn oidcc_scope_all(variant: Variant) -> Outcome<()> {
    let all = [&PROFILE[..], &EMAIL, &["address"], &PHONE].concat();
    scope(variant, "openid profile email address phone", &all).await
}

pub(super) async fn oidcc_ensure_other_scope_order_succeeds(variant: Variant) -> Outcome<()> {
    scope(variant, "email openid", &EMAIL).await
}

pub(super) async fn oidcc_display_page(variant: Variant) -> Outcome<()> {
    passes_with(variant, &[("display", "page")]).await.map(drop)
}

pub(super) async fn oidcc_display_popup(variant: Variant) -> Outcome<()> {
    passes_with(variant, &[("display", "popup")]).await.map(drop)
}

pub(super) async fn oidcc_prompt_login(variant: Variant) -> Outcome<()> {
    asks_again(variant, ("prompt", "login")).await
}

pub(super) async fn oidcc_max_age_1(variant: Variant) -> Outcome<()> {
    asks_again(variant, ("max_age", "1")).await
}

/// The person is asked again and the second ID token says so.
async fn asks_again(variant: Variant, change: (&str, &str)) -> Outcome<()> {
    let server = own().await?;
    let party = Party::new(&server, variant);
    let first = party.good(&[]).await?;
    server.clock.advance(Span::seconds(2));
    let seen = party.ask(&[change]).await?;
    let answer = party.signs_in(seen).await?;
    let second = party.tokens(answer, &[], Shows::Basic).await?;
    if !first.id.is_empty() {
        assert_eq!(first.id["sub"], second.id["sub"]);
        let at = |tokens: &Tokens| tokens.id["auth_time"].as_i64().unwrap();
        assert!(at(&second) > at(&first));
    }
    finish(server).await
}

async fn finish(server: TestServer) -> Outcome<()> {
    server.finish().await
}

pub(super) async fn oidcc_prompt_none_not_logged_in(variant: Variant) -> Outcome<()> {
    let answer = at_once(party(variant).ask(&[("prompt", "none")]).await?)?;
    assert_eq!(answer.get("error"), Some("login_required"));
    Ok(())
}

pub(super) async fn oidcc_prompt_none_logged_in(variant: Variant) -> Outcome<()> {
    silently(variant, ("prompt", "none")).await
}

pub(super) async fn oidcc_max_age_10000(variant: Variant) -> Outcome<()> {
    silently(variant, ("max_age", "10000")).await
}

/// The session answers, and the second ID token tells the same sign-in.
async fn silently(variant: Variant, change: (&str, &str)) -> Outcome<()> {
    let party = party(variant);
    let first = party.good(&[]).await?;
    let answer = at_once(party.ask(&[change]).await?)?;
    let second = party.tokens(answer, &[], Shows::Basic).await?;
    for claim in ["sub", "auth_time"] {
        assert_eq!(first.id.get(claim), second.id.get(claim));
        assert!(second.id.contains_key(claim));
    }
    Ok(())
}

pub(super) async fn oidcc_id_token_hint(variant: Variant) -> Outcome<()> {
    let party = party(variant);
    let first = party.good(&[]).await?;
    let answer = at_once(party.ask(&[("prompt", "none"), ("id_token_hint", &first.id_token)]).await?)?;
    let second = party.tokens(answer, &[], Shows::Basic).await?;
    assert_eq!(first.id["sub"], second.id["sub"]);
    Ok(())
}

pub(super) async fn oidcc_login_hint(variant: Variant) -> Outcome<()> {
    passes_with(variant, &[("login_hint", "buffy@suite.example")]).await.map(drop)
}

pub(super) async fn oidcc_ui_locales(variant: Variant) -> Outcome<()> {
    passes_with(variant, &[("ui_locales", "se")]).await.map(drop)
}

pub(super) async fn oidcc_claims_locales(variant: Variant) -> Outcome<()> {
    passes_with(variant, &[("claims_locales", "se")]).await.map(drop)
}

pub(super) async fn oidcc_ensure_request_with_unknown_parameter_succeeds(variant: Variant) -> Outcome<()> {
    passes_with(variant, &[("extra", "foobar")]).await.map(drop)
}

pub(super) async fn oidcc_ensure_request_with_acr_values_succeeds(variant: Variant) -> Outcome<()> {
    let tokens = passes_with(variant, &[("acr_values", "1 2")]).await?;
    assert!(["1", "2"].contains(&tokens.id["acr"].as_str().unwrap()));
    Ok(())
}

pub(super) async fn oidcc_codereuse(variant: Variant) -> Outcome<()> {
    let party = party(variant);
    let tokens = party.good(&[]).await?;
    second_time(&party, &tokens).await
}

async fn second_time(party: &Party<'_>, tokens: &Tokens) -> Outcome<()> {
    let (status, body) = party.redeem(tokens.answer.get("code").unwrap(), &[], Shows::Basic).await?;
    assert_eq!((status, &body["error"]), (400, &json!("invalid_grant")));
    Ok(())
}

pub(super) async fn oidcc_codereuse_30seconds(variant: Variant) -> Outcome<()> {
    let server = own().await?;
    let party = Party::new(&server, variant);
    let tokens = party.good(&[]).await?;
    server.clock.advance(Span::seconds(30));
    second_time(&party, &tokens).await?;
    let (status, _) = party.get("openid/userinfo", tokens.access_token.as_deref()).await?;
    assert_eq!(status, 401);
    finish(server).await
}

pub(super) async fn oidcc_ensure_registered_redirect_uri(variant: Variant) -> Outcome<()> {
    let seen = party(variant).ask(&[("redirect_uri", "https://suite.example/callback/unregistered")]).await?;
    let Seen::Page(form) = seen else { return Err(Fault::ours("it was redirected")) };
    assert_eq!(form.page.status, 400);
    Ok(())
}

pub(super) async fn oidcc_ensure_post_request_succeeds(variant: Variant) -> Outcome<()> {
    let party = party(variant);
    let answer = party.signs_in(party.ask_by_post().await?).await?;
    party.tokens(answer, &[], Shows::Basic).await.map(drop)
}

/// A request object that nobody signed.
fn unsigned(claims: &Value) -> String {
    let part = |value: &Value| base64url(value.to_string().as_bytes());
    format!("{}.{}.", part(&json!({"alg": "none"})), part(claims))
}

pub(super) async fn oidcc_unsigned_request_object_supported_correctly_or_rejected_as_unsupported(
    variant: Variant,
) -> Outcome<()> {
    let object = unsigned(&json!({"nonce": "another"}));
    refused(party(variant).ask(&[("request", &object)]).await?, &["request_not_supported"]);
    Ok(())
}

pub(super) async fn oidcc_ensure_request_object_with_redirect_uri(variant: Variant) -> Outcome<()> {
    let object = unsigned(&json!({"redirect_uri": CALLBACK}));
    refused(party(variant).ask(&[("request", &object)]).await?, &["request_not_supported"]);
    Ok(())
}

pub(super) async fn oidcc_claims_essential(variant: Variant) -> Outcome<()> {
    let place = if variant.response_type == "id_token" { "id_token" } else { "userinfo" };
    let claims = json!({place: {"name": {"essential": true}}}).to_string();
    let party = party(variant);
    let tokens = party.good(&[("claims", &claims)]).await?;
    assert_eq!(party.told(&tokens).await?["name"], "Ann Lee");
    Ok(())
}

pub(super) async fn oidcc_refresh_token(variant: Variant) -> Outcome<()> {
    let party = party(variant);
    let scope = [("scope", "openid offline_access"), ("prompt", "consent")];
    let tokens = party.good(&scope).await?;
    let refresh = tokens.refresh_token.as_deref().unwrap();
    let form = [("grant_type", "refresh_token"), ("refresh_token", refresh)];
    let (status, body) = party.token((SECOND, "secrets/second"), &form, Shows::Basic).await?;
    assert_eq!((status, &body["error"]), (400, &json!("invalid_grant")));
    let (status, body) = party.token((super::party::CLIENT, "secrets/app"), &form, Shows::Basic).await?;
    assert_eq!(status, 200, "{body}");
    let id = crate::client::claims(body["id_token"].as_str().unwrap());
    for claim in ["iss", "sub", "aud", "auth_time"] {
        assert_eq!(id.get(claim), tokens.id.get(claim), "{claim}");
    }
    Ok(())
}

pub(super) async fn oidcc_ensure_request_with_valid_pkce_succeeds(variant: Variant) -> Outcome<()> {
    const VERIFIER: &str = "a-verifier-of-forty-three-characters-or-more";
    let party = party(variant);
    let challenge = pkce_s256(VERIFIER);
    let first = party.ask(&[("code_challenge", &challenge), ("code_challenge_method", "S256")]).await?;
    let answer = party.signs_in(first).await?;
    let code = answer.get("code").unwrap();
    let (status, body) = party.redeem(code, &[("code_verifier", VERIFIER)], Shows::Basic).await?;
    assert_eq!(status, 200, "{body}");
    Ok(())
}

pub(super) async fn oidcc_discovery_endpoint_verification() -> Outcome<()> {
    let party = party(Variant::of("code"));
    let document = party.metadata().await?;
    let origin = &party.server.origin;
    for name in [
        "issuer",
        "authorization_endpoint",
        "token_endpoint",
        "userinfo_endpoint",
        "jwks_uri",
        "end_session_endpoint",
    ] {
        let address = document[name].as_str().unwrap();
        assert!(address.starts_with(&format!("{origin}/")) && !address.contains(['?', '#']), "{name}");
    }
    for (name, needed) in [
        ("scopes_supported", "openid"),
        ("response_types_supported", "code"),
        ("response_types_supported", "id_token"),
        ("response_types_supported", "id_token token"),
        ("subject_types_supported", "pairwise"),
        ("id_token_signing_alg_values_supported", "RS256"),
        ("grant_types_supported", "authorization_code"),
        ("grant_types_supported", "implicit"),
        ("claims_supported", "sub"),
    ] {
        assert!(document[name].as_array().unwrap().contains(&json!(needed)), "{name} {needed}");
    }
    assert!(document["claims_parameter_supported"].is_boolean());
    let (status, keys) = party.get("discovery/v2.0/keys", None).await?;
    assert_eq!(status, 200);
    let keys = keys["keys"].as_array().unwrap();
    assert!(!keys.is_empty());
    for key in keys {
        assert!(key["kid"].is_string() && key["use"] == "sig" && key.get("d").is_none());
    }
    Ok(())
}
