//! `postrider explain`: what people paste or keep, explained. Needs no server and no configuration.

mod follow;
mod input;

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
}

impl Printer<'_> {
    fn show(&mut self, cases: &mut Vec<Case>) -> Result<(), ExplainError> {
        for case in cases.drain(..) {
            let diagnosis = case.diagnose();
            self.shown += 1;
            let written = if self.json {
                let value = explain::case_json(&case, &diagnosis, self.source, self.lang);
                serde_json::to_writer(&mut self.out, &value)
                    .map_err(io::Error::from)
                    .and_then(|()| writeln!(self.out))
            } else {
                let gap = if self.shown > 1 { "\n" } else { "" };
                let text = explain::case_text(&case, &diagnosis, self.lang, self.style);
                write!(self.out, "{gap}{text}")
            };
            written.map_err(ExplainError::Output)?;
        }
        Ok(())
    }

    /// Ends an input: where it held nothing, that is said, on the standard error.
    fn end(&mut self, shown_before: usize) -> Result<(), ExplainError> {
        if self.shown == shown_before {
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
        input::read(source, |cases| printer_here.show(cases))?;
        printer_here.end(before)?;
        printer = Printer {
            source: "",
            ..printer_here
        };
    }
    Ok(printer.shown)
}
