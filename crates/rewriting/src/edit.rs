//! The header by the rules.

use mime_convert::field::{fields, name};

use crate::{Place, Rule, Rules, addresses, map};

/// A rule that was left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// The rule.
    pub rule: String,
    /// The field that it would have changed, and that a signature covers.
    pub field: String,
}

/// What came of the rules.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Edited {
    /// The header, where it changed.
    pub header: Option<Vec<u8>>,
    /// The rules that changed something.
    pub done: Vec<String>,
    /// Those that were left out.
    pub refused: Vec<Refused>,
}

impl Rules {
    /// Changes a header, which ends with the line end of its last field.
    #[must_use]
    pub fn edit(&self, which: &[u16], header: &[u8]) -> Edited {
        let mut edited = Edited::default();
        let signed = signed_names(header);
        let mut current = header.to_vec();
        for rule in self.of(which) {
            let (new, touched) = one(rule, &current);
            if touched.is_empty() {
                continue;
            }
            let covered = touched
                .iter()
                .find(|name| signed.contains(&name.to_ascii_lowercase()));
            match covered.filter(|_| !rule.break_signatures) {
                Some(field) => edited.refused.push(Refused {
                    rule: rule.name.clone(),
                    field: field.clone(),
                }),
                None => {
                    current = new;
                    edited.done.push(rule.name.clone());
                }
            }
        }
        edited.header = Some(current).filter(|new| new != header);
        edited
    }
}

/// The header by one rule, and the names of the fields that it changed.
fn one(rule: &Rule, header: &[u8]) -> (Vec<u8>, Vec<String>) {
    let mut out = Vec::with_capacity(header.len());
    let mut touched: Vec<String> = Vec::new();
    let mut placed = vec![false; rule.set.len()];
    for field in fields(header) {
        let name = String::from_utf8_lossy(name(field)).into_owned();
        let is = |wanted: &str| wanted.eq_ignore_ascii_case(&name);
        if rule.remove.iter().any(|wanted| is(wanted)) {
            touched.push(name);
            continue;
        }
        if let Some(at) = rule.set.iter().position(|set| is(&set.name)) {
            let set = rule.set.get(at);
            let line = set
                .map(|set| line(&set.name, &set.value))
                .unwrap_or_default();
            let first = placed
                .get_mut(at)
                .is_some_and(|done| !std::mem::replace(done, true));
            if first {
                out.extend_from_slice(&line);
            }
            if !first || line != field {
                touched.push(name);
            }
            continue;
        }
        let place = |place: &&Place| matches!(place, Place::Field(wanted) if is(wanted));
        let mapped = rule
            .places
            .iter()
            .find(place)
            .and_then(|_| mapped(rule, field));
        match mapped {
            Some(new) => {
                out.extend_from_slice(&new);
                touched.push(name);
            }
            None => out.extend_from_slice(field),
        }
    }
    if !out.is_empty() && !out.ends_with(b"\r\n") {
        out.extend_from_slice(b"\r\n");
    }
    let missing = rule.set.iter().zip(placed).filter(|(_, done)| !done);
    for field in missing.map(|(set, _)| set).chain(&rule.add) {
        out.extend_from_slice(&line(&field.name, &field.value));
        touched.push(field.name.clone());
    }
    (out, touched)
}

/// A field of ours, folded where there is room for it (RFC 5322 §2.1.1).
fn line(name: &str, value: &str) -> Vec<u8> {
    let mut out = format!("{name}:");
    let mut column = out.len();
    for (n, word) in value.split(' ').filter(|word| !word.is_empty()).enumerate() {
        if n > 0 && column + 1 + word.len() > 76 {
            out.push_str("\r\n");
            column = 0;
        }
        out.push(' ');
        out.push_str(word);
        column += 1 + word.len();
    }
    out.push_str("\r\n");
    out.into_bytes()
}

/// A field with its addresses mapped; all else in it stays byte for byte.
fn mapped(rule: &Rule, field: &[u8]) -> Option<Vec<u8>> {
    let colon = field.iter().position(|byte| *byte == b':')? + 1;
    let (front, value) = field.split_at_checked(colon)?;
    let mut out = front.to_vec();
    let (mut from, mut changed) = (0, false);
    for place in addresses::find(value) {
        let address = std::str::from_utf8(value.get(place.clone())?).ok();
        let Some(new) = address.and_then(|address| map::apply(&rule.map, address)) else {
            continue;
        };
        out.extend_from_slice(value.get(from..place.start)?);
        out.extend_from_slice(new.as_bytes());
        (from, changed) = (place.end, true);
    }
    out.extend_from_slice(value.get(from..)?);
    changed.then_some(out)
}

/// The names in `h=` of signatures, in lower case.
fn signed_names(header: &[u8]) -> Vec<String> {
    let mut names = Vec::new();
    for field in fields(header) {
        let signs = [
            "DKIM-Signature",
            "ARC-Message-Signature",
            "DomainKey-Signature",
        ];
        let is = |wanted: &&str| wanted.as_bytes().eq_ignore_ascii_case(name(field));
        if !signs.iter().any(is) {
            continue;
        }
        let text = String::from_utf8_lossy(field);
        let value = text.split_once(':').map_or("", |(_, value)| value);
        for tag in value.split(';') {
            let Some((_, list)) = tag.split_once('=').filter(|(name, _)| name.trim() == "h") else {
                continue;
            };
            let list = list.split(':');
            names.extend(list.map(|name| name.trim().to_ascii_lowercase()));
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Field, Mapping};
    use proptest::prelude::*;

    fn field(name: &str, value: &str) -> Field {
        Field {
            name: name.to_owned(),
            value: value.to_owned(),
        }
    }

    fn masquerade() -> Rule {
        Rule {
            name: "masquerade".to_owned(),
            map: vec![Mapping::read("@old.example", "@new.example").unwrap()],
            places: Place::ALL.to_vec(),
            ..Rule::default()
        }
    }

    const HEADER: &str = "Received: from x\r\n\tby y\r\nFrom:  \"A, (b) a@old.example\"\r\n  <anna@old.example> \r\n\
        To: bert@dest.example, carl@old.example\r\nX-Old: a@old.example\r\nX-Gone: 1\r\n\t2\r\nx-gone: 3\r\n";

    fn edited(rule: Rule, header: &str) -> Edited {
        Rules(vec![rule]).edit(&[0], header.as_bytes())
    }

    fn text(edited: &Edited) -> String {
        String::from_utf8(edited.header.clone().unwrap()).unwrap()
    }

    #[test]
    fn addresses_are_mapped_and_no_other_byte_is_touched() {
        let new = text(&edited(masquerade(), HEADER));
        let expected = HEADER
            .replace("<anna@old.example>", "<anna@new.example>")
            .replace("carl@old.example", "carl@new.example");
        assert_eq!(new, expected);
    }

    #[test]
    fn fields_are_removed_set_and_added() {
        let rule = Rule {
            name: "r".to_owned(),
            remove: vec!["X-Gone".to_owned()],
            set: vec![field("x-old", "new"), field("Organization", "Us")],
            add: vec![field("To", "copy")],
            ..Rule::default()
        };
        let new = text(&edited(rule, HEADER));
        assert!(!new.to_lowercase().contains("x-gone"), "{new}");
        assert!(
            new.contains("\r\nx-old: new\r\nOrganization: Us\r\nTo: copy\r\n"),
            "{new}"
        );
        assert!(new.contains("\r\nTo: bert@dest.example"), "{new}");
    }

    #[test]
    fn what_others_have_signed_stays_unless_the_rule_says_otherwise() {
        let signed = format!(
            "DKIM-Signature: v=1; d=x.example; h=Received:\r\n\tfrom : Cc; b=abc\r\n{HEADER}"
        );
        let kept = edited(masquerade(), &signed);
        assert_eq!((kept.header, kept.done.len()), (None, 0));
        assert_eq!(kept.refused[0].field, "From");
        // A field that is signed as absent is one, too.
        let add = Rule {
            name: "add".to_owned(),
            add: vec![field("CC", "all@dest.example")],
            ..Rule::default()
        };
        assert_eq!(edited(add, &signed).refused.len(), 1);
        let remove = Rule {
            name: "remove".to_owned(),
            remove: vec!["X-Gone".to_owned()],
            ..Rule::default()
        };
        assert_eq!(edited(remove, &signed).done, ["remove"]);
        let breaks = Rule {
            break_signatures: true,
            ..masquerade()
        };
        assert!(text(&edited(breaks, &signed)).contains("<anna@new.example>"));
    }

    #[test]
    fn rules_that_undo_one_another_end() {
        let back = Rule {
            map: vec![Mapping::read("@new.example", "@old.example").unwrap()],
            ..masquerade()
        };
        let rules = Rules(vec![masquerade(), back]);
        let edited = rules.edit(&[0, 1], HEADER.as_bytes());
        assert_eq!((edited.header, edited.done.len()), (None, 2));
    }

    proptest! {
        #[test]
        fn a_rule_that_meets_nothing_changes_nothing(
            header in prop::collection::vec("[!-9;-~]{1,9}:[ -~\t]{0,30}\r\n", 0..6),
        ) {
            let header = header.concat();
            prop_assume!(!header.contains("old.example"));
            prop_assert_eq!(edited(masquerade(), &header).header, None);
        }

        #[test]
        fn anything_at_all_can_be_a_header(header in prop::collection::vec(any::<u8>(), 0..200)) {
            let edited = Rules(vec![masquerade()]).edit(&[0], &header);
            prop_assert!(edited.refused.is_empty());
        }
    }
}
