//! Telling apps, server to server, that a session ended (OpenID Connect Back-Channel Logout 1.0).
//!
//! The notices are written in the transaction that ends the session; this job delivers them at least once. An app that
//! does not answer holds up nobody: what falls due meanwhile leaves, and after some tries it is let be (security.md S85).

use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use serde_json::{Value, json};
use tokio::time::{self, MissedTickBehavior};
use url::{Url, form_urlencoded};
use vestibule_crypto::digest::base64url;
use vestibule_rules::fault::Outcome;
use vestibule_rules::time::Span;
use vestibule_store::logout_notices::{self, Notice};

use crate::env::Site;
use crate::ports::outbound::{OutboundRequest, Whose};
use crate::registration::chosen_by;
use crate::token::subject;

/// The event of a logout token (Back-Channel Logout 1.0 §2.4).
const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";
const TYPE: &str = "logout+jwt";
/// How long a logout token is good for (§2.4 advises two minutes at most).
const LIFE: Span = Span::minutes(2);
/// How long a worker may take before another one takes over; longer than a request may.
const LEASE: Span = Span::seconds(30);
const TIMEOUT: Duration = Duration::from_secs(10);
const TRIES: i64 = 6;
const FIRST_WAIT: Span = Span::seconds(5);
const BATCH: u32 = 32;
/// Notices that are on the way at once; a multiple of a batch, or apps that do not answer would hold up the others.
const MOST: usize = 256;

/// Tells the apps whose notices are due, and waits for all of them; whether there may be more.
pub async fn deliver(site: &Site) -> Outcome<bool> {
    let claimed = claim(site).await?;
    let more = !claimed.is_empty();
    let told = futures_util::future::join_all(claimed.iter().map(|notice| one(site, notice))).await;
    told.into_iter().collect::<Outcome<()>>().map(|()| more)
}

/// Tells them for as long as it is polled: what is due when it is asked to, and every so often what became due by
/// itself or on another node.
pub async fn keep_delivering(site: &Site, period: Duration) {
    let mut tick = time::interval(period);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut on_the_way = FuturesUnordered::new();
    loop {
        let look = tokio::select! {
            _ = tick.tick() => true,
            () = site.notices_waiting.notified() => true,
            Some(told) = on_the_way.next() => {
                log(told);
                // Others may have waited for the room.
                on_the_way.len() + 1 == MOST
            }
        };
        while look && on_the_way.len() < MOST {
            let Some(claimed) = log(claim(site).await).filter(|claimed| !claimed.is_empty()) else { break };
            on_the_way.extend(claimed.into_iter().map(|notice| async move { one(site, &notice).await }));
        }
    }
}

fn log<T>(outcome: Outcome<T>) -> Option<T> {
    outcome.inspect_err(|fault| tracing::error!(%fault, "apps cannot be told of ended sessions")).ok()
}

async fn claim(site: &Site) -> Outcome<Vec<Notice>> {
    let now = site.env.now();
    let write = site
        .env
        .db
        .write(move |tx| Box::pin(async move { logout_notices::claim(tx, now, LEASE, BATCH).await }));
    write.await
}

async fn one(site: &Site, notice: &Notice) -> Outcome<()> {
    let told = match address(site, notice) {
        Some(app) => tell(site, notice, app).await,
        None => true,
    };
    let given_up = !told && notice.attempts >= TRIES;
    if given_up {
        tracing::warn!(client = %notice.client_id, "an app could not be told that a session ended");
    }
    let (notice, now) = (notice.clone(), site.env.now());
    let write = site.env.db.write(move |tx| {
        let notice = notice.clone();
        Box::pin(async move {
            if told || given_up {
                logout_notices::remove(tx, &notice).await.map(drop)
            } else {
                let wait = Span(FIRST_WAIT.0 << notice.attempts.clamp(0, 10));
                logout_notices::retry_later(tx, &notice, now + wait).await.map(drop)
            }
        })
    });
    write.await
}

/// Where the app wants to be told; most want nothing.
fn address(site: &Site, notice: &Notice) -> Option<(Url, Whose)> {
    let tenant = site.directory.by_id(notice.tenant)?;
    let app = tenant.application(notice.client_id).filter(|app| app.service_principal.account_enabled)?;
    Some((Url::parse(app.settings.back_channel_logout_uri.as_deref()?).ok()?, chosen_by(app)))
}

/// Whether the app took it (§2.8).
async fn tell(site: &Site, notice: &Notice, (address, whose): (Url, Whose)) -> bool {
    let token = match token(site, notice).await {
        Ok(token) => token,
        Err(fault) => {
            tracing::error!(%fault, "a logout token cannot be signed");
            return false;
        }
    };
    let body = form_urlencoded::Serializer::new(String::new()).append_pair("logout_token", &token).finish();
    let request = OutboundRequest::post(address, "application/x-www-form-urlencoded", body.into_bytes());
    match site.env.outbound.send(request.within(TIMEOUT).chosen_by(whose)).await {
        Ok(answer) if (200..300).contains(&answer.status) => true,
        Ok(answer) => {
            tracing::info!(client = %notice.client_id, status = answer.status, "an app refuses a logout token");
            false
        }
        Err(fault) => {
            tracing::info!(client = %notice.client_id, %fault, "an app cannot be reached");
            false
        }
    }
}

/// §2.4: it names the session and the person, and has no nonce, so that nobody takes it for an ID token.
async fn token(site: &Site, notice: &Notice) -> Outcome<String> {
    let now = site.env.now();
    let client = notice.client_id.to_string();
    let tenant = site.directory.by_id(notice.tenant);
    let sub = subject(site, tenant.as_deref(), notice.client_id, notice.user_id);
    let claims: Value = json!({
        "iss": notice.issuer,
        "aud": client,
        "sub": sub,
        "sid": notice.sid,
        "iat": now.seconds(),
        "exp": (now + LIFE).seconds(),
        "jti": base64url(&site.env.random::<16>()),
        "events": { EVENT: {} },
    });
    site.keyring.sign_typed(&site.env, notice.tenant, &claims, (TYPE, now)).await
}
