//! What a person says. Reading an input from raw form fields is decided here, once, for pages and for the
//! JSON API.

use super::question::RawFields;
use super::step::StepName;
use crate::ids::ProviderId;
use crate::text::Secret;

/// Something that a person said in answer to a step.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Input {
    /// An address, at one of the entrances.
    Identify { address: String },
    /// The account's password.
    Password { password: Secret<String> },
    /// The code from the mail.
    Code { code: String },
    /// A new password, in a reset.
    NewPassword { password: Secret<String>, confirmation: Option<Secret<String>> },
    /// The attributes, and the password of a new account.
    Details { fields: RawFields, password: Option<Secret<String>>, confirmation: Option<Secret<String>> },
    /// To the page before, with what stands on this one.
    Back { fields: RawFields },
    /// The address of a guardian.
    Guardian { address: String },
    /// Go on from a page that only says something.
    Continue,
    /// The answer to "Stay signed in?".
    Stay(bool),
    /// To a provider instead.
    ChooseProvider(ProviderId),
    /// Another code.
    Resend,
    /// Back to the address.
    ChangeAddress,
    /// To the entrance for newcomers.
    SignUpInstead,
    /// To the entrance for account holders.
    SignInInstead,
    /// To a new password.
    ForgotPassword,
    /// Back to the app.
    Cancel,
}

/// What is over the limit stays over it, also after NFC, which makes one character of at most four: the
/// policy says "too long" without any work on a megabyte, and nothing is ever cut short unnoticed.
const PASSWORD_CHARS: usize = 4 * super::password::MAX + 1;

impl Input {
    /// Reads what was posted to a step. `None` when it is nothing that this step could be answered with.
    pub fn read(step: StepName, fields: &RawFields) -> Option<Self> {
        let action = first(fields, "action").unwrap_or("submit");
        if let Some(provider) = action.strip_prefix("idp-") {
            return Some(Self::ChooseProvider(ProviderId::new(provider)));
        }
        match action {
            "submit" => Self::submitted(step, fields),
            "no" => (step == StepName::Stay).then_some(Self::Stay(false)),
            "back" => matches!(step, StepName::Details | StepName::Guardian)
                .then(|| Self::Back { fields: attribute_fields(fields) }),
            "resend" => Some(Self::Resend),
            "change-address" => Some(Self::ChangeAddress),
            "sign-up" => Some(Self::SignUpInstead),
            "sign-in" => Some(Self::SignInInstead),
            "forgot-password" => Some(Self::ForgotPassword),
            "cancel" => Some(Self::Cancel),
            _ => None,
        }
    }

    fn submitted(step: StepName, fields: &RawFields) -> Option<Self> {
        match step {
            StepName::Identify | StepName::SignUp | StepName::Reset | StepName::Address => {
                Some(Self::Identify { address: first(fields, "username").unwrap_or_default().to_owned() })
            }
            StepName::Password => Some(Self::Password { password: secret(fields, "password")? }),
            StepName::Code => Some(Self::Code { code: first(fields, "code").unwrap_or_default().to_owned() }),
            StepName::NewPassword => Some(Self::NewPassword {
                password: secret(fields, "password")?,
                confirmation: secret(fields, "confirm-password"),
            }),
            StepName::Details => Some(Self::Details {
                fields: attribute_fields(fields),
                password: secret(fields, "password"),
                confirmation: secret(fields, "confirm-password"),
            }),
            StepName::Guardian => {
                Some(Self::Guardian { address: first(fields, "guardian").unwrap_or_default().to_owned() })
            }
            StepName::GuardianWait
            | StepName::GuardianAgreed
            | StepName::Exists
            | StepName::Refused
            | StepName::Leave => Some(Self::Continue),
            StepName::Stay => Some(Self::Stay(true)),
            StepName::Ended => None,
        }
    }
}

fn first<'a>(fields: &'a RawFields, name: &str) -> Option<&'a str> {
    fields.get(name).and_then(|v| v.first()).map(String::as_str)
}

fn secret(fields: &RawFields, name: &str) -> Option<Secret<String>> {
    let text = first(fields, name)?;
    let kept: String = text.chars().take(PASSWORD_CHARS).collect();
    Some(Secret::new(kept))
}

fn attribute_fields(fields: &RawFields) -> RawFields {
    const OURS: &[&str] = &["action", "step", "csrf", "password", "confirm-password"];
    fields
        .iter()
        .filter(|(name, _)| !OURS.contains(&name.as_str()))
        .map(|(n, v)| (n.clone(), v.clone()))
        .collect()
}

#[cfg(test)]
mod tests;
