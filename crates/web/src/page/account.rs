//! The pages about accounts: which one is meant, what an app may do with it, and what its owner does about that.

use serde::Serialize;
use vestibule_rules::text::Message;
use vestibule_rules::time::Timestamp;
use vestibule_service::consent::{AppsView, Described};
use vestibule_service::session::OwnAccount;
use vestibule_service::waiting::choose::{ChooseView, ListedAccount};
use vestibule_service::waiting::consent::{ConsentStanding, ConsentView};

use super::Page;
use super::stranger::StrangerPart;

/// An account in a list.
#[derive(Clone, Debug, Serialize)]
pub struct AccountRow {
    sid: String,
    name: String,
    address: String,
    /// The letter in place of a picture.
    letter: String,
}

impl AccountRow {
    /// The account as a page shows it.
    pub fn new(account: ListedAccount) -> Self {
        let ListedAccount { sid, name, address } = account;
        let first = name.chars().chain(address.chars()).find(|c| c.is_alphanumeric());
        let letter = first.map(|c| c.to_uppercase().to_string()).unwrap_or_default();
        // Who has no other name goes by the address.
        let (name, address) = if name.trim().is_empty() { (address, String::new()) } else { (name, address) };
        Self { sid: sid.to_string(), name, address, letter }
    }

    pub(super) fn samples() -> Vec<Self> {
        let account = |n: u8, name: &str, address: &str| ListedAccount {
            sid: vestibule_rules::ids::SessionId::from_random([n; 16]),
            name: name.to_owned(),
            address: address.to_owned(),
        };
        let hostile = "\"><script>alert(1)</script>";
        let long = "a.very.long.name.that.does.not.fit.into.one.line@a-department.contoso.example";
        [
            account(1, "Mia Larsen", "mia.larsen@contoso.example"),
            account(2, "", long),
            account(3, hostile, hostile),
        ]
        .map(Self::new)
        .to_vec()
    }
}

/// Asks which account a request is for.
#[derive(Clone, Debug, Serialize)]
pub struct ChoosePage {
    action: String,
    csrf: String,
    app_name: String,
    accounts: Vec<AccountRow>,
}

impl ChoosePage {
    /// Prepares the page; `action` is where its form goes.
    pub fn new(view: ChooseView, action: String) -> Self {
        let accounts = view.accounts.into_iter().map(AccountRow::new).collect();
        Self { action, csrf: view.csrf, app_name: view.app_name, accounts }
    }
}

impl Page for ChoosePage {
    const TEMPLATE: &'static str = "pages/choose.html";

    fn samples() -> Vec<Self> {
        let page = |accounts| Self {
            action: "/woodgrove/choose/1".to_owned(),
            csrf: "c3Jm".to_owned(),
            app_name: "Woodgrove <b>Suppliers</b>".to_owned(),
            accounts,
        };
        vec![page(AccountRow::samples()), page(Vec::new())]
    }
}

/// A permission in words.
#[derive(Clone, Debug, Serialize)]
pub struct PermissionRow {
    /// The tenant's words; nothing where ours are meant.
    title: Option<String>,
    text: String,
    /// Ours.
    message: Option<Message>,
}

impl PermissionRow {
    /// The permission as a page shows it.
    pub fn new(described: Described) -> Self {
        let Described { resource, value, title, text } = described;
        if resource.is_some() {
            return Self { title: Some(title), text, message: None };
        }
        let id = match value.as_str() {
            "openid" => "permission-openid",
            "profile" | "User.Read" => "permission-profile",
            "email" => "permission-email",
            "address" => "permission-address",
            "phone" => "permission-phone",
            "offline_access" => "permission-offline",
            _ => return Self { title: Some(value), text, message: None },
        };
        Self { title: None, text, message: Some(Message::new(id)) }
    }
}

/// The permissions of one application, or of the account itself.
#[derive(Clone, Debug, Serialize)]
pub struct PermissionGroup {
    resource: Option<String>,
    permissions: Vec<PermissionRow>,
}

/// Permissions by the application whose they are, in the order in which they come.
pub fn grouped(permissions: Vec<Described>) -> Vec<PermissionGroup> {
    let mut groups: Vec<PermissionGroup> = Vec::new();
    for described in permissions {
        let resource = described.resource.clone();
        let row = PermissionRow::new(described);
        match groups.iter_mut().find(|group| group.resource == resource) {
            Some(group) => group.permissions.push(row),
            None => groups.push(PermissionGroup { resource, permissions: vec![row] }),
        }
    }
    groups
}

pub(super) fn described() -> Vec<Described> {
    let permission = |resource: Option<&str>, value: &str, title: &str, text: &str| Described {
        resource: resource.map(str::to_owned),
        value: value.to_owned(),
        title: title.to_owned(),
        text: text.to_owned(),
    };
    let own = ["openid", "profile", "email", "address", "phone", "offline_access"];
    let own = own.into_iter().map(|value| permission(None, value, "", ""));
    let hostile = "\"><script>alert(1)</script>";
    let theirs = [
        permission(
            Some("Orders"),
            "orders.read",
            "Read your orders",
            "The app sees what you ordered and when.",
        ),
        permission(Some(hostile), hostile, hostile, hostile),
    ];
    own.chain(theirs).collect()
}

/// Asks whether an app may do what it asks for.
#[derive(Clone, Debug, Serialize)]
pub struct ConsentPage {
    action: String,
    csrf: String,
    step: String,
    needs_admin: bool,
    app_name: String,
    publisher: Option<String>,
    privacy: Option<String>,
    terms: Option<String>,
    stranger: Option<StrangerPart>,
    account: String,
    groups: Vec<PermissionGroup>,
}

impl ConsentPage {
    /// Prepares the page; `action` is where its form goes.
    pub fn new(view: ConsentView, stranger: Option<StrangerPart>, action: String) -> Self {
        Self {
            action,
            csrf: view.csrf,
            step: view.step,
            needs_admin: view.standing == ConsentStanding::NeedsAdmin,
            app_name: view.app_name,
            publisher: view.publisher,
            privacy: view.privacy,
            terms: view.terms,
            stranger,
            account: view.account,
            groups: grouped(view.permissions),
        }
    }
}

impl Page for ConsentPage {
    const TEMPLATE: &'static str = "pages/consent.html";

    fn samples() -> Vec<Self> {
        let page = |needs_admin: bool| Self {
            action: "/woodgrove/consent/1".to_owned(),
            csrf: "c3Jm".to_owned(),
            step: "c3RlcA".to_owned(),
            needs_admin,
            app_name: "Parcel <b>Robot</b>".to_owned(),
            publisher: Some("parcels.example".to_owned()).filter(|_| !needs_admin),
            privacy: Some("https://parcels.example/privacy".to_owned()).filter(|_| !needs_admin),
            terms: Some("https://parcels.example/terms".to_owned()).filter(|_| !needs_admin),
            stranger: Some(StrangerPart::sample()).filter(|_| needs_admin),
            account: "mia.larsen@contoso.example".to_owned(),
            groups: grouped(described()),
        };
        vec![page(false), page(true)]
    }
}

/// Somebody's own account; without one, how to sign in.
#[derive(Clone, Debug, Serialize)]
pub struct AccountPage {
    action: String,
    apps: String,
    account: Option<Own>,
}

#[derive(Clone, Debug, Serialize)]
struct Own {
    name: String,
    address: String,
    csrf: String,
}

impl AccountPage {
    /// Prepares the page; `action` is where its form goes, `apps` where the apps with access are.
    pub fn new(account: Option<OwnAccount>, action: String, apps: String) -> Self {
        let own = |OwnAccount { name, address, csrf }| Own { name, address, csrf };
        Self { action, apps, account: account.map(own) }
    }
}

impl Page for AccountPage {
    const TEMPLATE: &'static str = "pages/account.html";

    fn samples() -> Vec<Self> {
        let account = |name: &str| OwnAccount {
            name: name.to_owned(),
            address: "mia.larsen@contoso.example".to_owned(),
            csrf: "c3Jm".to_owned(),
        };
        let page = |account| {
            Self::new(account, "/woodgrove/account".to_owned(), "/woodgrove/account/apps".to_owned())
        };
        vec![page(None), page(Some(account("Mia Larsen"))), page(Some(account("<script>alert(1)</script>")))]
    }
}

/// The apps that somebody let do something.
#[derive(Clone, Debug, Serialize)]
pub struct AppsPage {
    action: String,
    up: String,
    address: Option<String>,
    csrf: String,
    apps: Vec<AppRow>,
}

#[derive(Clone, Debug, Serialize)]
struct AppRow {
    client: String,
    name: String,
    since: String,
    since_text: String,
    groups: Vec<PermissionGroup>,
}

impl AppsPage {
    /// Prepares the page; `action` is where its forms go, `up` is the account's page.
    pub fn new(view: Option<AppsView>, action: String, up: String) -> Self {
        let Some(view) = view else {
            return Self { action, up, address: None, csrf: String::new(), apps: Vec::new() };
        };
        let row = |app: vestibule_service::consent::ListedApp| AppRow {
            client: app.client.to_string(),
            name: app.name,
            since: app.since.rfc3339(),
            since_text: day(app.since),
            groups: grouped(app.permissions),
        };
        Self {
            action,
            up,
            address: Some(view.address),
            csrf: view.csrf,
            apps: view.apps.into_iter().map(row).collect(),
        }
    }
}

fn day(at: Timestamp) -> String {
    at.rfc3339().chars().take(10).collect()
}

impl Page for AppsPage {
    const TEMPLATE: &'static str = "pages/apps.html";

    fn samples() -> Vec<Self> {
        let app = |n: u8, name: &str| vestibule_service::consent::ListedApp {
            client: vestibule_rules::ids::ClientId::from_random([n; 16]),
            name: name.to_owned(),
            since: Timestamp::from_seconds(1_795_486_536),
            permissions: described(),
        };
        let view = |apps| AppsView {
            address: "mia.larsen@contoso.example".to_owned(),
            csrf: "c3Jm".to_owned(),
            apps,
        };
        let page =
            |view| Self::new(view, "/woodgrove/account/apps".to_owned(), "/woodgrove/account".to_owned());
        let apps = vec![app(1, "Parcel Robot"), app(2, "\"><script>alert(1)</script>")];
        vec![page(None), page(Some(view(Vec::new()))), page(Some(view(apps)))]
    }
}
