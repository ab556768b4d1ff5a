//! `vestibule terms`: what people accepted.

use std::io::{self, Write as _};

use serde_json::Value;
use vestibule_service::directory::life::Named;
use vestibule_service::terms::{self, Acceptance};

use super::apply::{author, open};
use crate::cli::{FlowArgs, Listing, Settings, TermsCommand};
use crate::failure::{Done, Failure};
use crate::terminal::say;

pub(super) fn run(command: &TermsCommand) -> Done {
    match command {
        TermsCommand::Export { tenant, format, settings } => export(tenant, *format, settings),
        TermsCommand::Withdraw { flow, user, document } => withdraw(flow, (user, document)),
    }
}

fn export(tenant: &str, format: Listing, settings: &Settings) -> Done {
    let config = settings.read()?;
    super::block_on(async {
        let (db, _) = open(&config).await?;
        let mut sheet = Sheet::new(format);
        terms::export(&db, tenant, |acceptance| sheet.add(&acceptance)).await?;
        sheet.end()
    })
}

/// Standard output as a list.
enum Sheet {
    Csv(Box<csv::Writer<io::Stdout>>, Result<(), csv::Error>),
    Json(io::Result<()>),
}

const HEADINGS: [&str; 14] = [
    "userId",
    "userPrincipalName",
    "mail",
    "flow",
    "flowVersion",
    "document",
    "version",
    "language",
    "digest",
    "acceptedAt",
    "sourceAddress",
    "correlationId",
    "withdrawnAt",
    "withdrawnBy",
];

impl Sheet {
    fn new(format: Listing) -> Self {
        match format {
            Listing::Json => Self::Json(Ok(())),
            Listing::Csv => {
                let mut writer = Box::new(csv::Writer::from_writer(io::stdout()));
                let begun = writer.write_record(HEADINGS);
                Self::Csv(writer, begun)
            }
        }
    }

    fn add(&mut self, acceptance: &Acceptance) {
        match self {
            Self::Csv(writer, so_far @ Ok(())) => *so_far = writer.write_record(cells(acceptance)),
            Self::Json(so_far @ Ok(())) => {
                *so_far = serde_json::to_string(acceptance)
                    .map_err(io::Error::from)
                    .and_then(|line| writeln!(io::stdout().lock(), "{line}"));
            }
            // What went wrong first is told at the end.
            Self::Csv(_, Err(_)) | Self::Json(Err(_)) => {}
        }
    }

    fn end(self) -> Done {
        let written = match self {
            Self::Csv(mut writer, so_far) => so_far.map_err(io::Error::from).and_then(|()| writer.flush()),
            Self::Json(so_far) => so_far,
        };
        match written {
            // Whoever reads only the beginning has what they wanted.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            other => other.map_err(|error| Failure::new(format!("the list cannot be written: {error}"))),
        }
    }
}

/// The members of an act in the order of the headings.
fn cells(acceptance: &Acceptance) -> Vec<String> {
    let members = serde_json::to_value(acceptance).unwrap_or_default();
    let cell = |name: &&str| match members.get(*name) {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => harmless(text),
        Some(other) => other.to_string(),
    };
    HEADINGS.iter().map(cell).collect()
}

/// A text that no spreadsheet takes for a formula: an apostrophe before it makes it a text.
fn harmless(text: &str) -> String {
    let runs =
        text.starts_with(['=', '+', '-', '@', '\t', '\r', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}']);
    if runs { format!("'{text}") } else { text.to_owned() }
}

fn withdraw(args: &FlowArgs, (user, document): (&str, &str)) -> Done {
    let config = args.settings.read()?;
    super::block_on(async {
        let (db, _) = open(&config).await?;
        let named = Named { tenant: &args.tenant, flow: &args.flow };
        let count = terms::withdraw(&db, named, (user, document), &author()).await?;
        say(&match count {
            0 => "Nothing to withdraw: there is no acceptance that holds.".to_owned(),
            1 => "Withdrawn: one acceptance. The document is asked about at the next sign-in.".to_owned(),
            _ => format!("Withdrawn: {count} acceptances. The document is asked about at the next sign-in."),
        });
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_member_has_a_heading_and_no_cell_is_a_formula() {
        let hostile = "=HYPERLINK(\"https://evil.example\")@x.example";
        let acceptance = Acceptance {
            user_id: "7".to_owned(),
            user_principal_name: Some(hostile.to_owned()),
            mail: Some("+1@x.example".to_owned()),
            flow: "-1".to_owned(),
            flow_version: 3,
            document: "@SUM(1)".to_owned(),
            version: "\t=1".to_owned(),
            language: "en".to_owned(),
            digest: "ab".to_owned(),
            accepted_at: "2026-11-24T02:25:36Z".to_owned(),
            source_address: "192.0.2.7".to_owned(),
            correlation_id: "c".to_owned(),
            withdrawn_at: None,
            withdrawn_by: Some("user:1".to_owned()),
        };
        let members = serde_json::to_value(&acceptance).unwrap();
        let mut names: Vec<&str> = members.as_object().unwrap().keys().map(String::as_str).collect();
        let mut headings = HEADINGS.to_vec();
        names.sort_unstable();
        headings.sort_unstable();
        assert_eq!(names, headings);
        let cells = cells(&acceptance);
        assert_eq!(cells[1], format!("'{hostile}"));
        for cell in cells {
            assert!(!cell.starts_with(['=', '+', '-', '@', '\t']), "{cell}");
        }
    }
}
