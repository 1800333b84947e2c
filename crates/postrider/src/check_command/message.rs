//! `check --message`: what the queue knows of a message, then a look at where it still has to go.

use std::collections::BTreeSet;

use checks::{Checker, Request, Sender, Subject, check_history};
use queue::{DestinationKey, Store, Story};

use super::{CheckError, Printer};
use crate::of_queue::{concurrency, trail};

/// Destinations of one message that are looked at, at most.
const MAX_DESTINATIONS: usize = 10;

pub(super) async fn run(
    id: &str,
    sender: Option<Sender>,
    store: &dyn Store,
    checker: &Checker,
    printer: &mut Printer,
) -> Result<(), CheckError> {
    let story = store.story(store.find(id).await?).await?;
    let name = story.message.id.to_string();
    let mut findings = vec![trail(store, &story).await?];
    findings.extend(check_history(&story));
    let open = story.recipients.iter().filter(|r| !r.state.is_final());
    let destinations: BTreeSet<&str> = open.map(|r| r.destination.as_str()).collect();
    for destination in destinations {
        let destination = DestinationKey::new(destination);
        findings.push(concurrency(store, &destination).await?);
    }
    findings.push(checker.own_filter(&name));
    printer.show(&name, &findings)?;
    for subject in destinations_of(&story) {
        let asked = subject.domain.clone().unwrap_or_default();
        let own = || {
            let from = Subject::parse(story.message.sender.as_str()).ok()?;
            Sender::of(&from, Vec::new(), true)
        };
        let request = Request {
            subject,
            sender: sender.clone().or_else(own),
            probe: false,
            message_size: Some(story.message.size),
            header: Vec::new(),
        };
        printer.show(&asked, &checker.examine(&request).await)?;
    }
    Ok(())
}

/// One recipient of each domain that still waits.
fn destinations_of(story: &Story) -> Vec<Subject> {
    let mut seen = BTreeSet::new();
    let open = story.recipients.iter().filter(|r| !r.state.is_final());
    let subjects = open.filter_map(|recipient| {
        let subject = Subject::parse(recipient.address.as_str()).ok()?;
        seen.insert(subject.domain.clone()).then_some(subject)
    });
    subjects.take(MAX_DESTINATIONS).collect()
}
