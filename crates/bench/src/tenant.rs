//! Where visitors sign up.

/// The file of the tenants, as `vestibule apply` takes it.
pub const FILE: &str = include_str!("../tenants/bench.yaml");

/// Where the browser is sent with a code.
pub const REDIRECT_URI: &str = "http://localhost/callback";

/// A tenant with its only app.
#[derive(Debug, PartialEq, Eq)]
pub struct Tenant {
    /// What the mode is called.
    pub mode: &'static str,
    pub id: &'static str,
    pub name: &'static str,
    pub client_id: &'static str,
}

/// Suppliers who prove their mailbox with a code.
pub const WITH_CODE: Tenant = Tenant {
    mode: "code",
    id: "3f2b9a52-7d0c-4f3e-9d55-0b7e9c1f4a01",
    name: "bench",
    client_id: "0a7f5e0c-54d3-4d0e-8a43-6c1f2f0b7d11",
};

/// Customers who prove their mailbox with a code and choose a password.
pub const WITH_PASSWORD: Tenant = Tenant {
    mode: "password",
    id: "5c0d7d0e-2d56-4b8c-8f0a-9a1f5b6c7d02",
    name: "bench-shop",
    client_id: "4e9b1c7a-0c7e-4a57-9f5b-2d3c4b5a6e12",
};

/// Guests who come with the account that they have at a provider.
pub const WITH_PROVIDER: Tenant = Tenant {
    mode: "provider",
    id: "9d3a6c58-2e4f-4b19-a7c0-5f8e1d2b3c04",
    name: "bench-guests",
    client_id: "2f8d5b3e-9c1a-4e67-b0d4-7a6f5c8e9b14",
};

/// Visitors whose providers never answer.
pub const WITH_SILENCE: Tenant = Tenant {
    mode: "silence",
    id: "1c7e5d2a-8b4f-4d63-9e0a-3f6b5c8d7e05",
    name: "bench-silence",
    client_id: "6a4d3c2b-5e8f-4b17-9c0d-1e2f3a4b5c15",
};

/// Customers who are asked twenty questions of every kind on one page.
pub const WITH_FORM: Tenant = Tenant {
    mode: "form",
    id: "8e1f4b6a-3c5d-4a7e-b2f9-6d0c8a9b1e03",
    name: "bench-form",
    client_id: "7b2d9e4f-1a6c-4c38-8e5b-9f0a1c2d3e13",
};
