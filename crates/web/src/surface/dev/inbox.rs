//! `GET /dev/inbox` and below. A mail's HTML is a stranger's document: it is shown in a sandbox, by itself.

use axum::extract::{Path, Request, State};
use axum::response::Response;
use http::header::{ACCEPT_LANGUAGE, CONTENT_SECURITY_POLICY, X_FRAME_OPTIONS};
use http::{HeaderValue, StatusCode};
use serde::Serialize;
use vestibule_rules::fault::{Fault, Outcome};
use vestibule_service::mail;

use crate::fault::PageFault;
use crate::link;
use crate::locale;
use crate::page::Frame;
use crate::page::inbox::{InboxPage, MailLine, MailPage};
use crate::respond::{self, FormTargets};
use crate::state::AppState;

/// A mail as this surface needs it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Mail {
    #[serde(skip)]
    tenant: String,
    #[serde(skip)]
    key: String,
    to: String,
    subject: String,
    text: String,
    html: String,
    received_at: String,
}

/// All mails as a page, newest first.
pub(super) async fn list(State(app): State<AppState>, request: Request) -> Result<Response, PageFault> {
    let mut mails = mails(&app).await?;
    mails.reverse();
    let page = InboxPage { messages: mails.iter().map(line).collect() };
    Ok(respond::page(&app, &frame(&app, &request), &page, &FormTargets::Own)?)
}

/// All mails as JSON, oldest first.
pub(super) async fn messages(State(app): State<AppState>) -> Result<Response, PageFault> {
    let mails = mails(&app).await?;
    let body = serde_json::to_vec(&mails).map_err(|e| Fault::ours(format!("inbox: {e}")))?;
    Ok(respond::json(StatusCode::OK, body))
}

/// One mail.
pub(super) async fn mail(
    State(app): State<AppState>,
    Path((tenant, key)): Path<(String, String)>,
    request: Request,
) -> Result<Response, PageFault> {
    let mail = find(&app, &tenant, &key).await?;
    let html_href = link::mail_html(&mail.tenant, &mail.key);
    let page = MailPage { mail: line(&mail), text: mail.text, html_href };
    Ok(respond::page(&app, &frame(&app, &request), &page, &FormTargets::Own)?)
}

/// The HTML of one mail, for the frame in its page.
pub(super) async fn html(
    State(app): State<AppState>,
    Path((tenant, key)): Path<(String, String)>,
) -> Result<Response, PageFault> {
    let mail = find(&app, &tenant, &key).await?;
    let mut response = respond::with_type(StatusCode::OK, "text/html; charset=utf-8", mail.html);
    let headers = response.headers_mut();
    let policy =
        "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox; frame-ancestors 'self'";
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy));
    headers.insert(X_FRAME_OPTIONS, HeaderValue::from_static("SAMEORIGIN"));
    Ok(response)
}

async fn mails(app: &AppState) -> Outcome<Vec<Mail>> {
    let mut rows = mail::inbox(&app.site).await?;
    rows.sort_by(|a, b| a.key.cmp(&b.key));
    let mails = rows.into_iter().map(|row| Mail {
        tenant: row.tenant.to_string(),
        key: row.key,
        to: row.recipient,
        subject: row.subject,
        text: row.text,
        html: row.html,
        received_at: row.received_at.rfc3339(),
    });
    Ok(mails.collect())
}

async fn find(app: &AppState, tenant: &str, key: &str) -> Outcome<Mail> {
    let found = mails(app).await?.into_iter().find(|m| m.tenant == tenant && m.key == key);
    found.ok_or_else(|| Fault::missing("mail", "no mail has this key"))
}

fn frame(app: &AppState, request: &Request) -> Frame {
    let accepted = request.headers().get(ACCEPT_LANGUAGE).and_then(|h| h.to_str().ok());
    Frame { locale: locale::choose(&app.pages.catalogue, None, accepted).to_owned(), ..Frame::neutral() }
}

fn line(mail: &Mail) -> MailLine {
    MailLine {
        href: link::mail(&mail.tenant, &mail.key),
        to: mail.to.clone(),
        subject: mail.subject.clone(),
        received_at: mail.received_at.clone(),
        received_text: mail.received_at.replace('T', " ").replace('Z', " UTC"),
    }
}
