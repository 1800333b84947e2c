//! Milters: filters that speak Sendmail's protocol for them, version 6 (`libmilter/mfdef.h`, mfapi.h).
//!
//! [`wire`] has the packets and knows no socket; [`talk`] tells a milter what happens in a session, and
//! turns what it answers into verdicts and edits.

mod talk;
mod wire;

use screening::{Conversation, Filter, Stage};
use world::{Peer, World};

use talk::Talk;

/// A milter. It has one connection for each session of a client.
#[derive(Clone, Debug)]
pub struct Milter {
    /// The world.
    pub world: World,
    /// Where it listens.
    pub peer: Peer,
}

impl Filter for Milter {
    fn attends(&self, _: Stage) -> bool {
        true
    }

    fn changes(&self) -> bool {
        true
    }

    fn open(&self) -> Box<dyn Conversation> {
        Box::new(Talk::new(self.clone()))
    }
}
