//! The app's addresses. Each client has a page, two ways in, a callback and a way out.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Query, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::get;
use http::header::{CACHE_CONTROL, COOKIE, SET_COOKIE};
use http::{HeaderMap, HeaderValue, StatusCode};

use super::relying_party::{Randomness, Refusal};
use super::session::Pending;
use super::{App, Site};

const COOKIE_NAME: &str = "woodgrove";

type Parameters = BTreeMap<String, String>;

/// Every route.
pub(super) fn all(app: Arc<App>) -> Router {
    let mut router = Router::new()
        .route("/assets/woodgrove.css", get(super::page::style))
        .route("/favicon.svg", get(super::page::icon));
    for site in Site::ALL {
        let prefix = site.prefix();
        router = router
            .route(
                site.home(),
                get(async move |State(app): State<Arc<App>>, headers| home(&app, site, &headers)),
            )
            .route(
                &format!("{prefix}/sign-in"),
                get(async move |State(app): State<Arc<App>>, headers| {
                    depart(&app, site, &headers, false).await
                }),
            )
            .route(
                &format!("{prefix}/sign-up"),
                get(async move |State(app): State<Arc<App>>, headers| {
                    depart(&app, site, &headers, true).await
                }),
            )
            .route(
                &format!("{prefix}/callback"),
                get(async move |State(app): State<Arc<App>>, headers, Query(parameters)| {
                    arrive(&app, site, &headers, parameters).await
                }),
            )
            .route(
                &format!("{prefix}/sign-out"),
                get(async move |State(app): State<Arc<App>>, headers| leave(&app, site, &headers).await),
            )
            .route(
                // The server's front channel says here that somebody signed out elsewhere.
                &format!("{prefix}/signed-out"),
                get(async move |State(app): State<Arc<App>>, headers| signed_out(&app, site, &headers)),
            );
    }
    router.fallback(async |State(app): State<Arc<App>>| missing(&app)).with_state(app)
}

fn home(app: &App, site: Site, headers: &HeaderMap) -> Response {
    let session = browser(headers).and_then(|browser| app.sessions.find(&browser, site));
    app.pages.home(site, session.as_ref(), None)
}

async fn depart(app: &App, site: Site, headers: &HeaderMap, create: bool) -> Response {
    let Some(party) = app.party(site) else { return missing(app) };
    let known = browser(headers);
    let browser = known.clone().unwrap_or_else(|| app.random());
    let random = Randomness { state: app.random(), nonce: app.random(), verifier: app.random() };
    let state = random.state.clone();
    match party.depart(random, create).await {
        Ok(departure) => {
            let (nonce, verifier) = (departure.nonce, departure.verifier);
            app.sessions.begin(state, Pending { site, browser: browser.clone(), nonce, verifier });
            let answer = Redirect::to(departure.url.as_str()).into_response();
            if known.is_some() { answer } else { with_cookie(answer, &browser) }
        }
        Err(refusal) => refused(app, site, &refusal),
    }
}

async fn arrive(app: &App, site: Site, headers: &HeaderMap, mut parameters: Parameters) -> Response {
    // Signing out leads here too: of all addresses this one is certainly registered.
    if !parameters.contains_key("code") && !parameters.contains_key("error") {
        return Redirect::to(site.home()).into_response();
    }
    match finish(app, site, headers, &mut parameters).await {
        Ok(browser) => with_cookie(Redirect::to(site.home()).into_response(), &browser),
        Err(refusal) => refused(app, site, &refusal),
    }
}

/// Finishes a sign-in; returns the browser's new name.
async fn finish(
    app: &App,
    site: Site,
    headers: &HeaderMap,
    parameters: &mut Parameters,
) -> Result<String, Refusal> {
    let party = app.party(site).ok_or_else(|| Refusal::new("not_configured", "There is no such app."))?;
    let state = parameters.get("state").map(String::as_str).unwrap_or_default();
    let browser = browser(headers).unwrap_or_default();
    let pending = app.sessions.take(state, &browser, site).ok_or_else(|| {
        Refusal::new(
            "state_mismatch",
            "This sign-in was not begun in this browser, or it was finished already.",
        )
    })?;
    if !party.is_from_here(parameters.get("iss").map(String::as_str)) {
        return Err(Refusal::new(
            "issuer_mismatch",
            "The answer does not come from the server that was asked.",
        ));
    }
    if let Some(error) = parameters.get("error") {
        let text = parameters.get("error_description").cloned();
        return Err(Refusal::new(error, text.unwrap_or_else(|| "The sign-in was not finished.".to_owned())));
    }
    let code = parameters.remove("code").unwrap_or_default();
    let session = party.arrive(code, &pending.nonce, pending.verifier).await?;
    let renamed = app.random();
    app.sessions.sign_in(&browser, renamed.clone(), site, session);
    Ok(renamed)
}

async fn leave(app: &App, site: Site, headers: &HeaderMap) -> Response {
    let session = browser(headers).and_then(|browser| app.sessions.sign_out(&browser, site));
    let (Some(session), Some(party)) = (session, app.party(site)) else {
        return Redirect::to(site.home()).into_response();
    };
    match party.leave(&session, app.random()).await {
        Ok(url) => Redirect::to(url.as_str()).into_response(),
        Err(refusal) => refused(app, site, &refusal),
    }
}

/// It is opened in a frame that nobody sees, so it shows nothing of the app's pages, which nobody may frame.
fn signed_out(app: &App, site: Site, headers: &HeaderMap) -> Response {
    if let Some(browser) = browser(headers) {
        app.sessions.sign_out(&browser, site);
    }
    "Signed out.".into_response()
}

fn refused(app: &App, site: Site, refusal: &Refusal) -> Response {
    tracing::info!(code = refusal.code, "the Woodgrove app could not sign somebody in: {}", refusal.text);
    app.pages.home(site, None, Some(refusal))
}

fn missing(app: &App) -> Response {
    let refusal = Refusal::new("not_found", "There is no such page.");
    let mut answer = app.pages.home(Site::Suppliers, None, Some(&refusal));
    *answer.status_mut() = StatusCode::NOT_FOUND;
    answer
}

/// The value of the app's cookie.
fn browser(headers: &HeaderMap) -> Option<String> {
    let cookies = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    cookies
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(name, value)| *name == COOKIE_NAME && value.len() == 43)
        .map(|(_, value)| value.to_owned())
}

fn with_cookie(mut answer: Response, browser: &str) -> Response {
    let cookie = format!("{COOKIE_NAME}={browser}; Path=/; HttpOnly; SameSite=Lax");
    if let Ok(value) = HeaderValue::from_str(&cookie) {
        answer.headers_mut().append(SET_COOKIE, value);
    }
    answer.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer
}
