//! The OpenID conformance suite's modules for authorization servers (security.md 1.1, 1.2): one test for each entry of a
//! plan, named by the module whose demands it makes. What a module demands is written once, in `core` and `logout`, and
//! runs under each plan's response type and mode.
//!
//! | here | plan of the suite | entries |
//! | --- | --- | --- |
//! | `config` | `oidcc-config-certification-test-plan` | 1 |
//! | `basic` | `oidcc-basic-certification-test-plan` | 35 |
//! | `implicit_*` | `oidcc-implicit-certification-test-plan` | 54 |
//! | `hybrid_*` | `oidcc-hybrid-certification-test-plan` | 96 |
//! | `form_post_*` | the three form post plans | 35, 54, 96 |
//! | `rp_initiated_logout` | `oidcc-rp-initiated-logout-certification-test-plan` | 11 |
//! | `dynamic` | `oidcc-dynamic-certification-test-plan` with response type `code` | 23 |
//! | `third_party_init_login` | `oidcc-3rdparty-init-login-certification-test-plan` | 2 |
//! | `backchannel_logout`, `frontchannel_logout`, `session_management` | the plans of their names | 2, 2, 2 |
//!
//! The suite's client is static where its plans let a server choose. Together they are 413 entries. Of those, the two
//! about request objects by reference (`oidcc-request-uri-…`) are tested to be answered as not supported: the suite
//! takes that for a failure, so 411 are those that a server passes which does what is tested here.

mod core;
mod dynamic;
pub(crate) mod logout;
pub(crate) mod party;
mod plans;
pub(crate) mod suite;
