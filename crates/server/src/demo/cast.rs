//! Who and what the demo consists of: the tenants' files and the parts that apps and people play in them.

use super::app::Site;

/// A tenant of the demo.
pub(super) struct Tenant {
    /// Its short name, and its key in demo.json.
    pub(super) name: &'static str,
    /// Its file, as it stands in the repository.
    pub(super) file: &'static str,
    pub(super) file_name: &'static str,
    pub(super) apps: &'static [App],
    pub(super) people: &'static [Person],
}

/// The file of the secret that Lakeside gave Woodgrove, below `secrets/`.
pub(super) const LAKESIDE_SECRET: &str = "lakeside-woodgrove";

/// An app of a tenant.
pub(super) struct App {
    /// Its key in demo.json.
    pub(super) role: &'static str,
    pub(super) client_id: &'static str,
    /// The file of its secret below `secrets/`.
    pub(super) secret: Option<&'static str>,
    /// What it is in the Woodgrove web app.
    pub(super) site: Option<Site>,
}

/// Somebody with an account in a tenant of the demo.
pub(super) struct Person {
    pub(super) email: &'static str,
    pub(super) given_name: &'static str,
    pub(super) surname: &'static str,
    pub(super) city: &'static str,
    pub(super) country: &'static str,
}

const fn app(
    role: &'static str,
    client_id: &'static str,
    secret: Option<&'static str>,
    site: Option<Site>,
) -> App {
    App { role, client_id, secret, site }
}

/// The tenants, the one that others federate with first.
pub(super) const TENANTS: [Tenant; 3] = [
    Tenant {
        name: "fabrikam",
        file: include_str!("../../demo/fabrikam.yaml"),
        file_name: "fabrikam.yaml",
        apps: &[app("woodgrove", "5b4a3904-0578-40aa-bebb-a3ca6fbd34d5", Some("fabrikam-woodgrove"), None)],
        people: &[
            Person {
                email: "alice@fabrikam.example",
                given_name: "Alice",
                surname: "Winter",
                city: "Leeds",
                country: "United Kingdom",
            },
            Person {
                email: "bjorn@fabrikam.example",
                given_name: "Bjørn",
                surname: "Halvorsen",
                city: "Bergen",
                country: "Norway",
            },
        ],
    },
    Tenant {
        name: "woodgrove",
        file: include_str!("../../demo/woodgrove.yaml"),
        file_name: "woodgrove.yaml",
        apps: &[
            app("web", "edf3402e-18eb-4885-b1e4-cbcbdad78f60", Some("woodgrove-web"), Some(Site::Suppliers)),
            app(
                "orders",
                "518a0413-d95b-4d45-aff1-17a19f5d74f0",
                Some("woodgrove-orders"),
                Some(Site::Orders),
            ),
            app("spa", "b9924c42-c2e6-423f-a3c1-762610148351", None, None),
            app("native", "ede73a1b-dcd0-4478-8669-97a2cc878adb", None, None),
            app("daemon", "a7d8a579-cf43-413d-bf68-5fa0e76591c2", Some("woodgrove-daemon"), None),
            app("admin", "56c7025b-dcf1-4143-ad4a-13daa73c62d9", Some("woodgrove-admin"), None),
        ],
        people: &[],
    },
    Tenant {
        name: "woodgrove-customers",
        file: include_str!("../../demo/woodgrove-customers.yaml"),
        file_name: "woodgrove-customers.yaml",
        apps: &[
            app(
                "web",
                "957fad0a-e6ca-46fe-939e-b485c98ea7c9",
                Some("woodgrove-customers-web"),
                Some(Site::Shop),
            ),
            app("spa", "d93fd689-d44f-49e4-a73d-cc834eb0a3d6", None, None),
            app("native", "b7a0174a-bb77-40b1-b0c6-af06b4e80dcd", None, None),
            app("daemon", "7d596466-52ff-4f11-bc9a-f62fd21b61da", Some("woodgrove-customers-daemon"), None),
            app("admin", "90448463-1ea8-4493-9d73-0c06d0bd4798", Some("woodgrove-customers-admin"), None),
        ],
        people: &[],
    },
];
