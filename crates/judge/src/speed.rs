//! How fast a folder of mails is read.

use std::path::Path;

use crate::score::cases;
use crate::{Problem, read};

/// What was done.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// Mails read, in all passes.
    pub mails: usize,
    /// Cases found in them.
    pub cases: usize,
}

/// Reads all mails of a folder so many times, from disk each time. The caller measures.
pub fn pace(directory: &Path, times: usize) -> Result<Pace, Problem> {
    let problem = |error| Problem::Read {
        path: directory.to_owned(),
        error,
    };
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(directory).map_err(problem)? {
        let path = entry.map_err(problem)?.path();
        if path.is_file() {
            paths.push(path);
        }
    }
    let mut pace = Pace { mails: 0, cases: 0 };
    for _ in 0..times {
        for path in &paths {
            pace.mails += 1;
            pace.cases += cases(&read(path)?).len();
        }
    }
    Ok(pace)
}
