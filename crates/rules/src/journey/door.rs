//! Which provider somebody belongs to before they have chosen one: the application named it, or their address does.

use serde::{Deserialize, Serialize};

use crate::directory::address::Address;
use crate::directory::provider::IdentityProvider;
use crate::directory::provider::kind::ProviderKind;

/// What leads to a provider beside its button. The default has a button and nothing else.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Door {
    /// What the provider is, for the looks of its button.
    pub kind: ProviderKind,
    /// There is no button: only a hint or an address leads here.
    pub hidden: bool,
    /// What `domain_hint` may call it, in lower case.
    pub known_as: Vec<String>,
    /// Domains whose people belong here, in the form in which domains of addresses are compared.
    pub domains: Vec<String>,
}

impl Door {
    /// The door of a configured provider.
    pub fn of<K>(provider: &IdentityProvider<K>, hidden: bool) -> Self {
        let kind = provider.identity_provider_type;
        let own = [provider.id.as_str(), &provider.display_name].map(folded);
        let issuer = provider.settings.issuer.as_deref().map(folded);
        let usual = kind.known_as().iter().map(|name| (*name).to_owned());
        let domains: Vec<String> =
            provider.settings.domains.iter().filter_map(|domain| domain_of(&format!("a@{domain}"))).collect();
        let known_as = own.into_iter().chain(issuer).chain(usual).chain(domains.clone()).collect();
        Self { kind, hidden, known_as, domains }
    }

    /// Whether a `domain_hint` means this provider: by its id, its name, its issuer or the name that everybody
    /// knows it by, such as `google.com`.
    pub fn answers_to(&self, hint: &str) -> bool {
        self.known_as.contains(&folded(hint))
    }
}

/// The domain of an address in the form in which domains are compared.
pub fn domain_of(address: &str) -> Option<String> {
    let key = Address::parse(address).ok()?.key();
    key.rsplit_once('@').map(|(_, domain)| domain.to_owned())
}

fn folded(name: &str) -> String {
    name.trim().to_lowercase()
}
