//! Authorization codes: made when somebody signed in, spent at the token endpoint.

use serde::{Deserialize, Serialize};
use vestibule_crypto::digest;
use vestibule_rules::directory::application::Platform;
use vestibule_rules::fault::{Fault, Outcome};
use vestibule_rules::ids::{ClientId, GrantId, ProviderId, SessionId, TenantId, UserId};
use vestibule_rules::oauth::added_claims::OptionalName;
use vestibule_rules::oauth::authorize::Verified;
use vestibule_rules::oauth::claims_request::ClaimsRequest;
use vestibule_rules::oauth::profile;
use vestibule_rules::text::Secret;
use vestibule_rules::time::{Span, Timestamp};
use vestibule_store::WriteTx;
use vestibule_store::grants::{self, CodeRow, FamilyRow};

use super::{digest_of, lives};
use crate::env::Site;
use crate::visit::Visit;

/// Who signed in, for which request.
#[derive(Clone, Copy)]
pub struct NewCode<'a> {
    pub verified: &'a Verified,
    pub user: UserId,
    pub sid: SessionId,
    pub auth_time: Timestamp,
    /// How they proved who they are.
    pub amr: &'a [String],
    /// The identity provider, when it was one.
    pub provider: Option<&'a ProviderId>,
    /// The digest of the cookie that the browser has when the answer gets there.
    pub cookie: &'a [u8],
}

/// A code that is ready to be written, with the family of everything that will come of it.
#[derive(Clone)]
pub struct PreparedCode {
    tenant: TenantId,
    pub(super) family: FamilyRow,
    /// None when only tokens were asked for.
    code: Option<CodeRow>,
}

/// What the token endpoint needs to know beside the columns.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct CodeDoc {
    pub(super) redirect_uri_sent: bool,
    pub(super) provider: Option<ProviderId>,
    /// The thumbprint of the key that the code is bound to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) dpop_jkt: Option<String>,
}

/// What tokens of a grant need to know beside the columns.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct FamilyDoc {
    /// Claims that the request named one by one.
    #[serde(skip_serializing_if = "ClaimsRequest::is_empty")]
    pub(crate) claims: ClaimsRequest,
    /// How the person proved who they are.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) amr: Vec<String>,
    /// The network address that they signed in from; kept only for who asks for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) address: Option<String>,
}

impl FamilyDoc {
    pub(crate) fn of(family: &FamilyRow) -> Outcome<Self> {
        let Some(doc) = &family.doc else { return Ok(Self::default()) };
        serde_json::from_str(doc).map_err(|error| Fault::ours(format!("grant_family.doc: {error}")))
    }

    pub(crate) fn write(&self) -> Outcome<String> {
        serde_json::to_string(self).map_err(|error| Fault::ours(format!("grant_family.doc: {error}")))
    }
}

/// Makes a code and its rows. The plain code goes to the application and nowhere else.
pub fn prepare_code(site: &Site, visit: &Visit, new: NewCode<'_>) -> Outcome<(PreparedCode, Secret<String>)> {
    let NewCode { verified, user, sid, auth_time, amr, provider, cookie: _ } = new;
    let lifetimes = &site.settings.lifetimes;
    let code = digest::token(site.env.random());
    let grant = GrantId::from_random(site.env.random());
    let scope = verified.scope.stored();
    // Rotation never goes beyond the family's end (security.md S76); a single-page app's is a day, fixed.
    let absolute = lives::of(site, visit, verified.client_id).absolute;
    let life = match verified.platform {
        Platform::Spa => lifetimes.spa_refresh_token.min(absolute),
        Platform::Web | Platform::PublicClient => absolute,
    };
    let doc = CodeDoc {
        redirect_uri_sent: verified.redirect_uri_sent,
        provider: provider.cloned(),
        dpop_jkt: verified.dpop_jkt.clone(),
    };
    let family = FamilyRow {
        id: grant,
        client_id: verified.client_id,
        user_id: user,
        sid,
        issuer: visit.issuer(),
        scope: scope.clone(),
        auth_time,
        created_at: visit.now,
        expires_at: visit.now + life,
        revoked_at: None,
        doc: Some(doc_of(visit, verified, amr).write()?),
        parent_id: None,
    };
    let row = CodeRow {
        grant_id: grant,
        client_id: verified.client_id,
        digest: digest_of(&code),
        redirect_uri: verified.callback.redirect_uri().to_owned(),
        platform: word(verified.platform)?,
        scope,
        nonce: verified.nonce.clone(),
        code_challenge: verified.code_challenge.clone(),
        issuer: visit.issuer(),
        created_at: visit.now,
        expires_at: visit.now + code_life(site, visit, verified.client_id),
        redeemed_at: None,
        doc: serde_json::to_string(&doc).map_err(|error| unreadable(&error))?,
    };
    let row = verified.response_type.code.then_some(row);
    Ok((PreparedCode { tenant: visit.tenant_id(), family, code: row }, Secret::new(code)))
}

fn doc_of(visit: &Visit, verified: &Verified, amr: &[String]) -> FamilyDoc {
    let asks = |client: ClientId| {
        let app = visit.tenant.application(client);
        app.is_some_and(|app| {
            let asked = &app.settings.tokens.optional_claims;
            let name = OptionalName::IpAddr.as_str();
            asked.id_token.iter().chain(&asked.access_token).any(|claim| claim.name == name)
        })
    };
    let address = (asks(verified.client_id) || asks(verified.scope.audience())).then(|| visit.source.clone());
    FamilyDoc { claims: verified.claims.clone(), amr: amr.to_vec(), address }
}

/// What the operator set, within what the client's profile allows (security.md S32).
fn code_life(site: &Site, visit: &Visit, client: ClientId) -> Span {
    let profile = visit.tenant.application(client).map(|app| app.settings.security_profile);
    site.settings.lifetimes.authorization_code.min(profile::of(profile.unwrap_or_default()).code_for)
}

impl PreparedCode {
    /// Writes the code in the transaction in which a journey ends or a session answers.
    pub async fn write(&self, tx: &mut WriteTx) -> Outcome<()> {
        grants::insert_family(tx, self.tenant, &self.family).await?;
        match &self.code {
            Some(code) => grants::insert_code(tx, self.tenant, code).await,
            None => Ok(()),
        }
    }
}

pub(super) fn read_doc(row: &CodeRow) -> Outcome<CodeDoc> {
    serde_json::from_str(&row.doc).map_err(|error| unreadable(&error))
}

pub(super) fn read_platform(row: &CodeRow) -> Outcome<Platform> {
    serde_json::from_value(row.platform.clone().into()).map_err(|error| unreadable(&error))
}

fn word(platform: Platform) -> Outcome<String> {
    match serde_json::to_value(platform) {
        Ok(serde_json::Value::String(word)) => Ok(word),
        Ok(other) => Err(Fault::ours(format!("a platform is written as {other}"))),
        Err(error) => Err(unreadable(&error)),
    }
}

fn unreadable(error: &serde_json::Error) -> Fault {
    Fault::ours(format!("authorization_code: {error}"))
}
