//! How far the way of a trial came, and what was answered last. A sign-in leaves no trace.

use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::Value;

use super::checkup::{Refusal, refusal};
use crate::ports::outbound::OutboundResponse;

/// What a way goes through, in order.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stage {
    /// What the provider publishes about itself.
    Discovery,
    /// The request that the provider is sent before anybody goes there.
    PushedRequest,
    /// What the browser came back with.
    Answer,
    /// The code becomes tokens.
    Token,
    /// What the ID token says.
    IdToken,
    /// Who holds the access token.
    UserInfo,
    /// Whom the access token was minted for.
    TokenCheck,
    /// The list of proven addresses.
    Addresses,
    /// What tells the person apart.
    Identity,
    /// The flows that lead to the provider.
    Flows,
}

/// What one trial went through.
#[derive(Default)]
pub(super) struct Trace(Mutex<Noted>);

/// What was noted.
#[derive(Clone, Default)]
pub(super) struct Noted {
    /// In the order in which they were entered; all but the last passed.
    pub(super) stages: Vec<Stage>,
    /// The last answer since the last stage was entered.
    pub(super) answered: Option<Answered>,
}

/// An answer of the provider's servers, without what it is kept for.
#[derive(Clone)]
pub(super) struct Answered {
    pub(super) status: u16,
    pub(super) refusal: Option<Refusal>,
}

impl Trace {
    pub(super) fn enters(&self, stage: Stage) {
        let mut noted = self.lock();
        noted.stages.push(stage);
        noted.answered = None;
    }

    pub(super) fn answered(&self, response: &OutboundResponse) {
        let body: Value = serde_json::from_slice(&response.body).unwrap_or_default();
        self.lock().answered = Some(Answered { status: response.status, refusal: refusal(&body) });
    }

    pub(super) fn noted(&self) -> Noted {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, Noted> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
