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

/// A tenant with an app that people sign in to and a daemon that has a secret.
#[derive(Debug)]
pub struct Apps {
    pub tenant: Tenant,
    /// The daemon's client id.
    pub daemon: &'static str,
    /// What tokens are signed with.
    pub algorithm: &'static str,
}

/// The secret of every daemon.
pub const DAEMON_SECRET: &str = "a-secret-of-the-daemon-that-nobody-guesses";

const APPS_FILE: &str = include_str!("../tenants/apps.yaml");

/// The usual algorithm.
pub const WITH_APPS: Apps = Apps {
    tenant: Tenant {
        mode: "apps",
        id: "b1d2c3e4-5f60-4718-8293-a4b5c6d7e806",
        name: "bench-apps",
        client_id: "c2e3d4f5-6071-4829-93a4-b5c6d7e8f916",
    },
    daemon: "d3f4e506-7182-493a-a4b5-c6d7e8f90a26",
    algorithm: "RS256",
};

/// Signatures that cost a tenth.
pub const WITH_APPS_ES256: Apps = Apps {
    tenant: Tenant {
        mode: "apps",
        id: "b1d2c3e4-5f60-4718-8293-a4b5c6d7e807",
        name: "bench-apps-es",
        client_id: "c2e3d4f5-6071-4829-93a4-b5c6d7e8f917",
    },
    daemon: "d3f4e506-7182-493a-a4b5-c6d7e8f90a27",
    algorithm: "ES256",
};

impl Apps {
    /// The tenant as a part of a file for `vestibule apply`.
    pub fn file(&self) -> String {
        APPS_FILE
            .replace("{id}", self.tenant.id)
            .replace("{name}", self.tenant.name)
            .replace("{app}", self.tenant.client_id)
            .replace("{daemon}", self.daemon)
            .replace("{algorithm}", self.algorithm)
    }

    /// What the daemon asks for: itself.
    pub fn scope(&self) -> String {
        format!("{}/.default", self.daemon)
    }
}
