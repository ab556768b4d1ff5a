//! Passwords: the account's own, a new one, and the way to a new one when it is forgotten.

use super::arrival::{self, How};
use super::{
    Rejected, Result, Turn, ask, change_address, complain, details, known, minutes, show, turn_elsewhere,
};
use crate::ids::UserId;
use crate::journey::facts::{Facts, Intent};
use crate::journey::flow::Flow;
use crate::journey::input::Input;
use crate::journey::password;
use crate::journey::question::{Answer, Question};
use crate::text::{Message, Secret};

/// At the step that asks for the account's password.
pub(super) fn submit(flow: &Flow, facts: Facts, address: String, input: Input) -> Result<Turn> {
    match input {
        Input::Password { password } if password.expose().is_empty() => {
            Ok(complain(facts, "password", Message::new("field-required")))
        }
        Input::Password { password } => {
            let user = holder(&facts);
            Ok(ask(
                facts,
                Question::CheckPassword { user, address, password: password::normalise(&password) },
            ))
        }
        Input::ForgotPassword => forgot(flow, facts),
        Input::ChangeAddress => Ok(change_address(facts)),
        other => turn_elsewhere(flow, facts, &other),
    }
}

/// Whose password is asked for; a stranger's is asked for all the same.
pub(super) fn holder(facts: &Facts) -> Option<UserId> {
    facts.known().filter(|a| a.has_password).map(|a| a.user)
}

/// The password was checked.
pub(super) fn checked(flow: &Flow, facts: Facts, answer: &Answer) -> Result<Turn> {
    match (answer, facts.known().filter(|a| a.has_password).cloned()) {
        (Answer::PasswordChecked(true), Some(account)) => {
            Ok(arrival::sign_in(flow, facts, &account, &How::Password))
        }
        (Answer::PasswordChecked(_), _) => Ok(complain(facts, "password", Message::new("password-wrong"))),
        (Answer::PasswordThrottled(wait), _) => {
            let message = Message::new("password-throttled").with("minutes", minutes(*wait));
            Ok(complain(facts, "password", message))
        }
        _ => Err(Rejected::NotAsked),
    }
}

/// To a new password, by a code to the mailbox of the address that was typed (FLOW-25).
pub(super) fn forgot(flow: &Flow, mut facts: Facts) -> Result<Turn> {
    // T-07: who has an old password can replace it in a flow that gives out no new ones.
    if !flow.has_password() && holder(&facts).is_none() {
        return Err(Rejected::NotAsked);
    }
    let address = facts.identifier.clone();
    facts.revise_identity(Intent::Reset);
    Ok(match address {
        Some(address) => ask(facts, Question::FindAccount { address }),
        None => show(facts),
    })
}

/// At the step that asks for a new password.
pub(super) fn submit_new(flow: &Flow, facts: Facts, address: &str, input: Input) -> Result<Turn> {
    match input {
        Input::NewPassword { password, confirmation } => {
            let typed = Typed { password: Some(&password), confirmation: confirmation.as_ref() };
            Ok(match judge(flow, address, &typed, &[]) {
                Ok(password) => ask(facts, Question::HashPassword { password }),
                Err((field, message)) => complain(facts, field, message),
            })
        }
        Input::ChangeAddress => Ok(change_address(facts)),
        other => turn_elsewhere(flow, facts, &other),
    }
}

/// A new password as it was typed, once or twice.
pub(super) struct Typed<'a> {
    pub(super) password: Option<&'a Secret<String>>,
    pub(super) confirmation: Option<&'a Secret<String>>,
}

/// Whether the new password is good; if not, which field is to blame.
pub(super) fn judge(
    flow: &Flow,
    address: &str,
    typed: &Typed<'_>,
    names: &[&str],
) -> std::result::Result<Secret<String>, (&'static str, Message)> {
    let Some(password) = typed.password.map(password::normalise) else {
        return Err(("password", Message::new("field-required")));
    };
    let mut context = vec![address];
    context.extend(names);
    password::judge(flow, &password, &context).map_err(|m| ("password", m))?;
    match typed.confirmation {
        Some(second) if password::normalise(second) != password => {
            Err(("confirm-password", Message::new("password-mismatch")))
        }
        None if flow.strict => Err(("confirm-password", Message::new("password-mismatch"))),
        Some(_) | None => Ok(password),
    }
}

/// The new password was hashed: store it with the account, or create the account with it.
pub(super) fn hashed(flow: &Flow, mut facts: Facts, answer: Answer) -> Result<Turn> {
    let Answer::PasswordHashed(phc) = answer else { return Err(Rejected::NotAsked) };
    match facts.intent {
        Intent::Reset => {
            let user = known(&facts)?.user;
            if facts.mailbox.is_none() {
                return Err(Rejected::NotAsked);
            }
            Ok(ask(facts, Question::SetPassword { user, phc }))
        }
        Intent::SignIn | Intent::SignUp => {
            facts.password = Some(phc);
            Ok(details::create(flow, facts))
        }
    }
}

/// The new password stands.
pub(super) fn set(flow: &Flow, facts: Facts, answer: &Answer) -> Result<Turn> {
    let Answer::PasswordSet = answer else { return Err(Rejected::NotAsked) };
    let account = known(&facts)?;
    Ok(arrival::sign_in(flow, facts, &account, &How::Code))
}
