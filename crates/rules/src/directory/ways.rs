//! The ways by which somebody gets into an account again, and which of them may be taken away.

use super::provider::{IdentityProvider, SealedSecret};
use super::tenant::TenantConfig;
use super::user::{ObjectIdentity, User};
use crate::ids::ProviderId;

/// What stands for this server's own first address at the beginning of an issuer.
const ORIGIN: &str = "{origin}";
/// What stands for an organisation in the issuer of a provider that serves several.
const ORGANISATION: &str = "{tenantid}";

/// A way into an account.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Way {
    /// By a provider that the tenant has, that is switched on and that a flow offers.
    Provider(ProviderId),
    /// By a code to the mailbox.
    Code,
    Password,
}

/// The providers that an identity leads in by, whether they may be used or not.
pub fn makers<'c>(
    config: &'c TenantConfig,
    identity: &'c ObjectIdentity,
) -> impl Iterator<Item = &'c IdentityProvider<SealedSecret>> {
    let kind = config.tenant.kind;
    let is_federated = identity.sign_in_type == ObjectIdentity::FEDERATED;
    config.identity_providers.iter().filter(move |provider| {
        let filed = is_federated && is_filed_under(&provider.identity_issuer(kind), &identity.issuer);
        // Guests of any organisation are filed under one name; theirs stands before the subject.
        let tenants = &provider.settings.tenants;
        let (organisation, _) = identity.issuer_assigned_id.split_once('/').unwrap_or_default();
        filed && (organisation.is_empty() || tenants.is_empty() || tenants.iter().any(|t| t == organisation))
    })
}

/// Whether an issuer of an identity is this configured one, with its places filled in.
fn is_filed_under(configured: &str, issuer: &str) -> bool {
    let filled = |pattern: &str, text: &str| match pattern.split_once(ORGANISATION) {
        Some((before, after)) => {
            text.starts_with(before) && text.ends_with(after) && text.len() > pattern.len()
        }
        None => text == pattern,
    };
    match configured.strip_prefix(ORIGIN) {
        Some(rest) => issuer.ends_with(rest),
        None => filled(configured, issuer),
    }
}

/// Every way into the account, `has_password` being what only the store knows.
pub fn ways(config: &TenantConfig, user: &User, has_password: bool) -> Vec<Way> {
    let usable = |identity: &ObjectIdentity| {
        if identity.issuer == ObjectIdentity::MAIL_ISSUER {
            return Some(Way::Code);
        }
        let offered = |id: &str| {
            config.user_flows.iter().any(|flow| flow.identity_providers.iter().any(|one| one == id))
        };
        let mut usable = makers(config, identity).filter(|p| p.is_enabled && offered(p.id.as_str()));
        usable.next().map(|provider| Way::Provider(provider.id.clone()))
    };
    let password = has_password.then_some(Way::Password);
    user.identities.iter().filter_map(usable).chain(password).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identity_is_the_providers_whose_issuer_it_has() {
        let entra = "https://login.microsoftonline.com/{tenantid}/v2.0";
        let guid = "72f988bf-86f1-41af-91ab-2d7cd011db47";
        for (configured, issuer, is) in [
            ("https://idp.example", "https://idp.example", true),
            ("https://idp.example", "https://idp.example/", false),
            (entra, &*entra.replace("{tenantid}", guid), true),
            (entra, "https://login.microsoftonline.com//v2.0", false),
            (entra, "https://evil.example/72f988bf/v2.0", false),
            ("{origin}/fabrikam/v2.0", "http://localhost:8080/fabrikam/v2.0", true),
            ("{origin}/fabrikam/v2.0", "http://localhost:8080/other/v2.0", false),
        ] {
            assert_eq!(is_filed_under(configured, issuer), is, "{configured} {issuer}");
        }
    }
}
