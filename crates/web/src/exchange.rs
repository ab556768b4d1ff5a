//! One request and its answer, as every layer and handler sees them. The outermost layer makes it; what a
//! handler learns on the way (tenant, language, correlation id) is noted here, so that a fault can be told
//! in the right look and language.

use std::net::IpAddr;
use std::sync::{Arc, OnceLock};

use uuid::Uuid;
use vestibule_rules::oauth::error::Trace;
use vestibule_rules::time::Timestamp;

use crate::page::Frame;

/// The listener that took a request. It chooses the issuer; a `Host` header never does.
#[derive(Clone, Debug)]
pub struct Listener {
    /// The public address without a slash at the end, such as `https://localhost:8443`.
    pub origin: String,
    /// Whether browsers reach it over TLS.
    pub secure: bool,
}

/// The address of the client.
#[derive(Clone, Copy, Debug)]
pub struct Peer(pub IpAddr);

/// One request and its answer.
#[derive(Clone, Debug)]
pub struct Exchange(Arc<Notes>);

#[derive(Debug)]
struct Notes {
    id: Uuid,
    listener: Listener,
    source: String,
    now: Timestamp,
    correlation: OnceLock<Uuid>,
    frame: OnceLock<Frame>,
}

impl Exchange {
    /// A request that has just arrived.
    pub fn new(id: Uuid, listener: Listener, peer: Option<Peer>, now: Timestamp) -> Self {
        let source = peer.map(|p| p.0.to_canonical().to_string()).unwrap_or_default();
        let (correlation, frame) = (OnceLock::new(), OnceLock::new());
        Self(Arc::new(Notes { id, listener, source, now, correlation, frame }))
    }

    /// `x-ms-request-id`.
    pub fn id(&self) -> Uuid {
        self.0.id
    }

    pub fn listener(&self) -> &Listener {
        &self.0.listener
    }

    /// The client's address, for limits.
    pub fn source(&self) -> &str {
        &self.0.source
    }

    pub fn now(&self) -> Timestamp {
        self.0.now
    }

    /// The short form of the request's id that a person can read out to support.
    pub fn reference(&self) -> String {
        self.0.id.simple().to_string().chars().take(8).collect::<String>().to_uppercase()
    }

    /// Takes over the id that the client gave the request; the first one counts.
    pub fn correlate(&self, id: Option<&str>) {
        if let Some(id) = id.and_then(|text| Uuid::try_parse(text.trim()).ok()) {
            let _ = self.0.correlation.set(id);
        }
    }

    /// The client's id of the request, or our own.
    pub fn correlation(&self) -> Uuid {
        self.0.correlation.get().copied().unwrap_or(self.0.id)
    }

    /// Notes whose page this will be.
    pub fn frame(&self, frame: Frame) {
        let _ = self.0.frame.set(frame);
    }

    /// Whose page this is, if it is known by now.
    pub fn framed(&self) -> Option<&Frame> {
        self.0.frame.get()
    }

    pub fn trace(&self) -> Trace {
        Trace { trace: self.id(), correlation: self.correlation(), now: self.now() }
    }
}
