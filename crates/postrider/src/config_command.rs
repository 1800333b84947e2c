//! `postrider config check|show|policy`.

use std::process::ExitCode;

use crate::cli::ConfigCommand;
use crate::exit;
use crate::place::{self, Options};

/// Whether the certificates that it names can be used.
fn certificates(config: &config::Config) -> ExitCode {
    let world = world::World::real();
    for files in crate::serve::certificates::files(config) {
        match tls::Identities::load(&world, vec![files]) {
            Ok((_, untimely)) => untimely
                .iter()
                .for_each(|error| eprintln!("warning: {error}")),
            Err(error) => return exit::problem(&error),
        }
    }
    ExitCode::SUCCESS
}

pub(crate) fn main(command: &ConfigCommand, options: &Options) -> ExitCode {
    let parsed = match options.parsed_config() {
        Ok(parsed) => parsed,
        Err(error) => return exit::problem(&error),
    };
    match command {
        ConfigCommand::Check => {
            match options.config_text() {
                Some((name, text)) => {
                    let warnings = config::Errors::new(parsed.warnings);
                    if !warnings.0.is_empty() {
                        eprintln!("{}", warnings.render(&name, &text, place::color()));
                    }
                    println!("{name}: the configuration can be used.");
                }
                None => {
                    println!("No configuration file: the defaults hold (`postrider config show`).")
                }
            }
            certificates(&parsed.config)
        }
        ConfigCommand::Show => {
            print!("{}", parsed.config.to_toml());
            ExitCode::SUCCESS
        }
        ConfigCommand::Policy { json } => {
            policy(&parsed.config.retry, *json);
            ExitCode::SUCCESS
        }
    }
}

/// The table of what is done about failures; with `json` a line of JSON for each of its lines.
fn policy(own: &queue::policy::OwnWaits, json: bool) {
    if !json {
        print!("{}", queue::policy::page(own));
        return;
    }
    for row in queue::policy::rows(own) {
        println!("{}", serde_json::json!(row));
    }
}
