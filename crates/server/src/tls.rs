//! TLS for listeners: 1.2 and 1.3 over aws-lc-rs, HTTP/2 preferred.

use std::sync::Arc;

use rustls::ServerConfig;
use tokio_rustls::TlsAcceptor;

use crate::config::Certificate;
use crate::failure::{Done, Failure};

/// What a TLS listener needs.
pub fn acceptor(certificate: Certificate) -> Done<TlsAcceptor> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let broken = |error: rustls::Error| Failure::usage(format!("the certificate cannot be used: {error}"));
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(broken)?
        .with_no_client_auth()
        .with_single_cert(certificate.chain, certificate.key)
        .map_err(broken)?;
    // Every suite that is left is a good one; the best that both have is not for the client to pass over.
    config.ignore_client_order = true;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}
