//! The device grant: a device asks whether somebody has signed in for it (RFC 8628 §3.4).

use vestibule_rules::directory::user::User;
use vestibule_rules::fault::Fault;
use vestibule_rules::ids::{GrantId, ProviderId};
use vestibule_rules::oauth::device::{self, Form, INTERVAL, Polling, Status, Waiting};
use vestibule_rules::oauth::dpop::binds_refresh_tokens;
use vestibule_rules::oauth::error;
use vestibule_rules::oauth::token::{self, Refused};
use vestibule_store::device_codes::{self, DeviceCodeRow};
use vestibule_store::grants::{self, FamilyRow, RefreshRow};
use vestibule_store::users;

use super::mint::{Mint, NewRefresh};
use super::{Call, Refusal, TokenResponse, digest_of, granted, issuer_of, provider_of};

/// A device code with everything around it, as of one instant.
struct Found {
    code: DeviceCodeRow,
    given: Option<Given>,
}

/// What somebody gave the device.
struct Given {
    family: FamilyRow,
    user: Option<User>,
    provider: Option<ProviderId>,
}

pub(super) async fn redeem(call: &Call<'_>, form: Form) -> Result<TokenResponse, Refusal> {
    let platform = device::platform(call.client.app)?;
    call.client.authenticate(Some(platform), call.visit.now)?;
    let key = call.key(Some(platform)).await?;
    // MSAL for Python sends both, and some send only the older name (native-auth-and-msal.md 2.5).
    let plain = match call.params.get("device_code")? {
        Some(plain) => plain,
        None => call.params.require("code")?,
    };
    let found = find(call, &digest_of(plain)).await?;
    if let Err(refused) = check(call, &found, form) {
        note(call, &found, (form, refused)).await?;
        return Err(refused.error().into());
    }
    let given = found.given.as_ref().ok_or_else(|| Fault::ours("an approved device without a grant"))?;
    let user = token::check_user(given.user.as_ref(), given.family.created_at)?;
    let applications = &call.visit.tenant.config.applications;
    let granted = granted(call, user.id, &given.family.scope).await?;
    let scope = granted.asked(call.params, applications)?;
    let refresh = granted.offline_access.then(|| {
        let key = key.as_deref().filter(|_| binds_refresh_tokens(platform));
        NewRefresh::draw(call, platform, &given.family, (0, key))
    });
    let mint = Mint {
        family: &given.family,
        user,
        scope: &scope,
        idp: issuer_of(call.site, call.visit, given.provider.as_ref()),
        nonce: None,
        key: key.as_deref(),
        in_address: false,
    };
    let response = mint.response(call, refresh.as_ref()).await?;
    let refresh = refresh.map(|new| new.row(&given.family, call.visit.now));
    spend(call, (&found.code, given.family.id), refresh).await?;
    Ok(response)
}

async fn find(call: &Call<'_>, digest: &[u8]) -> Result<Found, Refusal> {
    let tenant = call.visit.tenant_id();
    let mut tx = call.site.env.db.read().await?;
    let code = device_codes::find(&mut tx, tenant, digest).await?.ok_or(error::DEVICE_CODE)?;
    let family = match code.grant_id {
        Some(grant) => grants::find_family(&mut tx, tenant, grant).await?,
        None => None,
    };
    let given = match family {
        Some(family) => Some(Given {
            user: users::find(&mut tx, tenant, family.user_id).await?,
            provider: provider_of(&mut tx, tenant, family.sid).await?,
            family,
        }),
        None => None,
    };
    Ok(Found { code, given })
}

fn check(call: &Call<'_>, found: &Found, form: Form) -> Result<(), Refused> {
    let Found { code, given } = found;
    let issuer = call.visit.issuer();
    let waiting = Waiting {
        client: code.client_id,
        issuer: &code.issuer,
        status: code.status,
        expires_at: code.expires_at,
        revoked: given.as_ref().is_none_or(|given| given.family.revoked_at.is_some()),
        polled_at: code.polled_at,
        interval: code.interval,
    };
    let now = call.visit.now;
    device::poll(&waiting, &Polling { client: call.client.app.app_id, issuer: &issuer, form, now })
}

/// Remembers when a device asked that can be told to slow down; a code that leaked takes everything with it.
async fn note(call: &Call<'_>, found: &Found, (form, refused): (Form, Refused)) -> Result<(), Refusal> {
    let (tenant, now) = (call.visit.tenant_id(), call.visit.now);
    match refused {
        Refused::Revoke(_) => {
            let Some(grant) = found.code.grant_id else { return Ok(()) };
            let db = &call.site.env.db;
            db.write(move |tx| {
                Box::pin(async move { grants::revoke_family(tx, tenant, grant, now).await.map(drop) })
            })
            .await?;
        }
        Refused::Keep(error) => {
            let is_own = found.code.client_id == call.client.app.app_id;
            if !is_own || form == Form::Msal || found.code.status != Status::Waiting {
                return Ok(());
            }
            let slower = if error == error::DEVICE_SLOW_DOWN { INTERVAL.as_seconds() } else { 0 };
            let interval = vestibule_rules::time::Span::seconds(found.code.interval.as_seconds() + slower);
            let digest = found.code.digest.clone();
            let db = &call.site.env.db;
            db.write(move |tx| {
                let digest = digest.clone();
                Box::pin(async move { device_codes::polled(tx, tenant, &digest, (now, interval)).await })
            })
            .await?;
        }
    }
    Ok(())
}

/// What a guarded write came to.
#[derive(Clone, Copy)]
enum Spent {
    Done,
    /// Somebody else was first; what they got is dead now.
    Twice,
    /// The person signed out meanwhile.
    Revoked,
}

/// Spends the code. Of any number of requests one gets through.
async fn spend(
    call: &Call<'_>,
    (code, grant): (&DeviceCodeRow, GrantId),
    refresh: Option<RefreshRow>,
) -> Result<(), Refusal> {
    let (tenant, now, digest) = (call.visit.tenant_id(), call.visit.now, code.digest.clone());
    let spent = call
        .site
        .env
        .db
        .write(move |tx| {
            let (digest, refresh) = (digest.clone(), refresh.clone());
            Box::pin(async move {
                if !device_codes::redeem(tx, tenant, &digest, now).await? {
                    grants::revoke_family(tx, tenant, grant, now).await?;
                    return Ok(Spent::Twice);
                }
                if !grants::hold_family(tx, tenant, grant).await? {
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
        Spent::Twice => Err(error::DEVICE_REDEEMED.into()),
        Spent::Revoked => Err(error::DEVICE_REVOKED.into()),
    }
}
