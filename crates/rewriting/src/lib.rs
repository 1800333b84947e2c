//! Rules that change mail on its way out: fields added, set or removed, addresses and domains mapped in the
//! header and in the reverse-path. Bytes that no rule names stay as they are.
//!
//! Each rule is done once, in order, so that nothing can go in circles. A field that a signature of somebody
//! covers is changed only by a rule that says so; otherwise the whole rule is left out, and told.

mod addresses;
mod edit;
mod map;

pub use edit::{Edited, Refused};
pub use map::{Mapping, NotAMapping};

use queue::route::Pattern;
use queue::{DestinationKey, Recipient};
use smtp::Address;

/// A header field that a rule brings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// Its name.
    pub name: String,
    /// Its value, in ASCII and on one line.
    pub value: String,
}

/// Where addresses are mapped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// A field of the header.
    Field(&'static str),
    /// The reverse-path.
    Envelope,
}

impl Place {
    /// All there are, as they are written.
    pub const ALL: [Place; 6] = [
        Place::Field("From"),
        Place::Field("Sender"),
        Place::Field("Reply-To"),
        Place::Field("To"),
        Place::Field("Cc"),
        Place::Envelope,
    ];

    /// The name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Place::Field(name) => name,
            Place::Envelope => "envelope",
        }
    }
}

/// One rule.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rule {
    /// What it is called where it is told of.
    pub name: String,
    /// For which reverse-paths; none: for all.
    pub senders: Vec<Pattern>,
    /// For which recipients; none: for all.
    pub recipients: Vec<Pattern>,
    /// For which ways, as the routes write them; `mx` for all that the DNS says. None: for all.
    pub routes: Vec<String>,
    /// Fields that go.
    pub remove: Vec<String>,
    /// Fields that are there once, with this value.
    pub set: Vec<Field>,
    /// Fields that come beside those there are.
    pub add: Vec<Field>,
    /// Addresses that become others.
    pub map: Vec<Mapping>,
    /// Where.
    pub places: Vec<Place>,
    /// Whether it may change what somebody else has signed.
    pub break_signatures: bool,
}

impl Rule {
    fn is_for(&self, sender: &Address, recipient: &Address, to: &DestinationKey) -> bool {
        let among = |patterns: &[Pattern], address: &Address| {
            patterns.is_empty() || patterns.iter().any(|pattern| pattern.matches(address))
        };
        // A named route has its name behind a `#`.
        let (hop, _) = to.as_str().split_once('#').unwrap_or((to.as_str(), ""));
        let way = |route: &String| hop == route || route == "mx" && hop.starts_with("mx:");
        among(&self.senders, sender)
            && among(&self.recipients, recipient)
            && (self.routes.is_empty() || self.routes.iter().any(way))
    }
}

/// Rules that are for a recipient, by their numbers.
pub type Which = Vec<u16>;

/// All rules, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rules(pub Vec<Rule>);

impl Rules {
    /// Those that are for a recipient of a message with this reverse-path.
    #[must_use]
    pub fn which(&self, sender: &Address, recipient: &Recipient) -> Which {
        let numbered = (0_u16..).zip(&self.0);
        let to = (&recipient.address, &recipient.destination);
        numbered
            .filter(|(_, rule)| rule.is_for(sender, to.0, to.1))
            .map(|(number, _)| number)
            .collect()
    }

    /// These rules, in order.
    pub(crate) fn of(&self, which: &[u16]) -> impl Iterator<Item = &Rule> {
        which.iter().filter_map(|n| self.0.get(usize::from(*n)))
    }

    /// The reverse-path by these rules, where they change it.
    #[must_use]
    pub fn sender(&self, which: &[u16], sender: &Address) -> Option<Address> {
        if sender.is_null() {
            return None;
        }
        let mut current = sender.as_str().to_owned();
        for rule in self.of(which) {
            if rule.places.contains(&Place::Envelope) {
                current = map::apply(&rule.map, &current).unwrap_or(current);
            }
        }
        let new = Address::parse(&current, true).ok()?;
        Some(new).filter(|new| new != sender)
    }
}
