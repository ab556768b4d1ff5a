//! A flow as the engine runs it: every reference resolved, every default filled in. This is also the stored
//! form of a flow version, so that a journey goes on under the version it began with whatever happens to
//! the configuration.

use serde::{Deserialize, Serialize};

use crate::directory::age::AgeRule;
use crate::directory::attribute::{self, DataType};
use crate::directory::condition::Condition;
use crate::directory::flow::{AttributeInput, InputType, UserFlow, UserTypeToCreate};
use crate::directory::provider::kind::ProviderKind;
use crate::directory::provider::{EMAIL_OTP, EMAIL_PASSWORD, IdentityProvider, SealedSecret};
use crate::directory::tenant::{Compatibility, TenantConfig, TenantKind};
use crate::directory::terms::Terms;
use crate::directory::user::UserType;
use crate::ids::{AttributeId, FlowId, ProviderId};
use crate::journey::door::Door;

/// An immutable version of a user flow.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Flow {
    pub id: FlowId,
    pub tenant_kind: TenantKind,
    /// The tenant's name as pages show it; also a word that a password must not contain.
    pub tenant_name: String,
    /// The domain of user principal names and the issuer of local identities.
    pub default_domain: String,
    /// `compatibility: strict`.
    pub strict: bool,
    pub methods: Vec<Method>,
    pub sign_up_allowed: bool,
    pub user_type: UserType,
    /// Title and lead of the page that asks for attributes, where the administrator set them.
    pub title: Option<String>,
    pub description: Option<String>,
    /// The pages, when there are several; otherwise everything is asked on one.
    #[serde(default)]
    pub pages: Vec<FlowPage>,
    /// Whether an account that lacks a required attribute is asked for it at sign-in.
    #[serde(default)]
    pub ask_missing_at_sign_in: bool,
    pub fields: Vec<Field>,
    /// Documents to accept.
    #[serde(default)]
    pub terms: Vec<Terms>,
    /// How old newcomers must be.
    #[serde(default)]
    pub age: Option<AgeRule>,
}

/// One page of several.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct FlowPage {
    pub title: Option<String>,
    pub description: Option<String>,
    pub when: Option<Condition>,
}

/// A way to prove who one is.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "method")]
pub enum Method {
    /// Email address and password (sign-up.md 2.2).
    Password,
    /// One-time code to the mailbox (sign-up.md 2.3).
    Code,
    /// An identity provider of the tenant.
    #[serde(rename_all = "camelCase")]
    Provider {
        id: ProviderId,
        display_name: String,
        #[serde(default)]
        door: Door,
    },
}

/// An attribute that the flow collects.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Field {
    pub id: AttributeId,
    /// The page that it stands on, from 0.
    #[serde(default)]
    pub page: usize,
    pub data_type: DataType,
    /// Longest value in characters.
    pub max_length: usize,
    /// HTML `autocomplete` token, empty when there is none for it.
    pub autocomplete: String,
    /// Shown when the administrator gave no label: the attribute's own name. Empty for a built-in one,
    /// whose label is in the message catalogue.
    pub name: String,
    pub input: AttributeInput,
}

impl Flow {
    /// Resolves a configured flow. References that do not exist are left out: the checks over a tenant
    /// refuse them before a flow is stored.
    pub fn resolve(config: &TenantConfig, flow: &UserFlow) -> Self {
        let tenant = &config.tenant;
        let strict = tenant.compatibility == Compatibility::Strict;
        Self {
            id: flow.id.clone(),
            tenant_kind: tenant.kind,
            tenant_name: tenant.display_name.clone(),
            default_domain: tenant.default_domain(),
            strict,
            methods: flow.identity_providers.iter().filter_map(|id| method(config, flow, id)).collect(),
            sign_up_allowed: sign_up_allowed(config, flow),
            user_type: user_type(tenant.kind, flow.user_type_to_create),
            title: flow.attribute_collection.title.clone(),
            description: flow.attribute_collection.description.clone(),
            pages: flow.attribute_collection.views.iter().map(FlowPage::of).collect(),
            ask_missing_at_sign_in: flow.attribute_collection.ask_missing_at_sign_in,
            fields: flow
                .attribute_collection
                .all()
                .filter_map(|(page, i)| Some(Field { page, ..field(config, i, strict)? }))
                .collect(),
            terms: flow.terms.clone(),
            age: flow.age.clone(),
        }
    }

    /// A flow for an application of a workforce tenant that no user flow serves: people who have an account
    /// sign in, nobody signs up.
    pub fn sign_in_only(config: &TenantConfig) -> Self {
        let mut methods = vec![Method::Code];
        methods.extend(config.identity_providers.iter().filter(|p| p.is_enabled).map(|p| offered(p, false)));
        Self {
            id: FlowId::new("sign-in"),
            tenant_kind: config.tenant.kind,
            tenant_name: config.tenant.display_name.clone(),
            default_domain: config.tenant.default_domain(),
            strict: config.tenant.compatibility == Compatibility::Strict,
            methods,
            sign_up_allowed: false,
            user_type: UserType::Guest,
            title: None,
            description: None,
            pages: Vec::new(),
            ask_missing_at_sign_in: false,
            fields: Vec::new(),
            terms: Vec::new(),
            age: None,
        }
    }

    /// Whether a value of the attribute means anything here: the flow collects it or decides by it.
    pub fn speaks_of(&self, attribute: &str) -> bool {
        let conditions = self.pages.iter().filter_map(|p| p.when.as_ref());
        let mut conditions = conditions.chain(self.fields.iter().filter_map(|f| f.input.when.as_ref()));
        let decides = |c: &Condition| {
            c.all()
                .iter()
                .any(|c| c.provider_says.as_ref().is_some_and(|s| s.attribute.as_str() == attribute))
        };
        self.fields.iter().any(|f| f.id.as_str() == attribute) || conditions.any(decides)
    }

    /// Whether new local accounts get a password.
    pub fn has_password(&self) -> bool {
        self.methods.contains(&Method::Password)
    }

    /// Whether new local accounts are proven by a one-time code.
    pub fn has_code(&self) -> bool {
        self.methods.contains(&Method::Code)
    }

    /// Whether an email address can be typed at all.
    pub fn has_local(&self) -> bool {
        self.has_password() || self.has_code()
    }

    /// The providers in the order in which they are offered.
    pub fn providers(&self) -> impl Iterator<Item = (&ProviderId, &str)> {
        self.methods.iter().filter_map(|m| match m {
            Method::Provider { id, display_name, .. } => Some((id, display_name.as_str())),
            Method::Password | Method::Code => None,
        })
    }

    /// The providers that have a button, with the looks of it.
    pub fn buttons(&self) -> impl Iterator<Item = (&ProviderId, &str, ProviderKind)> {
        self.methods.iter().filter_map(|m| match m {
            Method::Provider { id, display_name, door } if !door.hidden => {
                Some((id, display_name.as_str(), door.kind))
            }
            Method::Provider { .. } | Method::Password | Method::Code => None,
        })
    }

    /// The first provider whose door is as described.
    pub fn behind(&self, is_meant: impl Fn(&Door) -> bool) -> Option<&ProviderId> {
        self.methods.iter().find_map(|m| match m {
            Method::Provider { id, door, .. } => is_meant(door).then_some(id),
            Method::Password | Method::Code => None,
        })
    }

    /// The provider of that id, if the flow offers it.
    pub fn provider(&self, wanted: &ProviderId) -> Option<(&ProviderId, &str)> {
        self.providers().find(|(id, _)| id.key() == wanted.key())
    }
}

impl FlowPage {
    fn of(view: &crate::directory::flow::View) -> Self {
        Self { title: view.title.clone(), description: view.description.clone(), when: view.when.clone() }
    }
}

fn method(config: &TenantConfig, flow: &UserFlow, id: &str) -> Option<Method> {
    if id.eq_ignore_ascii_case(EMAIL_PASSWORD) {
        return Some(Method::Password);
    }
    if id.eq_ignore_ascii_case(EMAIL_OTP) {
        return Some(Method::Code);
    }
    let provider =
        config.identity_providers.iter().find(|p| p.id.as_str().eq_ignore_ascii_case(id) && p.is_enabled)?;
    let hidden = flow.hidden_identity_providers.iter().any(|hidden| hidden.eq_ignore_ascii_case(id));
    Some(offered(provider, hidden))
}

fn offered(provider: &IdentityProvider<SealedSecret>, hidden: bool) -> Method {
    Method::Provider {
        id: provider.id.clone(),
        display_name: provider.display_name.clone(),
        door: Door::of(provider, hidden),
    }
}

fn sign_up_allowed(config: &TenantConfig, flow: &UserFlow) -> bool {
    takes_newcomers(config) && flow.is_sign_up_allowed
}

/// Whether the tenant takes anybody who signs up, whatever its flows say.
pub fn takes_newcomers(config: &TenantConfig) -> bool {
    match config.tenant.kind {
        TenantKind::Workforce => config.tenant.authentication_flows_policy.self_service_sign_up.is_enabled,
        TenantKind::External => true,
    }
}

const fn user_type(kind: TenantKind, wanted: Option<UserTypeToCreate>) -> UserType {
    match (wanted, kind) {
        (Some(UserTypeToCreate::Guest), _) | (None, TenantKind::Workforce) => UserType::Guest,
        (Some(UserTypeToCreate::Member), _) | (None, TenantKind::External) => UserType::Member,
    }
}

/// An input with everything that the attribute and the tenant say about it.
pub(crate) fn field(config: &TenantConfig, input: &AttributeInput, strict: bool) -> Option<Field> {
    let id = input.attribute.as_str();
    if let Some(built_in) = attribute::find_built_in(id) {
        return Some(Field {
            id: input.attribute.clone(),
            page: 0,
            data_type: DataType::String,
            max_length: built_in.max_length,
            autocomplete: by_type(input.input_type).unwrap_or(built_in.autocomplete).to_owned(),
            name: String::new(),
            input: patterned(input, DataType::String, strict),
        });
    }
    let custom = config.user_flow_attributes.iter().find(|a| a.id.key() == id.to_lowercase())?;
    Some(Field {
        id: custom.id.clone(),
        page: 0,
        data_type: custom.data_type,
        max_length: if strict { attribute::CUSTOM_MAX_STRICT } else { attribute::CUSTOM_MAX },
        autocomplete: guess_autocomplete(&custom.display_name, input.input_type).to_owned(),
        name: custom.display_name.clone(),
        input: AttributeInput { attribute: custom.id.clone(), ..patterned(input, custom.data_type, strict) },
    })
}

/// Under `compatibility: strict` an input without a pattern has the original's, which refuses accents and
/// negative numbers (ATTR-16).
fn patterned(input: &AttributeInput, data_type: DataType, strict: bool) -> AttributeInput {
    let stock = match (data_type, input.attribute.as_str()) {
        (DataType::Int64, _) => Some("[0-9]+"),
        (DataType::String, "displayName" | "givenName" | "surname") if input.options.is_empty() => {
            Some("[a-zA-Z_][0-9a-zA-Z_ ]*[0-9a-zA-Z_]+")
        }
        (DataType::String | DataType::Boolean | DataType::StringCollection | DataType::DateTime, _) => None,
    };
    let given = input.validation_reg_ex.clone();
    let pattern = given.or_else(|| stock.filter(|_| strict).map(str::to_owned));
    AttributeInput { validation_reg_ex: pattern, ..input.clone() }
}

/// What a browser is told to fill in by the type of the input alone.
const fn by_type(input: InputType) -> Option<&'static str> {
    match input {
        InputType::EmailBox => Some("email"),
        InputType::Phone => Some("tel"),
        InputType::Url => Some("url"),
        InputType::Country => Some("country"),
        InputType::Text
        | InputType::NumericTextBox
        | InputType::DateTimeDropdown
        | InputType::RadioSingleSelect
        | InputType::DropdownSingleSelect
        | InputType::CheckboxMultiSelect
        | InputType::CheckboxSingleSelect
        | InputType::Boolean => None,
    }
}

/// Custom attributes that every browser knows by another name: filling in a phone number or a company by
/// hand is the commonest complaint about forms.
fn guess_autocomplete(name: &str, input: InputType) -> &'static str {
    if let Some(token) = by_type(input) {
        return token;
    }
    let folded: String = name.to_lowercase().chars().filter(|c| c.is_alphanumeric()).collect();
    match folded.as_str() {
        "birthday" | "birthdate" | "dateofbirth" | "dob" if input == InputType::DateTimeDropdown => "bday",
        _ if input != InputType::Text => "",
        "phone" | "phonenumber" | "mobile" | "mobilephone" | "telephone" => "tel",
        "businessname" | "company" | "companyname" | "organization" | "organisation" => "organization",
        _ => "",
    }
}
