//! A name that a provider tells once: Apple sends it beside the code when somebody first agrees, and never again. Whoever
//! does not finish that time finds it filled in when they come back. It is sealed, filed under a digest, and kept for a
//! month.

use serde_json::{Map, Value};
use vestibule_crypto::digest;
use vestibule_rules::fault::{Fault, Outcome};
use vestibule_rules::time::Span;
use vestibule_store::told_once;

use super::Upstream;

/// How long somebody has to come back.
const KEPT: Span = Span::days(30);

/// What is to be said of `subject` beside the ID token: what was told now, which is kept, or what was told before.
pub(super) async fn name(
    upstream: Upstream<'_>,
    subject: &str,
    told: Option<Map<String, Value>>,
) -> Outcome<Option<Map<String, Value>>> {
    let (tenant, now) = (upstream.visit.tenant_id(), upstream.visit.now);
    let env = &upstream.site.env;
    let digest = digest::sha256(format!("{} {subject}", upstream.provider.id.key()).as_bytes());
    let context = format!("told once|{tenant}|{}", upstream.provider.id.key());
    let Some(told) = told.filter(|told| !told.is_empty()) else {
        let sealed = told_once::find(&mut env.db.glance().await?, tenant, &digest, now).await?;
        let Some(sealed) = sealed else { return Ok(None) };
        let text = env.sealing.open(&context, &sealed)?;
        let told = serde_json::from_slice(&text);
        return told.map(Some).map_err(|e| Fault::ours(format!("told_once.sealed: {e}")));
    };
    // A trial stores nothing.
    if upstream.trace.is_some() {
        return Ok(Some(told));
    }
    let text = serde_json::to_vec(&told).map_err(|e| Fault::ours(format!("a name cannot be kept: {e}")))?;
    let sealed = env.sealing.seal(&context, &text)?;
    let write = env.db.write(move |tx| {
        let sealed = sealed.clone();
        Box::pin(async move { told_once::put(tx, tenant, (&digest, &sealed), now + KEPT).await })
    });
    write.await?;
    Ok(Some(told))
}
