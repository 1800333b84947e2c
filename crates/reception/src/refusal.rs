//! Why the receiving role says no, and in which words.

use std::net::IpAddr;
use std::time::Duration;

use queue::StoreError;
use smtp::{Address, Class, OutgoingReply};

use crate::limits::TooMany;
use crate::pace::Overdue;
use crate::trace::push_literal;

/// A refusal decided here; the grammar and order of commands are judged by `smtp`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Refusal {
    /// The client may not relay.
    RelayDenied {
        /// Its address.
        client: IpAddr,
        /// To whom it wanted to.
        recipient: Address,
    },
    /// No route takes the address, which has no domain.
    NoRoute(Address),
    /// Too little room on the disk before the message.
    NoRoom {
        /// Bytes free.
        free: u64,
        /// Bytes that there must be.
        needed: u64,
    },
    /// The store does not take it.
    Store(StoreError),
    /// It has passed too many hosts.
    Loop {
        /// `Received` fields.
        hops: u32,
        /// The limit.
        limit: u32,
        /// Hosts that occur more than once.
        repeated: Vec<String>,
    },
    /// Too many connections.
    TooMany(TooMany),
    /// The client takes too long.
    Overdue(Overdue),
    /// Too many refused commands.
    TooManyErrors(u32),
    /// The relay stops.
    Stopping,
    /// STARTTLS, which is not there yet.
    NoTls,
    /// Content without a transaction.
    NoTransaction,
}

impl Refusal {
    /// A stable name for logs.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Refusal::RelayDenied { .. } => "relay-denied",
            Refusal::NoRoute(_) => "no-route",
            Refusal::NoRoom { .. } => "no-room",
            Refusal::Store(StoreError::Full { .. }) => "disk-full",
            Refusal::Store(StoreError::Uncertain) => "store-uncertain",
            Refusal::Store(_) => "store-failed",
            Refusal::Loop { .. } => "loop",
            Refusal::TooMany(TooMany::Connections(_)) => "too-many-connections",
            Refusal::TooMany(TooMany::FromClient(_)) => "too-many-connections-from-client",
            Refusal::Overdue(Overdue::Command { .. }) => "idle",
            Refusal::Overdue(Overdue::Silent { .. }) => "silent-in-content",
            Refusal::Overdue(Overdue::TooSlow { .. }) => "too-slow",
            Refusal::Overdue(Overdue::Stopping { .. }) | Refusal::Stopping => "stopping",
            Refusal::TooManyErrors(_) => "too-many-errors",
            Refusal::NoTls => "no-tls",
            Refusal::NoTransaction => "no-transaction",
        }
    }

    /// Whether somebody must look after this machine.
    pub(crate) fn is_ours(&self) -> bool {
        matches!(self, Refusal::NoRoom { .. } | Refusal::Store(_))
    }

    /// What the log says beside the reply: what the client is not told.
    pub(crate) fn detail(&self) -> Option<String> {
        match self {
            Refusal::Store(error) => Some(error.to_string()),
            _ => None,
        }
    }

    /// The recipient that is refused, where it is about one.
    pub(crate) fn recipient(&self) -> Option<&Address> {
        match self {
            Refusal::RelayDenied { recipient, .. } | Refusal::NoRoute(recipient) => Some(recipient),
            _ => None,
        }
    }

    /// What the client is told.
    pub(crate) fn reply(&self, hostname: &str) -> OutgoingReply {
        let (code, class, subject, detail) = self.codes();
        OutgoingReply::new(code, (class, subject, detail), self.text(hostname))
    }

    fn codes(&self) -> (u16, Class, u16, u16) {
        use Class::{Permanent, Transient};
        match self {
            Refusal::RelayDenied { .. } => (550, Permanent, 7, 1),
            Refusal::NoRoute(_) => (550, Permanent, 1, 2),
            Refusal::NoRoom { .. } | Refusal::Store(StoreError::Full { .. }) => {
                (452, Transient, 3, 1)
            }
            Refusal::Store(_) => (451, Transient, 3, 0),
            Refusal::Loop { .. } => (554, Permanent, 4, 6),
            Refusal::TooMany(TooMany::Connections(_)) => (421, Transient, 3, 2),
            Refusal::TooMany(TooMany::FromClient(_)) | Refusal::TooManyErrors(_) => {
                (421, Transient, 7, 0)
            }
            Refusal::Overdue(Overdue::Stopping { .. }) | Refusal::Stopping => {
                (421, Transient, 3, 2)
            }
            Refusal::Overdue(_) => (421, Transient, 4, 2),
            // RFC 3207 §4.
            Refusal::NoTls => (454, Transient, 7, 0),
            Refusal::NoTransaction => (503, Permanent, 5, 1),
        }
    }

    fn text(&self, hostname: &str) -> String {
        match self {
            Refusal::RelayDenied { client, .. } => {
                let mut at = String::new();
                push_literal(&mut at, *client);
                format!("relay access denied: {at} is not in [relay] networks")
            }
            Refusal::NoRoute(_) => {
                "the address has no domain, and no route \"*\" takes such addresses".to_owned()
            }
            Refusal::NoRoom { free, needed } => format!(
                "not accepting mail now: {} free for the queue, {} needed; try again later",
                size(*free),
                size(*needed)
            ),
            Refusal::Store(StoreError::Full { .. }) => {
                "the disk for the queue is full; the message was not kept, try again later"
                    .to_owned()
            }
            Refusal::Store(StoreError::Uncertain) => {
                "cannot tell whether the message was kept; trying again may send it twice"
                    .to_owned()
            }
            Refusal::Store(_) => {
                "the queue failed; the message was not kept, try again later".to_owned()
            }
            Refusal::Loop {
                hops,
                limit,
                repeated,
            } => looping(*hops, *limit, repeated),
            Refusal::TooMany(TooMany::Connections(most)) => {
                format!("{hostname} has its limit of {most} connections; try again later")
            }
            Refusal::TooMany(TooMany::FromClient(most)) => {
                format!(
                    "{hostname} takes {most} connections at a time from your address; close one first"
                )
            }
            Refusal::Overdue(overdue) => overdue_text(hostname, overdue),
            Refusal::TooManyErrors(most) => {
                format!("{hostname} closes the connection after {most} refused commands")
            }
            Refusal::NoTls => "TLS is not available".to_owned(),
            Refusal::NoTransaction => "MAIL must come first".to_owned(),
            Refusal::Stopping => format!("{hostname} is shutting down; try again later"),
        }
    }
}

fn overdue_text(hostname: &str, overdue: &Overdue) -> String {
    match overdue {
        Overdue::Command { after } => {
            format!("{hostname} waited {} for a command; closing", time(*after))
        }
        Overdue::Silent { after, received } => format!(
            "{hostname} got nothing more for {} after {received} bytes of content; the message was not kept",
            time(*after)
        ),
        Overdue::TooSlow {
            over,
            received,
            asked,
        } => format!(
            "{hostname} got {received} bytes of content in {}, fewer than {asked} a second; the message was not kept",
            time(*over)
        ),
        Overdue::Stopping { grace } => format!(
            "{hostname} is shutting down and the message did not end within {}; it was not kept",
            time(*grace)
        ),
    }
}

fn looping(hops: u32, limit: u32, repeated: &[String]) -> String {
    let mut text = format!("mail loop: the message has passed {hops} hosts, {limit} are allowed");
    if !repeated.is_empty() {
        text.push_str("; more than once: ");
        text.push_str(&repeated.join(", "));
    }
    text
}

fn time(duration: Duration) -> String {
    match duration.as_secs() {
        secs if secs >= 120 && secs % 60 == 0 => format!("{} minutes", secs / 60),
        1 => "1 second".to_owned(),
        secs => format!("{secs} seconds"),
    }
}

fn size(bytes: u64) -> String {
    const KIB: u64 = 1024;
    if bytes >= 10 * KIB * KIB {
        format!("{} MiB", bytes / (KIB * KIB))
    } else {
        format!("{} KiB", bytes / KIB)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(refusal: &Refusal) -> String {
        let mut out = bytes::BytesMut::new();
        refusal.reply("relay.example").write(&mut out);
        String::from_utf8(out.to_vec()).unwrap()
    }

    #[test]
    fn a_loop_names_the_hosts_that_repeat() {
        let repeated = vec!["a.example".to_owned(), "b.example".to_owned()];
        let text = line(&Refusal::Loop {
            hops: 51,
            limit: 50,
            repeated,
        });
        assert_eq!(
            text,
            "554 5.4.6 mail loop: the message has passed 51 hosts, 50 are allowed; \
             more than once: a.example, b.example\r\n"
        );
    }

    #[test]
    fn a_denied_client_reads_which_of_its_addresses_and_which_setting() {
        assert_eq!(
            line(&Refusal::RelayDenied {
                client: "::ffff:192.0.2.9".parse().unwrap(),
                recipient: "b@example.org".parse().unwrap(),
            }),
            "550 5.7.1 relay access denied: [192.0.2.9] is not in [relay] networks\r\n"
        );
    }

    #[test]
    fn times_and_sizes_read_naturally() {
        assert_eq!(time(Duration::from_secs(300)), "5 minutes");
        assert_eq!(time(Duration::from_secs(90)), "90 seconds");
        assert_eq!(size(33_554_432), "32 MiB");
        assert_eq!(size(4_000_000), "3906 KiB");
    }
}
