//! OpenID Connect: a code becomes an ID token that is checked (OpenID Connect Core 3.1).

use serde_json::{Map, Value};
use url::Url;
use vestibule_crypto::claims::{self, IdToken, SKEW};
use vestibule_crypto::digest;
use vestibule_crypto::dpop::DpopKey;
use vestibule_crypto::jws::Verified;
use vestibule_rules::directory::provider::claims::Said;
use vestibule_rules::directory::provider::kind::ProviderKind;
use vestibule_rules::directory::provider::{ClientAuthentication, ResponseMode};
use vestibule_rules::fault::{Fault, Outcome};
use vestibule_rules::oauth::params::Params;
use vestibule_rules::text::{Message, Secret};

use super::client::Endpoint;
use super::metadata::{Metadata, Source};
use super::trace::Stage;
use super::{Arrived, Proof, Provider, Upstream, client, code, pairs, placed, token, told_once};
use crate::env::Site;
use crate::ports::outbound::{OutboundRequest, OutboundResponse};

/// Stands for the organisation in the issuer of Entra ID, when any or several are welcome.
const TENANT_ID: &str = "{tenantid}";
/// The organisation of personal accounts, which is none.
const PERSONAL: &str = "9188040d-6c67-4c5b-b112-36a304b66dad";

/// Where a provider's discovery document is, and whose it must be.
pub(super) fn source(site: &Site, provider: &Provider) -> Source {
    let issuer = placed(site, &provider.issuer());
    let configured = provider.settings.well_known.as_ref().map(|address| placed(site, address));
    let address = configured.unwrap_or_else(|| {
        // Entra ID publishes what holds for every organisation under this name.
        let base = issuer.replace(TENANT_ID, "organizations");
        format!("{}/.well-known/openid-configuration", base.trim_end_matches('/'))
    });
    Source { issuer, address }
}

pub(super) async fn metadata(upstream: Upstream<'_>) -> Outcome<std::sync::Arc<Metadata>> {
    let Upstream { site, visit, provider, .. } = upstream;
    site.providers.metadata(site, &source(site, provider), visit.now).await
}

/// Where a browser goes to sign in.
pub(super) async fn departure(
    upstream: Upstream<'_>,
    state: &str,
    proof: &Proof,
    login_hint: Option<&str>,
) -> Outcome<Url> {
    upstream.enters(Stage::Discovery);
    let metadata = metadata(upstream).await?;
    let (provider, settings) = (upstream.provider, &upstream.provider.settings);
    let mut wanted = request(upstream, state, proof, login_hint);
    let mut url = metadata.authorization_endpoint.clone();
    if settings.pushed_authorization_request || metadata.demands_pushed_requests {
        upstream.enters(Stage::PushedRequest);
        let response = push(upstream, &metadata, &wanted).await?;
        let body = client::object("the pushed authorization request", &response)?;
        let reference = body.get("request_uri").and_then(Value::as_str);
        let reference =
            reference.ok_or_else(|| Fault::upstream("the provider named no reference to the request"))?;
        url.query_pairs_mut()
            .append_pair("client_id", &provider.client_id)
            .append_pair("request_uri", reference);
        return Ok(url);
    }
    wanted.push(("client_id", provider.client_id.clone()));
    url.query_pairs_mut().extend_pairs(pairs(&wanted));
    Ok(url)
}

/// What the provider is asked for, but for who asks.
pub(super) fn request(
    upstream: Upstream<'_>,
    state: &str,
    proof: &Proof,
    login_hint: Option<&str>,
) -> Vec<(&'static str, String)> {
    let (provider, settings) = (upstream.provider, &upstream.provider.settings);
    let mut wanted = vec![
        ("redirect_uri", upstream.redirect_uri()),
        ("response_type", "code".to_owned()),
        ("scope", provider.scope().to_owned()),
        ("state", state.to_owned()),
        ("nonce", proof.nonce.clone()),
        ("code_challenge", digest::pkce_s256(&proof.verifier)),
        ("code_challenge_method", "S256".to_owned()),
        ("prompt", settings.prompt.clone().unwrap_or_default()),
        ("acr_values", settings.acr_values.clone().unwrap_or_default()),
        ("login_hint", login_hint.unwrap_or_default().to_owned()),
        ("hd", settings.hosted_domain.clone().unwrap_or_default()),
    ];
    if provider.response_mode() == ResponseMode::FormPost {
        wanted.push(("response_mode", "form_post".to_owned()));
    }
    wanted
}

/// RFC 9126: the request goes to the provider first, and the browser carries a reference to it.
pub(super) async fn push(
    upstream: Upstream<'_>,
    metadata: &Metadata,
    wanted: &[(&str, String)],
) -> Outcome<OutboundResponse> {
    let endpoint = metadata.pushed_authorization_request_endpoint.as_ref();
    let endpoint =
        endpoint.ok_or_else(|| Fault::upstream("the provider takes no pushed authorization requests"))?;
    let mut fields: Vec<(&str, &str)> = pairs(wanted).into_iter().collect();
    if upstream.provider.client_authentication() == ClientAuthentication::ClientSecretBasic {
        fields.push(("client_id", &upstream.provider.client_id));
    }
    upstream.post_as_client(at(metadata, endpoint, None), &fields).await
}

/// Takes a response and checks everything about it; nothing when the person said no.
pub(super) async fn arrival(
    upstream: Upstream<'_>,
    proof: &Proof,
    params: &Params,
) -> Outcome<Option<Arrived>> {
    upstream.enters(Stage::Discovery);
    let metadata = metadata(upstream).await?;
    upstream.enters(Stage::Answer);
    check_issuer(&metadata, params)?;
    let Some(code) = code(params)? else { return Ok(None) };
    upstream.enters(Stage::Token);
    let redirect_uri = upstream.redirect_uri();
    let fields = [
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", &redirect_uri),
        ("code_verifier", &proof.verifier),
    ];
    let key = upstream.provider.settings.dpop.then(DpopKey::generate).transpose()?;
    let endpoint = at(&metadata, &metadata.token_endpoint, key.as_ref());
    let response = upstream.post_as_client(endpoint, &fields).await?;
    let body = client::object("the token endpoint", &response)?;
    let text = |name: &str| body.get(name).and_then(Value::as_str);
    if key.is_some() && !text("token_type").is_some_and(|kind| kind.eq_ignore_ascii_case("DPoP")) {
        return Err(Fault::upstream("the provider did not bind the token to our key"));
    }
    let token = text("id_token").ok_or_else(|| Fault::upstream("the token response has no ID token"))?;
    upstream.enters(Stage::IdToken);
    let opened = token::open(upstream, token)?;
    let (issuer, verified) = verify(upstream, &metadata, (opened.text(), proof)).await?;
    // Neither hash must be there in this flow, and one that is there must fit (security.md RP9).
    claims::check_hash(&verified.claims, "c_hash", code, verified.algorithm)?;
    if let Some(access_token) = text("access_token") {
        claims::check_hash(&verified.claims, "at_hash", access_token, verified.algorithm)?;
    }
    let mut said = Said { id_token: verified.claims, user_info: None };
    if upstream.provider.wants_user_info(&said.id_token)
        && let (Some(endpoint), Some(access_token)) = (&metadata.userinfo_endpoint, text("access_token"))
    {
        upstream.enters(Stage::UserInfo);
        let access_token = Secret::new(access_token.to_owned());
        let asked = user_info(upstream, (&metadata, endpoint, key.as_ref()), (&access_token, &said.id_token));
        said.user_info = Some(asked.await?);
    }
    if upstream.provider.identity_provider_type == ProviderKind::Apple && said.user_info.is_none() {
        let subject = said.id_token.get("sub").and_then(Value::as_str).unwrap_or_default();
        said.user_info = told_once::name(upstream, subject, posted_name(params)).await?;
    }
    let id_token = Some(opened.text().to_owned());
    Ok(Some(Arrived { issuer, said, id_token, response: body }))
}

/// Apple tells a name once, at the first consent, and beside the code instead of in the ID token. The browser could
/// have written it, so it is worth what its user may type into a form: nothing but a name is taken of it.
fn posted_name(params: &Params) -> Option<Map<String, Value>> {
    let user: Value = serde_json::from_str(params.hint("user")?).ok()?;
    let part = |key: &str| user.get("name")?.get(key)?.as_str().filter(|text| !text.trim().is_empty());
    let (given, family) = (part("firstName"), part("lastName"));
    let whole = [given, family].into_iter().flatten().collect::<Vec<_>>().join(" ");
    let all = [("given_name", given), ("family_name", family), ("name", Some(whole.as_str()))];
    let told = all.into_iter().filter_map(|(name, text)| Some((name.to_owned(), Value::from(text?))));
    Some(told.collect())
}

/// RFC 9207: a response that another provider sent must not be taken for this one's.
fn check_issuer(metadata: &Metadata, params: &Params) -> Outcome<()> {
    match params.hint("iss") {
        Some(iss) if is_of_issuer(&metadata.issuer, iss) => Ok(()),
        Some(_) => Err(Fault::upstream("`iss` of the response is another provider's")),
        None if metadata.sends_iss => Err(Fault::upstream("the provider promises `iss` and did not send it")),
        None => Ok(()),
    }
}

pub(super) fn is_of_issuer(issuer: &str, iss: &str) -> bool {
    match issuer.split_once(TENANT_ID) {
        Some((before, after)) => iss.starts_with(before) && iss.ends_with(after),
        None => issuer == iss,
    }
}

/// Checks an ID token that is out of its envelope and returns its issuer and its claims (security.md RP9).
async fn verify(
    upstream: Upstream<'_>,
    metadata: &Metadata,
    (token, proof): (&str, &Proof),
) -> Outcome<(String, Verified)> {
    let Upstream { visit, provider, .. } = upstream;
    let verified = token::verify(upstream, metadata, (token, token::JWT)).await?;
    let issuer = issuer_of(provider, &metadata.issuer, &verified.claims)?;
    let check = IdToken {
        issuer: &issuer,
        client: &provider.client_id,
        nonce: Some(&proof.nonce),
        now: visit.now,
        skew: SKEW,
    };
    check.check(&verified.claims)?;
    check_domain(provider, &verified.claims)?;
    Ok((issuer, verified))
}

/// The issuer that the token must have. Where organisations share a provider it hangs on the organisation, which
/// must be one that is welcome.
pub(super) fn issuer_of(provider: &Provider, issuer: &str, claims: &Map<String, Value>) -> Outcome<String> {
    let tid = claims.get("tid").and_then(Value::as_str);
    if provider.identity_provider_type == ProviderKind::MicrosoftEntra {
        let welcome = &provider.settings.tenants;
        let tid = tid.filter(|tid| uuid::Uuid::parse_str(tid).is_ok() && *tid != PERSONAL);
        let known =
            tid.filter(|tid| welcome.is_empty() || welcome.iter().any(|t| t.eq_ignore_ascii_case(tid)));
        if known.is_none() {
            let fault = Fault::upstream("the account is of an organisation that is not welcome");
            return Err(fault.hint(Message::new("refused-provider-organisation")));
        }
    }
    if !issuer.contains(TENANT_ID) {
        return Ok(issuer.to_owned());
    }
    let tid = tid.filter(|tid| uuid::Uuid::parse_str(tid).is_ok());
    let tid = tid.ok_or_else(|| Fault::upstream("the ID token does not say of which organisation it is"))?;
    Ok(issuer.replace(TENANT_ID, tid))
}

/// Google: what was asked for by `hd` is only a hint to it, so the answer is checked.
fn check_domain(provider: &Provider, claims: &Map<String, Value>) -> Outcome<()> {
    let Some(wanted) = &provider.settings.hosted_domain else { return Ok(()) };
    let hosted = claims.get("hd").and_then(Value::as_str);
    if hosted.is_some_and(|hosted| hosted.eq_ignore_ascii_case(wanted)) {
        return Ok(());
    }
    let fault = Fault::upstream("the account is not of the organisation that is welcome");
    Err(fault.hint(Message::new("refused-provider-organisation")))
}

/// What the user info endpoint says, if it speaks of the same person (OpenID Connect Core 5.3.2, RP11).
async fn user_info(
    upstream: Upstream<'_>,
    (metadata, endpoint, key): (&Metadata, &Url, Option<&DpopKey>),
    (access_token, id_token): (&Secret<String>, &Map<String, Value>),
) -> Outcome<Map<String, Value>> {
    let scheme = if key.is_some() { "DPoP" } else { "Bearer" };
    let request = OutboundRequest::get(endpoint.clone())
        .header("authorization", &format!("{scheme} {}", access_token.expose()));
    let response = upstream.send_bound(|| Ok(request.clone()), key, Some(access_token)).await?;
    let claims = if response.is_success() && token::is_jwt(&response) {
        token::of_user_info(upstream, metadata, &response).await?
    } else {
        client::object("the user info endpoint", &response)?
    };
    if claims.get("sub").is_none() || claims.get("sub") != id_token.get("sub") {
        return Err(Fault::upstream("the user info endpoint speaks of somebody else"));
    }
    Ok(claims)
}

/// An endpoint of the provider at which we prove who we are.
pub(super) fn at<'a>(metadata: &'a Metadata, url: &'a Url, dpop: Option<&'a DpopKey>) -> Endpoint<'a> {
    Endpoint { url, audience: &metadata.issuer, algorithms: &metadata.assertion_algorithms, dpop }
}
