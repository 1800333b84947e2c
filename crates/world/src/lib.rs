//! Clock, randomness, network and disk: real, or simulated from a seed.
//!
//! Everything the relay learns from outside its own memory comes through a [`World`]. Waiting is
//! done with tokio's timers, which follow the virtual clock where the runtime was started paused.

mod clock;
mod disk;
mod host;
mod net;
mod path;
mod program;
mod random;
mod sim;

use std::sync::Arc;

pub use clock::{Clock, RealClock, VirtualClock};
pub use disk::{Disk, DiskFile, DiskRead, FileStamp, RealDisk, Space};
pub use host::{Host, Memory, RealHost, SimHost};
pub use net::{ClosedPort, Layer, Listener, Net, Peer, RealNet, Stream};
pub use path::PathState;
pub use program::{Ended, Ending, Input, Program};
pub use random::{Random, RealRandom, SeededRandom};
pub use sim::{Fault, SimNet};

/// Where the relay lives.
#[derive(Clone)]
pub struct World {
    /// The time of day.
    pub clock: Arc<dyn Clock>,
    /// Chance.
    pub random: Arc<dyn Random>,
    /// The network.
    pub net: Arc<dyn Net>,
    /// The disk.
    pub disk: Arc<dyn Disk>,
    /// The machine's memory.
    pub host: Arc<dyn Host>,
}

impl World {
    /// The machine this runs on.
    #[must_use]
    pub fn real() -> World {
        World {
            clock: Arc::new(RealClock),
            random: Arc::new(RealRandom),
            net: Arc::new(RealNet),
            disk: Arc::new(RealDisk),
            host: Arc::new(RealHost),
        }
    }
}

impl std::fmt::Debug for World {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("World")
    }
}
