//! What the original has, for tenants that are tested against it (`compatibility: strict`; sign-up.md 3.3,
//! graph.md 3.2).

use super::{Findings, Place};
use crate::directory::attribute::DataType;
use crate::directory::flow::{AttributeInput, InputType};
use crate::directory::tenant::TenantKind;

pub(super) fn data_type(data_type: DataType, at: &Place, found: &mut Findings) {
    match data_type {
        DataType::String | DataType::Boolean | DataType::Int64 => {}
        DataType::StringCollection | DataType::DateTime => found.add(
            at,
            "ATTR-01",
            "the original makes attributes of string, boolean and int64 only (compatibility: strict)",
        ),
    }
}

pub(super) fn input(kind: TenantKind, input: &AttributeInput, at: &Place, found: &mut Findings) {
    let problem = match (input.input_type, kind) {
        (InputType::Phone | InputType::Url | InputType::Country, _) => {
            Some("the original does not have this kind of input (compatibility: strict)")
        }
        (
            InputType::EmailBox | InputType::DateTimeDropdown | InputType::DropdownSingleSelect,
            TenantKind::External,
        ) => Some("the original has this kind of input in workforce tenants only (compatibility: strict)"),
        (
            InputType::EmailBox | InputType::DateTimeDropdown | InputType::DropdownSingleSelect,
            TenantKind::Workforce,
        )
        | (
            InputType::Text
            | InputType::NumericTextBox
            | InputType::RadioSingleSelect
            | InputType::CheckboxMultiSelect
            | InputType::CheckboxSingleSelect
            | InputType::Boolean,
            _,
        ) => None,
    };
    if let Some(problem) = problem {
        found.add(&at.key("inputType"), "3.3", problem);
    }
    for (key, given) in [
        ("minimum", input.minimum.is_some()),
        ("maximum", input.maximum.is_some()),
        ("defaultRegion", input.default_region.is_some()),
    ] {
        if given {
            found.add(&at.key(key), "ATTR-10", "the original has no such setting (compatibility: strict)");
        }
    }
}
