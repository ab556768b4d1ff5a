//! The journey engine: sign-up, sign-in and password reset as one pure state machine.
//!
//! A **flow** is what an administrator configured; it never changes, a new version is a new value. A
//! **journey** is one person's passage and pins a version. **Facts** are what has been established so far.
//! The person says an **input**; the engine may ask the world a **question** and gets an **answer**; what is
//! shown is a **step**.
//!
//! Invariants, each of them a property test in `tests/journey.rs`:
//!
//! 1. [`engine::next`] depends on nothing but flow and facts. There is no stored current page, so a back
//!    button, a second tab or an upgrade cannot disagree with the state.
//! 2. A person cannot give an answer: [`engine::submit`] and [`engine::answer`] take different types, an
//!    [`question::Answer`] cannot be deserialised, and only the question that is pending can be answered.
//! 3. A step is answered only while it is the one asked.
//! 4. No account without a proven mailbox or a provider's verified address, and none with a required
//!    attribute missing: [`draft::draft`] is the only way to an account.
//! 5. An ended journey absorbs every input; it ends once.
//! 6. Facts hold no plain secret: a code is a digest, a password a hash.

pub mod age;
pub mod door;
pub mod draft;
pub mod engine;
pub mod extension;
pub mod facts;
pub mod flow;
pub mod form;
pub mod input;
pub mod linking;
pub mod pages;
pub mod password;
pub mod question;
pub mod step;
pub mod terms;
#[cfg(test)]
mod testing;
pub mod trail;
pub mod values;
mod verification;
