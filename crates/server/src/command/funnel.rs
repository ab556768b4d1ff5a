//! `vestibule funnel`: how far people come, and the way of one of them.

use vestibule_rules::fault::{Fault, Kind};
use vestibule_rules::journey::facts::Intent;
use vestibule_rules::time::{Span, Timestamp};
use vestibule_service::funnel::{self, By, Filter};
use vestibule_service::ports::clock::{Clock as _, SystemClock};
use vestibule_store::{Db, migrate};

use super::funnel_report as print;
use crate::cli::{FunnelArgs, FunnelBy, FunnelIntent};
use crate::config::length_of_time;
use crate::failure::{Done, Failure};
use crate::terminal::say;
use crate::wire;

pub(super) fn run(args: &FunnelArgs) -> Done {
    let now = SystemClock.now();
    let since = since(&args.since, now)?;
    let config = args.settings.read()?;
    super::block_on(async {
        let db = wire::open(wire::database(&config.database)).await?;
        migrate::run(&db).await?;
        say(&told(&db, args, (since, now)).await?);
        Ok(())
    })
}

/// What the command prints.
async fn told(db: &Db, args: &FunnelArgs, (since, now): (Timestamp, Timestamp)) -> Done<String> {
    let tenant = args.tenant.as_deref();
    if let Some(id) = &args.correlation_id {
        let found = funnel::trace(db, id, tenant, now).await.map_err(explained)?;
        return Ok(if args.json { print::trace_json(&found) } else { print::trace(&found) });
    }
    let filter =
        Filter { tenant, flow: args.flow.as_deref(), intent: intent(args.intent), since, by: by(args.by) };
    let report = funnel::report(db, filter, now).await.map_err(explained)?;
    let period = print::Period { since, until: now };
    Ok(if args.json {
        print::report_json(&report, filter, period)
    } else {
        print::report(&report, filter, period)
    })
}

/// The instant that a length of time before now, a date or an instant means.
fn since(text: &str, now: Timestamp) -> Done<Timestamp> {
    let ago = length_of_time(text).map(|seconds| now - Span::seconds(seconds));
    let day = || Timestamp::parse_rfc3339(&format!("{text}T00:00:00Z"));
    ago.or_else(day).or_else(|| Timestamp::parse_rfc3339(text)).ok_or_else(|| {
        Failure::usage(format!(
            "--since: “{text}” is neither a length of time such as 24h or 7d nor a date such as 2026-11-24"
        ))
    })
}

const fn intent(intent: FunnelIntent) -> Intent {
    match intent {
        FunnelIntent::SignUp => Intent::SignUp,
        FunnelIntent::SignIn => Intent::SignIn,
        FunnelIntent::Reset => Intent::Reset,
    }
}

const fn by(by: FunnelBy) -> By {
    match by {
        FunnelBy::Step => By::Step,
        FunnelBy::Method => By::Method,
        FunnelBy::App => By::App,
        FunnelBy::Language => By::Language,
    }
}

/// What was asked wrongly, or is not there, is said in its own words.
fn explained(fault: Fault) -> Failure {
    match fault.kind {
        Kind::Malformed => Failure::usage(fault.detail),
        Kind::Missing => Failure::new(fault.detail),
        Kind::WrongClient
        | Kind::WrongCredential
        | Kind::Expired
        | Kind::Used
        | Kind::Forbidden
        | Kind::Conflict
        | Kind::Stale
        | Kind::Throttled(_)
        | Kind::Upstream
        | Kind::Ours => fault.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::{Span, Timestamp, since};

    #[test]
    fn since_is_a_length_of_time_a_date_or_an_instant() {
        let now = Timestamp::from_seconds(1_795_487_136);
        assert_eq!(since("7d", now), Ok(now - Span::days(7)));
        assert_eq!(since("2026-11-24", now).map(Timestamp::rfc3339), Ok("2026-11-24T00:00:00Z".to_owned()));
        assert_eq!(
            since("2026-11-24T02:00:00+01:00", now).map(Timestamp::rfc3339),
            Ok("2026-11-24T01:00:00Z".to_owned())
        );
        for bad in ["", "7", "-1d", "yesterday", "2026-02-30", "1w"] {
            assert_eq!(since(bad, now).map_err(|failure| failure.code()), Err(2), "{bad}");
        }
    }
}
