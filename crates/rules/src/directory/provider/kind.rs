//! The kinds of providers that we know, and what is usual for each: addresses, scopes, names of claims, and how
//! far its word on an address goes. Every value can be set otherwise in the configuration, so that an emulator
//! or a company's own installation can stand in for the public one.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{ClientAuthentication, Endpoints, ResponseMode};

/// What a provider is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub enum ProviderKind {
    /// Any OpenID Connect provider.
    #[default]
    OpenIdConnect,
    /// Any OAuth 2.0 server that describes a token's holder at an address.
    OAuth2,
    Google,
    Facebook,
    Apple,
    /// Personal accounts of Microsoft.
    MicrosoftAccount,
    /// Accounts of organisations at Microsoft Entra ID.
    MicrosoftEntra,
    GitHub,
    LinkedIn,
    X,
}

impl ProviderKind {
    /// The names by which an application may mean it in `domain_hint`.
    pub const fn known_as(self) -> &'static [&'static str] {
        match self {
            Self::OpenIdConnect | Self::OAuth2 => &[],
            Self::Google => &["google.com", "google"],
            Self::Facebook => &["facebook.com", "facebook"],
            Self::Apple => &["apple.com", "appleid.apple.com", "apple"],
            Self::MicrosoftAccount => &["live.com", "consumers"],
            Self::MicrosoftEntra => &["organizations"],
            Self::GitHub => &["github.com", "github"],
            Self::LinkedIn => &["linkedin.com", "linkedin"],
            Self::X => &["x.com", "twitter.com", "x"],
        }
    }
}

/// How people are told apart and proven.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Protocol {
    /// OpenID Connect: a signed ID token.
    OpenIdConnect,
    /// OAuth 2.0: an access token, and a description of its holder.
    OAuth2,
}

/// How far a provider's word on an address goes, when the configuration does not say.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Vouching {
    /// `email_verified` is `true`.
    Claim,
    /// As before, or the text `true`, which Apple documents.
    ClaimOrText,
    /// Every address that it names is proven before it is given out.
    Always,
    /// The claim says so and the provider runs the mailbox: its own domains, or the organisation's in `hd`.
    ClaimAndOwn(&'static [&'static str]),
    /// The provider runs the mailbox.
    Own(&'static [&'static str]),
    /// `xms_edov`: the organisation has proven that it owns the domain. The address alone is whatever its
    /// administrator typed (nOAuth).
    DomainOwner,
}

/// What is usual for a kind.
#[derive(Debug)]
pub struct Preset {
    pub protocol: Protocol,
    /// The name on its button when there is none.
    pub name: &'static str,
    /// Empty when every provider of the kind has its own.
    pub issuer: &'static str,
    /// What guests' and customers' identities are filed under, when that is not the issuer.
    pub guest_issuer: Option<&'static str>,
    pub customer_issuer: Option<&'static str>,
    pub well_known: Option<&'static str>,
    pub endpoints: Option<Addresses>,
    pub scope: &'static str,
    pub client_authentication: ClientAuthentication,
    pub response_mode: ResponseMode,
    /// Whether it takes PKCE from an app with a secret (RFC 7636).
    pub pkce: bool,
    /// The claim that tells people apart.
    pub subject: &'static str,
    pub email: &'static str,
    pub vouching: Vouching,
    /// Our attribute → the provider's claim.
    pub claims: &'static [(&'static str, &'static str)],
}

/// [`Endpoints`] that are known beforehand.
#[derive(Clone, Copy, Debug)]
pub struct Addresses {
    pub authorization: &'static str,
    pub token: &'static str,
    pub user_info: &'static str,
    pub emails: Option<&'static str>,
    pub token_check: Option<&'static str>,
}

impl Addresses {
    pub(super) fn to_endpoints(self) -> Endpoints {
        Endpoints {
            authorization: self.authorization.to_owned(),
            token: self.token.to_owned(),
            user_info: self.user_info.to_owned(),
            emails: self.emails.map(str::to_owned),
            token_check: self.token_check.map(str::to_owned),
        }
    }
}

/// Our attribute → the standard claim (sign-up.md 2.9).
pub const STANDARD_CLAIMS: &[(&str, &str)] = &[
    ("displayName", "name"),
    ("givenName", "given_name"),
    ("surname", "family_name"),
    ("streetAddress", "street_address"),
    ("city", "locality"),
    ("state", "region"),
    ("postalCode", "postal_code"),
    ("country", "country"),
];

const NAMES: &[(&str, &str)] =
    &[("displayName", "name"), ("givenName", "given_name"), ("surname", "family_name")];

const OPEN_ID: Preset = Preset {
    protocol: Protocol::OpenIdConnect,
    name: "",
    issuer: "",
    guest_issuer: None,
    customer_issuer: None,
    well_known: None,
    endpoints: None,
    scope: "openid profile email",
    client_authentication: ClientAuthentication::ClientSecretPost,
    response_mode: ResponseMode::Query,
    pkce: true,
    subject: "sub",
    email: "email",
    vouching: Vouching::Claim,
    claims: STANDARD_CLAIMS,
};

const OAUTH: Preset = Preset { protocol: Protocol::OAuth2, scope: "", ..OPEN_ID };

const GOOGLE: Preset = Preset {
    name: "Google",
    issuer: "https://accounts.google.com",
    guest_issuer: Some("google.com"),
    customer_issuer: Some("google.com"),
    vouching: Vouching::ClaimAndOwn(&["gmail.com", "googlemail.com"]),
    claims: NAMES,
    ..OPEN_ID
};

const FACEBOOK: Preset = Preset {
    name: "Facebook",
    issuer: "https://www.facebook.com",
    guest_issuer: Some("facebook.com"),
    customer_issuer: Some("facebook.com"),
    endpoints: Some(Addresses {
        authorization: "https://www.facebook.com/v23.0/dialog/oauth",
        token: "https://graph.facebook.com/v23.0/oauth/access_token",
        user_info: "https://graph.facebook.com/v23.0/me?fields=id,name,first_name,last_name,email",
        emails: None,
        token_check: Some("https://graph.facebook.com/debug_token"),
    }),
    scope: "public_profile,email",
    subject: "id",
    vouching: Vouching::Always,
    claims: &[("displayName", "name"), ("givenName", "first_name"), ("surname", "last_name")],
    ..OAUTH
};

const APPLE: Preset = Preset {
    name: "Apple",
    issuer: "https://appleid.apple.com",
    guest_issuer: Some("apple.com"),
    customer_issuer: Some("apple.com"),
    scope: "openid name email",
    // Apple's own kind of private_key_jwt: the assertion is sent as the secret.
    client_authentication: ClientAuthentication::ClientSecretPost,
    // Demanded as soon as a scope is.
    response_mode: ResponseMode::FormPost,
    vouching: Vouching::ClaimOrText,
    claims: NAMES,
    ..OPEN_ID
};

const MICROSOFT_ACCOUNT: Preset = Preset {
    name: "Microsoft",
    issuer: "https://login.microsoftonline.com/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0",
    guest_issuer: Some("MicrosoftAccount"),
    vouching: Vouching::Own(&["outlook.com", "hotmail.com", "live.com", "msn.com"]),
    claims: NAMES,
    ..OPEN_ID
};

const MICROSOFT_ENTRA: Preset = Preset {
    name: "Microsoft",
    issuer: "https://login.microsoftonline.com/{tenantid}/v2.0",
    guest_issuer: Some("ExternalAzureAD"),
    well_known: Some("https://login.microsoftonline.com/organizations/v2.0/.well-known/openid-configuration"),
    vouching: Vouching::DomainOwner,
    claims: NAMES,
    ..OPEN_ID
};

const GITHUB: Preset = Preset {
    name: "GitHub",
    issuer: "https://github.com",
    guest_issuer: Some("github.com"),
    customer_issuer: Some("github.com"),
    endpoints: Some(Addresses {
        authorization: "https://github.com/login/oauth/authorize",
        token: "https://github.com/login/oauth/access_token",
        user_info: "https://api.github.com/user",
        emails: Some("https://api.github.com/user/emails"),
        token_check: Some("https://api.github.com/applications"),
    }),
    scope: "read:user user:email",
    subject: "id",
    claims: &[("displayName", "name")],
    ..OAUTH
};

const LINKED_IN: Preset = Preset {
    name: "LinkedIn",
    issuer: "https://www.linkedin.com/oauth",
    guest_issuer: Some("linkedin.com"),
    customer_issuer: Some("linkedin.com"),
    // Its ID tokens carry no nonce, so the holder is asked for at the user info endpoint.
    endpoints: Some(Addresses {
        authorization: "https://www.linkedin.com/oauth/v2/authorization",
        token: "https://www.linkedin.com/oauth/v2/accessToken",
        user_info: "https://api.linkedin.com/v2/userinfo",
        emails: None,
        token_check: None,
    }),
    scope: "openid profile email",
    // Its token endpoint refuses a verifier beside a secret; state and secret tie the code to us all the same.
    pkce: false,
    claims: NAMES,
    ..OAUTH
};

const X: Preset = Preset {
    name: "X",
    issuer: "https://x.com",
    guest_issuer: Some("x.com"),
    customer_issuer: Some("x.com"),
    endpoints: Some(Addresses {
        authorization: "https://x.com/i/oauth2/authorize",
        token: "https://api.x.com/2/oauth2/token",
        user_info: "https://api.x.com/2/users/me?user.fields=confirmed_email",
        emails: None,
        token_check: None,
    }),
    scope: "users.read tweet.read users.email",
    client_authentication: ClientAuthentication::ClientSecretBasic,
    subject: "data.id",
    email: "data.confirmed_email",
    vouching: Vouching::Always,
    claims: &[("displayName", "data.name")],
    ..OAUTH
};

impl ProviderKind {
    /// What is usual for the kind.
    pub const fn preset(self) -> &'static Preset {
        match self {
            Self::OpenIdConnect => &OPEN_ID,
            Self::OAuth2 => &OAUTH,
            Self::Google => &GOOGLE,
            Self::Facebook => &FACEBOOK,
            Self::Apple => &APPLE,
            Self::MicrosoftAccount => &MICROSOFT_ACCOUNT,
            Self::MicrosoftEntra => &MICROSOFT_ENTRA,
            Self::GitHub => &GITHUB,
            Self::LinkedIn => &LINKED_IN,
            Self::X => &X,
        }
    }

    /// The name in files and in Graph.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OpenIdConnect => "OpenIdConnect",
            Self::OAuth2 => "OAuth2",
            Self::Google => "Google",
            Self::Facebook => "Facebook",
            Self::Apple => "Apple",
            Self::MicrosoftAccount => "MicrosoftAccount",
            Self::MicrosoftEntra => "MicrosoftEntra",
            Self::GitHub => "GitHub",
            Self::LinkedIn => "LinkedIn",
            Self::X => "X",
        }
    }
}
