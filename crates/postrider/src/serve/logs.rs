//! The log, on the standard error: text for people, or JSON lines.

use config::{Log, LogFormat};
use tracing_appender::non_blocking::{NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::EnvFilter;

/// Lines that may wait for a slow reader before new ones are left out.
const WAITING_LINES: usize = 64_000;

/// Starts logging; what waits is written when the guard is dropped.
pub(crate) fn start(log: &Log) -> WorkerGuard {
    use std::io::IsTerminal;
    let colored = std::io::stderr().is_terminal() && crate::place::color();
    let (writer, guard) = NonBlockingBuilder::default()
        .lossy(true)
        .buffered_lines_limit(WAITING_LINES)
        .finish(std::io::stderr());
    // POSTRIDER_LOG refines by part, like `info,delivery=debug`.
    let filter = std::env::var("POSTRIDER_LOG").ok();
    let filter = filter.and_then(|text| EnvFilter::try_new(text).ok());
    let filter = filter.unwrap_or_else(|| EnvFilter::new(log.level.as_str()));
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(writer);
    match log.format {
        LogFormat::Text => subscriber.with_ansi(colored).with_target(false).init(),
        LogFormat::Json => subscriber.json().flatten_event(true).init(),
    }
    guard
}
