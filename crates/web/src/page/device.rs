//! The pages of a device that somebody lets in: where its code is typed, and where the person decides.

use serde::Serialize;
use vestibule_rules::text::Message;
use vestibule_rules::time::{Span, Timestamp};
use vestibule_service::device::{DeviceStanding, DeviceView};

use super::Page;
use super::account::{PermissionGroup, described, grouped};

/// Longer than any code with its spaces.
const LONGEST: usize = 24;

/// Asks for the code that a device shows.
#[derive(Clone, Debug, Serialize)]
pub struct DeviceEntryPage {
    action: String,
    csrf: String,
    /// What was typed, or came with the link.
    code: String,
    /// The code came with the link: it is to be compared and not to be typed.
    filled: bool,
    problem: Option<Message>,
}

impl DeviceEntryPage {
    /// The page with a code that came with the link, if it is one.
    pub fn new(action: String, csrf: String, code: Option<String>) -> Self {
        Self { action, csrf, filled: code.is_some(), code: code.unwrap_or_default(), problem: None }
    }

    /// The page with what was typed, and why it is no code.
    #[must_use]
    pub fn refused(mut self, typed: &str, problem: Message) -> Self {
        self.code = typed.chars().filter(|c| !c.is_control()).take(LONGEST).collect();
        self.filled = false;
        self.problem = Some(problem);
        self
    }
}

impl Page for DeviceEntryPage {
    const TEMPLATE: &'static str = "pages/device_entry.html";

    fn samples() -> Vec<Self> {
        let page = |code: Option<&str>| {
            let action = "/woodgrove/device".to_owned();
            Self::new(action, "c3Jm".to_owned(), code.map(str::to_owned))
        };
        vec![
            page(None),
            page(Some("BCDF-GHJK")),
            page(None).refused("\"><script>alert(1)</script>", Message::new("device-code-malformed")),
            page(None).refused("BCDF-GHJK", Message::new("device-code-wrong")),
            page(None).refused("", Message::new("device-code-required")),
        ]
    }
}

/// Which device asks, and what became of it.
#[derive(Clone, Debug, Serialize)]
pub struct DevicePage {
    open: bool,
    action: String,
    /// Where a code is typed, when this one is of no use here any more.
    again: Option<String>,
    title: Message,
    lead: Message,
    app_name: String,
    source: String,
    same_network: bool,
    minutes: i64,
    time: String,
    time_text: String,
    account: String,
    csrf: String,
    groups: Vec<PermissionGroup>,
    step: String,
}

impl DevicePage {
    /// Prepares the page; `action` is where its form goes, `entry` where codes are typed.
    pub fn new(view: DeviceView, action: String, entry: String) -> Self {
        let (title, lead, over) = match view.standing {
            DeviceStanding::Open => ("device-ask-title", "device-ask-lead", false),
            DeviceStanding::NeedsAdmin => ("device-admin-title", "device-admin-lead", false),
            DeviceStanding::SignedOut => ("device-signed-out-title", "device-signed-out-lead", true),
            DeviceStanding::Approved => ("device-approved-title", "device-approved-lead", false),
            DeviceStanding::Declined => ("device-declined-title", "device-declined-lead", false),
            DeviceStanding::Expired => ("device-expired-title", "device-expired-lead", true),
        };
        let asked_at = view.asked_at.rfc3339();
        Self {
            open: view.standing == DeviceStanding::Open,
            action,
            again: over.then_some(entry),
            title: Message::new(title),
            lead: Message::new(lead).with("app", &view.app_name),
            app_name: view.app_name,
            source: view.source,
            same_network: view.same_network,
            minutes: view.ago.as_seconds() / 60,
            time_text: asked_at.replace('T', " ").replace('Z', " UTC"),
            time: asked_at,
            account: view.account,
            csrf: view.csrf,
            groups: grouped(view.permissions),
            step: view.step,
        }
    }
}

impl Page for DevicePage {
    const TEMPLATE: &'static str = "pages/device.html";

    fn samples() -> Vec<Self> {
        let view = |standing| DeviceView {
            standing,
            app_name: "Woodgrove <b>TV</b>".to_owned(),
            source: "2001:db8:85a3:8d3:1319:8a2e:370:7348".to_owned(),
            same_network: standing != DeviceStanding::Open,
            asked_at: Timestamp::from_seconds(1_795_486_536),
            ago: Span::seconds(200),
            account: "\"><script>alert(1)</script>@contoso.example".to_owned(),
            csrf: "c3Jm\"><script>alert(1)</script>".to_owned(),
            permissions: Vec::new(),
            step: "c3RlcA".to_owned(),
        };
        let page = |view| Self::new(view, "/woodgrove/device/1".to_owned(), "/woodgrove/device".to_owned());
        let all = [
            DeviceStanding::Open,
            DeviceStanding::NeedsAdmin,
            DeviceStanding::SignedOut,
            DeviceStanding::Approved,
            DeviceStanding::Declined,
            DeviceStanding::Expired,
        ];
        let near = DeviceView { same_network: true, ago: Span::seconds(20), ..view(DeviceStanding::Open) };
        let asks = DeviceView { permissions: described(), ..view(DeviceStanding::Open) };
        all.into_iter().map(view).chain([near, asks]).map(page).collect()
    }
}
