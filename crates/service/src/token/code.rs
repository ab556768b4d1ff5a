//! Authorization codes: made when somebody signed in, spent at the token endpoint.

use serde::{Deserialize, Serialize};
use vestibule_crypto::digest;
use vestibule_rules::directory::application::Platform;
use vestibule_rules::fault::{Fault, Outcome};
use vestibule_rules::ids::{GrantId, ProviderId, SessionId, TenantId, UserId};
use vestibule_rules::oauth::authorize::Verified;
use vestibule_rules::oauth::token::ABSOLUTE;
use vestibule_rules::text::Secret;
use vestibule_rules::time::Timestamp;
use vestibule_store::WriteTx;
use vestibule_store::grants::{self, CodeRow, FamilyRow};

use super::digest_of;
use crate::env::Site;
use crate::visit::Visit;

/// Who signed in, for which request.
#[derive(Clone, Copy)]
pub struct NewCode<'a> {
    pub verified: &'a Verified,
    pub user: UserId,
    pub sid: SessionId,
    pub auth_time: Timestamp,
    /// The identity provider, when it was one.
    pub provider: Option<&'a ProviderId>,
}

/// A code that is ready to be written, with the family of everything that will come of it.
#[derive(Clone)]
pub struct PreparedCode {
    tenant: TenantId,
    family: FamilyRow,
    code: CodeRow,
}

/// What the token endpoint needs to know beside the columns.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct CodeDoc {
    pub(super) redirect_uri_sent: bool,
    /// The request had a `max_age`, so the ID token says when the person signed in.
    pub(super) tells_auth_time: bool,
    pub(super) provider: Option<ProviderId>,
    /// The thumbprint of the key that the code is bound to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) dpop_jkt: Option<String>,
}

/// Makes a code and its rows. The plain code goes to the application and nowhere else.
pub fn prepare_code(site: &Site, visit: &Visit, new: NewCode<'_>) -> Outcome<(PreparedCode, Secret<String>)> {
    let NewCode { verified, user, sid, auth_time, provider } = new;
    let lifetimes = &site.settings.lifetimes;
    let code = digest::token(site.env.random());
    let grant = GrantId::from_random(site.env.random());
    let scope = verified.scope.stored();
    // Rotation never goes beyond the family's end (security.md S76); a single-page app's is a day, fixed.
    let life = match verified.platform {
        Platform::Spa => lifetimes.spa_refresh_token,
        Platform::Web | Platform::PublicClient => ABSOLUTE,
    };
    let doc = CodeDoc {
        redirect_uri_sent: verified.redirect_uri_sent,
        tells_auth_time: verified.max_age.is_some(),
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
        expires_at: visit.now + lifetimes.authorization_code,
        redeemed_at: None,
        doc: serde_json::to_string(&doc).map_err(|error| unreadable(&error))?,
    };
    Ok((PreparedCode { tenant: visit.tenant_id(), family, code: row }, Secret::new(code)))
}

impl PreparedCode {
    /// Writes the code in the transaction in which a journey ends or a session answers.
    pub async fn write(&self, tx: &mut WriteTx) -> Outcome<()> {
        grants::insert_family(tx, self.tenant, &self.family).await?;
        grants::insert_code(tx, self.tenant, &self.code).await
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
