//! Postrider, the mail relay that tells you why: the command line.

mod bounces_command;
mod certificates_command;
mod check_command;
mod cli;
mod config_command;
mod control;
mod dkim_command;
mod exit;
mod explain_command;
mod lang;
mod of_queue;
mod place;
mod queue_command;
mod reload_command;
mod resolver;
mod sendmail;
mod serve;
mod simulate_command;
mod sink_command;
mod suppression_command;
mod tls_reports_command;
mod user_command;

use std::process::ExitCode;

use clap::Parser;

use cli::{Cli, Command};

fn main() -> ExitCode {
    let arguments: Vec<std::ffi::OsString> = std::env::args_os().collect();
    if sendmail::is_called_so(&arguments) {
        return sendmail::main(&arguments[1..], &place::Options::default());
    }
    if let Some(at) = sendmail::subcommand_at(&arguments) {
        // sendmail's options are not the kind that clap reads.
        let options = match place::Options::read(&arguments[1..at]) {
            Ok(options) => options,
            Err(problem) => return exit::usage(&problem),
        };
        return sendmail::main(&arguments[at + 1..], &options);
    }
    let cli = Cli::parse_from(arguments);
    match cli.command {
        Command::Serve => serve::main(&cli.place),
        Command::Sendmail { .. } => exit::usage("write `postrider sendmail` before its options"),
        Command::Queue(command) => queue_command::main(&command, &cli.place),
        Command::Pause { destination } => {
            queue_command::pause(destination.as_deref(), true, &cli.place)
        }
        Command::Resume { destination } => {
            queue_command::pause(destination.as_deref(), false, &cli.place)
        }
        Command::Certificates(arguments) => certificates_command::main(&arguments, &cli.place),
        Command::TlsReports(arguments) => tls_reports_command::main(&arguments, &cli.place),
        Command::ReloadCertificates => reload_command::main(&cli.place),
        Command::Explain(arguments) => explain_command::main(&arguments),
        Command::Check(arguments) => check_command::main(&arguments, &cli.place),
        Command::Bounces(arguments) => bounces_command::main(&arguments, &cli.place),
        Command::Suppression(command) => suppression_command::main(&command, &cli.place),
        Command::Sink(arguments) => sink_command::main(&arguments),
        Command::Simulate(arguments) => simulate_command::main(&arguments, &cli.place),
        Command::Dkim(command) => dkim_command::main(&command, &cli.place),
        Command::User(command) => user_command::main(&command, &cli.place),
        Command::Config(command) => config_command::main(&command, &cli.place),
    }
}
