//! Pages around a journey: faults, signing out, the way back to the app, the home of an organisation.

use serde::Serialize;
use uuid::Uuid;
use vestibule_rules::fault::{Fault, Kind};
use vestibule_rules::oauth::error::{self, Trace};
use vestibule_rules::text::Message;
use vestibule_rules::time::Timestamp;

use super::Page;
use super::account::AccountRow;

/// What went wrong, in words, with what support asks for and nothing else about the inside.
#[derive(Clone, Debug, Serialize)]
pub struct FaultPage {
    title: &'static str,
    message: Message,
    /// `data-error-code`: the number, or the message's id.
    code: String,
    /// The number as developers know it.
    number: Option<String>,
    reference: String,
    /// What an app that asked has in its own log, too.
    trace: String,
    correlation: String,
    time: String,
    time_text: String,
    restart: Option<String>,
}

impl FaultPage {
    /// The page for a fault. A message that the fault brings along is what the other party may be told.
    pub fn new(fault: &Fault, reference: String, trace: Trace) -> Self {
        let now = trace.now;
        let (title, id) = words(fault);
        let message = fault.hint.clone().unwrap_or_else(|| match &fault.kind {
            Kind::Throttled(after) => Message::new(id).with("minutes", (after.as_seconds_ceil() + 59) / 60),
            Kind::Malformed
            | Kind::WrongClient
            | Kind::WrongCredential
            | Kind::Expired
            | Kind::Used
            | Kind::Forbidden
            | Kind::Missing
            | Kind::Conflict
            | Kind::Stale
            | Kind::Upstream
            | Kind::Ours => Message::new(id),
        });
        Self {
            title,
            code: if fault.code == 0 { message.id.clone() } else { fault.code.to_string() },
            message,
            number: (fault.code != 0).then(|| format!("AADSTS{}", fault.code)),
            reference,
            trace: trace.trace.to_string(),
            correlation: trace.correlation.to_string(),
            time: now.rfc3339(),
            time_text: now.rfc3339().replace('T', " ").replace('Z', " UTC"),
            restart: None,
        }
    }

    /// The same page with a button that starts again.
    #[must_use]
    pub fn restart(mut self, href: Option<String>) -> Self {
        self.restart = href;
        self
    }
}

/// Title and words for each kind; some numbers have words of their own.
fn words(fault: &Fault) -> (&'static str, &'static str) {
    match fault.code {
        50011 | 900_971 | 90102 => return ("fault-malformed-title", "fault-redirect"),
        700_016 | 7_000_112 => return ("fault-malformed-title", "fault-client"),
        90002 => return ("fault-missing-title", "fault-tenant"),
        _ => {}
    }
    // A journey that is gone was there for this person, whatever the kind of the fault says.
    if fault.hint.as_ref().is_some_and(|hint| hint.id.starts_with("fault-journey-")) {
        return ("fault-expired-title", "fault-expired");
    }
    if fault.about.as_deref() == Some(crate::fault::BODY) {
        return ("fault-title", "fault-too-large");
    }
    match &fault.kind {
        Kind::Malformed => ("fault-malformed-title", "fault-malformed"),
        Kind::WrongClient => ("fault-malformed-title", "fault-client"),
        Kind::WrongCredential => ("fault-title", "fault-credential"),
        Kind::Expired | Kind::Used => ("fault-expired-title", "fault-expired"),
        Kind::Forbidden => ("fault-forbidden-title", "fault-forbidden"),
        Kind::Missing => ("fault-missing-title", "fault-missing"),
        Kind::Conflict | Kind::Stale => ("fault-title", "fault-stale"),
        Kind::Throttled(_) => ("fault-throttled-title", "fault-throttled"),
        Kind::Upstream => ("fault-upstream-title", "fault-upstream"),
        Kind::Ours => ("fault-ours-title", "fault-ours"),
    }
}

impl Page for FaultPage {
    const TEMPLATE: &'static str = "pages/fault.html";

    fn samples() -> Vec<Self> {
        let trace = Trace {
            trace: Uuid::from_u128(0x8f3c_4a53_0000_4000_8000_0000_0000_0001),
            correlation: Uuid::from_u128(0x5c1e_0000_0000_4000_8000_0000_0000_0002),
            now: Timestamp::from_seconds(1_795_486_536),
        };
        let faults = vec![
            Fault::malformed("redirect_uri", "").code(50011),
            Fault::new(Kind::WrongClient, "").code(700_016),
            Fault::missing("tenant", "").code(90002),
            Fault::malformed("scope", ""),
            Fault::new(Kind::WrongCredential, ""),
            Fault::new(Kind::Expired, ""),
            Fault::forbidden(""),
            Fault::missing("page", ""),
            Fault::stale(""),
            Fault::throttled(vestibule_rules::time::Span::seconds(61)),
            Fault::upstream(""),
            Fault::ours("<script>"),
            Fault::ours("").hint(Message::new("field-too-long").with("max", "<script>")),
            Fault::missing("journey", "").hint(Message::new("fault-journey-gone")),
        ];
        let page = |(i, fault): (usize, &Fault)| {
            Self::new(fault, "8F3C4A53".to_owned(), trace)
                .restart((i == 5).then(|| "http://localhost:3000/".to_owned()))
        };
        faults.iter().enumerate().map(page).collect()
    }
}

/// What a number means: where `error_uri` of an error leads (native-auth-and-msal.md 4.5).
#[derive(Clone, Debug, Serialize)]
pub struct NumberPage {
    number: String,
    meanings: Vec<Meaning>,
}

/// The situations that have the number and are told by the same words.
#[derive(Clone, Debug, Serialize)]
struct Meaning {
    /// The `error` member.
    word: &'static str,
    suberror: Option<&'static str>,
    texts: Vec<&'static str>,
}

impl NumberPage {
    /// The page; nothing when no error has the number.
    pub fn of(number: u32) -> Option<Self> {
        let mut meanings: Vec<Meaning> = Vec::new();
        for error in error::all().filter(|error| number != 0 && error.number == number) {
            let (word, suberror) = (error.code.as_str(), error.suberror);
            match meanings.iter_mut().find(|known| (known.word, known.suberror) == (word, suberror)) {
                Some(known) => known.texts.push(error.description),
                None => meanings.push(Meaning { word, suberror, texts: vec![error.description] }),
            }
        }
        (!meanings.is_empty()).then(|| Self { number: format!("AADSTS{number}"), meanings })
    }
}

impl Page for NumberPage {
    const TEMPLATE: &'static str = "pages/number.html";

    fn samples() -> Vec<Self> {
        [error::REFRESH_REVOKED, error::REDIRECT_MISMATCH, error::MALFORMED]
            .iter()
            .filter_map(|error| Self::of(error.number))
            .collect()
    }
}

/// Takes an authorization response to the app by a form.
#[derive(Clone, Debug, Serialize)]
pub struct FormPostPage {
    pub target: String,
    pub parameters: Vec<(String, String)>,
}

impl Page for FormPostPage {
    const TEMPLATE: &'static str = "pages/form_post.html";

    fn samples() -> Vec<Self> {
        let state = "</script><script>alert('1')</script>\"\r\n&lt;";
        vec![Self {
            target: "http://localhost:3000/callback?a=1&b=2".to_owned(),
            parameters: vec![("code".to_owned(), "0.ab".to_owned()), ("state".to_owned(), state.to_owned())],
        }]
    }
}

/// Asks before signing out.
#[derive(Clone, Debug, Serialize)]
pub struct SignOutPage {
    pub action: String,
    pub csrf: String,
    /// What the app asked for, to be posted along.
    pub parameters: Vec<(String, String)>,
    /// The accounts of the browser.
    pub accounts: Vec<AccountRow>,
    /// Where "no" leads.
    pub home: String,
}

impl Page for SignOutPage {
    const TEMPLATE: &'static str = "pages/sign_out.html";

    fn samples() -> Vec<Self> {
        let page = |accounts| Self {
            action: "/woodgrove/oauth2/v2.0/logout".to_owned(),
            csrf: "c3Jm".to_owned(),
            parameters: vec![("state".to_owned(), "\"><script>alert(1)</script>".to_owned())],
            accounts,
            home: "/woodgrove".to_owned(),
        };
        vec![page(Vec::new()), page(AccountRow::samples())]
    }
}

/// The end of signing out where no app is to go back to, or apps have to be told first.
#[derive(Clone, Debug, Default, Serialize)]
pub struct SignedOutPage {
    /// Apps that are told by being opened in a frame.
    pub frames: Vec<String>,
    /// Where the browser goes when they were.
    pub next: Option<String>,
}

impl Page for SignedOutPage {
    const TEMPLATE: &'static str = "pages/signed_out.html";

    fn samples() -> Vec<Self> {
        let frames = vec!["https://app.example/logout?iss=https%3A%2F%2Fh&sid=1".to_owned()];
        vec![
            Self { frames: Vec::new(), next: None },
            Self { frames: frames.clone(), next: None },
            Self { frames, next: Some("https://app.example/?a=1&b=\"2\"".to_owned()) },
        ]
    }
}

/// The home of an organisation.
#[derive(Clone, Debug, Serialize)]
pub struct HomePage {
    /// Somebody's own account.
    pub account: String,
}

impl Page for HomePage {
    const TEMPLATE: &'static str = "pages/home.html";

    fn samples() -> Vec<Self> {
        vec![Self { account: "/woodgrove/account".to_owned() }]
    }
}
