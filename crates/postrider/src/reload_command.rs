//! `postrider reload-certificates`.

use std::process::ExitCode;

use crate::control::{Answer, ControlError, Request, ask};
use crate::exit;
use crate::place::Options;

pub(crate) fn main(options: &Options) -> ExitCode {
    match ask(&options.data(), &Request::ReloadCertificates) {
        Ok(Answer::Reloaded(all)) => {
            if all.is_empty() {
                println!("No certificate has changed.");
            }
            for one in &all {
                if one.changed {
                    println!("{}", one.said);
                } else {
                    eprintln!("{}", one.said);
                }
            }
            if all.iter().all(|one| one.changed) {
                ExitCode::SUCCESS
            } else {
                ExitCode::FAILURE
            }
        }
        Ok(Answer::Failed(why)) => exit::problem(&why),
        Ok(other @ (Answer::Done | Answer::Changed(_) | Answer::TlsReports(_))) => {
            exit::problem(&format!("the server answers something else: {other:?}"))
        }
        Err(error @ ControlError::NoServer(_)) => exit::with(exit::NO_SERVER, &error),
        Err(error @ ControlError::Broken(_)) => exit::problem(&error),
    }
}
