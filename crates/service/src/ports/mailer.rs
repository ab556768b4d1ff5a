//! Mail. A message has one recipient, and nothing that a person typed can add a header, a recipient or a
//! second message to it (security.md U26 to U28): addresses are parsed values, header texts lose their
//! control characters, bodies get one kind of line ending.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, Message, MultiPart};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
use lettre::{AsyncSmtpTransport, AsyncTransport, Tokio1Executor};
use vestibule_rules::directory::address::Address;
use vestibule_rules::fault::{Fault, Outcome};
use vestibule_rules::text::Secret;

/// Who a message comes from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Sender {
    pub address: Address,
    pub name: Option<String>,
}

/// One message to one person.
#[derive(Clone)]
pub struct Mail {
    /// The sender, when it is not the one of the settings.
    pub from: Option<Sender>,
    pub to: Address,
    pub subject: String,
    pub text: String,
    pub html: String,
    /// Further headers, such as `Reply-To` or `List-Unsubscribe`. Those that the message itself sets are
    /// refused.
    pub headers: Vec<(String, String)>,
}

impl fmt::Debug for Mail {
    /// Subject and body may hold a code and are left out.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mail").field("to", &self.to.masked()).finish_non_exhaustive()
    }
}

/// Why a message did not leave.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum MailFault {
    /// Worth another try later.
    Temporary(String),
    /// It would be refused again.
    Permanent(String),
}

impl fmt::Display for MailFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Temporary(text) => write!(f, "for now: {text}"),
            Self::Permanent(text) => write!(f, "for good: {text}"),
        }
    }
}

impl std::error::Error for MailFault {}

/// Sends mail.
#[async_trait]
pub trait Mailer: Send + Sync {
    /// Hands the message over. `message_id` is `<unique@domain>`; the same message is given the same id on
    /// every try, so that a receiver can drop a duplicate.
    async fn send(&self, mail: &Mail, message_id: &str) -> Result<(), MailFault>;
}

/// How the connection to the mail server is protected. There is no "if possible": an attacker on the way
/// would make it impossible.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Security {
    None,
    StartTls,
    Tls,
}

/// Where and how to hand mail over.
#[derive(Clone, Debug)]
pub struct SmtpSettings {
    pub host: String,
    pub port: u16,
    pub security: Security,
    pub username: Option<String>,
    pub password: Option<Secret<String>>,
    pub from: Sender,
    pub timeout: Duration,
    /// Further certificate authorities of the operator, as PEM; one certificate each.
    pub authorities: Vec<String>,
}

/// Hands mail over by SMTP (RFC 5321), over connections that are kept open.
pub struct SmtpMailer {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Sender,
}

impl SmtpMailer {
    /// Checks the settings. The server is not contacted before the first message.
    pub fn new(settings: SmtpSettings) -> Outcome<Self> {
        let tls = match settings.security {
            Security::None => Tls::None,
            Security::StartTls => Tls::Required(tls_parameters(&settings)?),
            Security::Tls => Tls::Wrapper(tls_parameters(&settings)?),
        };
        let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(settings.host)
            .port(settings.port)
            .tls(tls)
            .timeout(Some(settings.timeout));
        if let (Some(username), Some(password)) = (settings.username, settings.password) {
            builder = builder.credentials(Credentials::new(username, password.into_inner()));
        }
        // A sender that cannot be written must not be discovered with the first lost message.
        mailbox(&settings.from).map_err(|fault| Fault::malformed("from", fault.to_string()))?;
        Ok(Self { transport: builder.build(), from: settings.from })
    }
}

fn tls_parameters(settings: &SmtpSettings) -> Outcome<TlsParameters> {
    let mut builder = TlsParameters::builder(settings.host.clone());
    for pem in &settings.authorities {
        let authority = Certificate::from_pem(pem.as_bytes())
            .map_err(|error| Fault::malformed("authorities", format!("not a PEM certificate: {error}")))?;
        builder = builder.add_root_certificate(authority);
    }
    builder.build_rustls().map_err(|error| Fault::malformed("host", format!("TLS cannot be set up: {error}")))
}

#[async_trait]
impl Mailer for SmtpMailer {
    async fn send(&self, mail: &Mail, message_id: &str) -> Result<(), MailFault> {
        let message = compose(mail, message_id, &self.from)?;
        self.transport.send(message).await.map(|_| ()).map_err(|error| judge(&error))
    }
}

/// A refused login (RFC 4954 §6) is the operator's mistake: the message waits until it is put right.
const LOGIN_REFUSED: [u16; 4] = [530, 534, 535, 538];

fn judge(error: &lettre::transport::smtp::Error) -> MailFault {
    let text: String = single_line(&error.to_string()).chars().take(300).collect();
    let login_refused = error.status().is_some_and(|code| LOGIN_REFUSED.contains(&u16::from(code)));
    if error.is_permanent() && !login_refused {
        MailFault::Permanent(text)
    } else {
        MailFault::Temporary(text)
    }
}

/// Headers that [`compose`] writes, or that would change where the message goes.
const OWN_HEADERS: [&str; 12] = [
    "from",
    "sender",
    "to",
    "cc",
    "bcc",
    "subject",
    "date",
    "message-id",
    "mime-version",
    "auto-submitted",
    "return-path",
    "received",
];

/// Writes the message.
fn compose(mail: &Mail, message_id: &str, default: &Sender) -> Result<Message, MailFault> {
    let recipient = Sender { address: mail.to.clone(), name: None };
    let mut builder = Message::builder()
        .from(mailbox(mail.from.as_ref().unwrap_or(default))?)
        .to(mailbox(&recipient)?)
        .subject(single_line(&mail.subject))
        .message_id(Some(checked_message_id(message_id)?))
        // RFC 3834 §5: keeps vacation responders quiet.
        .raw_header(header("Auto-Submitted", "auto-generated")?);
    for (name, value) in &mail.headers {
        let lower = name.to_ascii_lowercase();
        if OWN_HEADERS.contains(&lower.as_str())
            || lower.starts_with("content-")
            || lower.starts_with("resent-")
        {
            return Err(MailFault::Permanent(format!("the header {} may not be set", single_line(name))));
        }
        builder = builder.raw_header(header(name, value)?);
    }
    builder
        .multipart(MultiPart::alternative_plain_html(lines(&mail.text), lines(&mail.html)))
        .map_err(|error| MailFault::Permanent(format!("the message cannot be written: {error}")))
}

fn mailbox(sender: &Sender) -> Result<Mailbox, MailFault> {
    let address = lettre::Address::new(sender.address.local(), sender.address.domain())
        .map_err(|error| MailFault::Permanent(format!("the address cannot be written: {error}")))?;
    Ok(Mailbox::new(sender.name.as_deref().map(single_line).filter(|name| !name.is_empty()), address))
}

fn header(name: &str, value: &str) -> Result<HeaderValue, MailFault> {
    let token = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    let name = HeaderName::new_from_ascii(name.to_owned()).ok().filter(|_| token);
    let name = name.ok_or_else(|| MailFault::Permanent("a header has no good name".to_owned()))?;
    Ok(HeaderValue::new(name, single_line(value)))
}

fn checked_message_id(id: &str) -> Result<String, MailFault> {
    let inner = id.strip_prefix('<').and_then(|rest| rest.strip_suffix('>'));
    let good = |text: &&str| {
        let (left, right) = text.split_once('@').unwrap_or_default();
        let atom = |part: &str| {
            !part.is_empty()
                && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_".contains(&byte))
        };
        atom(left) && atom(right)
    };
    inner
        .filter(good)
        .map(|_| id.to_owned())
        .ok_or_else(|| MailFault::Permanent("the message id is not <unique@domain>".to_owned()))
}

/// A header text: control characters, among them every line break that a receiver might know, are spaces.
fn single_line(text: &str) -> String {
    let flat: String = text
        .chars()
        .map(|c| if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') { ' ' } else { c })
        .collect();
    flat.trim().to_owned()
}

/// A body with CRLF line endings only. A lone CR or LF is what SMTP smuggling is made of.
fn lines(text: &str) -> String {
    text.replace("\r\n", "\n").replace('\r', "\n").replace('\0', "").replace('\n', "\r\n")
}

#[cfg(test)]
#[path = "mailer_tests.rs"]
mod tests;
