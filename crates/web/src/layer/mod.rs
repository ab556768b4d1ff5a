//! What is done to every request or every answer, whatever the route.

pub mod cors;
pub mod exchange;
pub mod nonce;
mod tell;
