//! `vestibule token`: what tokens say, and who takes them.

use vestibule_service::token_explain::{Verdict, Wanted, explain};

use super::provider::{explained, given, site};
use super::token_report as print;
use crate::cli::{TokenArgs, TokenCommand};
use crate::failure::{Done, Failure};
use crate::terminal::say;
use crate::wire::Plan;

pub(super) fn run(command: &TokenCommand) -> Done {
    match command {
        TokenCommand::Explain(args) => explain_one(args),
    }
}

fn explain_one(args: &TokenArgs) -> Done {
    let config = args.settings.read()?;
    let token = given(None)?;
    let wanted = Wanted {
        tenant: args.tenant.clone(),
        audience: args.audience.clone(),
        scope: args.scope.clone(),
        role: args.role.clone(),
    };
    super::block_on(async {
        let site = site(&config, Plan::of(&config)).await?;
        let found = explain(&site, &token, &wanted).await.map_err(explained)?;
        say(&if args.json { print::json(&found) } else { print::text(&found) });
        match found.verdict() {
            Verdict::Holds | Verdict::Note => Ok(()),
            Verdict::Refused | Verdict::Withdrawn => Err(Failure::new("the token would not be accepted")),
        }
    })
}
