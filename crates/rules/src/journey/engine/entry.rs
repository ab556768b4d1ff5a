//! Who somebody might be: an address is typed, and the directory says what it knows, which is never shown
//! before a proof.

use super::arrival::{self, How};
use super::{
    Rejected, Result, Turn, ask, code, complain, credential, federation, hint, known, show, turn_elsewhere,
};
use crate::directory::address::Address;
use crate::ids::ProviderId;
use crate::journey::door;
use crate::journey::facts::{Account, Facts, Intent, Lookup};
use crate::journey::flow::Flow;
use crate::journey::input::Input;
use crate::journey::linking;
use crate::journey::question::{Answer, Purpose, Question};
use crate::text::Message;
use crate::time::Timestamp;

/// At one of the three entrances.
pub(super) fn submit(flow: &Flow, facts: Facts, input: Input, now: Timestamp) -> Result<Turn> {
    let resets = facts.intent == Intent::Reset;
    match input {
        Input::Identify { address } => identify(flow, facts, &address, now),
        Input::ChooseProvider(id) if !resets => federation::depart(flow, facts, &id, None),
        Input::ForgotPassword if facts.intent == Intent::SignIn => credential::forgot(flow, facts),
        other => turn_elsewhere(flow, facts, &other),
    }
}

fn identify(flow: &Flow, mut facts: Facts, typed: &str, now: Timestamp) -> Result<Turn> {
    if !flow.has_local() {
        return Err(Rejected::NotAsked);
    }
    let intent = facts.intent;
    facts.revise_identity(intent);
    if facts.code.as_ref().is_some_and(|c| now >= c.expires_at) {
        code::supersede(&mut facts);
    }
    facts.opening.login_hint = Some(hint(typed));
    if let Ok(address) = Address::parse(typed) {
        let address = address.as_string();
        let question = match home(flow, &facts, &address) {
            Some((domain, provider)) => Question::FindDomain { domain, provider, address },
            None => Question::FindAccount { address },
        };
        return Ok(ask(facts, question));
    }
    let id = if typed.trim().is_empty() { "address-missing" } else { "address-invalid" };
    Ok(complain(facts, "username", Message::new(id)))
}

/// The provider that the people of an address's domain have, and the domain. Whoever was at a provider already and came
/// back types their address to go another way; and a password of ours is reset here.
pub(super) fn home(flow: &Flow, facts: &Facts, address: &str) -> Option<(String, ProviderId)> {
    if facts.departures > 0 || facts.intent == Intent::Reset {
        return None;
    }
    let domain = door::domain_of(address)?;
    let provider = flow.behind(|door| door.domains.contains(&domain))?.clone();
    Some((domain, provider))
}

/// Whether the domain's people are led to its provider: only where it is proven that the domain is its owner's.
pub(super) fn found_domain(
    flow: &Flow,
    facts: Facts,
    (provider, address): (&ProviderId, &str),
    answer: &Answer,
) -> Result<Turn> {
    match answer {
        Answer::Domain(true) => federation::depart(flow, facts, provider, Some(address.to_owned())),
        Answer::Domain(false) => Ok(ask(facts, Question::FindAccount { address: address.to_owned() })),
        _ => Err(Rejected::NotAsked),
    }
}

/// The directory answered for an address that was typed, or once more for one that was proven.
pub(super) fn found_account(flow: &Flow, mut facts: Facts, address: &str, answer: Answer) -> Result<Turn> {
    let Answer::Account(found) = answer else { return Err(Rejected::NotAsked) };
    facts.account = found.clone().map_or(Lookup::Unknown, Lookup::Known);
    if facts.proven_address().is_some() {
        return Ok(looked_again(facts));
    }
    let decoy = match facts.intent {
        Intent::Reset => !found.is_some_and(|a| a.has_password && a.enabled),
        Intent::SignUp => false,
        Intent::SignIn if asks_password(flow, found.as_ref()) => return Ok(to_password(facts, address)),
        Intent::SignIn => found.is_none() && !flow.sign_up_allowed,
    };
    Ok(code::send(facts, address, decoy))
}

/// The world changed while the person filled the page in: what they typed stands there still, and they say
/// once more that they want it.
pub(super) fn looked_again(mut facts: Facts) -> Turn {
    facts.values = None;
    facts.password = None;
    match facts.account {
        Lookup::Known(_) => show(facts),
        Lookup::Unknown | Lookup::NotAsked => complain(facts, "", Message::new("try-again")),
    }
}

/// T-07: an account is asked for what it has, a stranger for what the flow gives new accounts.
fn asks_password(flow: &Flow, found: Option<&Account>) -> bool {
    found.map_or(flow.has_password(), |a| a.has_password || (!a.has_code && flow.has_password()))
}

fn to_password(mut facts: Facts, address: &str) -> Turn {
    if facts.code.as_ref().is_some_and(|c| c.purpose == Purpose::SignIn) {
        code::supersede(&mut facts);
    }
    facts.identifier = Some(address.to_owned());
    show(facts)
}

/// EXIST-02: the person proved the address of an account that exists; they sign in with what it has.
pub(super) fn submit_exists(flow: &Flow, mut facts: Facts, address: &str, input: &Input) -> Result<Turn> {
    if *input != Input::Continue {
        return turn_elsewhere(flow, facts, input);
    }
    let account = known(&facts)?;
    let read_mailbox = facts.mailbox.is_some();
    let linking = linking::offered(flow, &facts);
    facts.revise_identity(Intent::SignIn);
    facts.linking = linking;
    if flow.has_local() && account.has_password {
        facts.account = Lookup::Known(account);
        return Ok(to_password(facts, address));
    }
    if account.has_code && read_mailbox {
        return Ok(arrival::sign_in(flow, facts, &account, &How::Code));
    }
    if flow.has_local() && account.has_code {
        facts.opening.login_hint = Some(address.to_owned());
        facts.account = Lookup::Known(account);
        return Ok(code::send(facts, address, false));
    }
    if flow.providers().next().is_none() {
        return Ok(arrival::refuse_stranger(facts));
    }
    Ok(show(facts))
}
