//! The tenant's names and its look.

use super::{Findings, Place, lifetimes, markdown, redirect};
use crate::directory::session_lifetimes;
use crate::directory::tenant::{Branding, Tenant, TenantConfig};

/// Names that already mean something as the first segment of an address. The first four are authorities
/// that Microsoft's libraries treat specially.
const RESERVED_NAMES: &[&str] =
    &["common", "organizations", "consumers", "tfp", "dev", "assets", "error", "health"];

/// Longest label of a domain name, which a short name becomes (RFC 1035 2.3.4).
const LONGEST_NAME: usize = 63;
/// Longest text on the sign-in page in characters (sign-up.md 6.1).
const LONGEST_PAGE_TEXT: usize = 1024;
/// Largest logo in bytes (sign-up.md 6.1).
const LARGEST_LOGO: usize = 50 * 1024;
/// The suffix of the domain that every tenant has from its short name.
const INITIAL_SUFFIX: &str = ".onmicrosoft.com";

pub(super) fn check(config: &TenantConfig, found: &mut Findings) {
    let at = Place::top("tenant");
    let tenant = &config.tenant;
    if tenant.display_name.trim().is_empty() {
        found.add(&at.key("displayName"), "BRAND-01", "the tenant needs a name that people read");
    }
    if let Some(text) = short_name_problem(&tenant.short_name) {
        found.add(&at.key("shortName"), "1.1", text);
    }
    domains(tenant, &at.key("domains"), found);
    branding(&tenant.branding, &at.key("branding"), found);
    if let Some(code) = &tenant.country_letter_code
        && (code.to_ascii_uppercase() != *code || rust_iso3166::from_alpha2(code).is_none())
    {
        let text = format!("“{code}” is no country of two capital letters, such as DE");
        found.add(&at.key("countryLetterCode"), "3.13", text);
    }
    lifetimes::check(&tenant.tokens.lifetimes, &at.key("tokens").key("lifetimes"), found);
    sessions(tenant, &at.key("sessionLifetimes"), found);
}

fn sessions(tenant: &Tenant, at: &Place, found: &mut Findings) {
    for (key, text) in tenant.session_lifetimes.all() {
        if text.is_some_and(|text| session_lifetimes::parse(text).is_none()) {
            found.add(
                &at.key(key),
                "A42",
                "write a length as a number and a unit, such as 30m, 12h or 90d; at most 730d",
            );
        }
    }
}

fn short_name_problem(name: &str) -> Option<String> {
    let good_start = name.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit());
    let good = name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
    if !good_start || !good || name.len() > LONGEST_NAME {
        return Some(format!(
            "“{name}” is not a short name: use lower-case letters, digits and hyphens, begin with a letter or digit, at most {LONGEST_NAME}"
        ));
    }
    reserved_problem(name)
}

/// Microsoft's libraries rewrite `/token` textually, so no name may begin with it
/// (native-auth-and-msal.md 2.3).
fn reserved_problem(name: &str) -> Option<String> {
    if name.starts_with("token") {
        return Some(format!(
            "“{name}” begins with “token”; Microsoft's client libraries would mangle its addresses"
        ));
    }
    RESERVED_NAMES
        .contains(&name)
        .then(|| format!("“{name}” is reserved: it already means something at the start of an address"))
}

fn domains(tenant: &Tenant, at: &Place, found: &mut Findings) {
    for (i, domain) in tenant.domains.iter().enumerate() {
        let at = at.index(i);
        let folded = domain.to_lowercase();
        match idna::domain_to_ascii_strict(&folded) {
            Ok(ascii) if ascii.contains('.') && !ascii.ends_with('.') => {}
            _ => found.add(&at, "1.1", format!("“{domain}” is not a domain name such as contoso.example")),
        }
        if let Some(text) = reserved_problem(&folded) {
            found.add(&at, "1.1", text);
        }
        if folded.ends_with(INITIAL_SUFFIX) && folded != tenant.initial_domain() {
            found.add(
                &at,
                "1.1",
                format!(
                    "“{domain}” belongs to another short name; this tenant's is {}",
                    tenant.initial_domain()
                ),
            );
        }
    }
    super::unique(
        tenant.domains.iter().enumerate().map(|(i, d)| (at.index(i), d.as_str())),
        "1.1",
        "the domain",
        found,
    );
}

fn branding(branding: &Branding, at: &Place, found: &mut Findings) {
    for (key, colour) in
        [("accentColor", &branding.accent_color), ("backgroundColor", &branding.background_color)]
    {
        if colour.as_deref().is_some_and(|c| !is_colour(c)) {
            found.add(
                &at.key(key),
                "6.1",
                "write a colour as # and six hexadecimal digits, such as \"#1f6f54\" (in quotes)",
            );
        }
    }
    if let Some(text) = branding.banner_logo.as_deref().and_then(logo_problem) {
        found.add(&at.key("bannerLogo"), "6.1", text);
    }
    if let Some(text) = &branding.sign_in_page_text {
        if text.chars().count() > LONGEST_PAGE_TEXT {
            found.add(&at.key("signInPageText"), "6.1", format!("at most {LONGEST_PAGE_TEXT} characters"));
        }
        markdown::check(text, &at.key("signInPageText"), found);
    }
    for (key, url) in [
        ("customPrivacyAndCookiesUrl", &branding.custom_privacy_and_cookies_url),
        ("customTermsOfUseUrl", &branding.custom_terms_of_use_url),
    ] {
        if let Some(text) = url.as_deref().and_then(redirect::page_problem) {
            found.add(&at.key(key), "6.1", text);
        }
    }
}

fn is_colour(text: &str) -> bool {
    text.strip_prefix('#').is_some_and(|hex| hex.len() == 6 && hex.bytes().all(|b| b.is_ascii_hexdigit()))
}

fn logo_problem(logo: &str) -> Option<String> {
    let data =
        ["data:image/png;base64,", "data:image/jpeg;base64,"].iter().find_map(|p| logo.strip_prefix(p));
    let Some(data) = data else {
        return Some("a logo is a data:image/png;base64,… or data:image/jpeg;base64,… address".to_owned());
    };
    let good = data.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'='));
    if !good || data.is_empty() {
        return Some("what follows “base64,” is not base64".to_owned());
    }
    (data.len() / 4 * 3 > LARGEST_LOGO).then(|| format!("the logo is larger than {} KB", LARGEST_LOGO / 1024))
}
