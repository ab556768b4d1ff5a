//! Signed tokens and fresh refresh tokens for a grant.

use vestibule_crypto::digest;
use vestibule_rules::directory::application::{Application, PasswordCredential, Platform};
use vestibule_rules::directory::user::User;
use vestibule_rules::fault::Outcome;
use vestibule_rules::ids::{ClientId, UserId};
use vestibule_rules::oauth::added_claims::{Added, Circumstances};
use vestibule_rules::oauth::claims::{self, Issuance, SignIn, Subject};
use vestibule_rules::oauth::error;
use vestibule_rules::oauth::membership::{MOST_IN_ADDRESS, MOST_IN_TOKEN, Standing, admits, groups, roles};
use vestibule_rules::oauth::scope::{GRAPH, Scope};
use vestibule_rules::oauth::token::marker;
use vestibule_rules::time::{Span, Timestamp};
use vestibule_store::grants::{FamilyRow, RefreshRow};

use super::code::FamilyDoc;
use super::{Call, Refusal, TokenResponse, digest_of, hint, lives, token_type};
use crate::directory::snapshot::TenantView;
use crate::env::Site;
use crate::membership;

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
    /// The tokens travel in an address, which has to stay short.
    pub(super) in_address: bool,
}

/// What an ID token says of what travels beside it.
#[derive(Clone, Copy, Default)]
pub(super) struct Beside<'a> {
    pub(super) access_token: Option<&'a str>,
    pub(super) code: Option<&'a str>,
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
    ) -> Result<TokenResponse, Refusal> {
        let standing = self.standing(call).await?;
        let (visit, life) = (call.visit, self.life(call));
        let id_token = if self.scope.openid {
            Some(self.id_token(call, Beside::default(), &standing).await?)
        } else {
            None
        };
        let client_info = call.params.is_set("client_info").then(|| {
            digest::base64url(claims::client_info(self.user.id, visit.tenant_id()).to_string().as_bytes())
        });
        Ok(TokenResponse {
            token_type: token_type(self.key),
            scope: self.scope.text(),
            expires_in: life.as_seconds(),
            ext_expires_in: life.as_seconds(),
            access_token: self.access_token(call, life, &standing).await?,
            refresh_token: refresh.map(|new| new.plain.clone()),
            refresh_token_expires_in: refresh.map(|new| new.expires_at.since(visit.now).as_seconds()),
            id_token,
            client_info,
        })
    }

    /// What the person is in the application and in the API, if both are for them (security.md S66).
    pub(super) async fn standing(&self, call: &Call<'_>) -> Result<Standing, Refusal> {
        let apps = [Some(call.client.app), self.resource(call)];
        let standing = membership::standing(call.site, call.visit, self.user.id, apps).await?;
        if apps.into_iter().flatten().all(|app| admits(app, &standing)) {
            Ok(standing)
        } else {
            Err(error::USER_NOT_ASSIGNED.into())
        }
    }

    /// The application whose API the access token is for.
    fn resource<'c>(&self, call: &'c Call<'_>) -> Option<&'c Application<PasswordCredential>> {
        claims::resource(&call.visit.tenant.config.applications, self.scope.audience())
    }

    pub(super) async fn id_token(
        &self,
        call: &Call<'_>,
        beside: Beside<'_>,
        standing: &Standing,
    ) -> Outcome<String> {
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
            at_hash: None,
            c_hash: None,
            replaces_userinfo: beside.replaces_userinfo,
            login_hint: Some(&login_hint),
        };
        let app = call.client.app;
        let groups_at = self.groups_at(call);
        let added = Added {
            optional: &app.settings.tokens.optional_claims.id_token,
            circumstances: Circumstances {
                login_hint: Some(&login_hint),
                address: doc.address.as_deref(),
                ..self.circumstances(call, groups_at.as_deref())
            },
            ..self.added(call, app, standing)
        };
        // The hashes are those of the very key that signs, whatever is rotated meanwhile.
        let keys = site.keyring.of(&site.env, call.visit.tenant_id()).await?;
        let key = keys.current(call.visit.now)?;
        let half = |text: &str| digest::half_hash_for(key.algorithm().into(), text);
        let (at_hash, c_hash) = (beside.access_token.map(half), beside.code.map(half));
        let sign_in = SignIn { at_hash: at_hash.as_deref(), c_hash: c_hash.as_deref(), ..sign_in };
        let claims = claims::id_token(
            &self.issuance(call, &uti),
            &self.subject(&sub),
            &sign_in,
            &added,
            lives::of(site, call.visit, self.family.client_id).id_token,
        );
        key.sign(&claims, "JWT")
    }

    /// How long the access token lives.
    pub(super) fn life(&self, call: &Call<'_>) -> Span {
        lives::access_token(call.site, call.visit, self.family.client_id, self.scope.audience())
    }

    pub(super) async fn access_token(
        &self,
        call: &Call<'_>,
        life: Span,
        standing: &Standing,
    ) -> Outcome<String> {
        let site = call.site;
        let audience = self.scope.audience();
        // Userinfo speaks for the application that signed the person in; an API knows people by its own name.
        let sector = if audience == GRAPH { self.family.client_id } else { audience };
        let sub = subject(site, Some(&call.visit.tenant), sector, self.user.id);
        let uti = digest::base64url(&site.env.random::<16>());
        let doc = FamilyDoc::of(self.family)?;
        let login_hint = hint::login_hint(site, call.visit.tenant_id(), self.user.id, self.family.sid);
        let groups_at = self.groups_at(call);
        let added = self.resource(call).map_or_else(Added::default, |app| Added {
            optional: &app.settings.tokens.optional_claims.access_token,
            circumstances: Circumstances {
                login_hint: Some(&login_hint),
                address: doc.address.as_deref(),
                ..self.circumstances(call, groups_at.as_deref())
            },
            ..self.added(call, app, standing)
        });
        let claims = claims::access_token(&self.issuance(call, &uti), &self.subject(&sub), &added, life);
        let claims = claims::bound(claims, self.key);
        site.keyring.sign(&site.env, call.visit.tenant_id(), &claims, call.visit.now).await
    }

    /// What the person is in one application.
    fn added<'s>(
        &self,
        call: &'s Call<'_>,
        app: &'s Application<PasswordCredential>,
        standing: &Standing,
    ) -> Added<'s> {
        let most = if self.in_address { MOST_IN_ADDRESS } else { MOST_IN_TOKEN };
        Added {
            mapped: &app.token_claims,
            groups: groups(app, &call.visit.tenant.config.groups, standing, most),
            roles: roles(app, standing),
            ..Added::default()
        }
    }

    fn circumstances<'s>(&self, call: &'s Call<'_>, groups_at: Option<&'s str>) -> Circumstances<'s> {
        Circumstances {
            auth_time: Some(self.family.auth_time),
            sid: Some(self.family.sid),
            tenant_country: call.visit.tenant.config.tenant.country_letter_code.as_deref(),
            groups_at,
            ..Circumstances::default()
        }
    }

    /// Where to ask for groups that are too many for a token; nothing for a token in an address.
    fn groups_at(&self, call: &Call<'_>) -> Option<String> {
        let (visit, user) = (call.visit, self.user.id);
        (!self.in_address)
            .then(|| format!("{}/{}/users/{user}/getMemberObjects", visit.origin, visit.tenant_id()))
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
        let idle = call.visit.now + lives::of(call.site, call.visit, family.client_id).idle;
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
