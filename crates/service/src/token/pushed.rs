//! Pushed authorization requests (RFC 9126): an application hands its request over by itself, and sends the browser with
//! a name for it. The name is 256 random bits, known to the store by their digest only.
//!
//! What is kept are the parameters and not what was made of them: the table of checks goes over them again when the
//! browser comes, with the configuration and the session of that moment. The request is spent when it is answered with
//! a code or its journey ends, so that a page can be loaded again until then.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use vestibule_crypto::digest::{base64url, token};
use vestibule_rules::directory::application::Platform;
use vestibule_rules::fault::{Fault, Outcome};
use vestibule_rules::ids::{ClientId, TenantId};
use vestibule_rules::oauth::authorize::{self, Loaded, Pushed};
use vestibule_rules::oauth::consent::Held;
use vestibule_rules::oauth::dpop::needs_nonce;
use vestibule_rules::oauth::params::Params;
use vestibule_rules::oauth::{error, redirect};
use vestibule_rules::time::{Span, Timestamp};
use vestibule_store::WriteTx;
use vestibule_store::pushed_requests::{self, PushedRow};

use super::client::Client;
use super::{Refusal, TokenRequest, digest_of};
use crate::authorize::served;
use crate::dpop::{self, Demands};
use crate::env::Site;
use crate::throttle::Limit;
use crate::visit::Visit;

/// What every `request_uri` of ours begins with (RFC 9126 §2.2).
const PREFIX: &str = "urn:ietf:params:oauth:request_uri:";
/// How long a browser has to come, and may load its page again.
const LIFE: Span = Span::minutes(5);
const WINDOW: Span = Span::minutes(10);
/// Requests that a network may push for apps that prove nothing.
const PUSHES: i64 = 1_000;
/// Names of no request that a network may bring.
const GUESSES: i64 = 30;

/// The answer to an application.
#[derive(Debug, Serialize)]
pub struct Handle {
    pub request_uri: String,
    pub expires_in: i64,
}

/// Takes a request that an application pushes.
pub async fn push(site: &Site, visit: &Visit, request: TokenRequest) -> Result<Handle, Refusal> {
    let client = Client::of(site, visit, &request).await?;
    let params = &request.params;
    let platform = redirect::find(client.app, params.get("redirect_uri")?).ok().map(|(platform, _)| platform);
    match platform {
        Some(platform) => client.authenticate(Some(platform), visit.now)?,
        // The table says what is wrong with the address.
        None => client.check_what_was_shown()?,
    }
    let params = with_client(params, client.app.app_id)?;
    let held = Held::new();
    let loaded = Loaded {
        application: Some(client.app),
        applications: &visit.tenant.config.applications,
        session: None,
        choose: false,
        held: &held,
        served: served(visit, Some(client.app.app_id))?,
        pushed: Pushed::No,
        now: visit.now,
    };
    authorize::check_pushed(&params, &loaded)?;
    if platform != Some(Platform::Web) {
        let limit = Limit::new(&site.env, "push", &visit.network(), WINDOW, PUSHES);
        let spent = Limit::spend(&site.env, visit.tenant_id(), vec![limit], visit.now).await?;
        spent.map_err(Fault::throttled)?;
    }
    let demands = Demands { nonce: needs_nonce(platform), access_token: None };
    let key = dpop::proven(site, visit, &request.possession, demands).await?;
    let kept = bound(&params, key)?;
    Ok(keep(site, visit, client.app.app_id, &kept).await?)
}

/// The client may have named itself in the header alone; the browser's request will name it.
fn with_client(params: &Params, client: ClientId) -> Result<Params, Refusal> {
    if params.get("client_id")?.is_some() {
        return Ok(params.clone());
    }
    let mut pairs = authorize::kept(params);
    pairs.push(("client_id".to_owned(), client.to_string()));
    Ok(Params::new(pairs))
}

/// The parameters with the key that was proven: the code will be bound to it (RFC 9449 §10.1).
fn bound(params: &Params, key: Option<String>) -> Result<Vec<(String, String)>, Refusal> {
    let mut kept = authorize::kept(params);
    match (key, params.get("dpop_jkt")?) {
        (Some(key), Some(named)) if key != named => return Err(error::PROOF.into()),
        (Some(key), None) => kept.push(("dpop_jkt".to_owned(), key)),
        (Some(_) | None, _) => {}
    }
    Ok(kept)
}

async fn keep(site: &Site, visit: &Visit, client: ClientId, params: &[(String, String)]) -> Outcome<Handle> {
    let request_uri = format!("{PREFIX}{}", token(site.env.random()));
    let row = PushedRow {
        client_id: client,
        parameters: serde_json::to_string(params).map_err(|error| unreadable(&error))?,
        expires_at: visit.now + LIFE,
        used_at: None,
    };
    let (tenant, digest) = (visit.tenant_id(), digest_of(&request_uri));
    site.env
        .db
        .write(move |tx| {
            let (digest, row) = (digest.clone(), row.clone());
            Box::pin(async move { pushed_requests::insert(tx, tenant, &digest, &row).await })
        })
        .await?;
    Ok(Handle { request_uri, expires_in: LIFE.as_seconds() })
}

/// A pushed request, as a browser brings its name.
pub(crate) struct Found {
    pub(crate) params: Params,
    name: String,
    over: bool,
}

impl Found {
    pub(crate) fn standing(&self) -> Pushed<'_> {
        if self.over { Pushed::Over } else { Pushed::Stands(&self.name) }
    }
}

/// The request that an authorization request names; nothing when it names none of ours. Whatever else it says counts
/// for nothing (RFC 9126 §4).
pub(crate) async fn find(site: &Site, visit: &Visit, params: &Params) -> Outcome<Option<Found>> {
    let Some(uri) = params.hint("request_uri").filter(|uri| uri.starts_with(PREFIX)) else { return Ok(None) };
    let client = params.hint("client_id").and_then(ClientId::parse);
    let digest = digest_of(uri);
    let mut tx = site.env.db.glance().await?;
    let row = pushed_requests::find(&mut tx, visit.tenant_id(), &digest).await?;
    drop(tx);
    let Some(row) = row.filter(|row| Some(row.client_id) == client) else {
        // S53. Only wrong names count, and no right one is ever refused because of them.
        let limit = Limit::new(&site.env, "pushed request", &visit.network(), WINDOW, GUESSES);
        let spent = Limit::spend(&site.env, visit.tenant_id(), vec![limit], visit.now).await?;
        spent.map_err(Fault::throttled)?;
        return Err(authorize::unknown_pushed());
    };
    let pairs: Vec<(String, String)> =
        serde_json::from_str(&row.parameters).map_err(|error| unreadable(&error))?;
    let over = row.used_at.is_some() || row.expires_at <= visit.now;
    Ok(Some(Found { params: Params::new(pairs), name: base64url(&digest), over }))
}

/// Spends the request that a verified one came of, in the transaction that answers it; `false` when it was answered
/// before, in another tab. One that is long gone cannot come a second time.
pub(crate) async fn spend(
    tx: &mut WriteTx,
    tenant: TenantId,
    name: Option<&str>,
    now: Timestamp,
) -> Outcome<bool> {
    let Some(name) = name else { return Ok(true) };
    let digest =
        URL_SAFE_NO_PAD.decode(name).map_err(|_| Fault::ours("the name of a pushed request is none"))?;
    Ok(pushed_requests::spend(tx, tenant, &digest, now).await?
        || pushed_requests::find(tx, tenant, &digest).await?.is_none())
}

fn unreadable(error: &serde_json::Error) -> Fault {
    Fault::ours(format!("pushed_request.parameters: {error}"))
}
