//! The authorization endpoint: look up, let the rules decide, do what they say.

use vestibule_rules::directory::application::{Application, PasswordCredential};
use vestibule_rules::directory::tenant::TenantKind;
use vestibule_rules::fault::{Fault, Outcome};
use vestibule_rules::ids::ClientId;
use vestibule_rules::journey::facts::{Intent, Opening};
use vestibule_rules::journey::flow::Flow;
use vestibule_rules::oauth::authorize::{
    self, Callback, Decision, Loaded, Pushed, Served, SessionFact, Verified,
};
use vestibule_rules::oauth::error::{self, OAuthError};
use vestibule_rules::oauth::params::Params;
use vestibule_rules::oauth::prompt::Prompt;
use vestibule_rules::text::Message;
use vestibule_store::{grants, sessions, users};

use crate::env::Site;
use crate::hop::{Hop, Reply, To};
use crate::journey::{self, Beginning, Request};
use crate::session::{self, Session};
use crate::terms;
use crate::token::{NewCode, grant_request, hint, pushed};
use crate::visit::Visit;

/// Takes an authorization request.
pub async fn begin(site: &Site, visit: &Visit, params: &Params) -> Outcome<Hop> {
    let found = pushed::find(site, visit, params).await?;
    let (params, pushed) =
        found.as_ref().map_or((params, Pushed::No), |found| (&found.params, found.standing()));
    let client = params.hint("client_id").and_then(ClientId::parse);
    let application = client.and_then(|client| visit.tenant.application(client));
    let served = served(visit, client)?;
    let session = familiar(site, visit, application, session::find(site, visit).await?).await?;
    let owes_terms = owes_terms(site, visit, client, session.as_ref()).await?;
    let hint = hint::judge(site, visit, params, session.as_ref().map(|s| s.user)).await?;
    let loaded = Loaded {
        application,
        applications: &visit.tenant.config.applications,
        session: session.as_ref().map(|s| SessionFact { user: s.user, auth_time: s.auth_time, owes_terms }),
        hint,
        served,
        pushed,
        now: visit.now,
    };
    match authorize::decide(params, &loaded) {
        Decision::Refuse(fault) => Err(fault),
        Decision::Return(callback, error) => {
            let hop = refuse(visit, callback, &error);
            // Nobody has seen anything yet, and an address that nobody vouches for is no place to be sent to
            // (security.md S7, RFC 9700 §4.11.2).
            let stranger = application.filter(|app| app.registered.is_some() && session.is_none());
            Ok(stranger.map_or(hop.clone(), |app| asking(hop, app)))
        }
        Decision::Interact(verified, prompt) => {
            let (intent, session) = match prompt {
                Prompt::SignIn => (Intent::SignIn, None),
                Prompt::SignUp => (Intent::SignUp, None),
                Prompt::CatchUp => (Intent::SignIn, session),
            };
            start(site, visit, *verified, (intent, session)).await
        }
        Decision::Issue(verified) => match session {
            Some(session) => issue(site, visit, &verified, &session).await,
            None => Err(Fault::ours("a code without a session")),
        },
    }
}

/// The same answer, once the person agrees to go there.
fn asking(hop: Hop, app: &Application<PasswordCredential>) -> Hop {
    match hop.to {
        To::App(reply) => {
            Hop { to: To::Ask { reply: Box::new(reply), app: app.display_name.clone() }, ..hop }
        }
        To::Ask { .. } | To::Journey(_) | To::Device(_) | To::Provider(_) | To::Own(_) | To::Nowhere => hop,
    }
}

/// The session, as far as it may answer for the person: an application that registered itself was seen by the person in
/// it. Otherwise whoever can register one could learn who visits any page.
async fn familiar(
    site: &Site,
    visit: &Visit,
    application: Option<&Application<PasswordCredential>>,
    session: Option<Session>,
) -> Outcome<Option<Session>> {
    let stranger = application.filter(|app| app.registered.is_some());
    let (Some(app), Some(found)) = (stranger, &session) else { return Ok(session) };
    let mut tx = site.env.db.glance().await?;
    let known = grants::has_grant(&mut tx, visit.tenant_id(), found.sid, app.app_id).await?;
    Ok(session.filter(|_| known))
}

fn refuse(visit: &Visit, callback: Callback, error: &OAuthError) -> Hop {
    let parameters = callback.failure(error, &visit.issuer());
    Hop::to(To::App(Reply { callback, parameters }))
}

/// What the tenant does for the application. A flow in the path must be the application's own: the flow is
/// chosen by the client (URL-06), and an address that says otherwise is a mistake that must show.
pub(crate) fn served(visit: &Visit, client: Option<ClientId>) -> Outcome<Served> {
    let own = client.and_then(|client| visit.tenant.flow_for(client));
    let named = visit.segments.flow.as_deref().and_then(|name| visit.tenant.flow(name));
    if let (Some((named, _)), Some((own, _))) = (named, own)
        && named.id != own.id
    {
        return Err(Fault::forbidden("the flow in the path does not serve the application")
            .code(500_208)
            .hint(Message::new("fault-not-served")));
    }
    Ok(match (own, visit.tenant.config.tenant.kind) {
        (Some(_), _) => Served::Flow,
        (None, TenantKind::Workforce) => Served::SignInOnly,
        (None, TenantKind::External) => Served::Nothing,
    })
}

/// Whether whoever is signed in has yet to accept what the application's flow demands.
pub(crate) async fn owes_terms(
    site: &Site,
    visit: &Visit,
    client: Option<ClientId>,
    session: Option<&Session>,
) -> Outcome<bool> {
    match (client.and_then(|client| visit.tenant.flow_for(client)), session) {
        (Some((_, current)), Some(session)) => terms::owes(site, visit, &current.flow, session.user).await,
        _ => Ok(false),
    }
}

async fn start(
    site: &Site,
    visit: &Visit,
    verified: Verified,
    (intent, session): (Intent, Option<Session>),
) -> Outcome<Hop> {
    let opening = Opening {
        intent,
        login_hint: typed_hint(site, visit, &verified).await?,
        domain_hint: verified.domain_hint.clone(),
    };
    start_journey(site, visit, Beginning { opening, session, request: Request::App(Box::new(verified)) })
        .await
}

/// Begins a journey through the flow of the application that asks, or the bare sign-in of a workforce tenant.
pub(crate) async fn start_journey(site: &Site, visit: &Visit, beginning: Beginning) -> Outcome<Hop> {
    if let Some((_, current)) = visit.tenant.flow_for(beginning.request.client_id()) {
        return journey::start(site, visit, (&current.flow, current.version), beginning).await;
    }
    let flow = Flow::sign_in_only(&visit.tenant.config);
    journey::start(site, visit, (&flow, 0), Beginning { session: None, ..beginning }).await
}

/// The address to fill in: `login_hint` as it was sent, or the address of the user whom our own opaque hint
/// names.
async fn typed_hint(site: &Site, visit: &Visit, verified: &Verified) -> Outcome<Option<String>> {
    let Some(text) = verified.login_hint.as_deref() else { return Ok(None) };
    match hint::open_login_hint(site, visit.tenant_id(), text) {
        Some((user, _)) => {
            let user = users::find(&mut site.env.db.read().await?, visit.tenant_id(), user).await?;
            Ok(user.and_then(|user| user.mail))
        }
        None => Ok(Some(text.to_owned())),
    }
}

/// Single sign-on: the session answers for the person.
async fn issue(site: &Site, visit: &Visit, verified: &Verified, session: &Session) -> Outcome<Hop> {
    let new = NewCode {
        verified,
        user: session.user,
        sid: session.sid,
        auth_time: session.auth_time,
        amr: &session.amr,
        provider: session.provider.as_ref(),
    };
    let granted = grant_request(site, visit, new)?;
    let prepared = granted.rows.clone();
    let tenant = visit.tenant_id();
    let digest = visit.session.as_ref().map(session::digest_of).unwrap_or_default();
    let (now, name) = (visit.now, verified.pushed.clone());
    let issued = site
        .env
        .db
        .write(move |tx| {
            let (prepared, digest, name) = (prepared.clone(), digest.clone(), name.clone());
            Box::pin(async move {
                // Somebody may have signed out since the session was read.
                let row = sessions::find(tx, tenant, &digest).await?;
                if row.is_none_or(|row| row.revoked_at.is_some() || row.expires_at <= now) {
                    return Err(Fault::stale("the session ended"));
                }
                if !pushed::spend(tx, tenant, name.as_deref(), now).await? {
                    return Ok(false);
                }
                prepared.write(tx).await?;
                Ok(true)
            })
        })
        .await?;
    if !issued {
        return Ok(refuse(visit, verified.callback.clone(), &error::PUSHED_REQUEST));
    }
    Ok(Hop::to(To::App(granted.reply(site, visit).await?)))
}
