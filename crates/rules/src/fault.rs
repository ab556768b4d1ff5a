//! The one error type. A fault says what happened in our terms; each surface has one table that turns the
//! kind into its own status and code.

use crate::text::Message;
use crate::time::Span;

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The request does not have the form that its specification asks for.
    Malformed,
    /// The client is unknown or did not prove who it is.
    WrongClient,
    /// A credential, code or token does not match.
    WrongCredential,
    /// It was good once and its time is over.
    Expired,
    /// It was good once and has been used.
    Used,
    /// Understood and not allowed.
    Forbidden,
    /// There is no such thing.
    Missing,
    /// It clashes with something that exists.
    Conflict,
    /// Somebody else changed it first.
    Stale,
    /// Too often; try again after the span.
    Throttled(Span),
    /// A server that we depend on failed.
    Upstream,
    /// We failed.
    Ours,
}

/// An error with a public part (`kind`, `code`, `about`, `hint`) and a private part for the log (`detail`).
#[derive(Clone, Debug, thiserror::Error)]
#[error("{kind:?}{}: {detail}", about.as_deref().map(|a| format!(" ({a})")).unwrap_or_default())]
pub struct Fault {
    pub kind: Kind,
    /// The number that Entra gives to this situation (native-auth-and-msal.md 4.5); 0 when it has none.
    pub code: u32,
    /// The field or resource it is about.
    pub about: Option<String>,
    /// What the other party may be told.
    pub hint: Option<Message>,
    /// For the log only.
    pub detail: String,
}

impl Fault {
    pub fn new(kind: Kind, detail: impl Into<String>) -> Self {
        Self { kind, code: 0, about: None, hint: None, detail: detail.into() }
    }

    pub fn malformed(about: &str, detail: impl Into<String>) -> Self {
        Self::new(Kind::Malformed, detail).about(about)
    }

    pub fn missing(about: &str, detail: impl Into<String>) -> Self {
        Self::new(Kind::Missing, detail).about(about)
    }

    pub fn conflict(about: &str, detail: impl Into<String>) -> Self {
        Self::new(Kind::Conflict, detail).about(about)
    }

    pub fn forbidden(detail: impl Into<String>) -> Self {
        Self::new(Kind::Forbidden, detail)
    }

    pub fn stale(detail: impl Into<String>) -> Self {
        Self::new(Kind::Stale, detail)
    }

    pub fn throttled(after: Span) -> Self {
        Self::new(Kind::Throttled(after), "too many requests")
    }

    pub fn upstream(detail: impl Into<String>) -> Self {
        Self::new(Kind::Upstream, detail)
    }

    pub fn ours(detail: impl Into<String>) -> Self {
        Self::new(Kind::Ours, detail)
    }

    #[must_use]
    pub fn about(mut self, about: &str) -> Self {
        self.about = Some(about.to_owned());
        self
    }

    #[must_use]
    pub const fn code(mut self, code: u32) -> Self {
        self.code = code;
        self
    }

    #[must_use]
    pub fn hint(mut self, hint: Message) -> Self {
        self.hint = Some(hint);
        self
    }
}

/// The result of everything that can fail.
pub type Outcome<T> = Result<T, Fault>;
