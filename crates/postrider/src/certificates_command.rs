//! `postrider certificates`: ours, where they come from, and until when they hold.

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use acme::State;
use diagnosis::acme::AcmeFailure;
use explain::{Lang, OwnCertificate, acme_advice, certificates_text};
use serde_json::json;
use tls::{Identities, IdentityFiles};
use world::World;

use crate::cli::Certificates;
use crate::place::Options;
use crate::serve::{acme as by_acme, certificates};
use crate::{exit, lang};

/// A certificate of ours with what is known of it.
struct Found {
    names: Vec<String>,
    file: PathBuf,
    until: Option<jiff::Timestamp>,
    problem: Option<String>,
    acme: Option<State>,
    directory: Option<String>,
    /// The state cannot be read.
    trouble: Option<AcmeFailure>,
}

pub(crate) fn main(arguments: &Certificates, options: &Options) -> ExitCode {
    let config = match options.config() {
        Ok(config) => config,
        Err(error) => return exit::problem(&error),
    };
    let world = World::real();
    let mut all: Vec<Found> = certificates::files(&config)
        .into_iter()
        .map(|files| in_files(files, &world))
        .collect();
    if let Some(own) = &config.tls.acme {
        all.push(of_acme(own, options, &world));
    }
    let lang = lang::chosen(arguments.lang);
    let written = match arguments.json {
        true => write_json(&all, lang),
        false => io::stdout().write_all(text(&all, lang).as_bytes()),
    };
    // Whoever reads us has seen enough.
    let _ = written;
    match all.iter().any(|one| one.is_wrong(&world)) {
        true => ExitCode::from(exit::PROBLEM),
        false => ExitCode::SUCCESS,
    }
}

fn in_files(files: IdentityFiles, world: &World) -> Found {
    let mut found = Found {
        names: Vec::new(),
        file: files.certificate.clone(),
        until: None,
        problem: None,
        acme: None,
        directory: None,
        trouble: None,
    };
    match Identities::load(world, vec![files]) {
        Ok((identities, untimely)) => {
            if let Some((_, certificate, until)) = identities.in_use().into_iter().next() {
                found.names = certificate.names;
                found.until = Some(until);
            }
            found.problem = untimely.first().map(ToString::to_string);
        }
        Err(error) => found.problem = Some(error.to_string()),
    }
    found
}

fn of_acme(own: &config::Acme, options: &Options, world: &World) -> Found {
    let (order, directory) = (by_acme::order(own), by_acme::directory(&options.data()));
    let state = acme::state(&directory, &order, world);
    let file = acme::files(&directory, &order);
    let exists = world.disk.exists(&file.certificate).unwrap_or(false);
    let (state, trouble) = match state {
        Ok(state) => (state, None),
        Err(failure) => (State::default(), Some(failure)),
    };
    let mut found = Found {
        names: own.names.clone(),
        file: file.certificate.clone(),
        until: None,
        problem: None,
        acme: None,
        directory: Some(own.directory.clone()),
        trouble,
    };
    // Before the first one comes, what is there vouches for itself.
    if exists && state.obtained.is_some() {
        let there = in_files(file, world);
        (found.names, found.until, found.problem) = (there.names, there.until, there.problem);
    }
    found.acme = Some(state);
    found
}

impl Found {
    fn is_wrong(&self, world: &World) -> bool {
        let over = self.until.is_some_and(|until| until < world.clock.now());
        let failed = self.failed().is_some();
        self.problem.is_some() || over || failed
    }

    /// The failure of the last attempt, and when.
    fn failed(&self) -> Option<(Option<jiff::Timestamp>, &AcmeFailure)> {
        if let Some(trouble) = &self.trouble {
            return Some((None, trouble));
        }
        let failed = self.acme.as_ref()?.failed.as_ref()?;
        Some((Some(failed.at), &failed.failure))
    }

    fn next(&self) -> Option<jiff::Timestamp> {
        self.acme.as_ref()?.next
    }
}

fn text(all: &[Found], lang: Lang) -> String {
    let time = |at: jiff::Timestamp| at.strftime("%Y-%m-%d %H:%M UTC").to_string();
    let files: Vec<String> = all.iter().map(|f| f.file.display().to_string()).collect();
    let told: Vec<OwnCertificate<'_>> = all
        .iter()
        .zip(&files)
        .map(|(found, file)| OwnCertificate {
            names: &found.names,
            file,
            directory: found.directory.as_deref(),
            until: found.until.map(time),
            next: found.next().map(time),
            failed: found
                .failed()
                .map(|(at, failure)| (at.map(time).unwrap_or_default(), failure)),
            problem: found.problem.clone(),
        })
        .collect();
    certificates_text(&told, lang)
}

fn write_json(all: &[Found], lang: Lang) -> io::Result<()> {
    let mut out = io::stdout().lock();
    for found in all {
        let failed = found.failed().map(|(at, failure)| {
            let advice = acme_advice(failure, lang);
            json!({
                "at": at,
                "step": failure.step.as_str(),
                "name": failure.name,
                "problem": failure.why.kind(),
                "detail": failure.why.detail(),
                "explanation": { "lang": lang.as_str(), "what": advice.what, "todo": advice.todo },
            })
        });
        let row = json!({
            "names": found.names,
            "file": found.file,
            "source": if found.directory.is_some() { "acme" } else { "file" },
            "directory": found.directory,
            "until": found.until,
            "next": found.next(),
            "failures": found.acme.as_ref().map(|state| state.failures),
            "failed": failed,
            "problem": found.problem,
        });
        writeln!(out, "{row}")?;
    }
    Ok(())
}
