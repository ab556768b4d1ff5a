//! Token revocation (RFC 7009). An application ends what it was given itself; what is somebody else's, or nobody's, is
//! answered in the same way and left alone (security.md S67).
//!
//! Whichever token of a grant is shown, the whole grant ends: its refresh tokens, and with it the access tokens, which
//! cannot be taken back one by one, because resources read them without asking (RFC 7009 §2.1 leaves that to the
//! server). A token of an application itself belongs to no grant and is remembered until it would have ended.

use vestibule_rules::fault::Outcome;
use vestibule_rules::ids::{GrantId, UserId};
use vestibule_rules::oauth::client_auth::Strength;
use vestibule_rules::oauth::error;
use vestibule_store::audit::{self, EntryRow};
use vestibule_store::{grants, spent_tokens};

use crate::env::Site;
use crate::issued::{AccessToken, Issued, KNOWN, read};
use crate::token::client::{Client, authenticate};
use crate::token::{Refusal, TokenRequest};
use crate::visit::Visit;

/// Ends the grant of a token.
pub async fn revoke(site: &Site, visit: &Visit, request: TokenRequest) -> Result<(), Refusal> {
    if request.by_get {
        return Err(error::USE_POST.into());
    }
    request.params.check(KNOWN)?;
    let client = authenticate(site, visit, &request).await?;
    match read(site, visit, request.params.require("token")?).await? {
        Some(Issued::Refresh(token)) if token.row.client_id == client.app.app_id => {
            // The public side of an application does not speak for its server.
            if client.strength() == Strength::Public {
                client.authenticate(Some(token.platform), visit.now)?;
            }
            end(site, visit, &client, token.family.id, Some(token.family.user_id)).await?;
        }
        Some(Issued::Access(token)) if token.client == client.app.app_id => match token.grant {
            Some(grant) => end(site, visit, &client, grant, None).await?,
            None => forget(site, visit, &token).await?,
        },
        Some(Issued::Refresh(_) | Issued::Access(_)) | None => {}
    }
    Ok(())
}

async fn end(
    site: &Site,
    visit: &Visit,
    client: &Client<'_>,
    grant: GrantId,
    user: Option<UserId>,
) -> Outcome<()> {
    let (tenant, now) = (visit.tenant_id(), visit.now);
    let entry = EntryRow {
        key: site.env.order_key(now),
        at: now,
        actor: format!("application:{}", client.app.app_id),
        action: "grant_revoked".to_owned(),
        target_kind: "user".to_owned(),
        target_id: user.map(|user| user.to_string()).unwrap_or_default(),
        correlation_id: visit.correlation.to_string(),
        detail: serde_json::json!({"grant": grant}).to_string(),
    };
    let write = site.env.db.write(move |tx| {
        let mut entry = entry.clone();
        Box::pin(async move {
            if grants::revoke_family(tx, tenant, grant, now).await? {
                if let Some(family) = grants::find_family(tx, tenant, grant).await? {
                    entry.target_id = family.user_id.to_string();
                }
                audit::insert(tx, tenant, &entry).await?;
            }
            Ok(())
        })
    });
    write.await
}

async fn forget(site: &Site, visit: &Visit, token: &AccessToken) -> Outcome<()> {
    let Some((digest, expires_at)) = token.name() else { return Ok(()) };
    let tenant = visit.tenant_id();
    let write = site.env.db.write(move |tx| {
        Box::pin(async move { spent_tokens::spend(tx, tenant, &digest, expires_at).await.map(drop) })
    });
    write.await
}
