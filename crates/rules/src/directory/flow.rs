//! User flows as an administrator configures them (sign-up.md 1.2). The journey engine runs the resolved
//! form, [`crate::journey::flow::Flow`].

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

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

/// The page on which attributes are asked for.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct AttributeCollection {
    pub title: Option<String>,
    pub description: Option<String>,
    pub inputs: Vec<AttributeInput>,
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
