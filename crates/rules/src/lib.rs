//! Everything Vestibule decides, and nothing it does.
//!
//! This crate promises purity: no I/O, no clock, no randomness, no async. The world comes in as values
//! (`now`, random bytes, rows that somebody else read) and decisions go out as values. That is what lets
//! the same rules drive pages, a JSON API, previews and property tests.
//!
//! | module | decides |
//! | --- | --- |
//! | [`ids`], [`time`], [`length`], [`text`], [`fault`] | the vocabulary every layer shares |
//! | [`directory`] | what a tenant, application, flow, provider, attribute and user may look like |
//! | [`journey`] | what a visitor is asked next, and when an account may be created |
//! | [`oauth`] | which authorization and token requests are good |

pub mod directory;
pub mod fault;
pub mod ids;
pub mod journey;
pub mod length;
pub mod oauth;
pub mod text;
pub mod time;
