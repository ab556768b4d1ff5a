//! What people are sent to the provider with. It is asked without a person: under `prompt=none` a provider that
//! speaks OpenID Connect sends a browser back at once, but only to a redirect address that is registered and only
//! for a client that it knows (OpenID Connect Core 3.1.2.6).

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use serde_json::{Map, Value};
use url::Url;
use vestibule_crypto::digest;
use vestibule_rules::directory::provider::kind::{Protocol, ProviderKind};

use super::document::list;
use super::{Run, Verdict, What, is_ours};
use crate::federation::metadata::Metadata;
use crate::federation::{Proof, oauth2, openid, pairs};
use crate::ports::outbound::{OutboundRequest, OutboundResponse};

/// What a provider answers when there is nobody to ask: everything else was in order.
const NOBODY_THERE: [&str; 4] =
    ["login_required", "interaction_required", "consent_required", "account_selection_required"];
/// Codes of Entra ID's pages, which it shows with status 200.
const PAGES: [(&str, &str); 3] =
    [("AADSTS50011", "redirect_uri"), ("AADSTS700016", "client_id"), ("AADSTS70011", "invalid_scope")];

impl Run<'_> {
    /// Compares what is asked for with what is offered.
    pub(super) fn scope(&mut self, document: &Map<String, Value>) {
        let offered = list(document, "scopes_supported");
        let wanted = self.upstream.provider.scope();
        if offered.is_empty() {
            return self.unknown(
                What::Scope,
                format!("the provider does not list its scopes; asked for is “{wanted}”"),
            );
        }
        let missing: Vec<&str> = wanted
            .split(' ')
            .filter(|one| !one.is_empty() && !offered.iter().any(|known| known == one))
            .collect();
        if missing.is_empty() {
            return self.ok(What::Scope, format!("the provider offers “{wanted}”"));
        }
        let offered = self.quoted(&offered.join(" "));
        let text = format!(
            "the provider does not list {}; look for a typing error in scope. It lists {offered}, and need not list all",
            missing.join(", ")
        );
        self.tell(What::Scope, Verdict::Warning, text);
    }

    /// A request of which nothing comes: its state belongs to no journey.
    fn trial(&self) -> (String, Proof) {
        let word = || digest::token(self.upstream.site.env.random());
        (word(), Proof { nonce: word(), verifier: word() })
    }

    /// RFC 9126: the provider checks a pushed request before anybody is sent.
    pub(super) async fn push(&mut self, metadata: &Metadata) -> Option<String> {
        let Some(endpoint) = &metadata.pushed_authorization_request_endpoint else {
            let text = "the provider takes no pushed requests; leave pushedAuthorizationRequest out";
            self.failed(What::PushedRequest, text);
            return None;
        };
        if !self.connect(endpoint).await {
            self.held_up(&[What::PushedRequest], "the server can be reached");
            return None;
        }
        let (state, proof) = self.trial();
        let mut wanted = openid::request(self.upstream, &state, &proof, None);
        ask_nobody(&mut wanted, self.upstream.provider.identity_provider_type);
        let response = match openid::push(self.upstream, metadata, &wanted).await {
            Ok(response) => response,
            Err(fault) => {
                let reason = self.reason(&fault);
                self.failed(What::PushedRequest, format!("the request cannot be pushed: {reason}"));
                return None;
            }
        };
        let body: Value = serde_json::from_slice(&response.body).unwrap_or_default();
        if let Some(reference) =
            body.get("request_uri").and_then(Value::as_str).filter(|_| response.is_success())
        {
            let why = if metadata.demands_pushed_requests {
                "the provider demands them and takes ours"
            } else {
                "taken"
            };
            self.ok(
                What::PushedRequest,
                format!("{why}; client, redirect address and scope are accepted with it"),
            );
            return Some(reference.to_owned());
        }
        let text = match refusal(&body) {
            Some(refusal) => self.explained(&refusal),
            None => {
                format!("the endpoint answered {} and named no reference to the request", response.status)
            }
        };
        self.failed(What::PushedRequest, text);
        None
    }

    /// Knocks at the page where people sign in.
    pub(super) async fn authorization(&mut self, page: &Url, reference: Option<&str>) {
        let (state, proof) = self.trial();
        let provider = self.upstream.provider;
        let mut url = page.clone();
        if let Some(reference) = reference {
            url.query_pairs_mut()
                .append_pair("client_id", &provider.client_id)
                .append_pair("request_uri", reference);
        } else if provider.preset().protocol == Protocol::OpenIdConnect {
            let mut wanted = openid::request(self.upstream, &state, &proof, None);
            ask_nobody(&mut wanted, provider.identity_provider_type);
            wanted.push(("client_id", provider.client_id.clone()));
            url.query_pairs_mut().extend_pairs(pairs(&wanted));
        } else {
            match oauth2::departure(self.upstream, &state, &proof) {
                Ok(departure) => url = departure,
                Err(fault) => {
                    let reason = self.reason(&fault);
                    return self.failed(What::Authorization, format!("there is no such address: {reason}"));
                }
            }
        }
        let request = OutboundRequest::get(url).header("accept", "text/html");
        match self.upstream.site.env.outbound.send(request).await {
            Ok(response) => {
                self.clock_if_unseen(&response);
                let (verdict, text) = self.welcome(&response);
                self.tell(What::Authorization, verdict, text);
            }
            Err(fault) if is_ours(&fault) => {
                let reason = self.reason(&fault);
                self.failed(What::Authorization, format!("it cannot be asked: {reason}"));
            }
            // People's browsers go there and not we: it may be out of our reach.
            Err(fault) => {
                let reason = self.reason(&fault);
                let text = format!("the page where people sign in cannot be reached from here: {reason}");
                self.unknown(What::Authorization, text);
            }
        }
    }

    fn clock_if_unseen(&mut self, response: &OutboundResponse) {
        if !self.clock_seen && response.header("date").is_some() {
            self.clock(response);
        }
    }

    fn welcome(&self, response: &OutboundResponse) -> (Verdict, String) {
        let redirect_uri = self.upstream.redirect_uri();
        if let Some(place) = response.header("location").filter(|_| (300..=399).contains(&response.status)) {
            return match place.strip_prefix(&redirect_uri) {
                Some(answer) => self.sent_back(answer),
                None => self.sent_on(place),
            };
        }
        let body = String::from_utf8_lossy(&response.body);
        let refused = (400..=499).contains(&response.status);
        let page = PAGES.iter().find(|(code, _)| body.contains(code)).map(|(_, what)| *what);
        let json = serde_json::from_slice(&response.body).ok().and_then(|body: Value| refusal(&body));
        match (json, page) {
            (Some(refusal), _) if refused => (Verdict::Failed, self.explained(&refusal)),
            (_, Some(what)) => (Verdict::Failed, self.explained(&Refusal::page(what))),
            _ if refused => match named(&without_echo(&body)) {
                Some(what) => (Verdict::Failed, self.explained(&Refusal::page(what))),
                None => (
                    Verdict::NotChecked,
                    format!(
                        "the page where people sign in answered {} and does not say why; press the provider's button \
                         once and read what it shows",
                        response.status
                    ),
                ),
            },
            _ if response.status >= 500 => (
                Verdict::Failed,
                format!(
                    "the page where people sign in answered {}; ask whoever runs the provider",
                    response.status
                ),
            ),
            _ => (Verdict::NotChecked, OWN_PAGE.to_owned()),
        }
    }

    /// The provider answered where it was asked to.
    fn sent_back(&self, answer: &str) -> (Verdict, String) {
        let answer = answer.trim_start_matches(['?', '#']);
        let fields: Vec<(String, String)> =
            url::form_urlencoded::parse(answer.as_bytes()).into_owned().collect();
        let field = |name: &str| fields.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone());
        match field("error") {
            Some(error) if !NOBODY_THERE.contains(&error.as_str()) => {
                let description = field("error_description").unwrap_or_default();
                let known = "client and redirect address are known, and still";
                let text = self.explained(&Refusal { error, description, code: None });
                (Verdict::Failed, format!("{known}: {text}"))
            }
            Some(_) | None => (
                Verdict::Ok,
                "the provider knows the client and its redirect address, and takes the scope".to_owned(),
            ),
        }
    }

    /// The provider leads to another page: where people sign in, or where it says what is wrong.
    fn sent_on(&self, place: &str) -> (Verdict, String) {
        let hidden = Url::parse(place).ok().and_then(|url| {
            let told = url.query_pairs().find(|(name, _)| name == "authError")?.1.into_owned();
            let bytes = URL_SAFE_NO_PAD.decode(&told).or_else(|_| STANDARD_NO_PAD.decode(&told)).ok()?;
            Some(String::from_utf8_lossy(&bytes).to_lowercase())
        });
        match hidden.as_deref().and_then(named) {
            Some(what) => (Verdict::Failed, self.explained(&Refusal::page(what))),
            None => (Verdict::NotChecked, OWN_PAGE.to_owned()),
        }
    }

    /// A refusal in words.
    pub(super) fn explained(&self, refusal: &Refusal) -> String {
        let said = self.quoted(&refusal.both());
        let text = refusal.both().to_lowercase();
        if let Some(what) = named(&text) {
            return match what {
                "redirect_uri" => format!(
                    "the provider does not know our redirect address; register {} there, to the letter (it said {said})",
                    self.upstream.redirect_uri()
                ),
                "invalid_scope" => format!(
                    "the provider does not give out the scope “{}”; permit it there, or ask for less with scope (it \
                     said {said})",
                    self.upstream.provider.scope()
                ),
                _ => format!(
                    "the provider does not know the client “{}”; compare clientId (it said {said})",
                    self.upstream.provider.client_id
                ),
            };
        }
        match refusal.error.as_str() {
            "unauthorized_client" | "unsupported_response_type" => format!(
                "the provider does not permit this client to ask for codes; register it as a web application with the \
                 authorization code flow (it said {said})"
            ),
            "invalid_client" => self.not_we(&said),
            _ => format!("the provider refuses the request; it said {said}"),
        }
    }
}

const OWN_PAGE: &str =
    "the provider shows a page of its own, which tells nothing; press its button once and see";

/// A page without what it says back of the address that was asked: that says nothing of what is wrong.
fn without_echo(page: &str) -> String {
    let mut text = page.to_lowercase();
    for name in ["redirect_uri", "client_id"] {
        for sign in ["=", "%3d", "%253d", "&#61;", "&#x3d;"] {
            text = text.replace(&format!("{name}{sign}"), "");
        }
    }
    text
}

/// A word in lower case that says what is wrong.
pub(in crate::federation) fn named(text: &str) -> Option<&'static str> {
    let has = |words: &[&str]| words.iter().any(|word| text.contains(word));
    if has(&["redirect_uri", "redirect uri", "redirect url", "callback url", "aadsts50011"]) {
        Some("redirect_uri")
    } else if has(&["invalid_scope", "invalid scope", "unknown scope", "aadsts70011"]) {
        Some("invalid_scope")
    } else if has(&[
        "client_id",
        "client not found",
        "client was not found",
        "unknown client",
        "aadsts700016",
    ]) {
        Some("client_id")
    } else {
        None
    }
}

/// Nobody is there to be asked, and the answer comes in an address, where it can be read.
fn ask_nobody(wanted: &mut Vec<(&'static str, String)>, kind: ProviderKind) {
    // Apple refuses every other way than the one that it demands.
    wanted.retain(|(name, _)| *name != "prompt" && (*name != "response_mode" || kind == ProviderKind::Apple));
    wanted.push(("prompt", "none".to_owned()));
}

/// An error as providers tell it (RFC 6749 §5.2; Facebook has an object).
#[derive(Clone)]
pub(in crate::federation) struct Refusal {
    pub(in crate::federation) error: String,
    pub(in crate::federation) description: String,
    /// Facebook's number.
    pub(in crate::federation) code: Option<i64>,
}

impl Refusal {
    fn page(what: &str) -> Self {
        Self { error: what.to_owned(), description: String::new(), code: None }
    }

    pub(in crate::federation) fn both(&self) -> String {
        match (self.error.as_str(), self.description.as_str()) {
            (error, "") => error.to_owned(),
            ("", description) => description.to_owned(),
            (error, description) => format!("{error}: {description}"),
        }
    }
}

/// The error that an answer names.
pub(in crate::federation) fn refusal(body: &Value) -> Option<Refusal> {
    let text =
        |from: &Value, name: &str| from.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    match body.get("error")? {
        Value::String(error) => {
            Some(Refusal { error: error.clone(), description: text(body, "error_description"), code: None })
        }
        inner @ Value::Object(_) => Some(Refusal {
            error: String::new(),
            description: text(inner, "message"),
            code: inner.get("code").and_then(Value::as_i64),
        }),
        _ => None,
    }
}
