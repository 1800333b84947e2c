//! Refusals that filters asked for, and those for want of a filter.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use screening::{Failure, Listing, Reason, Refused, Stage};
use smtp::{Address, Class};

/// What the chain of filters refused.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Screened {
    /// Which filter.
    pub(crate) filter: Arc<str>,
    /// When.
    pub(crate) stage: Stage,
    /// The recipient it was asked about.
    pub(crate) recipient: Option<Address>,
    /// What it said.
    pub(crate) objection: Objection,
}

/// What a filter said.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Objection {
    /// The client is to come back.
    Defer(Refused),
    /// The client is to give up.
    Reject(Refused),
    /// Nothing, and without it nothing may pass.
    Failed(Failure),
}

impl Screened {
    fn reason(&self) -> Option<&Reason> {
        match &self.objection {
            Objection::Defer(refused) | Objection::Reject(refused) => Some(&refused.reason),
            Objection::Failed(_) => None,
        }
    }

    /// A stable name for logs.
    pub(crate) fn name(&self) -> &'static str {
        match (&self.objection, self.reason()) {
            (Objection::Failed(_), _) | (_, None) => "filter-failed",
            (_, Some(Reason::Infected { .. })) => "infected",
            (_, Some(Reason::TooLargeToScan { .. })) => "too-large-to-scan",
            (_, Some(Reason::Listed(_))) => "listed",
            (_, Some(Reason::Spam { .. })) => "spam",
            (_, Some(Reason::Greylisted)) => "filter-greylisted",
            (_, Some(Reason::Dmarc { .. })) => "dmarc",
            (_, Some(Reason::Spf { .. })) => "spf",
            (_, Some(Reason::AuthenticationUnanswered { .. })) => "authentication-unanswered",
            (Objection::Defer(_), Some(Reason::Said(_))) => "filter-deferred",
            (Objection::Reject(_), Some(Reason::Said(_))) => "filter-rejected",
        }
    }

    /// Whether the filter itself has failed.
    pub(crate) fn is_failure(&self) -> bool {
        matches!(self.objection, Objection::Failed(_))
    }

    /// What the log says beside the reply.
    pub(crate) fn detail(&self) -> Option<String> {
        let filter = &self.filter;
        match &self.objection {
            Objection::Failed(failure) => Some(format!("filter {filter}: {failure}")),
            Objection::Defer(_) | Objection::Reject(_) => Some(format!("filter {filter}")),
        }
    }

    /// When coming back makes sense.
    pub(crate) fn wait(&self) -> Option<Duration> {
        match self.objection {
            Objection::Failed(_) | Objection::Defer(_) => Some(Duration::from_secs(300)),
            Objection::Reject(_) => None,
        }
    }

    pub(crate) fn codes(&self) -> (u16, Class, u16, u16) {
        let (code, subject, detail) = self.own_codes();
        let class = match code / 100 {
            4 => Class::Transient,
            _ => Class::Permanent,
        };
        // RFC 5321 §3.1, §4.2.3: in place of the greeting, 554 says that there is no service for this
        // client, and 421 that there is none now.
        let code = match (self.stage, class) {
            (Stage::Connect, Class::Transient) => 421,
            (Stage::Connect, _) => 554,
            _ => code,
        };
        (code, class, subject, detail)
    }

    fn own_codes(&self) -> (u16, u16, u16) {
        let chosen = match &self.objection {
            Objection::Defer(refused) | Objection::Reject(refused) => refused.codes,
            Objection::Failed(_) => None,
        };
        if let Some(codes) = chosen {
            let (subject, detail) = codes.status();
            return (codes.code(), subject, detail);
        }
        let final_code = match self.reason() {
            // RFC 3463 §3.4 X.3.0: for want of a code for what stands behind a server.
            None => return (451, 3, 0),
            // RFC 3463 §3.4 X.3.4, with the code that RFC 1870 §6.2 gives for size.
            Some(Reason::TooLargeToScan { .. }) => (552, 3, 4),
            // RFC 7372 §3.2 X.7.23: SPF validation failed.
            Some(Reason::Spf { .. }) => (550, 7, 23),
            // RFC 7372 §3.3 X.7.26: more than one check failed, contrary to the domain's policy.
            Some(Reason::Dmarc { .. }) => (550, 7, 26),
            // RFC 3463 §3.5 X.4.3: a directory server (the DNS) cannot be asked.
            Some(Reason::AuthenticationUnanswered { .. }) => (451, 4, 3),
            // RFC 6647 §5, as our own greylisting.
            Some(Reason::Greylisted) => (451, 7, 1),
            Some(
                Reason::Infected { .. } | Reason::Listed(_) | Reason::Spam { .. } | Reason::Said(_),
            ) => (550, 7, 1),
        };
        match (&self.objection, final_code) {
            (Objection::Defer(_), (500.., subject, detail)) => (451, subject, detail),
            (Objection::Reject(_), (..500, subject, detail)) => (550, subject, detail),
            (_, codes) => codes,
        }
    }

    /// What the client is told.
    pub(crate) fn words(&self, hostname: &str) -> String {
        let filter = &self.filter;
        let Some(reason) = self.reason() else {
            return format!("the filter {filter} of {hostname} failed; nothing was kept");
        };
        match reason {
            Reason::Infected { name } => format!("the message contains malware: {name}"),
            Reason::TooLargeToScan { size } => {
                format!("the message of {size} bytes is larger than the malware scanner takes")
            }
            Reason::Listed(listings) => listed(listings),
            Reason::Spam { score, required } => {
                format!("the message looks like spam: score {score:.1}, the limit is {required:.1}")
            }
            Reason::Greylisted => format!("greylisted by the filter {filter} of {hostname}"),
            Reason::Dmarc { domain } => format!(
                "DMARC of {domain} asks to refuse this message: neither SPF nor DKIM shows that it is from there"
            ),
            Reason::Spf { domain, client } => {
                format!("SPF of {domain} does not let {client} send its mail")
            }
            Reason::AuthenticationUnanswered { domain } => {
                format!(
                    "cannot look up now whether this message is from {domain}: its DNS gives no answer"
                )
            }
            Reason::Said(text) if text.trim().is_empty() => match self.objection {
                Objection::Reject(_) => format!("refused by the filter {filter} of {hostname}"),
                _ => format!("put off by the filter {filter} of {hostname}"),
            },
            Reason::Said(text) => text.trim().to_owned(),
        }
    }
}

/// Each list with its own reason.
fn listed(listings: &[Listing]) -> String {
    let mut text = String::new();
    for Listing {
        zone,
        entry,
        text: why,
    } in listings
    {
        if text.is_empty() {
            let what = match entry.parse::<IpAddr>() {
                Ok(_) => entry.clone(),
                Err(_) => format!("the domain {entry}"),
            };
            text = format!("{what} is on the block list {zone}");
        } else {
            text.push_str(", and on ");
            text.push_str(zone);
        }
        if let Some(why) = why {
            text.push_str(" (");
            text.push_str(why.trim());
            text.push(')');
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use screening::Codes;

    use super::*;
    use crate::refusal::Refusal;

    fn line(stage: Stage, objection: Objection) -> String {
        let refusal = Refusal::Screened(Box::new(Screened {
            filter: "guard".into(),
            stage,
            recipient: None,
            objection,
        }));
        let mut out = bytes::BytesMut::new();
        refusal.reply("relay.example").write(&mut out);
        String::from_utf8(out.to_vec()).unwrap()
    }

    #[test]
    fn a_failed_filter_is_our_trouble_and_says_when_to_come_back() {
        let failed = || Objection::Failed(Failure::TimedOut(Duration::from_secs(1)));
        assert_eq!(
            line(Stage::Content, failed()),
            "451 4.3.0 the filter guard of relay.example failed; nothing was kept; try again in 300 seconds\r\n"
        );
        assert!(line(Stage::Connect, failed()).starts_with("421 4.3.0 "));
    }

    #[test]
    fn each_reason_has_its_codes() {
        let domain = || "example.org".to_owned();
        for (reason, reject, defer) in [
            (
                Reason::Infected { name: "X".into() },
                "550 5.7.1 ",
                "451 4.7.1 ",
            ),
            (
                Reason::TooLargeToScan { size: 9 },
                "552 5.3.4 ",
                "451 4.3.4 ",
            ),
            (Reason::Listed(Vec::new()), "550 5.7.1 ", "451 4.7.1 "),
            (
                Reason::Spam {
                    score: 9.0,
                    required: 5.0,
                },
                "550 5.7.1 ",
                "451 4.7.1 ",
            ),
            (Reason::Greylisted, "550 5.7.1 ", "451 4.7.1 "),
            (
                Reason::Dmarc { domain: domain() },
                "550 5.7.26 ",
                "451 4.7.26 ",
            ),
            (
                Reason::Spf {
                    domain: domain(),
                    client: [192, 0, 2, 1].into(),
                },
                "550 5.7.23 ",
                "451 4.7.23 ",
            ),
            (
                Reason::AuthenticationUnanswered { domain: domain() },
                "550 5.4.3 ",
                "451 4.4.3 ",
            ),
            (Reason::Said("no".into()), "550 5.7.1 ", "451 4.7.1 "),
        ] {
            let objected = line(Stage::Mail, Objection::Reject(reason.clone().into()));
            assert!(objected.starts_with(reject), "{objected}");
            let deferred = line(Stage::Mail, Objection::Defer(reason.clone().into()));
            assert!(deferred.starts_with(defer), "{deferred}");
            let greeting = line(Stage::Connect, Objection::Reject(reason.into()));
            assert!(greeting.starts_with("554 5."), "{greeting}");
        }
    }

    #[test]
    fn the_codes_and_words_that_a_filter_chose_are_told_on_one_line() {
        let refused = Refused {
            reason: Reason::Said("no\r\n250 2.0.0 fine".into()),
            codes: Codes::new(553, 1, 8),
        };
        assert_eq!(
            line(Stage::Rcpt, Objection::Reject(refused)),
            "553 5.1.8 no??250 2.0.0 fine\r\n"
        );
    }

    #[test]
    fn lists_are_named_with_their_own_reasons() {
        let listing = |zone: &str, text: Option<&str>| Listing {
            zone: zone.into(),
            entry: "192.0.2.7".into(),
            text: text.map(Into::into),
        };
        let reason = Reason::Listed(vec![
            listing("zen.example", Some("see https://zen.example/192.0.2.7")),
            listing("other.example", None),
        ]);
        assert_eq!(
            line(Stage::Connect, Objection::Reject(reason.into())),
            "554 5.7.1 192.0.2.7 is on the block list zen.example (see https://zen.example/192.0.2.7), \
             and on other.example\r\n"
        );
    }
}
