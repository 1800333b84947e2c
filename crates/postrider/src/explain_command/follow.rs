//! `--follow`: a log as it grows, also past its rotation, until Ctrl-C.

use std::fs::File;
use std::io::{Seek, SeekFrom, Write};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::Duration;

use super::input::{self, Source, pour};
use super::{ExplainError, Printer};

/// A log is looked at this often.
const PAUSE: Duration = Duration::from_millis(500);

/// Explains what is added to a log from now on; what stands in it already tells what kind it is, and
/// what times mean.
pub(super) fn run(path: &Path, printer: &mut Printer<'_>) -> Result<(), ExplainError> {
    let fail = |source| ExplainError::Read {
        path: path.to_owned(),
        source,
    };
    let mut file = File::open(path).map_err(fail)?;
    let mut intake = input::intake(&Source::File(path.to_owned()));
    printer.silent = true;
    pour(&mut file, &mut intake, printer, fail)?;
    let flush = |printer: &mut Printer<'_>, intake: &mut readers::Intake| {
        printer.hear(|heard| {
            intake.flush(heard);
            Ok(())
        })
    };
    flush(printer, &mut intake)?;
    printer.silent = false;
    loop {
        std::thread::sleep(PAUSE);
        pour(&mut file, &mut intake, printer, fail)?;
        let here = file.metadata().map_err(fail)?;
        let there = std::fs::metadata(path).ok();
        if there
            .as_ref()
            .is_some_and(|there| there.ino() != here.ino())
        {
            // Rotated: what was written last into the old file has been read above.
            file = File::open(path).map_err(fail)?;
            pour(&mut file, &mut intake, printer, fail)?;
        } else if here.len() < file.stream_position().map_err(fail)? {
            // Cut off and begun anew.
            file.seek(SeekFrom::Start(0)).map_err(fail)?;
            pour(&mut file, &mut intake, printer, fail)?;
        }
        flush(printer, &mut intake)?;
        printer.out.flush().map_err(ExplainError::Output)?;
    }
}
