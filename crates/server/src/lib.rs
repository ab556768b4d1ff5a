//! The product as a program: configuration, commands, listeners, the demo, and the wiring of everything below.
//!
//! | module | does |
//! | --- | --- |
//! | [`cli`], [`command`], [`failure`], [`terminal`] | the command line |
//! | [`config`] | defaults, file, environment and flags become checked settings |
//! | [`wire`] | builds a server out of settings |
//! | [`chart`] | drawings of flows |
//! | [`listener`], [`tls`] | sockets and connections |
//! | [`demo`] | everything that only `vestibule demo` has |
//! | [`telemetry`] | the log |

pub mod chart;
pub mod cli;
pub mod command;
pub mod config;
pub mod demo;
pub mod failure;
pub mod listener;
pub mod telemetry;
pub mod terminal;
pub mod tls;
pub mod wire;

use std::process::ExitCode;

use clap::Parser as _;

/// Runs the program with the arguments of the process.
pub fn main() -> ExitCode {
    // One cryptography library for every TLS client and server; a second call would find it there.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    match command::run(cli::Cli::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            terminal::complain(&failure.to_string());
            ExitCode::from(failure.code())
        }
    }
}
