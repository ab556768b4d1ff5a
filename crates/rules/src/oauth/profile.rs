//! The table of what each security profile demands of a client (security.md 0.1).
//!
//! Every check that differs between clients asks here, so that what a profile means stands in one place. The table in
//! docs/reference/security-profiles.md is [`table`]; a test compares them. `fapi2` finds its column here once it is
//! built.

use crate::directory::client::SecurityProfile;
use crate::time::Span;

/// What is demanded of the clients of a profile.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Profile {
    /// Whether a web app that proves itself with a secret or key must send a PKCE challenge, too. Apps that cannot
    /// keep a secret always must (S24).
    pub web_apps_need_pkce: bool,
    /// Whether the authorization endpoint may answer with tokens, for apps that have it ticked (S11).
    pub front_channel_tokens: bool,
    /// The longest that an authorization code lives (S32).
    pub code_for: Span,
}

/// What `profile` demands.
pub const fn of(profile: SecurityProfile) -> Profile {
    match profile {
        SecurityProfile::OidcCompat => {
            Profile { web_apps_need_pkce: false, front_channel_tokens: true, code_for: Span::minutes(10) }
        }
        SecurityProfile::Default => {
            Profile { web_apps_need_pkce: true, front_channel_tokens: false, code_for: Span::seconds(60) }
        }
    }
}

/// One line of the table: what it is about, and what a profile says of it.
type Row = (&'static str, fn(&Profile) -> String);

const ROWS: &[Row] = &[
    ("PKCE (S256) of single-page and installed apps", |_| "required".to_owned()),
    ("PKCE (S256) of web apps", |p| required_if(p.web_apps_need_pkce)),
    ("`response_type` other than `code`", |p| {
        if p.front_channel_tokens { "where the app has it ticked".to_owned() } else { "refused".to_owned() }
    }),
    ("Longest life of an authorization code", |p| format!("{} seconds", p.code_for.as_seconds())),
    ("Pushed authorization requests", |_| {
        "taken; demanded with `requirePushedAuthorizationRequests`".to_owned()
    }),
    ("DPoP-bound access tokens", |_| "given to who asks; demanded with `dpopBoundAccessTokens`".to_owned()),
    ("Refresh tokens", |_| "rotate with every use; a used one that comes back ends the grant".to_owned()),
    ("Password grant", |_| "refused".to_owned()),
];

fn required_if(demanded: bool) -> String {
    if demanded { "required" } else { "optional; checked when it was sent" }.to_owned()
}

/// The table as Markdown.
pub fn table() -> String {
    let cells = |first: &str, one: &dyn Fn(SecurityProfile) -> String| {
        let rest: Vec<String> = SecurityProfile::ALL.into_iter().map(one).collect();
        format!("| {first} | {} |\n", rest.join(" | "))
    };
    let mut text = cells("", &|profile| format!("`{}`", profile.as_str()));
    text.push_str(&cells("---", &|_| "---".to_owned()));
    for (about, says) in ROWS {
        text.push_str(&cells(about, &|profile| says(&of(profile))));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_docs_show_the_table() {
        let page = include_str!("../../../../docs/reference/security-profiles.md");
        assert!(page.contains(&table()), "put this into docs/reference/security-profiles.md:\n{}", table());
    }
}
