//! The authorization endpoint: look up, let the rules decide, do what they say.

use vestibule_rules::directory::application::{Application, PasswordCredential};
use vestibule_rules::directory::tenant::TenantKind;
use vestibule_rules::fault::{Fault, Outcome};
use vestibule_rules::ids::{ClientId, UserId};
use vestibule_rules::journey::facts::{Intent, Opening};
use vestibule_rules::journey::flow::Flow;
use vestibule_rules::oauth::account::{Choice, Manner};
use vestibule_rules::oauth::authorize::{
    self, Callback, Decision, Loaded, Pushed, Served, SessionFact, Verified,
};
use vestibule_rules::oauth::claims;
use vestibule_rules::oauth::claims_request::ClaimsRequest;
use vestibule_rules::oauth::consent::Held;
use vestibule_rules::oauth::demands::Demands;
use vestibule_rules::oauth::error::{self, OAuthError};
use vestibule_rules::oauth::params::Params;
use vestibule_rules::oauth::prompt::{Prompt, Prompts};
use vestibule_rules::text::Message;
use vestibule_store::users;

use crate::consent;
use crate::env::Site;
use crate::hop::{Hop, Reply, To};
use crate::journey::{self, Beginning, Request};
use crate::membership;
use crate::session::{self, Session, SignedIn};
use crate::terms;
use crate::token::{NewCode, grant_request, hint, pushed, subject};
use crate::visit::Visit;
use crate::waiting::{self, Waits};

/// Takes an authorization request.
pub async fn begin(site: &Site, visit: &Visit, params: &Params) -> Outcome<Hop> {
    let found = pushed::find(site, visit, params).await?;
    let (params, pushed) =
        found.as_ref().map_or((params, Pushed::No), |found| (&found.params, found.standing()));
    let client = params.hint("client_id").and_then(ClientId::parse);
    let application = client.and_then(|client| visit.tenant.application(client));
    let served = served(visit, client)?;
    let here = session::of_browser(site, visit).await?;
    // A prompt that is none, and claims that are none, are refused further down.
    let prompts = Prompts::parse(params.hint("prompt")).unwrap_or_default();
    let (_, demands) = ClaimsRequest::parse(params.hint("claims")).unwrap_or_default();
    let hinted = hint::hinted(site, visit, (params, &demands), &here).await?;
    let choice = here.choose(&hinted, Manner { silent: prompts.none, select: prompts.select_account });
    let meant = match choice {
        Choice::Of(sid) => here.by_sid(sid),
        Choice::Nobody | Choice::Ask => None,
    };
    let facts = Facts::of(site, visit, (client, &demands), meant).await?;
    // An application that registered itself, and that the person let do nothing yet. It is not told either whether
    // somebody is signed in: whoever can register one could learn who visits any page.
    let stranger = application.filter(|app| app.registered.is_some() && facts.held.is_empty());
    let (meant, facts) = match stranger {
        Some(_) if prompts.none => (None, Facts::default()),
        Some(_) | None => (meant, facts),
    };
    let loaded = Loaded {
        application,
        applications: &visit.tenant.config.applications,
        session: facts.session,
        choose: choice == Choice::Ask,
        held: &facts.held,
        served,
        pushed,
        now: visit.now,
    };
    let decided = authorize::decide(params, &loaded);
    let refused = matches!(decided, Decision::Return(..));
    let hop = Box::pin(act(site, visit, decided, (meant, prompts.none))).await?;
    // Nobody has seen anything yet, and an address that nobody vouches for is no place to be sent to
    // (security.md S7, RFC 9700 §4.11.2).
    Ok(match stranger.filter(|_| refused) {
        Some(app) => asking(hop, app),
        None => hop,
    })
}

/// The same answer, once the person agrees to go there.
fn asking(hop: Hop, app: &Application<PasswordCredential>) -> Hop {
    match hop.to {
        To::App(reply) => {
            Hop { to: To::Ask { reply: Box::new(reply), app: app.display_name.clone() }, ..hop }
        }
        To::Ask { .. }
        | To::Journey(_)
        | To::Choose(_)
        | To::Consent(_)
        | To::Device(_)
        | To::Provider(_)
        | To::Own(_)
        | To::Nowhere => hop,
    }
}

/// Goes on with a request that waited for its person, for the account that they chose.
pub(crate) async fn go_on(site: &Site, visit: &Visit, verified: Verified, meant: &SignedIn) -> Outcome<Hop> {
    let client = verified.client_id;
    let application = visit.tenant.application(client);
    authorize::resume(&verified, application)?;
    let facts = Facts::of(site, visit, (Some(client), &verified.demands), Some(meant)).await?;
    let loaded = Loaded {
        application,
        applications: &visit.tenant.config.applications,
        session: facts.session,
        choose: false,
        held: &facts.held,
        served: served(visit, Some(client))?,
        // It stood when it came, and is spent when it is answered.
        pushed: Pushed::No,
        now: visit.now,
    };
    let verified = Verified { login_hint: Some(meant.address().to_owned()), ..verified };
    let decided = authorize::decide_again(Box::new(verified), &loaded);
    act(site, visit, decided, (Some(meant), false)).await
}

/// What is looked up about the account that a request means.
#[derive(Default)]
struct Facts {
    session: Option<SessionFact>,
    held: Held,
}

impl Facts {
    async fn of(
        site: &Site,
        visit: &Visit,
        (client, demands): (Option<ClientId>, &Demands),
        meant: Option<&SignedIn>,
    ) -> Outcome<Self> {
        let (Some(client), Some(meant)) = (client, meant) else {
            return Ok(Self::default());
        };
        let session = &meant.session;
        let owes_terms = owes_terms(site, visit, Some(client), Some(session)).await?;
        let held = consent::held(&mut site.env.db.glance().await?, visit, (client, session.user)).await?;
        let session = SessionFact {
            user: session.user,
            auth_time: session.auth_time,
            owes_terms,
            meets_demands: meets(site, visit, (client, demands), (session.user, &session.amr)),
        };
        Ok(Self { session: Some(session), held })
    }
}

/// Whether an ID token about `user`, who signed in by `amr`, is what the request of `client` demands.
pub(crate) fn meets(
    site: &Site,
    visit: &Visit,
    (client, demands): (ClientId, &Demands),
    (user, amr): (UserId, &[String]),
) -> bool {
    demands.is_empty() || demands.are_met(&subject(site, Some(&visit.tenant), client, user), claims::acr(amr))
}

/// `silent`: no page may be shown.
async fn act(
    site: &Site,
    visit: &Visit,
    decision: Decision,
    (meant, silent): (Option<&SignedIn>, bool),
) -> Outcome<Hop> {
    match (decision, meant) {
        (Decision::Refuse(fault), _) => Err(fault),
        (Decision::Return(callback, error), _) => Ok(refuse(visit, callback, &error)),
        (Decision::Interact(verified, Prompt::SignIn), _) => {
            start(site, visit, *verified, (Intent::SignIn, None)).await
        }
        (Decision::Interact(verified, Prompt::SignUp), _) => {
            start(site, visit, *verified, (Intent::SignUp, None)).await
        }
        (Decision::Interact(verified, Prompt::CatchUp), meant) => {
            let session = meant.map(|meant| meant.session.clone());
            start(site, visit, *verified, (Intent::SignIn, session)).await
        }
        (Decision::Interact(verified, Prompt::Choose), _) => {
            waiting::hold(site, visit, *verified, Waits::Account).await
        }
        (Decision::Interact(verified, Prompt::Consent), Some(meant)) => {
            waiting::hold(site, visit, *verified, Waits::Consent { sid: meant.session.sid }).await
        }
        (Decision::Issue(verified), Some(meant)) => {
            let apps = (verified.client_id, verified.scope.audience());
            if membership::admits(site, visit, meant.session.user, apps).await? {
                issue(site, visit, &verified, &meant.session).await
            } else if silent {
                Ok(refuse(visit, verified.callback.clone(), &error::NOT_ASSIGNED))
            } else {
                Err(membership::not_assigned())
            }
        }
        (Decision::Issue(_) | Decision::Interact(_, Prompt::Consent), None) => {
            Err(Fault::ours("an answer for nobody"))
        }
    }
}

pub(crate) fn refuse(visit: &Visit, callback: Callback, error: &OAuthError) -> Hop {
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

pub(crate) async fn start(
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
        cookie: &visit.session.as_ref().map(session::digest_of).unwrap_or_default(),
    };
    let granted = grant_request(site, visit, new)?;
    let prepared = granted.rows.clone();
    let tenant = visit.tenant_id();
    let (digest, used) = (session.digest.clone(), (visit.now, session::ends_at(site, visit, session)));
    let (now, name) = (visit.now, verified.pushed.clone());
    let issued = site
        .env
        .db
        .write(move |tx| {
            let (prepared, digest, name) = (prepared.clone(), digest.clone(), name.clone());
            Box::pin(async move {
                // Somebody may have signed out since the session was read.
                if !session::touch(tx, tenant, &digest, used).await? {
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
