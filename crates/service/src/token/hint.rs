//! What applications hand back to say whom they mean: ID tokens of ours, and the opaque `login_hint` claim
//! that MSAL sends as `login_hint` and `logout_hint` (native-auth-and-msal.md 2.4, 2.9).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;
use uuid::Uuid;
use vestibule_crypto::claims::audiences;
use vestibule_crypto::constant_time;
use vestibule_crypto::digest::{base64url, hmac_parts};
use vestibule_rules::fault::Outcome;
use vestibule_rules::ids::{ClientId, SessionId, TenantId, UserId};
use vestibule_rules::oauth::account::Hinted;
use vestibule_rules::oauth::demands::Demands;
use vestibule_rules::oauth::params::Params;

use super::subject;
use crate::env::Site;
use crate::session::Browser;
use crate::visit::Visit;

/// Marks the hints of ours, so that an address is never taken for one.
const PREFIX: &str = "O.";

/// An ID token that this server signed for an application of the tenant, expired or not.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct IdTokenHint {
    pub client: ClientId,
    pub sub: String,
    pub sid: SessionId,
}

/// The `login_hint` claim: user and session with a proof that they come from here. Both ids are in the token
/// anyway; the person's address, which would end up in logs, is not in it.
pub fn login_hint(site: &Site, tenant: TenantId, user: UserId, sid: SessionId) -> String {
    let ids = [*user.uuid().as_bytes(), *sid.uuid().as_bytes()].concat();
    format!("{PREFIX}{}", base64url(&[ids.as_slice(), &proof(site, tenant, &ids)].concat()))
}

/// Reads what [`login_hint`] wrote for the same tenant; `None` for anything else, such as an address.
pub fn open_login_hint(site: &Site, tenant: TenantId, text: &str) -> Option<(UserId, SessionId)> {
    let bytes = URL_SAFE_NO_PAD.decode(text.strip_prefix(PREFIX)?).ok()?;
    let (ids, shown) = bytes.split_at_checked(32)?;
    if !constant_time::eq(shown, &proof(site, tenant, ids)) {
        return None;
    }
    let (user, sid) = ids.split_at_checked(16)?;
    let id = |bytes| Uuid::from_slice(bytes).ok();
    Some((UserId::from_uuid(id(user)?), SessionId::from_uuid(id(sid)?)))
}

fn proof(site: &Site, tenant: TenantId, ids: &[u8]) -> [u8; 32] {
    hmac_parts(&site.env.derived.pairwise, &[b"login hint", tenant.uuid().as_bytes(), ids])
}

/// Reads an ID token of ours. It may have expired: that somebody was signed in stays true
/// (OpenID Connect RP-Initiated Logout 1.0 §2).
pub async fn id_token(site: &Site, visit: &Visit, token: &str) -> Outcome<Option<IdTokenHint>> {
    let Ok(claims) = site.keyring.verify_own(&site.env, visit.tenant_id(), token).await? else {
        return Ok(None);
    };
    let text = |name: &str| claims.get(name).and_then(Value::as_str);
    // An access token is not an ID token, although the same key signs both (security.md S61).
    if text("iss") != Some(&visit.issuer()) || claims.contains_key("azp") {
        return Ok(None);
    }
    let client = audiences(&claims).ok().and_then(|all| ClientId::parse(all.first()?));
    let known = client.filter(|client| visit.tenant.application(*client).is_some());
    let sid = text("sid").and_then(SessionId::parse);
    Ok(known.zip(sid).zip(text("sub")).map(|((client, sid), sub)| IdTokenHint {
        client,
        sub: sub.to_owned(),
        sid,
    }))
}

/// Whom an authorization request means. A demand goes before every hint; of hints what proves most comes first: a token
/// of ours, then the session that MSAL names (`sid`), then a name.
pub async fn hinted(
    site: &Site,
    visit: &Visit,
    (params, demands): (&Params, &Demands),
    here: &Browser,
) -> Outcome<Hinted> {
    let named = |client: ClientId, is_meant: &dyn Fn(&str) -> bool| {
        let mut users = here.accounts.iter().map(|found| found.session.user);
        let found = users.find(|user| is_meant(&subject(site, Some(&visit.tenant), client, *user)));
        found.map_or(Hinted::Stranger, Hinted::User)
    };
    if demands.sub.is_some() {
        let client = params.hint("client_id").and_then(ClientId::parse);
        return Ok(client.map_or(Hinted::Stranger, |client| named(client, &|sub| demands.mean(sub))));
    }
    if let Some(token) = params.hint("id_token_hint") {
        // A hint that is not ours names nobody, so it is nobody's who is signed in.
        let Some(hinted) = id_token(site, visit, token).await? else { return Ok(Hinted::Stranger) };
        return Ok(named(hinted.client, &|sub| sub == hinted.sub));
    }
    if let Some(sid) = params.hint("sid").and_then(SessionId::parse) {
        return Ok(Hinted::Session(sid));
    }
    Ok(match params.hint("login_hint") {
        None => Hinted::Anybody,
        Some(text) => match open_login_hint(site, visit.tenant_id(), text) {
            Some((user, _)) => Hinted::User(user),
            None => Hinted::Name(text.to_owned()),
        },
    })
}
