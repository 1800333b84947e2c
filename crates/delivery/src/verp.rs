//! Return addresses on the way out.

use queue::DestinationKey;
use queue::route::{NextHop, Target};

use crate::Settings;
use crate::engine::Engine;
use crate::lane::Work;

/// Gives a message its return address, where its sender is to have one and it goes to a server. All its
/// recipients have the same reverse-path by now.
///
/// It is made anew at each attempt and never kept: reports of our own go to the reverse-path that the
/// queue has.
pub(crate) fn prepare(engine: &Engine, key: &DestinationKey, work: &mut Work) {
    work.return_path = None;
    let Some(bounces) = &engine.shared.settings.bounces else {
        return;
    };
    // Where mail is at its end nothing comes back; the address would only hide who sent it.
    let on_its_way = match Target::of(key) {
        Ok(Target::Domain(_) | Target::Hop(NextHop::Smtp(_) | NextHop::Smtps(_))) => true,
        Ok(_) | Err(_) => false,
    };
    if let (true, Some(first)) = (on_its_way, work.recipients.first()) {
        work.return_path = bounces.paths.path_for(&work.message, first);
    }
}

/// Recipients that may go in one transaction: one, where each has a return address of its own.
pub(crate) fn at_once(settings: &Settings, work: &Work) -> usize {
    let bounces = settings.bounces.as_ref();
    let alone = bounces.is_some_and(|b| b.paths.is_per_recipient());
    match &work.return_path {
        Some(_) if alone => 1,
        Some(_) | None => usize::MAX,
    }
}
