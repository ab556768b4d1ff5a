//! What happens without a request: mail leaves, configuration is re-read, old rows go.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{self, MissedTickBehavior};
use tokio_util::sync::CancellationToken;
use vestibule_rules::fault::Outcome;
use vestibule_rules::time::Span;
use vestibule_store::{
    device_codes, grants, journeys, maintenance, outbox, proofs, provider_sessions, pushed_requests,
    sessions, spent_tokens, stages, throttle, told_once, waiting_requests,
};

use crate::domains;
use crate::env::Site;
use crate::federation::{self, health, overview};
use crate::funnel;
use crate::keys::rotation;
use crate::mail;
use crate::notices;
use crate::ports::mailer::Mailer;

/// A change of configuration shows on every node within a second.
const DIRECTORY: Duration = Duration::from_millis(500);
/// Mail of another node, and retries.
/// Whether a signing key is due; they change every few months.
const KEYS: Duration = Duration::from_hours(1);
const MAIL: Duration = Duration::from_secs(1);
const CLEAN_UP: Duration = Duration::from_mins(1);
/// A database that was empty a moment ago.
const STATISTICS: Duration = Duration::from_secs(2);
/// How often domains are looked for whose record is due.
const DOMAINS: Duration = Duration::from_mins(1);
/// Providers that are new or did not answer.
const PROVIDERS: Duration = Duration::from_secs(15);
/// How providers fare; a row of each is written less often than that.
const HEALTH: Duration = Duration::from_secs(5);
/// Secrets of providers that expire; also at every start.
const SECRETS: Duration = Duration::from_hours(24);
/// Rows that one clean-up takes at most: it never holds up a visitor.
const BATCH: u32 = 500;
/// How long a letter that has left is remembered.
const SENT_MAIL: Span = Span::hours(24);
/// How long somebody who comes back too late is still told what happened.
const OLD_JOURNEYS: Span = Span::days(1);
/// How long a code or token that died is still recognised when somebody shows it again.
const OLD_GRANTS: Span = Span::days(30);
/// How long it is remembered that a pushed request was used: journeys that it began may still be open.
const OLD_PUSHED: Span = Span::days(1);
const OLD_COUNTERS: Span = Span::days(2);

/// Runs every job until `stop`. A failure is logged and tried again at the next turn.
pub async fn run(site: Arc<Site>, mailer: Arc<dyn Mailer>, stop: CancellationToken) {
    let tenants: Vec<_> = site.directory.snapshot().tenants().map(|t| t.config.tenant.id).collect();
    let prepare = async {
        if let Err(fault) = site.keyring.prepare(&site.env, tenants).await {
            tracing::error!(%fault, "signing keys cannot be prepared");
        }
        std::future::pending::<()>().await;
    };
    tokio::select! {
        () = stop.cancelled() => {}
        () = prepare => {}
        () = directory(&site) => {}
        () = deliver(&site, &*mailer) => {}
        () = signing_keys(&site) => {}
        () = notices::keep_delivering(&site, MAIL) => {}
        () = clean_up(&site) => {}
        () = providers(&site) => {}
        () = domains_of_providers(&site) => {}
        () = secrets(&site) => {}
        () = provider_health(&site) => {}
        () = statistics(&site) => {}
    }
    if let Err(fault) = health::save(&site, true).await {
        tracing::warn!(%fault, "how providers fared is lost");
    }
    // What was promised before the stop leaves before it, if the mail server lets it.
    if let Err(fault) = mail::deliver(&site, &*mailer).await {
        tracing::warn!(%fault, "the last mails stay in the outbox");
    }
}

fn every(period: Duration) -> time::Interval {
    let mut interval = time::interval(period);
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    interval
}

async fn directory(site: &Site) {
    let mut tick = every(DIRECTORY);
    loop {
        tick.tick().await;
        match site.directory.poll(&site.env.db).await {
            Ok(true) => tracing::info!("the configuration changed"),
            Ok(false) => {}
            Err(fault) => tracing::error!(%fault, "the configuration cannot be read"),
        }
    }
}

async fn deliver(site: &Site, mailer: &dyn Mailer) {
    let mut tick = every(MAIL);
    loop {
        tokio::select! {
            _ = tick.tick() => {}
            () = site.mail_waiting.notified() => {}
        }
        loop {
            match mail::deliver(site, mailer).await {
                Ok(true) => {}
                Ok(false) => break,
                Err(fault) => {
                    tracing::error!(%fault, "the outbox cannot be worked on");
                    break;
                }
            }
        }
    }
}

async fn signing_keys(site: &Site) {
    let (mut look, mut keep_up) = (every(DIRECTORY), every(KEYS));
    loop {
        let done = tokio::select! {
            _ = look.tick() => site.keyring.poll(&site.env).await,
            _ = keep_up.tick() => rotation::keep_up(site).await,
        };
        if let Err(fault) = done {
            tracing::error!(%fault, "signing keys cannot be kept up");
        }
    }
}

async fn clean_up(site: &Site) {
    let mut tick = every(CLEAN_UP);
    loop {
        tick.tick().await;
        // First: a journey that is removed takes its stages with it.
        if let Err(fault) = funnel::move_stages(&site.env.db, site.env.now()).await {
            tracing::error!(%fault, "stages of journeys cannot be moved");
        }
        if let Err(fault) = remove_old(site).await {
            tracing::error!(%fault, "old rows cannot be removed");
        }
    }
}

async fn statistics(site: &Site) {
    let mut tick = every(STATISTICS);
    loop {
        tick.tick().await;
        if let Err(fault) = maintenance::analyse_new_tables(&site.env.db).await {
            tracing::warn!(%fault, "new tables cannot be analysed");
        }
    }
}

async fn providers(site: &Site) {
    let mut tick = every(PROVIDERS);
    loop {
        tick.tick().await;
        federation::warm_up(site).await;
    }
}

async fn domains_of_providers(site: &Site) {
    let mut tick = every(DOMAINS);
    loop {
        tick.tick().await;
        if let Err(fault) = domains::check_due(site).await {
            tracing::warn!(%fault, "the domains of providers cannot be checked");
        }
    }
}

async fn provider_health(site: &Site) {
    let mut tick = every(HEALTH);
    loop {
        tick.tick().await;
        if let Err(fault) = health::save(site, false).await {
            tracing::warn!(%fault, "how providers fare cannot be written down");
        }
    }
}

async fn secrets(site: &Site) {
    let mut tick = every(SECRETS);
    loop {
        tick.tick().await;
        overview::warn_of_expiry(site);
    }
}

/// Removes what is older than anybody asks for, a batch at a time.
pub async fn remove_old(site: &Site) -> Outcome<()> {
    let now = site.env.now();
    let old_stages = now - site.settings.lifetimes.funnel;
    loop {
        let removed = site
            .env
            .db
            .write(move |tx| {
                Box::pin(async move {
                    let journeys = journeys::remove_expired(tx, now - OLD_JOURNEYS, BATCH).await?;
                    let counters = throttle::remove_old(tx, now - OLD_COUNTERS, BATCH).await?;
                    let mail = outbox::remove_done(tx, now - SENT_MAIL, BATCH).await?;
                    let sessions = sessions::remove_expired(tx, now - OLD_GRANTS, BATCH).await?;
                    let kept = provider_sessions::remove_expired(tx, now, BATCH).await?;
                    let kept = kept + spent_tokens::remove_expired(tx, now, BATCH).await?;
                    let kept = kept + told_once::remove_expired(tx, now, BATCH).await?;
                    let devices = device_codes::remove_expired(tx, now - OLD_JOURNEYS, BATCH).await?;
                    let grants = devices + grants::remove_expired(tx, now - OLD_GRANTS, BATCH).await?;
                    let grants =
                        grants + pushed_requests::remove_expired(tx, now - OLD_PUSHED, BATCH).await?;
                    let grants = grants + proofs::remove_expired(tx, now, BATCH).await?;
                    let grants =
                        grants + waiting_requests::remove_expired(tx, now - OLD_JOURNEYS, BATCH).await?;
                    let stages = stages::remove_old(tx, old_stages, BATCH).await?;
                    Ok(journeys + counters + mail + sessions + kept + grants + stages)
                })
            })
            .await?;
        if removed == 0 {
            return Ok(());
        }
    }
}
