//! What passages are made of: two tenants, somebody who answers pages by hand, and looks into the directory.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use reqwest::header::{CONTENT_SECURITY_POLICY, LOCATION, SET_COOKIE};
use serde_json::Value;
use url::Url;
use vestibule_crypto::digest;
use vestibule_rules::directory::user::User;
use vestibule_rules::fault::{Fault, Outcome};
use vestibule_rules::ids::TenantId;
use vestibule_store::audit::EntryRow;
use vestibule_store::{audit, users};
use vestibule_testkit::TestServer;
use vestibule_testkit::browser::{Page, outsider};

use crate::client::parameter;

pub(crate) const GUESTS: &str = "northgate";
pub(crate) const SHOP: &str = "shop";
pub(crate) const PORTAL: &str = "11111111-1111-4111-8111-111111111111";
pub(crate) const ORDERS: &str = "22222222-2222-4222-8222-222222222222";
pub(crate) const TILL: &str = "33333333-3333-4333-8333-333333333333";
pub(crate) const BACK: &str = "http://localhost:3001/callback";
pub(crate) const STATE: &str = "state of the app";
const VERIFIER: &str = "a-verifier-of-forty-three-characters-or-more";

/// A workforce tenant whose guests come with a code, or by the provider at `issuer`.
pub(crate) fn guests(issuer: &str) -> String {
    include_str!("guests.yaml").replace("{provider}", issuer)
}

/// An external tenant whose customers have passwords.
pub(crate) fn shop() -> String {
    include_str!("shop.yaml").to_owned()
}

/// A browser without manners: it follows nothing by itself and sends what it is told to.
#[derive(Clone)]
pub(crate) struct Hand {
    client: reqwest::Client,
    origin: String,
    /// What was set last under each name.
    jar: Arc<Mutex<BTreeMap<String, String>>>,
}

/// A page with a form, as it was when it was fetched.
#[derive(Clone)]
pub(crate) struct Form {
    pub(crate) url: String,
    pub(crate) csrf: String,
    pub(crate) step: String,
    pub(crate) page: Page,
}

/// What came of an answer.
pub(crate) struct Answered {
    pub(crate) status: u16,
    pub(crate) location: Option<Url>,
    pub(crate) body: String,
    /// The cookies that it sets: names and values.
    pub(crate) cookies: Vec<(String, String)>,
    /// The same as the server wrote them, attributes included.
    pub(crate) set_cookies: Vec<String>,
    /// The content security policy.
    pub(crate) policy: String,
    /// The id that the server gave the request.
    pub(crate) request_id: String,
}

impl Hand {
    pub(crate) fn new(server: &TestServer) -> Self {
        let client =
            outsider().cookie_store(true).redirect(reqwest::redirect::Policy::none()).build().unwrap();
        Self { client, origin: server.origin.clone(), jar: Arc::default() }
    }

    /// Sends a request as it is.
    async fn send(&self, request: reqwest::RequestBuilder) -> Outcome<Answered> {
        let broken = |error: reqwest::Error| Fault::ours(error.to_string());
        let answer = request.send().await.map_err(broken)?;
        let status = answer.status().as_u16();
        let location = answer.headers().get(LOCATION).and_then(|value| value.to_str().ok());
        let location = location.map(|to| Url::parse(&self.origin).unwrap().join(to).unwrap());
        let set_cookies = answer.headers().get_all(SET_COOKIE).into_iter();
        let set_cookies: Vec<String> =
            set_cookies.filter_map(|cookie| cookie.to_str().ok().map(str::to_owned)).collect();
        let cookies = set_cookies.iter().filter_map(|cookie| {
            let (name, rest) = cookie.split_once('=')?;
            Some((name.to_owned(), rest.split(';').next()?.to_owned()))
        });
        let cookies: Vec<(String, String)> = cookies.collect();
        self.jar.lock().unwrap().extend(cookies.iter().cloned());
        let policy = answer.headers().get(CONTENT_SECURITY_POLICY).and_then(|policy| policy.to_str().ok());
        let policy = policy.unwrap_or_default().to_owned();
        let request_id = answer.headers().get("x-ms-request-id").and_then(|id| id.to_str().ok());
        let request_id = request_id.unwrap_or_default().to_owned();
        let body = answer.text().await.map_err(broken)?;
        Ok(Answered { status, location, body, cookies, set_cookies, policy, request_id })
    }

    /// The value of the cookie whose name begins so, as it was set last; none when it was cleared.
    pub(crate) fn cookie(&self, name: &str) -> Option<String> {
        let jar = self.jar.lock().unwrap();
        let found = jar.iter().find(|(known, _)| known.starts_with(name));
        found.map(|(_, value)| value.clone()).filter(|value| !value.is_empty())
    }

    /// Remembers a cookie that the server took back, as a thief does who copied it before.
    pub(crate) fn holds(&self, name: &str, value: &str) {
        self.jar.lock().unwrap().insert(name.to_owned(), value.to_owned());
    }

    pub(crate) async fn get(&self, url: &str) -> Outcome<Answered> {
        self.send(self.client.get(url)).await
    }

    /// What an app asks with an access token.
    pub(crate) async fn bearing(&self, url: &str, token: &str) -> Outcome<(u16, Value)> {
        let answered = self.send(self.client.get(url).bearer_auth(token)).await?;
        Ok((answered.status, serde_json::from_str(&answered.body).unwrap_or_default()))
    }

    /// Where an app sends a browser, and the answer.
    pub(crate) async fn authorize(
        &self,
        tenant: &str,
        app: &str,
        more: &[(&str, &str)],
    ) -> Outcome<Answered> {
        self.get(&self.address(tenant, app, more)).await
    }

    pub(crate) fn address(&self, tenant: &str, app: &str, more: &[(&str, &str)]) -> String {
        let base = format!("{}/{tenant}/oauth2/v2.0/authorize", self.origin);
        let challenge = digest::pkce_s256(VERIFIER);
        let mut pairs = vec![
            ("client_id", app),
            ("redirect_uri", BACK),
            ("response_type", "code"),
            ("scope", "openid profile email offline_access"),
            ("state", STATE),
            ("nonce", "nonce of the app"),
            ("code_challenge", challenge.as_str()),
            ("code_challenge_method", "S256"),
        ];
        pairs.extend(more);
        Url::parse_with_params(&base, pairs).unwrap().into()
    }

    /// Begins a journey and shows its first page.
    pub(crate) async fn begin(&self, tenant: &str, app: &str, more: &[(&str, &str)]) -> Outcome<Form> {
        let answered = self.authorize(tenant, app, more).await?;
        self.form(answered.location.ok_or_else(|| Fault::ours("no journey began"))?.as_str()).await
    }

    /// Fetches a page that has a form.
    pub(crate) async fn form(&self, url: &str) -> Outcome<Form> {
        let Answered { status, body, .. } = self.get(url).await?;
        let page = Page { url: Url::parse(url).unwrap(), status, html: body };
        let hidden = |name: &str| page.attribute(&format!("input[name={name}]"), "value").unwrap_or_default();
        Ok(Form { url: url.to_owned(), csrf: hidden("csrf"), step: hidden("step"), page })
    }

    /// The page as it is shown to a browser of another make.
    pub(crate) async fn as_agent(&self, url: &str, agent: &str) -> Outcome<Page> {
        let answered = self.send(self.client.get(url).header("user-agent", agent)).await?;
        Ok(Page { url: Url::parse(url).unwrap(), status: answered.status, html: answered.body })
    }

    /// Answers a form, whatever happened since it was fetched.
    pub(crate) async fn answer(&self, form: &Form, fields: &[(&str, &str)]) -> Outcome<Answered> {
        let mut all = vec![("csrf", form.csrf.as_str()), ("step", form.step.as_str())];
        all.extend(fields);
        self.post(&form.url, &all).await
    }

    /// A request with exactly these cookies, whatever the browser holds.
    pub(crate) async fn with_cookies(&self, url: &str, cookies: &str) -> Outcome<Answered> {
        let client = outsider().redirect(reqwest::redirect::Policy::none());
        let client = client.build().map_err(|error| Fault::ours(error.to_string()))?;
        self.send(client.get(url).header("cookie", cookies)).await
    }

    /// What a page of another site posts: the browser sends it without our cookies (`SameSite=Lax`).
    pub(crate) async fn post_across(&self, url: &str, fields: &[(&str, &str)]) -> Outcome<Answered> {
        let client = outsider().redirect(reqwest::redirect::Policy::none());
        let client = client.build().map_err(|error| Fault::ours(error.to_string()))?;
        let request = client.post(url).header("sec-fetch-site", "cross-site");
        self.send(request.header("origin", "https://elsewhere.example").form(fields)).await
    }

    /// What another server sends: JSON, and no cookie.
    pub(crate) async fn report(&self, url: &str, body: &Value) -> Outcome<u16> {
        let request = self.client.post(url).header("content-type", "application/json");
        Ok(self.send(request.body(body.to_string())).await?.status)
    }

    /// What an app's page posts in the person's own browser, which keeps the cookies of the answer.
    pub(crate) async fn post_from_app(&self, url: &str, fields: &[(&str, &str)]) -> Outcome<Answered> {
        self.send(self.client.post(url).header("sec-fetch-site", "cross-site").form(fields)).await
    }

    pub(crate) async fn post(&self, url: &str, fields: &[(&str, &str)]) -> Outcome<Answered> {
        self.send(self.client.post(url).header("sec-fetch-site", "same-origin").form(fields)).await
    }

    /// Answers a form and shows the page that comes next.
    pub(crate) async fn next(&self, form: &Form, fields: &[(&str, &str)]) -> Outcome<Form> {
        let answered = self.answer(form, fields).await?;
        let location = answered.location.ok_or_else(|| Fault::ours(format!("stays: {}", answered.body)))?;
        if !location.as_str().starts_with(&self.origin) {
            return Err(Fault::ours(format!("leaves for {location}")));
        }
        self.form(location.as_str()).await
    }

    /// Types an address and is asked for the code that was sent.
    pub(crate) async fn ask_for_code(&self, server: &TestServer, address: &str) -> Outcome<(Form, String)> {
        let form = self.begin(GUESTS, PORTAL, &[("prompt", "create")]).await?;
        let form = self.next(&form, &[("username", address)]).await?;
        Ok((form, server.inbox.await_code(address).await?))
    }

    /// Becomes a guest; the address at which the browser leaves for the app.
    pub(crate) async fn become_guest(&self, server: &TestServer, address: &str) -> Outcome<Url> {
        let (form, code) = self.ask_for_code(server, address).await?;
        let form = self.next(&form, &[("code", &code)]).await?;
        self.answer(&form, &[("displayName", "Ada")]).await?.at_app()
    }

    /// Becomes a customer and stands before “Stay signed in?”.
    pub(crate) async fn almost_customer(
        &self,
        server: &TestServer,
        (address, password): (&str, &str),
    ) -> Outcome<Form> {
        let form = self.begin(SHOP, TILL, &[("prompt", "create")]).await?;
        let form = self.next(&form, &[("username", address)]).await?;
        let code = server.inbox.await_code(address).await?;
        let form = self.next(&form, &[("code", &code)]).await?;
        self.next(&form, &[("password", password), ("givenName", "Ada")]).await
    }

    /// Types address and password and stands where that leads.
    pub(crate) async fn with_password(&self, address: &str, password: &str) -> Outcome<Form> {
        let form = self.begin(SHOP, TILL, &[]).await?;
        let form = self.next(&form, &[("username", address)]).await?;
        self.next(&form, &[("password", password)]).await
    }

    /// Asks the token endpoint as the app does.
    pub(crate) async fn token(
        &self,
        tenant: &str,
        app: &str,
        more: &[(&str, &str)],
    ) -> Outcome<(u16, Value)> {
        let secret = vestibule_testkit::server::secret("secrets/app");
        let mut form = vec![("client_id", app), ("client_secret", secret.expose().as_str())];
        form.extend(more);
        let url = format!("{}/{tenant}/oauth2/v2.0/token", self.origin);
        let answered = self.send(self.client.post(url).form(&form)).await?;
        let body = serde_json::from_str(&answered.body).map_err(|e| Fault::ours(e.to_string()))?;
        Ok((answered.status, body))
    }

    /// Redeems the code with which the browser came back.
    pub(crate) async fn redeem(&self, tenant: &str, app: &str, back: &Url) -> Outcome<(u16, Value)> {
        let code = parameter(back, "code").ok_or_else(|| Fault::ours(format!("no code in {back}")))?;
        let more = [
            ("grant_type", "authorization_code"),
            ("redirect_uri", BACK),
            ("code", code.as_str()),
            ("code_verifier", VERIFIER),
        ];
        self.token(tenant, app, &more).await
    }

    /// Redeems a refresh token; the status.
    pub(crate) async fn refresh(&self, tenant: &str, app: &str, token: &str) -> Outcome<u16> {
        let more = [("grant_type", "refresh_token"), ("refresh_token", token)];
        Ok(self.token(tenant, app, &more).await?.0)
    }
}

impl Answered {
    /// The value of the session cookie that it sets.
    pub(crate) fn session(&self) -> Option<&str> {
        let session = self.cookies.iter().find(|(name, _)| name.starts_with("vestibule-session-"));
        session.map(|(_, value)| value.as_str())
    }
}

impl Form {
    /// The name of the step that is asked.
    pub(crate) fn asks(&self) -> &str {
        self.step.split('.').next().unwrap_or_default()
    }

    /// How often the journey was saved.
    pub(crate) fn revision(&self) -> i64 {
        self.step.split('.').nth(1).and_then(|text| text.parse().ok()).unwrap_or_default()
    }

    /// The code of the only error on the page; empty when there is none.
    pub(crate) fn problem(&self) -> String {
        self.page.alerts().first().map(|alert| alert.code.clone()).unwrap_or_default()
    }
}

impl Answered {
    /// The address at which the browser leaves for the app.
    pub(crate) fn at_app(self) -> Outcome<Url> {
        match self.location {
            Some(url) if url.as_str().starts_with(BACK) => Ok(url),
            Some(url) => Err(Fault::ours(format!("leads to {url} and not to the app"))),
            None => Err(Fault::ours(format!("{} and not to the app: {}", self.status, self.body))),
        }
    }
}

pub(crate) fn tenant(server: &TestServer, name: &str) -> TenantId {
    server.site.directory.tenant(name).unwrap().config.tenant.id
}

/// Every user of a tenant with this mail address.
pub(crate) async fn people(server: &TestServer, name: &str, address: &str) -> Outcome<Vec<User>> {
    let mut tx = server.site.env.db.read().await?;
    users::list_by_mail_key(&mut tx, tenant(server, name), address).await
}

/// What was written down about an act.
pub(crate) async fn recorded(server: &TestServer, name: &str, action: &str) -> Outcome<Vec<EntryRow>> {
    let mut tx = server.site.env.db.read().await?;
    let all = audit::list(&mut tx, tenant(server, name), None, 1_000).await?;
    Ok(all.into_iter().filter(|entry| entry.action == action).collect())
}

/// Switches the only user with this address off, as an administrator does.
pub(crate) async fn disable(server: &TestServer, name: &str, address: &str) -> Outcome<()> {
    let mut user = people(server, name, address).await?.remove(0);
    user.account_enabled = false;
    let tenant = tenant(server, name);
    let update = server.site.env.db.write(move |tx| {
        let user = user.clone();
        Box::pin(async move { users::update(tx, tenant, &user).await.map(drop) })
    });
    update.await
}
