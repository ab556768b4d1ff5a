//! From a provider's claims to our attributes (sign-up.md 2.9, IDP-OIDC-02). Pure: what is shown in a dry run is
//! what happens at a sign-in.

use std::borrow::Cow;
use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::kind::Vouching;
use super::{IdentityProvider, UserInfo};
use crate::directory::address::Address;

/// Longest text that a claim is taken for; longer than any attribute may be.
const LONGEST: usize = 4_096;
/// The word on an address, and the claim that is usual for it.
const VERIFIED: (&str, &str) = ("email_verified", "email_verified");

/// How an attribute comes about: the name of a claim, or a source.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(untagged)]
pub enum ClaimRule {
    /// The claim of this name.
    Claim(String),
    /// Made of claims.
    Source(Box<ClaimSource>),
}

/// How an attribute is made. Say one of `claim`, `firstOf`, `join` and `constant`.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(deny_unknown_fields)]
pub struct ClaimSource {
    /// The claim of this name. `address.locality` is a claim inside another one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub claim: Option<String>,
    /// The first of these claims that is there.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub first_of: Vec<String>,
    /// These claims one after another; those that are missing are left out.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub join: Vec<String>,
    /// This text, whatever the provider says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub constant: Option<String>,
    /// What stands between joined claims; a blank when it is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub separator: Option<String>,
    /// Takes one part of the value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub split: Option<Split>,
    /// Writes the value in lower case.
    #[serde(skip_serializing_if = "is_false")]
    pub lower_case: bool,
    /// Where the claims must come from; both are looked at when it is left out, the ID token first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<ClaimsFrom>,
    /// What becomes of the attribute when somebody signs in again.
    pub update: UpdateWhen,
}

/// One part of a text.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Split {
    /// What the text is cut at.
    pub at: String,
    /// Which part: 1 is the first, -1 the last.
    pub part: i32,
    /// Takes the part and all that follow it, or, for a negative number, all that precede it.
    #[serde(default)]
    pub and_rest: bool,
}

/// Where a claim was said.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum ClaimsFrom {
    /// In the ID token.
    IdToken,
    /// By the user info endpoint.
    UserInfo,
}

/// What becomes of an attribute when somebody signs in again.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum UpdateWhen {
    /// It stays as it is.
    #[default]
    Never,
    /// It is taken over if there is none yet.
    WhenEmpty,
    /// It is taken over.
    Always,
}

/// What a provider said about somebody.
#[derive(Clone, Debug, Default)]
pub struct Said {
    /// The claims of the ID token; empty when there is none.
    pub id_token: Map<String, Value>,
    /// The answer of the user info endpoint, if it was asked.
    pub user_info: Option<Map<String, Value>>,
}

/// What became of one attribute, and why.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Mapped {
    /// The attribute.
    pub attribute: String,
    /// Its value, if there is one.
    pub value: Option<String>,
    /// What becomes of it at the next sign-in.
    pub update: UpdateWhen,
    /// How it came about.
    pub why: Why,
}

/// How a value came about.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Why {
    /// From these claims, in order, with where each was said.
    Claims(Vec<(String, ClaimsFrom)>),
    /// The configuration says it.
    Constant,
    /// None of these claims was there.
    Missing(Vec<String>),
    /// The claim was there and is no text, number or boolean.
    NotReadable(String),
    /// Nothing was left of the value after it was cut.
    Nothing,
}

/// An address as a provider tells it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ToldAddress {
    /// The address, as the provider writes it.
    pub address: String,
    /// Whether the provider is believed that it is its user's.
    pub vouched: bool,
}

impl ClaimRule {
    /// The claim of this name.
    pub fn named(claim: &str) -> Self {
        Self::Claim(claim.to_owned())
    }

    /// The rule in its long form.
    pub fn source(&self) -> Cow<'_, ClaimSource> {
        match self {
            Self::Claim(claim) => {
                Cow::Owned(ClaimSource { claim: Some(claim.clone()), ..ClaimSource::default() })
            }
            Self::Source(source) => Cow::Borrowed(source.as_ref()),
        }
    }
}

impl JsonSchema for ClaimRule {
    fn schema_name() -> Cow<'static, str> {
        "ClaimRule".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let mut schema = ClaimSource::json_schema(generator);
        schema.insert("type".to_owned(), serde_json::json!(["string", "object"]));
        schema
    }
}

impl ClaimSource {
    /// The claims that it looks at.
    pub fn names(&self) -> Vec<&str> {
        self.claim.iter().chain(&self.first_of).chain(&self.join).map(String::as_str).collect()
    }

    /// How many of the four ways are named; one is right.
    pub fn ways(&self) -> usize {
        let named =
            [self.claim.is_some(), !self.first_of.is_empty(), !self.join.is_empty(), self.constant.is_some()];
        named.into_iter().filter(|way| *way).count()
    }

    fn take(&self, said: &Said) -> (Option<String>, Why) {
        if let Some(text) = &self.constant {
            return (Some(text.clone()), Why::Constant);
        }
        let wanted = self.names();
        let mut used = Vec::new();
        let mut texts = Vec::new();
        for name in &wanted {
            let Some((value, from)) = said.find(name, self.from) else { continue };
            let Some(text) = readable(value) else {
                return (None, Why::NotReadable((*name).to_owned()));
            };
            used.push(((*name).to_owned(), from));
            texts.push(text);
            if self.join.is_empty() {
                break;
            }
        }
        if texts.is_empty() {
            return (None, Why::Missing(wanted.into_iter().map(str::to_owned).collect()));
        }
        let text = texts.join(self.separator.as_deref().unwrap_or(" "));
        match self.finish(&text) {
            Some(text) => (Some(text), Why::Claims(used)),
            None => (None, Why::Nothing),
        }
    }

    fn finish(&self, text: &str) -> Option<String> {
        let text = match &self.split {
            Some(split) => split.take(text)?,
            None => text.to_owned(),
        };
        let text = if self.lower_case { text.to_lowercase() } else { text };
        let text = text.trim();
        (!text.is_empty() && text.len() <= LONGEST).then(|| text.to_owned())
    }
}

impl Split {
    fn take(&self, text: &str) -> Option<String> {
        let parts: Vec<&str> = text.split(self.at.as_str()).filter(|part| !part.trim().is_empty()).collect();
        let place = usize::try_from(self.part.unsigned_abs()).ok()?.checked_sub(1)?;
        let (first, last) = if self.part > 0 {
            (place, if self.and_rest { parts.len() } else { place.checked_add(1)? })
        } else {
            let last = parts.len().checked_sub(place)?;
            (if self.and_rest { 0 } else { last.checked_sub(1)? }, last)
        };
        parts.get(first..last).filter(|some| !some.is_empty()).map(|some| some.join(&self.at))
    }
}

impl Said {
    /// A claim by its name, or inside others by names with dots between them.
    pub fn find(&self, name: &str, from: Option<ClaimsFrom>) -> Option<(&Value, ClaimsFrom)> {
        let token = (from != Some(ClaimsFrom::UserInfo)).then_some((&self.id_token, ClaimsFrom::IdToken));
        let info = self.user_info.as_ref().filter(|_| from != Some(ClaimsFrom::IdToken));
        let info = info.map(|claims| (claims, ClaimsFrom::UserInfo));
        [token, info].into_iter().flatten().find_map(|(claims, from)| Some((inside(claims, name)?, from)))
    }

    fn text(&self, name: &str) -> Option<String> {
        self.find(name, None).and_then(|(value, _)| readable(value))
    }
}

/// A name with a dot or a slash in it is a name first: claims in a namespace look like addresses.
fn inside<'a>(claims: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    let found = claims.get(name).or_else(|| {
        let (first, rest) = name.split_once('.')?;
        inside(claims.get(first)?.as_object()?, rest)
    });
    found.filter(|value| !value.is_null())
}

fn readable(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(yes) => Some(yes.to_string()),
        Value::Number(number) => Some(number.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

impl<K> IdentityProvider<K> {
    /// What tells this person from others at the provider: of a kind without ID tokens, what its description says.
    pub fn subject(&self, said: &Said) -> Option<String> {
        let configured =
            self.settings.inbound_claim_mapping.get("sub").map(|rule| rule.source().take(said).0);
        let subject = configured.unwrap_or_else(|| said.text(self.preset().subject))?;
        // NUL and its like cannot be stored in every database.
        let good = !subject.is_empty() && subject.len() <= 255 && !subject.chars().any(char::is_control);
        good.then_some(subject)
    }

    /// How subject, address and the word on the address come about: what no attribute is made of.
    pub fn identity(&self, said: &Said) -> Vec<Mapped> {
        let all = [("sub", self.preset().subject), ("email", self.preset().email), VERIFIED];
        let mapped = all.map(|(attribute, usual)| {
            let rule = self.rule(attribute, usual);
            let source = rule.source();
            let (value, why) = source.take(said);
            let value = if attribute == "sub" { self.subject(said) } else { value };
            Mapped { attribute: attribute.to_owned(), value, update: source.update, why }
        });
        mapped.into()
    }

    /// How one of the claims that no attribute is made of comes about.
    fn rule(&self, name: &str, usual: &str) -> ClaimRule {
        let mapped = self.settings.inbound_claim_mapping.get(name).cloned();
        mapped.unwrap_or_else(|| ClaimRule::named(usual))
    }

    /// Our attributes as the provider fills them in.
    pub fn attributes(&self, said: &Said) -> Vec<Mapped> {
        let mapping = self.claim_mapping().into_iter();
        mapping
            .filter(|(attribute, _)| !matches!(attribute.as_str(), "sub" | "email" | "email_verified"))
            .map(|(attribute, rule)| {
                let source = rule.source();
                let (value, why) = source.take(said);
                Mapped { attribute, value, update: source.update, why }
            })
            .collect()
    }

    /// The address that the provider tells, and whether it is believed (IDP-OIDC-01, security.md RP13, U15, U17).
    pub fn address(&self, said: &Said) -> Option<ToldAddress> {
        let (address, why) = self.rule("email", self.preset().email).source().take(said);
        let address = address?;
        // The word on an address holds for the one that stands beside it: an ID token that tells none proves none of
        // those that the user info endpoint tells.
        let beside = match why {
            Why::Claims(used) => used.first().map(|(_, from)| *from),
            Why::Constant | Why::Missing(_) | Why::NotReadable(_) | Why::Nothing => None,
        };
        let rule = self.rule(VERIFIED.0, VERIFIED.1);
        let source = rule.source();
        let verified = source.names().first().and_then(|name| said.find(name, source.from.or(beside)));
        let verified = verified.map(|(value, _)| value);
        let word = |name: &str| said.find(name, beside).and_then(|(value, _)| readable(value));
        let vouched = self.vouches(&address, verified, word);
        Some(ToldAddress { address, vouched })
    }

    fn vouches(
        &self,
        address: &str,
        verified: Option<&Value>,
        word: impl Fn(&str) -> Option<String>,
    ) -> bool {
        let Ok(parsed) = Address::parse(address) else { return false };
        let domain = parsed.key().rsplit_once('@').map(|(_, domain)| domain.to_owned()).unwrap_or_default();
        let claimed = verified == Some(&Value::Bool(true));
        let text = verified.and_then(Value::as_str) == Some("true");
        let owned = |domains: &[&str]| domains.contains(&domain.as_str());
        let (said_so, usual) = match self.preset().vouching {
            Vouching::Claim => (claimed, true),
            Vouching::ClaimOrText => (claimed || text, true),
            Vouching::Always => (true, true),
            Vouching::ClaimAndOwn(domains) => {
                let hosted = word("hd").is_some_and(|hosted| hosted.eq_ignore_ascii_case(&domain));
                (claimed, owned(domains) || hosted)
            }
            Vouching::Own(domains) => (true, owned(domains)),
            // Entra ID tells it as a number, a text or a boolean.
            Vouching::DomainOwner => {
                (true, word("xms_edov").is_some_and(|told| told == "true" || told == "1"))
            }
        };
        let trusted = self.settings.trusted_email_domains.as_deref();
        said_so
            && trusted.map_or(usual, |list| list.iter().any(|d| d == "*" || d.eq_ignore_ascii_case(&domain)))
    }

    /// Whether the user info endpoint is to be asked after this ID token.
    pub fn wants_user_info(&self, id_token: &Map<String, Value>) -> bool {
        match self.settings.user_info {
            UserInfo::Always => true,
            UserInfo::Never => false,
            UserInfo::WhenMissing => {
                let said = Said { id_token: id_token.clone(), user_info: None };
                let named = self.settings.inbound_claim_mapping.values().any(|rule| {
                    let source = rule.source();
                    source.from == Some(ClaimsFrom::UserInfo)
                        || matches!(source.take(&said).1, Why::Missing(_))
                });
                named || self.address(&said).is_none()
            }
        }
    }
}

/// The values that there are, by attribute.
pub fn values(mapped: &[Mapped]) -> BTreeMap<String, String> {
    mapped.iter().filter_map(|one| Some((one.attribute.clone(), one.value.clone()?))).collect()
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "what serde calls")]
const fn is_false(value: &bool) -> bool {
    !*value
}

#[cfg(test)]
mod tests;
