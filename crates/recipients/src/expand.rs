//! From an address to the recipients that it stands for.

use std::collections::HashSet;
use std::sync::Arc;

use jiff::Timestamp;
use queue::{Expansion, Found, NotFound, Resolved, TablePlace};
use smtp::Address;

use crate::book::Book;
use crate::domain::{Class, Domain, Name};
use crate::place::is_routed;
use crate::table::{Entry, Table};
use crate::targets::{Target, targets};

/// Addresses of a step that are named.
const NAMED: usize = 20;

/// An address on its way.
pub(crate) struct Task {
    pub(crate) address: Address,
    /// The addresses that led to it.
    pub(crate) up: Option<Arc<Link>>,
    /// Which entry names it; `None` for the one that was asked for.
    pub(crate) by: Option<TablePlace>,
    /// Who owns the list that it is on.
    pub(crate) owner: Option<Address>,
    /// Its mailbox is meant, past its aliases.
    pub(crate) literal: bool,
}

pub(crate) struct Link {
    pub(crate) address: Address,
    pub(crate) up: Option<Arc<Link>>,
    pub(crate) depth: usize,
}

/// An entry that was found.
pub(crate) struct Hit {
    pub(crate) entry: Entry,
    pub(crate) table: String,
    /// The entry is for the name without its detail.
    pub(crate) base: bool,
}

impl Hit {
    pub(crate) fn place(&self) -> TablePlace {
        TablePlace {
            table: self.table.clone(),
            line: self.entry.line,
        }
    }
}

/// The work of one question.
pub(crate) struct Expander<'a> {
    pub(crate) book: &'a Book,
    pub(crate) sender: &'a Address,
    pub(crate) now: Timestamp,
    pub(crate) tasks: Vec<Task>,
    pub(crate) placed: HashSet<String>,
    pub(crate) followed: HashSet<String>,
    /// The reverse-path for what is forwarded, once it is needed.
    pub(crate) forwarded: Option<Option<Address>>,
    pub(crate) out: Resolved,
}

impl<'a> Expander<'a> {
    pub(crate) fn new(book: &'a Book, sender: &'a Address, now: Timestamp) -> Expander<'a> {
        Expander {
            book,
            sender,
            now,
            tasks: Vec::new(),
            placed: HashSet::new(),
            followed: HashSet::new(),
            forwarded: None,
            out: Resolved::default(),
        }
    }

    pub(crate) async fn find(mut self, address: &Address) -> Result<Found, NotFound> {
        let mut first = Task {
            address: address.clone(),
            up: None,
            by: None,
            owner: None,
            literal: false,
        };
        if let Some(sender) = self.returned(address)? {
            first.address = sender;
        } else if address
            .domain()
            .is_some_and(|domain| !self.book.has(domain))
        {
            return Ok(Found::Elsewhere);
        }
        self.tasks.push(first);
        while let Some(task) = self.tasks.pop() {
            self.step(task).await?;
        }
        match self.out.recipients.is_empty() {
            true => Err(NotFound::Unknown {
                address: address.clone(),
            }),
            false => Ok(Found::Here(self.out)),
        }
    }

    /// The sender behind a reverse-path of ours that comes back.
    fn returned(&mut self, address: &Address) -> Result<Option<Address>, NotFound> {
        let Some(srs) = self.book.srs.as_ref().filter(|srs| srs.is_ours(address)) else {
            return Ok(None);
        };
        let not = |why| NotFound::NotReturned {
            address: address.clone(),
            why,
        };
        // Whoever has seen such an address could else have us forward mail to its sender.
        if !self.sender.is_null() {
            return Err(not("only reports, with the sender <>, may come to it"));
        }
        let sender = srs.reverse(address, self.now).map_err(|error| {
            not(match error {
                crate::SrsError::NotOne => "it is not one",
                crate::SrsError::Form => "its form is wrong",
                crate::SrsError::Hash => "its hash is not ours",
                crate::SrsError::Old => "it is too old",
            })
        })?;
        self.out.steps.push(Expansion::Returned {
            rewritten: address.clone(),
            sender: sender.clone(),
        });
        Ok(Some(sender))
    }

    async fn step(&mut self, task: Task) -> Result<(), NotFound> {
        let Some(domain_name) = task.address.domain() else {
            // RFC 5321 §4.5.1: the bare postmaster.
            return self.fall_back(task, "postmaster");
        };
        let Some(domain) = self.book.domain(domain_name) else {
            self.place_elsewhere(task);
            return Ok(());
        };
        let name = Name::of(task.address.local(), &self.book.settings.delimiters);
        if !task.literal
            && let Some(hit) = self.alias(domain, &name).await?
        {
            return self.follow_alias(task, domain, &name, hit).await;
        }
        match &domain.class {
            Class::Local { mailbox, mailboxes } => {
                if let Some(hit) = self.member(mailboxes, domain, &name).await? {
                    return self.place_mailbox(task, domain, &name, mailbox, hit).await;
                }
            }
            Class::Relay { recipients, verify } => {
                if is_routed(task.address.local()) {
                    let address = task.address.clone();
                    return self.nobody(task, NotFound::Routed { address });
                }
                let known = recipients.is_empty()
                    || self.member(recipients, domain, &name).await?.is_some();
                if known {
                    self.place_relayed(task, verify.clone());
                    return Ok(());
                }
            }
            Class::Virtual => {}
        }
        let any = format!("@{}", domain.name);
        if let Some(hit) = first(self.alias_tables(domain), &[any], false).await? {
            return self
                .follow(task, &domain.name, None, hit.place(), &hit.entry.value)
                .await;
        }
        self.fall_back(task, name.user())
    }

    fn alias_tables(&self, domain: &'a Domain) -> impl Iterator<Item = &'a Arc<dyn Table>> + Clone {
        domain.aliases.iter().chain(&self.book.aliases)
    }

    /// The alias for a name: with its detail before without, with its domain before without. Names
    /// without a domain are for local domains, and in a domain's own tables.
    async fn alias(&self, domain: &'a Domain, name: &Name) -> Result<Option<Hit>, NotFound> {
        let local = matches!(domain.class, Class::Local { .. });
        let whole = [format!("{}@{}", name.whole, domain.name)];
        let bare = [whole[0].clone(), name.whole.clone()];
        let own = first(domain.aliases.iter(), &bare, false).await?;
        let keys = if local { &bare[..] } else { &whole[..] };
        let hit = match own {
            Some(hit) => Some(hit),
            None => first(self.book.aliases.iter(), keys, false).await?,
        };
        if hit.is_some() {
            return Ok(hit);
        }
        let Some(base) = &name.base else {
            return Ok(None);
        };
        let whole = [format!("{base}@{}", domain.name)];
        let bare = [whole[0].clone(), base.clone()];
        match first(domain.aliases.iter(), &bare, true).await? {
            Some(hit) => Ok(Some(hit)),
            None => {
                let keys = if local { &bare[..] } else { &whole[..] };
                first(self.book.aliases.iter(), keys, true).await
            }
        }
    }

    /// The entry of a name in a table of mailboxes or recipients.
    async fn member(
        &self,
        tables: &[Arc<dyn Table>],
        domain: &Domain,
        name: &Name,
    ) -> Result<Option<Hit>, NotFound> {
        let keys = |name: &str| [format!("{name}@{}", domain.name), name.to_owned()];
        let hit = first(tables.iter(), &keys(&name.whole), false).await?;
        match (&name.base, hit) {
            (Some(base), None) => first(tables.iter(), &keys(base), true).await,
            (_, hit) => Ok(hit),
        }
    }

    async fn follow_alias(
        &mut self,
        mut task: Task,
        domain: &'a Domain,
        name: &Name,
        hit: Hit,
    ) -> Result<(), NotFound> {
        // What was followed once leads to nobody new.
        if !self.followed.insert(folded(&task.address)) {
            return Ok(());
        }
        if let Some(owner) = self.owner_of(domain, name).await? {
            self.out.steps.push(Expansion::Owner {
                list: task.address.clone(),
                owner: owner.clone(),
            });
            task.owner = Some(owner);
        }
        let detail = name.detail.as_deref().filter(|_| hit.base);
        self.follow(task, &domain.name, detail, hit.place(), &hit.entry.value)
            .await
    }

    /// The owner of a list, where there is an alias `owner-LIST` (aliases(5)).
    async fn owner_of(&self, domain: &'a Domain, name: &Name) -> Result<Option<Address>, NotFound> {
        let list = name.user();
        if list.starts_with("owner-") {
            return Ok(None);
        }
        let owner = Name {
            whole: format!("owner-{list}"),
            base: None,
            detail: None,
        };
        if self.alias(domain, &owner).await?.is_none() {
            return Ok(None);
        }
        Ok(format!("{}@{}", owner.whole, domain.name).parse().ok())
    }

    /// Goes on with what an entry names.
    pub(crate) async fn follow(
        &mut self,
        task: Task,
        domain: &str,
        detail: Option<&str>,
        by: TablePlace,
        value: &str,
    ) -> Result<(), NotFound> {
        let named = self.named(value, domain, &by).await?;
        let link = Arc::new(Link {
            depth: task.up.as_ref().map_or(1, |up| up.depth + 1),
            address: task.address.clone(),
            up: task.up.clone(),
        });
        let mut next = Vec::with_capacity(named.len());
        for target in named {
            let (address, mut literal) = match target {
                Target::Address(address) => (self.with_detail(address, detail), false),
                Target::Mailbox(address) => (address, true),
                // `named` has put its targets in its place.
                Target::Include(_) => continue,
            };
            if folded(&address) == folded(&task.address) {
                // An alias that names itself means the mailbox: it asks for a copy.
                literal = true;
            }
            if !literal {
                self.check_circle(&link, &address)?;
            }
            next.push(Task {
                address,
                up: Some(link.clone()),
                by: Some(by.clone()),
                owner: task.owner.clone(),
                literal,
            });
        }
        let limit = self.book.settings.max_recipients;
        if self.tasks.len() + self.out.recipients.len() + next.len() > limit {
            return Err(NotFound::TooMany {
                address: task.address,
                limit,
            });
        }
        let into = next.iter().map(|task| task.address.clone());
        self.out.steps.push(Expansion::Became {
            into: into.take(NAMED).collect(),
            more: u32::try_from(next.len().saturating_sub(NAMED)).unwrap_or(u32::MAX),
            address: task.address,
            by,
        });
        self.tasks.extend(next.into_iter().rev());
        Ok(())
    }

    /// The targets of an entry, those of included lists among them.
    async fn named(
        &self,
        value: &str,
        domain: &str,
        by: &TablePlace,
    ) -> Result<Vec<Target>, NotFound> {
        let bad = |by: &TablePlace, problem| NotFound::BadEntry {
            by: by.clone(),
            problem,
        };
        let mut named = Vec::new();
        for target in targets(value, domain).map_err(|problem| bad(by, problem))? {
            let Target::Include(path) = target else {
                named.push(target);
                continue;
            };
            let list = TablePlace {
                table: path.clone(),
                line: None,
            };
            let includes = &self.book.includes;
            let found = includes
                .look_up(&path)
                .await
                .map_err(|error| NotFound::TableFailed {
                    table: path.clone(),
                    reported: error.0,
                })?;
            let text = found.map(|entry| entry.value).unwrap_or_default();
            let members = targets(&text, domain).map_err(|problem| bad(&list, problem))?;
            if members.iter().any(|m| matches!(m, Target::Include(_))) {
                return Err(bad(
                    &list,
                    "a list that is included cannot include others".into(),
                ));
            }
            named.extend(members);
        }
        Ok(named)
    }

    /// The detail goes on with an address of ours that has none.
    fn with_detail(&self, address: Address, detail: Option<&str>) -> Address {
        let delimiters = &self.book.settings.delimiters;
        let (Some(detail), Some(delimiter)) = (detail, delimiters.chars().next()) else {
            return address;
        };
        let Some(domain) = address.domain().filter(|domain| self.book.has(domain)) else {
            return address;
        };
        if Name::of(address.local(), delimiters).base.is_some() {
            return address;
        }
        let with = format!("{}{delimiter}{detail}@{domain}", address.local());
        with.parse().unwrap_or(address)
    }

    pub(crate) fn check_circle(&self, link: &Arc<Link>, address: &Address) -> Result<(), NotFound> {
        let wanted = folded(address);
        let mut chain = vec![address.clone()];
        let mut up = Some(link);
        while let Some(link) = up {
            chain.push(link.address.clone());
            if folded(&link.address) == wanted {
                chain.reverse();
                return Err(NotFound::Circle { chain });
            }
            up = link.up.as_ref();
        }
        if link.depth > self.book.settings.max_depth {
            chain.reverse();
            return Err(NotFound::Circle { chain });
        }
        Ok(())
    }
}

/// The first table that has one of the keys; the keys in their order, for each the tables in theirs.
async fn first(
    tables: impl Iterator<Item = &Arc<dyn Table>> + Clone,
    keys: &[String],
    base: bool,
) -> Result<Option<Hit>, NotFound> {
    for key in keys {
        for table in tables.clone() {
            let entry = table
                .look_up(key)
                .await
                .map_err(|error| NotFound::TableFailed {
                    table: table.name().to_owned(),
                    reported: error.0,
                })?;
            if let Some(entry) = entry {
                let table = table.name().to_owned();
                return Ok(Some(Hit { entry, table, base }));
            }
        }
    }
    Ok(None)
}

/// An address as it is compared here.
pub(crate) fn folded(address: &Address) -> String {
    address.to_string().to_lowercase()
}
