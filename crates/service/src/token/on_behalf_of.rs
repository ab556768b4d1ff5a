//! The on-behalf-of grant: an API that was called in somebody's name calls another one in it.
//!
//! What it gets is a grant of its own below the one that the assertion came from: signing out, and whatever else ends
//! that one, ends this one.

use serde_json::{Map, Value};
use vestibule_crypto::claims::{audiences, check_times};
use vestibule_rules::directory::application::Platform;
use vestibule_rules::directory::user::User;
use vestibule_rules::fault::Outcome;
use vestibule_rules::ids::{ClientId, GrantId, ProviderId, UserId};
use vestibule_rules::oauth::error;
use vestibule_rules::oauth::on_behalf_of::{self, Assertion, GrantFact, Standing};
use vestibule_rules::oauth::scope::{self, Scope};
use vestibule_rules::time::Span;
use vestibule_store::grants::{self, FamilyRow, RefreshRow};
use vestibule_store::users;

use super::mint::{Mint, NewRefresh};
use super::{Call, Refusal, TokenResponse, consented, end_of_grant, issuer_of, provider_of};

/// What an assertion names, as of one instant.
struct Found {
    parent: Option<FamilyRow>,
    user: Option<User>,
    provider: Option<ProviderId>,
}

pub(super) async fn exchange(call: &Call<'_>) -> Result<TokenResponse, Refusal> {
    let Call { site, visit, params, client, .. } = call;
    client.authenticate(None, visit.now)?;
    let key = call.key(None).await?;
    let token = on_behalf_of::assertion(params)?;
    let verified = site.keyring.verify_own(&site.env, visit.tenant_id(), token).await?;
    let claims = verified.map_err(|_| error::ON_BEHALF_OF)?;
    check_times(&claims, visit.now, Span::default()).map_err(|_| error::ON_BEHALF_OF_TIME)?;
    let assertion = read(&claims).ok_or(error::ON_BEHALF_OF)?;
    let found = find(call, &assertion).await?;
    let user = check(call, &assertion, &found)?;
    let parent = found.parent.as_ref().ok_or(error::ON_BEHALF_OF)?;
    let (text, target) = (params.require("scope")?, scope::target(params)?);
    let scope = Scope::parse_for(text, target, &visit.tenant.config.applications)?;
    // There is no page here: whoever has not consented does so on the way to the first application.
    let scope = consented(call, user.id, &scope).await?;
    let family = FamilyRow {
        id: GrantId::from_random(site.env.random()),
        client_id: client.app.app_id,
        user_id: user.id,
        sid: parent.sid,
        issuer: parent.issuer.clone(),
        scope: scope.stored(),
        auth_time: parent.auth_time,
        created_at: visit.now,
        expires_at: end_of_grant(site, visit, client.app.app_id).min(parent.expires_at),
        revoked_at: None,
        doc: parent.doc.clone(),
        parent_id: Some(parent.id),
    };
    // Who proves itself with a secret refreshes with it, too.
    let refresh = scope.offline_access.then(|| NewRefresh::draw(call, Platform::Web, &family, (0, None)));
    let mint = Mint {
        family: &family,
        user,
        scope: &scope,
        idp: issuer_of(site, visit, found.provider.as_ref()),
        nonce: None,
        key: key.as_deref(),
        in_address: false,
    };
    let response = mint.response(call, refresh.as_ref()).await?;
    let refresh = refresh.map(|new| new.row(&family, visit.now));
    write(call, parent.id, (family, refresh)).await?;
    Ok(response)
}

/// A person's access token. An ID token has neither `azp` nor `rh`, a token of an application itself no `scp`
/// (security.md S61).
fn read(claims: &Map<String, Value>) -> Option<Assertion<'_>> {
    let text = |name: &str| claims.get(name).and_then(Value::as_str);
    if claims.contains_key("idtyp") {
        return None;
    }
    let audience = match audiences(claims).ok()?.as_slice() {
        [one] => ClientId::parse(one),
        [] | [_, ..] => None,
    };
    Some(Assertion {
        issuer: text("iss")?,
        audience,
        holder: ClientId::parse(text("azp")?)?,
        user: UserId::parse(text("oid")?)?,
        grant: GrantId::parse(text("rh")?)?,
        scp: text("scp")?,
    })
}

async fn find(call: &Call<'_>, assertion: &Assertion<'_>) -> Outcome<Found> {
    let tenant = call.visit.tenant_id();
    let mut tx = call.site.env.db.read().await?;
    let parent = grants::find_family(&mut tx, tenant, assertion.grant).await?;
    let provider = match &parent {
        Some(parent) => provider_of(&mut tx, tenant, parent.sid).await?,
        None => None,
    };
    let user = users::find(&mut tx, tenant, assertion.user).await?;
    Ok(Found { parent, user, provider })
}

fn check<'a>(call: &Call<'_>, assertion: &Assertion<'_>, found: &'a Found) -> Result<&'a User, Refusal> {
    let visit = call.visit;
    let grant = found.parent.as_ref().map(|parent| GrantFact {
        client: parent.client_id,
        user: parent.user_id,
        created_at: parent.created_at,
        expires_at: parent.expires_at,
        revoked: parent.revoked_at.is_some(),
    });
    let holder = visit.tenant.application(assertion.holder);
    let standing = Standing {
        holder_enabled: holder.is_some_and(|app| app.service_principal.account_enabled),
        grant,
        user: found.user.as_ref(),
    };
    let caller = (call.client.app.app_id, visit.issuer());
    Ok(on_behalf_of::check(assertion, (caller.0, &caller.1), &standing, visit.now)?)
}

/// Writes the grant, unless the one above it is taken back at this very moment.
async fn write(
    call: &Call<'_>,
    parent: GrantId,
    rows: (FamilyRow, Option<RefreshRow>),
) -> Result<(), Refusal> {
    let tenant = call.visit.tenant_id();
    let held = call
        .site
        .env
        .db
        .write(move |tx| {
            let (family, refresh) = rows.clone();
            Box::pin(async move {
                if !grants::hold_family(tx, tenant, parent).await? {
                    return Ok(false);
                }
                grants::insert_family(tx, tenant, &family).await?;
                if let Some(refresh) = &refresh {
                    grants::insert_refresh(tx, tenant, refresh).await?;
                }
                Ok(true)
            })
        })
        .await?;
    if held { Ok(()) } else { Err(error::ON_BEHALF_OF_REVOKED.into()) }
}
