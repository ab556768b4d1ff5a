//! The authorization server as applications see it, by endpoint.

mod app;
mod cors;
mod dpop;
mod dpop_attacks;
mod pushed;
mod resource;
mod responses;
