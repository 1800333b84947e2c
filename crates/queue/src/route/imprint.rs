//! What decides where queued mail goes, as text that is kept and compared.

use super::{Pattern, Routes};

/// Raised whenever the same routes come to lead elsewhere: what an earlier version stored is gone
/// through once more.
const READING: u32 = 1;

/// All that decides to which lane a recipient goes, in a form that can be kept. Equal ones send every
/// recipient the same way; different ones may or may not.
///
/// The text is kept whole and not a sum of it: there is nothing that two could share by chance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Imprint(String);

impl Imprint {
    /// Of routes and of the domains whose recipients go by none of them.
    pub fn of<'a>(routes: &Routes, placed: impl IntoIterator<Item = &'a str>) -> Imprint {
        let rule = |rule: &super::Rule| {
            let pattern = |p: &Option<Pattern>| p.as_ref().map(ToString::to_string);
            let (sender, recipient) = (pattern(&rule.sender), pattern(&rule.recipient));
            (sender, recipient, rule.header.clone(), rule.line.family())
        };
        let rules: Vec<_> = routes.rules.iter().map(rule).collect();
        let domain = |(name, line): (&String, &super::Line)| (name.clone(), line.family());
        let mut domains: Vec<_> = routes.exact.iter().map(domain).collect();
        domains.sort_unstable();
        let otherwise = routes.otherwise.as_ref().map(super::Line::family);
        let mut placed: Vec<String> = placed.into_iter().map(str::to_ascii_lowercase).collect();
        placed.sort_unstable();
        placed.dedup();
        // `Debug` escapes what stands in a text, so that no two of them read alike; should it ever be
        // written otherwise, the queue is gone through once in vain.
        Imprint(format!(
            "{READING} {:?}",
            (rules, domains, otherwise, placed)
        ))
    }

    /// As it is kept.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// As it was kept.
    #[must_use]
    pub fn kept(text: String) -> Imprint {
        Imprint(text)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Identity, Line, NextHop, Rule, Ways};
    use super::*;

    fn hop(text: &str) -> NextHop {
        text.parse().unwrap()
    }

    fn routes(lines: &[(&str, &str)]) -> Routes {
        let mut routes = Routes::default();
        for (domain, to) in lines {
            routes.insert(domain, hop(to));
        }
        routes
    }

    fn of(routes: &Routes) -> Imprint {
        Imprint::of(routes, ["ours.example"])
    }

    const TWO: [(&str, &str); 2] = [("a.example", "smtp://h:1"), ("*", "smtp://h:2")];

    fn rule(sender: &str, header: Option<(&str, &str)>, to: Line) -> Rule {
        Rule {
            sender: Some(sender.parse().unwrap()),
            recipient: None,
            header: header.map(|(name, value)| (name.to_owned(), value.to_owned())),
            line: to,
        }
    }

    #[test]
    fn the_order_of_domains_and_what_else_a_route_says_make_no_difference() {
        let one = routes(&TWO);
        let mut other = Routes::default();
        for (domain, to) in TWO.iter().rev() {
            let helo = Some("me.example".to_owned());
            let source = Vec::new();
            let line = Line {
                ways: Ways {
                    login: None,
                    identity: Identity { source, helo },
                },
                ..Line::from(hop(to))
            };
            other.insert_line(domain, line).unwrap();
        }
        assert_eq!(of(&one), of(&other));
        let placed = Imprint::of(&one, ["B.example", "a.example", "b.example"]);
        assert_eq!(placed, Imprint::of(&one, ["a.example", "b.example"]));
        assert_eq!(
            Imprint::kept(placed.as_str().to_owned()),
            Imprint::of(&one, ["a.example", "b.example"])
        );
    }

    #[test]
    fn whatever_may_send_mail_elsewhere_makes_a_difference() {
        let mut all = vec![
            of(&routes(&[])),
            of(&routes(&TWO)),
            of(&routes(&TWO[..1])),
            of(&routes(&TWO[1..])),
            of(&routes(&[("a.example", "smtp://h:2"), ("*", "smtp://h:1")])),
            of(&routes(&[
                (".a.example", "smtp://h:1"),
                ("*", "smtp://h:2"),
            ])),
            Imprint::of(&routes(&TWO), []),
            Imprint::of(&routes(&TWO), ["ours.example", "a.example"]),
        ];
        let named = |name: Option<&str>| Line {
            name: name.map(str::to_owned),
            ..Line::from(hop("smtp://h:3"))
        };
        let rules = [
            rule("x.example", None, named(None)),
            rule("x.example", None, named(Some("bulk"))),
            rule(".x.example", None, named(None)),
            rule("x.example", Some(("List-Id", "a")), named(None)),
            rule("x.example", Some(("List-Id", "b")), named(None)),
        ];
        for rule in &rules {
            let mut routes = routes(&TWO);
            routes.push(rule.clone()).unwrap();
            all.push(of(&routes));
        }
        for order in [[0, 2], [2, 0]] {
            let mut routes = routes(&TWO);
            for at in order {
                routes.push(rules[at].clone()).unwrap();
            }
            all.push(of(&routes));
        }
        for (at, one) in all.iter().enumerate() {
            assert!(!all[at + 1..].contains(one), "{one:?}");
        }
    }
}
