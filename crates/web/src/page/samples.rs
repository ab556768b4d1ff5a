//! Forms as the rules make them, with values as strangers would type them.

use std::collections::BTreeMap;
use vestibule_rules::directory::attribute::DataType;
use vestibule_rules::directory::flow::{AttributeInput, Bound, InputOption, InputType, WhenProvided};
use vestibule_rules::directory::tenant::TenantKind;
use vestibule_rules::directory::terms::{Terms, TermsText};
use vestibule_rules::directory::user::UserType;
use vestibule_rules::ids::{AttributeId, FlowId, ProviderId, UserId};
use vestibule_rules::journey::door::Door;
use vestibule_rules::journey::facts::{
    Account, Authenticated, CodeFact, End, Facts, Federated, Federation, Intent, Lookup, Opening, Refusal,
};
use vestibule_rules::journey::flow::{Field, Flow, Method};
use vestibule_rules::journey::form::{Form, form};
use vestibule_rules::journey::question::Purpose;
use vestibule_rules::text::Message;
use vestibule_rules::time::Timestamp;

const ADDRESS: &str = "mia.larsen@contoso.example";
const HOSTILE: &str = "\"><script>alert(1)</script>";

/// Every step, with and without problems.
pub(super) fn forms() -> Vec<Form> {
    let flow = flow();
    all_facts().iter().map(|facts| form(&flow, facts)).collect()
}

fn all_facts() -> Vec<Facts> {
    let mut all = vec![facts(Intent::SignIn), facts(Intent::SignUp), facts(Intent::Reset)];
    all.push(with(Intent::SignIn, |f| f.problem("username", Message::new("address-invalid"))));
    all.push(with(Intent::SignIn, |f| f.problem("", Message::new("provider-declined"))));
    let password = |f: &mut Facts| f.identifier = Some(ADDRESS.to_owned());
    all.push(with(Intent::SignIn, password));
    all.push(with(Intent::SignIn, |f| {
        password(f);
        f.problem("password", Message::new("password-wrong"));
    }));
    all.push(with(Intent::SignUp, code));
    all.push(with(Intent::SignIn, |f| {
        code(f);
        f.code.iter_mut().for_each(|c| c.purpose = Purpose::SignIn);
        f.problem("code", Message::new("code-wrong").with("left", 3));
    }));
    all.push(with(Intent::Reset, |f| f.mailbox = Some(ADDRESS.to_owned())));
    all.push(with(Intent::SignUp, |f| f.mailbox = Some(ADDRESS.to_owned())));
    all.push(with(Intent::SignUp, wrong_details));
    all.push(with(Intent::SignUp, |f| {
        f.mailbox = Some(ADDRESS.to_owned());
        f.account =
            Lookup::Known(Account { user: user(), enabled: true, has_password: true, has_code: false });
    }));
    all.push(with(Intent::SignUp, |f| f.federated = Some(federated())));
    all.push(with(Intent::SignUp, |f| {
        f.federated = Some(federated());
        f.mailbox = Some(ADDRESS.to_owned());
        f.account =
            Lookup::Known(Account { user: user(), enabled: true, has_password: true, has_code: false });
    }));
    all.push(with(Intent::SignIn, |f| {
        f.refusal = Some(Refusal { code: 90100, message: Message::new("refused-no-verified-email") });
    }));
    all.push(with(Intent::SignIn, |f| {
        let amr = vec!["pwd".to_owned()];
        f.authenticated = Some(Authenticated { user: user(), amr, provider: None, created: false });
    }));
    all.push(with(Intent::SignIn, |f| {
        f.federation =
            Some(Federation { provider: ProviderId::new("fabrikam"), attempt: 1, login_hint: None });
    }));
    all.push(with(Intent::SignIn, |f| f.end = Some(End::Cancelled)));
    all
}

fn wrong_details(facts: &mut Facts) {
    facts.mailbox = Some(ADDRESS.to_owned());
    facts.typed.insert("givenName".to_owned(), vec![HOSTILE.to_owned()]);
    facts.problem("password", Message::new("password-too-short").with("min", 15));
    facts.problem("surname", Message::new("field-required"));
    facts.typed.insert("extension_born".to_owned(), vec![format!("{HOSTILE}--30")]);
    let none = Message::new("field-date-none").with("day", 30).with("month", "m2").with("year", 1990);
    facts.problem("extension_born", none);
    facts.typed.insert("extension_site".to_owned(), vec!["woodgrove dot example".to_owned()]);
    facts.problem("extension_site", Message::new("field-url"));
    facts.problem("extension_home", Message::new("field-choose"));
    facts.problem("extension_size", Message::new("field-choose"));
    facts.problem("extension_terms", Message::new("field-must-accept"));
    facts.problem("terms-general", Message::new("terms-must-accept"));
    facts.agreed.insert("news".to_owned(), "en".to_owned());
}

fn code(facts: &mut Facts) {
    facts.identifier = Some(ADDRESS.to_owned());
    facts.code = Some(CodeFact {
        digest: String::new(),
        purpose: Purpose::SignUp,
        sent_to: ADDRESS.to_owned(),
        expires_at: Timestamp::from_seconds(1_795_487_136),
        resend_at: Timestamp::from_seconds(1_795_486_561),
        tries_left: 5,
        sent: 1,
        decoy: false,
    });
}

/// Somebody for whose address the provider does not vouch.
fn federated() -> Federated {
    Federated {
        provider: ProviderId::new("adatum"),
        issuer: "https://adatum.example".to_owned(),
        subject: "1001".to_owned(),
        verified_email: None,
        claimed_email: Some(HOSTILE.to_owned()),
        claims: BTreeMap::new(),
        updates: BTreeMap::new(),
    }
}

fn facts(intent: Intent) -> Facts {
    Facts::new(Opening { intent, login_hint: None, domain_hint: None })
}

fn with(intent: Intent, change: impl FnOnce(&mut Facts)) -> Facts {
    let mut facts = facts(intent);
    change(&mut facts);
    facts
}

fn user() -> UserId {
    UserId::from_random([7; 16])
}

fn flow() -> Flow {
    let provider = |id: &str, name: &str| Method::Provider {
        id: ProviderId::new(id),
        display_name: name.to_owned(),
        door: Door::default(),
    };
    Flow {
        id: FlowId::new("B2X_1_Samples"),
        tenant_kind: TenantKind::External,
        tenant_name: "Woodgrove".to_owned(),
        default_domain: "woodgrove.example".to_owned(),
        strict: false,
        methods: vec![Method::Password, provider("fabrikam", "Fabrikam"), provider("adatum", "Adatum <b>")],
        sign_up_allowed: true,
        user_type: UserType::Member,
        title: None,
        description: None,
        pages: Vec::new(),
        ask_missing_at_sign_in: false,
        fields: fields(),
        terms: terms(),
        age: None,
    }
}

fn terms() -> Vec<Terms> {
    let text = |language: &str, title: &str, link: Option<&str>| TermsText {
        language: language.to_owned(),
        title: title.to_owned(),
        text: link.is_none().then(|| "Be kind.".to_owned()),
        link: link.map(str::to_owned),
    };
    let document = |id: &str, required: bool, languages: Vec<TermsText>| Terms {
        id: id.to_owned(),
        version: "2026-11".to_owned(),
        required,
        languages,
    };
    let hostile = Some("https://woodgrove.example/\"><script>alert(1)</script>");
    vec![
        document("general", true, vec![text("en", "Terms of supply", None), text("de", HOSTILE, None)]),
        document("news", false, vec![text("en", "Newsletter", hostile)]),
    ]
}

fn fields() -> Vec<Field> {
    let hostile_hint = |f: &mut Field| {
        f.input.required = false;
        f.input.hint =
            Some(format!("As on your invoice, see [help](https://woodgrove.example/help) {HOSTILE}"));
    };
    let terms = "I accept the [terms of use](https://woodgrove.example/terms) and the \
                 [privacy notice](https://woodgrove.example/privacy)";
    let mut fields = vec![
        field("givenName", "given-name", InputType::Text, |_| {}),
        field("surname", "family-name", InputType::Text, |_| {}),
        field("country", "country-name", InputType::DropdownSingleSelect, |f| {
            f.input.options = options(&["Denmark", "Germany", "Norway", HOSTILE]);
        }),
        field("extension_size", "", InputType::RadioSingleSelect, |f| {
            f.name.push_str("How many people work with you?");
            f.input.options = options(&["Only me", "2 to 49", "50 and more"]);
        }),
        field("extension_interests", "", InputType::CheckboxMultiSelect, |f| {
            f.name.push_str("What do you sell?");
            f.input.required = false;
            f.input.options =
                options(&["Timber", "Tools", "[Transport](https://woodgrove.example/transport)"]);
        }),
        field("extension_phone", "tel", InputType::Text, |f| f.name.push_str("Phone number")),
        field("streetAddress", "street-address", InputType::Text, hostile_hint),
        field("extension_number", "", InputType::NumericTextBox, |f| {
            f.name.push_str("Supplier number");
            f.input.required = false;
        }),
        field("city", "address-level2", InputType::Text, |f| {
            f.input.editable = false;
            f.input.default_value = Some("Aarhus".to_owned());
        }),
        field("extension_terms", "", InputType::Boolean, |f| {
            f.data_type = DataType::Boolean;
            f.input.label = Some(terms.to_owned());
        }),
    ];
    fields.extend(checked());
    fields
}

/// Fields whose values have a form of their own.
fn checked() -> Vec<Field> {
    vec![
        field("extension_born", "bday", InputType::DateTimeDropdown, |f| {
            f.data_type = DataType::DateTime;
            f.name.push_str("Date of birth");
        }),
        field("extension_since", "", InputType::DateTimeDropdown, |f| {
            f.name.push_str("Member since");
            f.input.editable = false;
            f.input.default_value = Some("2024-02-29".to_owned());
        }),
        field("extension_home", "country", InputType::Country, |f| {
            f.name.push_str("Where do you live?");
            f.input.default_value = Some("at".to_owned());
        }),
        field("extension_mobile", "tel", InputType::Phone, |f| f.name.push_str("Mobile phone")),
        field("extension_site", "url", InputType::Url, |f| f.name.push_str("Website")),
        field("extension_billing", "email", InputType::EmailBox, |f| f.name.push_str("Address for invoices")),
        field("extension_height", "", InputType::NumericTextBox, |f| {
            f.data_type = DataType::Int64;
            f.name.push_str("Height above the sea in metres");
            f.input.minimum = Some(Bound::Number(-430));
            f.input.maximum = Some(Bound::Number(8849));
        }),
        field("extension_languages", "", InputType::CheckboxMultiSelect, |f| {
            f.data_type = DataType::StringCollection;
            f.name.push_str("Languages");
            f.input.options = options(&["Dansk", "Deutsch, Schwyzerdütsch", HOSTILE]);
        }),
    ]
}

fn options(labels: &[&str]) -> Vec<InputOption> {
    labels.iter().map(|l| InputOption { value: (*l).to_owned(), label: (*l).to_owned() }).collect()
}

fn field(id: &str, autocomplete: &str, input_type: InputType, change: impl FnOnce(&mut Field)) -> Field {
    let mut field = Field {
        id: AttributeId::new(id),
        page: 0,
        data_type: DataType::String,
        max_length: 250,
        autocomplete: autocomplete.to_owned(),
        name: String::new(),
        input: AttributeInput {
            attribute: AttributeId::new(id),
            label: None,
            hint: None,
            input_type,
            required: true,
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
