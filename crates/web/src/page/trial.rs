//! The pages of a trial of a provider: what it will do, and what came of it.

use serde::Serialize;
use vestibule_rules::directory::provider::claims::{ClaimsFrom, Mapped, ToldAddress, UpdateWhen, Why};
use vestibule_rules::directory::provider::kind::ProviderKind;
use vestibule_rules::text::Message;
use vestibule_rules::time::Timestamp;
use vestibule_service::federation::checkup::Verdict;
use vestibule_service::federation::dry_run::{Attribute, DryRun, Given};
use vestibule_service::federation::trial::{Becomes, Report, Stage, Step, Tried, View};

use super::Page;

/// Tells what a trial will do, and begins it.
#[derive(Clone, Debug, Serialize)]
pub struct TrialPage {
    provider: String,
    is_enabled: bool,
    redirect_uri: String,
    until: String,
    until_text: String,
    action: String,
    token: String,
    csrf: String,
}

impl TrialPage {
    /// `action` is where the form goes.
    pub fn new(view: View, action: String) -> Self {
        let View { tried, expires_at, csrf, token } = view;
        Self {
            provider: tried.name,
            is_enabled: tried.is_enabled,
            redirect_uri: tried.redirect_uri,
            until: expires_at.rfc3339(),
            until_text: expires_at.rfc3339().replace('T', " ").replace('Z', " UTC"),
            action,
            token,
            csrf,
        }
    }
}

/// What came of a trial, step by step.
#[derive(Clone, Debug, Serialize)]
pub struct TrialReportPage {
    provider: String,
    is_enabled: bool,
    is_well: bool,
    title: Message,
    lead: Message,
    steps: Vec<Told>,
    person: Option<Person>,
    /// Where the trial begins again.
    again: Option<String>,
}

/// One step in words.
#[derive(Clone, Debug, Serialize)]
struct Told {
    title: &'static str,
    /// The word for style sheets.
    verdict: &'static str,
    verdict_label: &'static str,
    text: Option<Message>,
    said: Option<String>,
}

/// What the person would be here.
#[derive(Clone, Debug, Serialize)]
struct Person {
    issuer: String,
    subject: String,
    address: Option<Message>,
    /// How subject and address come about.
    identity: Vec<Row>,
    attributes: Vec<Row>,
}

/// One attribute.
#[derive(Clone, Debug, Serialize)]
struct Row {
    attribute: String,
    value: Option<String>,
    why: Message,
    /// What flows make of it, and what becomes of it later.
    kept: Vec<Message>,
}

impl TrialReportPage {
    /// `again` is where the trial begins again.
    pub fn new(report: Report, again: Option<String>) -> Self {
        let is_well = report.is_well();
        let Tried { name, is_enabled, .. } = report.tried;
        let about = |id: &str| Message::new(id).with("provider", &name);
        let (title, lead) = match (is_enabled, is_well) {
            (false, _) => ("trial-off-title", "trial-off"),
            (true, true) => ("trial-well-title", "trial-well-lead"),
            (true, false) => ("trial-failed-title", "trial-failed-lead"),
        };
        Self {
            is_enabled,
            is_well,
            title: about(title),
            lead: about(lead),
            steps: report.steps.into_iter().map(told).collect(),
            person: report.becomes.map(person),
            again,
            provider: name,
        }
    }
}

fn told(step: Step) -> Told {
    let title = match step.stage {
        Stage::Discovery => "trial-discovery",
        Stage::PushedRequest => "trial-pushed",
        Stage::Answer => "trial-answer",
        Stage::Token => "trial-token",
        Stage::IdToken => "trial-id-token",
        Stage::UserInfo => "trial-user-info",
        Stage::TokenCheck => "trial-token-check",
        Stage::Addresses => "trial-addresses",
        Stage::Identity => "trial-identity",
        Stage::Flows => "trial-flows",
    };
    let (verdict, verdict_label) = match step.verdict {
        Verdict::Ok => ("ok", "trial-verdict-ok"),
        Verdict::Warning => ("warning", "trial-verdict-warning"),
        Verdict::Failed => ("failed", "trial-verdict-failed"),
        Verdict::NotChecked => ("open", "trial-verdict-open"),
    };
    Told { title, verdict, verdict_label, text: step.text, said: step.said }
}

fn person(Becomes { issuer, subject, run }: Becomes) -> Person {
    let address = run.address.as_ref().map(|told| {
        let id = if told.vouched { "trial-identity-believed" } else { "trial-identity-unproven" };
        Message::new(id).with("address", &told.address)
    });
    Person {
        issuer,
        subject,
        address,
        identity: run.identity.into_iter().map(|mapped| row(mapped, Vec::new())).collect(),
        attributes: run.attributes.into_iter().map(attribute).collect(),
    }
}

fn attribute(Attribute { mapped, kept }: Attribute) -> Row {
    if kept.is_empty() {
        return row(mapped, vec![Message::new("trial-kept-nowhere")]);
    }
    let later = match mapped.update {
        UpdateWhen::Never => Message::new("trial-update-never"),
        UpdateWhen::WhenEmpty => Message::new("trial-update-when-empty"),
        UpdateWhen::Always => Message::new("trial-update-always"),
    };
    let one = |(flow, value): (String, Option<serde_json::Value>)| {
        let text = value.map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned));
        match (text, &mapped.value) {
            (Some(text), Some(told)) if text == *told => Message::new("trial-kept").with("flow", flow),
            (Some(text), _) => Message::new("trial-kept-as").with("flow", flow).with("value", text),
            (None, Some(_)) => Message::new("trial-kept-not").with("flow", flow),
            (None, None) => Message::new("trial-kept-asked").with("flow", flow),
        }
    };
    let kept = kept.into_iter().map(one).chain([later]).collect();
    row(mapped, kept)
}

fn row(mapped: Mapped, kept: Vec<Message>) -> Row {
    Row { why: why(&mapped.why), attribute: mapped.attribute, value: mapped.value, kept }
}

fn why(why: &Why) -> Message {
    match why {
        Why::Claims(used) => {
            let names: Vec<&str> = used.iter().map(|(name, _)| name.as_str()).collect();
            let all = |from: ClaimsFrom| used.iter().all(|(_, place)| *place == from);
            let id = if all(ClaimsFrom::IdToken) {
                "trial-why-id-token"
            } else if all(ClaimsFrom::UserInfo) {
                "trial-why-user-info"
            } else {
                "trial-why-both"
            };
            Message::new(id).with("claims", names.join(", "))
        }
        Why::Constant => Message::new("trial-why-constant"),
        Why::Missing(names) => Message::new("trial-why-missing").with("claims", names.join(", ")),
        Why::NotReadable(name) => Message::new("trial-why-not-readable").with("claim", name),
        Why::Nothing => Message::new("trial-why-nothing"),
    }
}

impl Page for TrialPage {
    const TEMPLATE: &'static str = "pages/trial.html";

    fn samples() -> Vec<Self> {
        let view = |is_enabled| View {
            tried: tried(is_enabled),
            expires_at: Timestamp::from_seconds(1_795_486_536),
            csrf: "c3Jm\"><script>alert(1)</script>".to_owned(),
            token: "1795486536.00.dG9r".to_owned(),
        };
        [true, false]
            .map(|on| Self::new(view(on), "/woodgrove/federation/northwind/test".to_owned()))
            .to_vec()
    }
}

impl Page for TrialReportPage {
    const TEMPLATE: &'static str = "pages/trial_report.html";

    fn samples() -> Vec<Self> {
        let again = || Some("/woodgrove/federation/northwind/test?token=1795486536.00.dG9r".to_owned());
        let report = |steps, becomes, on| Report { tried: tried(on), steps, becomes, token: None };
        vec![
            Self::new(report(well(), Some(becomes()), true), again()),
            Self::new(report(failed(), None, true), again()),
            Self::new(report(Vec::new(), None, false), None),
        ]
    }
}

fn tried(is_enabled: bool) -> Tried {
    Tried {
        id: "northwind".to_owned(),
        name: "Northwind <b>&amp;".to_owned(),
        kind: ProviderKind::OpenIdConnect,
        is_enabled,
        redirect_uri:
            "https://login.woodgrove.example/7b9ec640-0000-4c21-9355-5f02bb133702/federation/northwind"
                .to_owned(),
    }
}

fn step(stage: Stage, verdict: Verdict, text: Message) -> Step {
    Step { stage, verdict, text: Some(text), said: None }
}

fn well() -> Vec<Step> {
    let believed = Message::new("trial-identity-believed").with("address", "ada@northwind.example");
    let flows = Message::new("trial-flows-none").with("provider", "northwind");
    vec![
        step(Stage::Discovery, Verdict::Ok, Message::new("trial-discovery-ok")),
        step(Stage::Answer, Verdict::Ok, Message::new("trial-answer-ok")),
        step(Stage::Token, Verdict::Ok, Message::new("trial-token-ok")),
        step(Stage::IdToken, Verdict::Ok, Message::new("trial-id-token-ok")),
        step(Stage::UserInfo, Verdict::Ok, Message::new("trial-user-info-ok")),
        step(Stage::Identity, Verdict::Ok, believed),
        step(Stage::Flows, Verdict::Warning, flows),
    ]
}

fn failed() -> Vec<Step> {
    let secret = Message::new("trial-not-we-secret").with("other", "client_secret_basic");
    let open = |stage| Step { stage, verdict: Verdict::NotChecked, text: None, said: None };
    let said = "invalid_client: <script>alert(1)</script> Invalid client secret provided.".to_owned();
    vec![
        step(Stage::Discovery, Verdict::Ok, Message::new("trial-discovery-ok")),
        step(Stage::Answer, Verdict::Ok, Message::new("trial-answer-ok")),
        Step { said: Some(said), ..step(Stage::Token, Verdict::Failed, secret) },
        open(Stage::IdToken),
        open(Stage::Identity),
    ]
}

fn becomes() -> Becomes {
    let claims =
        |names: &[&str], from| Why::Claims(names.iter().map(|name| ((*name).to_owned(), from)).collect());
    let mapped = |attribute: &str, value: Option<&str>, why: Why| Mapped {
        attribute: attribute.to_owned(),
        value: value.map(str::to_owned),
        update: UpdateWhen::Always,
        why,
    };
    let told = |attribute, value, claim: &str, from| mapped(attribute, Some(value), claims(&[claim], from));
    let kept = |value: &str| vec![("Customers".to_owned(), Some(serde_json::Value::from(value)))];
    let missing = Why::Missing(vec!["locality".to_owned(), "address.locality".to_owned()]);
    let join = claims(&["given_name", "family_name"], ClaimsFrom::UserInfo);
    Becomes {
        issuer: "https://login.northwind.example".to_owned(),
        subject: "248289761001-ea1b9d4c8f30".to_owned(),
        run: DryRun {
            given: Given::Both,
            name: "Northwind".to_owned(),
            subject: Some("248289761001-ea1b9d4c8f30".to_owned()),
            identity: vec![
                told("sub", "248289761001-ea1b9d4c8f30", "sub", ClaimsFrom::IdToken),
                told("email", "ada@northwind.example", "email", ClaimsFrom::IdToken),
                told("email_verified", "true", "email_verified", ClaimsFrom::IdToken),
            ],
            address: Some(ToldAddress { address: "ada@northwind.example".to_owned(), vouched: true }),
            attributes: vec![
                Attribute {
                    mapped: mapped("displayName", Some("Ada <i>Lovelace"), join),
                    kept: kept("Ada <i>Lovelace"),
                },
                Attribute {
                    mapped: mapped("city", None, missing),
                    kept: vec![("Customers".to_owned(), None)],
                },
                Attribute { mapped: mapped("country", Some("no"), Why::Constant), kept: kept("NO") },
                Attribute {
                    mapped: told("jobTitle", "Countess", "title", ClaimsFrom::UserInfo),
                    kept: Vec::new(),
                },
            ],
            asks_user_info: false,
        },
    }
}
