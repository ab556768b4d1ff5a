//! User flows as an administrator configures them (sign-up.md 1.2). The journey engine runs the resolved
//! form, [`crate::journey::flow::Flow`].

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::age::AgeRule;
use super::condition::Condition;
use super::terms::Terms;
use crate::ids::{AttributeId, ClientId, FlowId};

/// A user flow of either kind of tenant.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UserFlow {
    pub id: FlowId,
    pub display_name: String,
    #[serde(default)]
    pub description: String,
    /// Client ids of the applications it serves (FLOW-03).
    #[serde(default)]
    pub applications: Vec<ClientId>,
    /// Ids of the sign-in methods: `EmailPassword-OAUTH`, `EmailOtpSignup-OAUTH` or a provider of the
    /// tenant, in the order in which they are offered (FLOW-07).
    pub identity_providers: Vec<String>,
    /// Those of them that have no button: an application's hint leads there.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hidden_identity_providers: Vec<String>,
    /// Whether strangers may sign up (FLOW-02).
    #[serde(default = "yes")]
    pub is_sign_up_allowed: bool,
    #[serde(default)]
    pub attribute_collection: AttributeCollection,
    #[serde(default)]
    pub user_type_to_create: Option<UserTypeToCreate>,
    /// Documents that visitors accept, in the order of their boxes.
    #[serde(default)]
    pub terms: Vec<Terms>,
    /// How old newcomers must be.
    #[serde(default)]
    pub age: Option<AgeRule>,
}

/// `userTypeToCreate` of `onUserCreateStart` in Graph.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum UserTypeToCreate {
    Member,
    Guest,
}

/// What is asked at sign-up: one page of inputs, or several views.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct AttributeCollection {
    pub title: Option<String>,
    pub description: Option<String>,
    pub inputs: Vec<AttributeInput>,
    /// The pages in their order, when there are several (`attributeCollectionPage.views` in Graph).
    pub views: Vec<View>,
    /// Whether a required attribute that an account lacks is asked for when it signs in. Off: FLOW-10.
    pub ask_missing_at_sign_in: bool,
}

/// One page of several.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct View {
    pub title: Option<String>,
    pub description: Option<String>,
    /// The page is left out unless this holds.
    pub when: Option<Condition>,
    pub inputs: Vec<AttributeInput>,
}

impl AttributeCollection {
    /// Every input with the index of its page, in the order in which they are asked.
    pub fn all(&self) -> impl Iterator<Item = (usize, &AttributeInput)> {
        let views =
            self.views.iter().enumerate().flat_map(|(i, v)| v.inputs.iter().map(move |input| (i, input)));
        self.inputs.iter().map(|input| (0, input)).chain(views)
    }
}

/// What becomes of a question when the visitor's provider has answered it with a value that can be stored.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum WhenProvided {
    /// The value stands in the field and can be changed.
    #[default]
    Editable,
    /// The value is shown and cannot be changed.
    Fixed,
    /// The question is not asked.
    Skip,
}

/// `authenticationAttributeCollectionInputConfiguration` in Graph (ATTR-10).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "they are the switches that Graph has")]
pub struct AttributeInput {
    /// A built-in id, a custom attribute's bare name or its full `extension_…` id.
    #[schemars(with = "String")]
    pub attribute: AttributeId,
    /// What stands above the field. Markdown links are allowed, nothing else (ATTR-15).
    #[serde(default)]
    pub label: Option<String>,
    /// A sentence below the label.
    #[serde(default)]
    pub hint: Option<String>,
    #[serde(default)]
    pub input_type: InputType,
    #[serde(default)]
    pub required: bool,
    #[serde(default)]
    pub default_value: Option<String>,
    #[serde(default)]
    pub hidden: bool,
    #[serde(default = "yes")]
    pub editable: bool,
    #[serde(default = "yes")]
    pub write_to_directory: bool,
    /// Linear-time regular expression that the whole value must match.
    #[serde(default)]
    pub validation_reg_ex: Option<String>,
    #[serde(default)]
    pub options: Vec<InputOption>,
    /// The question is asked only when this holds.
    #[serde(default)]
    pub when: Option<Condition>,
    /// What becomes of it when the provider has the answer.
    #[serde(default)]
    pub when_provided: WhenProvided,
    /// The least value of a number, or the first date.
    #[serde(default)]
    pub minimum: Option<Bound>,
    /// The greatest value of a number, or the last date.
    #[serde(default)]
    pub maximum: Option<Bound>,
    /// The country whose national phone numbers are understood (ISO 3166-1 alpha-2).
    #[serde(default)]
    pub default_region: Option<String>,
    /// Whether a code to the address that was typed must prove that it is the visitor's.
    #[serde(default)]
    pub requires_verification: bool,
}

/// Where the range of an input ends.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Bound {
    Number(i64),
    /// `YYYY-MM-DD`.
    Date(String),
}

impl std::fmt::Display for Bound {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Number(number) => number.fmt(f),
            Self::Date(date) => f.write_str(date),
        }
    }
}

/// One choice: what is shown and what is stored.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct InputOption {
    pub label: String,
    pub value: String,
}

/// How a value is asked for (sign-up.md 3.3). Both kinds of flow understand the words of both in Graph.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("enum" = InputType::WORDS))]
pub enum InputType {
    #[default]
    #[serde(alias = "textBox")]
    Text,
    NumericTextBox,
    EmailBox,
    #[serde(alias = "date")]
    DateTimeDropdown,
    RadioSingleSelect,
    DropdownSingleSelect,
    CheckboxMultiSelect,
    CheckboxSingleSelect,
    Boolean,
    Phone,
    Url,
    Country,
}

impl InputType {
    /// Every word that a file may use.
    pub const WORDS: [&str; 14] = [
        "text",
        "textBox",
        "numericTextBox",
        "emailBox",
        "dateTimeDropdown",
        "date",
        "radioSingleSelect",
        "dropdownSingleSelect",
        "checkboxMultiSelect",
        "checkboxSingleSelect",
        "boolean",
        "phone",
        "url",
        "country",
    ];

    /// Whether the administrator lists what to choose from.
    pub const fn is_choice(self) -> bool {
        matches!(self, Self::RadioSingleSelect | Self::DropdownSingleSelect | Self::CheckboxMultiSelect)
    }
}

const fn yes() -> bool {
    true
}
