//! Which authorization and token requests are good, and what applications get for them.
//!
//! Nothing here reads a row, draws a random byte, hashes or signs: requests and loaded facts come in, a
//! decision goes out. Redirecting to an application takes a [`callback::Callback`], and only a request whose
//! client and redirect address were verified yields one (security.md S6, S7).
//!
//! | module | decides |
//! | --- | --- |
//! | [`params`] | what a request says: repeated, empty and unknown parameters |
//! | [`authorize`] | the table of checks over an authorization request |
//! | [`profile`] | what each security profile demands of a client |
//! | [`prompt`] | whether a person is asked, signs up, or has answered before |
//! | [`account`], [`consent`] | which of several accounts is meant; whether somebody has to agree first |
//! | [`redirect`], [`callback`] | which redirect addresses match; where an answer goes |
//! | [`response_type`] | what an answer consists of, and who may have tokens in it |
//! | [`scope`], [`pkce`] | what is asked for; how a code is bound to its requester |
//! | [`client_auth`], [`token`] | who redeems; what each grant obliges to |
//! | [`claims_request`], [`demands`] | which claims a request names one by one, and which it insists on |
//! | [`roles`] | which roles an application holds in a resource |
//! | [`registration`] | what applications register about themselves |
//! | [`device`] | which codes devices show, who may use them, what they are told while they wait |
//! | [`on_behalf_of`] | whether an API may call another one in the name of its caller |
//! | [`dpop`] | what a proof of possession has to say; what is bound to a key |
//! | [`signing`] | what tokens are signed with |
//! | [`claims`], [`added_claims`] | what tokens and userinfo say |
//! | [`membership`] | a person's roles and groups, and whether an application is for them |
//! | [`logout`] | where to after signing out |
//! | [`metadata`] | the discovery document |
//! | [`error`] | every error with its number, for both endpoints |

pub mod account;
pub mod added_claims;
pub mod authorize;
pub mod callback;
pub mod claims;
pub mod claims_request;
pub mod client_auth;
pub mod consent;
pub mod demands;
pub mod device;
pub mod dpop;
pub mod error;
pub mod logout;
pub mod membership;
pub mod metadata;
pub mod on_behalf_of;
pub mod params;
pub mod pkce;
pub mod profile;
pub mod prompt;
pub mod redirect;
pub mod registration;
pub mod response_type;
pub mod roles;
pub mod scope;
pub mod signing;
pub mod token;

#[cfg(test)]
mod testing;
