//! What applications get: codes, tokens, keys, userinfo, logout.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail where a test would")]

mod codes;
mod keys;
mod people;
mod refreshing;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use tokio::sync::Notify;
use vestibule_crypto::digest::{pkce_s256, secret_hash, sha256};
use vestibule_crypto::password::HashPool;
use vestibule_crypto::seal::SealingKey;
use vestibule_rules::directory::application::{Application, PasswordCredential};
use vestibule_rules::directory::client::SecurityProfile;
use vestibule_rules::directory::tenant::TenantConfig;
use vestibule_rules::directory::user::{ObjectIdentity, User, UserType};
use vestibule_rules::fault::{Fault, Outcome};
use vestibule_rules::ids::{ClientId, SessionId, TenantId, UserId};
use vestibule_rules::oauth::authorize::{self, Decision, Loaded, Pushed, Served, SessionFact};
use vestibule_rules::oauth::consent::Held;
use vestibule_rules::oauth::params::Params;
use vestibule_rules::text::Secret;
use vestibule_rules::time::{Span, Timestamp};
use vestibule_service::directory::{Directory, Snapshot, TenantView};
use vestibule_service::discovery::Documents;
use vestibule_service::env::{CodeLimits, DerivedKeys, Env, Lifetimes, Settings, Site};
use vestibule_service::federation::health::Health;
use vestibule_service::federation::metadata::Providers;
use vestibule_service::key_sets::KeySets;
use vestibule_service::keys::Keyring;
use vestibule_service::mail::{Letter, LetterWriter, Written};
use vestibule_service::ports::clock::TestClock;
use vestibule_service::ports::entropy::SystemEntropy;
use vestibule_service::ports::outbound::{Outbound, OutboundRequest, OutboundResponse};
use vestibule_service::ports::txt::TestTxt;
use vestibule_service::token::{NewCode, TokenRequest, TokenResponse, exchange, prepare_code};
use vestibule_service::visit::{Segments, Visit};
use vestibule_store::sessions::SessionRow;
use vestibule_store::tenants::TenantRow;
use vestibule_store::{Db, sessions, tenants, users};

pub(crate) const START: Timestamp = Timestamp::from_seconds(1_800_000_000);
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const SECRET: &str = "web~secret~of~the~test";
const WEB: u8 = 1;
const SPA: u8 = 2;
const NATIVE: u8 = 3;
const OTHER: u8 = 4;

/// No test here leaves the house.
struct NoOutbound;

#[async_trait]
impl Outbound for NoOutbound {
    async fn send(&self, _: OutboundRequest) -> Outcome<OutboundResponse> {
        Err(Fault::upstream("there is no network in this test"))
    }
}

/// No test here writes a letter.
struct NoLetters;

impl LetterWriter for NoLetters {
    fn write(&self, _: &Letter, _: &str) -> Outcome<Written> {
        Err(Fault::ours("there are no letters in this test"))
    }
}

/// A server with two tenants, each with the same four applications and one user.
struct House {
    site: Arc<Site>,
    clock: Arc<TestClock>,
    user: UserId,
    sid: SessionId,
}

fn client(byte: u8) -> ClientId {
    ClientId::from_random([byte; 16])
}

fn tenant(byte: u8) -> TenantId {
    TenantId::from_random([byte; 16])
}

fn view(id: TenantId) -> TenantView {
    let app = |byte: u8, platform: &str, uri: &str, credentials: Value| -> Application<PasswordCredential> {
        let app = json!({
            "id": client(byte + 100), "appId": client(byte), "displayName": "App",
            "identifierUris": [format!("api://{byte}")],
            "api": {"oauth2PermissionScopes": [{"value": "read"}, {"value": "openid"}]},
            "passwordCredentials": credentials,
            "tokenClaims": [{"name": "town", "attribute": "city"}],
            "servicePrincipal": {"id": client(byte + 200), "accountEnabled": true},
            platform: {"redirectUris": [uri]},
        });
        serde_json::from_value(app).unwrap()
    };
    let hash = secret_hash(&Secret::new(SECRET.to_owned()), [5; 16]);
    let secret = json!([{"keyId": client(9), "hint": "web", "hash": hash}]);
    // An older app, without PKCE.
    let mut other = app(OTHER, "web", "https://other.example/cb", secret.clone());
    other.settings.security_profile = SecurityProfile::OidcCompat;
    let applications = vec![
        app(WEB, "web", "https://web.example/cb", secret),
        app(SPA, "spa", "https://spa.example/", json!([])),
        app(NATIVE, "publicClient", "http://localhost", json!([])),
        other,
    ];
    let kind =
        json!({"id": id, "kind": "external", "displayName": "T", "shortName": format!("t{}", id.simple())});
    let config = TenantConfig {
        tenant: serde_json::from_value(kind).unwrap(),
        applications,
        identity_providers: Vec::new(),
        user_flow_attributes: Vec::new(),
        user_flows: Vec::new(),
        groups: Vec::new(),
    };
    TenantView {
        config,
        version: 1,
        flow_of_app: HashMap::new(),
        flows: Vec::new(),
        client_keys: vestibule_service::directory::client_keys::ClientKeys::default(),
        origins: HashSet::new(),
    }
}

fn person(id: UserId) -> User {
    let identity = ObjectIdentity {
        sign_in_type: ObjectIdentity::EMAIL_ADDRESS.to_owned(),
        issuer: "t.onmicrosoft.com".to_owned(),
        issuer_assigned_id: "ann@example.com".to_owned(),
    };
    User {
        id,
        user_type: UserType::Member,
        creation_type: None,
        external_user_state: None,
        account_enabled: true,
        user_principal_name: "ann@t.onmicrosoft.com".to_owned(),
        display_name: Some("Ann".to_owned()),
        mail: Some("ann@example.com".to_owned()),
        identities: vec![identity],
        attributes: [("city".to_owned(), Value::from("Ulm"))].into_iter().collect(),
        created_at: START,
        sessions_valid_from: START,
        deleted_at: None,
        revision: 1,
    }
}

pub(crate) fn site(db: &Db, clock: &Arc<TestClock>) -> Outcome<Site> {
    let sealing = Arc::new(SealingKey::new([7; 32])?);
    Ok(Site {
        env: Env {
            clock: clock.clone(),
            entropy: Arc::new(SystemEntropy),
            outbound: Arc::new(NoOutbound),
            txt: Arc::new(TestTxt::default()),
            db: db.clone(),
            derived: Arc::new(DerivedKeys::new(&sealing)?),
            sealing,
            hashing: Arc::new(HashPool::new(1, 1)?),
        },
        directory: Directory::new(Snapshot::default()),
        keyring: Keyring::default(),
        documents: Documents::default(),
        settings: Settings {
            origins: vec!["https://localhost:8443".to_owned()],
            codes: CodeLimits::default(),
            lifetimes: Lifetimes::default(),
        },
        letters: Arc::new(NoLetters),
        providers: Providers::default(),
        key_sets: KeySets::default(),
        provider_health: Health::default(),
        mail_waiting: Notify::new(),
        notices_waiting: Notify::new(),
    })
}

impl House {
    async fn new(db: &Db) -> Outcome<Self> {
        let clock = Arc::new(TestClock::new(START));
        let site = Arc::new(site(db, &clock)?);
        let (user, sid) = (UserId::from_random([20; 16]), SessionId::from_random([21; 16]));
        for byte in [1, 2] {
            let id = tenant(byte);
            db.write(move |tx| {
                Box::pin(async move {
                    let row = TenantRow {
                        id,
                        kind: "external".to_owned(),
                        short_name: format!("t{byte}"),
                        display_name: "T".to_owned(),
                        doc: "{}".to_owned(),
                        config_version: 1,
                        created_at: START,
                    };
                    tenants::insert(tx, &row).await?;
                    users::insert(tx, id, &person(user), "k1", None).await?;
                    sessions::insert(tx, id, &session(user, sid)).await
                })
            })
            .await?;
        }
        Ok(Self { site, clock, user, sid })
    }

    fn visit(&self, byte: u8) -> Visit {
        Visit {
            origin: "https://localhost:8443".to_owned(),
            tenant: Arc::new(view(tenant(byte))),
            segments: Segments { tenant: format!("t{byte}"), flow: None },
            source: "127.0.0.1".to_owned(),
            browser: None,
            session: Some(Secret::new("cookie".to_owned())),
            correlation: uuid::Uuid::nil(),
            language: "en".to_owned(),
            now: self.site.env.now(),
        }
    }

    /// Signs the person in to an application and gives its code.
    async fn code(&self, app: u8, scope: &str) -> Outcome<String> {
        let uri = redirect_uri(app);
        let challenge = pkce_s256(VERIFIER);
        let id = client(app).to_string();
        let mut pairs = vec![
            ("client_id", id.as_str()),
            ("redirect_uri", uri),
            ("response_type", "code"),
            ("scope", scope),
            ("nonce", "n-1"),
        ];
        if app != OTHER {
            pairs.extend([("code_challenge", challenge.as_str()), ("code_challenge_method", "S256")]);
        }
        let visit = self.visit(1);
        let applications = &visit.tenant.config.applications;
        let loaded = Loaded {
            application: visit.tenant.application(client(app)),
            applications,
            session: Some(SessionFact {
                user: self.user,
                auth_time: visit.now,
                owes_terms: false,
                meets_demands: true,
            }),
            choose: false,
            held: &Held::new(),
            served: Served::Flow,
            pushed: Pushed::No,
            now: visit.now,
        };
        let Decision::Issue(verified) = authorize::decide(&params(&pairs), &loaded) else {
            return Err(Fault::ours("the request should be good"));
        };
        let new = NewCode {
            verified: &verified,
            user: self.user,
            sid: self.sid,
            auth_time: visit.now,
            amr: &["pwd".to_owned()],
            provider: None,
            cookie: &sha256(b"cookie"),
        };
        let (prepared, code) = prepare_code(&self.site, &visit, new)?;
        self.site
            .env
            .db
            .write(move |tx| {
                let prepared = prepared.clone();
                Box::pin(async move { prepared.write(tx).await })
            })
            .await?;
        Ok(code.into_inner())
    }

    /// Sends a token request to the first tenant; the number of the error when it is refused.
    async fn ask(&self, request: TokenRequest) -> Result<TokenResponse, u32> {
        self.ask_at(&self.visit(1), request).await
    }

    async fn ask_at(&self, visit: &Visit, request: TokenRequest) -> Result<TokenResponse, u32> {
        exchange(&self.site, visit, request).await.map_err(|refusal| refusal.error().number)
    }

    async fn tokens(&self, app: u8, scope: &str) -> Outcome<TokenResponse> {
        let code = self.code(app, scope).await?;
        let answer = self.ask(redemption(app, &code)).await;
        answer.map_err(|number| Fault::ours(format!("refused: {number}")))
    }
}

fn session(user: UserId, sid: SessionId) -> SessionRow {
    SessionRow {
        sid,
        user_id: user,
        digest: sha256(b"cookie").to_vec(),
        auth_time: START,
        amr: "[\"pwd\"]".to_owned(),
        provider: None,
        persistent: false,
        created_at: START,
        expires_at: START + Span::days(1),
        last_seen_at: START,
        revoked_at: None,
        browser_id: None,
    }
}

const fn redirect_uri(app: u8) -> &'static str {
    match app {
        WEB => "https://web.example/cb",
        SPA => "https://spa.example/",
        NATIVE => "http://localhost:49152",
        _ => "https://other.example/cb",
    }
}

fn params(pairs: &[(&str, &str)]) -> Params {
    Params::new(pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
}

/// A request by an application, with the proof that its platform asks for.
fn request(app: u8, pairs: &[(&str, &str)]) -> TokenRequest {
    let id = client(app).to_string();
    let mut all = vec![("client_id", id.as_str())];
    if matches!(app, WEB | OTHER) {
        all.push(("client_secret", SECRET));
    }
    all.extend(pairs);
    let origin = (app == SPA).then(|| "https://spa.example".to_owned());
    TokenRequest { params: params(&all), origin, ..TokenRequest::default() }
}

fn redemption(app: u8, code: &str) -> TokenRequest {
    let mut pairs =
        vec![("grant_type", "authorization_code"), ("code", code), ("redirect_uri", redirect_uri(app))];
    if app != OTHER {
        pairs.push(("code_verifier", VERIFIER));
    }
    request(app, &pairs)
}

fn renewal(app: u8, token: &str) -> TokenRequest {
    request(app, &[("grant_type", "refresh_token"), ("refresh_token", token)])
}

/// The claims of a token, without looking at its signature.
fn claims(token: &str) -> Value {
    let body = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(body).unwrap()).unwrap()
}
