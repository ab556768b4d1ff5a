//! Tests of the whole product: the tree mirrors what somebody outside sees.

#[cfg(test)]
mod cli;
#[cfg(test)]
mod client;
#[cfg(test)]
mod config;
#[cfg(test)]
mod conformance;
#[cfg(test)]
mod consent;
#[cfg(test)]
mod demo;
#[cfg(test)]
mod demo_tenants;
#[cfg(test)]
mod federation;
#[cfg(test)]
mod flow_preview;
#[cfg(test)]
mod flow_test;
#[cfg(test)]
mod funnel;
#[cfg(test)]
mod guides;
#[cfg(test)]
mod journeys;
#[cfg(test)]
mod kill;
#[cfg(test)]
mod nodes;
#[cfg(test)]
mod oauth2;
#[cfg(test)]
mod provider_command;
#[cfg(test)]
mod registration;
#[cfg(test)]
mod serve;
#[cfg(test)]
mod sessions;
#[cfg(test)]
mod signing_algorithms;
#[cfg(test)]
mod signing_keys;
#[cfg(test)]
mod wire;
#[cfg(test)]
mod woodgrove_app;
