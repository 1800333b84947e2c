//! `postrider serve`: the relay.
//!
//! A start goes in four steps, each of which needs the one before. What can be wrong is found before the
//! first port opens, and nothing is sent before the last one is open: a start that fails cuts nothing off.
//!
//! | step | module | what it does |
//! |---|---|---|
//! | 1 | `ground` | takes the queue, puts right what a crash left in it, and moves mail where the routes have changed |
//! | 2 | `parts` | reads what the configuration names: certificates, tables, filters, users |
//! | 3 | `doors` | opens the ports and the control socket, and says where they are |
//! | 4 | `running` | loads the schedule, sends, receives, and ends all of it |

pub(crate) mod acme;
mod bounces;
mod callouts;
pub(crate) mod certificates;
pub(crate) mod checking;
mod chores;
mod control_server;
pub(crate) mod directory;
mod doors;
mod failure;
mod files;
mod filters;
mod ground;
mod logs;
mod pacing;
mod parts;
mod rerouting;
mod running;
mod secrets;
pub(crate) mod settings;
pub(crate) mod signing;
pub(crate) mod stop;
mod tls_reporting;
pub(crate) mod tls_sending;
mod users;
mod verification;

use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use config::Config;

use crate::exit;
use crate::place::Options;
use doors::Doors;
use failure::StartError;
use ground::Ground;
use parts::Parts;
use running::Running;

pub(crate) fn main(options: &Options) -> ExitCode {
    let config = match options.config() {
        Ok(config) => config,
        Err(error) => return exit::problem(&error),
    };
    let logs = logs::start(&config.log);
    files::allow(&config);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    let ended = match runtime {
        Ok(runtime) => {
            let ended = runtime.block_on(run(&config, &options.data()));
            // Threads that wait for a disk or a name are not waited for.
            runtime.shutdown_timeout(Duration::from_secs(1));
            ended
        }
        Err(source) => Err(StartError::system("starting")(source)),
    };
    drop(logs);
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => exit::problem(&error),
    }
}

/// The name under which the relay of this configuration goes; a broken configuration is told by the
/// command that needs more of it.
pub(crate) fn hostname_of(options: &Options) -> String {
    settings::hostname(&options.config().unwrap_or_default())
}

async fn run(config: &Config, data: &Path) -> Result<(), StartError> {
    let ground = Ground::open(config, data).await?;
    let parts = Parts::build(&ground).await?;
    let doors = Doors::open(&ground).await?;
    let running = Running::start(&ground, parts, doors).await?;
    running.trace.announce(config);
    notify(&[sd_notify::NotifyState::Ready]);
    running.until_stopped().await;
    tracing::info!("stopped");
    Ok(())
}

fn notify(states: &[sd_notify::NotifyState<'_>]) {
    // Without systemd there is nobody to tell.
    let _ = sd_notify::notify(states);
}
