//! The pages of one flow with invented answers: a server of its own on a machine of whoever makes the flow.
//! Everything is in memory; there is no database behind it, no mail and no provider.
//!
//! A `GET` changes nothing here either: the first page of every visitor is the same for everybody, and a walk
//! begins with the first form that is sent.

use std::net::IpAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, Request, State};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use http::header::{ACCEPT_LANGUAGE, HOST};
use http::uri::Authority;
use http::{HeaderMap, Method};
use tower_http::catch_panic::CatchPanicLayer;
use uuid::Uuid;
use vestibule_rules::fault::{Fault, Outcome};
use vestibule_rules::journey::form::Text;
use vestibule_rules::journey::question::RawFields;
use vestibule_rules::text::{Message, Secret};
use vestibule_service::flow_preview::{Ending, Note, Passage, Passages, Stage, Who};
use vestibule_service::ports::clock::Clock;
use vestibule_service::ports::entropy::{Draw as _, Entropy};

use super::pages::{asset, brand};
use super::{not_this_way, nothing_here};
use crate::brand::Brand;
use crate::csrf;
use crate::exchange::{Exchange, Listener};
use crate::fault::{OpenFault, PageFault};
use crate::form;
use crate::layer::exchange;
use crate::link;
use crate::locale;
use crate::page::journey::{JourneyPage, TermsPage, Way};
use crate::page::preview::{Bar, Choice, PreviewEndPage, PreviewJourneyPage};
use crate::page::{Frame, Page, Pages};
use crate::respond::{self, FormTargets};

/// Everything behind a preview.
pub struct Preview {
    stage: Stage,
    pages: Arc<Pages>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    /// What proves that a form is one of ours. Another site cannot read it, and nobody else is here.
    csrf: Secret<String>,
    passages: Passages,
}

type Shared = Arc<Preview>;

impl Preview {
    /// A preview of a flow.
    pub fn new(stage: Stage, pages: Arc<Pages>, clock: Arc<dyn Clock>, entropy: Arc<dyn Entropy>) -> Self {
        let csrf = format!("{}{}", draw(&*entropy).simple(), draw(&*entropy).simple());
        Self { stage, pages, clock, entropy, csrf: Secret::new(csrf), passages: Passages::default() }
    }
}

fn draw(entropy: &dyn Entropy) -> Uuid {
    uuid::Builder::from_random_bytes(entropy.bytes()).into_uuid()
}

/// Every route of a preview.
pub fn router(preview: Preview) -> Router {
    let preview = Arc::new(preview);
    Router::new()
        .route("/", get(home))
        .route("/as/{who}", get(first_page).post(set_out))
        .route("/walk/{id}", get(show).post(go_on))
        .route("/as/{who}/terms/{document}", get(terms))
        .route("/walk/{id}/terms/{document}", get(terms))
        .route("/brand/brand.css", get(style))
        .route("/brand/logo", get(logo))
        .route("/assets/{name}", get(file))
        .fallback(nothing_here)
        .method_not_allowed_fallback(not_this_way)
        .layer(CatchPanicLayer::custom(exchange::panicked))
        .layer(from_fn(only_here))
        .layer(from_fn_with_state(Arc::clone(&preview), every_request))
        .with_state(preview)
}

/// A document to accept, in the language that the page's link names.
async fn terms(
    State(preview): State<Shared>,
    Path((_, document)): Path<(String, String)>,
    request: Request,
) -> Result<Response, PageFault> {
    let query = form::decode(request.uri().query().unwrap_or_default().as_bytes());
    let language = query.into_iter().find(|(name, _)| name == "language").map(|(_, value)| value);
    let asked = Asked::read(&preview, request).await?;
    let terms = preview.stage.flow().terms.iter().find(|terms| terms.id == document);
    let text = terms.and_then(|t| Some((t, t.in_language(language.as_deref()?)?.clone())));
    let (terms, text) = text.ok_or_else(|| Fault::missing("document", "the flow has no such document"))?;
    let page = TermsPage::new(terms.version.clone(), text);
    Ok(render(&preview, &asked, &page)?)
}

/// The outermost layer, as on a server.
async fn every_request(State(preview): State<Shared>, request: Request, next: Next) -> Response {
    let origin = host(&request).map(|host| format!("http://{host}")).unwrap_or_default();
    let listener = Listener { origin, secure: false };
    let exchange = Exchange::new(draw(&*preview.entropy), listener, None, preview.clock.now());
    exchange::wrap(&preview.pages, exchange, request, next).await
}

/// Refuses requests that were meant for another name: a site whose name was made to lead here (DNS rebinding)
/// would read a draft that is nobody's business.
async fn only_here(request: Request, next: Next) -> Response {
    let is_here = host(&request).is_some_and(|authority| {
        let host = authority.host().trim_start_matches('[').trim_end_matches(']');
        host.eq_ignore_ascii_case("localhost") || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
    });
    if is_here {
        return next.run(request).await;
    }
    PageFault::from(Fault::forbidden("the request names another host than this machine")).into_response()
}

fn host(request: &Request) -> Option<Authority> {
    let header = request.headers().get(HOST).and_then(|h| h.to_str().ok());
    request.uri().authority().cloned().or_else(|| header?.parse().ok())
}

/// One request, read.
struct Asked {
    method: Method,
    headers: HeaderMap,
    exchange: Exchange,
    frame: Frame,
    /// The language that was chosen in the bar.
    lang: Option<String>,
    form: RawFields,
}

impl Asked {
    async fn read(preview: &Preview, request: Request) -> Outcome<Self> {
        let (parts, body) = request.into_parts();
        let exchange = form::exchange(&parts)?;
        let query = form::decode(parts.uri.query().unwrap_or_default().as_bytes());
        let wanted = query.into_iter().find(|(name, _)| name == "lang").map(|(_, value)| value);
        let catalogue = &preview.pages.catalogue;
        let lang = wanted.filter(|wanted| catalogue.locales().any(|known| known == wanted));
        let accepted = parts.headers.get(ACCEPT_LANGUAGE).and_then(|h| h.to_str().ok());
        let frame = Frame {
            locale: locale::choose(catalogue, lang.as_deref(), accepted).to_owned(),
            languages: locale::wanted(lang.as_deref(), accepted),
            brand: Brand::of(preview.stage.tenant(), "/brand"),
        };
        exchange.frame(frame.clone());
        let mut fields = RawFields::new();
        for (name, value) in form::read_form(&parts, body).await? {
            fields.entry(name).or_default().push(value);
        }
        Ok(Self { method: parts.method, headers: parts.headers, exchange, frame, lang, form: fields })
    }

    /// A form of another site, or none of ours, is refused as it is by a server.
    fn require_own_form(&self, preview: &Preview) -> Outcome<()> {
        form::require_own_form(&self.headers, &self.exchange.listener().origin)?;
        let token = self.form.get("csrf").and_then(|values| values.first()).map_or("", String::as_str);
        if csrf::is_same(preview.csrf.expose(), token) {
            return Ok(());
        }
        Err(Fault::forbidden("the form's token is not this preview's").hint(Message::new("fault-form")))
    }

    fn to_start(&self, who: &Who) -> Outcome<Response> {
        respond::redirect(&self.method, &link::preview_start(&slug(who), self.lang.as_deref()))
    }
}

async fn home(State(preview): State<Shared>, request: Request) -> Result<Response, PageFault> {
    let asked = Asked::read(&preview, request).await?;
    let first = preview.stage.visitors().into_iter().map(|(who, _)| who).next();
    Ok(asked.to_start(&first.unwrap_or(Who::Holder))?)
}

async fn first_page(
    State(preview): State<Shared>,
    Path(who): Path<String>,
    request: Request,
) -> Result<Response, PageFault> {
    let asked = Asked::read(&preview, request).await?;
    let passage = Passage::begin(&preview.stage, &visitor(&preview, &who)?, asked.exchange.now());
    let here = |lang: Option<&str>| link::preview_start(&who, lang);
    Ok(page(&preview, &asked, &passage, &here)?)
}

/// The first form of a walk.
async fn set_out(
    State(preview): State<Shared>,
    Path(who): Path<String>,
    request: Request,
) -> Result<Response, PageFault> {
    let asked = Asked::read(&preview, request).await?;
    asked.require_own_form(&preview)?;
    let who = visitor(&preview, &who)?;
    let mut passage = Passage::begin(&preview.stage, &who, asked.exchange.now());
    if !passage.submit(&preview.stage, &asked.form) {
        return Ok(asked.to_start(&who)?);
    }
    let id = draw(&*preview.entropy).simple().to_string();
    let to = link::preview_walk(&id, asked.lang.as_deref());
    preview.passages.insert(id, passage);
    Ok(respond::redirect(&asked.method, &to)?)
}

async fn show(
    State(preview): State<Shared>,
    Path(id): Path<String>,
    request: Request,
) -> Result<Response, PageFault> {
    let asked = Asked::read(&preview, request).await?;
    let here = |lang: Option<&str>| link::preview_walk(&id, lang);
    match preview.passages.find(&id) {
        Some(passage) => Ok(page(&preview, &asked, &passage, &here)?),
        None => Err(gone()),
    }
}

async fn go_on(
    State(preview): State<Shared>,
    Path(id): Path<String>,
    request: Request,
) -> Result<Response, PageFault> {
    let asked = Asked::read(&preview, request).await?;
    asked.require_own_form(&preview)?;
    // What answers an older page shows where the walk is.
    let went = preview.passages.go_on(&id, |passage| passage.submit(&preview.stage, &asked.form));
    if went.is_none() {
        return Err(gone());
    }
    Ok(respond::redirect(&asked.method, &link::preview_walk(&id, asked.lang.as_deref()))?)
}

fn gone() -> PageFault {
    Fault::missing("walk", "no such walk, or it made room for newer ones").into()
}

async fn style(State(preview): State<Shared>) -> Response {
    brand::style_of(&preview.stage.tenant().branding)
}

async fn logo(State(preview): State<Shared>) -> Result<Response, OpenFault> {
    Ok(brand::logo_of(&preview.stage.tenant().branding)?)
}

async fn file(
    State(preview): State<Shared>,
    Path(name): Path<String>,
    headers: HeaderMap,
) -> Result<Response, OpenFault> {
    Ok(asset::serve(&preview.pages.assets, &name, &headers)?)
}

/// The page of a walk as it stands. `here` is its address in a language.
fn page(
    preview: &Preview,
    asked: &Asked,
    passage: &Passage,
    here: &dyn Fn(Option<&str>) -> String,
) -> Outcome<Response> {
    let stage = &preview.stage;
    let bar = bar(preview, asked, passage, here);
    if let Some(ending) = passage.ending(stage) {
        let again = link::preview_start(&slug(passage.who()), asked.lang.as_deref());
        return render(preview, asked, &end(ending, bar, again)?);
    }
    let way = Way {
        action: here(asked.lang.as_deref()),
        csrf: preview.csrf.expose().clone(),
        step: passage.step_token(),
    };
    let hint = asked.frame.brand.username_hint.as_deref();
    let journey = JourneyPage::new(way, passage.form(stage), hint, asked.exchange.now());
    let journey = journey.in_language(&asked.frame.languages);
    render(preview, asked, &PreviewJourneyPage { bar, journey })
}

fn render<P: Page>(preview: &Preview, asked: &Asked, page: &P) -> Outcome<Response> {
    respond::html(http::StatusCode::OK, preview.pages.render(&asked.frame, page)?, &FormTargets::Own)
}

fn end(ending: Ending, bar: Bar, again: String) -> Outcome<PreviewEndPage> {
    let json = |value: serde_json::Value| {
        serde_json::to_string_pretty(&value).map_err(|error| Fault::ours(format!("no JSON: {error}")))
    };
    let (title, lead) = match (ending.cancelled, ending.created) {
        (true, _) => ("preview-end-cancelled-title", "preview-end-cancelled-lead"),
        (false, true) => ("preview-end-created-title", "preview-end-created-lead"),
        (false, false) => ("preview-end-signed-in-title", "preview-end-signed-in-lead"),
    };
    let account = ending.account.map(json).transpose()?;
    Ok(PreviewEndPage { bar, title, lead, account, token: ending.token.map(json).transpose()?, again })
}

fn bar(preview: &Preview, asked: &Asked, passage: &Passage, here: &dyn Fn(Option<&str>) -> String) -> Bar {
    let visitors = preview.stage.visitors();
    let starts = visitors.iter().map(|(who, provider)| {
        let label = match (who, provider) {
            (Who::Newcomer, _) => Message::new("preview-start-newcomer"),
            (Who::Holder, _) => Message::new("preview-start-account"),
            (Who::Through(_), name) => {
                Message::new("preview-start-provider").with("provider", name.unwrap_or_default())
            }
        };
        Choice {
            id: format!("preview-as-{}", slug(who)),
            href: link::preview_start(&slug(who), asked.lang.as_deref()),
            label: Text::Message(label),
            lang: None,
            current: who == passage.who(),
        }
    });
    let provider = visitors.iter().find(|(who, _)| who == passage.who()).and_then(|(_, name)| *name);
    Bar {
        flow: preview.stage.name().to_owned(),
        who: person(passage.who(), provider.unwrap_or_default()),
        note: passage.note().map(note),
        starts: starts.collect(),
        languages: languages(preview, asked, here),
    }
}

fn languages(preview: &Preview, asked: &Asked, here: &dyn Fn(Option<&str>) -> String) -> Vec<Choice> {
    let catalogue = &preview.pages.catalogue;
    let choice = |locale: &str| Choice {
        id: format!("preview-in-{locale}"),
        href: here(Some(locale)),
        label: Text::Markdown(catalogue.text(&Message::new("language-name"), locale)),
        lang: Some(locale.to_owned()),
        current: asked.frame.locale == locale,
    };
    catalogue.locales().map(choice).collect()
}

fn person(who: &Who, provider: &str) -> Message {
    let id = match who {
        Who::Newcomer => "preview-who-newcomer",
        Who::Holder => "preview-who-account",
        Who::Through(_) => "preview-who-through",
    };
    let person = who.person();
    Message::new(id).with("name", person.name).with("address", person.address).with("provider", provider)
}

fn note(note: Note) -> Message {
    match note {
        Note::Code(code) => Message::new("preview-note-code").with("code", code),
        Note::NoCode => Message::new("preview-note-no-code"),
        Note::Password(password) => Message::new("preview-note-password").with("password", password),
    }
}

/// A visitor in an address.
fn slug(who: &Who) -> String {
    match who {
        Who::Newcomer => "newcomer".to_owned(),
        Who::Holder => "account".to_owned(),
        Who::Through(provider) => format!("via-{provider}"),
    }
}

fn visitor(preview: &Preview, wanted: &str) -> Outcome<Who> {
    let mut all = preview.stage.visitors().into_iter().map(|(who, _)| who);
    all.find(|who| slug(who) == wanted).ok_or_else(|| Fault::missing("path", "no such visitor"))
}
