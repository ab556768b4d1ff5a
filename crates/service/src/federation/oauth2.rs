//! OAuth 2.0 providers: a code becomes an access token, whose holder is asked for. There is no signed word on whom
//! the token is for, so it is only ever taken straight from the token endpoint, and where the provider can be
//! asked, it must say that the token was minted for us (security.md RP17).

use serde_json::{Map, Value, json};
use url::Url;
use vestibule_crypto::digest;
use vestibule_rules::directory::provider::claims::Said;
use vestibule_rules::directory::provider::kind::ProviderKind;
use vestibule_rules::directory::provider::{Endpoints, ResponseMode};
use vestibule_rules::fault::{Fault, Outcome};
use vestibule_rules::oauth::params::Params;
use vestibule_rules::text::Secret;

use super::client::Endpoint;
use super::trace::Stage;
use super::{Arrived, Proof, Upstream, client, code, pairs};
use crate::directory::ProviderSecret;
use crate::ports::outbound::OutboundRequest;

fn endpoints(upstream: Upstream<'_>) -> Outcome<Endpoints> {
    upstream.provider.endpoints().ok_or_else(|| Fault::ours("the provider has no addresses"))
}

pub(super) fn uses_pkce(upstream: Upstream<'_>) -> bool {
    upstream.provider.preset().pkce || upstream.provider.client_secret.is_none()
}

/// Where a browser goes to sign in.
pub(super) fn departure(upstream: Upstream<'_>, state: &str, proof: &Proof) -> Outcome<Url> {
    let provider = upstream.provider;
    let (redirect_uri, challenge) = (upstream.redirect_uri(), digest::pkce_s256(&proof.verifier));
    let mut wanted = vec![
        ("client_id", provider.client_id.as_str()),
        ("redirect_uri", &redirect_uri),
        ("response_type", "code"),
        ("scope", provider.scope()),
        ("state", state),
        ("prompt", provider.settings.prompt.as_deref().unwrap_or_default()),
    ];
    if uses_pkce(upstream) {
        wanted.extend([("code_challenge", challenge.as_str()), ("code_challenge_method", "S256")]);
    }
    if provider.response_mode() == ResponseMode::FormPost {
        wanted.push(("response_mode", "form_post"));
    }
    let mut url = client::address(upstream.site, &endpoints(upstream)?.authorization)?;
    url.query_pairs_mut().extend_pairs(pairs(&wanted));
    Ok(url)
}

/// Takes a response: what the provider says of the person, or nothing when they said no.
pub(super) async fn arrival(
    upstream: Upstream<'_>,
    proof: &Proof,
    params: &Params,
) -> Outcome<Option<Arrived>> {
    upstream.enters(Stage::Answer);
    if params.hint("iss").is_some_and(|iss| iss != upstream.issuer()) {
        return Err(Fault::upstream("`iss` of the response is another provider's"));
    }
    let Some(code) = code(params)? else { return Ok(None) };
    upstream.enters(Stage::Token);
    let endpoints = endpoints(upstream)?;
    let redirect_uri = upstream.redirect_uri();
    let mut fields =
        vec![("grant_type", "authorization_code"), ("code", code), ("redirect_uri", redirect_uri.as_str())];
    if uses_pkce(upstream) {
        fields.push(("code_verifier", &proof.verifier));
    }
    let token_endpoint = client::address(upstream.site, &endpoints.token)?;
    let endpoint =
        Endpoint { url: &token_endpoint, audience: token_endpoint.as_str(), algorithms: &[], dpop: None };
    let response = upstream.post_as_client(endpoint, &fields).await?;
    let body = client::object("the token endpoint", &response)?;
    let token = body.get("access_token").and_then(Value::as_str);
    let token = token.ok_or_else(|| Fault::upstream("the token response has no access token"))?;
    upstream.enters(Stage::UserInfo);
    let mut holder = describe(upstream, &endpoints.user_info, token).await?;
    if let Some(address) = &endpoints.token_check {
        upstream.enters(Stage::TokenCheck);
        check(upstream, address, (token, &holder)).await?;
    }
    if let Some(address) = &endpoints.emails {
        upstream.enters(Stage::Addresses);
        add_address(upstream, address, token, &mut holder).await?;
    }
    let said = Said { id_token: Map::new(), user_info: Some(holder) };
    Ok(Some(Arrived { issuer: upstream.issuer(), said, id_token: None, response: body }))
}

/// Asks who holds the token.
async fn describe(upstream: Upstream<'_>, address: &str, token: &str) -> Outcome<Map<String, Value>> {
    let mut url = client::address(upstream.site, address)?;
    if upstream.provider.identity_provider_type == ProviderKind::Facebook {
        // A token that leaked elsewhere is of no use without the app's secret.
        let secret = secret(upstream)?;
        let proof = digest::hmac_sha256(secret.expose().as_bytes(), token.as_bytes());
        url.query_pairs_mut().append_pair("appsecret_proof", &digest::hex(&proof));
    }
    let response = upstream.send(bearer(url, token)).await?;
    client::object("the user info endpoint", &response)
}

fn bearer(url: Url, token: &str) -> OutboundRequest {
    OutboundRequest::get(url).header("authorization", &format!("Bearer {token}"))
}

fn secret(upstream: Upstream<'_>) -> Outcome<Secret<String>> {
    let secret = upstream.secret(ProviderSecret::ClientSecret)?;
    secret.ok_or_else(|| Fault::ours("the provider's client secret is not configured"))
}

/// RP17: the token must have been minted for our app, and for the person who was described.
async fn check(
    upstream: Upstream<'_>,
    address: &str,
    (token, holder): (&str, &Map<String, Value>),
) -> Outcome<()> {
    let client_id = upstream.provider.client_id.as_str();
    let url = client::address(upstream.site, address)?;
    let (app, person) = if upstream.provider.identity_provider_type == ProviderKind::GitHub {
        github_says(upstream, url, token).await?
    } else {
        facebook_says(upstream, url, token).await?
    };
    if app.as_ref().and_then(Value::as_str) != Some(client_id) {
        return Err(Fault::upstream("the access token was minted for another app"));
    }
    let subject = holder.get(upstream.provider.preset().subject);
    if person.is_none() || person.as_ref() != subject {
        return Err(Fault::upstream("the access token is somebody else's"));
    }
    Ok(())
}

/// The app and the person of a token.
type Whose = (Option<Value>, Option<Value>);

async fn github_says(upstream: Upstream<'_>, mut url: Url, token: &str) -> Outcome<Whose> {
    let client_id = upstream.provider.client_id.as_str();
    let place = format!("{}/{client_id}/token", url.path().trim_end_matches('/'));
    url.set_path(&place);
    let body = json!({ "access_token": token }).to_string().into_bytes();
    let request = OutboundRequest::post(url, "application/json", body)
        .header("authorization", &client::basic(client_id, &secret(upstream)?));
    let answer = client::object("the token check", &upstream.send(request).await?)?;
    let inside = |object: &str, key: &str| answer.get(object).and_then(|o| o.get(key)).cloned();
    Ok((inside("app", "client_id"), inside("user", "id")))
}

async fn facebook_says(upstream: Upstream<'_>, mut url: Url, token: &str) -> Outcome<Whose> {
    let ours = format!("{}|{}", upstream.provider.client_id, secret(upstream)?.expose());
    url.query_pairs_mut().append_pair("input_token", token).append_pair("access_token", &ours);
    let answer = client::object("the token check", &upstream.send(OutboundRequest::get(url)).await?)?;
    let data = answer.get("data").and_then(Value::as_object);
    let data = data.filter(|data| data.get("is_valid") == Some(&Value::Bool(true)));
    let data = data.ok_or_else(|| Fault::upstream("the provider does not know its own token"))?;
    Ok((data.get("app_id").cloned(), data.get("user_id").cloned()))
}

/// GitHub: the address that is shown to everybody is whatever its user typed; the list says what was proven.
async fn add_address(
    upstream: Upstream<'_>,
    address: &str,
    token: &str,
    holder: &mut Map<String, Value>,
) -> Outcome<()> {
    let response = upstream.send(bearer(client::address(upstream.site, address)?, token)).await?;
    let list: Value = serde_json::from_slice(&response.body).unwrap_or_default();
    if !response.is_success() {
        return Err(Fault::upstream(format!("the list of addresses answered {}", response.status)));
    }
    let all = list.as_array().into_iter().flatten();
    let primary = all.into_iter().find(|one| one.get("primary") == Some(&Value::Bool(true)));
    holder.remove("email");
    holder.remove("email_verified");
    if let Some((email, verified)) = primary.and_then(|one| Some((one.get("email")?, one.get("verified")?))) {
        holder.insert("email".to_owned(), email.clone());
        holder.insert("email_verified".to_owned(), verified.clone());
    }
    Ok(())
}
