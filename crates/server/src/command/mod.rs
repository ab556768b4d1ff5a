//! What each command does.

mod apply;
mod client_registration;
mod config;
mod consent;
mod demo;
mod flow;
mod flow_preview;
mod flow_report;
mod flow_show;
mod flow_test;
mod funnel;
mod funnel_report;
mod keys;
mod membership;
mod migrate;
mod provider;
mod provider_domains;
mod provider_list;
mod provider_map;
mod provider_report;
mod serve;
mod terms;
mod token;
mod token_report;
mod user;

use crate::cli::Command;
use crate::failure::{Done, Failure};

/// Threads that serve requests. The work between two waits is short, hashing has threads of its own, and
/// every thread costs memory.
const WORKERS_MAX: usize = 8;

/// Runs a command to its end.
pub fn run(command: Command) -> Done {
    match command {
        Command::Serve(settings) => serve::run(&settings),
        Command::Demo(args) => demo::run(args),
        Command::Migrate(settings) => migrate::run(&settings),
        Command::Apply(args) => apply::run(&args),
        Command::Schema => {
            apply::schema();
            Ok(())
        }
        Command::Flow(command) => flow::run(&command),
        Command::Terms(command) => terms::run(&command),
        Command::User(command) => user::run(&command),
        Command::Group(command) => membership::group(&command),
        Command::Role(command) => membership::role(&command),
        Command::Consent(command) => consent::run(&command),
        Command::Provider(command) => provider::run(&command),
        Command::Keys(command) => keys::run(&command),
        Command::Token(command) => token::run(&command),
        Command::ClientRegistration(command) => client_registration::run(&command),
        Command::Funnel(args) => funnel::run(&args),
        Command::Config(command) => config::run(command),
    }
}

/// Runs `work` on a runtime of its own.
fn block_on<T>(work: impl Future<Output = Done<T>>) -> Done<T> {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(cores.min(WORKERS_MAX))
        .max_blocking_threads(16)
        .enable_all()
        .build()
        .map_err(|error| Failure::new(format!("the runtime could not be started: {error}")))?
        .block_on(work)
}
