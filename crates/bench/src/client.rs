//! A browser's connection: one socket that is kept alive, and its cookies.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, COOKIE, HOST, LOCATION, SET_COOKIE};
use http::{HeaderMap, Method, Request};
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use crate::trouble::{Tried, Trouble};

/// Far longer than any answer takes; a server that hangs must not hang the benchmark.
const PATIENCE: Duration = Duration::from_secs(20);

/// A browser's connection to one server.
pub struct Client {
    /// `127.0.0.1:port`
    address: String,
    /// The host that the server goes by, for the `Host` header.
    host: String,
    connection: Option<SendRequest<Full<Bytes>>>,
    cookies: BTreeMap<String, String>,
    /// The access token that every request carries.
    bearer: Option<String>,
}

/// An answer, read to its end.
pub struct Answer {
    pub status: u16,
    pub location: Option<String>,
    pub body: Bytes,
}

impl Client {
    /// A browser without cookies; it connects when it first asks.
    pub fn new(port: u16) -> Self {
        let (address, host) = (format!("127.0.0.1:{port}"), format!("localhost:{port}"));
        Self { address, host, connection: None, cookies: BTreeMap::new(), bearer: None }
    }

    /// An app that shows an access token with each request (RFC 6750).
    pub fn bearing(port: u16, token: &str) -> Self {
        Self { bearer: Some(format!("Bearer {token}")), ..Self::new(port) }
    }

    /// Asks for a page.
    pub async fn get(&mut self, path: &str) -> Tried<Answer> {
        self.send(Method::GET, path, String::new()).await
    }

    /// Posts a form.
    pub async fn post(&mut self, path: &str, fields: &[(String, String)]) -> Tried<Answer> {
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        self.send(Method::POST, path, body).await
    }

    async fn send(&mut self, method: Method, path: &str, body: String) -> Tried<Answer> {
        let sent = tokio::time::timeout(PATIENCE, self.try_send(method, path, body)).await;
        let answer = sent.unwrap_or_else(|_| Err(Trouble::wrong(format!("no answer within {PATIENCE:?}"))));
        if answer.is_err() {
            self.connection = None;
        }
        answer
    }

    async fn try_send(&mut self, method: Method, path: &str, body: String) -> Tried<Answer> {
        let mut request = Request::builder().method(&method).uri(path).header(HOST, &self.host);
        if !self.cookies.is_empty() {
            let cookies: Vec<String> = self.cookies.iter().map(|(n, v)| format!("{n}={v}")).collect();
            request = request.header(COOKIE, cookies.join("; "));
        }
        if let Some(bearer) = &self.bearer {
            request = request.header(AUTHORIZATION, bearer);
        }
        if method == Method::POST {
            request = request.header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        }
        let request = request.body(Full::from(body)).map_err(Trouble::wrong)?;
        let connection = self.connection().await?;
        let response = connection.send_request(request).await.map_err(Trouble::cut)?;
        let (parts, body) = response.into_parts();
        let body = body.collect().await.map_err(Trouble::cut)?.to_bytes();
        self.keep_cookies(&parts.headers);
        let location = parts.headers.get(LOCATION).and_then(|h| h.to_str().ok()).map(str::to_owned);
        Ok(Answer { status: parts.status.as_u16(), location, body })
    }

    async fn connection(&mut self) -> Tried<&mut SendRequest<Full<Bytes>>> {
        let usable = self.connection.take().filter(|connection| !connection.is_closed());
        let mut connection = match usable {
            Some(connection) => connection,
            None => connect(&self.address).await?,
        };
        connection.ready().await.map_err(Trouble::cut)?;
        Ok(self.connection.insert(connection))
    }

    fn keep_cookies(&mut self, headers: &HeaderMap) {
        for header in headers.get_all(SET_COOKIE).iter().filter_map(|h| h.to_str().ok()) {
            let pair = header.split(';').next().unwrap_or_default();
            let Some((name, value)) = pair.split_once('=') else { continue };
            if value.is_empty() {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
    }
}

async fn connect(address: &str) -> Tried<SendRequest<Full<Bytes>>> {
    let stream = TcpStream::connect(address).await.map_err(Trouble::cut)?;
    stream.set_nodelay(true).map_err(Trouble::cut)?;
    let (sender, connection) = handshake(TokioIo::new(stream)).await.map_err(Trouble::cut)?;
    // It ends with the sender, and its error is the request's.
    tokio::spawn(connection);
    Ok(sender)
}
