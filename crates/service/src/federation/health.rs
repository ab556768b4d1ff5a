//! How sign-ins by providers go. A journey only notes in memory what became of it; a job writes what is new, at most
//! once a minute for each provider, so that a crowd costs no more than one visitor and a broken database is in
//! nobody's way.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use vestibule_rules::fault::{Fault, Kind, Outcome};
use vestibule_rules::ids::{ProviderId, TenantId};
use vestibule_rules::time::{Span, Timestamp};
use vestibule_store::provider_health::{self, HealthRow};

use super::quote::quote;
use crate::env::Site;

/// How often a provider's row is written at most.
const RARELY: Span = Span::minutes(1);
/// Refusals of a person and not of a provider.
const OF_A_PERSON: &str = "refused-provider-organisation";

/// What this node saw and has not written yet.
#[derive(Default)]
pub struct Health(Mutex<BTreeMap<(TenantId, ProviderId), Seen>>);

#[derive(Clone, Default)]
struct Seen {
    success: Option<Timestamp>,
    failure: Option<(Timestamp, String)>,
    /// Since the success, or since the last writing when there was none.
    failures: i64,
    written_at: Option<Timestamp>,
}

impl Seen {
    const fn is_new(&self) -> bool {
        self.success.is_some() || self.failure.is_some()
    }

    fn is_due(&self, now: Timestamp) -> bool {
        self.is_new() && self.written_at.is_none_or(|at| now.since(at) >= RARELY)
    }
}

impl Health {
    fn seen(&self) -> MutexGuard<'_, BTreeMap<(TenantId, ProviderId), Seen>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Somebody came back from the provider well.
    pub(super) fn succeeded(&self, tenant: TenantId, provider: &ProviderId, now: Timestamp) {
        let mut all = self.seen();
        let seen = all.entry((tenant, provider.clone())).or_default();
        seen.success = seen.success.max(Some(now));
        seen.failures = 0;
    }

    /// The provider, or our configuration of it, let somebody down.
    pub(super) fn failed(&self, tenant: TenantId, provider: &ProviderId, now: Timestamp, fault: &Fault) {
        if fault.hint.as_ref().is_some_and(|hint| hint.id == OF_A_PERSON) {
            return;
        }
        let text = match fault.kind {
            // What we failed at ourselves is in the log.
            Kind::Ours => format!("our own fault: {}", fault.detail),
            Kind::Malformed
            | Kind::WrongClient
            | Kind::WrongCredential
            | Kind::Expired
            | Kind::Used
            | Kind::Forbidden
            | Kind::Missing
            | Kind::Conflict
            | Kind::Stale
            | Kind::Throttled(_)
            | Kind::Upstream => fault.detail.clone(),
        };
        let text = quote(&text, &[]);
        let mut all = self.seen();
        let seen = all.entry((tenant, provider.clone())).or_default();
        seen.failure = Some((now, text));
        seen.failures = seen.failures.saturating_add(1);
    }

    /// Takes out what is to be written, and remembers that it is.
    fn take(&self, now: Timestamp, all: bool) -> Vec<HealthRow> {
        let mut rows = Vec::new();
        for ((tenant, provider), seen) in self.seen().iter_mut() {
            if !(seen.is_due(now) || (all && seen.is_new())) {
                continue;
            }
            let taken = std::mem::replace(seen, Seen { written_at: Some(now), ..Seen::default() });
            rows.push(HealthRow {
                tenant: *tenant,
                provider: provider.clone(),
                last_success_at: taken.success,
                last_failure_at: taken.failure.as_ref().map(|(at, _)| *at),
                last_error: taken.failure.map(|(_, text)| text),
                failures: taken.failures,
            });
        }
        rows
    }

    /// What could not be written is told with what was seen since.
    fn put_back(&self, rows: &[HealthRow]) {
        let mut all = self.seen();
        for row in rows {
            let seen = all.entry((row.tenant, row.provider.clone())).or_default();
            if seen.success.is_none() {
                seen.success = row.last_success_at;
                seen.failures = seen.failures.saturating_add(row.failures);
            }
            let older = row.last_failure_at.zip(row.last_error.clone());
            seen.failure = seen.failure.take().or(older);
        }
    }
}

/// Writes what is new; `all` also what was written within the last minute, before this node stops.
pub async fn save(site: &Site, all: bool) -> Outcome<()> {
    let rows = Arc::new(site.provider_health.take(site.env.now(), all));
    if rows.is_empty() {
        return Ok(());
    }
    let writing = Arc::clone(&rows);
    let written = site.env.db.write(move |tx| {
        let rows = Arc::clone(&writing);
        Box::pin(async move {
            for row in rows.iter() {
                provider_health::note(tx, row).await?;
            }
            Ok(())
        })
    });
    let written = written.await;
    if written.is_err() {
        site.provider_health.put_back(&rows);
    }
    written
}

#[cfg(test)]
mod tests {
    use vestibule_rules::text::Message;

    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_795_487_136);

    fn who() -> (TenantId, ProviderId) {
        (TenantId::from_random([1; 16]), ProviderId::new("google"))
    }

    fn after(seconds: i64) -> Timestamp {
        NOW + Span::seconds(seconds)
    }

    fn told(rows: &[HealthRow]) -> Vec<(bool, Option<&str>, i64)> {
        rows.iter().map(|r| (r.last_success_at.is_some(), r.last_error.as_deref(), r.failures)).collect()
    }

    #[test]
    fn a_crowd_is_one_row_a_minute() {
        let (health, (tenant, google)) = (Health::default(), who());
        for second in 0..1_000 {
            health.succeeded(tenant, &google, after(second));
        }
        assert_eq!(told(&health.take(after(1_000), false)), [(true, None, 0)]);
        health.succeeded(tenant, &google, after(1_001));
        health.failed(tenant, &google, after(1_002), &Fault::upstream("no"));
        assert!(health.take(after(1_059), false).is_empty());
        assert_eq!(told(&health.take(after(1_060), false)), [(true, Some("no"), 1)]);
        health.failed(tenant, &google, after(1_061), &Fault::upstream("again"));
        assert_eq!(told(&health.take(after(1_061), true)), [(false, Some("again"), 1)]);
        assert!(health.take(after(9_999), true).is_empty());
    }

    #[test]
    fn what_could_not_be_written_is_told_later() {
        let (health, (tenant, google)) = (Health::default(), who());
        health.failed(tenant, &google, NOW, &Fault::upstream("first"));
        let rows = health.take(NOW, false);
        health.failed(tenant, &google, after(1), &Fault::upstream("second"));
        health.put_back(&rows);
        assert_eq!(told(&health.take(after(60), false)), [(false, Some("second"), 2)]);
        health.failed(tenant, &google, after(61), &Fault::upstream("third"));
        let rows = health.take(after(120), false);
        health.succeeded(tenant, &google, after(121));
        health.put_back(&rows);
        assert_eq!(told(&health.take(after(180), false)), [(true, Some("third"), 0)]);
    }

    #[test]
    fn an_error_is_bounded_and_a_person_who_is_not_welcome_is_none() {
        let (health, (tenant, google)) = (Health::default(), who());
        let stranger = Fault::upstream("x").hint(Message::new(OF_A_PERSON));
        health.failed(tenant, &google, NOW, &stranger);
        assert!(health.take(NOW, true).is_empty());
        let jwt = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln";
        health.failed(tenant, &google, NOW, &Fault::upstream(format!("{jwt} {}", "long ".repeat(100))));
        let rows = health.take(NOW, true);
        let text = rows[0].last_error.as_deref().unwrap();
        assert!(text.starts_with("[…] long") && text.chars().count() <= 201, "{text}");
    }
}
