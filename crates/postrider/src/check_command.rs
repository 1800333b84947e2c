//! `postrider check`: looks from here, with the configuration in force. Reads the queue where there is
//! one, and changes nothing anywhere.

mod message;

use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;
use std::sync::Arc;

use checks::{Checker, Request, Sender, Subject, compare_destinations};
use diagnosis::{Finding, Verdict};
use explain::{Lang, Style};
use queue::{Store, StoreError};
use store_sqlite::SqliteStore;
use world::World;

use crate::cli::Check;
use crate::place::{ConfigError, Options};
use crate::serve::{checking, tls_sending};
use crate::{exit, lang};

/// Why a check was not made.
#[derive(Debug, thiserror::Error)]
enum CheckError {
    #[error("`{text}` is no domain and no address: {problem}")]
    NotASubject {
        text: String,
        problem: smtp::AddressError,
    },
    #[error("--probe needs an address, and `{0}` is a domain")]
    ProbeWhom(String),
    #[error("--selector needs --sender: whose key is it?")]
    WhoseSelector,
    #[error("`{0}` is no header field: write \"X-Stream: bulk\"")]
    NotAHeader(String),
    #[error("`{0}` is no DKIM selector")]
    NotASelector(String),
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error("the DNS resolver: {0}")]
    Resolver(#[from] dns::SetupError),
    #[error("[tls] authorities: {0}")]
    Authorities(#[from] tls::RootsError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("starting: {0}")]
    Runtime(io::Error),
    #[error("writing the answer: {0}")]
    Output(io::Error),
}

impl CheckError {
    fn is_usage(&self) -> bool {
        matches!(
            self,
            CheckError::NotASubject { .. }
                | CheckError::ProbeWhom(_)
                | CheckError::WhoseSelector
                | CheckError::NotASelector(_)
                | CheckError::NotAHeader(_)
        )
    }
}

pub(crate) fn main(arguments: &Check, options: &Options) -> ExitCode {
    if arguments.schema {
        print!("{}", explain::CHECK_SCHEMA);
        return ExitCode::SUCCESS;
    }
    match run(arguments, options) {
        Ok(Verdict::Problem) => ExitCode::from(exit::PROBLEM),
        Ok(Verdict::Fine | Verdict::CannotTell | Verdict::Warning) => ExitCode::SUCCESS,
        // Whoever reads us has seen enough.
        Err(CheckError::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => {
            ExitCode::SUCCESS
        }
        Err(error) if error.is_usage() => exit::usage(&error.to_string()),
        Err(error) => exit::problem(&error),
    }
}

/// The worst that was found.
fn run(arguments: &Check, options: &Options) -> Result<Verdict, CheckError> {
    let requests = requests(arguments)?;
    let config = options.config()?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let runtime = runtime.map_err(CheckError::Runtime)?;
    let ended = runtime.block_on(async {
        let (world, resolver) = (World::real(), crate::resolver::of(&config)?);
        let resolver: Arc<dyn dns::Resolver> = Arc::new(resolver);
        let connector = tls_sending::connector(&config, &world)?;
        let settings = checks::Settings {
            mta_sts: tls_sending::policies(&config, &world, &resolver, &connector),
            ..checking::checks(&config, Some(connector))
        };
        let checker = Checker::new(world, resolver, settings);
        let mut printer = Printer::new(arguments);
        if let Some(id) = &arguments.message {
            let store = SqliteStore::open_reader(&options.data())?;
            let sender = sender(arguments)?;
            message::run(id, sender, &store, &checker, &mut printer).await?;
        }
        for (asked, request) in &requests {
            let mut findings = checker.examine(request).await;
            findings.extend(waiting(options).await);
            printer.show(asked, &findings)?;
        }
        Ok(printer.worst)
    });
    // A look-up that nobody waits for any more is not waited for.
    runtime.shutdown_background();
    ended
}

/// What the queue's other destinations say about our own line, where there is a queue.
async fn waiting(options: &Options) -> Option<Finding> {
    let store = SqliteStore::open_reader(&options.data()).ok()?;
    let due = store.due_destinations().await.ok()?;
    compare_destinations(&due)
}

fn requests(arguments: &Check) -> Result<Vec<(String, Request)>, CheckError> {
    let sender = sender(arguments)?;
    let mut requests = Vec::new();
    for text in &arguments.subjects {
        let subject = subject(text)?;
        if arguments.probe && subject.address.is_none() {
            return Err(CheckError::ProbeWhom(text.clone()));
        }
        // Without a sender the domain's own mail is meant: `explain` names the sender's domain here.
        let own = || Sender::of(&subject, Vec::new(), false);
        let request = Request {
            sender: sender.clone().or_else(own),
            subject,
            probe: arguments.probe,
            message_size: arguments.size,
            header: headers(arguments)?,
        };
        requests.push((text.clone(), request));
    }
    Ok(requests)
}

fn headers(arguments: &Check) -> Result<Vec<(String, String)>, CheckError> {
    let read = |text: &String| match text.split_once(':') {
        Some((name, value)) if !name.trim().is_empty() => {
            Ok((name.trim().to_owned(), value.trim().to_owned()))
        }
        Some(_) | None => Err(CheckError::NotAHeader(text.clone())),
    };
    arguments.headers.iter().map(read).collect()
}

fn sender(arguments: &Check) -> Result<Option<Sender>, CheckError> {
    for selector in &arguments.selectors {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
        if selector.is_empty() || !selector.chars().all(plain) {
            return Err(CheckError::NotASelector(selector.clone()));
        }
    }
    match &arguments.sender {
        Some(text) => Ok(Sender::of(
            &subject(text)?,
            arguments.selectors.clone(),
            true,
        )),
        None if arguments.selectors.is_empty() => Ok(None),
        None => Err(CheckError::WhoseSelector),
    }
}

fn subject(text: &str) -> Result<Subject, CheckError> {
    Subject::parse(text).map_err(|problem| CheckError::NotASubject {
        text: text.to_owned(),
        problem,
    })
}

/// Shows findings as they come.
struct Printer {
    json: bool,
    lang: Lang,
    style: Style,
    shown: usize,
    worst: Verdict,
}

impl Printer {
    fn new(arguments: &Check) -> Printer {
        let colour = io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
        Printer {
            json: arguments.json,
            lang: lang::chosen(arguments.lang),
            style: if colour { Style::Ansi } else { Style::Plain },
            shown: 0,
            worst: Verdict::Fine,
        }
    }

    fn show(&mut self, asked: &str, findings: &[Finding]) -> Result<(), CheckError> {
        let mut out = io::stdout().lock();
        let worst = findings.iter().map(|finding| finding.verdict).max();
        self.worst = self.worst.max(worst.unwrap_or(Verdict::Fine));
        let written = if self.json {
            findings.iter().try_for_each(|finding| {
                let value = explain::checked_json(asked, finding, self.lang);
                serde_json::to_writer(&mut out, &value)
                    .map_err(io::Error::from)
                    .and_then(|()| writeln!(out))
            })
        } else {
            let gap = if self.shown > 0 { "\n" } else { "" };
            let text = explain::checked_text(asked, findings, self.lang, self.style);
            write!(out, "{gap}{text}")
        };
        self.shown += 1;
        written
            .and_then(|()| out.flush())
            .map_err(CheckError::Output)
    }
}
