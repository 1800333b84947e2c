//! Open files: each connection is one.

use config::Config;
use rustix::process::{Resource, getrlimit, setrlimit};

/// What the queue, the logs and the bodies in hand need beside the connections.
const BESIDE: usize = 1_000;

/// Raises the limit as far as the configured connections need and the system allows.
pub(crate) fn allow(config: &Config) {
    let wanted = (config.limits.connections + config.delivery.sessions + BESIDE) as u64;
    let mut files = getrlimit(Resource::Nofile);
    // None is no limit.
    let Some(current) = files.current.filter(|current| *current < wanted) else {
        return;
    };
    let allowed = files.maximum.map_or(wanted, |most| most.min(wanted));
    files.current = Some(allowed.max(current));
    let raised = setrlimit(Resource::Nofile, files).is_ok();
    if !raised || allowed < wanted {
        tracing::warn!(
            allowed = if raised { allowed } else { current },
            wanted,
            "the system allows fewer open files than the configured connections need (ulimit -n, LimitNOFILE=)"
        );
    }
}
