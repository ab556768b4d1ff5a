//! Passages through a flow, by browser.

mod accounts;
mod age;
mod codes;
mod hostile;
pub(crate) mod passage;
mod publishing;
mod secrets;
mod sessions;
mod supplier_by_code;
mod terms;
