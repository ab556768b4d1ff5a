//! Providers that take a connection and say nothing, in a tenant of a thousand.

use std::cell::RefCell;
use std::fmt::Write as _;
use std::rc::Rc;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task::LocalSet;

use crate::load;
use crate::mailbox::PostOffice;
use crate::tenant::WITH_SILENCE;
use crate::trouble::{Tried, Trouble};
use crate::visitor::Visitor;

/// Providers of the tenant, silent ones among them.
const PROVIDERS: usize = 1_000;
/// Providers that say nothing.
pub const SILENT: usize = 64;

/// Everybody who is silent.
pub struct Silence {
    pub ports: Vec<u16>,
    held: Rc<RefCell<Vec<TcpStream>>>,
    came: Rc<Notify>,
}

impl Silence {
    /// Listens; connections are taken on `local` and kept.
    pub async fn open(local: &LocalSet) -> Tried<Self> {
        let (held, came) = (Rc::new(RefCell::new(Vec::new())), Rc::new(Notify::new()));
        let mut ports = Vec::new();
        for _ in 0..SILENT {
            let socket = TcpListener::bind(("127.0.0.1", 0)).await.map_err(Trouble::cut)?;
            ports.push(socket.local_addr().map_err(Trouble::cut)?.port());
            let (held, came) = (Rc::clone(&held), Rc::clone(&came));
            local.spawn_local(async move {
                while let Ok((stream, _)) = socket.accept().await {
                    held.borrow_mut().push(stream);
                    came.notify_one();
                }
            });
        }
        Ok(Self { ports, held, came })
    }

    /// Hangs up on everybody.
    pub fn hang_up(&self) {
        self.held.borrow_mut().clear();
    }

    /// The tenant with these providers: the silent ones have buttons.
    pub fn tenant(&self) -> String {
        let mut text = format!(
            "---\ntenant: {{ id: {}, kind: workforce, displayName: Bench silence, shortName: {}, domains: [silence.bench.example], \
             authenticationFlowsPolicy: {{ selfServiceSignUp: {{ isEnabled: true }} }} }}\n\
             applications:\n  - {{ displayName: Portal, appId: {}, publicClient: {{ redirectUris: ['http://localhost/callback'] }}, \
             isFallbackPublicClient: true }}\nidentityProviders:\n",
            WITH_SILENCE.id, WITH_SILENCE.name, WITH_SILENCE.client_id
        );
        let mut provider = |id: &str, issuer: &str| {
            // Writing into a String cannot fail.
            let _ = writeln!(
                text,
                "  - {{ id: {id}, displayName: {id}, issuer: '{issuer}', clientId: bench, clientAuthentication: none }}"
            );
        };
        for (n, port) in self.ports.iter().enumerate() {
            provider(&format!("silent-{n}"), &format!("http://127.0.0.1:{port}"));
        }
        for n in SILENT..PROVIDERS {
            provider(&format!("other-{n}"), &format!("https://{n}.invalid"));
        }
        let buttons: Vec<String> = (0..SILENT).map(|n| format!("silent-{n}")).collect();
        let _ = writeln!(
            text,
            "userFlows:\n  - {{ name: Silence, displayName: Silence, applications: [Portal], identityProviders: \
             [EmailOtpSignup-OAUTH, {}] }}",
            buttons.join(", ")
        );
        text
    }

    /// Sends so many visitors to the silent providers, and returns when each provider has somebody on the line.
    pub async fn fill(&self, local: &LocalSet, visitors: u64, (port, office): (u16, &PostOffice)) {
        for number in 0..visitors {
            let office = office.clone();
            local.spawn_local(async move {
                let mut visitor = Visitor::new(&WITH_SILENCE, load::SILENCE + number, port, &office);
                let button = format!("idp-silent-{}", number % SILENT as u64);
                // How it ends is not of interest: nobody answers.
                let _ = visitor.press(&button).await;
            });
        }
        while self.held.borrow().len() < SILENT {
            self.came.notified().await;
        }
    }
}
