//! What the outside sees: HTTP surfaces, pages, messages, assets, letters. Nothing is decided here; what may
//! be done is decided in the rules, and what is done is done in the service.
//!
//! | module | what |
//! | --- | --- |
//! | [`surface`] | routes, by who calls them |
//! | [`layer`], [`exchange`], [`state`] | what every request goes through and every handler gets |
//! | [`form`], [`respond`], [`cookie`], [`link`], [`csrf`] | requests and answers |
//! | [`fault`] | how faults are told |
//! | [`page`], [`brand`], [`colour`], [`asset`] | what people see |
//! | [`message`], [`locale`], [`markdown`], [`escape`], [`letter`] | what people read |

pub mod asset;
pub mod brand;
pub mod colour;
pub mod cookie;
pub mod country;
pub mod csrf;
pub mod escape;
pub mod exchange;
pub mod fault;
pub mod form;
pub mod layer;
pub mod letter;
pub mod link;
pub mod locale;
pub mod markdown;
pub mod message;
pub mod page;
pub mod respond;
pub mod state;
pub mod surface;

pub use exchange::{Listener, Peer};
pub use letter::Letters;
pub use page::Pages;
pub use state::{App, AppState, DevInbox};
pub use surface::router;
