//! Everything that only `vestibule demo` has: tenants that are made at the first start, a development
//! authority, the Woodgrove web app, an inbox instead of mail.

pub mod app;
mod authority;
mod cast;
mod describe;
mod files;
pub mod lakeside;
mod mailer;
pub mod ports;
mod secrets;
mod seed;
mod welcome;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use tokio_util::sync::CancellationToken;
use vestibule_rules::text::Secret;
use vestibule_service::env::{CodeLimits, Env, Lifetimes, Settings};
use vestibule_service::ports::clock::SystemClock;
use vestibule_service::ports::entropy::SystemEntropy;
use vestibule_service::ports::outbound::{Allowed, OutboundSettings};
use vestibule_service::visit::issuer;
use vestibule_store::db;
use vestibule_web::DevInbox;

use self::app::{Registration, Setup};
use self::cast::TENANTS;
use self::describe::{Described, Origins};
use self::mailer::InboxMailer;
use self::ports::{Ports, Wanted};
use crate::failure::Done;
use crate::listener::{self, Door};
use crate::wire::{self, Plan};
use crate::{terminal, tls};

/// The demo as it is asked for.
pub struct Demo {
    pub data: PathBuf,
    pub ports: Wanted,
    pub database_url: Option<Secret<String>>,
}

/// Connections to a database server that the demo opens at most.
const CONNECTIONS: usize = 8;
/// Everybody who tries the demo is at this machine, scripts included: one source is a crowd here.
const CODES_OF_THIS_MACHINE: i64 = 100_000;

/// Seeds what is missing, serves until `stop`, says when it is ready.
pub async fn run(demo: Demo, stop: CancellationToken) -> Done {
    files::directory(&demo.data)?;
    let ports = ports::bind(&demo.data, demo.ports).await?;
    let origins = origins(&ports);
    let now = vestibule_service::ports::clock::Clock::now(&SystemClock);
    let pages = wire::pages(None)?;
    let trust = authority::load_or_create(&demo.data, now)?;
    let env = wire::env(plan(&demo, vec![trust.authority_pem])).await?;
    let known = seed::seed(&env, &demo.data, &origins).await?;
    let settings = Settings {
        origins: vec![origins.http.clone(), origins.https.clone()],
        codes: CodeLimits { per_source_hour: CODES_OF_THIS_MACHINE, ..CodeLimits::default() },
        lifetimes: Lifetimes::default(),
    };
    let mailer = Arc::new(InboxMailer::new(env.db.clone(), Arc::clone(&env.clock)));
    let site = wire::site(env, settings, &pages).await?;
    let described = describe::describe(origins.clone(), &site.directory.snapshot(), &known);
    let app = app::router(setup(&site.env, &described))?.merge(lakeside(&site.env, &described, &known)?);
    let server = wire::router(&site, &pages, Some(DevInbox::default()));
    let Ports { http, https, app: app_port } = ports;
    let acceptor = tls::acceptor(trust.leaf)?;
    let mut doors = Vec::new();
    for socket in http.sockets {
        doors.push(Door::new(socket, None, server.clone(), wire::mark(&origins.http)));
    }
    for socket in https.sockets {
        doors.push(Door::new(socket, Some(acceptor.clone()), server.clone(), wire::mark(&origins.https)));
    }
    for socket in app_port.sockets {
        doors.push(Door::new(socket, None, app.clone(), Arc::new(|_, _| {})));
    }
    let serving = listener::serve_all(doors, &stop);
    ready(&demo.data, &described)?;
    wire::run(serving, site, mailer, stop).await;
    Ok(())
}

/// The sockets are bound: who reads demo.json now is answered.
fn ready(data: &Path, described: &Described) -> Done {
    describe::write(data, described)?;
    terminal::say(&welcome::text(described, data));
    Ok(())
}

fn origins(ports: &Ports) -> Origins {
    Origins {
        http: format!("http://localhost:{}", ports.http.number),
        https: format!("https://localhost:{}", ports.https.number),
        app: format!("http://localhost:{}", ports.app.number),
    }
}

fn plan(demo: &Demo, authorities: Vec<String>) -> Plan {
    let database = match &demo.database_url {
        Some(url) => db::Settings::Postgres { url: url.expose().clone(), max_connections: CONNECTIONS },
        None => db::Settings::Sqlite { path: demo.data.join("vestibule.db") },
    };
    Plan {
        database,
        sealing_key_file: demo.data.join("sealing.key"),
        // The Fabrikam tenant is a provider on this machine, and whoever experiments runs one of their own.
        outbound: OutboundSettings {
            allowed: loopback().map(|network| Allowed { network, port: None }).to_vec(),
            authorities,
            ..OutboundSettings::default()
        },
        clock: Arc::new(SystemClock),
        entropy: Arc::new(SystemEntropy),
    }
}

fn loopback() -> [IpNet; 2] {
    let v4 = Ipv4Net::new_assert(std::net::Ipv4Addr::new(127, 0, 0, 0), 8);
    let v6 = Ipv6Net::new_assert(std::net::Ipv6Addr::LOCALHOST, 128);
    [IpNet::V4(v4), IpNet::V6(v6)]
}

/// The social network of the demo, registered for the tenants that name it.
fn lakeside(env: &Env, described: &Described, known: &seed::Known) -> Done<axum::Router> {
    let origins = [&described.origins.http, &described.origins.https];
    let back = |id: &str| origins.map(|origin| format!("{origin}/{id}/federation/lakeside"));
    let secret = known.clients.get(cast::LAKESIDE_SECRET).cloned();
    lakeside::router(lakeside::Setup {
        client_secret: secret.unwrap_or_else(|| Secret::new(String::new())),
        redirect_uris: described.tenants.values().flat_map(|tenant| back(&tenant.id)).collect(),
        entropy: Arc::clone(&env.entropy),
    })
}

fn setup(env: &Env, described: &Described) -> Setup {
    let mut registrations = Vec::new();
    for tenant in &TENANTS {
        let Some(there) = described.tenants.get(tenant.name) else { continue };
        let Ok(id) = there.id.parse() else { continue };
        for part in tenant.apps {
            if let (Some(site), Some(app)) = (part.site, there.apps.get(part.role)) {
                registrations.push(Registration {
                    site,
                    issuer: issuer(&described.origins.http, vestibule_rules::ids::TenantId::from_uuid(id)),
                    client_id: app.client_id.clone(),
                    client_secret: Secret::new(app.client_secret.clone().unwrap_or_default()),
                });
            }
        }
    }
    Setup {
        origin: described.origins.app.clone(),
        registrations,
        entropy: Arc::clone(&env.entropy),
        inbox: described.inbox.clone(),
    }
}
