//! The server as a network sees it: bytes of hostile clients, TLS, and the headers of every answer.

mod frames;
mod headers;
mod smuggling;
mod tls;
