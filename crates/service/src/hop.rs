//! What a browser does next.

use vestibule_rules::ids::{DeviceId, JourneyId, ProviderId, RequestId};
use vestibule_rules::oauth::authorize::Callback;
use vestibule_rules::text::Secret;
use vestibule_rules::time::Span;

/// Where a browser goes after a request was handled, and the cookies it takes along.
#[derive(Clone, Debug)]
pub struct Hop {
    pub to: To,
    /// A new value for the cookie that binds journeys to this browser.
    pub browser: Option<Secret<String>>,
    pub session: SessionCookie,
    /// By which way somebody has just come in.
    pub way_in: WayIn,
}

/// The way by which somebody came in, which a browser may remember.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum WayIn {
    /// Nobody came in.
    #[default]
    None,
    /// With an account of the tenant's own.
    Local,
    Provider(ProviderId),
}

/// The target.
#[derive(Clone, Debug)]
pub enum To {
    /// The page of a journey.
    Journey(JourneyId),
    /// The page that asks whether a device is let in, and says what came of it.
    Device(DeviceId),
    /// The page that asks which account a request is for.
    Choose(RequestId),
    /// The page that asks whether an application may do what it asks for.
    Consent(RequestId),
    /// An identity provider.
    Provider(url::Url),
    /// An address of our own, asked for anew.
    Own(url::Url),
    /// Back to the application.
    App(Reply),
    /// Back to it if the person wants that: it is one that nobody vouches for.
    Ask { reply: Box<Reply>, app: String },
    /// A journey ended without an application to go back to.
    Nowhere,
}

/// An authorization response (OAuth 2.0 Multiple Response Type Encoding Practices).
#[derive(Clone, Debug)]
pub struct Reply {
    /// Only a verified request yields one: there is no other way to a redirect.
    pub callback: Callback,
    /// Parameters in order: `code`/`error`, `state`, `iss`, `session_state`, …
    pub parameters: Vec<(String, String)>,
}

/// What happens to the tenant's session cookie.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum SessionCookie {
    #[default]
    Keep,
    Set {
        value: Secret<String>,
        /// How long the browser keeps it; without one it goes when the browser closes.
        persistent: Option<Span>,
        /// What watching pages may read of it.
        state: String,
    },
    Clear,
}

impl Hop {
    /// A hop that leaves every cookie alone.
    pub fn to(to: To) -> Self {
        Self { to, browser: None, session: SessionCookie::Keep, way_in: WayIn::None }
    }
}
