//! What a trial says of each step: the judgement of a checkup, on what happened to somebody who did sign in.

use vestibule_crypto::jws;
use vestibule_rules::directory::provider::ClientAuthentication;
use vestibule_rules::directory::provider::kind::{Protocol, ProviderKind};
use vestibule_rules::fault::{Fault, Kind};
use vestibule_rules::oauth::params::Params;
use vestibule_rules::text::{Message, Secret};
use vestibule_rules::time::Timestamp;

use super::super::checkup::{Meaning, Refusal, Verdict, meaning, named};
use super::super::overview::flows_with;
use super::super::quote::quote;
use super::super::trace::{Answered, Noted};
use super::super::{Proof, Upstream};
use super::{Becomes, Stage, Step};

/// How a way ended.
#[derive(Clone, Copy)]
pub(super) enum Ended<'a> {
    Well(&'a Becomes),
    /// The person said no at the provider.
    Declined,
    Refused(&'a Fault),
}

/// Every step of a way, those that were not reached too.
pub(super) fn steps(
    upstream: Upstream<'_>,
    noted: &Noted,
    ended: Ended<'_>,
    (params, proof): (&Params, &Proof),
) -> Vec<Step> {
    let bench = Bench { upstream, noted, secrets: secrets(upstream, params, proof) };
    let reached = noted.stages.last().copied();
    let mut all: Vec<Step> = Vec::new();
    for stage in noted.stages.iter().copied() {
        let step = match ended {
            Ended::Declined if Some(stage) == reached => bench.declined(params),
            Ended::Refused(fault) if Some(stage) == reached => bench.refused(stage, fault, params),
            Ended::Well(becomes) if stage == Stage::Identity => identity(upstream, becomes),
            Ended::Well(_) | Ended::Declined | Ended::Refused(_) => well(stage),
        };
        all.push(step);
    }
    if let Ended::Well(_) = ended {
        all.push(bench.flows());
    } else {
        let ahead = expected(upstream).into_iter().filter(|stage| !noted.stages.contains(stage));
        all.extend(ahead.map(|stage| step(stage, Verdict::NotChecked, None, None)));
    }
    all
}

/// What every way goes through; what only some do is told when it was gone through.
fn expected(upstream: Upstream<'_>) -> Vec<Stage> {
    match upstream.provider.preset().protocol {
        Protocol::OpenIdConnect => {
            vec![Stage::Discovery, Stage::Answer, Stage::Token, Stage::IdToken, Stage::Identity]
        }
        Protocol::OAuth2 => vec![Stage::Answer, Stage::Token, Stage::UserInfo, Stage::Identity],
    }
}

fn step(stage: Stage, verdict: Verdict, text: Option<Message>, said: Option<String>) -> Step {
    Step { stage, verdict, text, said }
}

fn well(stage: Stage) -> Step {
    let id = match stage {
        Stage::Discovery => Message::new("trial-discovery-ok"),
        Stage::PushedRequest => Message::new("trial-pushed-ok"),
        Stage::Answer => Message::new("trial-answer-ok"),
        Stage::Token => Message::new("trial-token-ok"),
        Stage::IdToken => Message::new("trial-id-token-ok"),
        Stage::UserInfo => Message::new("trial-user-info-ok"),
        Stage::TokenCheck => Message::new("trial-token-check-ok"),
        Stage::Addresses => Message::new("trial-addresses-ok"),
        Stage::Identity | Stage::Flows => return step(stage, Verdict::Ok, None, None),
    };
    step(stage, Verdict::Ok, Some(id), None)
}

/// Who it is, and what the address is worth.
fn identity(upstream: Upstream<'_>, becomes: &Becomes) -> Step {
    let (verdict, text) = match &becomes.run.address {
        Some(told) if told.vouched => {
            (Verdict::Ok, Message::new("trial-identity-believed").with("address", &told.address))
        }
        Some(told) => (Verdict::Ok, Message::new("trial-identity-unproven").with("address", &told.address)),
        None => {
            let scope = upstream.provider.scope();
            (Verdict::Warning, Message::new("trial-identity-no-address").with("scope", scope))
        }
    };
    step(Stage::Identity, verdict, Some(text), None)
}

/// What no quotation may repeat.
fn secrets(upstream: Upstream<'_>, params: &Params, proof: &Proof) -> Vec<Secret<String>> {
    let mut all = upstream.unspeakable();
    let code = params.hint("code").map(str::to_owned);
    all.extend(
        [Some(proof.nonce.clone()), Some(proof.verifier.clone()), code]
            .into_iter()
            .flatten()
            .map(Secret::new),
    );
    all
}

/// Where a way is judged.
struct Bench<'a> {
    upstream: Upstream<'a>,
    noted: &'a Noted,
    secrets: Vec<Secret<String>>,
}

impl Bench<'_> {
    fn quoted(&self, text: &str) -> Option<String> {
        let secrets: Vec<&str> = self.secrets.iter().map(|secret| secret.expose().as_str()).collect();
        Some(quote(text, &secrets)).filter(|text| !text.is_empty())
    }

    fn flows(&self) -> Step {
        let flows = flows_with(&self.upstream.visit.tenant.config, &self.upstream.provider.id);
        if flows.is_empty() {
            let text = Message::new("trial-flows-none").with("provider", &self.upstream.provider.id);
            return step(Stage::Flows, Verdict::Warning, Some(text), None);
        }
        let text = Message::new("trial-flows-ok").with("flows", format!("“{}”", flows.join("”, “")));
        step(Stage::Flows, Verdict::Ok, Some(text), None)
    }

    fn declined(&self, params: &Params) -> Step {
        let said = error_of(params).and_then(|refusal| self.quoted(&refusal.both()));
        step(Stage::Answer, Verdict::Failed, Some(Message::new("trial-declined")), said)
    }

    fn refused(&self, stage: Stage, fault: &Fault, params: &Params) -> Step {
        let answered = self.noted.answered.as_ref();
        let refusal = match stage {
            Stage::Answer => error_of(params),
            Stage::Discovery
            | Stage::PushedRequest
            | Stage::Token
            | Stage::IdToken
            | Stage::UserInfo
            | Stage::TokenCheck
            | Stage::Addresses
            | Stage::Identity
            | Stage::Flows => answered.and_then(|answered| answered.refusal.clone()),
        };
        let text = match stage {
            _ if fault.kind == Kind::Ours => Message::new("trial-ours"),
            Stage::Discovery => Message::new("trial-discovery-failed"),
            Stage::Answer => self.answer(refusal.as_ref(), params),
            Stage::PushedRequest | Stage::Token => self.client(stage, answered),
            Stage::IdToken => self.id_token(fault),
            Stage::UserInfo | Stage::TokenCheck | Stage::Addresses => self.resource(answered),
            Stage::Identity | Stage::Flows => Message::new("trial-identity-failed"),
        };
        let said = match &refusal {
            Some(refusal) => self.quoted(&refusal.both()),
            None => self.quoted(&fault.detail),
        };
        step(stage, Verdict::Failed, Some(text), said)
    }

    fn answer(&self, refusal: Option<&Refusal>, params: &Params) -> Message {
        match refusal {
            Some(refusal) => self.explained(refusal),
            None if params.hint("code").is_none() => Message::new("trial-answer-empty"),
            None => Message::new("trial-answer-issuer"),
        }
    }

    /// The token endpoint's answer, or that to a pushed request.
    fn client(&self, stage: Stage, answered: Option<&Answered>) -> Message {
        let Some(Answered { status, refusal }) = answered else { return Message::new("trial-unreachable") };
        let Some(refusal) = refusal else {
            return match status {
                401 | 403 => self.not_we(),
                404 | 405 => Message::new("trial-nothing-there").with("status", status),
                500.. => Message::new("trial-broken").with("status", status),
                200..=299 => Message::new("trial-token-incomplete"),
                _ => Message::new("trial-refused"),
            };
        };
        match meaning(self.upstream.provider.identity_provider_type, refusal, *status) {
            Meaning::NotWe => self.not_we(),
            Meaning::Broken => Message::new("trial-broken").with("status", status),
            // The client was accepted, so it is the code.
            Meaning::Accepted if stage == Stage::Token => self.code(),
            Meaning::Untold if stage == Stage::Token && refusal.error == "invalid_grant" => self.code(),
            Meaning::Refused | Meaning::Accepted | Meaning::Untold => self.explained(refusal),
        }
    }

    fn code(&self) -> Message {
        Message::new("trial-code").with("uri", self.upstream.redirect_uri())
    }

    /// Why the ID token is not believed.
    fn id_token(&self, fault: &Fault) -> Message {
        let is = |all: &[jws::Refusal]| all.iter().any(|one| Fault::from(*one).detail == fault.detail);
        let provider = self.upstream.provider;
        if fault.hint.is_some() {
            Message::new("trial-organisation")
        } else if is(&[jws::Refusal::Expired, jws::Refusal::NotYetValid]) {
            Message::new("trial-clock").with("time", time(self.upstream.visit.now))
        } else if is(&[jws::Refusal::WrongNonce]) {
            Message::new("trial-nonce")
        } else if is(&[jws::Refusal::WrongAudience, jws::Refusal::WrongAuthorizedParty]) {
            Message::new("trial-audience").with("client", &provider.client_id)
        } else if is(&[jws::Refusal::WrongIssuer]) {
            Message::new("trial-issuer").with("issuer", self.upstream.issuer())
        } else if is(&[
            jws::Refusal::BadSignature,
            jws::Refusal::UnknownKey,
            jws::Refusal::KeyNotNamed,
            jws::Refusal::KeyMismatch,
            jws::Refusal::WrongAlgorithm,
        ]) {
            Message::new("trial-signature")
        } else {
            Message::new("trial-id-token-failed")
        }
    }

    /// An answer to who shows the access token.
    fn resource(&self, answered: Option<&Answered>) -> Message {
        match answered.map(|answered| answered.status) {
            None => Message::new("trial-unreachable"),
            Some(401 | 403) => Message::new("trial-not-told").with("scope", self.upstream.provider.scope()),
            Some(status @ (404 | 405)) => Message::new("trial-nothing-there").with("status", status),
            Some(status @ 500..) => Message::new("trial-broken").with("status", status),
            Some(_) => Message::new("trial-resource-failed"),
        }
    }

    /// A refusal in words.
    fn explained(&self, refusal: &Refusal) -> Message {
        let provider = self.upstream.provider;
        match named(&refusal.both().to_lowercase()) {
            Some("redirect_uri") => {
                return Message::new("trial-redirect").with("uri", self.upstream.redirect_uri());
            }
            Some("invalid_scope") => return Message::new("trial-scope").with("scope", provider.scope()),
            Some(_) => return Message::new("trial-client").with("client", &provider.client_id),
            None => {}
        }
        match refusal.error.as_str() {
            "unauthorized_client" | "unsupported_response_type" => Message::new("trial-not-permitted"),
            "invalid_client" => self.not_we(),
            "server_error" | "temporarily_unavailable" => Message::new("trial-their-fault"),
            _ => Message::new("trial-refused"),
        }
    }

    /// The provider does not believe that we are the client.
    fn not_we(&self) -> Message {
        let provider = self.upstream.provider;
        if provider.identity_provider_type == ProviderKind::Apple {
            return Message::new("trial-not-we-apple");
        }
        match provider.client_authentication() {
            ClientAuthentication::ClientSecretPost => {
                Message::new("trial-not-we-secret").with("other", "client_secret_basic")
            }
            ClientAuthentication::ClientSecretBasic => {
                Message::new("trial-not-we-secret").with("other", "client_secret_post")
            }
            ClientAuthentication::ClientSecretJwt => Message::new("trial-not-we-jwt"),
            ClientAuthentication::PrivateKeyJwt => Message::new("trial-not-we-key")
                .with("keys", format!("{}/keys", self.upstream.redirect_uri())),
            ClientAuthentication::None => Message::new("trial-not-we-none"),
        }
    }
}

/// The error that a browser came back with.
fn error_of(params: &Params) -> Option<Refusal> {
    let error = params.hint("error")?.to_owned();
    let description = params.hint("error_description").or_else(|| params.hint("error_message"));
    Some(Refusal { error, description: description.unwrap_or_default().to_owned(), code: None })
}

fn time(at: Timestamp) -> String {
    at.rfc3339().replace('T', " ").replace('Z', " UTC")
}
