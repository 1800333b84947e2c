//! Exit statuses, and the one way to end with a problem.

use std::process::ExitCode;

/// Found a problem.
pub(crate) const PROBLEM: u8 = 1;
/// Wrong use of the command line.
pub(crate) const USAGE: u8 = 2;
/// No server is running where one is needed (`EX_UNAVAILABLE` of sysexits.h).
pub(crate) const NO_SERVER: u8 = 69;

/// Says what is wrong and ends with `status`.
pub(crate) fn with(status: u8, problem: &dyn std::fmt::Display) -> ExitCode {
    eprintln!("postrider: {problem}");
    ExitCode::from(status)
}

pub(crate) fn problem(problem: &dyn std::fmt::Display) -> ExitCode {
    with(PROBLEM, problem)
}

pub(crate) fn usage(problem: &str) -> ExitCode {
    with(USAGE, &problem)
}
