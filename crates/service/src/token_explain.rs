//! What a token is, what it says, and whether whoever checks it takes it: every check that an API makes of a token, that
//! introspection and userinfo make after it, and what came of each.

use std::sync::Arc;

use serde_json::{Map, Value};
use vestibule_crypto::claims::{audiences, seconds};
use vestibule_crypto::jws::{Refusal, Unverified};
use vestibule_rules::directory::application::Platform;
use vestibule_rules::directory::user::User;
use vestibule_rules::fault::{Fault, Kind, Outcome};
use vestibule_rules::ids::{ClientId, GrantId};
use vestibule_rules::oauth::claims::sign_in_name;
use vestibule_rules::oauth::roles::is_called;
use vestibule_rules::oauth::scope::GRAPH;
use vestibule_rules::oauth::token;
use vestibule_rules::time::Timestamp;
use vestibule_store::spent_tokens;

use crate::directory::snapshot::TenantView;
use crate::env::Site;
use crate::issued::{self, Lapse, RefreshToken, access_token_digest, backed, backed_grant};
use crate::keys::rotation::{self, State};
use crate::visit::{Visit, issuer};

/// What the one who asks would want of the token.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// The tenant, when the token does not name it or to ask another one: short name, domain or id.
    pub tenant: Option<String>,
    /// Who would check it: a client id, or an identifier URI of the tenant's.
    pub audience: Option<String>,
    /// A delegated permission that it has to carry.
    pub scope: Option<String>,
    /// An app role that it has to carry.
    pub role: Option<String>,
}

/// What kind of token it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TokenKind {
    /// For an application, about who signed in.
    Id,
    /// For an API, in a person's name.
    Access,
    /// For an API, in the name of an application itself.
    AppOnly,
    /// For the token endpoint.
    Refresh,
    /// A signed statement of another kind, with its `typ`.
    Other,
    /// Encrypted: only its recipient can read it.
    Encrypted,
    /// Nothing that this server gives out.
    Nothing,
}

/// What came of one check.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// It holds.
    Holds,
    /// Everybody who checks the token refuses it.
    Refused,
    /// What only this server knows: introspection, userinfo and the token endpoint refuse the token, and an API that
    /// checks the signature alone takes it until it expires.
    Withdrawn,
    /// Something to know.
    Note,
}

/// One check.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Finding {
    /// It cannot be read.
    Unreadable(Refusal),
    /// Only its recipient can read it, so nobody here can say that it is good.
    Encrypted,
    /// It is none of the refresh tokens that are kept.
    UnknownRefreshToken,
    /// A refresh token that was exchanged, which is good for nothing but an alarm.
    Exchanged {
        at: Timestamp,
    },
    Signed {
        kid: Option<String>,
        algorithm: String,
        state: Option<State>,
    },
    /// The signature says nothing: why, the key that the token names, and the keys there are.
    BadSignature {
        why: Refusal,
        kid: Option<String>,
        known: Vec<String>,
    },
    Issuer {
        said: Option<String>,
        expected: Vec<String>,
        good: bool,
    },
    Expires {
        at: Timestamp,
        over: bool,
    },
    NotBefore {
        at: Timestamp,
    },
    BadTime {
        claim: &'static str,
    },
    Audience {
        said: Vec<String>,
        name: Option<String>,
        wanted: Option<String>,
        good: bool,
    },
    /// The application that the token was given to: its name, and whether it may still act.
    Client {
        id: String,
        name: Option<String>,
        enabled: bool,
    },
    Person {
        name: String,
    },
    Lapsed(Lapse),
    /// An access token that was revoked by itself.
    Spent,
    Scope {
        wanted: String,
        there: Vec<String>,
        good: bool,
    },
    Role {
        wanted: String,
        there: Vec<String>,
        good: bool,
    },
    /// Whoever shows it has to prove that it has this key (RFC 9449).
    Bound {
        thumbprint: String,
    },
}

impl Finding {
    /// What came of it.
    pub const fn verdict(&self) -> Verdict {
        match self {
            Self::Unreadable(_)
            | Self::Encrypted
            | Self::UnknownRefreshToken
            | Self::Exchanged { .. }
            | Self::BadSignature { .. }
            | Self::NotBefore { .. }
            | Self::BadTime { .. } => Verdict::Refused,
            Self::Signed { .. } | Self::Person { .. } | Self::Client { enabled: true, .. } => Verdict::Holds,
            Self::Issuer { good, .. }
            | Self::Audience { good, .. }
            | Self::Scope { good, .. }
            | Self::Role { good, .. } => holds(*good),
            Self::Expires { over, .. } => holds(!*over),
            Self::Client { enabled: false, .. } | Self::Lapsed(_) | Self::Spent => Verdict::Withdrawn,
            Self::Bound { .. } => Verdict::Note,
        }
    }
}

const fn holds(good: bool) -> Verdict {
    if good { Verdict::Holds } else { Verdict::Refused }
}

/// A token, explained.
#[derive(Clone, PartialEq, Debug)]
pub struct Explained {
    pub kind: TokenKind,
    /// The short name of the tenant that was asked.
    pub tenant: Option<String>,
    /// As the sender wrote them; empty when there are none.
    pub header: Map<String, Value>,
    pub claims: Map<String, Value>,
    pub findings: Vec<Finding>,
    pub now: Timestamp,
}

impl Explained {
    /// The worst of its findings.
    pub fn verdict(&self) -> Verdict {
        let any = |verdict| self.findings.iter().any(|finding| finding.verdict() == verdict);
        if any(Verdict::Refused) {
            Verdict::Refused
        } else if any(Verdict::Withdrawn) {
            Verdict::Withdrawn
        } else {
            Verdict::Holds
        }
    }
}

/// Explains `token`. A tenant that is asked for and is not there is `Missing`, and so is one that has to be asked for
/// because the token names none.
pub async fn explain(site: &Site, token: &str, wanted: &Wanted) -> Outcome<Explained> {
    let token = token.trim();
    if token.split('.').count() == 5 {
        return Ok(bare(site, TokenKind::Encrypted, vec![Finding::Encrypted]));
    }
    match Unverified::parse(token) {
        Ok(parsed) => signed(site, token, &parsed, wanted).await,
        Err(why) => match token::platform_of(token).filter(|_| token.split('.').count() == 2) {
            Some(platform) => refresh(site, token, platform, wanted).await,
            None => Ok(bare(site, TokenKind::Nothing, vec![Finding::Unreadable(why)])),
        },
    }
}

fn bare(site: &Site, kind: TokenKind, findings: Vec<Finding>) -> Explained {
    let now = site.env.now();
    Explained { kind, tenant: None, header: Map::new(), claims: Map::new(), findings, now }
}

/// The tenant that is meant: the one asked for, else the one that the token names.
fn tenant(site: &Site, wanted: &Wanted, named: Option<&str>) -> Outcome<Arc<TenantView>> {
    let missing = |text: String| Fault::new(Kind::Missing, text);
    let name = wanted.tenant.as_deref().or(named).ok_or_else(|| {
        missing("the token does not say whose it is; name the tenant with --tenant".to_owned())
    })?;
    site.directory.tenant(name).ok_or_else(|| missing(format!("there is no tenant “{name}”")))
}

async fn signed(site: &Site, token: &str, parsed: &Unverified<'_>, wanted: &Wanted) -> Outcome<Explained> {
    let (header, claims) = parsed.parts();
    let text = |name: &str| claims.get(name).and_then(Value::as_str);
    let of_issuer = text("iss").and_then(|iss| iss.trim_end_matches("/v2.0").rsplit('/').next());
    let view = tenant(site, wanted, text("tid").or(of_issuer))?;
    let visit = Visit::of_operator(site, &view);
    let kind = kind(header, claims);
    let mut findings = vec![signature(site, &visit, (token, parsed)).await?];
    findings.push(issued_by(site, &visit, text("iss")));
    findings.extend(times(claims, visit.now));
    findings.push(audience(&view, claims, wanted.audience.as_deref()));
    if let Some(client) = text("azp") {
        findings.push(client_of(&view, client));
    }
    findings.extend(permissions(claims, wanted));
    if let Some(Value::String(key)) = claims.get("cnf").and_then(|cnf| cnf.get("jkt")) {
        findings.push(Finding::Bound { thumbprint: key.clone() });
    }
    // What a forgery says of a person is nobody's business.
    if findings.first().is_some_and(|first| first.verdict() == Verdict::Holds) {
        findings.extend(standing(site, &visit, kind, claims).await?);
    }
    let tenant = Some(view.config.tenant.short_name.clone());
    Ok(Explained { kind, tenant, header: header.clone(), claims: claims.clone(), findings, now: visit.now })
}

fn kind(header: &Map<String, Value>, claims: &Map<String, Value>) -> TokenKind {
    let is_plain =
        header.get("typ").and_then(Value::as_str).is_none_or(|typ| typ.eq_ignore_ascii_case("JWT"));
    let is_app = claims.get("idtyp").and_then(Value::as_str) == Some("app");
    match (is_plain, claims.contains_key("azp")) {
        (false, _) => TokenKind::Other,
        (true, true) if is_app => TokenKind::AppOnly,
        (true, true) => TokenKind::Access,
        (true, false) => TokenKind::Id,
    }
}

async fn signature(site: &Site, visit: &Visit, (token, parsed): (&str, &Unverified<'_>)) -> Outcome<Finding> {
    let kid = parsed.kid().map(str::to_owned);
    let listed = rotation::listed(&site.env, visit.tenant_id()).await?;
    let verified = site.keyring.verify_any(&site.env, visit.tenant_id(), token).await?;
    Ok(match verified {
        Ok(algorithm) => {
            let key = listed.iter().find(|key| Some(&key.kid) == kid.as_ref());
            Finding::Signed { algorithm: algorithm.to_owned(), state: key.map(|key| key.state), kid }
        }
        Err(why) => {
            let known = listed.into_iter().map(|key| key.kid).collect();
            Finding::BadSignature { why, kid, known }
        }
    })
}

fn issued_by(site: &Site, visit: &Visit, said: Option<&str>) -> Finding {
    let expected: Vec<String> =
        site.settings.origins.iter().map(|origin| issuer(origin, visit.tenant_id())).collect();
    let good = said.is_some_and(|said| expected.iter().any(|one| one == said));
    Finding::Issuer { said: said.map(str::to_owned), expected, good }
}

fn times(claims: &Map<String, Value>, now: Timestamp) -> Vec<Finding> {
    let mut findings = vec![match seconds(claims, "exp") {
        Ok(Some(at)) => Finding::Expires { at, over: now >= at },
        Ok(None) | Err(_) => Finding::BadTime { claim: "exp" },
    }];
    for claim in ["nbf", "iat"] {
        match seconds(claims, claim) {
            Ok(Some(at)) if at > now => findings.push(Finding::NotBefore { at }),
            Ok(_) => {}
            Err(_) => findings.push(Finding::BadTime { claim }),
        }
    }
    findings
}

fn audience(view: &TenantView, claims: &Map<String, Value>, wanted: Option<&str>) -> Finding {
    let said: Vec<String> = audiences(claims).unwrap_or_default().into_iter().map(str::to_owned).collect();
    let app = |id: &str| ClientId::parse(id).and_then(|id| view.application(id));
    let name = said.first().and_then(|first| app(first)).map(|app| app.display_name.clone());
    let wanted = wanted.map(|wanted| {
        let app = view.config.applications.iter().find(|app| is_called(app, wanted));
        app.map_or_else(|| wanted.to_owned(), |app| app.app_id.to_string())
    });
    let to_graph = said.iter().any(|id| ClientId::parse(id) == Some(GRAPH));
    let good = match &wanted {
        Some(wanted) => said.iter().any(|id| id.eq_ignore_ascii_case(wanted)),
        None => name.is_some() || to_graph,
    };
    Finding::Audience { said, name, wanted, good }
}

fn client_of(view: &TenantView, client: &str) -> Finding {
    let app = ClientId::parse(client).and_then(|id| view.application(id));
    Finding::Client {
        id: client.to_owned(),
        name: app.map(|app| app.display_name.clone()),
        enabled: app.is_some_and(|app| app.service_principal.account_enabled),
    }
}

fn permissions(claims: &Map<String, Value>, wanted: &Wanted) -> Vec<Finding> {
    let scp = claims.get("scp").and_then(Value::as_str).unwrap_or_default();
    let scopes: Vec<String> = scp.split(' ').filter(|one| !one.is_empty()).map(str::to_owned).collect();
    let roles = claims.get("roles").and_then(Value::as_array).into_iter().flatten();
    let roles: Vec<String> = roles.filter_map(Value::as_str).map(str::to_owned).collect();
    let mut findings = Vec::new();
    if let Some(wanted) = wanted.scope.clone() {
        findings.push(Finding::Scope { good: scopes.contains(&wanted), wanted, there: scopes });
    }
    if let Some(wanted) = wanted.role.clone() {
        findings.push(Finding::Role { good: roles.contains(&wanted), wanted, there: roles });
    }
    findings
}

/// What the token rests on, as introspection and userinfo see it.
async fn standing(
    site: &Site,
    visit: &Visit,
    kind: TokenKind,
    claims: &Map<String, Value>,
) -> Outcome<Option<Finding>> {
    let mut tx = site.env.db.read().await?;
    if let Some(grant) = claims.get("rh").and_then(Value::as_str).and_then(GrantId::parse) {
        return Ok(Some(of_person(backed_grant(&mut tx, visit, grant).await?)));
    }
    let digest = access_token_digest(claims).filter(|_| kind == TokenKind::AppOnly);
    let Some(digest) = digest else { return Ok(None) };
    Ok(spent_tokens::is_spent(&mut tx, visit.tenant_id(), &digest).await?.then_some(Finding::Spent))
}

fn of_person(backed: Result<User, Lapse>) -> Finding {
    match backed {
        Ok(user) => Finding::Person { name: sign_in_name(&user).to_owned() },
        Err(why) => Finding::Lapsed(why),
    }
}

async fn refresh(site: &Site, token: &str, platform: Platform, wanted: &Wanted) -> Outcome<Explained> {
    let view = tenant(site, wanted, None)?;
    let visit = Visit::of_operator(site, &view);
    let findings = match issued::refresh(site, &visit, token, platform).await? {
        Some(found) => of_refresh(site, &visit, found).await?,
        None => vec![Finding::UnknownRefreshToken],
    };
    let tenant = Some(view.config.tenant.short_name.clone());
    Ok(Explained { tenant, ..bare(site, TokenKind::Refresh, findings) })
}

async fn of_refresh(site: &Site, visit: &Visit, found: RefreshToken) -> Outcome<Vec<Finding>> {
    let at = found.expires_at();
    let RefreshToken { row, family, .. } = found;
    let mut findings: Vec<Finding> = row.used_at.map(|at| Finding::Exchanged { at }).into_iter().collect();
    findings.push(Finding::Expires { at, over: visit.now >= at });
    findings.push(issued_by(site, visit, Some(&family.issuer)));
    findings.push(client_of(&visit.tenant, &row.client_id.to_string()));
    findings.extend(row.dpop_jkt.map(|thumbprint| Finding::Bound { thumbprint }));
    findings.push(of_person(backed(&mut site.env.db.read().await?, visit, &family).await?));
    Ok(findings)
}
