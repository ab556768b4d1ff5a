//! Sign-ins that an app did not begin: somebody starts it from here, or an identity provider sends a person
//! (OpenID Connect Core 4). The browser goes to the address that the app registered for this, and the app begins an
//! ordinary sign-in of its own; nobody is signed in by the visit itself, so that a link cannot sign anybody in.

use url::Url;
use vestibule_rules::directory::application::{Application, PasswordCredential};
use vestibule_rules::fault::{Fault, Outcome};
use vestibule_rules::ids::ClientId;
use vestibule_rules::oauth::params::Params;

use crate::env::Site;
use crate::federation::expected_issuer;
use crate::visit::Visit;

/// Where the browser goes to start an app. Of the request only what Core 4 names is handed on.
///
/// Returns `Missing` when the tenant has no such app, or the app has no address for it. The name is that of an app which
/// nobody vouches for: it is the person's to go there.
pub fn launch(visit: &Visit, client: &str, params: &Params) -> Outcome<(Url, Option<String>)> {
    let app = ClientId::parse(client).and_then(|client| visit.tenant.application(client));
    let app = app.filter(|app| app.service_principal.account_enabled).ok_or_else(no_app)?;
    let stranger = app.registered.as_ref().map(|_| app.display_name.clone());
    Ok((address(visit, app, params, None)?, stranger))
}

/// Where the browser goes when a provider sends a person: to the app whose page the provider names, or to the only app
/// that can be started.
///
/// Returns `Malformed` when the issuer is not the provider's or the page is nobody's.
pub fn from_provider(site: &Site, visit: &Visit, provider: &str, params: &Params) -> Outcome<Url> {
    let issuer = expected_issuer(site, visit, provider)?;
    // Anybody can make a browser come here; that the issuer is the provider's keeps links to others away.
    if params.hint("iss") != Some(issuer.as_str()) {
        return Err(Fault::malformed("iss", "the issuer is not the provider's"));
    }
    let app = match params.hint("target_link_uri") {
        Some(target) => app_of(visit, target).ok_or_else(|| {
            Fault::malformed("target_link_uri", "the page is of no app that can be started")
        })?,
        None => only_app(visit).ok_or_else(no_app)?,
    };
    address(visit, app, params, Some(provider))
}

fn no_app() -> Fault {
    Fault::missing("client_id", "there is no app here that can be started")
}

type App = Application<PasswordCredential>;

fn startable(visit: &Visit) -> impl Iterator<Item = &App> {
    let apps = visit.tenant.config.applications.iter();
    // What registered itself begins no sign-in that a provider asks for: anybody could name anybody's page.
    apps.filter(|app| {
        let own = app.service_principal.account_enabled && app.registered.is_none();
        own && app.settings.initiate_login_uri.is_some()
    })
}

fn only_app(visit: &Visit) -> Option<&App> {
    let mut apps = startable(visit);
    apps.next().filter(|_| apps.next().is_none())
}

/// The app whose own origin the page has: whatever else it names, nobody is sent to another one.
fn app_of<'v>(visit: &'v Visit, target: &str) -> Option<&'v App> {
    let origin = Url::parse(target).ok().map(|url| url.origin()).filter(url::Origin::is_tuple)?;
    let is_own = |uri: &str| Url::parse(uri).is_ok_and(|url| url.origin() == origin);
    startable(visit).find(|app| {
        let home = app.settings.initiate_login_uri.as_deref().into_iter();
        app.redirect_uris().map(|(_, uri)| uri).chain(home).any(is_own)
    })
}

fn address(visit: &Visit, app: &App, params: &Params, provider: Option<&str>) -> Outcome<Url> {
    let address = app.settings.initiate_login_uri.as_deref().ok_or_else(no_app)?;
    let mut address = Url::parse(address).map_err(|e| Fault::ours(format!("initiateLoginUri: {e}")))?;
    address.query_pairs_mut().append_pair("iss", &visit.issuer());
    if let Some(hint) = params.hint("login_hint") {
        address.query_pairs_mut().append_pair("login_hint", hint);
    }
    if let Some(target) = params
        .hint("target_link_uri")
        .filter(|target| app_of(visit, target).is_some_and(|other| other.app_id == app.app_id))
    {
        address.query_pairs_mut().append_pair("target_link_uri", target);
    }
    // An app that hands it on in its request spares the person a page.
    if let Some(provider) = provider {
        address.query_pairs_mut().append_pair("domain_hint", provider);
    }
    Ok(address)
}
