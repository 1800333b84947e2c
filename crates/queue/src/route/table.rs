//! The table of routes.

use std::collections::HashMap;

use super::{Asked, NextHop, Rule, Target, Ways, target};
use crate::DestinationKey;

/// What a route says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Where it leads.
    pub to: NextHop,
    /// Its name: tells it from others that lead to the same place.
    pub name: Option<String>,
    /// What else it says.
    pub ways: Ways,
}

impl From<NextHop> for Line {
    fn from(to: NextHop) -> Line {
        Line {
            to,
            name: None,
            ways: Ways::default(),
        }
    }
}

impl Line {
    /// What the keys of its lanes have in common: where it leads and its name.
    pub(super) fn family(&self) -> String {
        family(&self.to, self.name.as_deref())
    }
}

fn family(to: &NextHop, name: Option<&str>) -> String {
    match name {
        Some(name) => format!("{to}#{name}"),
        None => to.to_string(),
    }
}

/// Whether the text may be the name of a route: letters, digits, `-` and `_`.
pub(super) fn is_name(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    !text.is_empty() && text.len() <= 64 && text.chars().all(plain)
}

impl Line {
    /// Whether the text may be the name of a route.
    #[must_use]
    pub fn is_name(text: &str) -> bool {
        is_name(text)
    }
}

/// Why a route leads there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Matched {
    /// The rule at this place, from 1, with these words.
    Rule {
        /// Its place.
        place: usize,
        /// What it names.
        names: String,
    },
    /// The line of this domain in `[routes]`.
    Domain(String),
    /// Nothing is configured for it.
    Default,
}

/// Where mail goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lead {
    /// Where.
    pub target: Target,
    /// The name of the route.
    pub name: Option<String>,
    /// By which route.
    pub matched: Matched,
}

impl Lead {
    /// The key of the lane.
    #[must_use]
    pub fn key(&self) -> DestinationKey {
        match self.target {
            Target::Bounces | Target::Nowhere => self.target.key(),
            Target::Domain(_) | Target::Hop(_) => self.target.key_by(self.name.as_deref()),
        }
    }
}

/// Two routes lead to the same place by the same name and differ in what else they say.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("another route to `{to}` says something else about how to get there")]
pub struct Twice {
    /// Where both lead.
    pub to: String,
}

/// The table of routes: rules first, in order; then the most specific domain; `*` comes last, and
/// without it `mx`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Routes {
    pub(super) rules: Vec<Rule>,
    pub(super) exact: HashMap<String, Line>,
    pub(super) otherwise: Option<Line>,
    ways: HashMap<String, Ways>,
}

impl Routes {
    /// Adds a route. `domain` is `example.org` (that domain only), `.example.org` (everything below
    /// it) or `*`.
    pub fn insert(&mut self, domain: &str, hop: NextHop) {
        let line = Line::from(hop);
        self.ways.entry(line.family()).or_default();
        self.put(domain, line);
    }

    fn put(&mut self, domain: &str, line: Line) {
        if domain == "*" {
            self.otherwise = Some(line);
        } else {
            self.exact.insert(domain.to_ascii_lowercase(), line);
        }
    }

    /// Adds a route that says more.
    pub fn insert_line(&mut self, domain: &str, line: Line) -> Result<(), Twice> {
        self.learn(&line, domain == "*")?;
        self.put(domain, line);
        Ok(())
    }

    /// Adds a rule, after those that are there.
    pub fn push(&mut self, rule: Rule) -> Result<(), Twice> {
        self.learn(&rule.line, false)?;
        self.rules.push(rule);
        Ok(())
    }

    /// Notes what a line says. The key of a lane must lead back to one answer.
    fn learn(&mut self, line: &Line, for_all: bool) -> Result<(), Twice> {
        let family = line.family();
        // What no route takes goes to the mail exchangers too, and in the usual way.
        let usual = line.to == NextHop::Mx && line.name.is_none() && !for_all;
        let differs = match self.ways.get(&family) {
            Some(known) => *known != line.ways,
            None => usual && line.ways != Ways::default(),
        };
        if differs {
            return Err(Twice { to: family });
        }
        self.ways.insert(family, line.ways.clone());
        Ok(())
    }

    /// The header fields that rules look at, in lower case.
    pub fn header_names(&self) -> impl Iterator<Item = String> + '_ {
        let named = self.rules.iter().filter_map(|rule| rule.header.as_ref());
        named.map(|(name, _)| name.to_ascii_lowercase())
    }

    /// The next hop for a domain, of mail of which nothing else is known.
    #[must_use]
    pub fn next_hop(&self, domain: &str) -> &NextHop {
        self.of_domain(Some(domain))
            .map_or(&NextHop::Mx, |(_, line)| &line.to)
    }

    fn of_domain(&self, domain: Option<&str>) -> Option<(&str, &Line)> {
        let named = |key: &str| self.exact.get_key_value(key);
        let mut found = None;
        if let Some(domain) = domain {
            found = named(domain);
            let mut rest = domain;
            while let (None, Some(dot)) = (found, rest.find('.')) {
                found = named(&rest[dot..]);
                rest = &rest[dot + 1..];
            }
        }
        let otherwise = self.otherwise.as_ref().map(|line| ("*", line));
        found.map(|(key, line)| (key.as_str(), line)).or(otherwise)
    }

    /// Where mail goes, and by which route.
    #[must_use]
    pub fn lead(&self, asked: &Asked<'_>) -> Lead {
        let domain = asked.recipient.domain().map(str::to_lowercase);
        let mut rules = self.rules.iter().enumerate();
        let (matched, line) = match rules.find(|(_, rule)| rule.matches(asked)) {
            Some((place, rule)) => {
                let (place, names) = (place + 1, rule.to_string());
                (Matched::Rule { place, names }, Some(&rule.line))
            }
            None => match self.of_domain(domain.as_deref()) {
                Some((key, line)) => (Matched::Domain(key.to_owned()), Some(line)),
                None => (Matched::Default, None),
            },
        };
        let hop = line.map_or(&NextHop::Mx, |line| &line.to);
        let target = match (hop, domain) {
            (NextHop::Mx, Some(domain)) => Target::Domain(domain),
            (NextHop::Mx, None) | (NextHop::Nowhere, _) => Target::Nowhere,
            (hop, _) => Target::Hop(hop.clone()),
        };
        Lead {
            target,
            name: line.and_then(|line| line.name.clone()),
            matched,
        }
    }

    /// What the route of a lane says besides where it leads.
    #[must_use]
    pub fn ways(&self, key: &DestinationKey) -> Ways {
        let (_, name) = target::split(key.as_str());
        let known = Target::of(key).ok().and_then(|to| {
            let family = family(to.hop(), name);
            self.ways.get(&family)
        });
        known.cloned().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use smtp::Address;

    use super::*;
    use crate::route::{Identity, Login};

    fn address(text: &str) -> Address {
        Address::parse(text, true).unwrap()
    }

    fn rule(text: [Option<&str>; 2], header: Option<(&str, &str)>, to: &str) -> Rule {
        let pattern = |text: Option<&str>| text.map(|text| text.parse().unwrap());
        Rule {
            sender: pattern(text[0]),
            recipient: pattern(text[1]),
            header: header.map(|(name, value)| (name.to_owned(), value.to_owned())),
            line: Line::from(to.parse::<NextHop>().unwrap()),
        }
    }

    fn with_helo(to: &str, name: Option<&str>, helo: &str) -> Line {
        let helo = Some(helo.to_owned());
        let source = Vec::new();
        Line {
            to: to.parse().unwrap(),
            name: name.map(str::to_owned),
            ways: Ways {
                login: None,
                identity: Identity { source, helo },
            },
        }
    }

    #[test]
    fn the_most_specific_domain_wins_and_the_star_comes_last() {
        let mut routes = Routes::default();
        assert_eq!(routes.next_hop("example.org"), &NextHop::Mx);
        for (domain, port) in [
            ("*", 1),
            ("example.org", 2),
            (".example.org", 3),
            (".b.example.org", 4),
        ] {
            routes.insert(domain, format!("smtp://h:{port}").parse().unwrap());
        }
        for (domain, port) in [
            ("example.org", 2),
            ("a.example.org", 3),
            ("x.b.example.org", 4),
            ("b.example.org", 3),
            ("org", 1),
            ("example.com", 1),
        ] {
            assert_eq!(
                routes.next_hop(domain).to_string(),
                format!("smtp://h:{port}"),
                "{domain}"
            );
        }
    }

    #[test]
    fn the_first_rule_that_holds_wins_over_all_domains() {
        let mut routes = Routes::default();
        routes.insert("example.org", "smtp://domain:25".parse().unwrap());
        let rules = [
            rule(
                [Some("news.example"), None],
                Some(("X-Stream", "Bulk")),
                "smtp://bulk:25",
            ),
            rule([Some("<>"), None], None, "smtp://reports:25"),
            rule(
                [Some("anna@Here.example"), Some(".example.org")],
                None,
                "smtp://anna:25",
            ),
        ];
        for rule in rules {
            routes.push(rule).unwrap();
        }
        let bulk = [("x-stream".to_owned(), "bulk".to_owned())];
        let other = [("x-stream".to_owned(), "bulky".to_owned())];
        for (sender, recipient, header, to) in [
            (
                "x@news.example",
                "b@example.org",
                &bulk[..],
                "smtp://bulk:25",
            ),
            (
                "x@news.example",
                "b@example.org",
                &other[..],
                "smtp://domain:25",
            ),
            (
                "x@sub.news.example",
                "b@example.org",
                &bulk[..],
                "smtp://domain:25",
            ),
            ("", "b@example.org", &[], "smtp://reports:25"),
            (
                "anna@HERE.example",
                "b@A.example.org",
                &[],
                "smtp://anna:25",
            ),
            (
                "Anna@here.example",
                "b@a.example.org",
                &[],
                "mx:a.example.org",
            ),
            (
                "anna@here.example",
                "b@example.org",
                &[],
                "smtp://domain:25",
            ),
        ] {
            let sender = match sender {
                "" => Address::null(),
                text => address(text),
            };
            let recipient = address(recipient);
            let asked = Asked {
                header,
                ..Asked::to(&recipient).from(&sender)
            };
            assert_eq!(routes.lead(&asked).key().as_str(), to, "{asked:?}");
        }
        let recipient = address("b@example.org");
        let lead = routes.lead(&Asked::to(&recipient));
        assert_eq!(lead.matched, Matched::Domain("example.org".into()));
        assert_eq!(routes.header_names().collect::<Vec<_>>(), ["x-stream"]);
    }

    #[test]
    fn the_key_of_a_lane_leads_back_to_what_its_route_says() {
        let mut routes = Routes::default();
        let login = Login {
            user: "anna".into(),
            password_file: "/etc/secret".into(),
            unencrypted: false,
        };
        let smart = Line {
            to: "smtp://smart.example:587".parse().unwrap(),
            name: None,
            ways: Ways {
                login: Some(login),
                identity: Identity::default(),
            },
        };
        routes.insert_line("*", smart.clone()).unwrap();
        let bulk = with_helo("mx", Some("bulk"), "bulk.example");
        routes.insert_line("bulk.example", bulk.clone()).unwrap();
        for (to, key, ways) in [
            ("b@else.example", "smtp://smart.example:587", &smart.ways),
            ("b@bulk.example", "mx:bulk.example#bulk", &bulk.ways),
        ] {
            let lead = routes.lead(&Asked::to(&address(to)));
            assert_eq!(lead.key().as_str(), key);
            assert_eq!(&routes.ways(&lead.key()), ways);
            assert_eq!(&routes.ways(&lead.key().tls_optional()), ways);
        }
        let unknown = DestinationKey::new("mx:other.example");
        assert_eq!(routes.ways(&unknown), Ways::default());
    }

    #[test]
    fn two_routes_to_one_place_that_say_different_things_need_names() {
        let mut routes = Routes::default();
        let to = "smtp://h:25";
        routes
            .insert_line("a.example", with_helo(to, None, "a"))
            .unwrap();
        assert!(
            routes
                .insert_line("b.example", with_helo(to, None, "a"))
                .is_ok()
        );
        assert!(
            routes
                .insert_line("c.example", with_helo(to, None, "c"))
                .is_err()
        );
        assert!(
            routes
                .insert_line("c.example", with_helo(to, Some("c"), "c"))
                .is_ok()
        );
        // What has no route goes to the mail exchangers in the usual way.
        assert!(
            routes
                .insert_line("d.example", with_helo("mx", None, "d"))
                .is_err()
        );
        assert!(
            routes
                .insert_line("d.example", with_helo("mx", Some("d"), "d"))
                .is_ok()
        );
        assert!(
            routes
                .insert_line("*", with_helo("mx", None, "all"))
                .is_ok()
        );
    }
}
