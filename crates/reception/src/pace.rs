//! How long a client may take.

use std::time::Duration;

use tokio::time::Instant;

use crate::Settings;

/// What the client is doing, and since when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pace {
    /// It is to send a command, or to take our replies.
    Command {
        /// When the wait began. Single bytes of a command do not prolong it.
        since: Instant,
    },
    /// It sends the content of a message.
    Content {
        /// When it was told to go ahead.
        began: Instant,
        /// When it last sent something.
        last: Instant,
        /// How much it has sent.
        received: u64,
    },
}

/// Why a session is ended from our side while the client takes its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Overdue {
    /// No whole command in time.
    Command {
        /// The limit.
        after: Duration,
    },
    /// Nothing more of the content.
    Silent {
        /// The limit.
        after: Duration,
        /// What had come.
        received: u64,
    },
    /// Content too slow on average.
    TooSlow {
        /// Over so long a time.
        over: Duration,
        /// What had come.
        received: u64,
        /// Bytes per second asked for.
        asked: u64,
    },
    /// The relay stops and the message did not end within the grace period.
    Stopping {
        /// The grace period.
        grace: Duration,
    },
}

impl Pace {
    /// Content begins.
    pub(crate) fn content(now: Instant) -> Pace {
        Pace::Content {
            began: now,
            last: now,
            received: 0,
        }
    }

    /// Bytes have come in.
    pub(crate) fn came(&mut self, now: Instant, bytes: usize) {
        if let Pace::Content { last, received, .. } = self {
            *last = now;
            *received = received.saturating_add(bytes as u64);
        }
    }

    /// When the session ends if nothing comes, and why then. `stopping` is when the stop began.
    pub(crate) fn limit(
        &self,
        settings: &Settings,
        stopping: Option<Instant>,
    ) -> (Instant, Overdue) {
        let own = self.own_limit(settings);
        let stop = stopping.map(|since| {
            let grace = settings.grace;
            (since + grace, Overdue::Stopping { grace })
        });
        match stop {
            Some(stop) if stop.0 < own.0 => stop,
            _ => own,
        }
    }

    fn own_limit(&self, settings: &Settings) -> (Instant, Overdue) {
        match *self {
            Pace::Command { since } => {
                let after = settings.command_timeout;
                (since + after, Overdue::Command { after })
            }
            Pace::Content {
                began,
                last,
                received,
            } => {
                let after = settings.data_timeout;
                let silent = (last + after, Overdue::Silent { after, received });
                let earned = received.checked_div(settings.min_data_rate);
                match earned.map(|secs| after + Duration::from_secs(secs)) {
                    Some(over) if began + over < silent.0 => {
                        let asked = settings.min_data_rate;
                        let slow = Overdue::TooSlow {
                            over,
                            received,
                            asked,
                        };
                        (began + over, slow)
                    }
                    _ => silent,
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[tokio::test(start_paused = true)]
    async fn one_byte_a_second_is_too_slow_and_a_modem_is_not() {
        let settings = Settings::default();
        for (rate, ends) in [(1, true), (200, true), (300, false)] {
            let start = Instant::now();
            let mut pace = Pace::content(start);
            let mut ended = None;
            for second in 1..10_000 {
                let now = start + SECOND * second;
                let (limit, why) = pace.limit(&settings, None);
                if limit <= now {
                    ended = Some(why);
                    break;
                }
                pace.came(now, rate);
            }
            assert_eq!(ended.is_some(), ends, "{rate} bytes a second");
            assert!(ended.is_none_or(|why| matches!(why, Overdue::TooSlow { .. })));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn silence_in_content_ends_it_however_fast_it_was_before() {
        let settings = Settings::default();
        let start = Instant::now();
        let mut pace = Pace::content(start);
        pace.came(start + SECOND, 40_000_000);
        let (limit, why) = pace.limit(&settings, None);
        assert_eq!(limit, start + SECOND + settings.data_timeout);
        assert!(matches!(
            why,
            Overdue::Silent {
                received: 40_000_000,
                ..
            }
        ));
    }

    #[tokio::test(start_paused = true)]
    async fn bytes_of_a_command_do_not_prolong_the_wait_for_it() {
        let settings = Settings::default();
        let start = Instant::now();
        let mut pace = Pace::Command { since: start };
        pace.came(start + SECOND, 1);
        assert_eq!(
            pace.limit(&settings, None).0,
            start + settings.command_timeout
        );
        let (limit, why) = pace.limit(&settings, Some(start));
        assert_eq!(limit, start + settings.grace);
        assert!(matches!(why, Overdue::Stopping { .. }));
    }
}
