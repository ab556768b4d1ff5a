//! A plain front before several nodes: each request goes to the next one, whoever sent it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::{Request, StatusCode, header};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use vestibule_rules::fault::{Fault, Outcome};
use vestibule_server::listener::{self, Door};

use crate::browser::outsider;

struct Front {
    nodes: Vec<String>,
    turn: AtomicUsize,
    client: reqwest::Client,
}

/// Starts it; it ends when `stop` is cancelled.
pub(crate) fn start(
    socket: TcpListener,
    nodes: Vec<String>,
    stop: &CancellationToken,
) -> Outcome<JoinHandle<()>> {
    let client = outsider().redirect(reqwest::redirect::Policy::none()).build();
    let client = client.map_err(|error| Fault::ours(format!("no front: {error}")))?;
    let front = Arc::new(Front { nodes, turn: AtomicUsize::new(0), client });
    let routes = Router::new().fallback(pass_on).with_state(front);
    let doors = [Door::new(socket, None, routes, Arc::new(|_, _| {}))];
    let mut serving = listener::serve_all(doors, stop);
    Ok(tokio::spawn(async move { while serving.join_next().await.is_some() {} }))
}

async fn pass_on(State(front): State<Arc<Front>>, request: Request<Body>) -> Response {
    front.ask(request).await.unwrap_or_else(|error| (StatusCode::BAD_GATEWAY, error).into_response())
}

impl Front {
    async fn ask(&self, request: Request<Body>) -> Result<Response, String> {
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        let node = self.nodes.get(turn % self.nodes.len()).ok_or("there is no node")?;
        let (mut parts, body) = request.into_parts();
        let body = axum::body::to_bytes(body, usize::MAX).await.map_err(|error| error.to_string())?;
        // Both are of the connection to the front, and not of the one that begins here.
        parts.headers.remove(header::CONTENT_LENGTH);
        parts.headers.remove(header::CONNECTION);
        let url = format!("{node}{}", parts.uri);
        let asked = self.client.request(parts.method, url).headers(parts.headers).body(body);
        let answer = asked.send().await.map_err(|error| error.to_string())?;
        let (status, mut headers) = (answer.status(), answer.headers().clone());
        headers.remove(header::TRANSFER_ENCODING);
        headers.remove(header::CONNECTION);
        let body = answer.bytes().await.map_err(|error| error.to_string())?;
        Ok((status, headers, body).into_response())
    }
}
