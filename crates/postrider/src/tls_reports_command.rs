//! `postrider tls-reports`: what is gathered for reports on TLS, and what became of those that were sent.

use std::io::Write as _;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use explain::Lang;
use jiff::Timestamp;
use queue::{KeptTlsReport, StoreError, TlsLedger, TlsPostState};
use serde_json::{Value, json};
use store_sqlite::SqliteTlsLedger;

use crate::cli::Language;
use crate::control::{Answer, ControlError, Request, ask};
use crate::place::Options;
use crate::{exit, lang};

#[derive(Debug, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "\
Reports go out by themselves once a day, within four hours of 00:00 UTC, with [tls.reports] in the
configuration: docs/tls.md."
)]
pub(crate) struct TlsReports {
    #[command(subcommand)]
    pub(crate) command: Option<TlsReportsCommand>,
    /// One JSON object for each.
    #[arg(long)]
    pub(crate) json: bool,
    /// The language; else that of the environment (LANG).
    #[arg(long, value_enum)]
    pub(crate) lang: Option<Language>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum TlsReportsCommand {
    /// Have the running relay send now what was gathered: of one day, or all, that of today as well.
    ///
    /// What comes later the same day goes out in a report of its own.
    Send {
        /// The day in UTC; none: all.
        #[arg(long, value_name = "YYYY-MM-DD")]
        day: Option<jiff::civil::Date>,
        /// The language; else that of the environment (LANG).
        #[arg(long, value_enum)]
        lang: Option<Language>,
    },
}

/// Why nothing is listed.
#[derive(Debug, thiserror::Error)]
enum ListError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("starting: {0}")]
    Runtime(std::io::Error),
    #[error("writing the answer: {0}")]
    Output(std::io::Error),
}

pub(crate) fn main(arguments: &TlsReports, options: &Options) -> ExitCode {
    if let Some(TlsReportsCommand::Send { day, lang }) = &arguments.command {
        return send(*day, lang::chosen(*lang), options);
    }
    match list(arguments, options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => exit::problem(&error),
    }
}

fn send(day: Option<jiff::civil::Date>, lang: Lang, options: &Options) -> ExitCode {
    let request = Request::SendTlsReports { day };
    match ask(&options.data(), &request) {
        Ok(Answer::TlsReports(reports)) => {
            println!("{}", explain::tls_reports_hastened(reports, lang));
            ExitCode::SUCCESS
        }
        Ok(Answer::Failed(why)) => exit::problem(&why),
        Ok(other @ (Answer::Done | Answer::Changed(_) | Answer::Reloaded(_))) => {
            exit::problem(&format!("the server answers something else: {other:?}"))
        }
        Err(error @ ControlError::NoServer(_)) => exit::with(exit::NO_SERVER, &error),
        Err(error @ ControlError::Broken(_)) => exit::problem(&error),
    }
}

fn list(arguments: &TlsReports, options: &Options) -> Result<(), ListError> {
    let data = options.data();
    // Where nothing was ever gathered nothing is made.
    let all = match data.join(SqliteTlsLedger::FILE).exists() {
        true => {
            let ledger = SqliteTlsLedger::open(&data)?;
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .map_err(ListError::Runtime)?;
            runtime.block_on(ledger.all())?
        }
        false => Vec::new(),
    };
    let lang = lang::chosen(arguments.lang);
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    let written = match arguments.json {
        true => all.iter().try_for_each(|one| writeln!(out, "{}", row(one))),
        false if all.is_empty() => writeln!(out, "{}", explain::no_tls_reports(lang)),
        false => all
            .iter()
            .try_for_each(|one| write!(out, "{}", explain::kept_tls_report(one, lang))),
    };
    written
        .and_then(|()| out.flush())
        .map_err(ListError::Output)
}

/// As scripts read it. The names are stable.
fn row(report: &KeptTlsReport) -> Value {
    let policies = report.policies.iter().map(|of| {
        let details = of.details.iter().map(|detail| {
            json!({
                "result": detail.result.as_str(),
                "sending_ip": detail.sending_ip,
                "mx": detail.mx,
                "receiving_ip": detail.receiving_ip,
                "reason": detail.reason,
                "sessions": detail.count,
            })
        });
        json!({
            "type": of.policy.kind.as_str(),
            "lines": of.policy.lines,
            "mx": of.policy.mx,
            "good": of.successes,
            "failed": of.failures,
            "details": details.collect::<Vec<_>>(),
        })
    });
    let posts = report.posts.iter().map(|post| {
        let (state, next) = match post.state {
            TlsPostState::Waits(at) => ("waits", Some(at)),
            TlsPostState::Sent => ("sent", None),
            TlsPostState::Failed => ("failed", None),
        };
        json!({
            "rua": post.rua.to_string(),
            "state": state,
            "next": next,
            "message": matches!(post.rua, tls_report::Rua::Mail(_)).then(|| post.message.to_string()),
            "attempts": post.tried.times,
            "problem": post.tried.problem,
        })
    });
    let next: Option<Timestamp> = report.due;
    json!({
        "domain": report.domain,
        "start": report.start,
        "end": report.end,
        "id": report.id,
        "next": next,
        "problem": report.tried.problem,
        "policies": policies.collect::<Vec<_>>(),
        "posts": posts.collect::<Vec<_>>(),
    })
}
