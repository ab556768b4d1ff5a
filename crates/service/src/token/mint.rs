//! Signed tokens and fresh refresh tokens for a grant.

use vestibule_crypto::digest;
use vestibule_rules::directory::application::Platform;
use vestibule_rules::directory::user::User;
use vestibule_rules::fault::Outcome;
use vestibule_rules::ids::{ClientId, UserId};
use vestibule_rules::oauth::claims::{self, Issuance, SignIn, Subject};
use vestibule_rules::oauth::scope::{GRAPH, Scope};
use vestibule_rules::oauth::token::marker;
use vestibule_rules::time::{Span, Timestamp};
use vestibule_store::grants::{FamilyRow, RefreshRow};

use super::code::FamilyDoc;
use super::{Call, TokenResponse, digest_of, hint, token_type};
use crate::directory::snapshot::TenantView;
use crate::env::Site;

/// Whom tokens are minted for.
pub(super) struct Mint<'a> {
    pub(super) family: &'a FamilyRow,
    pub(super) user: &'a User,
    /// What the tokens are good for: the grant or less.
    pub(super) scope: &'a Scope,
    /// The issuer of the provider that the person came from.
    pub(super) idp: Option<String>,
    pub(super) nonce: Option<&'a str>,
    /// The thumbprint of the key that the access token is bound to.
    pub(super) key: Option<&'a str>,
}

/// What an ID token says of what travels beside it.
#[derive(Clone, Copy, Default)]
pub(super) struct Beside<'a> {
    pub(super) at_hash: Option<&'a str>,
    pub(super) c_hash: Option<&'a str>,
    /// Nothing that userinfo could be asked with.
    pub(super) replaces_userinfo: bool,
}

/// `sub` of a user for an application; what is none of the tenant's is a sector by itself.
pub(crate) fn subject(site: &Site, tenant: Option<&TenantView>, client: ClientId, user: UserId) -> String {
    let sector = match tenant.and_then(|tenant| tenant.application(client)) {
        Some(app) => claims::sector(app),
        None => Some(client.to_string()),
    };
    match sector {
        Some(sector) => digest::pairwise(&site.env.derived.pairwise, &sector, &user.to_string()),
        None => user.to_string(),
    }
}

impl Mint<'_> {
    /// Signs an access token, and an ID token when OpenID Connect was asked for.
    pub(super) async fn response(
        &self,
        call: &Call<'_>,
        refresh: Option<&NewRefresh>,
    ) -> Outcome<TokenResponse> {
        let (site, visit) = (call.site, call.visit);
        let life = site.settings.lifetimes.access_token;
        let id_token =
            if self.scope.openid { Some(self.id_token(call, Beside::default()).await?) } else { None };
        let client_info = call.params.is_set("client_info").then(|| {
            digest::base64url(claims::client_info(self.user.id, visit.tenant_id()).to_string().as_bytes())
        });
        Ok(TokenResponse {
            token_type: token_type(self.key),
            scope: self.scope.text(),
            expires_in: life.as_seconds(),
            ext_expires_in: life.as_seconds(),
            access_token: self.access_token(call, life).await?,
            refresh_token: refresh.map(|new| new.plain.clone()),
            refresh_token_expires_in: refresh.map(|new| new.expires_at.since(visit.now).as_seconds()),
            id_token,
            client_info,
        })
    }

    pub(super) async fn id_token(&self, call: &Call<'_>, beside: Beside<'_>) -> Outcome<String> {
        let site = call.site;
        let login_hint = hint::login_hint(site, call.visit.tenant_id(), self.user.id, self.family.sid);
        let sub = subject(site, Some(&call.visit.tenant), self.family.client_id, self.user.id);
        let uti = digest::base64url(&site.env.random::<16>());
        let doc = FamilyDoc::of(self.family)?;
        let sign_in = SignIn {
            nonce: self.nonce,
            auth_time: Some(self.family.auth_time),
            amr: &doc.amr,
            named: &doc.claims.id_token,
            at_hash: beside.at_hash,
            c_hash: beside.c_hash,
            replaces_userinfo: beside.replaces_userinfo,
            login_hint: Some(&login_hint),
            mapped: &call.client.app.token_claims,
        };
        let claims = claims::id_token(
            &self.issuance(call, &uti),
            &self.subject(&sub),
            &sign_in,
            site.settings.lifetimes.id_token,
        );
        site.keyring.sign(&site.env, call.visit.tenant_id(), &claims, call.visit.now).await
    }

    pub(super) async fn access_token(&self, call: &Call<'_>, life: Span) -> Outcome<String> {
        let site = call.site;
        let audience = self.scope.audience();
        // Userinfo speaks for the application that signed the person in; an API knows people by its own name.
        let sector = if audience == GRAPH { self.family.client_id } else { audience };
        let sub = subject(site, Some(&call.visit.tenant), sector, self.user.id);
        let uti = digest::base64url(&site.env.random::<16>());
        let resource = claims::resource(&call.visit.tenant.config.applications, audience);
        let mapped = resource.map(|app| app.token_claims.as_slice()).unwrap_or_default();
        let claims = claims::access_token(&self.issuance(call, &uti), &self.subject(&sub), mapped, life);
        let claims = claims::bound(claims, self.key);
        site.keyring.sign(&site.env, call.visit.tenant_id(), &claims, call.visit.now).await
    }

    fn issuance<'s>(&'s self, call: &'s Call<'_>, uti: &'s str) -> Issuance<'s> {
        Issuance {
            issuer: &self.family.issuer,
            tenant: call.visit.tenant_id(),
            client: self.family.client_id,
            scope: self.scope,
            now: call.visit.now,
            uti,
            strength: call.client.strength(),
        }
    }

    fn subject<'s>(&'s self, sub: &'s str) -> Subject<'s> {
        let idp = self.idp.as_deref().filter(|idp| *idp != self.family.issuer);
        Subject { user: self.user, sub, sid: self.family.sid, grant: self.family.id, idp }
    }
}

/// A refresh token that is about to be given.
pub(super) struct NewRefresh {
    pub(super) plain: String,
    pub(super) expires_at: Timestamp,
    generation: i64,
    /// The thumbprint of the key that it is bound to.
    key: Option<String>,
}

impl NewRefresh {
    /// The next token of a family. It dies of idleness or with the family.
    pub(super) fn draw(
        call: &Call<'_>,
        platform: Platform,
        family: &FamilyRow,
        (generation, key): (i64, Option<&str>),
    ) -> Self {
        let idle = call.visit.now + call.site.settings.lifetimes.refresh_token;
        let plain = format!("{}.{}", marker(platform), digest::token(call.site.env.random()));
        Self { plain, expires_at: idle.min(family.expires_at), generation, key: key.map(str::to_owned) }
    }

    /// A token that was given before.
    pub(super) const fn again(plain: String, expires_at: Timestamp) -> Self {
        Self { plain, expires_at, generation: 0, key: None }
    }

    pub(super) fn row(&self, family: &FamilyRow, now: Timestamp) -> RefreshRow {
        RefreshRow {
            grant_id: family.id,
            client_id: family.client_id,
            digest: digest_of(&self.plain),
            scope: family.scope.clone(),
            created_at: now,
            expires_at: self.expires_at,
            used_at: None,
            successor_sealed: None,
            generation: self.generation,
            dpop_jkt: self.key.clone(),
        }
    }
}
