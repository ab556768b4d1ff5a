//! Devices without a keyboard (RFC 8628): a device asks for a code, somebody types it elsewhere, signs in through the
//! flow of the application as they would there, and lets the device in.
//!
//! The danger is a code that a stranger asked for and sends to somebody with a nice story. So nothing is let in by
//! signing in alone: whoever did is shown which app asks, from where and since when, and has to agree, every time.

mod page;

use vestibule_crypto::digest;
use vestibule_rules::fault::{Fault, Kind, Outcome};
use vestibule_rules::ids::{ClientId, DeviceId, TenantId};
use vestibule_rules::oauth::authorize as rules;
use vestibule_rules::oauth::authorize::Served;
use vestibule_rules::oauth::device::{self, CODES_OF_SOURCE, INTERVAL, LIFETIME, Status, UserCode};
use vestibule_rules::oauth::error;
use vestibule_rules::oauth::scope::{self, Scope};
use vestibule_rules::text::{Message, Secret};
use vestibule_store::WriteTx;
use vestibule_store::device_codes::{self, DeviceCodeRow};

use crate::authorize::served;
use crate::env::Site;
use crate::journey;
use crate::throttle::Limit;
use crate::token::client::Client;
use crate::token::{Refusal, TokenRequest, digest_of};
use crate::visit::Visit;

pub use page::{Decision, DeviceStanding, DeviceView, Entered, Entry, decide, enter, entry, view};

/// How often another code is drawn when a device shows the same one.
const DRAWS: usize = 4;

/// Parameters that occur at most once.
const KNOWN: &[&str] = &["client_id", "client_secret", "scope"];

/// What a device gets (RFC 8628 §3.2). Addresses and words are the caller's to add.
pub struct Authorization {
    pub device_code: Secret<String>,
    /// As it is shown.
    pub user_code: String,
    /// Seconds.
    pub expires_in: i64,
    /// Seconds.
    pub interval: i64,
}

/// Takes a device's request for a code.
pub async fn ask(site: &Site, visit: &Visit, request: TokenRequest) -> Result<Authorization, Refusal> {
    let params = &request.params;
    params.check(KNOWN)?;
    let client = Client::of(site, visit, &request).await?;
    client.authenticate(Some(device::platform(client.app)?), visit.now)?;
    let client_id = client.app.app_id;
    // The person will come through this flow; without one there is nowhere to come through (security.md C63).
    match served(visit, Some(client_id))? {
        Served::Flow | Served::SignInOnly => {}
        Served::Nothing => return Err(error::NOT_SERVED.into()),
    }
    let (text, target) = (params.get("scope")?.unwrap_or_default(), scope::target(params)?);
    let scope = Scope::parse_for(text, target, &visit.tenant.config.applications)?;
    let (window, most) = CODES_OF_SOURCE;
    let limit = Limit::new(&site.env, "device-codes-source", &visit.network(), window, most);
    if let Err(wait) = Limit::spend(&site.env, visit.tenant_id(), vec![limit], visit.now).await? {
        return Err(Fault::throttled(wait).into());
    }
    Ok(issue(site, visit, client_id, &scope).await?)
}

async fn issue(site: &Site, visit: &Visit, client_id: ClientId, scope: &Scope) -> Outcome<Authorization> {
    for _ in 0..DRAWS {
        let device_code = digest::token(site.env.random());
        let user_code = UserCode::from_random(site.env.random());
        let row = DeviceCodeRow {
            digest: digest_of(&device_code),
            id: DeviceId::from_random(site.env.random()),
            user_code_digest: user_code_digest(site, visit.tenant_id(), &user_code),
            client_id,
            scope: scope.stored(),
            issuer: visit.issuer(),
            source: visit.source.clone(),
            status: Status::Waiting,
            browser_digest: None,
            grant_id: None,
            interval: INTERVAL,
            polled_at: None,
            created_at: visit.now,
            expires_at: visit.now + LIFETIME,
        };
        let tenant = visit.tenant_id();
        let written = site
            .env
            .db
            .write(move |tx| {
                let row = row.clone();
                Box::pin(async move { device_codes::insert(tx, tenant, &row).await })
            })
            .await;
        match written {
            Ok(()) => {
                return Ok(Authorization {
                    device_code: Secret::new(device_code),
                    user_code: user_code.shown(),
                    expires_in: LIFETIME.as_seconds(),
                    interval: INTERVAL.as_seconds(),
                });
            }
            Err(fault) if fault.kind == Kind::Conflict => {}
            Err(fault) => return Err(fault),
        }
    }
    Err(Fault::ours("no user code that no other device shows"))
}

/// Keyed, because whoever reads the database could try every code that is so short.
fn user_code_digest(site: &Site, tenant: TenantId, code: &UserCode) -> Vec<u8> {
    let (tenant, letters) = (tenant.to_string(), code.letters());
    let parts = [b"device".as_slice(), tenant.as_bytes(), letters.as_bytes()];
    digest::hmac_parts(&site.env.derived.code, &parts).to_vec()
}

/// Looks the application up again: it may have been disabled, lost its flow or the right to this grant while somebody
/// signed in.
pub(crate) fn resume(visit: &Visit, client: ClientId) -> Outcome<()> {
    let application = rules::enabled(visit.tenant.application(client))?;
    if device::platform(application).is_err() {
        let fault = Fault::forbidden("the application may not use the device grant any more");
        return Err(fault.code(error::DEVICE_FLOW.number).hint(Message::new("client-no-device")));
    }
    match served(visit, Some(client))? {
        Served::Flow | Served::SignInOnly => Ok(()),
        Served::Nothing => Err(rules::not_served()),
    }
}

/// A device that somebody does not let in.
#[derive(Clone)]
pub(crate) struct Declined {
    device: DeviceId,
    browser_digest: Vec<u8>,
    at: vestibule_rules::time::Timestamp,
}

impl Declined {
    pub(crate) fn new(visit: &Visit, device: DeviceId) -> Option<Self> {
        let browser_digest = journey::browser(visit).map(journey::browser_digest)?;
        Some(Self { device, browser_digest, at: visit.now })
    }

    /// Tells the device, unless it was told something before.
    pub(crate) async fn write(&self, tx: &mut WriteTx, tenant: TenantId) -> Outcome<()> {
        let by = (self.device, self.browser_digest.as_slice());
        device_codes::settle(tx, tenant, by, (Status::Declined, None), self.at).await.map(drop)
    }
}
