//! Documents that visitors accept: what is written down when they do, who still owes an acceptance, and what
//! an operator can take out or withdraw.

use std::sync::Arc;

use serde::Serialize;
use serde_json::json;
use vestibule_crypto::digest;
use vestibule_rules::directory::terms::{Agreement, TermsText};
use vestibule_rules::fault::{Fault, Outcome};
use vestibule_rules::ids::{FlowId, TenantId, UserId};
use vestibule_rules::journey::flow::Flow;
use vestibule_rules::journey::terms::has;
use vestibule_rules::time::Timestamp;
use vestibule_store::audit::{self, EntryRow};
use vestibule_store::terms::{self, AcceptanceRow, NamedAcceptance};
use vestibule_store::{Db, ReadTx, tenants};

use crate::account;
use crate::audit::by_author;
use crate::directory::change::Author;
use crate::directory::life::{self, Named};
use crate::env::Site;
use crate::visit::Visit;

/// Acts that are read at once when all are taken out.
const PAGE: u32 = 500;

/// The evidence of what somebody accepted in this request, one row for each document.
pub(crate) fn evidence(
    site: &Site,
    visit: &Visit,
    (flow, version): (&Flow, i64),
    user: UserId,
    agreements: &[Agreement],
) -> Outcome<Vec<AcceptanceRow>> {
    let row = |agreement: &Agreement| {
        let terms = flow.terms.iter().find(|t| t.id == agreement.document && t.version == agreement.version);
        let text = terms.and_then(|terms| terms.in_language(&agreement.language));
        let text = text.ok_or_else(|| Fault::ours("an acceptance of a document that the flow lacks"))?;
        Ok(AcceptanceRow {
            key: site.env.order_key(visit.now),
            user_id: user,
            flow_id: flow.id.clone(),
            flow_version: version,
            document: agreement.document.clone(),
            version: agreement.version.clone(),
            language: text.language.clone(),
            digest: digest_of(text),
            accepted_at: visit.now,
            source_address: visit.source.clone(),
            correlation_id: visit.correlation.to_string(),
            withdrawn_at: None,
            withdrawn_by: None,
        })
    };
    agreements.iter().map(row).collect()
}

/// SHA-256 of a document as it was shown, in hexadecimal.
pub fn digest_of(text: &TermsText) -> String {
    digest::hex(&digest::sha256(text.evidence().as_bytes()))
}

/// What somebody has accepted under a flow, not withdrawn, and in the words that it still has: a version's
/// name that comes back with other words is no acceptance of those.
pub(crate) async fn accepted(
    tx: &mut ReadTx,
    tenant: TenantId,
    user: UserId,
    flow: &Flow,
) -> Outcome<Vec<Agreement>> {
    let rows = terms::list_by_user(tx, tenant, user).await?;
    let holds =
        |row: &AcceptanceRow| row.flow_id == flow.id && row.withdrawn_at.is_none() && is_in_force(row, flow);
    let agreement = |row: AcceptanceRow| Agreement {
        document: row.document,
        version: row.version,
        language: row.language,
    };
    Ok(rows.into_iter().filter(holds).map(agreement).collect())
}

fn is_in_force(row: &AcceptanceRow, flow: &Flow) -> bool {
    let version = flow.terms.iter().find(|t| t.id == row.document && t.version == row.version);
    let text = version.and_then(|terms| terms.in_language(&row.language));
    // A language that was taken out leaves nothing to compare with; the version is still the one accepted.
    text.is_none_or(|text| digest_of(text) == row.digest)
}

/// Whether somebody who is signed in has yet to accept what the flow demands.
pub(crate) async fn owes(site: &Site, visit: &Visit, flow: &Flow, user: UserId) -> Outcome<bool> {
    if !flow.demands_terms() {
        return Ok(false);
    }
    let mut tx = site.env.db.glance().await?;
    let accepted = accepted(&mut tx, visit.tenant_id(), user, flow).await?;
    Ok(flow.terms.iter().any(|terms| terms.required && !has(&accepted, terms)))
}

/// One act as it is taken out.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Acceptance {
    pub user_id: String,
    /// Nothing when the account is not known any more.
    pub user_principal_name: Option<String>,
    pub mail: Option<String>,
    pub flow: String,
    pub flow_version: i64,
    pub document: String,
    pub version: String,
    pub language: String,
    /// SHA-256 of title and text (or address), with an empty line between them, in hexadecimal.
    pub digest: String,
    pub accepted_at: String,
    pub source_address: String,
    pub correlation_id: String,
    pub withdrawn_at: Option<String>,
    pub withdrawn_by: Option<String>,
}

impl Acceptance {
    fn of(NamedAcceptance { row, upn, mail }: NamedAcceptance) -> Self {
        Self {
            user_id: row.user_id.to_string(),
            user_principal_name: upn,
            mail,
            flow: row.flow_id.0,
            flow_version: row.flow_version,
            document: row.document,
            version: row.version,
            language: row.language,
            digest: row.digest,
            accepted_at: row.accepted_at.rfc3339(),
            source_address: row.source_address,
            correlation_id: row.correlation_id,
            withdrawn_at: row.withdrawn_at.map(Timestamp::rfc3339),
            withdrawn_by: row.withdrawn_by,
        }
    }
}

/// Hands every act of a tenant to `take`, in time order and never all at once.
///
/// Returns `Missing` when there is no such tenant.
pub async fn export(db: &Db, tenant: &str, mut take: impl FnMut(Acceptance)) -> Outcome<()> {
    let key = tenant.to_lowercase();
    let found = tenants::find_by_name(&mut db.read().await?, &key).await?;
    let tenant = found.ok_or_else(|| Fault::missing("tenant", format!("there is no tenant “{tenant}”")))?;
    let mut after = String::new();
    loop {
        let page = terms::page(&mut db.read().await?, tenant, &after, PAGE).await?;
        let Some(last) = page.last() else { return Ok(()) };
        after.clone_from(&last.row.key);
        page.into_iter().map(Acceptance::of).for_each(&mut take);
    }
}

/// Withdraws what somebody accepted of one document: the next time they sign in they are asked again. `user`
/// is an id, user principal name or mail address. Returns how many acts that were; none when there was nothing
/// to withdraw.
///
/// Returns `Missing` when there is no such tenant, user, flow or document, and `Conflict` when several users
/// have the address.
pub async fn withdraw(
    db: &Db,
    named: Named<'_>,
    (user, document): (&str, &str),
    author: &Author<'_>,
) -> Outcome<u64> {
    let mut tx = db.read().await?;
    let found = life::find(&mut tx, named).await?;
    let (tenant, flow) = (found.tenant(), found.flow.clone());
    let user = account::find(&mut tx, tenant, user).await?.id;
    let present = found.stored.config.user_flows.iter().find(|f| f.id == flow);
    let present: Vec<&str> = present.iter().flat_map(|f| &f.terms).map(|t| t.id.as_str()).collect();
    let accepted = terms::list_by_user(&mut tx, tenant, user).await?;
    let was_there = accepted.iter().any(|row| row.flow_id == flow && row.document == document);
    if !was_there && !present.contains(&document) {
        let all = if present.is_empty() { "no documents".to_owned() } else { present.join(", ") };
        return Err(Fault::missing(
            "document",
            format!("there is no document “{document}”; the flow has {all}"),
        ));
    }
    drop(tx);
    let entry = Arc::new(entry(author, user, (&flow, document)));
    let (by, document, now) = (author.actor.to_string(), document.to_owned(), author.now);
    db.write(move |tx| {
        let (flow, document, by, entry) = (flow.clone(), document.clone(), by.clone(), Arc::clone(&entry));
        Box::pin(async move {
            let count = terms::withdraw(tx, tenant, (user, &flow, &document), (now, &by)).await?;
            if count > 0 {
                audit::insert(tx, tenant, &entry).await?;
            }
            Ok(count)
        })
    })
    .await
}

fn entry(author: &Author<'_>, user: UserId, (flow, document): (&FlowId, &str)) -> EntryRow {
    let detail = json!({ "flow": flow, "document": document });
    by_author(author, "termsWithdrawal", ("user", user.to_string()), &detail)
}
