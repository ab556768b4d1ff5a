//! The shape of a file of tests. The JSON Schema that editors use is generated from these types, doc comments
//! included.

use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde_json::Value;
use vestibule_rules::directory::user::UserType;
use vestibule_rules::journey::facts::Intent;
use vestibule_rules::journey::step::StepName;

/// Tests of the user flows of one tenant file: scripted visitors, what they are shown, and what comes of it.
///
/// `vestibule flow test` runs them in memory. Nothing is sent, stored or asked of anybody.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(title = "Vestibule flow tests")]
pub struct TestFile {
    /// The tenant file with the flow, relative to the folder of this file.
    pub tenant: String,
    /// What to write for words in braces that the tenant file leaves open, such as `app` for `{app}`.
    #[serde(default)]
    pub placeholders: BTreeMap<String, String>,
    /// The application that the visitors come from, by `displayName` or `appId`; a test may name another.
    #[serde(default)]
    pub app: Option<String>,
    /// The flow, by `id`, `name` or `displayName`, when it is not to follow from the application.
    #[serde(default)]
    pub flow: Option<String>,
    /// Accounts that exist before each test begins.
    #[serde(default)]
    pub directory: Vec<AccountSection>,
    /// The tests; each begins in a world of its own.
    #[schemars(length(min = 1))]
    pub tests: Vec<TestSection>,
}

/// One visitor.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TestSection {
    /// What is tested, as a sentence.
    #[schemars(length(min = 1))]
    pub name: String,
    /// The application, when it is another one than that of the file.
    #[serde(default)]
    pub app: Option<String>,
    /// The flow, when it is another one than that of the file.
    #[serde(default)]
    pub flow: Option<String>,
    /// The entrance at which the visitor arrives.
    pub start: Start,
    /// `login_hint` of the application's request.
    #[serde(default)]
    pub login_hint: Option<String>,
    /// `domain_hint` of the application's request: the provider to which it leads.
    #[serde(default)]
    pub domain_hint: Option<String>,
    /// `scope` of the application's request; `openid profile email` when it is left out.
    #[serde(default = "default_scope")]
    pub scope: String,
    /// Accounts that exist before this test, beside those of the file.
    #[serde(default)]
    pub directory: Vec<AccountSection>,
    /// The pages in their order, and what the visitor does on each.
    #[schemars(length(min = 1))]
    pub steps: Vec<StepSection>,
    /// What has come of it.
    pub then: ThenSection,
}

/// An entrance.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Start {
    SignUp,
    SignIn,
    Reset,
}

impl Start {
    pub(super) const fn intent(self) -> Intent {
        match self {
            Self::SignUp => Intent::SignUp,
            Self::SignIn => Intent::SignIn,
            Self::Reset => Intent::Reset,
        }
    }
}

/// An account that exists.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AccountSection {
    /// Its address.
    pub mail: String,
    /// Its password, if it has one.
    #[serde(default)]
    pub password: Option<String>,
    /// Its subject at providers, such as `fabrikam: 4711`. Without password and provider it signs in by code.
    #[serde(default)]
    pub providers: BTreeMap<String, String>,
    /// What it is; what the tenant's own people are by default.
    #[serde(default)]
    #[schemars(with = "Option<UserTypeWord>")]
    pub user_type: Option<UserType>,
    /// `false`: it was switched off.
    #[serde(default = "yes")]
    pub enabled: bool,
    /// Values of attributes by id or name.
    #[serde(default)]
    pub attributes: BTreeMap<String, Value>,
    /// The documents that its holder has accepted: document → version.
    #[serde(default)]
    pub terms: BTreeMap<String, String>,
}

/// The words of `userType`.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "it stands for a type of the rules in the schema")]
enum UserTypeWord {
    Member,
    Guest,
}

/// One page, and what the visitor does on it. A step without an action can only be the last one.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct StepSection {
    /// The step that must be shown.
    pub see: StepName,
    /// The heading: the administrator's text, or the id of a message.
    #[serde(default)]
    pub title: Option<String>,
    /// All fields of the page in their order, by attribute or name.
    #[serde(default)]
    pub fields: Option<Vec<String>>,
    /// Fields that must not be there.
    #[serde(default)]
    pub absent: Vec<String>,
    /// Fields that are shown and cannot be changed.
    #[serde(default)]
    pub fixed: Vec<String>,
    /// What stands in fields: a text, `true` or `false`, or a list.
    #[serde(default)]
    pub values: BTreeMap<String, Value>,
    /// Problems beside fields: field → id of the message. None may be there that is not named here.
    #[serde(default)]
    pub problems: BTreeMap<String, String>,
    /// Problems with the page as a whole: ids of messages, in their order.
    #[serde(default)]
    pub notices: Vec<String>,
    /// All providers that are offered, in their order.
    #[serde(default)]
    pub providers: Option<Vec<String>>,
    /// Buttons and links that must be there, such as `resend`, `forgot-password` or `cancel`.
    #[serde(default)]
    pub can: Vec<String>,
    /// Buttons and links that must not be there.
    #[serde(default)]
    pub cannot: Vec<String>,
    /// Time that passes before the visitor goes on: `30s`, `11m`, `2h`.
    #[serde(default)]
    pub advance: Option<String>,
    /// What an extension sets when the page is submitted, by attribute.
    #[serde(default)]
    pub extension: BTreeMap<String, Value>,
    /// What the visitor types: field → a text, a number, `true` or `false` for a box, or a list of choices.
    #[serde(default, rename = "type")]
    pub typed: BTreeMap<String, Value>,
    /// The code that the visitor types.
    #[serde(default)]
    pub code: Option<Code>,
    /// The button or link that is pressed; `submit` when something was typed.
    #[serde(default)]
    pub press: Option<String>,
    /// The provider that is chosen.
    #[serde(default)]
    pub choose: Option<String>,
    /// What the provider says at the end of `leave`: the claims of its ID token, `declines` or `fails`.
    #[serde(default)]
    #[schemars(schema_with = "provider_schema")]
    pub provider: Option<Value>,
    /// What the guardian answers to the newest mail, while the visitor waits.
    #[serde(default)]
    pub guardian: Option<GuardianWord>,
}

/// What a guardian says.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum GuardianWord {
    /// The visitor may sign up.
    Agrees,
    /// The visitor may not.
    Refuses,
}

/// A code from the visitor's mailbox.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Code {
    /// The one that was sent last.
    Newest,
    /// One that was never sent.
    Wrong,
    /// One that a newer one has replaced.
    Superseded,
    /// The newest one, after its time.
    Expired,
}

/// What has come of a journey.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ThenSection {
    /// Where the journey is after the last step.
    pub end: Ending,
    /// For `refused`: the id of the message.
    #[serde(default)]
    pub message: Option<String>,
    /// For `refused`: the number, such as 50034.
    #[serde(default)]
    pub code: Option<u32>,
    /// Whether this journey created an account.
    #[serde(default)]
    pub created: Option<bool>,
    /// The visitor's account as it must stand in the directory. Only the keys that are named are compared.
    #[serde(default)]
    pub account: Option<AccountExpectation>,
    /// The documents that the visitor has accepted in this journey or before: document → version. All of them
    /// are compared.
    #[serde(default)]
    pub terms: Option<BTreeMap<String, String>>,
    /// The ID token that the application gets. Only the claims that are named are compared.
    #[serde(default)]
    pub token: Option<TokenExpectation>,
}

/// Where a journey is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Ending {
    /// The visitor is signed in.
    SignedIn,
    /// The visitor went back to the application.
    Cancelled,
    /// This way is closed.
    Refused,
    /// Something is still asked.
    Open,
}

/// Properties of a user object by their name in Microsoft Graph, such as `mail` or `userType`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AccountExpectation {
    /// Values of attributes by id or name.
    #[serde(default)]
    pub attributes: BTreeMap<String, Value>,
    /// Attributes that have no value.
    #[serde(default)]
    pub absent: Vec<String>,
    /// The other properties.
    #[serde(flatten)]
    pub properties: BTreeMap<String, Value>,
}

/// Claims of a token by their name.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
pub struct TokenExpectation {
    /// Claims that are not there.
    #[serde(default)]
    pub absent: Vec<String>,
    /// The claims and their values.
    #[serde(flatten)]
    pub claims: BTreeMap<String, Value>,
}

fn provider_schema(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": ["object", "string"] })
}

fn default_scope() -> String {
    "openid profile email".to_owned()
}

const fn yes() -> bool {
    true
}
