//! The world as values and traits: time, randomness, mail and outbound HTTP. Each file holds a trait, its
//! production adapter and, where tests need one, a fixed stand-in. Nothing else in this crate may reach the
//! world; the store and the keys are concrete types and not ports.

pub mod clock;
pub mod entropy;
pub mod guard;
pub mod mailer;
pub mod outbound;
pub mod proxy;
mod targets;
pub mod tls_probe;
pub mod txt;
