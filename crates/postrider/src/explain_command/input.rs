//! Where the input comes from: words on the command line, files, directories, the standard input.

use std::fs::File;
use std::io::{self, IsTerminal, Read};
use std::path::{Path, PathBuf};

use readers::{Intake, LogTimes};

use super::{ExplainError, Printer, tls_report};

/// One input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Source {
    /// Words from the command line.
    Words(String),
    /// A file.
    File(PathBuf),
    /// The standard input.
    Stdin,
}

impl Source {
    /// As it stands in JSON: the file, or `-`.
    pub(super) fn name(&self) -> String {
        match self {
            Source::Words(_) | Source::Stdin => "-".to_owned(),
            Source::File(path) => path.display().to_string(),
        }
    }
}

/// So much is read at a time.
const PIECE: usize = 256 * 1024;

/// What the arguments name. Words that stand beside each other are one input: people do not quote
/// `421 4.2.1 Service not available`.
pub(super) fn sources(arguments: &[String]) -> Result<Vec<Source>, ExplainError> {
    let mut sources = Vec::new();
    for argument in arguments {
        let path = Path::new(argument);
        if argument == "-" {
            sources.push(Source::Stdin);
        } else if path.is_dir() {
            sources.extend(files_of(path)?.into_iter().map(Source::File));
        } else if path.exists() {
            sources.push(Source::File(path.to_owned()));
        } else if looks_like_a_path(argument) {
            return Err(ExplainError::NoFile(argument.clone()));
        } else if let Some(Source::Words(words)) = sources.last_mut() {
            words.push(' ');
            words.push_str(argument);
        } else {
            sources.push(Source::Words(argument.clone()));
        }
    }
    if sources.is_empty() && arguments.is_empty() {
        if io::stdin().is_terminal() {
            return Err(ExplainError::Nothing);
        }
        sources.push(Source::Stdin);
    }
    Ok(sources)
}

fn looks_like_a_path(argument: &str) -> bool {
    let one_word = !argument.contains(char::is_whitespace);
    let begins = ["/", "./", "../", "~/"]
        .iter()
        .any(|start| argument.starts_with(start));
    let ends = [".eml", ".mbox", ".log", ".txt", ".msg", ".json", ".gz"]
        .iter()
        .any(|end| argument.ends_with(end));
    one_word && (begins || ends)
}

/// The mails of a Maildir (`new`, then `cur`), or the files of another directory, by name.
fn files_of(directory: &Path) -> Result<Vec<PathBuf>, ExplainError> {
    let mut directories: Vec<PathBuf> = ["new", "cur"]
        .iter()
        .map(|name| directory.join(name))
        .filter(|path| path.is_dir())
        .collect();
    if directories.is_empty() {
        directories.push(directory.to_owned());
    }
    let mut files = Vec::new();
    for directory in directories {
        let fail = |source| ExplainError::Read {
            path: directory.clone(),
            source,
        };
        let mut here = Vec::new();
        for entry in std::fs::read_dir(&directory).map_err(fail)? {
            let path = entry.map_err(fail)?.path();
            let hidden = path
                .file_name()
                .is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
            if path.is_file() && !hidden {
                here.push(path);
            }
        }
        here.sort();
        files.append(&mut here);
    }
    Ok(files)
}

/// Reads an input to its end, and shows what is in it as it comes.
pub(super) fn read(source: &Source, printer: &mut Printer<'_>) -> Result<(), ExplainError> {
    let mut intake = intake(source);
    match source {
        Source::Words(words) => printer.hear(|heard| {
            intake.push(words.as_bytes(), heard);
            Ok(())
        })?,
        Source::Stdin => {
            let mut input = io::stdin().lock();
            let Some(mut begun) = tls_report::show(&mut input, printer, &ExplainError::Stdin)?
            else {
                return Ok(());
            };
            pour(&mut begun, &mut intake, printer, ExplainError::Stdin)?;
        }
        Source::File(path) => {
            let fail = |source| ExplainError::Read {
                path: path.clone(),
                source,
            };
            let mut file = File::open(path).map_err(fail)?;
            let Some(mut begun) = tls_report::show(&mut file, printer, &fail)? else {
                return Ok(());
            };
            pour(&mut begun, &mut intake, printer, fail)?;
        }
    }
    printer.hear(|heard| {
        intake.finish(heard);
        Ok(())
    })
}

/// Logs leave out the year and the zone of their times: those of the file's last change, and ours.
pub(super) fn intake(source: &Source) -> Intake {
    let changed = match source {
        Source::File(path) => path.metadata().and_then(|m| m.modified()).ok(),
        Source::Words(_) | Source::Stdin => None,
    };
    let changed = changed.and_then(|at| jiff::Timestamp::try_from(at).ok());
    let zone = jiff::tz::TimeZone::system();
    let year = zone
        .to_datetime(changed.unwrap_or_else(jiff::Timestamp::now))
        .year();
    Intake::new().with_log_times(LogTimes {
        year: Some(year),
        zone,
    })
}

/// Reads all there is, and shows it as it comes.
pub(super) fn pour(
    from: &mut dyn Read,
    intake: &mut Intake,
    printer: &mut Printer<'_>,
    fail: impl Fn(io::Error) -> ExplainError,
) -> Result<(), ExplainError> {
    let mut piece = vec![0; PIECE];
    loop {
        let length = match from.read(&mut piece) {
            Ok(0) => return Ok(()),
            Ok(length) => length,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(fail(error)),
        };
        printer.hear(|heard| {
            intake.push(&piece[..length], heard);
            Ok(())
        })?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(arguments: &[&str]) -> Result<Vec<Source>, ExplainError> {
        let arguments: Vec<String> = arguments.iter().map(|a| (*a).to_owned()).collect();
        sources(&arguments)
    }

    #[test]
    fn words_beside_each_other_are_one_input() {
        let expected = vec![Source::Words("421 4.2.1 busy".to_owned())];
        assert_eq!(words(&["421", "4.2.1", "busy"]).unwrap(), expected);
    }

    #[test]
    fn a_missing_file_is_not_taken_for_words() {
        for path in ["./nothing", "/no/such/file", "bounce.eml"] {
            assert!(
                matches!(words(&[path]), Err(ExplainError::NoFile(_))),
                "{path}"
            );
        }
    }

    #[test]
    fn the_mails_of_a_maildir_come_in_order() {
        let directory = tempfile::tempdir().unwrap();
        for name in ["cur/b", "cur/a", "new/c", "tmp/d", "new/.hidden"] {
            let path = directory.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "x").unwrap();
        }
        let names: Vec<_> = files_of(directory.path())
            .unwrap()
            .iter()
            .map(|p| {
                p.strip_prefix(directory.path())
                    .unwrap()
                    .display()
                    .to_string()
            })
            .collect();
        assert_eq!(names, ["new/c", "cur/a", "cur/b"]);
    }
}
