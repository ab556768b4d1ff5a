//! The table of checks over an authorization request, in order.
//!
//! The order is the security property: until the client and the redirect address are verified a problem is
//! a page of our own (security.md S6), after that it goes back to the application (S7). Only what passed the
//! whole table is a [`Verified`] request, and only that can be answered with a code.

use serde::{Deserialize, Serialize};

pub use super::callback::Callback;
use super::callback::ResponseMode;
use super::claims_request::ClaimsRequest;
use super::consent::Held;
use super::demands::Demands;
use super::error::{self, OAuthError};
use super::params::Params;
use super::prompt::{self, Prompt, Prompts};
use super::response_type::ResponseType;
use super::scope::{self, Scope};
use super::{pkce, profile, redirect};
use crate::directory::application::{Application, PasswordCredential, Platform};
use crate::directory::registration::GrantType;
use crate::fault::{Fault, Kind, Outcome};
use crate::ids::ClientId;
use crate::text::Message;
use crate::time::Timestamp;

/// What was looked up for a request.
#[derive(Clone, Copy)]
pub struct Loaded<'a> {
    /// The application that `client_id` names in this tenant.
    pub application: Option<&'a Application<PasswordCredential>>,
    /// Every application of the tenant: the resources that scopes may name.
    pub applications: &'a [Application<PasswordCredential>],
    /// Who of those that are signed in in this browser is meant.
    pub session: Option<SessionFact>,
    /// The person has to say which account it is.
    pub choose: bool,
    /// What the application was given for that person.
    pub held: &'a Held,
    pub served: Served,
    pub pushed: Pushed<'a>,
    pub now: Timestamp,
}

/// How the request came.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Pushed<'a> {
    /// In the address or the form.
    No,
    /// The application pushed it before (RFC 9126); the name that the store knows it by.
    Stands(&'a str),
    /// The application pushed it, and its time is over or it was used.
    Over,
}

/// A living session.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SessionFact {
    pub user: crate::ids::UserId,
    pub auth_time: Timestamp,
    /// Whether the person has yet to accept what the application's flow demands.
    pub owes_terms: bool,
    /// Whether an ID token of it is what the request demands.
    pub meets_demands: bool,
}

/// What the tenant does for the application.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Served {
    /// A user flow serves it.
    Flow,
    /// No flow, but members of a workforce tenant sign in everywhere.
    SignInOnly,
    /// No flow in an external tenant (FLOW-08).
    Nothing,
}

/// The answer to an authorization request.
#[derive(Clone, Debug)]
pub enum Decision {
    /// A page of our own, never a redirect.
    Refuse(Fault),
    /// Back to the application with an error.
    Return(Callback, OAuthError),
    /// The person has to do something first.
    Interact(Box<Verified>, Prompt),
    /// The session answers for the person.
    Issue(Box<Verified>),
}

/// A request that passed the whole table. Journeys remember it; see [`Callback`] for why that is safe.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Verified {
    pub client_id: ClientId,
    pub callback: Callback,
    /// Where the redirect address is registered; it decides CORS, secrets and lifetimes.
    pub platform: Platform,
    /// Whether the request named its redirect address; the token request must then name the same
    /// (RFC 6749 §4.1.3).
    pub redirect_uri_sent: bool,
    /// What the answer consists of.
    #[serde(default)]
    pub response_type: ResponseType,
    pub scope: Scope,
    /// Claims that were asked for one by one.
    #[serde(default)]
    pub claims: ClaimsRequest,
    /// What the ID token must say.
    #[serde(default, skip_serializing_if = "Demands::is_empty")]
    pub demands: Demands,
    pub nonce: Option<String>,
    /// The S256 challenge.
    pub code_challenge: Option<String>,
    pub login_hint: Option<String>,
    pub domain_hint: Option<String>,
    /// `ui_locales` or Microsoft's `mkt`, as sent.
    pub ui_locales: Option<String>,
    /// Seconds.
    pub max_age: Option<i64>,
    /// `prompt=consent`: the person agrees, whatever they agreed to before.
    #[serde(default, skip_serializing_if = "is_off")]
    pub asks_consent: bool,
    /// `client_info=1` (native-auth-and-msal.md R45).
    pub wants_client_info: bool,
    /// The thumbprint of the key that the code is bound to (RFC 9449 §10).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dpop_jkt: Option<String>,
    /// The pushed request that this is, which is spent when it is answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pushed: Option<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the shape that serde wants")]
const fn is_off(flag: &bool) -> bool {
    !*flag
}

impl Verified {
    /// All that somebody may have to agree to.
    pub fn asked(&self) -> Scope {
        self.claims.widen(&self.scope)
    }
}

/// Decides an authorization request.
pub fn decide(params: &Params, loaded: &Loaded<'_>) -> Decision {
    let mut draft = Draft::new(params, loaded);
    for row in TABLE.iter().filter(|row| row.authorize) {
        if let Err(stop) = (row.check)(&mut draft) {
            return draft.stop(row.name, stop);
        }
    }
    let prompts = draft.prompts;
    let verified = match draft.finish() {
        Ok(verified) => Box::new(verified),
        Err(fault) => return Decision::Refuse(fault),
    };
    match prompt::decide(&verified, prompts, loaded) {
        Ok(None) => Decision::Issue(verified),
        Ok(Some(prompt)) => Decision::Interact(verified, prompt),
        Err(error) => Decision::Return(verified.callback, error),
    }
}

/// Checks a request that an application pushes (RFC 9126 §2): the rows of the authorization endpoint, and whoever
/// pushes is told at once.
pub fn check_pushed(params: &Params, loaded: &Loaded<'_>) -> Result<(), OAuthError> {
    let mut draft = Draft::new(params, loaded);
    TABLE.iter().filter(|row| row.pushed).try_for_each(|row| (row.check)(&mut draft)).map_err(|stop| {
        match stop {
            Stop::Return(error) => error,
            Stop::Refuse(fault) if fault.about.as_deref() == Some("redirect_uri") => {
                OAuthError { number: fault.code, ..error::REDIRECT_URI }
            }
            Stop::Refuse(fault) => OAuthError::from(&fault),
        }
    })
}

/// What is kept of a pushed request: nothing that proves the client.
pub fn kept(params: &Params) -> Vec<(String, String)> {
    let names: Vec<&str> =
        ["client_id", "redirect_uri", "state", "resource"].iter().chain(KNOWN).copied().collect();
    params.only(&names)
}

/// The fault of a `request_uri` that leads to no request of the application.
pub fn unknown_pushed() -> Fault {
    let hint = Message::new("request-over");
    Fault::malformed("request_uri", error::PUSHED_REQUEST.text()).hint(hint)
}

/// Looks a stored request up again before it is answered: the application may have been disabled, or the
/// address taken away, while the person was answering questions.
pub fn resume(verified: &Verified, application: Option<&Application<PasswordCredential>>) -> Outcome<()> {
    let application = enabled(application)?;
    let (platform, _) = redirect::find(application, Some(verified.callback.redirect_uri()))?;
    if platform == verified.platform {
        Ok(())
    } else {
        Err(Fault::forbidden("the redirect address moved to another platform").about("redirect_uri"))
    }
}

/// An application that may sign people in, or why it may not.
pub fn enabled(
    application: Option<&Application<PasswordCredential>>,
) -> Outcome<&Application<PasswordCredential>> {
    let application = application.ok_or_else(unknown_client)?;
    if application.service_principal.account_enabled { Ok(application) } else { Err(disabled_client()) }
}

/// The fault of an application that no flow serves.
pub fn not_served() -> Fault {
    Fault::forbidden("no user flow of the external tenant serves the application")
        .about("client_id")
        .code(error::NOT_SERVED.number)
        .hint(Message::new("client-not-served"))
}

/// Decides a request that waited for its person once more, when they chose an account or agreed.
pub fn decide_again(verified: Box<Verified>, loaded: &Loaded<'_>) -> Decision {
    match prompt::decide(&verified, Prompts::default(), loaded) {
        Ok(None) => Decision::Issue(verified),
        Ok(Some(prompt)) => Decision::Interact(verified, prompt),
        Err(error) => Decision::Return(verified.callback, error),
    }
}

/// One check. A column says which endpoint makes it: device and back-channel requests get columns of their own.
struct Row {
    name: &'static str,
    authorize: bool,
    /// Requests that are pushed (PAR).
    pushed: bool,
    check: fn(&mut Draft<'_>) -> Result<(), Stop>,
}

enum Stop {
    Refuse(Fault),
    Return(OAuthError),
}

impl From<OAuthError> for Stop {
    fn from(error: OAuthError) -> Self {
        Self::Return(error)
    }
}

#[rustfmt::skip]
const TABLE: &[Row] = &[
    //    check                        authorize        pushed
    Row { name: "client known",        authorize: true, pushed: true, check: client_is_known },
    Row { name: "client enabled",      authorize: true, pushed: true, check: client_is_enabled },
    Row { name: "redirect registered", authorize: true, pushed: true, check: redirect_is_registered },
    // From here on the application is told.
    Row { name: "state",               authorize: true, pushed: true, check: state_comes_back },
    Row { name: "response mode",       authorize: true, pushed: true, check: response_mode_is_known },
    Row { name: "pushed one stands",   authorize: true, pushed: false, check: pushed_request_stands },
    Row { name: "pushed if it must",   authorize: true, pushed: false, check: request_is_pushed_if_it_must },
    Row { name: "client served",       authorize: true, pushed: true, check: client_is_served },
    Row { name: "parameters once",     authorize: true, pushed: true, check: parameters_are_well_formed },
    Row { name: "no reference inside", authorize: false, pushed: true, check: request_is_whole },
    Row { name: "no request object",   authorize: true, pushed: true, check: request_is_plain },
    Row { name: "response type",       authorize: true, pushed: true, check: response_type_is_allowed },
    Row { name: "scope and resource",  authorize: true, pushed: true, check: scope_is_known },
    Row { name: "claims",              authorize: true, pushed: true, check: claims_are_readable },
    Row { name: "nonce",               authorize: true, pushed: true, check: nonce_ties_the_id_token },
    Row { name: "PKCE",                authorize: true, pushed: true, check: challenge_is_good },
    Row { name: "key",                 authorize: true, pushed: true, check: thumbprint_is_one },
    Row { name: "prompt",              authorize: true, pushed: true, check: prompt_is_known },
    Row { name: "max_age",             authorize: true, pushed: true, check: max_age_is_a_number },
];

/// Parameters of the specifications that occur at most once (security.md S8). The rest, telemetry above
/// all, is not looked at (R51).
const KNOWN: &[&str] = &[
    "response_type",
    "response_mode",
    "scope",
    "nonce",
    "code_challenge",
    "code_challenge_method",
    "prompt",
    "max_age",
    "display",
    "claims_locales",
    "login_hint",
    "domain_hint",
    "ui_locales",
    "mkt",
    "id_token_hint",
    "sid",
    "client_info",
    "acr_values",
    "claims",
    "request",
    "request_uri",
    "dpop_jkt",
];

/// What the rows have established so far.
struct Draft<'a> {
    params: &'a Params,
    loaded: &'a Loaded<'a>,
    redirect: Option<(Platform, String)>,
    mode: ResponseMode,
    response_type: ResponseType,
    state: Option<String>,
    scope: Scope,
    claims: ClaimsRequest,
    demands: Demands,
    code_challenge: Option<String>,
    dpop_jkt: Option<String>,
    prompts: Prompts,
    max_age: Option<i64>,
}

impl<'a> Draft<'a> {
    fn new(params: &'a Params, loaded: &'a Loaded<'a>) -> Self {
        Self {
            params,
            loaded,
            redirect: None,
            mode: ResponseMode::default(),
            response_type: ResponseType::default(),
            state: None,
            scope: Scope::default(),
            claims: ClaimsRequest::default(),
            demands: Demands::default(),
            code_challenge: None,
            dpop_jkt: None,
            prompts: Prompts::default(),
            max_age: None,
        }
    }

    fn stop(self, row: &str, stop: Stop) -> Decision {
        match (stop, self.redirect) {
            (Stop::Refuse(fault), _) => Decision::Refuse(fault),
            (Stop::Return(error), Some((_, uri))) => {
                Decision::Return(Callback::new(uri, self.mode, self.state), error)
            }
            (Stop::Return(error), None) => {
                Decision::Refuse(Fault::malformed(row, error.text()).code(error.number))
            }
        }
    }

    fn finish(self) -> Outcome<Verified> {
        let missing = || Fault::ours("the table of checks let an incomplete request pass");
        let application = self.loaded.application.ok_or_else(missing)?;
        let (platform, uri) = self.redirect.ok_or_else(missing)?;
        let hint = |name: &str| self.params.hint(name).map(str::to_owned);
        Ok(Verified {
            client_id: application.app_id,
            callback: Callback::new(uri, self.mode, self.state),
            platform,
            redirect_uri_sent: self.params.hint("redirect_uri").is_some(),
            response_type: self.response_type,
            scope: self.scope,
            claims: self.claims,
            demands: self.demands,
            nonce: hint("nonce"),
            code_challenge: self.code_challenge,
            login_hint: hint("login_hint"),
            domain_hint: hint("domain_hint"),
            ui_locales: hint("ui_locales").or_else(|| hint("mkt")),
            max_age: self.max_age,
            asks_consent: self.prompts.consent,
            wants_client_info: self.params.is_set("client_info"),
            dpop_jkt: self.dpop_jkt,
            pushed: match self.loaded.pushed {
                Pushed::Stands(name) => Some(name.to_owned()),
                Pushed::No | Pushed::Over => None,
            },
        })
    }
}

fn unknown_client() -> Fault {
    Fault::new(Kind::WrongClient, "no such application in the tenant")
        .about("client_id")
        .code(error::UNKNOWN_CLIENT.number)
        .hint(Message::new("client-unknown"))
}

fn disabled_client() -> Fault {
    Fault::new(Kind::WrongClient, "the application is disabled")
        .about("client_id")
        .code(error::DISABLED_CLIENT.number)
        .hint(Message::new("client-disabled"))
}

fn malformed(about: &str, error: OAuthError) -> Stop {
    let hint = Message::new("request-malformed").with("parameter", about);
    Stop::Refuse(Fault::malformed(about, error.text()).code(error.number).hint(hint))
}

fn client_is_known(draft: &mut Draft<'_>) -> Result<(), Stop> {
    let named = draft.params.require("client_id").map_err(|error| malformed("client_id", error))?;
    // The caller looked the application up; that it is the one of the request is checked here all the same.
    let found = draft.loaded.application.filter(|app| ClientId::parse(named) == Some(app.app_id));
    found.map(drop).ok_or_else(|| Stop::Refuse(unknown_client()))
}

fn client_is_enabled(draft: &mut Draft<'_>) -> Result<(), Stop> {
    match draft.loaded.application {
        Some(app) if app.service_principal.account_enabled => Ok(()),
        Some(_) | None => Err(Stop::Refuse(disabled_client())),
    }
}

fn redirect_is_registered(draft: &mut Draft<'_>) -> Result<(), Stop> {
    let application = draft.loaded.application.ok_or_else(|| Stop::Refuse(unknown_client()))?;
    let given = draft.params.get("redirect_uri").map_err(|error| malformed("redirect_uri", error))?;
    draft.redirect = Some(redirect::find(application, given).map_err(Stop::Refuse)?);
    Ok(())
}

fn state_comes_back(draft: &mut Draft<'_>) -> Result<(), Stop> {
    // A state that cannot come back byte for byte is refused, not mended (security.md S19).
    draft.params.check(&["state"])?;
    draft.state = draft.params.get("state")?.map(str::to_owned);
    Ok(())
}

fn response_mode_is_known(draft: &mut Draft<'_>) -> Result<(), Stop> {
    // Errors, too, travel as the answer would have; what the response type is worth is looked at further down.
    draft.response_type =
        draft.params.hint("response_type").and_then(ResponseType::parse).unwrap_or_default();
    draft.mode = draft.response_type.usual_mode();
    let Some(mode) = draft.params.get("response_mode")? else { return Ok(()) };
    let mode = ResponseMode::parse(mode).ok_or(error::RESPONSE_MODE)?;
    if mode == ResponseMode::Query && draft.response_type.uses_front_channel() {
        // What stands in a query ends up in logs and histories (S12).
        return Err(error::RESPONSE_MODE_QUERY.into());
    }
    draft.mode = mode;
    Ok(())
}

fn pushed_request_stands(draft: &mut Draft<'_>) -> Result<(), Stop> {
    match draft.loaded.pushed {
        Pushed::No | Pushed::Stands(_) => Ok(()),
        Pushed::Over => Err(error::PUSHED_REQUEST.into()),
    }
}

fn request_is_pushed_if_it_must(draft: &mut Draft<'_>) -> Result<(), Stop> {
    let must = draft.loaded.application.is_some_and(|app| app.settings.require_pushed_authorization_requests);
    if must && draft.loaded.pushed == Pushed::No { Err(error::PUSH_REQUIRED.into()) } else { Ok(()) }
}

fn client_is_served(draft: &mut Draft<'_>) -> Result<(), Stop> {
    match draft.loaded.served {
        Served::Flow | Served::SignInOnly => Ok(()),
        // A page in a hidden frame is an answer that nobody reads (native-auth-and-msal.md R37).
        Served::Nothing if draft.params.hint("prompt") == Some("none") => Err(error::NOT_SERVED.into()),
        Served::Nothing => Err(Stop::Refuse(not_served())),
    }
}

fn parameters_are_well_formed(draft: &mut Draft<'_>) -> Result<(), Stop> {
    draft.params.check(KNOWN).map_err(Stop::Return)
}

fn request_is_whole(draft: &mut Draft<'_>) -> Result<(), Stop> {
    draft.params.get("request_uri")?.map_or(Ok(()), |_| Err(error::PUSHED_BY_REFERENCE.into()))
}

fn request_is_plain(draft: &mut Draft<'_>) -> Result<(), Stop> {
    if draft.params.get("request")?.is_some() {
        return Err(error::REQUEST_OBJECT.into());
    }
    if draft.params.get("request_uri")?.is_some() {
        return Err(error::REQUEST_URI.into());
    }
    Ok(())
}

fn response_type_is_allowed(draft: &mut Draft<'_>) -> Result<(), Stop> {
    let text = draft.params.get("response_type")?;
    draft.response_type = text.and_then(ResponseType::parse).ok_or(error::RESPONSE_TYPE)?;
    match (draft.loaded.application, &draft.redirect) {
        (Some(application), Some((platform, _))) => {
            draft.response_type.check(application, *platform).map_err(Stop::Return)
        }
        (None, _) | (_, None) => Err(error::RESPONSE_TYPE_NOT_ENABLED.into()),
    }
}

fn scope_is_known(draft: &mut Draft<'_>) -> Result<(), Stop> {
    let target = scope::target(draft.params)?;
    let text = draft.params.get("scope")?.unwrap_or_default();
    draft.scope = Scope::parse_for(text, target, draft.loaded.applications)?;
    // Without a code there is nobody to hand a refresh token to (OpenID Connect Core 11).
    draft.scope.offline_access &= draft.response_type.code;
    if let Some(registered) = draft.loaded.application.and_then(|app| app.registered.as_deref()) {
        draft.scope.offline_access &= registered.grant_types.contains(&GrantType::RefreshToken);
        if !draft.scope.is_within(&registered.scopes) {
            return Err(error::SCOPE.into());
        }
    }
    if draft.response_type.id_token && !draft.scope.openid {
        return Err(error::OPENID_REQUIRED.into());
    }
    Ok(())
}

fn claims_are_readable(draft: &mut Draft<'_>) -> Result<(), Stop> {
    (draft.claims, draft.demands) = ClaimsRequest::parse(draft.params.get("claims")?)?;
    if let Some(registered) = draft.loaded.application.and_then(|app| app.registered.as_deref()) {
        draft.claims.limit(&registered.scopes);
    }
    Ok(())
}

fn nonce_ties_the_id_token(draft: &mut Draft<'_>) -> Result<(), Stop> {
    // An ID token that comes through the browser is tied to its request by nothing else (Core 3.2.2.1).
    if draft.response_type.id_token && draft.params.get("nonce")?.is_none() {
        return Err(error::NONCE_REQUIRED.into());
    }
    Ok(())
}

fn challenge_is_good(draft: &mut Draft<'_>) -> Result<(), Stop> {
    if !draft.response_type.code {
        return Ok(());
    }
    // A confidential client proves itself at the token endpoint; a public one has nothing but this (S24).
    let required = match (&draft.redirect, draft.loaded.application) {
        (Some((Platform::Web, _)), Some(app)) => {
            profile::of(app.settings.security_profile).web_apps_need_pkce
        }
        (Some(_) | None, _) => true,
    };
    draft.code_challenge = pkce::challenge(draft.params, required)?;
    Ok(())
}

fn thumbprint_is_one(draft: &mut Draft<'_>) -> Result<(), Stop> {
    draft.dpop_jkt = draft.params.get("dpop_jkt")?.map(str::to_owned);
    let is_digest = |jkt: &String| {
        jkt.len() == 43 && jkt.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
    };
    if draft.dpop_jkt.as_ref().is_none_or(is_digest) { Ok(()) } else { Err(error::THUMBPRINT.into()) }
}

fn prompt_is_known(draft: &mut Draft<'_>) -> Result<(), Stop> {
    draft.prompts = Prompts::parse(draft.params.get("prompt")?)?;
    Ok(())
}

fn max_age_is_a_number(draft: &mut Draft<'_>) -> Result<(), Stop> {
    let usual = draft.loaded.application.and_then(|app| app.settings.default_max_age);
    draft.max_age = prompt::max_age(draft.params.get("max_age")?)?.or(usual.map(i64::from));
    Ok(())
}

#[cfg(test)]
#[path = "authorize_tests.rs"]
mod tests;
