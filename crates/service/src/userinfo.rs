//! Userinfo (OpenID Connect Core 5.3): what an access token that names no resource is good for.

use serde_json::{Map, Value, json};
use vestibule_crypto::claims::{audiences, check_times};
use vestibule_rules::directory::user::User;
use vestibule_rules::fault::{Fault, Outcome};
use vestibule_rules::ids::{ClientId, GrantId, SessionId, UserId};
use vestibule_rules::oauth::claims;
use vestibule_rules::oauth::error;
use vestibule_rules::oauth::scope::GRAPH;
use vestibule_rules::time::Span;
use vestibule_store::grants;

use crate::dpop::{self, Demands, Possession};
use crate::env::Site;
use crate::issued;
use crate::membership;
use crate::token::subject;
use crate::token::{FamilyDoc, Refusal};
use crate::visit::Visit;

/// The token, by the ways in which it may come; one in the query is not looked at (security.md S64).
#[derive(Default)]
pub struct UserinfoRequest {
    /// The `Authorization` header as it is.
    pub authorization: Option<String>,
    /// `access_token` of a form body.
    pub form_token: Option<String>,
    /// What the request shows of a key.
    pub possession: Possession,
}

/// What the application is told.
pub enum Told {
    Json(Value),
    /// A signed token, for applications that want one (OpenID Connect Core 5.3.2).
    Signed(String),
}

/// Who the bearer's user is. Every check that fails has the same answer.
pub async fn userinfo(site: &Site, visit: &Visit, request: UserinfoRequest) -> Result<Told, Refusal> {
    let Holder { client, user, scopes, named, .. } = holder(site, visit, request).await?;
    // The same `sub` as in the ID token of the application that holds the token.
    let sub = subject(site, Some(&visit.tenant), client, user.id);
    let app = visit.tenant.application(client);
    let mapped = app.map(|app| app.token_claims.as_slice()).unwrap_or_default();
    let mut claims = claims::userinfo(&user, &sub, (&scopes, &named), mapped);
    if app.is_none_or(|app| app.settings.userinfo_signed_response_alg.is_none()) {
        return Ok(Told::Json(claims));
    }
    if let Value::Object(members) = &mut claims {
        members.insert("iss".to_owned(), visit.issuer().into());
        members.insert("aud".to_owned(), client.to_string().into());
    }
    Ok(Told::Signed(site.keyring.sign(&site.env, visit.tenant_id(), &claims, visit.now).await?))
}

/// The groups of the token's own person (Graph: `getMemberObjects`); nothing is said of anybody else.
pub async fn groups(
    site: &Site,
    visit: &Visit,
    (user, security_enabled_only): (&str, bool),
    request: UserinfoRequest,
) -> Result<Value, Refusal> {
    let holder = holder(site, visit, request).await?;
    if UserId::parse(user) != Some(holder.user.id) {
        return Err(error::TOKEN.into());
    }
    let groups = membership::groups_of(site, visit, holder.user.id).await?;
    let told = groups.iter().filter(|group| group.security_enabled || !security_enabled_only);
    Ok(json!({"value": told.map(|group| group.id).collect::<Vec<_>>()}))
}

/// The person and the app of a good access token, and the session that it came of.
pub(crate) struct Holder {
    pub(crate) client: ClientId,
    pub(crate) user: User,
    pub(crate) sid: SessionId,
    scopes: String,
    /// Claims that the request named one by one.
    named: Vec<String>,
}

/// Whose token it is. Every check that fails has the same answer.
pub(crate) async fn holder(site: &Site, visit: &Visit, request: UserinfoRequest) -> Result<Holder, Refusal> {
    let (token, scheme) = shown(&request)?;
    let verified = site.keyring.verify_own(&site.env, visit.tenant_id(), token).await?;
    let claims = verified.map_err(|_| error::TOKEN)?;
    let bearer = Bearer::read(visit, &claims).ok_or(error::TOKEN)?;
    check_key(site, visit, (&request.possession, token), (scheme, bearer.key)).await?;
    if !bearer.scp.split(' ').any(|scope| scope == "openid") {
        return Err(error::TOKEN_SCOPE.into());
    }
    let mut tx = site.env.db.read().await?;
    let family = grants::find_family(&mut tx, visit.tenant_id(), bearer.grant).await?;
    let family = family.ok_or(error::TOKEN)?;
    let user = issued::backed(&mut tx, visit, &family).await?.map_err(|_| error::TOKEN)?;
    if user.id != bearer.user {
        return Err(error::TOKEN.into());
    }
    let named = FamilyDoc::of(&family)?.claims.userinfo;
    Ok(Holder { client: bearer.client, user, sid: family.sid, scopes: bearer.scp.to_owned(), named })
}

/// How a token is shown.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Scheme {
    Bearer,
    Dpop,
}

fn shown(request: &UserinfoRequest) -> Result<(&str, Scheme), Refusal> {
    let header = request.authorization.as_deref().and_then(|value| {
        let (scheme, token) = value.split_once(' ')?;
        let schemes = [("Bearer", Scheme::Bearer), ("DPoP", Scheme::Dpop)];
        let (_, scheme) = schemes.into_iter().find(|(name, _)| scheme.eq_ignore_ascii_case(name))?;
        Some((token.trim_start_matches(' '), scheme))
    });
    match (header, request.form_token.as_deref()) {
        (Some(_), Some(_)) => Err(error::TOKEN_TWICE.into()),
        (Some((token, scheme)), None) if !token.is_empty() => Ok((token, scheme)),
        (None, Some(token)) if !token.is_empty() => Ok((token, Scheme::Bearer)),
        (Some(_), None) | (None, Some(_) | None) => Err(error::TOKEN_MISSING.into()),
    }
}

/// A token that is bound to a key takes a proof of that key for this very token, and one that is not bound is not
/// shown as if it were (security.md S78 to S80).
async fn check_key(
    site: &Site,
    visit: &Visit,
    (possession, token): (&Possession, &str),
    (scheme, bound_to): (Scheme, Option<&str>),
) -> Result<(), Refusal> {
    match (scheme, bound_to) {
        (Scheme::Bearer, None) => Ok(()),
        (Scheme::Bearer, Some(_)) => Err(error::TOKEN_BOUND.into()),
        (Scheme::Dpop, None) => Err(error::TOKEN.into()),
        (Scheme::Dpop, Some(key)) => {
            let demands = Demands { access_token: Some(token), nonce: false };
            let proven = dpop::proven(site, visit, possession, demands).await?;
            if proven.as_deref() == Some(key) { Ok(()) } else { Err(error::PROOF.into()) }
        }
    }
}

/// What the claims of a good access token say.
struct Bearer<'a> {
    client: ClientId,
    user: UserId,
    grant: GrantId,
    scp: &'a str,
    /// The thumbprint of the key that the token is bound to.
    key: Option<&'a str>,
}

impl<'a> Bearer<'a> {
    /// Issuer, audience and times; the issuer names origin and tenant (security.md S62, S63).
    fn read(visit: &Visit, claims: &'a Map<String, Value>) -> Option<Self> {
        let text = |name: &str| claims.get(name).and_then(Value::as_str);
        check_times(claims, visit.now, Span::default()).ok()?;
        let good = text("iss") == Some(&visit.issuer()) && audiences(claims).ok()? == [GRAPH.to_string()];
        good.then_some(())?;
        Some(Self {
            client: ClientId::parse(text("azp")?)?,
            user: UserId::parse(text("oid")?)?,
            grant: GrantId::parse(text("rh")?)?,
            scp: text("scp")?,
            key: claims.get("cnf").and_then(|cnf| cnf.get("jkt")).and_then(Value::as_str),
        })
    }
}

/// The answer as bytes.
pub fn to_json(claims: &Value) -> Outcome<Vec<u8>> {
    serde_json::to_vec(claims).map_err(|error| Fault::ours(format!("userinfo cannot be written: {error}")))
}
