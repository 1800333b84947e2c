//! `postrider explain`: what people paste or keep, explained. Needs no server and no configuration.

mod follow;
mod input;
mod tls_report;

use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use explain::{Lang, Style};
use readers::Case;

use crate::cli::Explain;
use crate::{exit, lang};
use input::Source;

/// Why an input could not be explained.
#[derive(Debug, thiserror::Error)]
enum ExplainError {
    #[error("reading {}: {source}", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("reading the standard input: {0}")]
    Stdin(io::Error),
    #[error("there is no file `{0}`; to explain words, leave out what looks like a path")]
    NoFile(String),
    #[error(
        "nothing to explain: give a code, a reply, a file, or `-` for the standard input (postrider explain --help)"
    )]
    Nothing,
    #[error("--follow takes one log file")]
    FollowWhat,
    #[error("{told}")]
    TlsReport { told: String },
    #[error("writing the answer: {0}")]
    Output(io::Error),
}

/// Shows cases as they come.
struct Printer<'a> {
    out: io::StdoutLock<'static>,
    json: bool,
    lang: Lang,
    style: Style,
    source: &'a str,
    shown: usize,
    incidents: Option<readers::Incidents>,
    /// Nothing is shown: what was there before `--follow`.
    silent: bool,
}

/// What comes of a mail server's log while it is read: failures, and deliveries where they count.
struct Heard<'a> {
    cases: Vec<Case>,
    incidents: Option<&'a mut readers::Incidents>,
}

impl readers::Sink for Heard<'_> {
    fn failed(&mut self, case: Case) {
        match &mut self.incidents {
            // In order with the deliveries: a delivery after it says that it is over.
            Some(incidents) => incidents.take(&case, &case.diagnose()),
            None => self.cases.push(case),
        }
    }

    fn delivered(&mut self, domain: &str, at: Option<jiff::Timestamp>) {
        if let Some(incidents) = &mut self.incidents {
            incidents.delivered(domain, at);
        }
    }

    fn wants_deliveries(&self) -> bool {
        self.incidents.is_some()
    }
}

impl Printer<'_> {
    /// Shows what has been heard, or counts it.
    fn hear(
        &mut self,
        speak: impl FnOnce(&mut Heard<'_>) -> Result<(), ExplainError>,
    ) -> Result<(), ExplainError> {
        let mut heard = Heard {
            cases: Vec::new(),
            incidents: self.incidents.as_mut(),
        };
        speak(&mut heard)?;
        let cases = heard.cases;
        if self.silent {
            return Ok(());
        }
        cases.iter().try_for_each(|case| self.show(case))
    }

    fn show(&mut self, case: &Case) -> Result<(), ExplainError> {
        let diagnosis = case.diagnose();
        self.shown += 1;
        let written = if self.json {
            let value = explain::case_json(case, &diagnosis, self.source, self.lang);
            serde_json::to_writer(&mut self.out, &value)
                .map_err(io::Error::from)
                .and_then(|()| writeln!(self.out))
        } else {
            let gap = if self.shown > 1 { "\n" } else { "" };
            let text = explain::case_text(case, &diagnosis, self.lang, self.style);
            write!(self.out, "{gap}{text}")
        };
        written.map_err(ExplainError::Output)
    }

    /// Ends an input: where it held nothing, that is said, on the standard error.
    fn end(&mut self, shown_before: usize) -> Result<(), ExplainError> {
        if self.shown == shown_before && self.incidents.is_none() {
            eprintln!(
                "postrider: {}",
                explain::nothing_found(self.source, self.lang)
            );
        }
        self.out.flush().map_err(ExplainError::Output)
    }
}

pub(crate) fn main(arguments: &Explain) -> ExitCode {
    if arguments.schema {
        print!("{}", explain::SCHEMA);
        return ExitCode::SUCCESS;
    }
    match run(arguments) {
        Ok(0) => ExitCode::from(exit::PROBLEM),
        Ok(_) => ExitCode::SUCCESS,
        // Whoever reads us has seen enough.
        Err(ExplainError::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => {
            ExitCode::SUCCESS
        }
        Err(error @ (ExplainError::Nothing | ExplainError::FollowWhat)) => {
            exit::usage(&error.to_string())
        }
        Err(error) => exit::problem(&error),
    }
}

/// How many cases were explained.
fn run(arguments: &Explain) -> Result<usize, ExplainError> {
    let sources = input::sources(&arguments.inputs)?;
    let terminal = io::stdout().is_terminal();
    let colour = terminal && std::env::var_os("NO_COLOR").is_none();
    let mut printer = Printer {
        out: io::stdout().lock(),
        json: arguments.json,
        lang: lang::chosen(arguments.lang),
        style: if colour { Style::Ansi } else { Style::Plain },
        source: "",
        shown: 0,
        incidents: arguments.summary.then(readers::Incidents::new),
        silent: false,
    };
    if arguments.follow {
        let [Source::File(path)] = &sources[..] else {
            return Err(ExplainError::FollowWhat);
        };
        follow::run(path, &mut printer)?;
        return Ok(printer.shown);
    }
    for source in &sources {
        let name = source.name();
        let before = printer.shown;
        let mut printer_here = Printer {
            source: &name,
            ..printer
        };
        input::read(source, &mut printer_here)?;
        printer_here.end(before)?;
        printer = Printer {
            source: "",
            ..printer_here
        };
    }
    if let Some(incidents) = printer.incidents.take() {
        summary(&mut printer, &incidents.summary())?;
    }
    Ok(printer.shown)
}

/// Shows what belongs together.
fn summary(printer: &mut Printer<'_>, summary: &readers::Summary) -> Result<(), ExplainError> {
    printer.shown = summary.incidents.len();
    let written = if printer.json {
        summary.incidents.iter().try_for_each(|incident| {
            let value = explain::incident_json(incident, printer.lang);
            serde_json::to_writer(&mut printer.out, &value)?;
            writeln!(printer.out)
        })
    } else {
        let text = explain::incidents_text(summary, printer.lang, printer.style);
        write!(printer.out, "{text}")
    };
    written
        .and_then(|()| printer.out.flush())
        .map_err(ExplainError::Output)?;
    if summary.incidents.is_empty() {
        eprintln!("postrider: {}", explain::nothing_found("-", printer.lang));
    }
    Ok(())
}
