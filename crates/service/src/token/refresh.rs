//! The refresh token grant: every use rotates, and a used token is an alarm (RFC 9700 §4.14.2).
//!
//! A client that lost the answer may ask again for a few seconds and gets the same successor
//! (native-auth-and-msal.md R39). The successor is therefore kept, sealed under a key that is made of the
//! token it follows: neither the database nor the server's keys open it without that token.

use vestibule_crypto::digest::hmac_parts;
use vestibule_crypto::seal::SealingKey;
use vestibule_rules::directory::application::Platform;
use vestibule_rules::directory::user::User;
use vestibule_rules::fault::{Fault, Outcome};
use vestibule_rules::ids::ProviderId;
use vestibule_rules::oauth::dpop::binds_refresh_tokens;
use vestibule_rules::oauth::error;
use vestibule_rules::oauth::token::{self, Refresh, Refused, Rotation, Used};
use vestibule_store::audit::{self, EntryRow};
use vestibule_store::grants::{self, FamilyRow, RefreshRow};
use vestibule_store::users;

use super::mint::{Mint, NewRefresh};
use super::{Call, Refusal, TokenResponse, digest_of, granted, issuer_of, provider_of};

/// Where a sealed successor is stored; it opens nowhere else.
const PLACE: &str = "refresh_token|successor";

/// A refresh token with everything around it, as of one instant.
struct Found {
    row: RefreshRow,
    family: FamilyRow,
    user: Option<User>,
    provider: Option<ProviderId>,
    /// The token that this one was exchanged for.
    successor: Option<Successor>,
}

struct Successor {
    plain: String,
    row: RefreshRow,
}

pub(super) async fn refresh(call: &Call<'_>) -> Result<TokenResponse, Refusal> {
    let plain = call.params.require("refresh_token")?;
    let Some(platform) = token::platform_of(plain) else {
        call.client.check_what_was_shown()?;
        return Err(error::REFRESH_TOKEN.into());
    };
    let key = call.key(Some(platform)).await?;
    let key = key.as_deref();
    // Who loses the race for a token finds it used the second time, and gets what the winner got.
    for _ in 0..2 {
        let found = find(call, plain).await?;
        call.client.authenticate(Some(platform), call.visit.now)?;
        let rotation = match check(call, &found, platform, key) {
            Ok(rotation) => rotation,
            Err(refused) => {
                if let Refused::Revoke(_) = refused {
                    end(call, &found, Some(reuse(call, &found))).await?;
                }
                return Err(refused.error().into());
            }
        };
        let registered = call.client.app.registered.as_deref();
        if registered.is_some_and(|registered| !registered.may_have_refresh_tokens()) {
            end(call, &found, None).await?;
            return Err(error::REFRESH_REVOKED.into());
        }
        let next = match (rotation, &found.successor) {
            (Rotation::Again, Some(old)) => NewRefresh::again(old.plain.clone(), old.row.expires_at),
            (Rotation::Again, None) => return Err(error::REFRESH_REVOKED.into()),
            (Rotation::Next, _) => {
                let bound = key.filter(|_| binds_refresh_tokens(platform));
                NewRefresh::draw(call, platform, &found.family, (found.row.generation + 1, bound))
            }
        };
        let response = mint(call, &found, &next, key).await?;
        if rotation == Rotation::Again || rotate(call, &found, plain, &next).await? {
            return Ok(response);
        }
    }
    Err(error::STALE.into())
}

async fn find(call: &Call<'_>, plain: &str) -> Result<Found, Refusal> {
    let tenant = call.visit.tenant_id();
    let mut tx = call.site.env.db.read().await?;
    let Some(row) = grants::find_refresh(&mut tx, tenant, &digest_of(plain)).await? else {
        call.client.check_what_was_shown()?;
        return Err(error::REFRESH_TOKEN.into());
    };
    let family = grants::find_family(&mut tx, tenant, row.grant_id)
        .await?
        .ok_or_else(|| Fault::ours(format!("refresh_token: grant {} is missing", row.grant_id)))?;
    let user = users::find(&mut tx, tenant, family.user_id).await?;
    let provider = provider_of(&mut tx, tenant, family.sid).await?;
    let successor = match &row.successor_sealed {
        None => None,
        Some(sealed) => {
            let plain = open(call, plain, sealed)?;
            let row = grants::find_refresh(&mut tx, tenant, &digest_of(&plain)).await?;
            row.map(|row| Successor { plain, row })
        }
    };
    Ok(Found { row, family, user, provider, successor })
}

fn check(call: &Call<'_>, found: &Found, platform: Platform, key: Option<&str>) -> Result<Rotation, Refused> {
    let used = found.row.used_at.map(|at| Used {
        at,
        successor_used: found.successor.as_ref().is_none_or(|next| next.row.used_at.is_some()),
    });
    let token = Refresh {
        client: found.row.client_id,
        issuer: &found.family.issuer,
        platform,
        key: found.row.dpop_jkt.as_deref(),
        expires_at: found.row.expires_at.min(found.family.expires_at),
        revoked: found.family.revoked_at.is_some(),
        used,
    };
    token::refresh(&token, call.client.app.app_id, &call.visit.issuer(), key, call.visit.now)
}

async fn mint(
    call: &Call<'_>,
    found: &Found,
    next: &NewRefresh,
    key: Option<&str>,
) -> Result<TokenResponse, Refusal> {
    let user = token::check_user(found.user.as_ref(), found.family.created_at)?;
    let applications = &call.visit.tenant.config.applications;
    let granted = granted(call, user.id, &found.row.scope).await?;
    let scope = granted.asked(call.params, applications)?;
    let mint = Mint {
        family: &found.family,
        user,
        scope: &scope,
        idp: issuer_of(call.site, call.visit, found.provider.as_ref()),
        // OpenID Connect Core 12.2: an ID token of a refresh should have no nonce.
        nonce: None,
        key,
        in_address: false,
    };
    mint.response(call, Some(next)).await
}

/// Exchanges the token for its successor; `false` when somebody else was first.
async fn rotate(call: &Call<'_>, found: &Found, plain: &str, next: &NewRefresh) -> Result<bool, Refusal> {
    let (tenant, now, grant) = (call.visit.tenant_id(), call.visit.now, found.family.id);
    let sealed = successor_key(call, plain)?.seal(PLACE, next.plain.as_bytes())?;
    let (digest, row) = (found.row.digest.clone(), next.row(&found.family, now));
    let rotated = call
        .site
        .env
        .db
        .write(move |tx| {
            let (digest, sealed, row) = (digest.clone(), sealed.clone(), row.clone());
            Box::pin(async move {
                if !grants::use_refresh(tx, tenant, &digest, now, &sealed).await? {
                    return Ok(Some(false));
                }
                let family = grants::find_family(tx, tenant, grant).await?;
                if family.is_none_or(|family| family.revoked_at.is_some()) {
                    return Ok(None);
                }
                grants::insert_refresh(tx, tenant, &row).await?;
                Ok(Some(true))
            })
        })
        .await?;
    rotated.ok_or_else(|| error::REFRESH_REVOKED.into())
}

/// A token came back after its successor was used: the family dies, and somebody should know.
fn reuse(call: &Call<'_>, found: &Found) -> EntryRow {
    let (now, grant) = (call.visit.now, found.family.id);
    EntryRow {
        key: call.site.env.order_key(now),
        at: now,
        actor: format!("application:{}", found.row.client_id),
        action: "refresh_reuse".to_owned(),
        target_kind: "user".to_owned(),
        target_id: found.family.user_id.to_string(),
        correlation_id: call.visit.correlation.to_string(),
        detail: serde_json::json!({"grant": grant, "generation": found.row.generation}).to_string(),
    }
}

/// Ends everything that came of the sign-in; `entry` is written by whoever does so first.
async fn end(call: &Call<'_>, found: &Found, entry: Option<EntryRow>) -> Outcome<()> {
    let (tenant, now, grant) = (call.visit.tenant_id(), call.visit.now, found.family.id);
    call.site
        .env
        .db
        .write(move |tx| {
            let entry = entry.clone();
            Box::pin(async move {
                if grants::revoke_family(tx, tenant, grant, now).await?
                    && let Some(entry) = entry
                {
                    audit::insert(tx, tenant, &entry).await?;
                }
                Ok(())
            })
        })
        .await
}

fn successor_key(call: &Call<'_>, plain: &str) -> Outcome<SealingKey> {
    SealingKey::new(hmac_parts(&call.site.env.derived.pairwise, &[b"refresh successor", plain.as_bytes()]))
}

fn open(call: &Call<'_>, plain: &str, sealed: &[u8]) -> Outcome<String> {
    let opened = successor_key(call, plain)?.open(PLACE, sealed)?;
    String::from_utf8(opened).map_err(|_| Fault::ours("refresh_token: the successor is not a text"))
}
