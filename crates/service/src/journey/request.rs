//! What a journey answers, and so where its end leads.

use serde::{Deserialize, Serialize};
use vestibule_rules::fault::Outcome;
use vestibule_rules::ids::{ClientId, DeviceId};
use vestibule_rules::oauth::authorize::{self, Verified};

use crate::device;
use crate::visit::Visit;

/// The request that a journey answers; it never changes. A journey stores it without a tag: every authorization request
/// has a callback, and no device has one.
#[derive(Clone, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Request {
    /// An application's: the end leads back to it, with a code.
    App(Box<Verified>),
    /// A device's: the end leads to the page where whoever signed in lets the device in, or does not.
    Device(ForDevice),
}

/// A device that waits for a journey to end.
#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ForDevice {
    pub device: DeviceId,
    pub client_id: ClientId,
}

impl Request {
    /// The application that asks.
    pub fn client_id(&self) -> ClientId {
        match self {
            Self::App(verified) => verified.client_id,
            Self::Device(waiting) => waiting.client_id,
        }
    }

    /// `ui_locales` of the request.
    pub fn ui_locales(&self) -> Option<&str> {
        match self {
            Self::App(verified) => verified.ui_locales.as_deref(),
            Self::Device(_) => None,
        }
    }

    /// Where the app lives, for a way back to it.
    pub(super) fn app_origin(&self) -> Option<String> {
        match self {
            Self::App(verified) => verified.callback.form_action(),
            Self::Device(_) => None,
        }
    }

    /// The device that waits for the end.
    pub(super) fn device(&self) -> Option<DeviceId> {
        match self {
            Self::App(_) => None,
            Self::Device(waiting) => Some(waiting.device),
        }
    }

    /// Looks the request up again before it is answered: the configuration may have changed meanwhile.
    pub(super) fn resume(&self, visit: &Visit) -> Outcome<()> {
        match self {
            Self::App(verified) => authorize::resume(verified, visit.tenant.application(verified.client_id)),
            Self::Device(waiting) => device::resume(visit, waiting.client_id),
        }
    }
}
