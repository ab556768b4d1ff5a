//! What a turn does beside changing facts: rows that are written in the transaction that saves the journey.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;
use vestibule_rules::directory::user::{ObjectIdentity, User};
use vestibule_rules::fault::{Fault, Kind, Outcome};
use vestibule_rules::ids::{AttributeId, TenantId, UserId};
use vestibule_rules::journey::facts::Facts;
use vestibule_rules::journey::question::{Answer, Question};
use vestibule_store::audit::{self, EntryRow};
use vestibule_store::journeys::{self, Saved};
use vestibule_store::outbox::{self, MailRow};
use vestibule_store::terms::{self, AcceptanceRow};
use vestibule_store::{WriteTx, users};

use vestibule_rules::time::Timestamp;

use super::finish::Ending;
use super::{Scene, State, rulings, write};
use crate::session;
use crate::throttle::Limit;

/// The rows of a turn.
#[derive(Clone, Default)]
pub(super) struct Effects {
    pub(super) limits: Vec<Limit>,
    pub(super) forgiven: Vec<Limit>,
    pub(super) mail: Vec<MailRow>,
    /// A new user, its key in time order and its password's hash.
    pub(super) user: Option<(User, String, Option<String>)>,
    pub(super) password: Option<NewPassword>,
    /// Attributes that an account gets beside those it has.
    pub(super) added: Option<(UserId, BTreeMap<AttributeId, Value>)>,
    /// Attributes that an account takes over from its provider.
    pub(super) followed: Option<(UserId, BTreeMap<AttributeId, Value>)>,
    /// An identity that leads to an account from now on.
    pub(super) linked: Option<(UserId, ObjectIdentity)>,
    /// What somebody accepted.
    pub(super) accepted: Vec<AcceptanceRow>,
    pub(super) audit: Vec<EntryRow>,
    /// The question that was answered as if its rows were written already, and the facts before the answer.
    pub(super) assumed: Option<(Facts, Question)>,
}

/// A password that replaces another.
#[derive(Clone)]
pub(super) struct NewPassword {
    pub(super) user: UserId,
    pub(super) phc: String,
    /// Whether everything that the old one opened is closed; not so when only its hash got stronger.
    pub(super) signs_out: bool,
}

impl Effects {
    pub(super) fn has_mail(&self) -> bool {
        !self.mail.is_empty()
    }

    /// The rows could not be written: the answer that was assumed is replaced by what really happened.
    pub(super) fn undo(&mut self, fault: &Fault) -> Option<(Facts, Question, Answer)> {
        let answer = match (&fault.kind, &self.assumed.as_ref()?.1) {
            (Kind::Throttled(wait), Question::SendCode { .. }) => Answer::CodeThrottled(*wait),
            (Kind::Throttled(wait), Question::AskGuardian { .. }) => Answer::GuardianThrottled(*wait),
            (Kind::Conflict, Question::CreateAccount { .. }) => Answer::Taken,
            (Kind::Conflict, Question::LinkIdentity { .. }) => Answer::Linked(false),
            _ => return None,
        };
        let (facts, question) = self.assumed.take()?;
        *self = Self::default();
        Some((facts, question, answer))
    }

    async fn apply(&self, tx: &mut WriteTx, saving: &Saving) -> Outcome<()> {
        let (tenant, now) = (saving.tenant, saving.now);
        Limit::spend_all(tx, tenant, &self.limits, now).await?;
        for limit in &self.forgiven {
            limit.reset(tx, tenant).await?;
        }
        if let Some((user, key, password)) = &self.user {
            users::insert(tx, tenant, user, key, password.as_deref()).await?;
        }
        if let Some(new) = &self.password {
            users::set_password(tx, tenant, new.user, &new.phc, now).await?;
            if new.signs_out {
                session::end_everywhere(tx, tenant, new.user, now).await?;
            }
        }
        for (user, attributes) in self.followed.iter().chain(&self.added) {
            let attributes = |account: &mut User| rulings::add_attributes(account, attributes);
            change(tx, tenant, *user, attributes).await?;
        }
        if let Some((user, identity)) = &self.linked {
            change(tx, tenant, *user, |account| account.identities.push(identity.clone())).await?;
        }
        for acceptance in &self.accepted {
            terms::insert(tx, tenant, acceptance).await?;
        }
        for mail in &self.mail {
            outbox::insert(tx, tenant, mail).await?;
        }
        for entry in &self.audit {
            audit::insert(tx, tenant, entry).await?;
        }
        Ok(())
    }
}

async fn change(
    tx: &mut WriteTx,
    tenant: TenantId,
    user: UserId,
    change: impl FnOnce(&mut User),
) -> Outcome<()> {
    let user = users::find(tx, tenant, user).await?;
    let mut user = user.ok_or_else(|| Fault::forbidden("the account is gone").code(50_034))?;
    change(&mut user);
    users::update(tx, tenant, &user).await.map(drop)
}

struct Saving {
    tenant: vestibule_rules::ids::TenantId,
    now: vestibule_rules::time::Timestamp,
    id: vestibule_rules::ids::JourneyId,
    revision: i64,
    saved: Saved,
}

/// When the journey is over for good. One that waits for a guardian lives as long as they may take, and then as
/// long as one that begins. One that ended is over when its code can no longer be redeemed: then everything about
/// it is known.
fn expiry(Scene { site, visit, loaded }: Scene<'_>, facts: &Facts) -> Timestamp {
    let lifetimes = &site.settings.lifetimes;
    match &facts.guardian {
        _ if facts.end.is_some() => visit.now + lifetimes.authorization_code,
        Some(guardian) => loaded.row.expires_at.max(guardian.expires_at + lifetimes.journey),
        None => loaded.row.expires_at,
    }
}

/// Saves the facts and writes the rows, or nothing at all. `Stale` when another request was first.
pub(super) async fn save(
    Scene { site, visit, loaded }: Scene<'_>,
    state: &State,
    effects: &Effects,
    ending: Option<&Ending>,
) -> Outcome<()> {
    let saved = Saved {
        state: write(state)?,
        expires_at: expiry(Scene { site, visit, loaded }, &state.facts),
        ended: state.facts.end.is_some(),
    };
    let saving = Arc::new(Saving {
        tenant: visit.tenant_id(),
        now: visit.now,
        id: loaded.row.id,
        revision: loaded.row.revision,
        saved,
    });
    let effects = Arc::new(effects.clone());
    let rows = Arc::new(ending.map(|e| e.rows.clone()));
    site.env
        .db
        .write(move |tx| {
            let (saving, effects, rows) = (Arc::clone(&saving), Arc::clone(&effects), Arc::clone(&rows));
            Box::pin(async move {
                journeys::save(tx, saving.tenant, saving.id, saving.revision, &saving.saved).await?;
                effects.apply(tx, &saving).await?;
                match rows.as_ref() {
                    Some(rows) => rows.write(tx, saving.tenant).await,
                    None => Ok(()),
                }
            })
        })
        .await
}
