//! To a provider and back. Nothing is linked by an address alone (EXIST-03), and nothing is created from an
//! address that nobody vouches for (IDP-OIDC-01): what the provider does not, a code of ours proves.

use super::arrival::{self, How};
use super::{Rejected, Result, Turn, ask, code, complain, details, entry, hint, show, turn_elsewhere};
use crate::directory::address::Address;
use crate::ids::ProviderId;
use crate::journey::facts::{Facts, Federated, Federation, Intent, Lookup, Refusal};
use crate::journey::flow::Flow;
use crate::journey::input::Input;
use crate::journey::question::{Answer, Question};
use crate::text::Message;

/// At the step that leads to the provider.
pub(super) fn submit(flow: &Flow, facts: Facts, provider: &ProviderId, input: Input) -> Result<Turn> {
    match input {
        Input::Continue => {
            let hint = facts.federation.as_ref().and_then(|away| away.login_hint.clone());
            depart(flow, facts, provider, hint)
        }
        other => turn_elsewhere(flow, facts, &other),
    }
}

pub(super) fn depart(
    flow: &Flow,
    mut facts: Facts,
    wanted: &ProviderId,
    login_hint: Option<String>,
) -> Result<Turn> {
    let Some((provider, _)) = flow.provider(wanted) else { return Err(Rejected::NotAsked) };
    // What is known about a typed address is nothing that the provider's answer may meet.
    let intent = facts.intent;
    // Whoever is about to connect a provider may prove the account by another one that leads to it already.
    let linking = facts.linking.take();
    facts.revise_identity(intent);
    facts.linking = linking;
    facts.departures = facts.departures.saturating_add(1);
    let away = Federation { provider: provider.clone(), attempt: facts.departures, login_hint };
    let question = Question::Federation { provider: away.provider.clone(), attempt: away.attempt };
    facts.pending = Some(question.pending());
    facts.federation = Some(away);
    Ok(show(facts))
}

/// The person came back from the provider.
pub(super) fn returned(flow: &Flow, mut facts: Facts, provider: &ProviderId, answer: Answer) -> Result<Turn> {
    match answer {
        Answer::Federated(federated) if federated.provider == *provider => {
            Ok(federated_by(flow, facts, *federated))
        }
        Answer::FederationDeclined => {
            facts.federation = None;
            Ok(complain(facts, "", Message::new("provider-declined")))
        }
        Answer::FederationFailed { message, code } => Ok(arrival::refuse(facts, Refusal { code, message })),
        _ => Err(Rejected::NotAsked),
    }
}

fn federated_by(flow: &Flow, mut facts: Facts, mut federated: Federated) -> Turn {
    // IDP-OIDC-02: a claim that the flow does not select is not even kept in the journey.
    federated.claims.retain(|name, _| flow.speaks_of(name));
    // U17: what no mail can be sent to proves no mailbox, whatever the provider says of it.
    federated.verified_email =
        federated.verified_email.and_then(|e| Address::parse(&e).ok()).map(|a| a.as_string());
    federated.updates.retain(|name, _| flow.speaks_of(name));
    federated.claimed_email =
        federated.claimed_email.and_then(|e| Address::parse(&e).ok()).map(|a| a.as_string());
    // C5: a code that was asked for before this identity came proves nothing beside it.
    code::supersede(&mut facts);
    let question = Question::FindIdentity {
        issuer: federated.issuer.clone(),
        subject: federated.subject.clone(),
        address: federated.verified_email.clone(),
    };
    facts.federation = None;
    facts.account = Lookup::NotAsked;
    facts.federated = Some(federated);
    ask(facts, question)
}

/// The directory answered for the provider's identity and for its address.
pub(super) fn found_identity(flow: &Flow, mut facts: Facts, answer: Answer) -> Result<Turn> {
    let Answer::Identity { by_identity, by_address } = answer else { return Err(Rejected::NotAsked) };
    let Some(federated) = facts.federated.clone() else { return Err(Rejected::NotAsked) };
    if let Some(account) = by_identity {
        return Ok(arrival::sign_in(flow, facts, &account, &How::Provider(federated.provider)));
    }
    facts.linking = None;
    if federated.verified_email.is_some()
        && let Some(account) = by_address
    {
        facts.account = Lookup::Known(account);
        return Ok(entry::looked_again(facts));
    }
    if !flow.sign_up_allowed {
        return Ok(arrival::refuse_stranger(facts));
    }
    if facts.proven_address().is_none() {
        if flow.strict {
            let refusal = Refusal { code: 90100, message: Message::new("refused-no-verified-email") };
            return Ok(arrival::refuse(facts, refusal));
        }
        facts.intent = Intent::SignUp;
        facts.opening.login_hint = federated.claimed_email;
        return Ok(show(facts));
    }
    facts.account = Lookup::Unknown;
    facts.intent = Intent::SignUp;
    if facts.values.is_some() {
        return Ok(entry::looked_again(facts));
    }
    Ok(details::create_if_nothing_to_ask(flow, facts))
}

/// At the step that asks for an address. It is found in the directory as every typed address is, and nothing that is
/// known of it is told before the code has proven it.
pub(super) fn submit_address(flow: &Flow, mut facts: Facts, input: Input) -> Result<Turn> {
    let typed = match input {
        Input::Identify { address } => address,
        other => return turn_elsewhere(flow, facts, &other),
    };
    facts.opening.login_hint = Some(hint(&typed));
    if let Ok(address) = Address::parse(&typed) {
        return Ok(ask(facts, Question::FindAccount { address: address.as_string() }));
    }
    let id = if typed.trim().is_empty() { "address-missing" } else { "address-invalid" };
    Ok(complain(facts, "username", Message::new(id)))
}

/// Another address than the one that the code went to; who came by the provider is still known.
pub(super) fn change_address(mut facts: Facts) -> Turn {
    facts.opening.login_hint = facts.identifier.take();
    facts.account = Lookup::NotAsked;
    facts.mailbox = None;
    show(facts)
}
