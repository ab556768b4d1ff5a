//! What is shown. A step is derived from the facts whenever it is needed and never stored.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::facts::{Facts, Refusal};
use crate::ids::ProviderId;
use crate::text::Message;
use crate::time::Timestamp;

/// The names of the steps; a posted form says which one it answers.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum StepName {
    Identify,
    SignUp,
    Reset,
    Password,
    Code,
    NewPassword,
    Details,
    Guardian,
    GuardianWait,
    GuardianAgreed,
    Address,
    Exists,
    Refused,
    Stay,
    Leave,
    Ended,
}

impl StepName {
    /// The name in forms and logs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Identify => "identify",
            Self::SignUp => "sign-up",
            Self::Reset => "reset",
            Self::Password => "password",
            Self::Code => "code",
            Self::NewPassword => "new-password",
            Self::Details => "details",
            Self::Guardian => "guardian",
            Self::GuardianWait => "guardian-wait",
            Self::GuardianAgreed => "guardian-agreed",
            Self::Address => "address",
            Self::Exists => "exists",
            Self::Refused => "refused",
            Self::Stay => "stay",
            Self::Leave => "leave",
            Self::Ended => "ended",
        }
    }
}

/// What the person is asked now.
#[derive(Clone, PartialEq, Debug)]
pub enum Step {
    /// Sign-in: who are you?
    Identify,
    /// Sign-up: which address, or which provider?
    SignUp,
    /// Reset: for which address?
    Reset,
    /// The account's password.
    Password { address: String },
    /// The code that was sent.
    Code { address: String, expires_at: Timestamp, resend_at: Timestamp, exhausted: bool },
    /// A new password, after the mailbox was proven.
    NewPassword { address: String },
    /// Everything that the flow wants to know, and the password of a new local account.
    Details { address: String, password: bool },
    /// Whom to ask, as the newcomer is too young to sign up alone.
    Guardian,
    /// The guardian has not answered yet.
    GuardianWait { address: String, expires_at: Timestamp, resend_at: Timestamp },
    /// The guardian agreed.
    GuardianAgreed,
    /// The provider named no address that it vouches for: which one is the person's?
    Address,
    /// There is an account already; go on to sign in.
    Exists { address: String },
    /// This way ended; another may be chosen.
    Refused(Refusal),
    /// Stay signed in?
    Stay,
    /// Off to the provider.
    Leave { provider: ProviderId, attempt: u32 },
    /// The journey is over: `cancelled` or signed in.
    Ended { cancelled: bool },
}

impl Step {
    /// The name of the step.
    pub const fn name(&self) -> StepName {
        match self {
            Self::Identify => StepName::Identify,
            Self::SignUp => StepName::SignUp,
            Self::Reset => StepName::Reset,
            Self::Password { .. } => StepName::Password,
            Self::Code { .. } => StepName::Code,
            Self::NewPassword { .. } => StepName::NewPassword,
            Self::Details { .. } => StepName::Details,
            Self::Guardian => StepName::Guardian,
            Self::GuardianWait { .. } => StepName::GuardianWait,
            Self::GuardianAgreed => StepName::GuardianAgreed,
            Self::Address => StepName::Address,
            Self::Exists { .. } => StepName::Exists,
            Self::Refused(_) => StepName::Refused,
            Self::Stay => StepName::Stay,
            Self::Leave { .. } => StepName::Leave,
            Self::Ended { .. } => StepName::Ended,
        }
    }

    /// The first problem with what was said last, for logs and APIs.
    pub fn first_problem(facts: &Facts) -> Option<&Message> {
        facts.problems.first().map(|p| &p.message)
    }
}
