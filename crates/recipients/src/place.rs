//! Where the recipients that an address stands for go.

use std::sync::Arc;

use queue::route::{Asked, Lead, NextHop, Target as Hop};
use queue::{CalloutPolicy, Expansion, NotFound, Placed, TablePlace};
use smtp::Address;

use crate::domain::{Domain, Name};
use crate::expand::{Expander, Hit, Link, Task, folded};
use crate::targets::mailbox_options;
use crate::template::Template;

impl Expander<'_> {
    pub(crate) async fn place_mailbox(
        &mut self,
        task: Task,
        domain: &Domain,
        name: &Name,
        template: &Template,
        hit: Hit,
    ) -> Result<(), NotFound> {
        let by = hit.place();
        let bad = |problem: String| NotFound::BadEntry {
            by: by.clone(),
            problem,
        };
        let user = if hit.base { name.user() } else { &name.whole };
        let path = template.path(user, &domain.name).ok_or_else(|| {
            bad(format!(
                "`{}` cannot be the name of a directory",
                user.escape_debug()
            ))
        })?;
        let options = mailbox_options(&hit.entry.value, &domain.name).map_err(bad)?;
        let forwards = !options.forward.is_empty() && !task.literal;
        let mailbox = Hop::Hop(NextHop::Maildir(path));
        if !forwards || options.keep {
            self.place(Placed {
                address: task.address.clone(),
                destination: mailbox.key(),
                target: mailbox,
                quota: options.quota,
                sender: task.owner.clone(),
                verify: None,
            });
        }
        if !forwards || !self.followed.insert(folded(&task.address)) {
            return Ok(());
        }
        // Its targets stand behind `forward=`, up to the next blank.
        let forward = hit.entry.value.split_ascii_whitespace();
        let forward = forward
            .into_iter()
            .find_map(|word| word.strip_prefix("forward="));
        let value = forward.unwrap_or_default().to_owned();
        self.follow(task, &domain.name, None, by, &value).await
    }

    pub(crate) fn place_relayed(&mut self, task: Task, verify: Option<Arc<CalloutPolicy>>) {
        let lead = self.lead(&task.address);
        self.place(Placed {
            address: task.address,
            destination: lead.key(),
            target: lead.target,
            quota: None,
            sender: task.owner,
            verify,
        });
    }

    pub(crate) fn place_elsewhere(&mut self, task: Task) {
        let sender = match task.owner {
            Some(owner) => Some(owner),
            None if task.by.is_some() => self.forwarded(),
            None => None,
        };
        let lead = self.lead(&task.address);
        self.place(Placed {
            destination: lead.key(),
            target: lead.target,
            address: task.address,
            quota: None,
            sender,
            verify: None,
        });
    }

    fn lead(&self, address: &Address) -> Lead {
        self.book.routes.lead(&Asked::to(address).from(self.sender))
    }

    /// The reverse-path for mail of this sender that goes on to elsewhere.
    fn forwarded(&mut self) -> Option<Address> {
        if let Some(known) = &self.forwarded {
            return known.clone();
        }
        // The next server believes us where the domain is ours.
        let ours = self
            .sender
            .domain()
            .is_none_or(|domain| self.book.has(domain));
        let srs = self.book.srs.as_ref().filter(|_| !ours);
        let rewritten = srs.and_then(|srs| srs.forward(self.sender, self.now));
        if let Some(rewritten) = &rewritten {
            self.out.steps.push(Expansion::Forwarded {
                sender: self.sender.clone(),
                rewritten: rewritten.clone(),
            });
        }
        self.forwarded = Some(rewritten.clone());
        rewritten
    }

    fn place(&mut self, placed: Placed) {
        // RFC 5321 §2.4: elsewhere, `Anna` and `anna` may be two.
        let key = match placed.address.domain() {
            Some(domain) if !self.book.has(domain) => {
                format!("{}@{}", placed.address.local(), domain.to_lowercase())
            }
            _ => folded(&placed.address),
        };
        if self.placed.insert(key) {
            self.out.recipients.push(placed);
        }
    }

    /// RFC 5321 §4.5.1, RFC 2142 §4 and §5: whoever runs a domain can be reached there.
    pub(crate) fn fall_back(&mut self, task: Task, name: &str) -> Result<(), NotFound> {
        let postmaster = &self.book.settings.postmaster;
        let required = matches!(name, "postmaster" | "abuse");
        let known = postmaster
            .as_ref()
            .filter(|p| required && folded(p) != folded(&task.address));
        let Some(postmaster) = known.cloned() else {
            let address = task.address.clone();
            return self.nobody(task, NotFound::Unknown { address });
        };
        let link = Arc::new(Link {
            depth: task.up.as_ref().map_or(1, |up| up.depth + 1),
            address: task.address.clone(),
            up: task.up.clone(),
        });
        self.check_circle(&link, &postmaster)?;
        let by = TablePlace {
            table: "[local] postmaster".to_owned(),
            line: None,
        };
        self.out.steps.push(Expansion::Became {
            address: task.address,
            into: vec![postmaster.clone()],
            more: 0,
            by: by.clone(),
        });
        self.tasks.push(Task {
            address: postmaster,
            up: Some(link),
            by: Some(by),
            owner: None,
            literal: false,
        });
        Ok(())
    }

    /// Nobody has the address: the client is told so where it asked for it; what one of our tables
    /// names is left out, for the others on it are none the worse.
    pub(crate) fn nobody(&mut self, task: Task, not: NotFound) -> Result<(), NotFound> {
        match task.by {
            None => Err(not),
            Some(by) => {
                let address = task.address;
                self.out.steps.push(Expansion::LeftOut { address, by });
                Ok(())
            }
        }
    }
}

/// Whether a local part asks a next hop to send on: `user%other@`, `other!user@`, `"user@other"@`.
pub(crate) fn is_routed(local: &str) -> bool {
    local.contains(['%', '!', '@'])
}
