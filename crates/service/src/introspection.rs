//! Token introspection (RFC 7662). Who asks has to prove itself, and learns something about its own tokens and those that
//! are for it alone; about every other token it learns the same as about nonsense (security.md S67).

use serde_json::{Map, Value, json};
use vestibule_rules::oauth::claims::sign_in_name;
use vestibule_rules::oauth::client_auth::Strength;
use vestibule_rules::oauth::error;
use vestibule_rules::oauth::scope::Scope;

use crate::env::Site;
use crate::issued::{AccessToken, Issued, KNOWN, RefreshToken, read};
use crate::token::client::Client;
use crate::token::{Refusal, TokenRequest, subject};
use crate::visit::Visit;

/// Members that are not called as the claims are that they tell.
const RENAMED: &[(&str, &str)] =
    &[("scope", "scp"), ("client_id", "azp"), ("jti", "uti"), ("username", "preferred_username")];

/// What a token is good for.
pub async fn introspect(site: &Site, visit: &Visit, request: TokenRequest) -> Result<Value, Refusal> {
    if request.by_get {
        return Err(error::USE_POST.into());
    }
    request.params.check(KNOWN)?;
    let client = Client::of(site, visit, &request).await?;
    client.authenticate(None, visit.now)?;
    // Otherwise anybody could find out whether a token is good that they came by (RFC 7662 §2.1).
    if client.strength() == Strength::Public {
        return Err(error::SECRET_MISSING.into());
    }
    let told = match read(site, visit, request.params.require("token")?).await? {
        Some(Issued::Access(token)) => access(site, visit, &client, token).await?,
        Some(Issued::Refresh(token)) => refresh(site, visit, &client, &token).await?,
        None => None,
    };
    Ok(told.map_or_else(|| json!({"active": false}), Value::Object))
}

async fn access(
    site: &Site,
    visit: &Visit,
    client: &Client<'_>,
    token: AccessToken,
) -> Result<Option<Map<String, Value>>, Refusal> {
    let asker = client.app.app_id;
    let concerns = asker == token.client || asker == token.audience;
    if !concerns || !token.is_active(site, visit).await? {
        return Ok(None);
    }
    // Whoever is told can read the token itself.
    let mut told = token.claims.clone();
    told.insert("active".to_owned(), json!(true));
    for (name, claim) in RENAMED {
        told.extend(token.claims.get(*claim).map(|value| ((*name).to_owned(), value.clone())));
    }
    let bound = token.claims.get("cnf").is_some_and(|cnf| cnf.get("jkt").is_some());
    told.insert("token_type".to_owned(), json!(if bound { "DPoP" } else { "Bearer" }));
    Ok(Some(told))
}

async fn refresh(
    site: &Site,
    visit: &Visit,
    client: &Client<'_>,
    token: &RefreshToken,
) -> Result<Option<Map<String, Value>>, Refusal> {
    if token.row.client_id != client.app.app_id {
        return Ok(None);
    }
    let Some(user) = token.holder(site, visit).await? else { return Ok(None) };
    let told = json!({
        "active": true,
        "token_type": "refresh_token",
        "scope": Scope::restore(&token.row.scope, &visit.tenant.config.applications).text(),
        "client_id": token.row.client_id,
        "username": sign_in_name(&user),
        "sub": subject(site, Some(&visit.tenant), token.row.client_id, user.id),
        "iss": token.family.issuer,
        "iat": token.row.created_at.seconds(),
        "exp": token.expires_at().seconds(),
    });
    Ok(told.as_object().cloned())
}
