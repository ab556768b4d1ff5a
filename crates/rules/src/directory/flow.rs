//! User flows as an administrator configures them (sign-up.md 1.2). The journey engine runs the resolved
//! form, [`crate::journey::flow::Flow`].

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::condition::Condition;
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
    /// Whether strangers may sign up (FLOW-02).
    #[serde(default = "yes")]
    pub is_sign_up_allowed: bool,
    #[serde(default)]
    pub attribute_collection: AttributeCollection,
    #[serde(default)]
    pub user_type_to_create: Option<UserTypeToCreate>,
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
}

/// One choice: what is shown and what is stored.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct InputOption {
    pub label: String,
    pub value: String,
}

/// How a value is asked for (sign-up.md 3.3).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum InputType {
    #[default]
    Text,
    NumericTextBox,
    RadioSingleSelect,
    DropdownSingleSelect,
    CheckboxMultiSelect,
    CheckboxSingleSelect,
    Boolean,
}

const fn yes() -> bool {
    true
}
