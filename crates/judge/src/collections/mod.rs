//! The collections.

mod bounces;
mod flufl;
mod sisimai;

pub use bounces::bounces;
pub use flufl::flufl;
pub use sisimai::sisimai;

use crate::Sample;

/// A labelled collection.
#[derive(Clone, Debug)]
pub struct Collection {
    /// Its name, which its samples' ids begin with.
    pub name: &'static str,
    /// What it is, in a sentence.
    pub about: &'static str,
    /// The mails.
    pub samples: Vec<Sample>,
}

/// A collection that is not on this machine.
#[derive(Clone, Debug)]
pub struct Missing {
    /// Its name.
    pub name: &'static str,
    /// What would bring it.
    pub how: &'static str,
}
