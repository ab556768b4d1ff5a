//! Whose a domain is: its owner publishes a text that only this deployment can have asked them for. Until it was seen,
//! and when it was not seen for days, nobody is led anywhere by an address of the domain.

use vestibule_crypto::digest::{base64url, hmac_parts};
use vestibule_rules::directory::tenant::TenantConfig;
use vestibule_rules::fault::Outcome;
use vestibule_rules::ids::{ProviderId, TenantId};
use vestibule_rules::journey::door::domain_of;
use vestibule_rules::time::{Span, Timestamp};
use vestibule_store::domains::{self, DomainProofRow};

use crate::env::{Env, Site};

/// How long a domain stays proven after its record was seen last: a mistake in the DNS is mended within days.
const GRACE: Span = Span::days(3);
/// How often the record of a proven domain is looked for, and of one that is not.
const AGAIN: Span = Span::hours(6);
const AGAIN_UNPROVEN: Span = Span::minutes(5);
/// Domains that are looked up at once.
const AT_ONCE: usize = 8;

/// What is to be published in the DNS.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Wanted {
    /// The name of the TXT record.
    pub name: String,
    /// Its text.
    pub text: String,
}

/// A domain of a provider and what is known of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Claimed {
    pub domain: String,
    pub provider: ProviderId,
    pub wanted: Wanted,
    /// Nothing when it was never looked up.
    pub found: Option<DomainProofRow>,
}

impl Claimed {
    /// Whether people are led to the provider.
    pub fn is_proven(&self, now: Timestamp) -> bool {
        self.found.as_ref().is_some_and(|row| is_proven(row, now))
    }
}

fn is_proven(row: &DomainProofRow, now: Timestamp) -> bool {
    row.proven_at.is_some() && row.seen_at.is_some_and(|seen| now.since(seen) < GRACE)
}

/// The record that proves a domain to a tenant.
pub fn wanted(env: &Env, tenant: TenantId, domain: &str) -> Wanted {
    let uuid = tenant.uuid();
    let parts: [&[u8]; 3] = [b"domain proof", uuid.as_bytes(), domain.as_bytes()];
    let token = base64url(&hmac_parts(&env.derived.federation, &parts));
    Wanted { name: format!("_vestibule.{domain}"), text: format!("vestibule-verification={token}") }
}

/// Whether a domain is proven to a tenant: one row by its key.
pub(crate) async fn is_theirs(site: &Site, tenant: TenantId, domain: &str, now: Timestamp) -> Outcome<bool> {
    let row = domains::find(&mut site.env.db.glance().await?, tenant, domain).await?;
    Ok(row.is_some_and(|row| is_proven(&row, now)))
}

/// Every domain that providers of a tenant are to have, in the order of the file.
pub async fn list(env: &Env, config: &TenantConfig) -> Outcome<Vec<Claimed>> {
    let tenant = config.tenant.id;
    let known = domains::list(&mut env.db.read().await?, tenant).await?;
    let claimed = config.identity_providers.iter().flat_map(|provider| {
        let domains = provider.settings.domains.iter();
        domains.filter_map(|domain| Some((domain_of(&format!("a@{domain}"))?, provider.id.clone())))
    });
    let claimed = claimed.map(|(domain, provider)| Claimed {
        wanted: wanted(env, tenant, &domain),
        found: known.iter().find(|row| row.domain == domain).cloned(),
        domain,
        provider,
    });
    Ok(claimed.collect())
}

/// Looks one domain's record up and writes down what was there.
pub async fn check(env: &Env, tenant: TenantId, claimed: &Claimed, now: Timestamp) -> Outcome<()> {
    let problem = match env.txt.txt(&claimed.wanted.name).await {
        Ok(texts) if texts.iter().any(|text| text.trim() == claimed.wanted.text) => None,
        Ok(texts) if texts.iter().any(|text| text.contains("vestibule-verification=")) => {
            Some("the record holds another text".to_owned())
        }
        Ok(_) => Some("there is no such record".to_owned()),
        Err(fault) => Some(fault.detail.chars().take(200).collect()),
    };
    let seen = problem.is_none().then_some(now);
    let domain = claimed.domain.clone();
    let row = DomainProofRow { domain, proven_at: seen, seen_at: seen, checked_at: now, problem };
    let write = env.db.write(move |tx| {
        let row = row.clone();
        Box::pin(async move { domains::put(tx, tenant, &row).await })
    });
    write.await
}

/// Looks up what was not looked up for long, and forgets domains that no provider is to have any more.
pub async fn check_due(site: &Site) -> Outcome<()> {
    let now = site.env.now();
    let snapshot = site.directory.snapshot();
    for view in snapshot.tenants() {
        let tenant = view.config.tenant.id;
        if view.config.identity_providers.iter().all(|provider| provider.settings.domains.is_empty()) {
            continue;
        }
        let all = list(&site.env, &view.config).await?;
        let due: Vec<&Claimed> = all.iter().filter(|claimed| is_due(claimed, now)).collect();
        for some in due.chunks(AT_ONCE) {
            let checked = some.iter().map(|claimed| check(&site.env, tenant, claimed, now));
            futures_util::future::try_join_all(checked).await?;
        }
        // What no provider is to have any more is looked up no more. Another node may know a newer configuration, so
        // nothing is forgotten before it has ceased to prove anything.
        let known = domains::list(&mut site.env.db.glance().await?, tenant).await?;
        for gone in known.into_iter().filter(|row| now.since(row.checked_at) >= GRACE) {
            let write = site.env.db.write(move |tx| {
                let domain = gone.domain.clone();
                Box::pin(async move { domains::remove(tx, tenant, &domain).await })
            });
            write.await?;
        }
    }
    Ok(())
}

fn is_due(claimed: &Claimed, now: Timestamp) -> bool {
    let again = match &claimed.found {
        Some(row) if row.problem.is_none() => AGAIN,
        _ => AGAIN_UNPROVEN,
    };
    claimed.found.as_ref().is_none_or(|row| now.since(row.checked_at) >= again)
}
