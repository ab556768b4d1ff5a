//! Faults as the other party learns them. A handler's return type picks the voice: [`PageFault`] speaks HTML,
//! [`OAuthFault`] the JSON of native-auth-and-msal.md 4.5, [`OpenFault`] whichever the client reads. None of
//! them renders: the fault rides in the response's extensions to the layer that knows language, look and
//! request id, and writes it to the log once.

use axum::response::{IntoResponse, Response};
use http::StatusCode;
use vestibule_rules::fault::{Fault, Kind};
use vestibule_rules::oauth::error::{Code, OAuthError};
use vestibule_service::token::Refusal;

/// What is said in which voice.
#[derive(Clone, Debug)]
pub struct Spoken {
    pub fault: Fault,
    pub voice: Voice,
    /// The row of the table of OAuth errors, where the kind alone does not say which.
    pub error: Option<OAuthError>,
    /// What HTTP itself has to say, such as 405 or 413; otherwise the kind decides.
    pub status: Option<StatusCode>,
}

/// The ways in which a fault is told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Voice {
    Page,
    OAuth,
    /// A page for who asks for one, JSON for everybody else.
    Open,
}

macro_rules! voices {
    ($($(#[$doc:meta])* $name:ident = $voice:ident;)+) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug)]
        pub struct $name {
            fault: Fault,
            error: Option<OAuthError>,
            status: Option<StatusCode>,
        }

        impl $name {
            /// The fault under a status that its kind does not imply.
            pub const fn with_status(fault: Fault, status: StatusCode) -> Self {
                Self { fault, error: None, status: Some(status) }
            }
        }

        impl From<Fault> for $name {
            fn from(fault: Fault) -> Self {
                Self { fault, error: None, status: None }
            }
        }

        impl From<OAuthError> for $name {
            fn from(error: OAuthError) -> Self {
                let fault = Fault::new(Kind::Malformed, error.description).code(error.number);
                Self { fault, error: Some(error), status: None }
            }
        }

        impl From<Refusal> for $name {
            fn from(refusal: Refusal) -> Self {
                match refusal {
                    Refusal::Protocol(error) => error.into(),
                    Refusal::Fault(fault) => fault.into(),
                }
            }
        }

        impl IntoResponse for $name {
            fn into_response(self) -> Response {
                let mut response = Response::default();
                let Self { fault, error, status } = self;
                let spoken = Spoken { fault, voice: Voice::$voice, error, status };
                *response.status_mut() = spoken.status();
                response.extensions_mut().insert(spoken);
                response
            }
        }
    )+};
}

voices! {
    /// A fault of an endpoint that people see.
    PageFault = Page;
    /// A fault of an endpoint that programs call.
    OAuthFault = OAuth;
    /// A fault of an address that may be either.
    OpenFault = Open;
}

impl OAuthFault {
    /// A refusal by an endpoint that takes access tokens: a proof that is not good is answered like a token that is not
    /// (RFC 9449 §7.1).
    pub fn at_resource(refusal: Refusal) -> Self {
        let is_of_proof = match &refusal {
            Refusal::Protocol(error) => matches!(error.code, Code::InvalidDpopProof | Code::UseDpopNonce),
            Refusal::Fault(_) => false,
        };
        let status = is_of_proof.then_some(StatusCode::UNAUTHORIZED);
        Self { status, ..refusal.into() }
    }
}

/// A body that is longer than anything that is meant for us. It is marked by its field.
pub const BODY: &str = "body";

impl Spoken {
    /// The status of the answer.
    pub fn status(&self) -> StatusCode {
        if let Some(status) = self.status {
            return status;
        }
        // Longer than anything that is meant for us: HTTP has a word for it.
        if self.fault.about.as_deref() == Some(BODY) {
            return StatusCode::PAYLOAD_TOO_LARGE;
        }
        match self.voice {
            Voice::Page | Voice::Open => page_status(&self.fault),
            Voice::OAuth => StatusCode::from_u16(self.error().status()).unwrap_or(StatusCode::BAD_REQUEST),
        }
    }

    /// What a program is told.
    pub fn error(&self) -> OAuthError {
        self.error.unwrap_or_else(|| OAuthError::from(&self.fault))
    }
}

/// Kind to status, for pages (architecture, "Faults").
pub fn page_status(fault: &Fault) -> StatusCode {
    match &fault.kind {
        // An unknown tenant is a mistake in the request, and MSAL expects to read it (R8).
        Kind::Missing if fault.code != 0 => StatusCode::BAD_REQUEST,
        Kind::Malformed | Kind::WrongClient | Kind::WrongCredential => StatusCode::BAD_REQUEST,
        Kind::Expired | Kind::Used => StatusCode::GONE,
        Kind::Forbidden => StatusCode::FORBIDDEN,
        Kind::Missing => StatusCode::NOT_FOUND,
        Kind::Conflict | Kind::Stale => StatusCode::CONFLICT,
        Kind::Throttled(_) => StatusCode::TOO_MANY_REQUESTS,
        Kind::Upstream => StatusCode::BAD_GATEWAY,
        Kind::Ours => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// Whether a fault is somebody's to look into.
pub const fn is_alarming(kind: &Kind) -> bool {
    match kind {
        Kind::Ours | Kind::Upstream => true,
        Kind::Malformed
        | Kind::WrongClient
        | Kind::WrongCredential
        | Kind::Expired
        | Kind::Used
        | Kind::Forbidden
        | Kind::Missing
        | Kind::Conflict
        | Kind::Stale
        | Kind::Throttled(_) => false,
    }
}

/// There is no such tenant (R8).
pub fn unknown_tenant() -> Fault {
    Fault::missing("tenant", "no tenant has this name").code(90002)
}

#[cfg(test)]
mod tests {
    use vestibule_rules::time::Span;

    use super::*;

    fn statuses(fault: &Fault) -> (u16, u16) {
        let status =
            |voice| Spoken { fault: fault.clone(), voice, error: None, status: None }.status().as_u16();
        (status(Voice::Page), status(Voice::OAuth))
    }

    #[test]
    fn the_table_of_kinds() {
        let table = [
            (Fault::malformed("a", ""), (400, 400)),
            (Fault::new(Kind::WrongClient, ""), (400, 401)),
            (Fault::new(Kind::WrongCredential, ""), (400, 400)),
            (Fault::new(Kind::Expired, ""), (410, 400)),
            (Fault::new(Kind::Used, ""), (410, 400)),
            (Fault::forbidden(""), (403, 403)),
            (Fault::missing("a", ""), (404, 400)),
            (Fault::conflict("a", ""), (409, 400)),
            (Fault::stale(""), (409, 400)),
            (Fault::throttled(Span::seconds(1)), (429, 429)),
            (Fault::upstream(""), (502, 503)),
            (Fault::ours(""), (500, 500)),
            (unknown_tenant(), (400, 400)),
            (Fault::malformed(BODY, ""), (413, 413)),
        ];
        for (fault, expected) in table {
            assert_eq!(statuses(&fault), expected, "{fault}");
        }
    }
}
