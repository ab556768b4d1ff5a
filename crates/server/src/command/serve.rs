//! `vestibule serve`.

use std::sync::Arc;

use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::cli::Settings;
use crate::config::Config;
use crate::failure::{Done, Failure};
use crate::listener::{self, Door};
use crate::{telemetry, terminal, tls, wire};

pub(super) fn run(settings: &Settings) -> Done {
    let config = settings.read()?;
    telemetry::start(&config.log);
    for warning in &config.warnings {
        tracing::warn!("{warning}");
    }
    super::block_on(serve(config))
}

async fn serve(mut config: Config) -> Done {
    let smtp = config.smtp.as_ref().ok_or_else(|| {
        Failure::usage("smtp.host: name the mail server; without one nobody could receive a code")
    })?;
    let mailer = Arc::new(wire::smtp(smtp)?);
    let stop = wire::signals()?;
    let pages = wire::pages(config.templates.as_deref())?;
    let settings = wire::settings(&config);
    // Addresses that are taken must be told before a database is touched.
    let doors = bind(&mut config).await?;
    let env = wire::env(wire::Plan::of(&config)).await?;
    let site = wire::site(env, settings, &pages).await?;
    let router = wire::router(&site, &pages, None);
    let serving = open(doors, &router, &stop);
    for origin in &site.settings.origins {
        terminal::say(&format!("Vestibule is ready: {origin}"));
    }
    wire::run(serving, site, mailer, stop).await;
    Ok(())
}

struct Bound {
    socket: tokio::net::TcpListener,
    tls: Option<tokio_rustls::TlsAcceptor>,
    origin: String,
    trusted_proxies: Vec<ipnet::IpNet>,
}

async fn bind(config: &mut Config) -> Done<Vec<Bound>> {
    let mut bound = Vec::new();
    for door in std::mem::take(&mut config.listeners) {
        let tls = door.certificate.map(tls::acceptor).transpose()?;
        let socket = listener::bind(door.address).await?;
        bound.push(Bound { socket, tls, origin: door.origin, trusted_proxies: door.trusted_proxies });
    }
    Ok(bound)
}

fn open(bound: Vec<Bound>, router: &axum::Router, stop: &CancellationToken) -> JoinSet<()> {
    let doors = bound.into_iter().map(|bound| {
        let mut door = Door::new(bound.socket, bound.tls, router.clone(), wire::mark(&bound.origin));
        door.trusted_proxies = bound.trusted_proxies;
        door
    });
    listener::serve_all(doors, stop)
}
