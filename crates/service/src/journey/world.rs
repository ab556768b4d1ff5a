//! The answers to the engine's questions. Reads and computations happen here with no transaction open; what
//! must be written goes into the effects of the turn.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use vestibule_crypto::{digest, otp, password};
use vestibule_rules::directory::address::Address;
use vestibule_rules::directory::provider::claims::UpdateWhen;
use vestibule_rules::directory::terms::Agreement;
use vestibule_rules::directory::user::User;
use vestibule_rules::fault::{Fault, Outcome};
use vestibule_rules::ids::{AttributeId, JourneyId, TenantId, UserId};
use vestibule_rules::journey::draft::Draft;
use vestibule_rules::journey::engine::CODE_LIFETIME;
use vestibule_rules::journey::facts::{Account, Facts, Federated, Review};
use vestibule_rules::journey::flow::{Flow, takes_newcomers};
use vestibule_rules::journey::question::{Answer, Compared, Question};
use vestibule_rules::text::{Message, Secret};
use vestibule_rules::time::Span;
use vestibule_store::terms::AcceptanceRow;
use vestibule_store::{ReadTx, users};

use super::effects::{Effects, NewPassword};
use super::guardian::{self, GUARDIAN_LIFETIME};
use super::{Scene, finish, rulings};
use crate::audit;
use crate::domains;
use crate::env::Site;
use crate::mail::{self, Letter};
use crate::terms;
use crate::throttle::Limit;
use crate::visit::Visit;

/// Wrong passwords in a row for one account before it takes a pause, and the pause (PW-03).
const WRONG_PASSWORDS: (Span, i64) = (Span::minutes(1), 10);
/// Wrong passwords for one account in a day (SP 800-63B-4).
const WRONG_PASSWORDS_DAY: (Span, i64) = (Span::days(1), 100);
/// Passwords tried from one source.
const PASSWORDS_OF_SOURCE: (Span, i64) = (Span::minutes(1), 120);

/// Identities that one account may have (DIR-03).
const MOST_IDENTITIES: usize = 10;

/// Answers one question.
pub(super) async fn ask(
    scene: Scene<'_>,
    facts: &Facts,
    question: &Question,
    effects: &mut Effects,
) -> Outcome<Answer> {
    let Scene { site, visit, loaded } = scene;
    match question {
        Question::FindAccount { address } => find_account(scene, address).await,
        Question::FindDomain { domain, .. } => {
            Ok(Answer::Domain(domains::is_theirs(site, visit.tenant_id(), domain, visit.now).await?))
        }
        Question::FindIdentity { issuer, subject, address } => {
            find_identity(scene, (issuer, subject), address.as_deref()).await
        }
        Question::SendCode { .. } => {
            effects.assumed = Some((facts.clone(), question.clone()));
            send_code(scene, question, effects)
        }
        Question::AskGuardian { address, sent } => {
            effects.assumed = Some((facts.clone(), question.clone()));
            ask_guardian(scene, facts, (address, *sent), effects)
        }
        Question::CompareCode { typed, digest, superseded } => {
            let compared = compare(site, loaded.row.id, typed, digest, superseded);
            if compared != Compared::Match {
                let tried = (loaded.row.id, facts.known().map(|account| account.user));
                effects.audit.push(audit::failed_proof(site, visit, tried, "code"));
            }
            Ok(Answer::CodeCompared(compared))
        }
        Question::CheckPassword { user, address, password } => {
            judge_password(scene, (*user, address, password), effects).await
        }
        Question::HashPassword { password } => {
            let (password, salt) = (password.clone(), site.env.random());
            let phc = site.env.hashing.run(move || password::hash(&password, salt)).await??;
            Ok(Answer::PasswordHashed(phc))
        }
        Question::CreateAccount { draft } => {
            effects.assumed = Some((facts.clone(), question.clone()));
            create_account(scene, facts, draft, effects)
        }
        Question::SetPassword { user, phc } => {
            set_password(scene, facts, (*user, phc), effects)?;
            Ok(Answer::PasswordSet)
        }
        Question::Review { user } => {
            Ok(Answer::Reviewed(Box::new(review(site, visit, &loaded.flow, *user).await?)))
        }
        Question::UpdateAccount { user, attributes, terms } => {
            update_account(scene, *user, (attributes, terms), effects)?;
            Ok(Answer::Updated)
        }
        Question::LinkIdentity { user, federated } => {
            link_identity(scene, facts, (*user, federated), effects).await
        }
        Question::TakeClaims { user, values } => take_claims(scene, *user, values, effects).await,
        Question::Federation { .. } | Question::Guardian { .. } => {
            Err(Fault::ours("this is answered in a browser, not by the runner"))
        }
    }
}

async fn find_account(Scene { site, visit, loaded }: Scene<'_>, address: &str) -> Outcome<Answer> {
    let mut tx = site.env.db.read().await?;
    let found = by_address(&mut tx, visit.tenant_id(), &loaded.flow.default_domain, address).await?;
    Ok(Answer::Account(found))
}

async fn judge_password(
    Scene { site, visit, loaded }: Scene<'_>,
    (user, address, password): (Option<UserId>, &str, &Secret<String>),
    effects: &mut Effects,
) -> Outcome<Answer> {
    let answer = check_password(site, visit, (user, address, password), effects).await?;
    if !matches!(answer, Answer::PasswordChecked(true)) {
        let reason = if answer == Answer::PasswordChecked(false) { "password" } else { "passwordThrottled" };
        effects.audit.push(audit::failed_proof(site, visit, (loaded.row.id, user), reason));
    }
    Ok(answer)
}

fn update_account(
    scene: Scene<'_>,
    user: UserId,
    (attributes, terms): (&BTreeMap<AttributeId, Value>, &[Agreement]),
    effects: &mut Effects,
) -> Outcome<()> {
    let Scene { site, visit, loaded } = scene;
    if !attributes.is_empty() {
        let keys: Vec<&str> = attributes.keys().map(AttributeId::as_str).collect();
        let detail = json!({ "keys": keys, "flow": loaded.flow.id });
        effects.audit.push(audit::by_user(site, visit, user, "userUpdate", &detail));
        effects.added = Some((user, attributes.clone()));
    }
    effects.accepted = evidence(scene, user, terms)?;
    Ok(())
}

/// Lets a provider's identity lead to an account that its holder has just signed in to, and tells the mailbox: whoever
/// did not do it themselves must learn of it.
async fn link_identity(
    Scene { site, visit, loaded }: Scene<'_>,
    facts: &Facts,
    (user, federated): (UserId, &Federated),
    effects: &mut Effects,
) -> Outcome<Answer> {
    finish::still_trusts(visit, Some(&federated.provider))?;
    let tenant = visit.tenant_id();
    let mut tx = site.env.db.read().await?;
    let taken = users::find_by_identity(&mut tx, tenant, &federated.issuer, &federated.subject).await?;
    let account = users::find(&mut tx, tenant, user).await?.filter(|account| account.account_enabled);
    drop(tx);
    let Some(account) = account.filter(|a| taken.is_none() && a.identities.len() < MOST_IDENTITIES) else {
        return Ok(Answer::Linked(false));
    };
    let question = Question::LinkIdentity { user, federated: Box::new(federated.clone()) };
    effects.assumed = Some((facts.clone(), question));
    effects.linked = Some((user, rulings::identity_at(federated)));
    let detail =
        json!({ "provider": federated.provider, "issuer": federated.issuer, "flow": loaded.flow.id });
    effects.audit.push(audit::by_user(site, visit, user, "identityLink", &detail));
    if let Some(address) = account.mail.as_deref().and_then(|a| Address::parse(a).ok()) {
        let provider = visit.tenant.provider(federated.provider.as_str());
        let letter = Letter::IdentityLinked {
            tenant: loaded.flow.tenant_name.clone(),
            address: address.as_string(),
            provider: provider.map_or_else(|| federated.provider.to_string(), |p| p.display_name.clone()),
        };
        effects.mail.push(mail::prepare(site, tenant, &address, &letter, visit.now)?);
    }
    Ok(Answer::Linked(true))
}

async fn take_claims(
    Scene { site, visit, loaded }: Scene<'_>,
    user: UserId,
    values: &BTreeMap<AttributeId, (UpdateWhen, Value)>,
    effects: &mut Effects,
) -> Outcome<Answer> {
    let account = users::find(&mut site.env.db.read().await?, visit.tenant_id(), user).await?;
    let account = account.ok_or_else(|| Fault::forbidden("the account is gone").code(50_034))?;
    let changed = rulings::claims_to_take(&account, values);
    if !changed.is_empty() {
        let keys: Vec<&str> = changed.keys().map(AttributeId::as_str).collect();
        let detail = json!({ "keys": keys, "flow": loaded.flow.id, "source": "provider" });
        effects.audit.push(audit::by_user(site, visit, user, "userUpdate", &detail));
        effects.followed = Some((user, changed));
    }
    Ok(Answer::ClaimsTaken)
}

async fn find_identity(
    Scene { site, visit, loaded }: Scene<'_>,
    (issuer, subject): (&str, &str),
    address: Option<&str>,
) -> Outcome<Answer> {
    let (mut tx, tenant) = (site.env.db.read().await?, visit.tenant_id());
    let found = users::find_by_identity(&mut tx, tenant, issuer, subject).await?;
    let by_identity = account(&mut tx, tenant, found).await?;
    let by_address = match address {
        Some(address) => by_address(&mut tx, tenant, &loaded.flow.default_domain, address).await?,
        None => None,
    };
    Ok(Answer::Identity { by_identity, by_address })
}

/// What an account has of what a flow can ask for.
pub(super) async fn review(site: &Site, visit: &Visit, flow: &Flow, user: UserId) -> Outcome<Review> {
    let mut tx = site.env.db.read().await?;
    let tenant = visit.tenant_id();
    let accepted =
        if flow.demands_terms() { terms::accepted(&mut tx, tenant, user, flow).await? } else { Vec::new() };
    let user = users::find(&mut tx, tenant, user).await?;
    let user = user.ok_or_else(|| Fault::forbidden("the account is gone").code(50_034))?;
    Ok(rulings::review(&user, accepted))
}

fn evidence(
    Scene { site, visit, loaded }: Scene<'_>,
    user: UserId,
    agreements: &[Agreement],
) -> Outcome<Vec<AcceptanceRow>> {
    terms::evidence(site, visit, (&loaded.flow, loaded.row.flow_version), user, agreements)
}

fn create_account(scene: Scene<'_>, facts: &Facts, draft: &Draft, effects: &mut Effects) -> Outcome<Answer> {
    let Scene { site, visit, loaded } = scene;
    finish::still_trusts(visit, facts.federated.as_ref().map(|federated| &federated.provider))?;
    // A flow may be older than the tenant's decision to take nobody any more (security.md C80).
    if !takes_newcomers(&visit.tenant.config) {
        let fault = Fault::forbidden("self-service sign-up was switched off meanwhile");
        return Err(fault.hint(Message::new("refused-no-account")));
    }
    let id = UserId::from_random(site.env.random());
    let phc = draft.password().map(str::to_owned);
    let user = draft.clone().into_user(id, visit.now);
    let detail = json!({
        "userType": user.user_type,
        "flow": loaded.flow.id,
        "client": loaded.row.client_id,
        "provider": facts.federated.as_ref().map(|f| &f.provider),
    });
    effects.audit.push(audit::by_user(site, visit, id, "userCreation", &detail));
    effects.user = Some((user, site.env.order_key(visit.now), phc));
    effects.accepted = evidence(scene, id, draft.terms())?;
    Ok(Answer::Created(id))
}

fn set_password(
    Scene { site, visit, loaded }: Scene<'_>,
    facts: &Facts,
    (user, phc): (UserId, &str),
    effects: &mut Effects,
) -> Outcome<()> {
    effects.password = Some(NewPassword { user, phc: phc.to_owned(), signs_out: true });
    effects.audit.push(audit::by_user(site, visit, user, "passwordReset", &json!({})));
    if let Some(address) = facts.mailbox.as_deref().and_then(|a| Address::parse(a).ok()) {
        let letter =
            Letter::PasswordChanged { tenant: loaded.flow.tenant_name.clone(), address: address.as_string() };
        effects.mail.push(mail::prepare(site, visit.tenant_id(), &address, &letter, visit.now)?);
    }
    Ok(())
}

/// The account that an address belongs to: as an identity first, else as the mail of a federated account.
async fn by_address(
    tx: &mut ReadTx,
    tenant: TenantId,
    domain: &str,
    address: &str,
) -> Outcome<Option<Account>> {
    let Ok(address) = Address::parse(address) else { return Ok(None) };
    let key = address.key();
    for issuer in rulings::address_issuers(domain) {
        if let Some(user) = users::find_by_identity(tx, tenant, issuer, &key).await? {
            return account(tx, tenant, Some(user)).await;
        }
    }
    let user = users::list_by_mail_key(tx, tenant, &key).await?.into_iter().next();
    account(tx, tenant, user).await
}

async fn account(tx: &mut ReadTx, tenant: TenantId, user: Option<User>) -> Outcome<Option<Account>> {
    let Some(user) = user else { return Ok(None) };
    let has_password = users::password(tx, tenant, user.id).await?.is_some();
    Ok(Some(rulings::account(&user, has_password)))
}

fn send_code(
    Scene { site, visit, loaded }: Scene<'_>,
    question: &Question,
    effects: &mut Effects,
) -> Outcome<Answer> {
    let Question::SendCode { address, purpose, decoy, sent } = question else {
        return Err(Fault::ours("not a question for a code"));
    };
    let to = Address::parse(address).map_err(|e| Fault::ours(e.to_string()))?;
    effects.limits = mail_limits(site, visit, &to);
    let code = otp::code_from(site.env.random());
    let tenant = loaded.flow.tenant_name.clone();
    let address = to.as_string();
    let letter = if *decoy {
        Letter::NoAccount { tenant, address, purpose: *purpose }
    } else {
        let minutes = u32::try_from(CODE_LIFETIME.as_seconds() / 60).unwrap_or(u32::MAX);
        Letter::Code { tenant, code: code.clone(), purpose: *purpose, minutes, address }
    };
    effects.mail.push(mail::prepare(site, visit.tenant_id(), &to, &letter, visit.now)?);
    let wait = rulings::resend_wait(site.settings.codes.resend_after, *sent);
    Ok(Answer::CodeSent {
        digest: code_digest(site, loaded.row.id, &code),
        expires_at: visit.now + CODE_LIFETIME,
        resend_at: visit.now + wait,
    })
}

/// Writes to a guardian. The mail is limited as codes are: it goes to an address that a stranger typed.
fn ask_guardian(
    Scene { site, visit, loaded }: Scene<'_>,
    facts: &Facts,
    (address, sent): (&str, u32),
    effects: &mut Effects,
) -> Outcome<Answer> {
    let to = Address::parse(address).map_err(|e| Fault::ours(e.to_string()))?;
    effects.limits = mail_limits(site, visit, &to);
    let (tenant, id) = (visit.tenant_id(), loaded.row.id);
    let token = guardian::token(site, tenant, id, sent);
    let letter = Letter::Guardian {
        tenant: loaded.flow.tenant_name.clone(),
        visitor: facts.proven_address().unwrap_or_default().to_owned(),
        link: format!("{}/{tenant}/guardian/{id}/{sent}/{token}", visit.origin),
        days: GUARDIAN_LIFETIME.as_seconds() / (24 * 3600),
        address: to.as_string(),
    };
    effects.mail.push(mail::prepare(site, tenant, &to, &letter, visit.now)?);
    Ok(Answer::GuardianAsked {
        expires_at: visit.now + GUARDIAN_LIFETIME,
        resend_at: visit.now + rulings::resend_wait(site.settings.codes.resend_after, sent),
    })
}

/// How many mails an address gets, and how many one source may cause.
fn mail_limits(site: &Site, visit: &Visit, to: &Address) -> Vec<Limit> {
    let (env, codes, key) = (&site.env, &site.settings.codes, to.key());
    vec![
        Limit::new(env, "code-address-hour", &key, Span::hours(1), codes.per_address_hour),
        Limit::new(env, "code-address-day", &key, Span::days(1), codes.per_address_day),
        Limit::new(env, "code-source-hour", &visit.network(), Span::hours(1), codes.per_source_hour),
    ]
}

/// A code proves a mailbox in one journey and nowhere else.
fn code_digest(site: &Site, journey: JourneyId, code: &str) -> String {
    digest::base64url(&otp::code_digest(&site.env.derived.code, "journey", &journey.to_string(), code))
}

fn compare(site: &Site, journey: JourneyId, typed: &str, expected: &str, superseded: &[String]) -> Compared {
    rulings::compare(&code_digest(site, journey, typed), expected, superseded)
}

async fn check_password(
    site: &Site,
    visit: &Visit,
    (user, address, typed): (Option<UserId>, &str, &Secret<String>),
    effects: &mut Effects,
) -> Outcome<Answer> {
    let (env, tenant) = (&site.env, visit.tenant_id());
    let key = Address::parse(address).map_or_else(|_| address.to_lowercase(), |a| a.key());
    let limit =
        |what: &str, whom: &str, (window, limit): (Span, i64)| Limit::new(env, what, whom, window, limit);
    let of_account = [
        limit("password-account", &key, WRONG_PASSWORDS),
        limit("password-account-day", &key, WRONG_PASSWORDS_DAY),
    ];
    let mut limits = of_account.to_vec();
    limits.push(limit("password-source", &visit.network(), PASSWORDS_OF_SOURCE));
    // Spent before the comparison, so that parallel guesses cannot outrun the counter.
    if let Err(wait) = Limit::spend(env, tenant, limits, visit.now).await? {
        return Ok(Answer::PasswordThrottled(wait));
    }
    let stored = match user {
        Some(user) => users::password(&mut env.db.glance().await?, tenant, user).await?,
        None => None,
    };
    let outdated = stored.as_deref().is_some_and(password::needs_rehash);
    let (candidate, phc) = (typed.clone(), stored);
    let good = env.hashing.run(move || password::verify_or_pretend(&candidate, phc.as_deref())).await??;
    if good {
        effects.forgiven.extend(of_account);
    }
    if let Some(user) = user.filter(|_| good && outdated) {
        let (candidate, salt) = (typed.clone(), env.random());
        let phc = env.hashing.run(move || password::hash(&candidate, salt)).await??;
        effects.password = Some(NewPassword { user, phc, signs_out: false });
    }
    Ok(Answer::PasswordChecked(good))
}
