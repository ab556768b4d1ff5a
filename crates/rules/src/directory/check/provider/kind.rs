//! What each kind of provider needs, and what only another kind has.

use uuid::Uuid;

use super::super::{Findings, Place};
use super::{Provider, is_domain};
use crate::directory::provider::SignOut;
use crate::directory::provider::kind::{Protocol, ProviderKind};

/// The organisation of personal accounts, which is none (sign-up.md 2.7).
const PERSONAL: &str = "9188040d-6c67-4c5b-b112-36a304b66dad";

pub(super) fn check(provider: &Provider, at: &Place, found: &mut Findings) {
    protocol(provider, at, found);
    foreign(provider, at, found);
    match provider.identity_provider_type {
        ProviderKind::Google => google(provider, at, found),
        ProviderKind::Apple => apple(provider, at, found),
        ProviderKind::MicrosoftEntra => entra(provider, at, found),
        ProviderKind::Facebook | ProviderKind::GitHub => {
            if provider.client_secret.is_none() {
                found.add(
                    &at.key("clientSecret"),
                    "RP17",
                    "the provider's word is checked with its secret; say where it is",
                );
            }
        }
        ProviderKind::OpenIdConnect
        | ProviderKind::OAuth2
        | ProviderKind::MicrosoftAccount
        | ProviderKind::LinkedIn
        | ProviderKind::X => {}
    }
}

fn protocol(provider: &Provider, at: &Place, found: &mut Findings) {
    let settings = &provider.settings;
    match provider.preset().protocol {
        Protocol::OpenIdConnect => {
            if !provider.scope().split(' ').any(|scope| scope == "openid") {
                let text = "the scope must contain “openid”, or there is no ID token";
                found.add(&at.key("scope"), "2.9", text);
            }
            if settings.issuer.is_none() && provider.preset().issuer.is_empty() {
                let text = "say which issuer the provider writes into its tokens, such as https://login.contoso.example";
                found.add(&at.key("issuer"), "2.9", text);
            }
            if settings.endpoints.is_some() {
                let text = "an OpenID Connect provider tells its addresses itself; name its issuer instead";
                found.add(&at.key("endpoints"), "2.9", text);
            }
        }
        Protocol::OAuth2 => {
            if provider.endpoints().is_none() {
                let text = "say where people sign in, where codes are redeemed and where users are described";
                found.add(&at.key("endpoints"), "2.9", text);
            }
            let oidc_only = [
                ("wellKnown", settings.well_known.is_some()),
                ("pushedAuthorizationRequest", settings.pushed_authorization_request),
                ("dpop", settings.dpop),
                ("signingAlgorithms", !settings.signing_algorithms.is_empty()),
                ("decryptionKey", provider.decryption_key.is_some()),
                ("signOut", settings.sign_out != SignOut::Here),
            ];
            for (key, _) in oidc_only.into_iter().filter(|(_, set)| *set) {
                let kind = provider.identity_provider_type.as_str();
                let text = format!("only OpenID Connect providers have this, and “{kind}” is none");
                found.add(&at.key(key), "2.9", text);
            }
        }
    }
}

/// Settings that another kind has.
fn foreign(provider: &Provider, at: &Place, found: &mut Findings) {
    let (settings, kind) = (&provider.settings, provider.identity_provider_type);
    let special = [
        ("hostedDomain", settings.hosted_domain.is_some(), ProviderKind::Google),
        ("tenants", !settings.tenants.is_empty(), ProviderKind::MicrosoftEntra),
        ("teamId", settings.team_id.is_some(), ProviderKind::Apple),
        ("appId", settings.app_id.is_some(), ProviderKind::Apple),
    ];
    for (key, set, only) in special {
        if set && kind != only {
            let text = format!("only the kind “{}” has this", only.as_str());
            found.add(&at.key(key), "2", text);
        }
    }
}

fn google(provider: &Provider, at: &Place, found: &mut Findings) {
    if let Some(domain) = provider.settings.hosted_domain.as_deref().filter(|domain| !is_domain(domain)) {
        let text = format!("“{domain}” is not a domain such as contoso.com");
        found.add(&at.key("hostedDomain"), "2.4", text);
    }
}

fn apple(provider: &Provider, at: &Place, found: &mut Findings) {
    let needed = [
        ("teamId", provider.settings.team_id.is_none(), "Apple shows your team's id, ten letters and digits"),
        ("keyId", provider.settings.key_id.is_none(), "Apple shows the key's id beside the key"),
        (
            "clientKey",
            provider.client_key.is_none(),
            "say where the key is that Apple gave you, the .p8 file",
        ),
    ];
    for (key, _, text) in needed.into_iter().filter(|(_, missing, _)| *missing) {
        found.add(&at.key(key), "2.6", text);
    }
    if provider.client_secret.is_some() {
        let text = "Apple's secret is made of the key at each call and never expires; leave it out";
        found.add(&at.key("clientSecret"), "2.6", text);
    }
}

fn entra(provider: &Provider, at: &Place, found: &mut Findings) {
    for (i, tenant) in provider.settings.tenants.iter().enumerate() {
        let text = match Uuid::parse_str(tenant) {
            Ok(id) if id.hyphenated().to_string() == PERSONAL => {
                "these are personal accounts; add a provider of the kind “MicrosoftAccount” for them"
                    .to_owned()
            }
            Ok(_) => continue,
            Err(_) => format!("“{tenant}” is not the GUID of an organisation"),
        };
        found.add(&at.key("tenants").index(i), "2.8", text);
    }
}
