//! The app's look.

use axum::response::{IntoResponse as _, Response};
use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY};
use http::{HeaderName, StatusCode};
use minijinja::{Environment, context};

use super::Site;
use super::relying_party::Refusal;
use super::session::Session;
use crate::failure::{Done, Failure};

const POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

pub(super) struct Pages {
    templates: Environment<'static>,
    inbox: String,
}

impl Pages {
    pub(super) fn new(inbox: String) -> Done<Self> {
        let mut templates = Environment::new();
        for (name, text) in [
            ("layout.html", include_str!("templates/layout.html")),
            ("suppliers.html", include_str!("templates/suppliers.html")),
            ("orders.html", include_str!("templates/orders.html")),
            ("shop.html", include_str!("templates/shop.html")),
        ] {
            templates.add_template(name, text).map_err(|error| broken(&error))?;
        }
        Ok(Self { templates, inbox })
    }

    /// The page of a client, for somebody who is signed in or not, after an attempt that failed or not.
    pub(super) fn home(&self, site: Site, session: Option<&Session>, refusal: Option<&Refusal>) -> Response {
        let name = match site {
            Site::Suppliers => "suppliers.html",
            Site::Orders => "orders.html",
            Site::Shop => "shop.html",
        };
        let rendered = self.templates.get_template(name).and_then(|template| {
            template.render(context! {
                prefix => site.prefix(),
                inbox => &self.inbox,
                name => session.map(|session| session.name.as_str()),
                claims => session.map(|session| &session.claims),
                error => refusal.map(|refusal| context! {
                    code => &refusal.code,
                    title => title(&refusal.code),
                    text => &refusal.text,
                }),
            })
        });
        match rendered {
            Ok(html) => page(html),
            Err(error) => {
                tracing::error!(%error, "a page of the Woodgrove app cannot be rendered");
                StatusCode::INTERNAL_SERVER_ERROR.into_response()
            }
        }
    }
}

fn title(code: &str) -> &'static str {
    match code {
        "access_denied" => "You cancelled",
        "not_found" => "Nothing here",
        "state_mismatch" => "That sign-in does not belong here",
        _ => "That did not work",
    }
}

fn broken(error: &minijinja::Error) -> Failure {
    Failure::new(format!("a template of the Woodgrove app is broken: {error}"))
}

fn page(html: String) -> Response {
    let headers = [
        (CONTENT_TYPE, "text/html; charset=utf-8"),
        (CONTENT_SECURITY_POLICY, POLICY),
        (CACHE_CONTROL, "no-store"),
        (REFERRER_POLICY, "no-referrer"),
        (HeaderName::from_static("x-content-type-options"), "nosniff"),
    ];
    (headers, html).into_response()
}

pub(super) async fn style() -> Response {
    let headers = [(CONTENT_TYPE, "text/css; charset=utf-8"), (CACHE_CONTROL, "no-cache")];
    (headers, include_str!("templates/woodgrove.css")).into_response()
}

pub(super) async fn icon() -> Response {
    let headers = [(CONTENT_TYPE, "image/svg+xml"), (CACHE_CONTROL, "max-age=86400")];
    (headers, include_str!("templates/woodgrove.svg")).into_response()
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt as _;
    use vestibule_rules::text::Secret;

    use super::*;

    async fn html(answer: Response) -> String {
        assert_eq!(answer.status(), StatusCode::OK);
        String::from_utf8(answer.into_body().collect().await.unwrap().to_bytes().to_vec()).unwrap()
    }

    fn ada() -> Session {
        let claims = [("name", "Ada <b>Lovelace</b>"), ("email", "ada@northwind.example"), ("sub", "2fHs")];
        Session {
            claims: claims.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec(),
            name: "Ada <b>Lovelace</b>".to_owned(),
            id_token: Secret::new("e.y.j".to_owned()),
        }
    }

    #[tokio::test]
    async fn every_page_renders_in_every_state_without_script_or_style_of_its_own() {
        let pages = Pages::new("http://localhost:8080/dev/inbox".to_owned()).unwrap();
        let refusal = Refusal::new("access_denied", "<script>alert(1)</script>");
        for site in Site::ALL {
            for (session, refusal) in [(None, None), (Some(&ada()), None), (None, Some(&refusal))] {
                let html = html(pages.home(site, session, refusal)).await;
                assert_eq!(html.matches("<h1").count(), 1);
                assert!(
                    !html.contains("<script") && !html.contains("<style") && !html.contains("style="),
                    "{html}"
                );
                assert_eq!(html.contains("id=\"claims\""), session.is_some());
                assert_eq!(html.contains("data-error-code=\"access_denied\""), refusal.is_some());
            }
        }
    }

    #[tokio::test]
    async fn what_a_claim_says_is_text() {
        let pages = Pages::new(String::new()).unwrap();
        let html = html(pages.home(Site::Suppliers, Some(&ada()), None)).await;
        assert!(html.contains("<dt>name</dt><dd>Ada &lt;b&gt;Lovelace&lt;&#x2f;b&gt;</dd>"), "{html}");
        assert!(html.contains("href=\"/sign-out\""));
    }
}
