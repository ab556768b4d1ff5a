//! Passages through a flow, by browser.

mod supplier_by_code;
