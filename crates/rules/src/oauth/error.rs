//! Every OAuth error that this server answers with, in one table: the word that libraries branch on and the
//! number that Entra gives to the situation (native-auth-and-msal.md 4.5).
//!
//! A description is a constant. What a requester sent is therefore never reflected, and the characters are
//! those that RFC 6749 §5.2 allows (security.md S20). None of the words on which MSAL branches may occur in
//! a description that is about something else (native-auth-and-msal.md 2.8).

use serde::Serialize;
use uuid::Uuid;

use crate::fault::{Fault, Kind};
use crate::time::{Span, Timestamp};

/// The `error` member (RFC 6749 §4.1.2.1 and §5.2, OpenID Connect Core 3.1.2.6, RFC 6750 §3.1, RFC 8707 §2, RFC 9449
/// §5 and §8, OpenID Connect Core Error Code unmet_authentication_requirements 1.0).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Code {
    InvalidRequest,
    InvalidClient,
    InvalidGrant,
    InvalidScope,
    InvalidToken,
    UnauthorizedClient,
    UnsupportedGrantType,
    UnsupportedResponseType,
    AccessDenied,
    AuthorizationPending,
    AuthorizationDeclined,
    SlowDown,
    BadVerificationCode,
    ExpiredToken,
    LoginRequired,
    InteractionRequired,
    ConsentRequired,
    UnmetAuthenticationRequirements,
    RequestNotSupported,
    RequestUriNotSupported,
    InvalidRequestUri,
    InvalidTarget,
    InvalidDpopProof,
    UseDpopNonce,
    InvalidRedirectUri,
    InvalidClientMetadata,
    TemporarilyUnavailable,
    ServerError,
}

impl Code {
    /// The word on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InvalidRequest => "invalid_request",
            Self::InvalidClient => "invalid_client",
            Self::InvalidGrant => "invalid_grant",
            Self::InvalidScope => "invalid_scope",
            Self::InvalidToken => "invalid_token",
            Self::UnauthorizedClient => "unauthorized_client",
            Self::UnsupportedGrantType => "unsupported_grant_type",
            Self::UnsupportedResponseType => "unsupported_response_type",
            Self::AccessDenied => "access_denied",
            Self::AuthorizationPending => "authorization_pending",
            Self::AuthorizationDeclined => "authorization_declined",
            Self::SlowDown => "slow_down",
            Self::BadVerificationCode => "bad_verification_code",
            Self::ExpiredToken => "expired_token",
            Self::LoginRequired => "login_required",
            Self::InteractionRequired => "interaction_required",
            Self::ConsentRequired => "consent_required",
            Self::UnmetAuthenticationRequirements => "unmet_authentication_requirements",
            Self::RequestNotSupported => "request_not_supported",
            Self::RequestUriNotSupported => "request_uri_not_supported",
            Self::InvalidRequestUri => "invalid_request_uri",
            Self::InvalidTarget => "invalid_target",
            Self::InvalidDpopProof => "invalid_dpop_proof",
            Self::UseDpopNonce => "use_dpop_nonce",
            Self::InvalidRedirectUri => "invalid_redirect_uri",
            Self::InvalidClientMetadata => "invalid_client_metadata",
            Self::TemporarilyUnavailable => "temporarily_unavailable",
            Self::ServerError => "server_error",
        }
    }

    /// The status when it is answered and not redirected.
    pub const fn status(self) -> u16 {
        match self {
            Self::InvalidRequest
            | Self::InvalidGrant
            | Self::InvalidScope
            | Self::UnauthorizedClient
            | Self::UnsupportedGrantType
            | Self::UnsupportedResponseType
            | Self::AuthorizationPending
            | Self::AuthorizationDeclined
            | Self::SlowDown
            | Self::BadVerificationCode
            | Self::ExpiredToken
            | Self::LoginRequired
            | Self::InteractionRequired
            | Self::ConsentRequired
            | Self::UnmetAuthenticationRequirements
            | Self::RequestNotSupported
            | Self::RequestUriNotSupported
            | Self::InvalidRequestUri
            | Self::InvalidTarget
            | Self::InvalidDpopProof
            | Self::UseDpopNonce
            | Self::InvalidRedirectUri
            | Self::InvalidClientMetadata => 400,
            Self::InvalidClient | Self::InvalidToken => 401,
            Self::AccessDenied => 403,
            Self::TemporarilyUnavailable => 503,
            Self::ServerError => 500,
        }
    }
}

/// An error as the other party learns it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct OAuthError {
    /// The `error` member.
    pub code: Code,
    /// The number in `error_codes`; 0 when there is none.
    pub number: u32,
    /// What MSAL branches on beside `error`.
    pub suberror: Option<&'static str>,
    /// The text behind the number.
    pub description: &'static str,
    /// Too often: try again after the span. The status is 429 then (native-auth-and-msal.md R50).
    pub retry_after: Option<Span>,
}

impl OAuthError {
    const fn new(code: Code, number: u32, description: &'static str) -> Self {
        Self { code, number, suberror: None, description, retry_after: None }
    }

    const fn bad_token(number: u32, description: &'static str) -> Self {
        // `bad_token` makes MSAL drop its copy and ask the person again (native-auth-and-msal.md R27).
        let mut error = Self::new(Code::InvalidGrant, number, description);
        error.suberror = Some("bad_token");
        error
    }

    /// The status of an answer that is not a redirect.
    pub const fn status(&self) -> u16 {
        if self.retry_after.is_some() { 429 } else { self.code.status() }
    }

    /// `AADSTS50058: …`, or the bare text when there is no number.
    pub fn text(&self) -> String {
        match self.number {
            0 => self.description.to_owned(),
            number => format!("AADSTS{number}: {}", self.description),
        }
    }
}

macro_rules! table {
    ($($(#[$doc:meta])* $name:ident = $code:ident $number:literal $text:literal;)+) => {
        $($(#[$doc])* pub const $name: OAuthError = OAuthError::new(Code::$code, $number, $text);)+
        /// Every error of the table without a suberror.
        pub const ALL: &[OAuthError] = &[$($name),+];
    };
}

table! {
    // Requests
    /// A parameter has a form that it cannot have.
    MALFORMED = InvalidRequest 9_002_313 "The request is malformed.";
    /// A parameter occurs more than once (S8).
    REPEATED = InvalidRequest 9_002_313 "A parameter of the request occurs more than once.";
    MISSING_PARAMETER = InvalidRequest 900_144 "A required parameter is missing from the request.";
    RESOURCE_PARAMETER = InvalidRequest 901_002 "The resource parameter has to be an absolute URI without a fragment; or name the resource in the scope.";
    NONCE_REQUIRED = InvalidRequest 900_144 "A response type with id_token needs a nonce.";
    OPENID_REQUIRED = InvalidRequest 900_144 "A response type with id_token needs the scope openid.";
    RESPONSE_TYPE = UnsupportedResponseType 70_005 "The response type is missing or not supported; use code.";
    RESPONSE_TYPE_NOT_ENABLED = UnsupportedResponseType 700_054 "This response type is not enabled for the application; use code.";
    RESPONSE_MODE_QUERY = InvalidRequest 70_007 "The response mode query is not supported for a response with tokens; use fragment or form_post.";
    RESPONSE_MODE = InvalidRequest 70_007 "The response mode is not supported; use query, fragment or form_post.";
    REQUEST_OBJECT = RequestNotSupported 0 "Request objects are not supported.";
    REQUEST_URI = RequestUriNotSupported 0 "Request objects by reference are not supported.";
    /// Unknown, of another application, over or used: the answers are one and the same (S52).
    PUSHED_REQUEST = InvalidRequestUri 0 "The request_uri is not one of the application, has expired or was used.";
    PUSH_REQUIRED = InvalidRequest 0 "The application has to push its authorization requests.";
    PUSHED_BY_REFERENCE = InvalidRequest 0 "A request that is pushed must not have a request_uri.";
    REDIRECT_URI = InvalidRequest 0 "The redirect_uri is missing, malformed or not registered for the application.";
    REDIRECT_MALFORMED = InvalidRequest 90_102 "The redirect_uri is not an absolute address.";
    REDIRECT_UNREGISTERED = InvalidRequest 900_971 "No redirect address is registered for the application.";
    THUMBPRINT = InvalidRequest 0 "The dpop_jkt is not the thumbprint of a key.";
    TARGET = InvalidTarget 500_011 "The resource is not known in the tenant.";
    TARGETS = InvalidTarget 0 "Tokens are for one resource; name one, and scopes of no other.";
    TARGET_NOT_GRANTED = InvalidTarget 0 "The grant is for another resource.";
    PROMPT = InvalidRequest 90_023 "The prompt is not supported or its values exclude each other.";
    MAX_AGE = InvalidRequest 9_002_313 "The max_age must be a whole number of seconds.";
    CLAIMS = InvalidRequest 9_002_313 "The claims parameter is not a JSON object of reasonable size.";
    CHALLENGE_REQUIRED = InvalidRequest 9_002_325 "Proof Key for Code Exchange is required: send a code_challenge with the method S256.";
    CHALLENGE_METHOD = InvalidRequest 501_491 "The code_challenge_method must be S256.";
    CHALLENGE_SIZE = InvalidRequest 501_491 "The code_challenge does not have the form of an S256 challenge.";
    SCOPE = InvalidScope 70_011 "A scope of the request is not known here, or its resource is not.";
    TWO_RESOURCES = InvalidScope 700_022 "The scopes of the request belong to more than one resource.";
    // Signing in
    NO_SESSION = LoginRequired 50_058 "Nobody is signed in, and the request forbids to ask.";
    SIGN_IN_AGAIN = LoginRequired 50_058 "The person has to sign in again, and the request forbids to ask.";
    UNMET_DEMAND = UnmetAuthenticationRequirements 0 "Who signed in, or how, is not what the request demands.";
    NOT_ASSIGNED = InteractionRequired 50_105 "The application is not assigned to the person, and the request forbids to say so.";
    OWES_TERMS = InteractionRequired 50_158 "The person has to accept terms first, and the request forbids to ask.";
    CONSENT = ConsentRequired 65_001 "The person has not consented to what the application asks for, and the request forbids to ask.";
    CONSENT_DECLINED = AccessDenied 65_004 "The person declined to consent to what the application asks for.";
    ADMIN_CONSENT = ConsentRequired 90_094 "An administrator has to consent to what the application asks for.";
    ADMIN_CONSENT_DENIED = AccessDenied 90_094 "An administrator has to consent to what the application asks for.";
    NOT_SERVED = AccessDenied 500_208 "The application is not attached to a user flow of the tenant.";
    CANCELLED = AccessDenied 0 "the user canceled the authentication";
    // Clients
    UNKNOWN_CLIENT = UnauthorizedClient 700_016 "There is no such application in the tenant.";
    DISABLED_CLIENT = UnauthorizedClient 7_000_112 "The application is disabled.";
    WRONG_SECRET = InvalidClient 7_000_215 "The client secret is wrong.";
    EXPIRED_SECRET = InvalidClient 7_000_222 "The client secret has expired.";
    SECRET_MISSING = InvalidClient 7_000_218 "The client has to prove itself with a client secret.";
    PUBLIC_CLIENT_SECRET = InvalidClient 700_025 "The client is public and must not send a client secret.";
    TWO_METHODS = InvalidRequest 9_002_313 "The client proves itself in two ways at once.";
    /// Another method than the one that the client is registered for (S37).
    METHOD = InvalidClient 7_000_218 "The client is registered for another way to prove itself.";
    ASSERTION_TYPE = InvalidRequest 9_002_313 "The client_assertion_type is not the one for JSON web tokens.";
    ASSERTION = InvalidClient 700_027 "The client assertion is not signed with a key that is registered for the application.";
    ASSERTION_CLIENT = InvalidClient 700_021 "The client assertion is of another application, or names none.";
    ASSERTION_AUDIENCE = InvalidClient 700_023 "The client assertion is for another server.";
    ASSERTION_TIME = InvalidClient 700_024 "The client assertion is not within its valid time range, or lasts too long.";
    ASSERTION_USED = InvalidClient 700_027 "The client assertion has no name of its own or was used before.";
    WORKLOAD_ISSUER = InvalidClient 700_211 "No federated identity credential of the application has the issuer of the assertion.";
    WORKLOAD_AUDIENCE = InvalidClient 700_212 "No federated identity credential of the application has the audience of the assertion.";
    WORKLOAD_SUBJECT = InvalidClient 700_213 "No federated identity credential of the application has the subject of the assertion.";
    SECRET_IN_QUERY = InvalidRequest 9_002_313 "Credentials must not stand in an address.";
    CLIENT_MISMATCH = InvalidRequest 9_002_313 "The client_id in the header and in the body differ.";
    // Grants
    USE_POST = InvalidRequest 900_561 "The endpoint only accepts POST.";
    GRANT_TYPE = UnsupportedGrantType 70_003 "The grant type is not supported.";
    GRANT_NOT_ALLOWED = UnauthorizedClient 70_001 "The application may not use this grant type.";
    CODE = InvalidGrant 70_000 "The authorization code is not one of this tenant and client.";
    CODE_EXPIRED = InvalidGrant 70_008 "The authorization code has expired.";
    CODE_REDEEMED = InvalidGrant 54_005 "The authorization code was redeemed before.";
    CODE_OF_OTHER_TENANT = InvalidGrant 700_005 "The authorization code belongs to another tenant.";
    REDIRECT_MISMATCH = InvalidGrant 50_011 "The redirect_uri is not the one of the authorization request.";
    REDIRECT_UNKNOWN = InvalidRequest 50_011 "The redirect_uri is not one that is registered for the application.";
    VERIFIER_MISMATCH = InvalidGrant 501_481 "The code_verifier does not match the code_challenge of the authorization request.";
    PROOF = InvalidDpopProof 0 "The DPoP proof is missing, repeated or not good for this request.";
    PROOF_NONCE = UseDpopNonce 0 "The DPoP proof has to hold the nonce that this answer gives.";
    PROOF_REQUIRED = InvalidRequest 0 "The application has to show a DPoP proof.";
    OTHER_KEY = InvalidGrant 0 "The grant is bound to a key, and the request does not prove that it has it.";
    CROSS_ORIGIN = InvalidRequest 9_002_326 "Only single-page applications may redeem tokens across origins.";
    SAME_ORIGIN = InvalidRequest 9_002_327 "Tokens of a single-page application can only be redeemed across origins.";
    REFRESH_TOKEN = InvalidGrant 70_000 "The refresh token is not one of this tenant and client.";
    USER_GONE = InvalidGrant 50_034 "The user account does not exist.";
    USER_DISABLED = InvalidGrant 50_057 "The user account is disabled.";
    USER_NOT_ASSIGNED = InvalidGrant 50_105 "The application is not assigned to the user.";
    ROLE_NOT_ASSIGNED = InvalidGrant 501_051 "The application is not assigned to a role of the resource.";
    // Devices
    DEVICE_FLOW = UnauthorizedClient 70_002 "The device authorization grant is not enabled for the application.";
    DEVICE_PENDING = AuthorizationPending 70_016 "Nobody has finished signing in for the device yet; ask again.";
    DEVICE_SLOW_DOWN = SlowDown 0 "The device asks too often; wait five seconds longer than before.";
    DEVICE_DECLINED = AuthorizationDeclined 0 "The person did not let the device in.";
    DEVICE_CODE = BadVerificationCode 70_018 "The device code is not one of this tenant and client.";
    DEVICE_EXPIRED = ExpiredToken 70_019 "The device code has expired; ask for a new one.";
    DEVICE_REDEEMED = InvalidGrant 54_005 "The device code was redeemed before.";
    DEVICE_REVOKED = InvalidGrant 70_008 "What the device was given has been taken back.";
    // Calls in somebody's name
    ON_BEHALF_OF = InvalidGrant 50_013 "The assertion is not a person's access token of this tenant for the calling application.";
    ON_BEHALF_OF_TIME = InvalidGrant 500_133 "The assertion is not within its valid time range.";
    TOKEN_USE = InvalidRequest 9_002_313 "The requested_token_use must be on_behalf_of.";
    // Bearers
    TOKEN_MISSING = InvalidToken 0 "An access token is required.";
    TOKEN = InvalidToken 0 "The access token is not valid here.";
    TOKEN_BOUND = InvalidToken 0 "The access token is bound to a key; show it with a DPoP proof.";
    TOKEN_TWICE = InvalidRequest 0 "The access token was sent in two ways at once.";
    TOKEN_SCOPE = InvalidToken 0 "The access token does not have the scope openid.";
    // Applications that register themselves (RFC 7591 §3.2.2)
    REGISTERED_REDIRECT = InvalidRedirectUri 0 "A redirect address is missing or is none that may be registered.";
    METADATA = InvalidClientMetadata 0 "The client metadata is not a JSON object, or a member has the wrong form.";
    METADATA_NOT_SUPPORTED = InvalidClientMetadata 0 "The client metadata asks for request objects, encryption, an algorithm or a subject type that is not supported.";
    METADATA_ADDRESS = InvalidClientMetadata 0 "An address in the client metadata is not one that may be registered.";
    METADATA_NAME = InvalidClientMetadata 0 "The client_name is empty, too long, misleading or of another application.";
    METADATA_GRANTS = InvalidClientMetadata 0 "The grant_types and response_types are not supported here or do not go together.";
    METADATA_METHOD = InvalidClientMetadata 0 "The authentication method is not supported, or its algorithm or keys do not go with it.";
    METADATA_SCOPE = InvalidClientMetadata 0 "None of the scopes may be registered.";
    METADATA_SECTOR = InvalidClientMetadata 0 "The sector_identifier_uri does not list every redirect address.";
    METADATA_LOGO = InvalidClientMetadata 0 "The logo_uri is not the address of a small PNG or JPEG picture.";
    METADATA_CLIENT = InvalidClientMetadata 0 "The client_id or client_secret is not the one of the application.";
    INITIAL_TOKEN = InvalidToken 0 "Registering takes an initial access token that is good here.";
    REGISTRATION_TOKEN = InvalidToken 0 "The registration access token is not one of this application.";
    // Everything else
    UNKNOWN_TENANT = InvalidRequest 90_002 "There is no such tenant.";
    FORBIDDEN = AccessDenied 0 "This is not allowed.";
    STALE = InvalidGrant 70_000 "It has changed since.";
    THROTTLED = TemporarilyUnavailable 90_055 "There were too many requests.";
    UPSTREAM = TemporarilyUnavailable 0 "A server that is needed does not answer.";
    OURS = ServerError 0 "The server failed.";
}

/// More than was granted (security.md S66). The suberror makes MSAL ask for the rest interactively.
pub const SCOPE_NOT_GRANTED: OAuthError = {
    let mut error = OAuthError::new(Code::InvalidScope, 65_001, "A scope of the request was not granted.");
    error.suberror = Some("consent_required");
    error
};
/// The consent behind a grant was withdrawn, or covers less than is asked for (native-auth-and-msal.md 2.8).
pub const CONSENT_GONE: OAuthError = {
    let mut error = OAuthError::new(
        Code::InvalidGrant,
        65_001,
        "There is no consent to what the application asks for; the person has to be asked again.",
    );
    error.suberror = Some("consent_required");
    error
};
/// The grant was revoked: signed out, password changed, reuse seen (native-auth-and-msal.md R27).
pub const REFRESH_REVOKED: OAuthError =
    OAuthError::bad_token(50_173, "The refresh token has been revoked; the person has to sign in again.");
/// What the assertion came of was revoked; a new one is needed (native-auth-and-msal.md R27).
pub const ON_BEHALF_OF_REVOKED: OAuthError = OAuthError::bad_token(
    50_173,
    "The grant that the assertion came from has been revoked; the person has to sign in again.",
);
/// Its time is over.
pub const REFRESH_EXPIRED: OAuthError =
    OAuthError::bad_token(700_082, "The refresh token has expired; the person has to sign in again.");
/// The fixed 24 hours of a single-page application are over.
pub const REFRESH_SPA_EXPIRED: OAuthError = OAuthError::bad_token(
    700_084,
    "The refresh token of a single-page application has a fixed lifetime, which is over.",
);

/// Every error that there is.
pub fn all() -> impl Iterator<Item = OAuthError> {
    ALL.iter().copied().chain([
        SCOPE_NOT_GRANTED,
        CONSENT_GONE,
        REFRESH_REVOKED,
        REFRESH_EXPIRED,
        REFRESH_SPA_EXPIRED,
        ON_BEHALF_OF_REVOKED,
    ])
}

/// Kind to error, for faults that no row of the table above names (architecture.md, "Faults").
impl From<&Fault> for OAuthError {
    fn from(fault: &Fault) -> Self {
        if let Some(known) = known(fault.code) {
            return known;
        }
        match fault.kind {
            Kind::Malformed | Kind::Missing => MALFORMED,
            Kind::WrongClient => WRONG_SECRET,
            Kind::WrongCredential => CODE,
            Kind::Expired => CODE_EXPIRED,
            Kind::Used => CODE_REDEEMED,
            Kind::Forbidden => FORBIDDEN,
            Kind::Conflict | Kind::Stale => STALE,
            Kind::Throttled(after) => Self { retry_after: Some(after), ..THROTTLED },
            Kind::Upstream => UPSTREAM,
            Kind::Ours => OURS,
        }
    }
}

/// The first row with a number; numbers that several rows share keep the meaning of the first.
fn known(number: u32) -> Option<OAuthError> {
    ALL.iter().find(|error| number != 0 && error.number == number).copied()
}

/// Which request an error answers.
#[derive(Clone, Copy, Debug)]
pub struct Trace {
    /// `x-ms-request-id`.
    pub trace: Uuid,
    /// `client-request-id` of the request, or a new id.
    pub correlation: Uuid,
    pub now: Timestamp,
}

/// The JSON body of an error (native-auth-and-msal.md 4.5, R49).
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Envelope {
    pub error: &'static str,
    pub error_description: String,
    pub error_codes: Vec<u32>,
    pub timestamp: String,
    pub trace_id: Uuid,
    pub correlation_id: Uuid,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_uri: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub suberror: Option<&'static str>,
}

impl Envelope {
    /// The envelope of `error` at `origin`.
    pub fn new(error: &OAuthError, origin: &str, trace: Trace) -> Self {
        let timestamp = trace.now.error_envelope();
        Self {
            error: error.code.as_str(),
            error_description: format!(
                "{}\r\nTrace ID: {}\r\nCorrelation ID: {}\r\nTimestamp: {timestamp}",
                error.text(),
                trace.trace,
                trace.correlation,
            ),
            // The native SDK reads numbers only; a made-up one would be taken for a meaning.
            error_codes: if error.number == 0 { Vec::new() } else { vec![error.number] },
            timestamp,
            trace_id: trace.trace,
            correlation_id: trace.correlation,
            error_uri: (error.number != 0).then(|| format!("{origin}/error?code={}", error.number)),
            suberror: error.suberror,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Words on which MSAL branches wherever they occur in a description (native-auth-and-msal.md 2.8).
    const WORDS: [&str; 6] = [
        "interaction_required",
        "consent_required",
        "login_required",
        "bad_token",
        "ui_not_allowed",
        "interrupted_user",
    ];

    #[test]
    fn descriptions_use_the_characters_of_rfc_6749() {
        // S20
        for error in all() {
            let good = |c: char| matches!(c, ' '..='!' | '#'..='[' | ']'..='~');
            assert!(error.description.chars().all(good), "{error:?}");
            assert!(WORDS.iter().all(|word| !error.description.contains(word)), "{error:?}");
        }
    }

    #[test]
    fn no_error_that_a_user_causes_is_a_server_error() {
        // R50
        for error in all().filter(|e| ![OURS, UPSTREAM, THROTTLED].contains(e)) {
            assert!((400..=403).contains(&error.status()), "{error:?}");
        }
        let limited = OAuthError::from(&Fault::throttled(Span::seconds(3)));
        assert_eq!((limited.status(), limited.number), (429, 90_055));
    }

    #[test]
    fn the_envelope_has_every_member() {
        // R49
        let trace = Trace {
            trace: Uuid::nil(),
            correlation: Uuid::max(),
            now: Timestamp::from_seconds(1_700_000_000),
        };
        let body = serde_json::to_value(Envelope::new(&REFRESH_REVOKED, "https://h", trace)).unwrap();
        insta::assert_json_snapshot!(body, @r#"
        {
          "correlation_id": "ffffffff-ffff-ffff-ffff-ffffffffffff",
          "error": "invalid_grant",
          "error_codes": [
            50173
          ],
          "error_description": "AADSTS50173: The refresh token has been revoked; the person has to sign in again.\r\nTrace ID: 00000000-0000-0000-0000-000000000000\r\nCorrelation ID: ffffffff-ffff-ffff-ffff-ffffffffffff\r\nTimestamp: 2023-11-14 22:13:20Z",
          "error_uri": "https://h/error?code=50173",
          "suberror": "bad_token",
          "timestamp": "2023-11-14 22:13:20Z",
          "trace_id": "00000000-0000-0000-0000-000000000000"
        }
        "#);
    }

    #[test]
    fn every_kind_of_fault_has_an_error() {
        for (kind, status) in [
            (Kind::Malformed, 400),
            (Kind::WrongClient, 401),
            (Kind::WrongCredential, 400),
            (Kind::Expired, 400),
            (Kind::Used, 400),
            (Kind::Forbidden, 403),
            (Kind::Missing, 400),
            (Kind::Conflict, 400),
            (Kind::Stale, 400),
            (Kind::Upstream, 503),
            (Kind::Ours, 500),
        ] {
            assert_eq!(OAuthError::from(&Fault::new(kind.clone(), "d")).status(), status, "{kind:?}");
        }
        let fault = Fault::new(Kind::WrongClient, "d").code(700_016);
        assert_eq!(OAuthError::from(&fault), UNKNOWN_CLIENT);
    }
}
