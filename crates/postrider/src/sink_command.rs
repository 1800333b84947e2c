//! `postrider sink`: a receiving server that fails as it is told.

use std::io::{self, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use serde_json::json;
use sink::{
    Codes, Extension, IdentityFiles, Line, Log, NotAVerdict, Rule, SCENARIOS, Scenario, Script,
    Settings, Stage, StartError, Verdict, Words,
};
use world::World;

use crate::cli::Sink;
use crate::serve::stop::Signals;
use crate::{exit, place};

/// Why there is no sink.
#[derive(Debug, thiserror::Error)]
enum SinkError {
    #[error("reading {}: {source}", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("the script cannot be used\n{0}")]
    Script(String),
    #[error("there is no scenario `{0}`; `postrider sink --list` names them")]
    NoScenario(String),
    #[error("there is no dialect `{0}`; there are: {known}", known = dialects())]
    NoDialect(String),
    #[error("there is no step `{0}`; there are: {known}", known = Stage::NAMES.join(", "))]
    NoStage(String),
    #[error("`{0}` is no code; write 4.2.2, 452 or \"452 4.2.2\"")]
    NoCode(String),
    #[error("`{0}` is no reply; write \"452 4.2.2 Mailbox full\"")]
    NoReply(String),
    #[error("--at says where --code or --reply is said; give one of them")]
    AtWhat,
    #[error("`{0}` is no port; write 8026, or 127.0.0.1:8026")]
    NoApi(String),
    #[error(transparent)]
    Start(#[from] StartError),
    #[error("writing {}: {source}", path.display())]
    Write { path: PathBuf, source: io::Error },
    #[error(transparent)]
    Authority(#[from] tls::MintError),
    #[error("{doing}: {source}")]
    System {
        doing: &'static str,
        source: io::Error,
    },
}

impl SinkError {
    fn is_usage(&self) -> bool {
        !matches!(
            self,
            SinkError::Read { .. }
                | SinkError::Script(_)
                | SinkError::Start(_)
                | SinkError::Write { .. }
                | SinkError::Authority(_)
                | SinkError::System { .. }
        )
    }
}

fn dialects() -> String {
    let ids: Vec<&str> = sink::spoken().iter().map(|d| d.id()).collect();
    ids.join(", ")
}

pub(crate) fn main(arguments: &Sink) -> ExitCode {
    match run(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        // Whoever reads us has seen enough.
        Err(SinkError::System { source, .. }) if source.kind() == io::ErrorKind::BrokenPipe => {
            ExitCode::SUCCESS
        }
        Err(error) if error.is_usage() => exit::usage(&error.to_string()),
        Err(error) => exit::problem(&error),
    }
}

fn run(arguments: &Sink) -> Result<(), SinkError> {
    let doing = |doing| move |source| SinkError::System { doing, source };
    if arguments.list {
        return list(arguments.json).map_err(doing("writing the list"));
    }
    if let Some(name) = &arguments.show {
        let scenario = Scenario::named(name).ok_or_else(|| SinkError::NoScenario(name.clone()))?;
        let written = io::stdout().write_all(scenario.text.as_bytes());
        return written.map_err(doing("writing the script"));
    }
    let settings = Settings {
        script: script(arguments)?,
        smtp: SocketAddr::new(arguments.listen, arguments.port),
        smtps: arguments
            .smtps
            .map(|port| SocketAddr::new(arguments.listen, port)),
        certificate: certificate(arguments),
        api: arguments.api.as_deref().map(api_address).transpose()?,
        keep: arguments.keep.clone(),
        seed: arguments.seed,
        log: log(arguments),
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build();
    let runtime = runtime.map_err(doing("starting"))?;
    runtime.block_on(async {
        let signals = Signals::listen().map_err(doing("listening to signals"))?;
        let sink = sink::Sink::start(World::real(), settings).await?;
        if let Some(path) = &arguments.authority {
            let written = std::fs::write(path, sink.authority()?);
            written.map_err(|source| SinkError::Write {
                path: path.clone(),
                source,
            })?;
        }
        tell_ready(&sink).map_err(doing("writing the ports"))?;
        tokio::select! {
            () = sink.serve() => {}
            () = signals.first() => {}
        }
        Ok(())
    })
}

/// The line that says where it is.
fn tell_ready(sink: &sink::Sink) -> io::Result<()> {
    let line = json!({
        "ready": true,
        "smtp": sink.smtp.to_string(),
        "smtp_port": sink.smtp.port(),
        "smtps": sink.smtps.map(|at| at.to_string()),
        "smtps_port": sink.smtps.map(|at| at.port()),
        "api": sink.api.map(|at| format!("http://{at}")),
        "api_port": sink.api.map(|at| at.port()),
        "seed": sink.seed,
        "pid": std::process::id(),
    });
    let mut out = io::stdout().lock();
    writeln!(out, "{line}")?;
    out.flush()
}

fn log(arguments: &Sink) -> Log {
    // A log that nobody can read must not stop the sink.
    if arguments.quiet {
        Arc::new(|_: &Line| {})
    } else if arguments.json {
        Arc::new(|line: &Line| {
            let mut out = io::stdout().lock();
            if serde_json::to_writer(&mut out, line).is_ok() {
                let _ = writeln!(out).and_then(|()| out.flush());
            }
        })
    } else {
        Arc::new(|line: &Line| {
            let _ = writeln!(io::stderr().lock(), "{line}");
        })
    }
}

fn list(as_json: bool) -> io::Result<()> {
    let mut out = io::stdout().lock();
    for scenario in SCENARIOS {
        let about = scenario.script().map(|script| script.about);
        let about = about.unwrap_or_default();
        if as_json {
            let row = json!({
                "name": scenario.name,
                "code": about.code,
                "title": about.title,
                "expect": about.expect,
            });
            writeln!(out, "{row}")?;
        } else {
            let code = about.code.as_deref().unwrap_or("");
            writeln!(out, "{:<22} {code:<6} {}", scenario.name, about.title)?;
        }
    }
    Ok(())
}

/// The script that the options name or describe.
fn script(arguments: &Sink) -> Result<Script, SinkError> {
    let mut script = match (&arguments.script, &arguments.scenario) {
        (Some(path), _) => {
            let text = std::fs::read_to_string(path).map_err(|source| SinkError::Read {
                path: path.clone(),
                source,
            })?;
            parsed(&path.display().to_string(), &text)?
        }
        (None, Some(name)) => {
            let scenario = Scenario::named(name);
            let scenario = scenario.ok_or_else(|| SinkError::NoScenario(name.clone()))?;
            parsed(scenario.name, scenario.text)?
        }
        (None, None) => Script::default(),
    };
    if let Some(name) = &arguments.dialect {
        let dialect = sink::spoken().into_iter().find(|d| d.id() == name);
        script.server.dialect = dialect.ok_or_else(|| SinkError::NoDialect(name.clone()))?;
    }
    script.server.lmtp |= arguments.lmtp;
    let announces = arguments.starttls || arguments.certificate.is_some();
    if announces && !script.offers(Extension::Starttls) {
        script.server.extensions.push(Extension::Starttls);
    }
    if let Some(rule) = rule(arguments, &script)? {
        script.rules.push(rule);
        script.server.conventions = false;
    }
    Ok(script)
}

/// The certificate that is given, with its key.
fn certificate(arguments: &Sink) -> Option<IdentityFiles> {
    let certificate = arguments.certificate.clone()?;
    let key = arguments.key.clone().unwrap_or_else(|| certificate.clone());
    Some(IdentityFiles { certificate, key })
}

fn parsed(name: &str, text: &str) -> Result<Script, SinkError> {
    Script::parse(text)
        .map_err(|errors| SinkError::Script(errors.render(name, text, place::color())))
}

/// The rule of `--code` or `--reply`.
fn rule(arguments: &Sink, script: &Script) -> Result<Option<Rule>, SinkError> {
    let at = match &arguments.at {
        Some(name) => {
            let stage = Stage::from_name(name);
            Some(stage.ok_or_else(|| SinkError::NoStage(name.clone()))?)
        }
        None => None,
    };
    let rule = match (&arguments.code, &arguments.reply) {
        (Some(text), _) => {
            let codes = Codes::read(text.trim()).ok().flatten();
            let codes = codes.ok_or_else(|| SinkError::NoCode(text.clone()))?;
            let (_, usual) = Words::of(script.server.dialect).refusal(codes);
            Rule::always(at.unwrap_or(usual), Verdict::Code(codes))
        }
        (None, Some(text)) => {
            let reply = Verdict::read(&text.replace("\\n", "\n"));
            let reply = reply.map_err(|_: NotAVerdict| SinkError::NoReply(text.clone()))?;
            Rule::always(at.unwrap_or(Stage::Rcpt), reply)
        }
        (None, None) if at.is_some() => return Err(SinkError::AtWhat),
        (None, None) => return Ok(None),
    };
    Ok(Some(rule))
}

fn api_address(text: &str) -> Result<SocketAddr, SinkError> {
    if let Ok(port) = text.parse() {
        return Ok(SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port));
    }
    text.parse().map_err(|_| SinkError::NoApi(text.to_owned()))
}
