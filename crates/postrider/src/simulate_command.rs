//! `postrider simulate`: retry policies on a virtual clock, beside one another.

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use serde_json::json;
use simulate::{Outcome, PEERS, Policy, WORKLOADS, Workload};

use crate::{exit, place};

#[derive(Debug, Args)]
#[command(after_help = "\
Time is virtual: five days pass in a second. Servers fail as the workload says; each policy decides when it
tries again. Ours is the code that the relay runs; those of others are models of their documented schedules,
each with its sources in the file that --show writes. Examples:

    postrider simulate                                       all workloads, all policies
    postrider simulate --workload greylisting --policy postrider --policy postfix
    postrider simulate --workload mine.toml --svg plot.svg
    postrider simulate --show exim > exim.toml; postrider simulate --policy exim.toml --policy exim

A workload is a TOML file:

    [workload]
    messages = 10000            # also title over destinations providers recipients senders burst

    [[failure]]
    kind = \"outage\"             # greylisting mailbox-full listing rate connections flapping line-down no-mailbox dead
    share = 20                  # percent of the destinations
    times = 2
    least = \"2m\"
    most = \"12h\"
    says = \"421 4.3.2 Service not available\"   # or \"silent\", or \"refused\"

docs/simulate.md tells all of it, what the models leave out, and the results. The table is in English only.")]
pub(crate) struct Simulate {
    /// What is sent and how it fails: a name of --list, or a TOML file. May be given several times.
    #[arg(long = "workload", value_name = "NAME|FILE")]
    workloads: Vec<String>,
    /// Who sends: postrider, configured (with [retry] of the configuration), a name of --list, or a TOML
    /// file. May be given several times.
    #[arg(long = "policy", value_name = "NAME|FILE")]
    policies: Vec<String>,
    /// The start of chance. The same seed gives the same run.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// This many messages in place of what the workload says.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000_000))]
    messages: Option<u32>,
    /// One JSON object for each run.
    #[arg(long)]
    json: bool,
    /// Also draw how long it took, into this file.
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
    /// List the workloads and policies that come along.
    #[arg(long, conflicts_with_all = ["show", "workloads", "policies"])]
    list: bool,
    /// Write the file of a workload or policy, to begin one's own with.
    #[arg(long, value_name = "NAME")]
    show: Option<String>,
}

/// The policy of the configuration.
const CONFIGURED: &str = "configured";

/// Why nothing was simulated.
#[derive(Debug, thiserror::Error)]
enum SimulateError {
    #[error("there is no {what} `{name}`, as a name (--list tells them) or as a file: {source}")]
    Unknown {
        what: &'static str,
        name: String,
        source: io::Error,
    },
    #[error("the {what} cannot be used\n{rendered}")]
    Wrong {
        what: &'static str,
        rendered: String,
    },
    #[error("nothing is called `{0}`; `postrider simulate --list` tells the names")]
    NothingToShow(String),
    #[error(transparent)]
    Config(#[from] place::ConfigError),
    #[error("writing {}: {source}", path.display())]
    Svg { path: PathBuf, source: io::Error },
    #[error("writing the results: {0}")]
    Output(#[from] io::Error),
}

pub(crate) fn main(arguments: &Simulate, options: &place::Options) -> ExitCode {
    match run(arguments, options) {
        Ok(()) => ExitCode::SUCCESS,
        // Whoever reads us has seen enough.
        Err(SimulateError::Output(source)) if source.kind() == io::ErrorKind::BrokenPipe => {
            ExitCode::SUCCESS
        }
        Err(error @ (SimulateError::Unknown { .. } | SimulateError::NothingToShow(_))) => {
            exit::usage(&error.to_string())
        }
        Err(error) => exit::problem(&error),
    }
}

fn run(arguments: &Simulate, options: &place::Options) -> Result<(), SimulateError> {
    let mut out = io::stdout().lock();
    if arguments.list {
        return Ok(list(arguments.json, &mut out)?);
    }
    if let Some(name) = &arguments.show {
        let files = WORKLOADS.iter().chain(PEERS);
        let (_, text) = files
            .into_iter()
            .find(|(known, _)| known == name)
            .ok_or_else(|| SimulateError::NothingToShow(name.clone()))?;
        return Ok(out.write_all(text.as_bytes())?);
    }
    let workloads = workloads(arguments)?;
    let policies = policies(arguments, options)?;
    let mut panels = Vec::new();
    for (name, workload) in &workloads {
        let outcomes: Vec<Outcome> = policies
            .iter()
            .map(|policy| simulate::simulate(name, workload, policy, arguments.seed))
            .collect();
        if arguments.json {
            for outcome in &outcomes {
                writeln!(
                    out,
                    "{}",
                    serde_json::to_string(&outcome.row).map_err(io::Error::from)?
                )?;
            }
        } else {
            let rows: Vec<&Outcome> = outcomes.iter().collect();
            writeln!(out, "{}", simulate::table(&workload.title, &rows))?;
        }
        out.flush()?;
        panels.push((format!("{name}: {}", workload.title), outcomes));
    }
    if !arguments.json {
        compared(&panels, &mut out)?;
        writeln!(
            out,
            "seed {}; {}",
            arguments.seed,
            simulate::legend().trim_end()
        )?;
    }
    if let Some(path) = &arguments.svg {
        let panels: Vec<(String, Vec<&Outcome>)> = panels
            .iter()
            .map(|(title, outcomes)| (title.clone(), outcomes.iter().collect()))
            .collect();
        std::fs::write(path, simulate::plot(&panels)).map_err(|source| SimulateError::Svg {
            path: path.clone(),
            source,
        })?;
    }
    Ok(())
}

/// How ours compares in each workload, where there are several of them and others beside ours.
fn compared(panels: &[(String, Vec<Outcome>)], out: &mut impl Write) -> io::Result<()> {
    let rows: Vec<simulate::Row> = panels
        .iter()
        .flat_map(|(_, outcomes)| outcomes.iter().map(|outcome| outcome.row.clone()))
        .collect();
    let are_compared = |row: &simulate::Row| {
        let ours = rows.iter().find(|one| one.policy == Policy::Ours.name());
        ours.is_some_and(|ours| simulate::Verdict::of(ours, row).is_some())
    };
    if panels.len() > 1 && rows.iter().any(are_compared) {
        writeln!(out, "{}", simulate::summary(&rows))?;
    }
    Ok(())
}

fn list(as_json: bool, out: &mut impl Write) -> io::Result<()> {
    let titles = WORKLOADS.iter().map(|(name, text)| {
        let workload = Workload::parse(text);
        (
            "workload",
            *name,
            workload.map(|w| w.title).unwrap_or_default(),
        )
    });
    let ours = (
        "policy",
        "postrider",
        "Postrider, the code of the relay".to_owned(),
    );
    let configured = (
        "policy",
        CONFIGURED,
        "the same with the waits in [retry] of the configuration".to_owned(),
    );
    let peers = PEERS.iter().map(|(name, text)| {
        let title = match Policy::parse(text) {
            Ok(Policy::Peer(peer)) => peer.title,
            Ok(Policy::Ours | Policy::Configured(_)) | Err(_) => String::new(),
        };
        ("policy", *name, title)
    });
    for (kind, name, title) in titles.chain([ours, configured]).chain(peers) {
        if as_json {
            writeln!(
                out,
                "{}",
                json!({"kind": kind, "name": name, "title": title})
            )?;
        } else {
            writeln!(out, "{kind:<9} {name:<17} {title}")?;
        }
    }
    Ok(())
}

fn read(what: &'static str, name: &str) -> Result<String, SimulateError> {
    std::fs::read_to_string(name).map_err(|source| SimulateError::Unknown {
        what,
        name: name.to_owned(),
        source,
    })
}

fn wrong(what: &'static str, name: &str, text: &str, errors: &simulate::Errors) -> SimulateError {
    let rendered = errors.render(name, text, place::color());
    SimulateError::Wrong { what, rendered }
}

fn workloads(arguments: &Simulate) -> Result<Vec<(String, Workload)>, SimulateError> {
    let names: Vec<String> = if arguments.workloads.is_empty() {
        WORKLOADS
            .iter()
            .map(|(name, _)| (*name).to_owned())
            .collect()
    } else {
        arguments.workloads.clone()
    };
    let what = "workload";
    let mut workloads = Vec::new();
    for name in names {
        let text = match WORKLOADS.iter().find(|(known, _)| *known == name) {
            Some((_, text)) => (*text).to_owned(),
            None => read(what, &name)?,
        };
        let mut workload =
            Workload::parse(&text).map_err(|errors| wrong(what, &name, &text, &errors))?;
        workload.messages = arguments.messages.unwrap_or(workload.messages);
        workloads.push((name, workload));
    }
    Ok(workloads)
}

fn policies(arguments: &Simulate, options: &place::Options) -> Result<Vec<Policy>, SimulateError> {
    if arguments.policies.is_empty() {
        return Ok(Policy::all());
    }
    let what = "policy";
    let one = |name: &String| match Policy::named(name) {
        None if name == CONFIGURED => Ok(Policy::Configured(options.config()?.retry)),
        Some(Ok(policy)) => Ok(policy),
        Some(Err(errors)) => Err(wrong(what, name, "", &errors)),
        None => {
            let text = read(what, name)?;
            Policy::parse(&text).map_err(|errors| wrong(what, name, &text, &errors))
        }
    };
    arguments.policies.iter().map(one).collect()
}
