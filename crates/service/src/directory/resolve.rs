//! From what a file says to what a tenant is: names become ids, left-out ids are made or found again in what
//! is stored, secrets become hashes or are sealed.

mod groups;
mod keys;

use std::collections::BTreeSet;

use uuid::Uuid;
use vestibule_rules::directory::age::AgeRule;
use vestibule_rules::directory::application::{
    Api, Application, PasswordCredential, RedirectUris, ServicePrincipal, Web,
};
use vestibule_rules::directory::attribute::{
    DataType, OF_EVERYBODY, UserFlowAttribute, bare_name, custom_id, find_built_in,
};
use vestibule_rules::directory::check::{self, PathStep, WORKFORCE_PREFIX};
use vestibule_rules::directory::client;
use vestibule_rules::directory::condition::Condition;
use vestibule_rules::directory::flow::{AttributeCollection, AttributeInput, InputType, UserFlow, View};
use vestibule_rules::directory::group::Group;
use vestibule_rules::directory::provider::{IdentityProvider, SealedSecret};
use vestibule_rules::directory::tenant::{Tenant, TenantConfig, TenantKind};
use vestibule_rules::ids::{AttributeId, ClientId, FlowId, ObjectId, ProviderId, TenantId};
use vestibule_rules::text::Secret;

use super::file::{FileProblem, ParsedTenant, provider_secret};
use super::secret::ProviderSecret;
use super::shape::{
    ApplicationSection, FlowSection, InputSection, ProviderSection, SecretReference, ViewSection,
};
use super::structure::likely;

/// What resolving needs from the world.
pub(super) trait Make {
    /// 16 random bytes.
    fn bytes(&mut self) -> [u8; 16];
    /// The stored form of an application's secret, and the hint that goes with it.
    fn hash(&mut self, secret: &Secret<String>) -> (String, String);
    /// Whether `stored` was made of `secret`.
    fn is_of(&self, secret: &Secret<String>, stored: &PasswordCredential) -> bool;
    /// The sealed form of a provider's secret: `stored` as it is when it holds the same secret.
    fn seal(
        &mut self,
        whose: (TenantId, &ProviderId, ProviderSecret),
        secret: &Secret<String>,
        stored: Option<&SealedSecret>,
    ) -> SealedSecret;
    /// The sealed form of an application's own secret, in the same way.
    fn seal_of_application(
        &mut self,
        whose: (TenantId, ClientId),
        secret: &Secret<String>,
        stored: Option<&SealedSecret>,
    ) -> SealedSecret;
}

/// Stand-ins for reading a file before there is a database: the ids are counted and secrets stay out.
#[derive(Default)]
pub(super) struct Draft(u128);

impl Make for Draft {
    fn bytes(&mut self) -> [u8; 16] {
        self.0 += 1;
        self.0.to_be_bytes()
    }

    fn hash(&mut self, _: &Secret<String>) -> (String, String) {
        (String::new(), String::new())
    }

    fn is_of(&self, _: &Secret<String>, _: &PasswordCredential) -> bool {
        false
    }

    fn seal(
        &mut self,
        _: (TenantId, &ProviderId, ProviderSecret),
        _: &Secret<String>,
        _: Option<&SealedSecret>,
    ) -> SealedSecret {
        SealedSecret(String::new())
    }

    fn seal_of_application(
        &mut self,
        _: (TenantId, ClientId),
        _: &Secret<String>,
        _: Option<&SealedSecret>,
    ) -> SealedSecret {
        SealedSecret(String::new())
    }
}

/// A tenant with what could not be resolved.
pub(super) struct Resolved {
    pub(super) config: TenantConfig,
    problems: Vec<(Vec<PathStep>, String)>,
}

impl Resolved {
    /// Everything that is wrong: references that lead nowhere, then every rule that is broken.
    pub(super) fn problems(&self, tenant: &ParsedTenant) -> Vec<FileProblem> {
        // What could not be resolved breaks rules as well; once is enough.
        let known: BTreeSet<&[PathStep]> = self.problems.iter().map(|(path, _)| path.as_slice()).collect();
        let unresolved = self.problems.iter().map(|(path, text)| tenant.problem(path, text.clone()));
        let broken =
            check::check(&self.config).into_iter().filter(|p| !known.contains(p.path.as_slice())).map(|p| {
                // `FLOW-03` helps to look the rule up; a bare section number does not.
                let rule = if p.rule.contains('-') { format!(" ({})", p.rule) } else { String::new() };
                tenant.problem(&p.path, format!("{}{rule}", p.text))
            });
        unresolved.chain(broken).collect()
    }
}

/// Resolves a file against what is stored of the tenant, if anything is.
pub(super) fn resolve(parsed: &ParsedTenant, stored: Option<&TenantConfig>, make: &mut dyn Make) -> Resolved {
    let mut work = Resolver { parsed, stored, make, problems: Vec::new() };
    let tenant = work.tenant();
    let extensions = work.extensions_app(tenant.kind);
    let groups: Vec<Group> = parsed.file.groups.iter().map(|section| work.group(section)).collect();
    let user_flow_attributes: Vec<_> = parsed
        .file
        .user_flow_attributes
        .iter()
        .map(|a| UserFlowAttribute {
            id: custom_id(extensions.app_id, &a.display_name),
            display_name: a.display_name.clone(),
            description: a.description.clone(),
            data_type: a.data_type,
        })
        .collect();
    let sections = parsed.file.applications.iter().enumerate();
    let mut applications: Vec<_> =
        sections.map(|(i, section)| work.application(i, tenant.id, section, &user_flow_attributes)).collect();
    for app in &mut applications {
        groups::name_by_id(&mut app.settings.tokens, &groups, &user_flow_attributes);
    }
    // Last, so that an index means the same here and in the file.
    applications.push(extensions);
    let sections = parsed.file.identity_providers.iter().enumerate();
    let identity_providers =
        sections.map(|(i, section)| work.provider(i, tenant.id, section, &user_flow_attributes)).collect();
    let mut config = TenantConfig {
        tenant,
        applications,
        identity_providers,
        user_flow_attributes,
        user_flows: Vec::new(),
        groups,
    };
    config.user_flows = parsed
        .file
        .user_flows
        .iter()
        .enumerate()
        .map(|(i, section)| work.flow(i, section, &config))
        .collect();
    let policy = &mut config.tenant.client_registration;
    policy.user_flow = policy.user_flow.take().map(|name| flow_id(&config.user_flows, name));
    Resolved { config, problems: work.problems }
}

/// The application that owns custom attributes (sign-up.md 1.1).
const fn extensions_app_name(kind: TenantKind) -> &'static str {
    match kind {
        TenantKind::Workforce => "aad-extensions-app",
        TenantKind::External => "b2c-extensions-app. Do not modify. Used by AADB2C for storing user data.",
    }
}

struct Resolver<'r> {
    parsed: &'r ParsedTenant,
    stored: Option<&'r TenantConfig>,
    make: &'r mut dyn Make,
    problems: Vec<(Vec<PathStep>, String)>,
}

impl Resolver<'_> {
    fn problem(&mut self, path: Vec<PathStep>, text: String) {
        self.problems.push((path, text));
    }

    fn tenant(&mut self) -> Tenant {
        let section = &self.parsed.file.tenant;
        let given = section.id.as_deref().and_then(TenantId::parse);
        let id = given
            .or_else(|| self.stored.map(|s| s.tenant.id))
            .unwrap_or_else(|| TenantId::from_random(self.make.bytes()));
        Tenant {
            id,
            kind: section.kind,
            display_name: section.display_name.clone(),
            short_name: section.short_name.clone(),
            domains: section.domains.clone(),
            compatibility: section.compatibility,
            authentication_flows_policy: section.authentication_flows_policy.clone(),
            branding: section.branding.clone(),
            tokens: section.tokens.clone(),
            country_letter_code: section.country_letter_code.clone(),
            client_registration: self.parsed.file.client_registration.clone(),
            session_lifetimes: section.session_lifetimes.clone(),
        }
    }

    fn extensions_app(&mut self, kind: TenantKind) -> Application<PasswordCredential> {
        if let Some(app) = self.stored.and_then(|s| s.applications.iter().find(|a| a.built_in)) {
            return app.clone();
        }
        Application {
            id: ObjectId::from_random(self.make.bytes()),
            app_id: ClientId::from_random(self.make.bytes()),
            display_name: extensions_app_name(kind).to_owned(),
            web: Web::default(),
            spa: RedirectUris::default(),
            public_client: RedirectUris::default(),
            is_fallback_public_client: false,
            password_credentials: Vec::new(),
            key_credentials: Vec::new(),
            identifier_uris: Vec::new(),
            api: Api::default(),
            app_roles: Vec::new(),
            token_claims: Vec::new(),
            settings: client::Settings::default(),
            service_principal: ServicePrincipal {
                id: ObjectId::from_random(self.make.bytes()),
                account_enabled: true,
            },
            built_in: true,
            registered: None,
        }
    }

    fn application(
        &mut self,
        index: usize,
        tenant: TenantId,
        section: &ApplicationSection,
        attributes: &[UserFlowAttribute],
    ) -> Application<PasswordCredential> {
        let given = section.app_id.as_deref().and_then(ClientId::parse);
        let stored = self.stored.and_then(|s| {
            s.applications.iter().filter(|a| !a.built_in).find(|a| match given {
                Some(id) => a.app_id == id,
                None => a.display_name.to_lowercase() == section.display_name.to_lowercase(),
            })
        });
        let app_id = given
            .or_else(|| stored.map(|s| s.app_id))
            .unwrap_or_else(|| ClientId::from_random(self.make.bytes()));
        let secrets = stored.map_or(&[][..], |s| &s.password_credentials);
        let credentials = self.credentials(index, section, (tenant, app_id), secrets);
        let key_credentials = self.keys(index, section, stored.map_or(&[], |s| &s.key_credentials));
        let mut token_claims = section.token_claims.clone();
        for claim in &mut token_claims {
            claim.attribute = attribute_id(attributes, claim.attribute.as_str());
        }
        Application {
            id: stored.map_or_else(|| ObjectId::from_random(self.make.bytes()), |s| s.id),
            app_id,
            display_name: section.display_name.clone(),
            web: section.web.clone(),
            spa: section.spa.clone(),
            public_client: section.public_client.clone(),
            is_fallback_public_client: section.is_fallback_public_client,
            password_credentials: credentials,
            key_credentials,
            identifier_uris: section.identifier_uris.clone(),
            api: section.api.clone(),
            app_roles: section.app_roles.clone(),
            token_claims,
            settings: section.settings.clone(),
            service_principal: ServicePrincipal {
                id: stored
                    .map_or_else(|| ObjectId::from_random(self.make.bytes()), |s| s.service_principal.id),
                account_enabled: section.account_enabled,
            },
            built_in: false,
            registered: None,
        }
    }

    fn provider(
        &mut self,
        index: usize,
        tenant: TenantId,
        section: &ProviderSection,
        attributes: &[UserFlowAttribute],
    ) -> IdentityProvider<SealedSecret> {
        let id = ProviderId::new(section.id.clone());
        let stored = self.stored.and_then(|s| s.identity_providers.iter().find(|p| p.id == id));
        let mut seal = |key: ProviderSecret, reference: Option<&SecretReference>| {
            let before = stored.and_then(|p| key.of(p));
            let secret = self.parsed.secrets.get(&provider_secret(index, key));
            let sealed = |s| self.make.seal((tenant, &id, key), s, before);
            reference.map(|_| secret.map_or_else(|| SealedSecret(String::new()), sealed))
        };
        let client_secret = seal(ProviderSecret::ClientSecret, section.client_secret.as_ref());
        let client_key = seal(ProviderSecret::ClientKey, section.client_key.as_ref());
        let decryption_key = seal(ProviderSecret::DecryptionKey, section.decryption_key.as_ref());
        let mut settings = section.settings.clone();
        settings.inbound_claim_mapping = std::mem::take(&mut settings.inbound_claim_mapping)
            .into_iter()
            .map(|(attribute, rule)| (attribute_id(attributes, &attribute).0, rule))
            .collect();
        let preset = section.identity_provider_type.preset();
        IdentityProvider {
            display_name: section.display_name.clone().unwrap_or_else(|| preset.name.to_owned()),
            identity_provider_type: section.identity_provider_type,
            client_id: section.client_id.clone(),
            client_secret,
            client_key,
            decryption_key,
            settings,
            is_enabled: section.is_enabled,
            id,
        }
    }

    fn flow(&mut self, index: usize, section: &FlowSection, config: &TenantConfig) -> UserFlow {
        let (id, display_name) = match config.tenant.kind {
            TenantKind::Workforce => self.workforce_name(index, section),
            TenantKind::External => self.external_name(index, section),
        };
        let applications = section.applications.iter().enumerate();
        UserFlow {
            id,
            display_name,
            description: section.description.clone(),
            applications: applications.map(|(i, name)| self.client(index, i, name, config)).collect(),
            identity_providers: section.identity_providers.clone(),
            hidden_identity_providers: section.hidden_identity_providers.clone(),
            is_sign_up_allowed: section.is_sign_up_allowed,
            attribute_collection: AttributeCollection {
                title: section.attribute_collection.title.clone(),
                description: section.attribute_collection.description.clone(),
                inputs: section.attribute_collection.inputs.iter().map(|i| input(config, i)).collect(),
                views: section.attribute_collection.views.iter().map(|v| view(config, v)).collect(),
                ask_missing_at_sign_in: section.attribute_collection.ask_missing_at_sign_in,
            },
            user_type_to_create: section.user_type_to_create,
            terms: section.terms.clone(),
            age: section.age.clone().map(|rule| age(config, rule)),
        }
    }

    fn workforce_name(&mut self, index: usize, section: &FlowSection) -> (FlowId, String) {
        let Some(written) = section.id.as_deref().or(section.name.as_deref()) else {
            self.problem(flow_path(index, "name"), "a flow of a workforce tenant needs a name".to_owned());
            let made = Uuid::from_bytes(self.make.bytes()).simple().to_string();
            return (
                FlowId::new(format!("{WORKFORCE_PREFIX}{made}")),
                section.display_name.clone().unwrap_or(made),
            );
        };
        let bare = written.strip_prefix(WORKFORCE_PREFIX).unwrap_or(written);
        if let (Some(_), Some(name)) = (&section.id, &section.name)
            && name.strip_prefix(WORKFORCE_PREFIX).unwrap_or(name) != bare
        {
            self.problem(
                flow_path(index, "name"),
                format!("the name does not go with the id {WORKFORCE_PREFIX}{bare}"),
            );
        }
        (
            FlowId::new(format!("{WORKFORCE_PREFIX}{bare}")),
            section.display_name.clone().unwrap_or_else(|| bare.to_owned()),
        )
    }

    fn external_name(&mut self, index: usize, section: &FlowSection) -> (FlowId, String) {
        if section.name.is_some() {
            let text = "only flows of a workforce tenant have a name; use displayName".to_owned();
            self.problem(flow_path(index, "name"), text);
        }
        let display_name = section.display_name.clone().unwrap_or_default();
        let stored = self.stored.and_then(|s| {
            s.user_flows.iter().find(|f| f.display_name.to_lowercase() == display_name.to_lowercase())
        });
        let id = match (&section.id, stored) {
            // A GUID has one form; anything else is left for the checks to refuse.
            (Some(id), _) => FlowId::new(ClientId::parse(id).map_or_else(|| id.clone(), |id| id.to_string())),
            (None, Some(flow)) => flow.id.clone(),
            (None, None) => FlowId::new(ClientId::from_random(self.make.bytes()).to_string()),
        };
        (id, display_name)
    }

    fn client(&mut self, flow: usize, index: usize, name: &str, config: &TenantConfig) -> ClientId {
        let folded = name.to_lowercase();
        if let Some(app) = config.applications.iter().find(|a| a.display_name.to_lowercase() == folded) {
            return app.app_id;
        }
        if let Some(id) = ClientId::parse(name) {
            return id;
        }
        let own = config.applications.iter().filter(|a| !a.built_in).map(|a| a.display_name.as_str());
        let text =
            format!("no application “{name}” is registered in this tenant{} (FLOW-05)", likely(name, own));
        let mut path = flow_path(flow, "applications");
        path.push(PathStep::Index(index));
        self.problem(path, text);
        ClientId::from_uuid(Uuid::nil())
    }
}

/// The id of the flow that a file means; what it does not have keeps its name, for the checks to refuse.
fn flow_id(flows: &[UserFlow], name: String) -> String {
    let folded = name.to_lowercase();
    let is_meant = |flow: &&UserFlow| {
        let id = flow.id.as_str().to_lowercase();
        id == folded
            || id.strip_prefix(&WORKFORCE_PREFIX.to_lowercase()) == Some(&*folded)
            || flow.display_name.to_lowercase() == folded
    };
    flows.iter().find(is_meant).map_or(name, |flow| flow.id.0.clone())
}

fn flow_path(index: usize, key: &str) -> Vec<PathStep> {
    vec![PathStep::Key("userFlows".to_owned()), PathStep::Index(index), PathStep::Key(key.to_owned())]
}

/// The id of the attribute that a file means; what it does not have keeps its name, for the checks to refuse.
pub(crate) fn attribute_id(attributes: &[UserFlowAttribute], name: &str) -> AttributeId {
    if find_built_in(name).is_some() || OF_EVERYBODY.contains(&name) {
        return AttributeId::new(name);
    }
    let folded = name.to_lowercase();
    attributes
        .iter()
        .find(|a| {
            let bare = bare_name(a.id.as_str()).unwrap_or_default();
            [a.id.as_str(), bare, &a.display_name].iter().any(|known| known.to_lowercase() == folded)
        })
        .map_or_else(|| AttributeId::new(name), |a| a.id.clone())
}

fn input(config: &TenantConfig, section: &InputSection) -> AttributeInput {
    let attribute = attribute_id(&config.user_flow_attributes, &section.attribute);
    let data_type = config.user_flow_attributes.iter().find(|a| a.id == attribute).map(|a| a.data_type);
    AttributeInput {
        attribute,
        label: section.label.clone(),
        hint: section.hint.clone(),
        input_type: section.input_type.unwrap_or(match data_type {
            None | Some(DataType::String) => InputType::Text,
            Some(DataType::Boolean) => InputType::CheckboxSingleSelect,
            Some(DataType::Int64) => InputType::NumericTextBox,
            Some(DataType::StringCollection) => InputType::CheckboxMultiSelect,
            Some(DataType::DateTime) => InputType::DateTimeDropdown,
        }),
        required: section.required,
        default_value: section.default_value.clone(),
        hidden: section.hidden,
        editable: section.editable,
        write_to_directory: section.write_to_directory,
        validation_reg_ex: section.validation_reg_ex.clone(),
        options: section.options.clone(),
        when: section.when.clone().map(|c| condition(config, c)),
        when_provided: section.when_provided,
        minimum: section.minimum.clone(),
        maximum: section.maximum.clone(),
        default_region: section.default_region.clone(),
        requires_verification: section.requires_verification,
    }
}

fn age(config: &TenantConfig, written: AgeRule) -> AgeRule {
    let id = |name: &AttributeId| attribute_id(&config.user_flow_attributes, name.as_str());
    AgeRule {
        date_of_birth: id(&written.date_of_birth),
        country: written.country.as_ref().map(id),
        ..written
    }
}

fn view(config: &TenantConfig, section: &ViewSection) -> View {
    View {
        title: section.title.clone(),
        description: section.description.clone(),
        when: section.when.clone().map(|c| condition(config, c)),
        inputs: section.inputs.iter().map(|i| input(config, i)).collect(),
    }
}

fn condition(config: &TenantConfig, written: Condition) -> Condition {
    written.with_attributes(&|name| attribute_id(&config.user_flow_attributes, name.as_str()))
}
