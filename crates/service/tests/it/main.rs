//! Use cases against real databases, on both engines.

mod directory;
mod mail;
mod tokens;
