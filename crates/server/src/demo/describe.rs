//! `demo.json`: everything about the running demo, for scripts.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Serialize;
use vestibule_rules::ids::ClientId;
use vestibule_rules::text::Secret;
use vestibule_service::directory::{Snapshot, TenantView};

use super::cast::{self, TENANTS};
use super::files;
use super::seed::Known;
use crate::failure::{Done, Failure};

/// The file's name in the data directory.
pub(super) const FILE: &str = "demo.json";

/// The file.
#[derive(Serialize)]
pub(super) struct Described {
    pub(super) origins: Origins,
    /// The development authority's certificate, a file beside this one.
    pub(super) ca: &'static str,
    pub(super) inbox: String,
    pub(super) tenants: BTreeMap<&'static str, Tenant>,
}

/// Where everything is.
#[derive(Clone, Serialize)]
pub(super) struct Origins {
    pub(super) http: String,
    pub(super) https: String,
    pub(super) app: String,
}

#[derive(Serialize)]
pub(super) struct Tenant {
    pub(super) id: String,
    pub(super) names: Vec<String>,
    pub(super) flows: Vec<String>,
    pub(super) apps: BTreeMap<&'static str, App>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) users: Vec<User>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct App {
    pub(super) client_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) client_secret: Option<String>,
    pub(super) redirect_uris: Vec<String>,
}

#[derive(Serialize)]
pub(super) struct User {
    pub(super) email: &'static str,
    pub(super) password: String,
}

/// Describes what is there now, which may differ from what the demo was seeded with.
pub(super) fn describe(origins: Origins, snapshot: &Snapshot, known: &Known) -> Described {
    let tenants = TENANTS.iter().filter_map(|cast| {
        let view = snapshot.tenant(cast.name)?;
        Some((cast.name, tenant(cast, view, known)))
    });
    let inbox = format!("{}/dev/inbox", origins.http);
    Described { inbox, ca: super::authority::CERTIFICATE_FILE, tenants: tenants.collect(), origins }
}

fn tenant(cast: &cast::Tenant, view: &TenantView, known: &Known) -> Tenant {
    let apps = cast.apps.iter().filter_map(|part| {
        let app = view.application(ClientId::parse(part.client_id)?)?;
        let mut redirect_uris = app.web.redirect_uris.clone();
        redirect_uris.extend(app.spa.redirect_uris.iter().cloned());
        redirect_uris.extend(app.public_client.redirect_uris.iter().cloned());
        let client_secret = part.secret.and_then(|name| known.clients.get(name)).map(reveal);
        Some((part.role, App { client_id: app.app_id.to_string(), client_secret, redirect_uris }))
    });
    let users = cast.people.iter().filter_map(|person| {
        Some(User { email: person.email, password: known.passwords.get(person.email).map(reveal)? })
    });
    Tenant {
        id: view.config.tenant.id.to_string(),
        names: view.config.tenant.names(),
        flows: view.config.user_flows.iter().map(|flow| flow.id.to_string()).collect(),
        apps: apps.collect(),
        users: users.collect(),
    }
}

/// The file is there to hand the demo's secrets to scripts; it is readable by the owner only.
fn reveal(secret: &Secret<String>) -> String {
    secret.expose().clone()
}

/// Writes the file, anew and whole.
pub(super) fn write(data: &Path, described: &Described) -> Done {
    let mut text = serde_json::to_vec_pretty(described).map_err(|error| Failure::new(error.to_string()))?;
    text.push(b'\n');
    files::write(&data.join(FILE), &text)
}
