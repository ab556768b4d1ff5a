//! Applications: their redirect addresses, secrets and claims.

use super::{Findings, Place, attribute, consent, credential, is_strict, redirect, tokens, unique};
use crate::directory::application::{Application, PasswordCredential, Platform};
use crate::directory::attribute::OF_EVERYBODY;
use crate::directory::tenant::TenantConfig;
use crate::oauth::profile;

/// Claims whose value the server alone decides. An attribute under such a name would let a visitor choose
/// who or what a token speaks for.
pub const RESERVED_CLAIMS: &[&str] = &[
    "acct",
    "acr",
    "acrs",
    "aio",
    "amr",
    "appid",
    "appidacr",
    "at_hash",
    "aud",
    "auth_time",
    "azp",
    "azpacr",
    "c_hash",
    "client_id",
    "cnf",
    "ctry",
    "email",
    "email_verified",
    "events",
    "exp",
    "groups",
    "hasgroups",
    "iat",
    "idp",
    "idtyp",
    "ipaddr",
    "iss",
    "jti",
    "login_hint",
    "may_act",
    "act",
    "name",
    "nbf",
    "nonce",
    "oid",
    "phone_number_verified",
    "preferred_username",
    "rh",
    "roles",
    "s_hash",
    "scope",
    "scp",
    "sid",
    "signin_state",
    "sub",
    "sub_jwk",
    "tid",
    "tenant_ctry",
    "tenant_region_scope",
    "tfp",
    "upn",
    "uti",
    "ver",
    "verified_primary_email",
    "verified_secondary_email",
    "wids",
    "xms_cc",
    "_claim_names",
    "_claim_sources",
];

/// Kinds of holders that an app role may have.
const MEMBER_TYPES: &[&str] = &["User", "Application"];

pub(super) fn check(config: &TenantConfig, found: &mut Findings) {
    let list = Place::top("applications");
    for (i, app) in config.applications.iter().enumerate() {
        if !app.built_in {
            one(config, app, &list.index(i), found);
        }
    }
    let named = |key: &'static str| {
        let list = &list;
        config.applications.iter().enumerate().map(move |(i, app)| (list.index(i).key(key), app))
    };
    unique(
        named("displayName").map(|(at, app)| (at, app.display_name.as_str())),
        "1.2",
        "the display name",
        found,
    );
    let ids: Vec<_> = named("appId").map(|(at, app)| (at, app.app_id.to_string())).collect();
    unique(ids.iter().map(|(at, id)| (at.clone(), id.as_str())), "1.2", "the appId", found);
}

pub(super) fn one(
    config: &TenantConfig,
    app: &Application<PasswordCredential>,
    at: &Place,
    found: &mut Findings,
) {
    if app.display_name.trim().is_empty() {
        found.add(&at.key("displayName"), "1.2", "the application needs a name");
    }
    redirects(app, is_strict(config), at, found);
    for (key, page) in [("logoutUrl", &app.web.logout_url), ("homePageUrl", &app.web.home_page_url)] {
        if let Some(text) = page.as_deref().and_then(redirect::page_problem) {
            found.add(&at.key("web").key(key), "S4", text);
        }
    }
    let settings = &app.settings;
    for (key, address) in [
        ("backChannelLogoutUri", &settings.back_channel_logout_uri),
        ("initiateLoginUri", &settings.initiate_login_uri),
    ] {
        if let Some(text) = address.as_deref().and_then(redirect::page_problem) {
            found.add(&at.key(key), "S4", text);
        }
    }
    for (i, address) in settings.post_logout_redirect_uris.iter().enumerate() {
        if let Some(text) = redirect::page_problem(address) {
            found.add(&at.key("postLogoutRedirectUris").index(i), "S84", text);
        }
    }
    let signing = config.tenant.tokens.signing_algorithm;
    if settings.userinfo_signed_response_alg.is_some_and(|wanted| wanted != signing) {
        let text = format!("the tenant signs with {}, and userinfo with nothing else", signing.as_str());
        found.add(&at.key("userinfoSignedResponseAlg"), "4.1", text);
    }
    let ticked = app.web.implicit_grant_settings;
    if (ticked.enable_access_token_issuance || ticked.enable_id_token_issuance)
        && !profile::of(settings.security_profile).front_channel_tokens
    {
        found.add(
            &at.key("web").key("implicitGrantSettings"),
            "S11",
            "the security profile default lets no tokens through the browser; choose oidc-compat",
        );
    }
    for (i, secret) in app.password_credentials.iter().enumerate() {
        if let (Some(start), Some(end)) = (secret.start_at, secret.end_at)
            && end <= start
        {
            found.add(
                &at.key("passwordCredentials").index(i).key("endDateTime"),
                "S39",
                "the secret ends before it begins",
            );
        }
    }
    credential::check(config, app, at, found);
    tokens::check(config, app, at, found);
    consent::check(config, app, at, found);
    claims(config, app, &at.key("tokenClaims"), found);
    roles_and_scopes(app, at, found);
}

fn redirects(app: &Application<PasswordCredential>, strict: bool, at: &Place, found: &mut Findings) {
    let mut seen = std::collections::BTreeMap::new();
    for (platform, uris) in [
        (Platform::Web, &app.web.redirect_uris),
        (Platform::Spa, &app.spa.redirect_uris),
        (Platform::PublicClient, &app.public_client.redirect_uris),
    ] {
        let at = at.key(platform_key(platform)).key("redirectUris");
        for (i, uri) in uris.iter().enumerate() {
            if let Some((rule, text)) = redirect::problem(uri, platform, strict) {
                found.add(&at.index(i), rule, text);
            }
            // The platform decides secrets, CORS and lifetimes, so an address has one.
            if let Some(first) = seen.insert(uri.as_str(), platform) {
                found.add(
                    &at.index(i),
                    "4.6",
                    format!("“{uri}” is already registered under {}", platform_key(first)),
                );
            }
        }
    }
}

const fn platform_key(platform: Platform) -> &'static str {
    match platform {
        Platform::Web => "web",
        Platform::Spa => "spa",
        Platform::PublicClient => "publicClient",
    }
}

fn claims(config: &TenantConfig, app: &Application<PasswordCredential>, at: &Place, found: &mut Findings) {
    for (i, claim) in app.token_claims.iter().enumerate() {
        let at = at.index(i);
        if claim.name.is_empty() || claim.name.chars().any(|c| c.is_control() || c.is_whitespace()) {
            found.add(&at.key("name"), "5.4", "the name of a claim is one word");
        }
        if RESERVED_CLAIMS.contains(&claim.name.to_lowercase().as_str()) {
            found.add(
                &at.key("name"),
                "5.4",
                format!("“{}” is a claim of the server itself; choose another name", claim.name),
            );
        }
        if claim.tokens.is_empty() {
            found.add(&at.key("tokens"), "5.4", "a claim that is told nowhere is none; take it away");
        }
        if attribute::find(config, &claim.attribute).is_none()
            && !OF_EVERYBODY.contains(&claim.attribute.as_str())
        {
            found.add(&at.key("attribute"), "5.4", attribute::unknown(config, &claim.attribute));
        }
    }
    unique(
        app.token_claims.iter().enumerate().map(|(i, c)| (at.index(i).key("name"), c.name.as_str())),
        "5.4",
        "the claim",
        found,
    );
}

fn roles_and_scopes(app: &Application<PasswordCredential>, at: &Place, found: &mut Findings) {
    for (i, role) in app.app_roles.iter().enumerate() {
        let at = at.key("appRoles").index(i);
        if !is_token(&role.value) {
            found.add(&at.key("value"), "5.4", format!("“{}” is not one word", role.value));
        }
        for (j, kind) in role.allowed_member_types.iter().enumerate() {
            if !MEMBER_TYPES.contains(&kind.as_str()) {
                found.add(
                    &at.key("allowedMemberTypes").index(j),
                    "5.4",
                    format!("“{kind}” is neither User nor Application"),
                );
            }
        }
    }
    for (i, scope) in app.api.oauth2_permission_scopes.iter().enumerate() {
        if !is_token(&scope.value) {
            let at = at.key("api").key("oauth2PermissionScopes").index(i).key("value");
            found.add(&at, "5.4", format!("“{}” is not one word", scope.value));
        }
    }
}

/// `scope-token` of RFC 6749 3.3: anything else would fall apart at the spaces of a `scope` parameter.
fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_graphic() && b != b'"' && b != b'\\')
}
