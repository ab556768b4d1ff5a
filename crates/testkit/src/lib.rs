//! What tests of the whole product stand on: a real server in this process over a real database, with a fake
//! world around it (time, randomness, mail), and a browser that does what a person does.
//!
//! | module | is |
//! | --- | --- |
//! | [`engines`] | a database for each test, on both engines |
//! | [`server`] | the product, in process, on a port of its own |
//! | [`browser`] | somebody with a browser: follows redirects, keeps cookies, fills forms by their labels |
//! | [`inbox`] | somebody's mailbox |

pub mod browser;
pub mod engines;
mod front;
pub mod inbox;
pub mod server;
mod signing_keys;

pub use browser::Browser;
pub use engines::Engine;
pub use inbox::Inbox;
pub use server::TestServer;
