//! The contract of the store: every test runs on both engines.

#[cfg(test)]
#[expect(
    unreachable_pub,
    dead_code,
    reason = "a public module of vestibule-testkit, which is too heavy to build here"
)]
#[path = "../../../testkit/src/engines.rs"]
mod engines;

#[cfg(test)]
mod accounts;
#[cfg(test)]
mod configuration;
#[cfg(test)]
mod device_codes;
#[cfg(test)]
mod domains;
#[cfg(test)]
mod fixtures;
#[cfg(test)]
mod flow_life;
#[cfg(test)]
mod logout_notices;
#[cfg(test)]
mod memberships;
#[cfg(test)]
mod port;
#[cfg(test)]
mod provider_health;
#[cfg(test)]
mod provider_sessions;
#[cfg(test)]
mod pushed_requests;
#[cfg(test)]
mod reach;
#[cfg(test)]
mod registered_clients;
#[cfg(test)]
mod schema;
#[cfg(test)]
mod sign_in;
#[cfg(test)]
mod spent_tokens;
#[cfg(test)]
mod stages;
#[cfg(test)]
mod terms;
#[cfg(test)]
mod told_once;
#[cfg(test)]
mod trails;
#[cfg(test)]
mod waiting;
