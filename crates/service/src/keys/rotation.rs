//! Key rotation (security.md S90): a key is published long before it signs, and stays published long after.
//!
//! Whoever checks tokens keeps our key set for a while, so a key may sign only when everybody has had the time to read
//! it. That is why there is always a next key, and why a rotation makes the next key the current one and then the one
//! after it. A tenant that wants another algorithm gets a next key for it, and nothing else is different: what the old
//! ones signed stays verifiable for as long as ever. The keys are rows: every node signs with the same one, and learns of a rotation within a second.

use serde::Serialize;
use vestibule_rules::fault::{Fault, Outcome};
use vestibule_rules::ids::TenantId;
use vestibule_rules::oauth::signing::SigningAlgorithm;
use vestibule_rules::time::{Span, Timestamp};
use vestibule_store::deployment;
use vestibule_store::keys::{self, KeyRow};

use super::{FIRST_PERIOD, list, new_row, wanted};
use crate::env::{Env, Site};

/// For how long a key is published before it may sign: longer than anybody keeps a key set (MSAL: a day).
const AHEAD: Span = Span::days(2);
/// For how long a key that signs no more is published: longer than any token lives, with room for a hint of a token
/// that has expired.
const KEPT: Span = Span::days(30);
/// The row that says that the keys changed.
const MARK: &str = "signing_keys";

/// One key as an operator sees it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Listed {
    pub kid: String,
    pub algorithm: String,
    pub state: State,
    /// Points in time as in RFC 3339.
    pub created_at: String,
    pub active_from: String,
    /// When it stops being published.
    pub retire_at: Option<String>,
}

/// What a key does now.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum State {
    /// It is published and waits.
    Next,
    /// It signs.
    Current,
    /// It signed what may still be shown.
    Previous,
}

/// The keys of a tenant, in the order in which they sign.
pub async fn listed(env: &Env, tenant: TenantId) -> Outcome<Vec<Listed>> {
    let (rows, now) = (list(env, tenant).await?, env.now());
    let current = current(&rows, now);
    let one = |(at, row): (usize, &KeyRow)| Listed {
        kid: row.kid.clone(),
        algorithm: row.algorithm.clone(),
        state: match current {
            Some(current) if at == current => State::Current,
            Some(current) if at < current => State::Previous,
            Some(_) | None => State::Next,
        },
        created_at: row.created_at.rfc3339(),
        active_from: row.active_from.rfc3339(),
        retire_at: row.retire_at.map(Timestamp::rfc3339),
    };
    Ok(rows.iter().enumerate().map(one).collect())
}

/// Makes the next key sign from now on, and a new next key.
///
/// `at_once` takes a next key that has not been published for long enough, and stops publishing every older key: for a
/// key that got into other hands. Tokens that it signed are refused from then on. Without it such a key is a
/// `Conflict`.
pub async fn rotate(env: &Env, tenant: TenantId, at_once: bool) -> Outcome<()> {
    let (rows, now) = (list(env, tenant).await?, env.now());
    let algorithm = wanted(env, tenant).await?;
    let outdated = outdated(&rows, algorithm, now);
    let next = rows.iter().find(|row| row.active_from > now && !outdated.contains(&row.kid));
    let next = match next {
        Some(row) => row.clone(),
        None => KeyRow { active_from: now, ..new_row(env, tenant, algorithm).await? },
    };
    if !at_once && now.since(next.created_at) < AHEAD {
        return Err(Fault::new(
            vestibule_rules::fault::Kind::Conflict,
            "the next key was published less than two days ago, and not everybody knows it yet",
        ));
    }
    let after = KeyRow { active_from: now + FIRST_PERIOD, ..new_row(env, tenant, algorithm).await? };
    let older: Vec<String> =
        rows.iter().filter(|row| row.active_from <= now).map(|row| row.kid.clone()).collect();
    let until = if at_once { now } else { now + KEPT };
    let mark = env.guid().to_string();
    env.db
        .write(move |tx| {
            let (next, after, mark) = (next.clone(), after.clone(), mark.clone());
            let (older, outdated) = (older.clone(), outdated.clone());
            Box::pin(async move {
                for kid in &outdated {
                    keys::remove_waiting(tx, tenant, kid, now).await?;
                }
                keys::insert(tx, tenant, &next).await?;
                keys::advance(tx, tenant, &next.kid, now).await?;
                keys::insert(tx, tenant, &after).await?;
                for kid in &older {
                    keys::retire(tx, tenant, kid, until).await?;
                    keys::remove_retired(tx, tenant, kid, now).await?;
                }
                deployment::put(tx, MARK, &mark).await
            })
        })
        .await
}

/// Does what is due for every tenant that has keys: a next key when the last one has begun to sign or is for another
/// algorithm than the tenant wants by now, an end for those before it, and the removal of keys whose end has come.
pub async fn keep_up(site: &Site) -> Outcome<()> {
    let tenants: Vec<(TenantId, SigningAlgorithm)> = site
        .directory
        .snapshot()
        .tenants()
        .map(|t| (t.config.tenant.id, t.config.tenant.tokens.signing_algorithm))
        .collect();
    for (tenant, algorithm) in tenants {
        let rows = list(&site.env, tenant).await?;
        if !rows.is_empty() {
            one(&site.env, tenant, &rows, algorithm).await?;
        }
    }
    Ok(())
}

async fn one(env: &Env, tenant: TenantId, rows: &[KeyRow], algorithm: SigningAlgorithm) -> Outcome<()> {
    let now = env.now();
    let Some(at) = current(rows, now) else { return Ok(()) };
    let outdated = outdated(rows, algorithm, now);
    let last = rows.iter().rfind(|row| !outdated.contains(&row.kid));
    let next = match last {
        Some(last) if last.active_from <= now => {
            // Another algorithm was asked for, so it comes as soon as everybody can know its key.
            let soon = last.algorithm != algorithm.as_str();
            let due = if soon { now } else { last.active_from + FIRST_PERIOD };
            let active_from = due.max(now + AHEAD);
            Some(KeyRow { active_from, ..new_row(env, tenant, algorithm).await? })
        }
        Some(_) | None => None,
    };
    let mut ending = Vec::new();
    for (row, successor) in rows.iter().zip(rows.iter().skip(1)).take(at) {
        if row.retire_at.is_none() {
            ending.push((row.kid.clone(), successor.active_from + KEPT));
        }
    }
    let over: Vec<String> = rows
        .iter()
        .filter(|row| row.retire_at.is_some_and(|end| end <= now))
        .map(|r| r.kid.clone())
        .collect();
    let due = Due { last: last.map(|row| row.kid.clone()), outdated, next, ending, over };
    if due.is_nothing() { Ok(()) } else { due.write(env, tenant, now).await }
}

/// The keys that wait to sign and are for another algorithm than the tenant wants: they never signed anything.
fn outdated(rows: &[KeyRow], algorithm: SigningAlgorithm, now: Timestamp) -> Vec<String> {
    let waiting = rows.iter().filter(|row| row.active_from > now);
    waiting.filter(|row| row.algorithm != algorithm.as_str()).map(|row| row.kid.clone()).collect()
}

/// What is to be done to the keys of a tenant.
#[derive(Clone)]
struct Due {
    /// The key that the next one comes after.
    last: Option<String>,
    outdated: Vec<String>,
    next: Option<KeyRow>,
    ending: Vec<(String, Timestamp)>,
    over: Vec<String>,
}

impl Due {
    const fn is_nothing(&self) -> bool {
        self.next.is_none() && self.outdated.is_empty() && self.ending.is_empty() && self.over.is_empty()
    }

    async fn write(self, env: &Env, tenant: TenantId, now: Timestamp) -> Outcome<()> {
        let mark = env.guid().to_string();
        env.db
            .write(move |tx| {
                let (due, mark) = (self.clone(), mark.clone());
                Box::pin(async move {
                    for kid in &due.outdated {
                        keys::remove_waiting(tx, tenant, kid, now).await?;
                    }
                    if let Some(next) = &due.next {
                        // Of two nodes that find the same key due, one makes it.
                        keys::insert_after(tx, tenant, due.last.as_deref().unwrap_or_default(), next).await?;
                    }
                    for (kid, end) in &due.ending {
                        keys::retire(tx, tenant, kid, *end).await?;
                    }
                    for kid in &due.over {
                        keys::remove_retired(tx, tenant, kid, now).await?;
                    }
                    deployment::put(tx, MARK, &mark).await
                })
            })
            .await
    }
}

/// What says that keys changed on any node; compared with what was read last.
pub async fn mark(env: &Env) -> Outcome<Option<String>> {
    deployment::get(&mut env.db.glance().await?, MARK).await
}

/// The place of the key that signs: the youngest whose time has come.
fn current(rows: &[KeyRow], now: Timestamp) -> Option<usize> {
    rows.iter().rposition(|row| row.active_from <= now)
}
