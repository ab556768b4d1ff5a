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
//! | `backchannel_logout`, `frontchannel_logout`, `session_management` | the plans of their names | 2, 2, 2 |
//!
//! The suite's client is static, as its plans let a server choose.

mod core;
pub(crate) mod logout;
pub(crate) mod party;
mod plans;
pub(crate) mod suite;
