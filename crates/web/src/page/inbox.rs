//! The inbox of a development server.

use serde::Serialize;

use super::Page;

/// A mail in the list.
#[derive(Clone, Debug, Serialize)]
pub struct MailLine {
    pub href: String,
    pub to: String,
    pub subject: String,
    pub received_at: String,
    pub received_text: String,
}

/// All mails, newest first.
#[derive(Clone, Debug, Serialize)]
pub struct InboxPage {
    pub messages: Vec<MailLine>,
}

/// One mail.
#[derive(Clone, Debug, Serialize)]
pub struct MailPage {
    pub mail: MailLine,
    pub text: String,
    /// The address of its HTML, a document of its own.
    pub html_href: String,
}

fn line(subject: &str) -> MailLine {
    MailLine {
        href: "/dev/inbox/1".to_owned(),
        to: "mia.larsen@contoso.example".to_owned(),
        subject: subject.to_owned(),
        received_at: "2026-11-24T02:25:36Z".to_owned(),
        received_text: "2026-11-24 02:25:36 UTC".to_owned(),
    }
}

impl Page for InboxPage {
    const TEMPLATE: &'static str = "pages/inbox.html";

    fn samples() -> Vec<Self> {
        let subjects = [
            "48213907 is your Woodgrove code",
            "Your Woodgrove password was changed",
            "<script>alert(1)</script>",
        ];
        vec![Self { messages: subjects.map(line).to_vec() }, Self { messages: Vec::new() }]
    }
}

impl Page for MailPage {
    const TEMPLATE: &'static str = "pages/mail.html";

    fn samples() -> Vec<Self> {
        vec![Self {
            mail: line("48213907 is your Woodgrove code"),
            text: "48213907 is your code\n\n<script>alert(1)</script>".to_owned(),
            html_href: "/dev/inbox/1/html".to_owned(),
        }]
    }
}
