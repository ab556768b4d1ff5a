//! Identifiers. Ids that the outside sees are random (RFC 9562 version 4): a time-ordered id would publish
//! when somebody signed up.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

macro_rules! guid {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// Builds a version 4 id from 16 random bytes.
            pub fn from_random(bytes: [u8; 16]) -> Self {
                Self(uuid::Builder::from_random_bytes(bytes).into_uuid())
            }

            /// Parses the hyphenated form in any letter case; `None` when `text` is anything else.
            pub fn parse(text: &str) -> Option<Self> {
                (text.len() == 36).then(|| Uuid::try_parse(text).ok()).flatten().map(Self)
            }

            /// The 32 hexadecimal digits without hyphens, as extension attributes use them.
            pub fn simple(self) -> String {
                self.0.simple().to_string()
            }

            /// The id as a bare GUID.
            pub const fn uuid(self) -> Uuid {
                self.0
            }

            /// Wraps a GUID that is known by another route.
            pub const fn from_uuid(id: Uuid) -> Self {
                Self(id)
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.hyphenated().fmt(f)
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0)
            }
        }
    )+};
}

guid! {
    /// A tenant: one directory with its applications, flows and users (`tid`).
    TenantId,
    /// A user object (`oid`).
    UserId,
    /// An application's client id (`appId`), unique within a tenant.
    ClientId,
    /// The directory object of an application or service principal (`id` in Graph).
    ObjectId,
    /// One person's passage through a flow.
    JourneyId,
    /// One sign-in session as applications see it (`sid`).
    SessionId,
    /// Everything that one authorization led to: a code, its access and refresh tokens.
    GrantId,
    /// A device that waits for somebody to sign in on another one.
    DeviceId,
    /// The accounts that are signed in together in one browser.
    BrowserId,
    /// An authorization request that waits for its person to choose an account or to consent.
    RequestId,
}

macro_rules! name {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub String);

        impl $name {
            /// Wraps a name as it is written.
            pub fn new(text: impl Into<String>) -> Self {
                Self(text.into())
            }

            /// The name as it is written.
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// The form in which names are compared: letter case does not matter.
            pub fn key(&self) -> String {
                self.0.to_lowercase()
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }
    )+};
}

name! {
    /// A user flow: `B2X_1_<name>` in a workforce tenant, a GUID in an external one (sign-up.md 1.1).
    FlowId,
    /// An identity provider of a tenant, as `idp-<id>` in pages and as a path segment in its callback.
    ProviderId,
    /// An attribute: a built-in id such as `givenName`, or `extension_<app id>_<name>`.
    AttributeId,
}
