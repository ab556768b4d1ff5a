//! The authorization server as applications see it, by endpoint.

mod app;
mod cors;
