//! `vestibule demo`.

use vestibule_rules::text::Secret;

use crate::cli::DemoArgs;
use crate::config::Log;
use crate::demo::ports::Wanted;
use crate::demo::{self, Demo};
use crate::failure::Done;
use crate::{telemetry, wire};

pub(super) fn run(args: DemoArgs) -> Done {
    telemetry::start(&Log { level: "warn".to_owned(), json: false });
    let demo = Demo {
        data: args.data,
        ports: Wanted { http: args.port, https: args.tls_port, app: args.app_port },
        database_url: args.database_url.map(Secret::new),
    };
    super::block_on(async { demo::run(demo, wire::signals()?).await })
}
