//! `--follow`: a log as it grows, also past its rotation, until Ctrl-C.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::Duration;

use readers::Intake;

use super::{ExplainError, Printer};

/// A log is looked at this often.
const PAUSE: Duration = Duration::from_millis(500);

/// Explains what is added to a log from now on; what stands in it already tells what kind it is.
pub(super) fn run(path: &Path, printer: &mut Printer<'_>) -> Result<(), ExplainError> {
    let fail = |source| ExplainError::Read {
        path: path.to_owned(),
        source,
    };
    let mut file = File::open(path).map_err(fail)?;
    let mut intake = Intake::new();
    let mut cases = Vec::new();
    pour(&mut file, &mut intake, &mut cases, path)?;
    intake.flush(&mut cases);
    cases.clear();
    loop {
        std::thread::sleep(PAUSE);
        pour(&mut file, &mut intake, &mut cases, path)?;
        let here = file.metadata().map_err(fail)?;
        let there = std::fs::metadata(path).ok();
        if there
            .as_ref()
            .is_some_and(|there| there.ino() != here.ino())
        {
            // Rotated: what was written last into the old file has been read above.
            file = File::open(path).map_err(fail)?;
            pour(&mut file, &mut intake, &mut cases, path)?;
        } else if here.len() < file.stream_position().map_err(fail)? {
            // Cut off and begun anew.
            file.seek(SeekFrom::Start(0)).map_err(fail)?;
            pour(&mut file, &mut intake, &mut cases, path)?;
        }
        intake.flush(&mut cases);
        printer.show(&mut cases)?;
        printer.out.flush().map_err(ExplainError::Output)?;
    }
}

fn pour(
    file: &mut File,
    intake: &mut Intake,
    cases: &mut Vec<readers::Case>,
    path: &Path,
) -> Result<(), ExplainError> {
    let mut piece = vec![0; 256 * 1024];
    loop {
        let length = file.read(&mut piece).map_err(|source| ExplainError::Read {
            path: path.to_owned(),
            source,
        })?;
        if length == 0 {
            return Ok(());
        }
        intake.push(&piece[..length], cases);
    }
}
