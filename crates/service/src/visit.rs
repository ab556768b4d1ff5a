//! One request as use cases see it.

use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;

use uuid::Uuid;
use vestibule_rules::ids::TenantId;
use vestibule_rules::text::Secret;
use vestibule_rules::time::Timestamp;

use crate::directory::snapshot::TenantView;
use crate::env::Site;

/// Who asks, of which tenant, by which door.
#[derive(Clone)]
pub struct Visit {
    /// The public address of the listener that took the request; never read from a header.
    pub origin: String,
    pub tenant: Arc<TenantView>,
    /// The path segments that named the tenant and, if it was there, the flow, as they were written.
    /// Endpoints in metadata and redirects echo them.
    pub segments: Segments,
    /// The client's address.
    pub source: String,
    /// The value of the cookie that binds journeys to a browser.
    pub browser: Option<Secret<String>>,
    /// The value of this tenant's session cookie.
    pub session: Option<Secret<String>>,
    /// `client-request-id` of the request, or a new id.
    pub correlation: Uuid,
    /// The language that a page which this request leads to is shown in.
    pub language: String,
    pub now: Timestamp,
}

/// `/{tenant}` or `/{tenant}/{flow}`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Segments {
    pub tenant: String,
    pub flow: Option<String>,
}

impl Segments {
    /// The path without a slash at the end, such as `/woodgrove` or `/woodgrove/B2X_1_Suppliers`.
    pub fn path(&self) -> String {
        match &self.flow {
            Some(flow) => format!("/{}/{flow}", self.tenant),
            None => format!("/{}", self.tenant),
        }
    }
}

impl Visit {
    /// A request of nobody's, at this server's first address: what a command stands for.
    pub(crate) fn of_operator(site: &Site, view: &Arc<TenantView>) -> Self {
        Self {
            origin: site.settings.origins.first().cloned().unwrap_or_default(),
            tenant: Arc::clone(view),
            segments: Segments { tenant: view.config.tenant.short_name.clone(), flow: None },
            source: String::new(),
            browser: None,
            session: None,
            correlation: site.env.guid(),
            language: "en".to_owned(),
            now: site.env.now(),
        }
    }

    pub fn tenant_id(&self) -> TenantId {
        self.tenant.config.tenant.id
    }

    /// What limits on a source count: an IPv4 address, or the 64 bits of an IPv6 address that a provider
    /// gives to one customer, who can take any of the addresses in it.
    pub fn network(&self) -> String {
        network(&self.source)
    }

    /// The one issuer of the tenant on this listener (native-auth-and-msal.md R5).
    pub fn issuer(&self) -> String {
        issuer(&self.origin, self.tenant_id())
    }
}

/// The issuer of a tenant at an origin.
pub fn issuer(origin: &str, tenant: TenantId) -> String {
    format!("{origin}/{tenant}/v2.0")
}

/// See [`Visit::network`].
pub(crate) fn network(source: &str) -> String {
    match source.parse() {
        Ok(IpAddr::V6(address)) => format!("{}/64", Ipv6Addr::from(u128::from(address) >> 64 << 64)),
        Ok(IpAddr::V4(_)) | Err(_) => source.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::network;

    #[test]
    fn a_customer_of_a_provider_is_one_source() {
        assert_eq!(network("2001:db8:1:2:aaaa::1"), network("2001:db8:1:2:bbbb:cccc:dddd:eeee"));
        assert_ne!(network("2001:db8:1:2::1"), network("2001:db8:1:3::1"));
        assert_eq!(network("192.0.2.7"), "192.0.2.7");
        assert_eq!(network(""), "");
    }
}
