//! Flows for the unit tests of this module.

use super::door::Door;
use super::engine::begin;
use super::facts::{CodeFact, Facts, Intent, Lookup, Opening};
use super::flow::{Field, Flow, Method};
use super::question::{Purpose, RawFields};
use crate::directory::attribute::{self, DataType};
use crate::directory::flow::{AttributeInput, InputOption, InputType, WhenProvided};
use crate::directory::tenant::TenantKind;
use crate::directory::user::UserType;
use crate::ids::{AttributeId, FlowId, ProviderId};
use crate::time::{Span, Timestamp};

pub(super) const NOW: Timestamp = Timestamp::from_seconds(1_795_000_000);

pub(super) fn flow(kind: TenantKind, methods: &[Method]) -> Flow {
    Flow {
        id: FlowId::new("B2X_1_Suppliers"),
        tenant_kind: kind,
        tenant_name: "Woodgrove".to_owned(),
        default_domain: "woodgrove.onmicrosoft.com".to_owned(),
        strict: false,
        methods: methods.to_vec(),
        sign_up_allowed: true,
        user_type: if kind == TenantKind::Workforce { UserType::Guest } else { UserType::Member },
        title: None,
        description: None,
        pages: Vec::new(),
        ask_missing_at_sign_in: false,
        fields: Vec::new(),
        terms: Vec::new(),
        age: None,
    }
}

pub(super) fn fabrikam() -> Method {
    Method::Provider {
        id: ProviderId::new("fabrikam"),
        display_name: "Fabrikam".to_owned(),
        door: Door::default(),
    }
}

pub(super) fn field(id: &str, input_type: InputType, change: impl FnOnce(&mut Field)) -> Field {
    let built_in = attribute::find_built_in(id);
    let mut field = Field {
        id: AttributeId::new(id),
        page: 0,
        data_type: match input_type {
            InputType::Boolean | InputType::CheckboxSingleSelect => DataType::Boolean,
            InputType::NumericTextBox => DataType::Int64,
            InputType::Text
            | InputType::EmailBox
            | InputType::Phone
            | InputType::Url
            | InputType::Country
            | InputType::RadioSingleSelect
            | InputType::DropdownSingleSelect
            | InputType::CheckboxMultiSelect => DataType::String,
            InputType::DateTimeDropdown => DataType::DateTime,
        },
        max_length: built_in.map_or(250, |b| b.max_length),
        autocomplete: built_in.map_or("", |b| b.autocomplete).to_owned(),
        name: if built_in.is_some() { String::new() } else { id.to_owned() },
        input: AttributeInput {
            attribute: AttributeId::new(id),
            label: None,
            hint: None,
            input_type,
            required: false,
            default_value: None,
            hidden: false,
            editable: true,
            write_to_directory: true,
            validation_reg_ex: None,
            options: Vec::new(),
            when: None,
            when_provided: WhenProvided::Editable,
            minimum: None,
            maximum: None,
            default_region: None,
            requires_verification: false,
        },
    };
    change(&mut field);
    field
}

pub(super) fn options(values: &[&str]) -> Vec<InputOption> {
    values.iter().map(|v| InputOption { label: v.to_uppercase(), value: (*v).to_owned() }).collect()
}

pub(super) fn typed(pairs: &[(&str, &[&str])]) -> RawFields {
    pairs.iter().map(|(n, v)| ((*n).to_owned(), v.iter().map(|v| (*v).to_owned()).collect())).collect()
}

pub(super) fn open(flow: &Flow, intent: Intent) -> Facts {
    begin(flow, Opening { intent, login_hint: None, domain_hint: None })
}

/// Somebody who has proven the mailbox of an address that nobody has an account with.
pub(super) fn proven(flow: &Flow, address: &str) -> Facts {
    Facts { mailbox: Some(address.to_owned()), account: Lookup::Unknown, ..open(flow, Intent::SignUp) }
}

/// Somebody who was sent a code.
pub(super) fn waiting(flow: &Flow, address: &str) -> Facts {
    let code = CodeFact {
        digest: "digest".to_owned(),
        purpose: Purpose::SignUp,
        sent_to: address.to_owned(),
        expires_at: NOW + Span::minutes(10),
        resend_at: NOW + Span::seconds(30),
        tries_left: 5,
        sent: 1,
        decoy: false,
    };
    Facts { identifier: Some(address.to_owned()), code: Some(code), ..open(flow, Intent::SignUp) }
}
