//! Use cases: load, decide, act, save. This layer owns the ports to the world (time, randomness, mail,
//! outbound HTTP, keys) and is the only caller of the store; what is allowed is decided in the rules.
//!
//! | module | use case |
//! | --- | --- |
//! | [`env`], [`visit`], [`hop`] | what every use case gets, and what a browser does next |
//! | [`directory`] | tenants and their configuration: every change goes through here |
//! | [`authorize`], [`journey`], [`federation`] | from an authorization request to a signed-in person |
//! | [`introspection`], [`revocation`] | what a token is good for, and that it ends |
//! | [`key_sets`] | the keys by which applications and workloads are recognised |
//! | [`device`] | from a code that a device shows to somebody who lets it in |
//! | [`keys`], [`token`], [`userinfo`], [`discovery`], [`logout`], [`session`] | what applications get |
//! | [`consent`], [`waiting`] | what people let them do; requests that wait for an account or a consent |
//! | [`dpop`] | which keys they prove to have |
//! | [`initiate`] | sign-ins that an app did not begin |
//! | [`notices`] | apps are told that a session ended |
//! | [`mail`], [`throttle`], [`audit`], [`terms`] | letters, limits, records, what people accepted |
//! | [`funnel`] | how far people come, and what stood in somebody's way |
//! | [`jobs`] | what happens without a request |
//! | [`flow_test`], [`flow_chart`], [`flow_preview`] | scripted visitors in a world in memory, the drawing of a flow, and a walk through it |

pub mod account;
pub mod audit;
pub mod authorize;
pub mod consent;
pub mod device;
pub mod directory;
pub mod discovery;
pub mod domains;
pub mod dpop;
pub mod env;
pub mod federation;
pub mod flow_chart;
pub mod flow_preview;
pub mod flow_test;
pub mod funnel;
pub mod hop;
pub mod initiate;
pub mod introspection;
pub mod issued;
pub mod jobs;
pub mod journey;
pub mod key_sets;
pub mod keys;
pub mod logout;
pub mod mail;
pub mod membership;
pub mod notices;
pub mod ports;
pub mod registration;
pub mod revocation;
pub mod session;
pub mod terms;
pub mod throttle;
pub mod token;
pub mod token_explain;
pub mod userinfo;
pub mod visit;
pub mod waiting;
