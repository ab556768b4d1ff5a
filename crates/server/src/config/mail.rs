//! `[smtp]`: the mail server that letters are handed to.

use schemars::JsonSchema;
use serde::Deserialize;
use vestibule_rules::directory::address::Address;
use vestibule_rules::text::Secret;

use super::check::Checker;

/// The mail server that letters are handed to.
#[derive(Deserialize, JsonSchema, Default)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Raw {
    /// The host name of the mail server.
    host: Option<String>,
    /// Its port. Default: `587` with `starttls`, `465` with `tls`, `25` with `none`.
    port: Option<i64>,
    /// How the connection is protected. Default: `starttls`.
    security: Protection,
    /// The name to log in with.
    username: Option<String>,
    /// A file with the password to log in with.
    password_file: Option<String>,
    /// The address that letters come from.
    from: Option<String>,
    /// The name that letters come from.
    from_name: Option<String>,
    /// PEM files with further certificate authorities, for a mail server with a private certificate.
    ca_files: Vec<String>,
    /// How long one letter may take. Default: `30s`.
    timeout: Option<String>,
}

/// How the connection to the mail server is protected.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Protection {
    /// TLS after a plain greeting; without it nothing is sent.
    #[default]
    Starttls,
    /// TLS from the first byte.
    Tls,
    /// Nothing at all; for a mail server on this machine.
    None,
}

/// The mail server.
#[derive(Clone, Debug)]
pub struct Smtp {
    pub host: String,
    pub port: u16,
    pub security: Protection,
    pub username: Option<String>,
    pub password: Option<Secret<String>>,
    pub from: Address,
    pub from_name: Option<String>,
    pub authorities: Vec<String>,
    pub timeout_seconds: u64,
}

impl Raw {
    pub(super) fn check(self, checker: &mut Checker<'_>) -> Option<Smtp> {
        let password = checker.secret("smtp.password_file", self.password_file.as_deref());
        let authorities = checker.files("smtp.ca_files", &self.ca_files);
        let timeout = checker.seconds("smtp.timeout", self.timeout.as_deref(), 30, 600);
        let usual = match self.security {
            Protection::Starttls => 587,
            Protection::Tls => 465,
            Protection::None => 25,
        };
        let port = checker.count("smtp.port", self.port, usual, (1, 65_535));
        let from = self.from.as_deref().and_then(|text| {
            let parsed = Address::parse(text).ok();
            if parsed.is_none() {
                checker.problem("smtp.from", format!("“{text}” is not an address that mail can come from"));
            }
            parsed
        });
        let Some(host) = self.host else {
            if from.is_some() {
                checker.problem("smtp.host", "a sender is named but no mail server");
            }
            return None;
        };
        if self.from.is_none() {
            checker.problem("smtp.from", "say which address letters come from");
        }
        if self.username.is_some() != self.password_file.is_some() {
            checker.problem("smtp.username", "a login needs both smtp.username and smtp.password_file");
        }
        if self.security == Protection::None && self.username.is_some() {
            checker.unsafe_value("smtp.security", "the password would cross the network unprotected");
        }
        Some(Smtp {
            host,
            port: u16::try_from(port).unwrap_or(usual.unsigned_abs().try_into().unwrap_or(25)),
            security: self.security,
            username: self.username,
            password,
            from: from?,
            from_name: self.from_name,
            authorities,
            timeout_seconds: timeout.unsigned_abs(),
        })
    }
}
