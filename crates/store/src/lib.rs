//! The only place with SQL: one text, two engines.
//!
//! This crate promises to remember and to refuse, never to decide. Rows come in complete (ids, times and
//! secrets are made elsewhere) and every write is guarded and counted. Functions that write take
//! [`db::WriteTx`] and nothing that could reach the outside world while a transaction is open.
//!
//! | module | remembers |
//! | --- | --- |
//! | [`db`], [`migrate`], [`maintenance`] | nothing: the port to the engines, the schema, and what keeps them quick |
//! | [`tenants`], [`objects`] | tenants and what is configured in them |
//! | [`provider_health`] | how sign-ins by a provider went lately |
//! | [`flow_life`], [`reach`] | what flows were and are to become; whom a removal would hit |
//! | [`users`], [`terms`] | users, identities, passwords; what people accepted |
//! | [`logout_notices`] | apps that are still to be told that a session ended |
//! | [`journeys`], [`stages`], [`throttle`] | passages through a flow; the ways they took; attempts |
//! | [`sessions`], [`grants`], [`spent_tokens`], [`keys`] | who is signed in, what was issued and used up, what signs |
//! | [`consents`], [`waiting_requests`] | what people let apps do; requests that wait for an account or a consent |
//! | [`device_codes`] | devices that wait for somebody to sign in elsewhere |
//! | [`pushed_requests`], [`proofs`] | requests that wait for their browser; proofs that were shown |
//! | [`outbox`], [`inbox`], [`audit`], [`deployment`] | mail, acts, facts |

#![warn(missing_docs)]

pub mod audit;
pub mod consents;
pub mod db;
pub mod deployment;
pub mod device_codes;
pub mod domains;
pub mod flow_life;
pub mod grants;
pub mod inbox;
pub mod journeys;
pub mod keys;
pub mod logout_notices;
pub mod maintenance;
pub mod memberships;
pub mod migrate;
pub mod objects;
pub mod outbox;
pub mod proofs;
pub mod provider_health;
pub mod provider_sessions;
pub mod pushed_requests;
pub mod reach;
pub mod registered_clients;
pub mod sessions;
pub mod spent_tokens;
pub mod stages;
pub mod tenants;
pub mod terms;
pub mod throttle;
pub mod told_once;
pub mod users;
pub mod waiting_requests;

pub use db::{BoxFuture, Db, ReadTx, Row, Settings, Sql, Value, WriteTx};

/// Every statement of this crate, so that a test can prepare all of them on both engines. A module that is
/// not listed leaves its list unused, which the compiler reports.
pub fn statements() -> impl Iterator<Item = &'static Sql> {
    [
        audit::STATEMENTS,
        consents::STATEMENTS,
        deployment::STATEMENTS,
        device_codes::STATEMENTS,
        domains::STATEMENTS,
        flow_life::STATEMENTS,
        grants::STATEMENTS,
        inbox::STATEMENTS,
        journeys::STATEMENTS,
        logout_notices::STATEMENTS,
        keys::STATEMENTS,
        memberships::STATEMENTS,
        migrate::STATEMENTS,
        objects::STATEMENTS,
        outbox::STATEMENTS,
        proofs::STATEMENTS,
        provider_health::STATEMENTS,
        provider_sessions::STATEMENTS,
        pushed_requests::STATEMENTS,
        reach::STATEMENTS,
        registered_clients::STATEMENTS,
        sessions::STATEMENTS,
        spent_tokens::STATEMENTS,
        stages::STATEMENTS,
        tenants::STATEMENTS,
        terms::STATEMENTS,
        throttle::STATEMENTS,
        told_once::STATEMENTS,
        users::STATEMENTS,
        waiting_requests::STATEMENTS,
    ]
    .into_iter()
    .flatten()
    .copied()
}
