//! The authorization code grant.

use vestibule_crypto::digest::pkce_s256;
use vestibule_rules::directory::user::User;
use vestibule_rules::fault::{Fault, Outcome};
use vestibule_rules::oauth::dpop::binds_refresh_tokens;
use vestibule_rules::oauth::error::{self, OAuthError};
use vestibule_rules::oauth::pkce::{self, Shown};
use vestibule_rules::oauth::token::{self, Code, Redeeming, Refused};
use vestibule_rules::time::Span;
use vestibule_store::grants::{self, CodeRow, FamilyRow, RefreshRow};
use vestibule_store::users;

use super::code::{CodeDoc, read_doc, read_platform};
use super::mint::{Mint, NewRefresh};
use super::{Call, Refusal, TokenResponse, digest_of, granted, issuer_of};
use crate::throttle::Limit;

const WINDOW: Span = Span::minutes(10);
/// More than all apps behind one network ask for again after their codes were cleared away.
const GUESSES: i64 = 100;

/// A code with everything around it, as of one instant.
struct Found {
    code: CodeRow,
    doc: CodeDoc,
    family: FamilyRow,
    user: Option<User>,
}

pub(super) async fn redeem(call: &Call<'_>) -> Result<TokenResponse, Refusal> {
    let digest = digest_of(call.params.require("code")?);
    let found = find(call, &digest).await?;
    let platform = read_platform(&found.code)?;
    // Who cannot prove to be the client learns nothing about the code and does nothing to it.
    if found.code.client_id == call.client.app.app_id {
        call.client.authenticate(Some(platform), call.visit.now)?;
    } else {
        call.client.check_what_was_shown()?;
    }
    let key = call.key(Some(platform)).await?;
    if let Err(refused) = check(call, &found, key.as_deref()) {
        if let Refused::Revoke(_) = refused {
            revoke(call, &found).await?;
        }
        return Err(refused.error().into());
    }
    let user = token::check_user(found.user.as_ref(), found.family.created_at)?;
    let applications = &call.visit.tenant.config.applications;
    let granted = granted(call, user.id, &found.code.scope).await?;
    let scope = granted.asked(call.params, applications)?;
    let refresh = granted.offline_access.then(|| {
        let key = key.as_deref().filter(|_| binds_refresh_tokens(platform));
        NewRefresh::draw(call, platform, &found.family, (0, key))
    });
    let mint = Mint {
        family: &found.family,
        user,
        scope: &scope,
        idp: issuer_of(call.site, call.visit, found.doc.provider.as_ref()),
        nonce: found.code.nonce.as_deref(),
        key: key.as_deref(),
        in_address: false,
    };
    let response = mint.response(call, refresh.as_ref()).await?;
    spend(call, &found, refresh.map(|new| new.row(&found.family, call.visit.now))).await?;
    Ok(response)
}

async fn find(call: &Call<'_>, digest: &[u8]) -> Result<Found, Refusal> {
    let tenant = call.visit.tenant_id();
    let mut tx = call.site.env.db.read().await?;
    let Some(code) = grants::find_code(&mut tx, tenant, digest).await? else {
        call.client.check_what_was_shown()?;
        drop(tx);
        return Err(unknown(call, digest).await?.into());
    };
    let family = grants::find_family(&mut tx, tenant, code.grant_id)
        .await?
        .ok_or_else(|| Fault::ours(format!("authorization_code: grant {} is missing", code.grant_id)))?;
    let user = users::find(&mut tx, tenant, family.user_id).await?;
    Ok(Found { doc: read_doc(&code)?, code, family, user })
}

/// What is wrong with a code that the tenant does not know. Only such codes count, and no right one is ever refused
/// because of them (security.md S33).
async fn unknown(call: &Call<'_>, digest: &[u8]) -> Outcome<OAuthError> {
    let (site, visit) = (call.site, call.visit);
    if grants::find_code_any_tenant(&mut site.env.db.glance().await?, digest).await?.is_some() {
        return Ok(error::CODE_OF_OTHER_TENANT);
    }
    let limit = Limit::new(&site.env, "code", &visit.network(), WINDOW, GUESSES);
    let spent = Limit::spend(&site.env, visit.tenant_id(), vec![limit], visit.now).await?;
    spent.map_err(Fault::throttled)?;
    Ok(error::CODE)
}

fn check(call: &Call<'_>, found: &Found, key: Option<&str>) -> Result<(), Refused> {
    let keep = Refused::Keep;
    let shown = match call.params.get("code_verifier").map_err(keep)? {
        None => Shown::Nothing,
        Some(verifier) if pkce::is_verifier(verifier) => Shown::Challenge(pkce_s256(verifier)),
        Some(_) => Shown::Malformed,
    };
    let code = Code {
        client: found.code.client_id,
        issuer: &found.code.issuer,
        redirect_uri: &found.code.redirect_uri,
        redirect_uri_sent: found.doc.redirect_uri_sent,
        challenge: found.code.code_challenge.as_deref(),
        key: found.doc.dpop_jkt.as_deref(),
        expires_at: found.code.expires_at,
        redeemed: found.code.redeemed_at.is_some(),
        revoked: found.family.revoked_at.is_some(),
    };
    let issuer = call.visit.issuer();
    let request = Redeeming {
        client: call.client.app.app_id,
        issuer: &issuer,
        redirect_uri: call.params.get("redirect_uri").map_err(keep)?,
        shown: &shown,
        key,
        now: call.visit.now,
    };
    token::redeem(&code, &request)
}

/// What a guarded write came to.
#[derive(Clone, Copy)]
enum Spent {
    Done,
    /// Somebody else was first; what they got is dead now (security.md S29).
    Twice,
    /// The person signed out meanwhile.
    Revoked,
}

/// Spends the code. Of any number of requests one gets through.
async fn spend(call: &Call<'_>, found: &Found, refresh: Option<RefreshRow>) -> Result<(), Refusal> {
    let (tenant, now, grant) = (call.visit.tenant_id(), call.visit.now, found.family.id);
    let digest = found.code.digest.clone();
    let spent = call
        .site
        .env
        .db
        .write(move |tx| {
            let (digest, refresh) = (digest.clone(), refresh.clone());
            Box::pin(async move {
                if !grants::redeem_code(tx, tenant, &digest, now).await? {
                    grants::revoke_family(tx, tenant, grant, now).await?;
                    return Ok(Spent::Twice);
                }
                let family = grants::find_family(tx, tenant, grant).await?;
                if family.is_none_or(|family| family.revoked_at.is_some()) {
                    return Ok(Spent::Revoked);
                }
                if let Some(refresh) = &refresh {
                    grants::insert_refresh(tx, tenant, refresh).await?;
                }
                Ok(Spent::Done)
            })
        })
        .await?;
    match spent {
        Spent::Done => Ok(()),
        Spent::Twice => Err(error::CODE_REDEEMED.into()),
        Spent::Revoked => Err(error::CODE_EXPIRED.into()),
    }
}

/// Kills a leaked code and everything that came of it.
async fn revoke(call: &Call<'_>, found: &Found) -> Outcome<()> {
    let (tenant, now, grant) = (call.visit.tenant_id(), call.visit.now, found.family.id);
    let digest = found.code.digest.clone();
    call.site
        .env
        .db
        .write(move |tx| {
            let digest = digest.clone();
            Box::pin(async move {
                grants::redeem_code(tx, tenant, &digest, now).await?;
                grants::revoke_family(tx, tenant, grant, now).await.map(drop)
            })
        })
        .await
}
