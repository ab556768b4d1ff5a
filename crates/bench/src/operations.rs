//! What apps ask of the server when nobody is looking: one operation again and again, over many connections.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::task::LocalSet;

use crate::client::{Answer, Client};
use crate::load::{Figures, WARM_UP, wait};
use crate::mailbox::PostOffice;
use crate::server;
use crate::tenant::{Apps, DAEMON_SECRET};
use crate::trouble::{Tried, Trouble};
use crate::visitor::{self, Move, Place, Visitor};

/// Codes that are gathered before they are redeemed; they live for a minute.
const CODES: usize = 6_000;
/// How long they are gathered at most.
const GATHERING: Duration = Duration::from_secs(25);

/// What is asked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Operation {
    Discovery,
    KeySet,
    ClientCredentials,
    Code,
    Refresh,
    Introspection,
    UserInfo,
}

impl Operation {
    pub const ALL: [Self; 7] = [
        Self::Discovery,
        Self::KeySet,
        Self::ClientCredentials,
        Self::Code,
        Self::Refresh,
        Self::Introspection,
        Self::UserInfo,
    ];

    /// What it is called in the figures.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Discovery => "discovery",
            Self::KeySet => "key set",
            Self::ClientCredentials => "client credentials",
            Self::Code => "code exchange",
            Self::Refresh => "refresh with rotation",
            Self::Introspection => "introspection",
            Self::UserInfo => "userinfo",
        }
    }
}

/// Where operations are measured.
#[derive(Clone, Copy)]
pub struct Site<'a> {
    pub port: u16,
    /// The server's process.
    pub pid: u32,
    pub office: &'a PostOffice,
    pub apps: &'static Apps,
}

/// One connection of an app, and what it asks next.
enum Caller {
    Reads {
        client: Client,
        path: String,
    },
    Posts {
        client: Client,
        path: String,
        fields: Vec<(String, String)>,
    },
    /// A grant of its own, whose last token is used next.
    Renews {
        visitor: Visitor,
        token: String,
    },
    /// Codes that were gathered for it.
    Redeems {
        visitor: Visitor,
        codes: Vec<String>,
    },
}

impl Caller {
    /// Does it once; `false` when there is nothing left to do.
    async fn once(&mut self) -> Tried<bool> {
        match self {
            Self::Reads { client, path } => good(&client.get(path).await?)?,
            Self::Posts { client, path, fields } => good(&client.post(path, fields).await?)?,
            Self::Renews { visitor, token } => {
                let (status, answer) = visitor.refresh(token).await?;
                *token = text(&answer, "refresh_token").ok_or_else(|| refused(status, &answer))?;
            }
            Self::Redeems { visitor, codes } => {
                let Some(code) = codes.pop() else { return Ok(false) };
                let (status, answer) = visitor.redeem(&code).await?;
                text(&answer, "access_token").ok_or_else(|| refused(status, &answer))?;
            }
        }
        Ok(true)
    }
}

fn good(answer: &Answer) -> Tried<()> {
    if answer.status == 200 {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&answer.body).chars().take(300).collect::<String>();
    Err(Trouble::wrong(format!("status {}: {said}", answer.status)))
}

fn text(answer: &Value, name: &str) -> Option<String> {
    answer.get(name).and_then(Value::as_str).map(str::to_owned)
}

fn refused(status: u16, answer: &Value) -> Trouble {
    visitor::unexpected("a token", status, answer)
}

/// Runs one operation over so many connections. Codes end when all are redeemed, whatever `duration` says.
pub async fn run(
    site: Site<'_>,
    operation: Operation,
    (connections, duration): (usize, Duration),
) -> Tried<Figures> {
    let callers = callers(site, operation, connections).await?;
    let run = Rc::new(RefCell::new(Run::default()));
    let local = LocalSet::new();
    for caller in callers {
        local.spawn_local(call(Rc::clone(&run), caller));
    }
    let warm_up = if operation == Operation::Code { Duration::ZERO } else { WARM_UP };
    let measured = local
        .run_until(async {
            wait(warm_up).await;
            let (cpu, begun) = (server::cpu_milliseconds(site.pid)?, Instant::now());
            run.borrow_mut().counting = true;
            while begun.elapsed() < duration && run.borrow().ended < connections {
                wait(Duration::from_millis(20)).await;
            }
            let mut run = run.borrow_mut();
            run.over = true;
            run.figures.seconds = begun.elapsed().as_secs_f64();
            run.figures.server_cpu_milliseconds = server::cpu_milliseconds(site.pid)? - cpu;
            Ok(std::mem::take(&mut run.figures))
        })
        .await;
    local.await;
    let mut figures: Figures = measured?;
    figures.took.sort_unstable();
    figures.resident_kib = server::resident_kib(site.pid)?;
    Ok(figures)
}

#[derive(Default)]
struct Run {
    counting: bool,
    over: bool,
    /// Connections that have nothing left to do.
    ended: usize,
    figures: Figures,
}

async fn call(run: Rc<RefCell<Run>>, mut caller: Caller) {
    while !run.borrow().over {
        let begun = Instant::now();
        let result = caller.once().await;
        let mut run = run.borrow_mut();
        match result {
            Ok(false) => {
                run.ended += 1;
                return;
            }
            Ok(true) if run.counting && !run.over => {
                run.figures.completed += 1;
                run.figures.took.push(begun.elapsed());
            }
            Ok(true) => {}
            Err(trouble) => {
                run.figures.failed += 1;
                run.figures.first_failure.get_or_insert_with(|| trouble.to_string());
                run.ended += 1;
                return;
            }
        }
    }
}

async fn callers(site: Site<'_>, operation: Operation, connections: usize) -> Tried<Vec<Caller>> {
    let mut all = Vec::with_capacity(connections);
    let mut shared = Shared::default();
    for number in 0..connections {
        all.push(caller(site, operation, (number, connections), &mut shared).await?);
    }
    Ok(all)
}

/// What the callers of one run have in common.
#[derive(Default)]
struct Shared {
    token: Option<String>,
    /// When the gathering of codes began.
    gathering: Option<Instant>,
}

async fn caller(
    site: Site<'_>,
    operation: Operation,
    (number, of): (usize, usize),
    shared: &mut Shared,
) -> Tried<Caller> {
    let at = |path: &str| format!("/{}/{path}", site.apps.tenant.name);
    let client = Client::new(site.port);
    Ok(match operation {
        Operation::Discovery => Caller::Reads { client, path: at("v2.0/.well-known/openid-configuration") },
        Operation::KeySet => Caller::Reads { client, path: at("discovery/v2.0/keys") },
        Operation::ClientCredentials => {
            Caller::Posts { client, path: at("oauth2/v2.0/token"), fields: credentials(site.apps) }
        }
        Operation::Introspection => {
            let token = shared.of_daemon(site).await?;
            let fields = daemon(site.apps, &[("token", &token)]);
            Caller::Posts { client, path: at("oauth2/v2.0/introspect"), fields }
        }
        Operation::UserInfo => {
            let token = shared.of_visitor(site).await?;
            Caller::Reads { client: Client::bearing(site.port, &token), path: at("openid/userinfo") }
        }
        Operation::Refresh => {
            let (visitor, tokens) = signed_up(site).await?;
            let token = text(&tokens, "refresh_token").ok_or_else(|| refused(200, &tokens))?;
            Caller::Renews { visitor, token }
        }
        Operation::Code => {
            let (mut visitor, _) = signed_up(site).await?;
            let begun = *shared.gathering.get_or_insert_with(Instant::now);
            let share = u32::try_from(number + 1).map_err(Trouble::wrong)?;
            let until = GATHERING * share / u32::try_from(of).map_err(Trouble::wrong)?;
            let mut codes = Vec::new();
            while codes.len() < CODES.div_ceil(of) && begun.elapsed() < until {
                codes.push(code(&mut visitor).await?);
            }
            Caller::Redeems { visitor, codes }
        }
    })
}

impl Shared {
    async fn of_daemon(&mut self, site: Site<'_>) -> Tried<String> {
        if let Some(token) = &self.token {
            return Ok(token.clone());
        }
        let path = format!("/{}/oauth2/v2.0/token", site.apps.tenant.name);
        let answer = Client::new(site.port).post(&path, &credentials(site.apps)).await?;
        good(&answer)?;
        let body: Value = serde_json::from_slice(&answer.body).map_err(Trouble::wrong)?;
        let token = text(&body, "access_token").ok_or_else(|| refused(answer.status, &body))?;
        self.token = Some(token.clone());
        Ok(token)
    }

    async fn of_visitor(&mut self, site: Site<'_>) -> Tried<String> {
        if let Some(token) = &self.token {
            return Ok(token.clone());
        }
        let (_, tokens) = signed_up(site).await?;
        let token = text(&tokens, "access_token").ok_or_else(|| refused(200, &tokens))?;
        self.token = Some(token.clone());
        Ok(token)
    }
}

/// A code of the session that the visitor has.
async fn code(visitor: &mut Visitor) -> Tried<String> {
    let asked: Move = visitor.authorize(&[])?;
    match visitor.go(&asked).await? {
        Place::App(code) => Ok(code),
        Place::Page(_) | Place::Provider(_) => Err(Trouble::wrong("there is no session")),
    }
}

/// Somebody new, with tokens.
async fn signed_up(site: Site<'_>) -> Tried<(Visitor, Value)> {
    static NUMBER: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(80_000_000);
    let number = NUMBER.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    let mut visitor = Visitor::new(&site.apps.tenant, number, site.port, site.office);
    let tokens = visitor.sign_up().await?;
    Ok((visitor, tokens))
}

/// A token for the daemon itself.
fn credentials(apps: &Apps) -> Vec<(String, String)> {
    daemon(apps, &[("grant_type", "client_credentials"), ("scope", &apps.scope())])
}

/// A form of the daemon, which proves itself by its secret.
fn daemon(apps: &Apps, more: &[(&str, &str)]) -> Vec<(String, String)> {
    let own = [("client_id", apps.daemon), ("client_secret", DAEMON_SECRET)];
    own.iter().chain(more).map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}
