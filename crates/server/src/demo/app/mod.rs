//! The Woodgrove web app: a relying party like any other, in the demo's process on a port of its own.
//!
//! It knows of the server only what it discovers over HTTP. Three clients live here: the supplier portal and
//! the orders of one tenant (so that single sign-on can be seen), and the shop of another.

mod page;
mod relying_party;
mod routes;
mod session;

use std::sync::Arc;

use axum::Router;
use url::Url;
use vestibule_rules::text::Secret;
use vestibule_service::ports::entropy::Entropy;

use self::page::Pages;
use self::relying_party::{Http, RelyingParty};
use self::session::Sessions;
use crate::failure::{Done, Failure};

/// A client of the app.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum Site {
    Suppliers,
    Orders,
    Shop,
}

impl Site {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Suppliers, Self::Orders, Self::Shop];

    /// What its paths begin with.
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::Suppliers => "",
            Self::Orders => "/orders",
            Self::Shop => "/shop",
        }
    }

    /// The path of its page.
    pub const fn home(self) -> &'static str {
        match self {
            Self::Suppliers => "/",
            Self::Orders => "/orders",
            Self::Shop => "/shop",
        }
    }
}

/// How a client is registered at the server.
#[derive(Clone, Debug)]
pub struct Registration {
    pub site: Site,
    /// The issuer: everything else is discovered from it.
    pub issuer: String,
    pub client_id: String,
    pub client_secret: Secret<String>,
}

/// What the app needs.
pub struct Setup {
    /// The app's own address without a slash at the end.
    pub origin: String,
    pub registrations: Vec<Registration>,
    pub entropy: Arc<dyn Entropy>,
    /// The dev inbox, for a hint on the pages.
    pub inbox: String,
}

/// Everything the handlers share.
struct App {
    parties: Vec<RelyingParty>,
    sessions: Sessions,
    pages: Pages,
    entropy: Arc<dyn Entropy>,
}

/// Builds the app. Nothing is fetched before somebody signs in.
pub fn router(setup: Setup) -> Done<Router> {
    let mut parties = Vec::new();
    for registration in setup.registrations {
        let issuer = Url::parse(&registration.issuer)
            .map_err(|error| Failure::new(format!("the demo's issuer is not a URL: {error}")))?;
        parties.push(RelyingParty::new(registration, &setup.origin, Http::new(&issuer)?));
    }
    let app = App {
        parties,
        sessions: Sessions::default(),
        pages: Pages::new(setup.inbox)?,
        entropy: setup.entropy,
    };
    Ok(routes::all(Arc::new(app)))
}

impl App {
    fn party(&self, site: Site) -> Option<&RelyingParty> {
        self.parties.iter().find(|party| party.site() == site)
    }

    fn random(&self) -> String {
        let mut bytes = [0; 32];
        self.entropy.fill(&mut bytes);
        vestibule_crypto::digest::token(bytes)
    }
}
