//! Load from outside: visitors who sign up over real HTTP, a mail server that hands them their codes, and the
//! server as a process of its own. The benchmark measures with them, the kill test proves with them.
//!
//! | module | is |
//! | --- | --- |
//! | [`client`], [`form`] | a browser, as little of it as a sign-up needs |
//! | [`mailbox`] | the mail server that the letters go to |
//! | [`provider`] | the provider that visitors have accounts at |
//! | [`visitor`], [`tenant`] | who signs up, and where |
//! | [`silent`] | providers that say nothing |
//! | [`server`] | the program under test |
//! | [`load`], [`operations`], [`bare`], [`startup`] | what is measured |

pub mod bare;
pub mod client;
pub mod form;
pub mod load;
pub mod mailbox;
pub mod operations;
pub mod provider;
pub mod server;
pub mod silent;
pub mod startup;
pub mod tenant;
pub mod trouble;
pub mod visitor;

pub use trouble::{Tried, Trouble};
