//! Identity providers (sign-up.md 2.9).

mod kind;
mod mapping;

use url::Url;

use super::{Findings, Place, is_strict, redirect, unique};
use crate::directory::provider::{
    ClientAuthentication, EMAIL_OTP, EMAIL_PASSWORD, IdentityProvider, ResponseType, SealedSecret,
};
use crate::directory::tenant::TenantConfig;
use crate::journey::values::date;

type Provider = IdentityProvider<SealedSecret>;

/// What an issuer may begin with instead of a host: the server's own first address.
const OWN_ORIGIN: &str = "{origin}";
/// Several organisations of Entra ID share the name that guests are filed under; the organisation is in the subject.
const ENTRA: &str = "ExternalAzureAD";
/// Every algorithm whose signatures are checked; `none` and those with a shared secret are never accepted.
const SIGNING_ALGORITHMS: [&str; 9] =
    ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA"];
/// Every algorithm by which a token may be encrypted to us.
const ENCRYPTION_ALGORITHMS: [&str; 5] =
    ["RSA-OAEP", "RSA-OAEP-256", "ECDH-ES", "ECDH-ES+A128KW", "ECDH-ES+A256KW"];

pub(super) fn check(config: &TenantConfig, found: &mut Findings) {
    let list = Place::top("identityProviders");
    for (i, provider) in config.identity_providers.iter().enumerate() {
        one(config, provider, &list.index(i), found);
    }
    let place = |i: usize, key: &str| list.index(i).key(key);
    let providers = &config.identity_providers;
    unique(
        providers.iter().enumerate().map(|(i, p)| (place(i, "id"), p.id.as_str())),
        "2.9",
        "the provider id",
        found,
    );
    unique(
        providers.iter().enumerate().map(|(i, p)| (place(i, "displayName"), p.display_name.as_str())),
        "2.9",
        "the provider's name",
        found,
    );
    let domains = providers.iter().enumerate().flat_map(|(i, p)| {
        let at = place(i, "domains");
        p.settings.domains.iter().enumerate().map(move |(n, domain)| (at.index(n), domain.as_str()))
    });
    unique(domains, "2.9", "the domain of the provider", found);
    // Who comes with an identity must be found at one provider (security.md RP12, RP14).
    let filed = providers
        .iter()
        .enumerate()
        .map(|(i, p)| (place(i, "issuer"), p.identity_issuer(config.tenant.kind)));
    let filed: Vec<_> = filed.filter(|(_, issuer)| issuer != ENTRA).collect();
    unique(
        filed.iter().map(|(at, issuer)| (at.clone(), issuer.as_str())),
        "RP14",
        "the issuer of the provider",
        found,
    );
}

fn one(config: &TenantConfig, provider: &Provider, at: &Place, found: &mut Findings) {
    if let Some(text) = id_problem(provider.id.as_str()) {
        found.add(&at.key("id"), "2", text);
    }
    if provider.display_name.trim().is_empty() {
        found.add(&at.key("displayName"), "2.9", "the provider needs a name for its button");
    }
    if provider.client_id.is_empty() {
        found.add(&at.key("clientId"), "2.9", "the provider gives you a client id; write it here");
    }
    if provider.settings.response_type == ResponseType::IdToken {
        found.add(
            &at.key("responseType"),
            "T-12",
            "“id_token” would send the token through the browser; only “code” is supported",
        );
    }
    places(provider, at, found);
    kind::check(provider, at, found);
    proof(provider, at, found);
    kept(config, provider, at, found);
    strict(config, provider, at, found);
    mapping::check(config, provider, at, found);
}

/// Where it is, and how it is spoken to.
fn places(provider: &Provider, at: &Place, found: &mut Findings) {
    let settings = &provider.settings;
    if let Some(text) = settings.issuer.as_deref().and_then(issuer_problem) {
        found.add(&at.key("issuer"), "2.9", text);
    }
    if let Some(text) = settings.well_known.as_deref().and_then(address_problem) {
        found.add(&at.key("wellKnown"), "2.9", text);
    }
    let endpoints = settings.endpoints.iter().flat_map(|all| {
        let needed =
            [("authorization", &all.authorization), ("token", &all.token), ("userInfo", &all.user_info)];
        let more = [("emails", &all.emails), ("tokenCheck", &all.token_check)];
        let more = more.into_iter().filter_map(|(key, address)| Some((key, address.as_ref()?)));
        needed.into_iter().chain(more)
    });
    for (key, address) in endpoints {
        if let Some(text) = address_problem(address) {
            found.add(&at.key("endpoints").key(key), "2.9", text);
        }
    }
    for (i, name) in settings.signing_algorithms.iter().enumerate() {
        if !SIGNING_ALGORITHMS.contains(&name.as_str()) {
            let known = SIGNING_ALGORITHMS.join(", ");
            let text = format!("“{name}” is not one of {known}");
            found.add(&at.key("signingAlgorithms").index(i), "RP9", text);
        }
    }
    if let Some(name) =
        settings.decryption_algorithm.as_deref().filter(|name| !ENCRYPTION_ALGORITHMS.contains(name))
    {
        let text = format!("“{name}” is not one of {}", ENCRYPTION_ALGORITHMS.join(", "));
        found.add(&at.key("decryptionAlgorithm"), "2.9", text);
    }
    for (i, domain) in settings.domains.iter().enumerate() {
        if !is_domain(domain) {
            let text = format!("“{domain}” is not a domain such as contoso.com");
            found.add(&at.key("domains").index(i), "2.9", text);
        }
    }
    for (i, domain) in settings.trusted_email_domains.iter().flatten().enumerate() {
        if domain != "*" && !is_domain(domain) {
            let text = format!("“{domain}” is not a domain such as contoso.com, nor * for every domain");
            found.add(&at.key("trustedEmailDomains").index(i), "RP13", text);
        }
    }
}

/// What it is shown to prove that we are we.
fn proof(provider: &Provider, at: &Place, found: &mut Findings) {
    if let Some(text) = expiry_problem(provider) {
        found.add(&at.key("secretExpiresAt"), "2.9", text);
    }
    let (secret, key) = (provider.client_secret.is_some(), provider.client_key.is_some());
    match provider.client_authentication() {
        ClientAuthentication::ClientSecretJwt if !secret => {
            found.add(
                &at.key("clientSecret"),
                "2.9",
                "“client_secret_jwt” signs with the client secret; say where it is",
            );
        }
        ClientAuthentication::PrivateKeyJwt if !key => {
            found.add(
                &at.key("clientKey"),
                "2.9",
                "“private_key_jwt” signs with a private key; say where it is",
            );
        }
        ClientAuthentication::None if secret => {
            found.add(&at.key("clientSecret"), "2.9", "“none” means that there is no secret; leave it out");
        }
        ClientAuthentication::ClientSecretPost
        | ClientAuthentication::ClientSecretBasic
        | ClientAuthentication::ClientSecretJwt
        | ClientAuthentication::PrivateKeyJwt
        | ClientAuthentication::None => {}
    }
}

/// Whose tokens are kept for whom.
fn kept(config: &TenantConfig, provider: &Provider, at: &Place, found: &mut Findings) {
    let names = &provider.settings.keep_tokens_for;
    for (i, name) in names.iter().enumerate() {
        let mut apps = config.applications.iter();
        if !apps.any(|app| app.display_name == *name || app.app_id.to_string() == *name) {
            let text = format!("there is no app “{name}”; write its name or its client id");
            found.add(&at.key("keepTokensFor").index(i), "2.9", text);
        }
    }
    if provider.settings.dpop && !names.is_empty() {
        let text =
            "with “dpop” the provider's token is bound to a key that no app has; leave one of the two out";
        found.add(&at.key("keepTokensFor"), "2.9", text);
    }
}

fn expiry_problem(provider: &Provider) -> Option<String> {
    let date = provider.settings.secret_expires_at.as_deref()?;
    if date::parse(date).is_none() {
        return Some(format!("“{date}” is not a day such as 2027-05-31"));
    }
    let secret = provider.client_secret.is_some();
    (!secret).then(|| "there is no clientSecret that could expire; leave the date out".to_owned())
}

fn strict(config: &TenantConfig, provider: &Provider, at: &Place, found: &mut Findings) {
    if !is_strict(config) {
        return;
    }
    if provider.settings.client_authentication == Some(ClientAuthentication::ClientSecretBasic) {
        found.add(
            &at.key("clientAuthentication"),
            "T-12",
            "“client_secret_basic” is refused under compatibility: strict; use “client_secret_post”",
        );
    }
    if provider.client_secret.is_none() && provider.client_key.is_none() {
        found.add(&at.key("clientSecret"), "2.9", "a client secret is needed under compatibility: strict");
    }
}

/// The id is a path segment of the callback address and part of an element's id.
fn id_problem(id: &str) -> Option<String> {
    if [EMAIL_PASSWORD, EMAIL_OTP].iter().any(|local| local.eq_ignore_ascii_case(id)) {
        return Some(format!("“{id}” is built in; name it in a flow without configuring it"));
    }
    let good = id.starts_with(|c: char| c.is_ascii_alphanumeric())
        && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    (!good).then(|| format!("“{id}” is not an id: use letters, digits, hyphens and underscores"))
}

fn issuer_problem(issuer: &str) -> Option<String> {
    // Any host does: what stands for the server's own address is filled in when the issuer is used.
    let filled = issuer.strip_prefix(OWN_ORIGIN).map(|rest| format!("https://own.invalid{rest}"));
    let text = filled.as_deref().unwrap_or(issuer);
    let Ok(url) = Url::parse(text) else {
        return Some(format!("“{issuer}” is not an address such as https://login.contoso.example"));
    };
    if url.query().is_some() || url.fragment().is_some() {
        return Some("an issuer has neither a query (?…) nor a fragment (#…)".to_owned());
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Some("an issuer contains no user name".to_owned());
    }
    redirect::page_problem(text)
}

/// An address of a provider's: like an issuer, but it may have a query.
fn address_problem(address: &str) -> Option<String> {
    let filled = address.strip_prefix(OWN_ORIGIN).map(|rest| format!("https://own.invalid{rest}"));
    let text = filled.as_deref().unwrap_or(address);
    let Ok(url) = Url::parse(text) else {
        return Some(format!("“{address}” is not an address such as https://login.contoso.example/token"));
    };
    if url.fragment().is_some() || !url.username().is_empty() || url.password().is_some() {
        return Some("an address of a provider has neither a fragment (#…) nor a user name".to_owned());
    }
    redirect::page_problem(text)
}

/// Whether mail can have this domain.
fn is_domain(text: &str) -> bool {
    crate::directory::address::Address::parse(&format!("someone@{text}")).is_ok()
}
