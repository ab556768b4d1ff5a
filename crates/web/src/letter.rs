//! The mails of the service in words: subject, plain text and HTML of each letter.

use std::sync::Arc;

use minijinja::{Value, context};
use vestibule_rules::fault::Outcome;
use vestibule_rules::journey::question::Purpose;
use vestibule_service::mail::{Letter, LetterWriter, Written};

use crate::locale;
use crate::page::Pages;

/// Writes letters with the templates and messages of the pages.
pub struct Letters {
    pages: Arc<Pages>,
}

impl Letters {
    /// Letters in the words of `pages`.
    pub fn new(pages: Arc<Pages>) -> Self {
        Self { pages }
    }
}

impl LetterWriter for Letters {
    fn write(&self, letter: &Letter, locale: &str) -> Outcome<Written> {
        let values = values(letter, locale);
        let name = template(letter);
        let part = |kind: &str| self.pages.fill(&format!("mail/{name}.{kind}"), values.clone());
        // A header is one line, whatever a tenant's name holds.
        let subject = part("subject")?.split_whitespace().collect::<Vec<_>>().join(" ");
        Ok(Written { subject, text: part("txt")?, html: part("html")? })
    }
}

const fn template(letter: &Letter) -> &'static str {
    match letter {
        Letter::Code { .. } => "code",
        Letter::NoAccount { .. } => "no-account",
        Letter::Guardian { .. } => "guardian",
        Letter::PasswordChanged { .. } => "password-changed",
        Letter::IdentityLinked { .. } => "identity-linked",
    }
}

fn values(letter: &Letter, locale: &str) -> Value {
    let dir = locale::direction(locale);
    match letter {
        Letter::Code { tenant, code, purpose, minutes, address } => context! {
            locale, dir, tenant, code, address,
            minutes => *minutes,
            lead => match purpose {
                Purpose::SignIn => "mail-code-sign-in",
                Purpose::SignUp => "mail-code-sign-up",
                Purpose::Reset => "mail-code-reset",
                Purpose::Attribute => "mail-code-attribute",
            },
        },
        Letter::NoAccount { tenant, address, purpose } => context! {
            locale, dir, tenant, address,
            lead => match purpose {
                Purpose::SignIn | Purpose::SignUp | Purpose::Attribute => "mail-no-account-sign-in",
                Purpose::Reset => "mail-no-account-reset",
            },
        },
        Letter::Guardian { tenant, visitor, link, days, address } => {
            context! { locale, dir, tenant, visitor, link, days => *days, address }
        }
        Letter::PasswordChanged { tenant, address } => context! { locale, dir, tenant, address },
        Letter::IdentityLinked { tenant, address, provider } => {
            context! { locale, dir, tenant, address, provider }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn letters() -> Letters {
        Letters::new(Arc::new(Pages::load(None).unwrap()))
    }

    #[test]
    fn a_code_stands_first_in_the_subject_and_alone_in_the_text() {
        for (purpose, words) in [
            (Purpose::SignIn, "sign in to Woodgrove"),
            (Purpose::SignUp, "create your Woodgrove account"),
            (Purpose::Reset, "a new password for Woodgrove"),
            (Purpose::Attribute, "this address is yours"),
        ] {
            let letter = Letter::Code {
                tenant: "Woodgrove".to_owned(),
                code: "00213907".to_owned(),
                purpose,
                minutes: 10,
                address: "mia@contoso.example".to_owned(),
            };
            let written = letters().write(&letter, "en").unwrap();
            assert_eq!(written.subject, "00213907 is your Woodgrove code");
            assert!(written.text.lines().any(|l| l.trim() == "00213907"), "{}", written.text);
            assert!(written.text.contains(words), "{}", written.text);
            assert!(written.text.contains("within 10 minutes"), "{}", written.text);
            assert!(written.html.contains(">00213907</p>"), "{}", written.html);
            if let Some(dir) = option_env!("VESTIBULE_SAMPLES") {
                std::fs::write(format!("{dir}/mail.html"), written.html).unwrap();
            }
        }
    }

    #[test]
    fn hostile_names_stay_text() {
        let (tenant, address) =
            ("Wood\r\nBcc: x@y <b>grove</b>".to_owned(), "\"<a href=//evil>\"@x.example".to_owned());
        for letter in [
            Letter::NoAccount { tenant: tenant.clone(), address: address.clone(), purpose: Purpose::Reset },
            Letter::PasswordChanged { tenant: tenant.clone(), address: address.clone() },
            Letter::IdentityLinked {
                provider: tenant.clone(),
                tenant: tenant.clone(),
                address: address.clone(),
            },
            Letter::Guardian {
                visitor: address.clone(),
                link: "https://x.example/".into(),
                days: 7,
                tenant,
                address,
            },
        ] {
            let written = letters().write(&letter, "en").unwrap();
            assert!(!written.subject.contains(['\r', '\n']), "{}", written.subject);
            let html = written.html.replace("<a href=\"https://x.example/\"", "");
            assert!(!html.contains("<b>") && !html.contains("<a "), "{html}");
        }
    }
}
