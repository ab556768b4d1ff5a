//! The demo's tenants as tests use them: an app on an address that nobody serves.

pub(crate) const APP: &str = "http://localhost:3001";

/// The workforce tenant of the demo.
pub(crate) fn woodgrove() -> String {
    placed(include_str!("../../demo/woodgrove.yaml"))
}

fn placed(text: &str) -> String {
    text.replace("{app}", "http://localhost:3000").replace("{https}", "https://localhost:8443")
}
