//! In which language a sender is told.

use explain::Lang;
use smtp::Address;

use crate::Settings;

/// The language for the sender's domain, as configured; else what the message says of its own language or
/// of those that its sender reads; else the relay's.
pub(super) fn of(settings: &Settings, sender: &Address, header: &[u8]) -> Lang {
    let domain = sender.domain_lowercase().unwrap_or_default();
    let configured = settings
        .report_languages
        .iter()
        .filter(|(of, _)| is_within(&domain, of));
    // The most specific domain wins.
    if let Some((_, lang)) = configured.max_by_key(|(of, _)| of.len()) {
        return *lang;
    }
    hinted(header).unwrap_or(settings.report_language)
}

fn is_within(domain: &str, of: &str) -> bool {
    let rest = domain.strip_suffix(of);
    rest.is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

/// The first language that we speak in Accept-Language (RFC 8255 §6) or Content-Language (RFC 3282).
fn hinted(header: &[u8]) -> Option<Lang> {
    let text = String::from_utf8_lossy(header);
    let field = |name: &str| {
        let line = text.lines().find(|line| {
            let start = line.get(..name.len());
            start.is_some_and(|start| start.eq_ignore_ascii_case(name))
        })?;
        line[name.len()..].split(',').find_map(spoken)
    };
    field("Accept-Language:").or_else(|| field("Content-Language:"))
}

/// RFC 5646: the language comes first, the region after a hyphen.
fn spoken(tag: &str) -> Option<Lang> {
    let tag = tag.split(';').next().unwrap_or_default().trim();
    let language = tag.split('-').next().unwrap_or_default();
    Lang::ALL
        .into_iter()
        .find(|lang| lang.as_str().eq_ignore_ascii_case(language))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_domain_decides_then_the_message_then_the_relay() {
        let settings = Settings {
            report_languages: vec![
                ("example.nl".to_owned(), Lang::Nl),
                ("en.example.nl".to_owned(), Lang::En),
            ],
            ..Settings::default()
        };
        let of =
            |sender: &str, header: &str| of(&settings, &sender.parse().unwrap(), header.as_bytes());
        let dutch = "Subject: x\r\nContent-Language: de, nl-BE\r\n";
        assert_eq!(of("a@example.nl", ""), Lang::Nl);
        assert_eq!(of("a@Mail.Example.NL", ""), Lang::Nl);
        assert_eq!(of("a@en.example.nl", dutch), Lang::En);
        assert_eq!(of("a@notexample.nl", ""), Lang::En);
        assert_eq!(of("a@x.example", dutch), Lang::Nl);
        assert_eq!(
            of(
                "a@x.example",
                "accept-language: nl;q=0.5\r\nContent-Language: en\r\n"
            ),
            Lang::Nl
        );
        assert_eq!(of("a@x.example", "Content-Language: fr\r\n"), Lang::En);
    }
}
