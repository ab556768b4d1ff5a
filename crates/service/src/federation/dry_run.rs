//! What a provider's claims would become, without anybody signing in. It is the mapping of a sign-in itself that
//! runs; only where the claims come from differs.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};
use vestibule_rules::directory::provider::claims::{Mapped, Said, ToldAddress};
use vestibule_rules::directory::provider::kind::Protocol;
use vestibule_rules::fault::{Fault, Outcome};
use vestibule_rules::journey::flow::Flow;
use vestibule_rules::journey::values;
use vestibule_store::Db;

use super::Provider;
use super::overview::{flows_with, provider_of, tenant_of};
use crate::directory::{TenantView, snapshot};

/// What was handed in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Given {
    /// A token. Its signature, issuer, audience and times are not looked at.
    Token,
    /// The claims of an ID token.
    IdToken,
    /// The answer of a user info endpoint.
    UserInfo,
    /// Both, each under its name.
    Both,
}

/// What would become of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DryRun {
    pub given: Given,
    /// The provider's name.
    pub name: String,
    /// What tells the person apart; nothing when nobody could sign in so.
    pub subject: Option<String>,
    /// How subject and address come about.
    pub identity: Vec<Mapped>,
    pub address: Option<ToldAddress>,
    pub attributes: Vec<Attribute>,
    /// Whether the user info endpoint would be asked too, whose answer is not among what was handed in.
    pub asks_user_info: bool,
}

/// One attribute.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Attribute {
    pub mapped: Mapped,
    /// The flows by the provider that ask for it, with what each would keep: nothing when it cannot.
    pub kept: Vec<(String, Option<Value>)>,
}

/// Maps a token, or the claims of one.
///
/// Returns `Missing` when there is no such tenant or provider, and `Malformed` when the text is neither.
pub async fn dry_run(db: &Db, (tenant, provider): (&str, &str), text: &str) -> Outcome<DryRun> {
    let snapshot = snapshot::load(db).await?;
    let view = tenant_of(&snapshot, tenant)?;
    let provider = provider_of(view, provider)?;
    let (given, said) = read(provider, text)?;
    Ok(run(view, provider, given, &said))
}

/// What becomes of what was said.
pub(super) fn run(view: &TenantView, provider: &Provider, given: Given, said: &Said) -> DryRun {
    let attributes = provider.attributes(said).into_iter();
    DryRun {
        given,
        name: provider.display_name.clone(),
        subject: provider.subject(said),
        identity: provider.identity(said),
        address: provider.address(said),
        attributes: attributes.map(|mapped| attribute(view, provider, mapped)).collect(),
        asks_user_info: provider.preset().protocol == Protocol::OpenIdConnect
            && said.user_info.is_none()
            && provider.wants_user_info(&said.id_token),
    }
}

fn attribute(view: &TenantView, provider: &Provider, mapped: Mapped) -> Attribute {
    let names = flows_with(&view.config, &provider.id);
    let flows = view.config.user_flows.iter().zip(&view.flows);
    let offering = flows.filter(|(flow, _)| names.contains(&flow.display_name));
    let kept = |flow: &Flow| {
        let field = flow.fields.iter().find(|field| field.id.as_str() == mapped.attribute)?;
        Some(mapped.value.as_deref().and_then(|text| values::suggested(field, text)))
    };
    let kept = offering.filter_map(|(flow, version)| Some((flow.display_name.clone(), kept(&version.flow)?)));
    Attribute { kept: kept.collect(), mapped }
}

fn read(provider: &Provider, text: &str) -> Outcome<(Given, Said)> {
    let text = text.trim();
    let bad = |why: &str| Fault::malformed("claims", why);
    if text.is_empty() {
        return Err(bad("there is nothing to map; hand in a token, or a JSON object of claims"));
    }
    if !text.starts_with('{') {
        return Ok((Given::Token, Said { id_token: payload(text)?, user_info: None }));
    }
    let claims: Map<String, Value> =
        serde_json::from_str(text).map_err(|error| bad(&format!("that is no JSON object: {error}")))?;
    let part = |name: &str| match claims.get(name) {
        Some(Value::Object(claims)) => Ok(Some(claims.clone())),
        Some(Value::String(token)) => payload(token.trim()).map(Some),
        Some(_) => Err(bad(&format!("{name} is neither a token nor an object of claims"))),
        None => Ok(None),
    };
    if claims.contains_key("idToken") || claims.contains_key("userInfo") {
        let said = Said { id_token: part("idToken")?.unwrap_or_default(), user_info: part("userInfo")? };
        return Ok((Given::Both, said));
    }
    Ok(match provider.preset().protocol {
        Protocol::OpenIdConnect => (Given::IdToken, Said { id_token: claims, user_info: None }),
        Protocol::OAuth2 => (Given::UserInfo, Said { id_token: Map::new(), user_info: Some(claims) }),
    })
}

/// The claims of a JWT, taken as they are (RFC 7519 §7.2 without the checks: nothing is granted for them).
fn payload(token: &str) -> Outcome<Map<String, Value>> {
    let bad = |why: &str| Fault::malformed("claims", why);
    let parts: Vec<&str> = token.split('.').collect();
    let payload = match parts.as_slice() {
        [_, payload, _] => payload,
        [_, _, _, _, _] => {
            return Err(bad("the token is encrypted; hand in the token inside it, or its claims as JSON"));
        }
        _ => return Err(bad("that is neither a token (three parts with dots between) nor a JSON object")),
    };
    let bytes = URL_SAFE_NO_PAD.decode(payload.trim_end_matches('='));
    let bytes = bytes.map_err(|_| bad("the second part of the token is not base64url"))?;
    serde_json::from_slice(&bytes).map_err(|_| bad("the second part of the token is no JSON object"))
}
