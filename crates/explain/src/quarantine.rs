//! Why a message is kept back, in a line.

use queue::Quarantine;

use crate::Lang;
use crate::layout::safe;
use crate::words::{plain, say};

/// What a filter said, and which.
pub(crate) fn tell(filter: &str, why: &Quarantine, lang: Lang) -> String {
    let why = match why {
        Quarantine::Infected { name } => one(lang, "quarantine-infected", "name", name),
        Quarantine::TooLargeToScan { size } => {
            say(lang, "quarantine-too-large", &[("size", (*size).into())])
        }
        Quarantine::Listed { entry, zone } => {
            let (entry, zone) = (safe(entry), safe(zone));
            let args = [("entry", (&entry).into()), ("zone", (&zone).into())];
            say(lang, "quarantine-listed", &args)
        }
        Quarantine::Spam { score, required } => {
            let (score, required) = (format!("{score:.1}"), format!("{required:.1}"));
            let args = [("score", (&score).into()), ("required", (&required).into())];
            say(lang, "quarantine-spam", &args)
        }
        Quarantine::Dmarc { domain } => one(lang, "quarantine-dmarc", "domain", domain),
        Quarantine::Spf { domain } => one(lang, "quarantine-spf", "domain", domain),
        Quarantine::Unauthenticated { domain } => {
            one(lang, "quarantine-unauthenticated", "domain", domain)
        }
        Quarantine::Said { text } => one(lang, "quarantine-said", "text", text),
        Quarantine::Unsaid => plain(lang, "quarantine-unsaid"),
    };
    let filter = safe(filter);
    let args = [("filter", (&filter).into()), ("why", (&why).into())];
    say(lang, "event-quarantined", &args)
}

fn one(lang: Lang, key: &str, name: &'static str, value: &str) -> String {
    let value = safe(value);
    say(lang, key, &[(name, (&value).into())])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn why_a_filter_keeps_a_message_back_is_said_in_both_languages() {
        let spam = Quarantine::Spam {
            score: 7.31,
            required: 6.0,
        };
        let said = Quarantine::Said {
            text: "looks odd".to_owned(),
        };
        for (why, lang, expected) in [
            (
                &spam,
                Lang::En,
                "held, as the filter rspamd asked: it looks like spam, with a score of 7.3 where 6.0 is too much; `postrider queue release` sends it",
            ),
            (
                &said,
                Lang::En,
                "held, as the filter rspamd asked: “looks odd”; `postrider queue release` sends it",
            ),
            (
                &said,
                Lang::Nl,
                "vastgehouden, zoals het filter rspamd vroeg: “looks odd”; `postrider queue release` verstuurt het",
            ),
        ] {
            assert_eq!(tell("rspamd", why, lang), expected);
        }
    }
}
