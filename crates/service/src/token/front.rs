//! The answer to an authorization request: a code, tokens, or both.
//!
//! Tokens are signed after the grant is written, because they name it and speak of an account that the same
//! transaction may have made. A crash in between costs the person one more click.

use vestibule_crypto::digest::base64url;
use vestibule_rules::fault::{Fault, Outcome};
use vestibule_rules::ids::ProviderId;
use vestibule_rules::oauth::authorize::Verified;
use vestibule_rules::oauth::claims;
use vestibule_rules::oauth::params::Params;
use vestibule_rules::text::Secret;
use vestibule_store::users;

use super::client::Client;
use super::mint::{Beside, Mint};
use super::{Call, NewCode, PreparedCode, Refusal, issuer_of, prepare_code};
use crate::consent;
use crate::dpop::Possession;
use crate::env::Site;
use crate::hop::Reply;
use crate::membership;
use crate::session;
use crate::visit::Visit;

/// What a request is answered with once its rows are written.
#[derive(Clone)]
pub(crate) struct Granted {
    request: Verified,
    /// What is to be written first.
    pub(crate) rows: PreparedCode,
    code: Secret<String>,
    provider: Option<ProviderId>,
    cookie: Vec<u8>,
}

/// Draws the code and the grant.
pub(crate) fn grant(site: &Site, visit: &Visit, new: NewCode<'_>) -> Outcome<Granted> {
    let (rows, code) = prepare_code(site, visit, new)?;
    let cookie = new.cookie.to_vec();
    Ok(Granted { request: new.verified.clone(), rows, code, provider: new.provider.cloned(), cookie })
}

impl Granted {
    /// The response, with its tokens signed.
    pub(crate) async fn reply(&self, site: &Site, visit: &Visit) -> Outcome<Reply> {
        // The person has an account and is signed in by now; the application gets nothing of it (S66).
        let (client, audience) = (self.request.client_id, self.request.scope.audience());
        if !membership::admits(site, visit, self.rows.family.user_id, (client, audience)).await? {
            return Err(membership::not_assigned());
        }
        let answers = self.request.response_type;
        let mut granted = Vec::new();
        if answers.code {
            granted.push(("code", self.code.expose().clone()));
        }
        if answers.uses_front_channel() {
            granted.extend(self.tokens(site, visit).await?);
        }
        let callback = self.request.callback.clone();
        if let Some(origin) = callback.origin().filter(|_| self.request.scope.openid) {
            let state = session::session_state(site, self.request.client_id, &origin, &self.cookie);
            granted.push(("session_state", state));
        }
        let parameters = callback.success(granted, &visit.issuer());
        Ok(Reply { callback, parameters })
    }

    async fn tokens(&self, site: &Site, visit: &Visit) -> Outcome<Vec<(&'static str, String)>> {
        let Verified { response_type, scope, nonce, .. } = &self.request;
        let family = &self.rows.family;
        let mut tx = site.env.db.read().await?;
        let user = users::find(&mut tx, visit.tenant_id(), family.user_id).await?;
        let whose = (family.client_id, family.user_id);
        let left = consent::remaining(&mut tx, visit, whose, scope).await?;
        drop(tx);
        let scope = &left.ok_or_else(|| Fault::stale("the consent was withdrawn"))?;
        let user = user.ok_or_else(|| Fault::ours("a grant without an account"))?;
        let app = visit.tenant.application(self.request.client_id);
        let app = app.ok_or_else(|| Fault::ours("a grant without an application"))?;
        let client = Client::at_its_address(app);
        let call =
            Call { site, visit, params: &Params::default(), client, possession: &Possession::default() };
        let mint = Mint {
            family,
            user: &user,
            scope,
            idp: issuer_of(site, visit, self.provider.as_ref()),
            nonce: nonce.as_deref(),
            // A browser proves no key.
            key: None,
            in_address: true,
        };
        let standing = mint.standing(&call).await.map_err(|refusal| match refusal {
            Refusal::Fault(fault) => fault,
            Refusal::Protocol(_) => membership::not_assigned(),
        })?;
        let mut granted = Vec::new();
        if response_type.token {
            let life = mint.life(&call);
            granted.push(("access_token", mint.access_token(&call, life, &standing).await?));
            granted.push(("token_type", "Bearer".to_owned()));
            granted.push(("expires_in", life.as_seconds().to_string()));
            granted.push(("scope", scope.text()));
        }
        if response_type.id_token {
            let access = granted.first().map(|(_, token)| token.clone());
            let beside = Beside {
                access_token: access.as_deref(),
                code: response_type.code.then(|| self.code.expose().as_str()),
                replaces_userinfo: !response_type.code && !response_type.token,
            };
            granted.push(("id_token", mint.id_token(&call, beside, &standing).await?));
        }
        if self.request.wants_client_info {
            let info = claims::client_info(user.id, visit.tenant_id());
            granted.push(("client_info", base64url(info.to_string().as_bytes())));
        }
        Ok(granted)
    }
}
