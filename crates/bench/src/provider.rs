//! The provider that visitors bring their accounts from: honest, without a page, and on a thread of its own, so that
//! what it costs can be told from what the server costs. A code holds everything that it stands for.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use http::header::{CONTENT_TYPE, LOCATION};
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::{Map, Value, json};
use tokio::net::TcpListener;
use url::{Url, form_urlencoded};
use vestibule_crypto::asymmetric::KeyKind;
use vestibule_crypto::client_key::ClientKey;
use vestibule_crypto::digest::pkce_s256;
use vestibule_crypto::jwk::Algorithm;

use crate::server::task_milliseconds;
use crate::trouble::{Tried, Trouble};

/// What the provider calls us, and the secret that it gave us.
const CLIENT: &str = "bench";
/// See [`CLIENT`].
pub const SECRET: &str = "secret-of-the-benchmark";

/// A provider that listens.
pub struct Provider {
    /// Where it listens.
    pub port: u16,
    /// Its thread, as the system counts it.
    task: String,
}

struct Desk {
    issuer: String,
    key: ClientKey,
    algorithm: Algorithm,
}

type Fields = HashMap<String, String>;
type Answer = Response<Full<Bytes>>;

impl Provider {
    /// Opens the provider; `algorithm` signs its tokens.
    pub fn open(algorithm: Algorithm) -> Tried<Self> {
        let kind = if algorithm == Algorithm::Es256 { KeyKind::P256 } else { KeyKind::Rsa2048 };
        let key = ClientKey::generate(kind).map_err(Trouble::wrong)?.with_kid("bench");
        let socket = std::net::TcpListener::bind(("127.0.0.1", 0)).map_err(Trouble::wrong)?;
        socket.set_nonblocking(true).map_err(Trouble::wrong)?;
        let port = socket.local_addr().map_err(Trouble::wrong)?.port();
        let desk = Arc::new(Desk { issuer: format!("http://127.0.0.1:{port}"), key, algorithm });
        let (told, task) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            let here = std::fs::read_link("/proc/thread-self").unwrap_or_default();
            let _ = told.send(here.display().to_string());
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            if let Ok(runtime) = runtime {
                runtime.block_on(serve(socket, desk));
            }
        });
        Ok(Self { port, task: task.recv().map_err(Trouble::wrong)? })
    }

    /// Processor time that it has used.
    pub fn cpu_milliseconds(&self) -> Tried<u64> {
        task_milliseconds(&self.task)
    }
}

async fn serve(socket: std::net::TcpListener, desk: Arc<Desk>) {
    let Ok(socket) = TcpListener::from_std(socket) else { return };
    while let Ok((stream, _)) = socket.accept().await {
        let _ = stream.set_nodelay(true);
        let desk = Arc::clone(&desk);
        let service = service_fn(move |request| {
            let desk = Arc::clone(&desk);
            async move { Ok::<_, Infallible>(desk.answer(request).await) }
        });
        tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
    }
}

impl Desk {
    async fn answer(&self, request: Request<Incoming>) -> Answer {
        let (parts, body) = request.into_parts();
        let answer = match parts.uri.path() {
            "/.well-known/openid-configuration" => Some(json(&self.metadata())),
            "/keys" => Some(json(&json!({"keys": [self.key.jwk()]}))),
            "/authorize" => self.authorize(&fields(parts.uri.query().unwrap_or_default().as_bytes())),
            "/token" => match body.collect().await {
                Ok(body) => self.token(&fields(&body.to_bytes())),
                Err(_) => None,
            },
            _ => None,
        };
        answer.unwrap_or_else(|| {
            let mut refused = Response::new(Full::default());
            *refused.status_mut() = StatusCode::BAD_REQUEST;
            refused
        })
    }

    fn metadata(&self) -> Value {
        let issuer = &self.issuer;
        json!({
            "issuer": issuer,
            "authorization_endpoint": format!("{issuer}/authorize"),
            "token_endpoint": format!("{issuer}/token"),
            "jwks_uri": format!("{issuer}/keys"),
            "authorization_response_iss_parameter_supported": true,
        })
    }

    /// `login` is who comes; the benchmark's visitors add it.
    fn authorize(&self, asked: &Fields) -> Option<Answer> {
        let code = json!([
            asked.get("login")?,
            asked.get("nonce")?,
            asked.get("code_challenge")?,
            asked.get("redirect_uri")?
        ]);
        let mut back = Url::parse(asked.get("redirect_uri")?).ok()?;
        back.query_pairs_mut()
            .append_pair("code", &code.to_string())
            .append_pair("state", asked.get("state")?)
            .append_pair("iss", &self.issuer);
        let mut answer = Response::new(Full::default());
        *answer.status_mut() = StatusCode::FOUND;
        answer.headers_mut().insert(LOCATION, back.as_str().parse().ok()?);
        Some(answer)
    }

    fn token(&self, asked: &Fields) -> Option<Answer> {
        let code: Vec<String> = serde_json::from_str(asked.get("code")?).ok()?;
        let [login, nonce, challenge, redirect_uri] = code.as_slice() else { return None };
        let proven = pkce_s256(asked.get("code_verifier")?) == *challenge
            && asked.get("redirect_uri") == Some(redirect_uri)
            && asked.get("client_id").is_some_and(|id| id == CLIENT)
            && asked.get("client_secret").is_some_and(|secret| secret == SECRET);
        if !proven {
            return None;
        }
        let now = seconds();
        let claims = json!({
            "iss": self.issuer, "aud": CLIENT, "sub": login, "nonce": nonce, "iat": now, "exp": now + 300,
            "name": format!("Visitor {login}"), "email": login, "email_verified": true,
        });
        let id_token = self.key.sign(self.algorithm, &Map::new(), &claims).ok()?;
        Some(json(
            &json!({"token_type": "Bearer", "access_token": "a", "expires_in": 300, "id_token": id_token}),
        ))
    }
}

#[expect(clippy::disallowed_methods, reason = "the provider is the outside world and has a clock of its own")]
fn seconds() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

fn fields(text: &[u8]) -> Fields {
    form_urlencoded::parse(text).into_owned().collect()
}

fn json(value: &Value) -> Answer {
    let mut answer = Response::new(Full::from(value.to_string()));
    answer.headers_mut().insert(CONTENT_TYPE, http::HeaderValue::from_static("application/json"));
    answer
}
