//! What the modules on signing out demand (OpenID Connect RP-Initiated Logout 1.0).

use std::net::Ipv4Addr;

use axum::Router;
use axum::extract::State;
use axum::routing::post;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use url::form_urlencoded;
use vestibule_crypto::digest::{base64url, sha256};
use vestibule_crypto::jwk::{Algorithm, VerifyingKey};
use vestibule_crypto::jws::{self, Expected, Typ};
use vestibule_rules::fault::{Fault, Outcome};
use vestibule_testkit::TestServer;

use super::party::{CALLBACK, CLIENT, Party, Seen, Tokens, Variant};
use super::suite::{on_nodes, shared_nodes};

const STATE: &str = "state of the logout";

/// Somebody who is signed in.
async fn signed_in() -> Outcome<(Party<'static>, Tokens)> {
    let party = Party::new(shared_nodes(), Variant::of("code"));
    let tokens = party.good(&[]).await?;
    Ok((party, tokens))
}

/// Sends the browser to the logout endpoint.
pub(crate) async fn sign_out(party: &Party<'_>, pairs: &[(&str, &str)]) -> Outcome<Seen> {
    let endpoint = party.metadata().await?["end_session_endpoint"].as_str().unwrap().to_owned();
    let url = url::Url::parse_with_params(&endpoint, pairs).unwrap();
    super::party::seen(&party.hand, party.hand.get(url.as_str()).await?).await
}

/// Whether the session is over.
async fn is_over(party: &Party<'_>) -> Outcome<bool> {
    match party.ask(&[("prompt", "none")]).await? {
        Seen::App(answer) => Ok(answer.get("error") == Some("login_required")),
        Seen::Page(form) => Err(form.page.unexpected("asks something")),
    }
}

/// A page of our own: an error, or one that asks.
fn stays(seen: Seen) -> Outcome<()> {
    match seen {
        Seen::Page(_) => Ok(()),
        Seen::App(answer) => Err(Fault::ours(format!("it was redirected: {answer:?}"))),
    }
}

/// Presses the button of the page that asks.
async fn confirm(party: &Party<'_>, seen: Seen) -> Outcome<()> {
    let Seen::Page(form) = seen else { return Err(Fault::ours("nothing was asked")) };
    let fields = form.page.hidden_fields();
    let endpoint = party.metadata().await?["end_session_endpoint"].as_str().unwrap().to_owned();
    let mut pairs: Vec<(&str, &str)> = fields.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
    pairs.push(("action", "submit"));
    party.hand.post(&endpoint, &pairs).await.map(drop)
}

pub(super) async fn oidcc_rp_initiated_logout_discovery_endpoint_verification() -> Outcome<()> {
    let party = Party::new(shared_nodes(), Variant::of("code"));
    let document = party.metadata().await?;
    assert!(document["end_session_endpoint"].as_str().unwrap().starts_with(&party.server.origin));
    Ok(())
}

pub(super) async fn oidcc_rp_initiated_logout() -> Outcome<()> {
    let (party, tokens) = signed_in().await?;
    let hint = ("id_token_hint", tokens.id_token.as_str());
    let Seen::App(answer) =
        sign_out(&party, &[hint, ("post_logout_redirect_uri", CALLBACK), ("state", STATE)]).await?
    else {
        return Err(Fault::ours("it was not redirected"));
    };
    assert_eq!(answer.get("state"), Some(STATE));
    assert!(is_over(&party).await?);
    Ok(())
}

pub(super) async fn oidcc_rp_initiated_logout_no_state() -> Outcome<()> {
    let (party, tokens) = signed_in().await?;
    let hint = ("id_token_hint", tokens.id_token.as_str());
    let Seen::App(answer) = sign_out(&party, &[hint, ("post_logout_redirect_uri", CALLBACK)]).await? else {
        return Err(Fault::ours("it was not redirected"));
    };
    assert_eq!(answer.get("state"), None);
    assert!(is_over(&party).await?);
    Ok(())
}

pub(super) async fn oidcc_rp_initiated_logout_bad_post_logout_redirect_uri() -> Outcome<()> {
    elsewhere("https://suite.example/callback/unregistered").await
}

pub(super) async fn oidcc_rp_initiated_logout_query_added_to_post_logout_redirect_uri() -> Outcome<()> {
    elsewhere("https://suite.example/callback?foo=bar").await
}

async fn elsewhere(uri: &str) -> Outcome<()> {
    let (party, tokens) = signed_in().await?;
    let hint = ("id_token_hint", tokens.id_token.as_str());
    stays(sign_out(&party, &[hint, ("post_logout_redirect_uri", uri), ("state", STATE)]).await?)
}

pub(super) async fn oidcc_rp_initiated_logout_modified_id_token_hint() -> Outcome<()> {
    let (party, tokens) = signed_in().await?;
    let mut pieces = tokens.id_token.split('.');
    let header = vestibule_crypto::digest::base64url(br#"{"alg":"none"}"#);
    let forged = format!("{header}.{}.", pieces.nth(1).unwrap());
    with_hint(&party, &forged).await
}

pub(super) async fn oidcc_rp_initiated_logout_bad_id_token_hint() -> Outcome<()> {
    let (party, _) = signed_in().await?;
    with_hint(&party, "not an ID token").await
}

async fn with_hint(party: &Party<'_>, hint: &str) -> Outcome<()> {
    let pairs = [("id_token_hint", hint), ("post_logout_redirect_uri", CALLBACK), ("state", STATE)];
    stays(sign_out(party, &pairs).await?)?;
    assert!(!is_over(party).await?, "a forged hint signed somebody out");
    Ok(())
}

pub(super) async fn oidcc_rp_initiated_logout_no_id_token_hint() -> Outcome<()> {
    let (party, _) = signed_in().await?;
    stays(sign_out(&party, &[("post_logout_redirect_uri", CALLBACK), ("state", STATE)]).await?)
}

pub(super) async fn oidcc_rp_initiated_logout_no_params() -> Outcome<()> {
    asks_and_ends(&[]).await
}

pub(super) async fn oidcc_rp_initiated_logout_only_state() -> Outcome<()> {
    asks_and_ends(&[("state", STATE)]).await
}

async fn asks_and_ends(pairs: &[(&str, &str)]) -> Outcome<()> {
    let (party, _) = signed_in().await?;
    let seen = sign_out(&party, pairs).await?;
    confirm(&party, seen).await?;
    assert!(is_over(&party).await?);
    Ok(())
}

pub(super) async fn oidcc_rp_initiated_logout_no_post_logout_redirect_uri() -> Outcome<()> {
    let (party, tokens) = signed_in().await?;
    stays(sign_out(&party, &[("id_token_hint", &tokens.id_token), ("state", STATE)]).await?)?;
    assert!(is_over(&party).await?);
    Ok(())
}

async fn signed_in_at(server: &TestServer) -> Outcome<(Party<'_>, Tokens)> {
    let party = Party::new(server, Variant::of("code"));
    let tokens = party.good(&[]).await?;
    Ok((party, tokens))
}

pub(super) async fn oidcc_backchannel_logout_discovery_endpoint_verification() -> Outcome<()> {
    says(&["backchannel_logout_supported", "backchannel_logout_session_supported"]).await
}

pub(super) async fn oidcc_frontchannel_logout_discovery_endpoint_verification() -> Outcome<()> {
    says(&["frontchannel_logout_supported", "frontchannel_logout_session_supported"]).await
}

async fn says(names: &[&str]) -> Outcome<()> {
    let document = Party::new(shared_nodes(), Variant::of("code")).metadata().await?;
    for name in names {
        assert_eq!(document[name], true, "{name}");
    }
    Ok(())
}

/// The client's back channel: the bodies that arrive.
pub(crate) async fn back_channel() -> Outcome<(String, mpsc::UnboundedReceiver<String>)> {
    let broken = |error: std::io::Error| Fault::ours(error.to_string());
    let socket = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.map_err(broken)?;
    let address = format!("http://{}/logout", socket.local_addr().map_err(broken)?);
    let (heard, bodies) = mpsc::unbounded_channel();
    let take = async |State(heard): State<mpsc::UnboundedSender<String>>, body: String| {
        let _ = heard.send(body);
    };
    let router = Router::new().route("/logout", post(take)).with_state(heard);
    tokio::spawn(async move { axum::serve(socket, router).await });
    Ok((address, bodies))
}

/// The token that somebody was told on a back channel.
pub(crate) fn logout_token(body: &str) -> String {
    let (name, token) = form_urlencoded::parse(body.as_bytes()).next().unwrap();
    assert_eq!(name, "logout_token");
    token.into_owned()
}

pub(super) async fn oidcc_backchannel_rp_initiated_logout() -> Outcome<()> {
    let (address, mut bodies) = back_channel().await?;
    let server = on_nodes(&format!("    backChannelLogoutUri: {address}\n")).await?;
    let (party, tokens) = signed_in_at(&server).await?;
    let hint = ("id_token_hint", tokens.id_token.as_str());
    let Seen::App(_) = sign_out(&party, &[hint, ("post_logout_redirect_uri", CALLBACK)]).await? else {
        return Err(Fault::ours("it was not redirected"));
    };
    let body = bodies.recv().await.ok_or_else(|| Fault::ours("nobody called"))?;
    let token = logout_token(&body);
    let (_, keys) = party.get("discovery/v2.0/keys", None).await?;
    let keys = VerifyingKey::set(keys.to_string().as_bytes())?;
    let expected = Expected { algorithms: &[Algorithm::Rs256], typ: Typ::OneOf(&["logout+jwt"]) };
    let claims = jws::verify(&token, &keys, &expected)?.claims;
    for name in ["iss", "sub", "sid"] {
        assert_eq!(claims[name], tokens.id[name], "{name}");
    }
    assert_eq!(claims["aud"], CLIENT);
    assert_eq!(claims["events"], json!({"http://schemas.openid.net/event/backchannel-logout": {}}));
    assert!(claims.contains_key("jti") && claims.contains_key("iat") && !claims.contains_key("nonce"));
    assert!(is_over(&party).await?);
    server.finish().await
}

pub(super) async fn oidcc_frontchannel_rp_initiated_logout() -> Outcome<()> {
    let file = include_str!("suite.yaml").replacen(
        "    web:\n",
        "    web:\n      logoutUrl: https://suite.example/frontchannel_logout\n",
        1,
    );
    let server = on_nodes("").await?;
    server.apply(&[&file]).await?;
    let (party, tokens) = signed_in_at(&server).await?;
    let pairs = [
        ("id_token_hint", tokens.id_token.as_str()),
        ("post_logout_redirect_uri", CALLBACK),
        ("state", STATE),
    ];
    let Seen::Page(form) = sign_out(&party, &pairs).await? else {
        return Err(Fault::ours("the app was not told"));
    };
    let frame = form.page.attribute("iframe", "src").unwrap();
    let frame = url::Url::parse(&frame).unwrap();
    assert_eq!(frame.as_str().split('?').next(), Some("https://suite.example/frontchannel_logout"));
    for name in ["iss", "sid"] {
        let told = frame.query_pairs().find(|(known, _)| known == name).unwrap().1.into_owned();
        assert_eq!(Value::from(told), tokens.id[name]);
    }
    let next = form.page.attribute("a#next", "href").unwrap();
    assert!(next.starts_with(CALLBACK) && next.contains("state="), "{next}");
    assert!(is_over(&party).await?);
    server.finish().await
}

pub(super) async fn oidcc_session_management_discovery_endpoint_verification() -> Outcome<()> {
    let party = Party::new(shared_nodes(), Variant::of("code"));
    let document = party.metadata().await?;
    for name in ["check_session_iframe", "end_session_endpoint"] {
        assert!(document[name].as_str().unwrap().starts_with(&party.server.origin));
    }
    Ok(())
}

/// The script of the frame runs in Chromium in the end-to-end suite; here its reckoning is done by hand.
pub(super) async fn oidcc_session_management_rp_initiated_logout() -> Outcome<()> {
    let (party, tokens) = signed_in().await?;
    let session_state = tokens.answer.get("session_state").unwrap();
    let (_, salt) = session_state.split_once('.').unwrap();
    let reckoned = |browser_state: &str| {
        let text = format!("{CLIENT} https://suite.example {browser_state} {salt}");
        format!("{}.{salt}", base64url(&sha256(text.as_bytes())))
    };
    let shown = party.hand.cookie("vestibule-state-").unwrap();
    assert_eq!(reckoned(&shown), session_state);

    let frame = party.metadata().await?["check_session_iframe"].as_str().unwrap().to_owned();
    let answered = party.hand.get(&frame).await?;
    assert_eq!(answered.status, 200);
    assert!(answered.policy.contains("frame-ancestors *") && answered.body.contains("check-session"));

    let hint = ("id_token_hint", tokens.id_token.as_str());
    sign_out(&party, &[hint, ("post_logout_redirect_uri", CALLBACK)]).await?;
    assert_ne!(reckoned(&party.hand.cookie("vestibule-state-").unwrap_or_default()), session_state);
    Ok(())
}
