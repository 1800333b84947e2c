//! What each reply leads to.

use super::envelope::say_rcpt;
use super::{Connection, Event, Expect, Protocol};
use crate::content::DotStuffer;
use crate::{Extensions, Reply, Severity, Stage};

impl Connection {
    pub(super) fn handle(&mut self, reply: Reply) {
        let Some(expect) = self.expected.pop_front() else {
            return self.out_of_turn(reply);
        };
        // RFC 5321 §3.8: 421 may answer anything; the peer closes after it.
        self.closing |= reply.code() == 421;
        match expect {
            Expect::Greeting => self.greeting(reply),
            Expect::Ehlo | Expect::Helo => self.hello(reply, expect),
            Expect::StartTls => self.events.push_back(Event::StartTls(reply)),
            Expect::Auth => self.events.push_back(Event::Auth(reply)),
            Expect::Mail => self.mail(reply),
            Expect::Rcpt(index) => self.rcpt(index, reply),
            Expect::Data => self.data(reply),
            Expect::Chunk => self.chunk(reply),
            Expect::EndOfData => {
                if self.transaction.as_ref().is_some_and(|t| t.chunk_refused) {
                    // RFC 3030 §2: the state is unclear until a RSET.
                    self.reset();
                } else {
                    self.events.push_back(Event::Done(reply));
                    self.over(true);
                }
            }
            Expect::LmtpEndOfData(index) => {
                self.events.push_back(Event::RecipientDone { index, reply });
                if !matches!(self.expected.front(), Some(Expect::LmtpEndOfData(_))) {
                    self.over(true);
                }
            }
            Expect::Discard => self.over(true),
            Expect::Reset => self.over(reply.severity() == Severity::Completion),
            Expect::Quit => self.events.push_back(Event::Goodbye(reply)),
        }
        if self.closing && self.transaction.is_some() {
            self.over(false);
        }
    }

    fn out_of_turn(&mut self, reply: Reply) {
        if self.sending.take().is_some() {
            self.events.push_back(Event::ContentRefused(reply));
            self.over(false);
        } else {
            self.events.push_back(Event::Unusable {
                stage: Stage::Reset,
                reply,
            });
        }
    }

    pub(super) fn say_hello(&mut self) {
        let verb = match self.settings.protocol {
            Protocol::Smtp => "EHLO",
            Protocol::Lmtp => "LHLO",
        };
        self.say(&format!("{verb} {}", self.settings.helo), Expect::Ehlo);
    }

    /// RFC 5321 §3.1: 220 opens; 554 or anything else does not.
    fn greeting(&mut self, reply: Reply) {
        if reply.code() == 220 {
            self.events.push_back(Event::Greeting(reply));
            self.say_hello();
        } else {
            self.events.push_back(Event::Unusable {
                stage: Stage::Greeting,
                reply,
            });
        }
    }

    fn hello(&mut self, reply: Reply, expect: Expect) {
        if reply.severity() == Severity::Completion {
            if expect == Expect::Ehlo {
                self.extensions = Extensions::of(&reply);
            }
            self.events.push_back(Event::Ready(reply));
        } else if expect == Expect::Ehlo
            && reply.severity() == Severity::Permanent
            && self.settings.protocol == Protocol::Smtp
        {
            // RFC 5321 §3.2: a server that refuses EHLO may still know HELO.
            self.events.push_back(Event::HelloRefused(reply));
            self.say(&format!("HELO {}", self.settings.helo), Expect::Helo);
        } else {
            self.events.push_back(Event::Unusable {
                stage: Stage::Hello,
                reply,
            });
        }
    }

    fn mail(&mut self, reply: Reply) {
        let taken = reply.severity() == Severity::Completion;
        self.events.push_back(Event::Mail(reply));
        let Some(transaction) = &mut self.transaction else {
            return;
        };
        transaction.mail_refused = !taken;
        if transaction.pipelined {
            if !taken && self.expected.is_empty() {
                self.over(true);
            }
        } else if taken {
            self.next_rcpt(0);
        } else {
            self.over(true);
        }
    }

    fn next_rcpt(&mut self, index: usize) {
        let Some(transaction) = self.transaction.as_ref().filter(|_| !self.closing) else {
            return;
        };
        match transaction.envelope.recipients.get(index) {
            Some(recipient) => {
                say_rcpt(&mut self.output, recipient, self.extensions.dsn);
                self.expected.push_back(Expect::Rcpt(index));
            }
            None if transaction.accepted.is_empty() => self.reset(),
            None if self.chunked => self.start_content(),
            None => self.say("DATA", Expect::Data),
        }
    }

    fn rcpt(&mut self, index: usize, reply: Reply) {
        let Some(transaction) = &mut self.transaction else {
            return;
        };
        if !transaction.mail_refused {
            if reply.severity() == Severity::Completion {
                transaction.accepted.push(index);
            }
            self.events.push_back(Event::Rcpt { index, reply });
        }
        let last = index + 1 == transaction.envelope.recipients.len();
        if !transaction.pipelined {
            self.next_rcpt(index + 1);
        } else if last && self.chunked {
            match (transaction.mail_refused, transaction.accepted.is_empty()) {
                (true, _) => self.over(true),
                (false, true) => self.reset(),
                (false, false) => self.start_content(),
            }
        }
    }

    fn data(&mut self, reply: Reply) {
        let Some(transaction) = &self.transaction else {
            return;
        };
        let nobody = transaction.accepted.is_empty();
        match (reply.severity(), nobody) {
            (Severity::Intermediate, false) => self.start_content(),
            // RFC 2920 §3.1: a server may say 354 although it took no recipient; a lone dot ends it.
            // RFC 2033 §4.2 has no reply to that dot, so that LMTP cannot go on from here.
            (Severity::Intermediate, true) if self.settings.protocol == Protocol::Lmtp => {
                self.over(false);
            }
            (Severity::Intermediate, true) => {
                self.output.extend_from_slice(b".\r\n");
                self.expected.push_back(Expect::Discard);
            }
            (_, true) if transaction.mail_refused => self.over(true),
            (_, true) => self.reset(),
            (_, false) => {
                self.events.push_back(Event::DataRefused(reply));
                self.reset();
            }
        }
    }

    fn chunk(&mut self, reply: Reply) {
        let Some(transaction) = &mut self.transaction else {
            return;
        };
        if reply.severity() == Severity::Completion || transaction.chunk_refused {
            return;
        }
        transaction.chunk_refused = true;
        let sending = self.sending.is_some();
        self.events.push_back(Event::ContentRefused(reply));
        if sending {
            // RFC 3030 §2: after a refused chunk the transaction must be reset; the driver stops.
            self.sending = None;
            self.reset();
        }
    }

    fn reset(&mut self) {
        if self.closing {
            self.over(false);
        } else {
            self.say("RSET", Expect::Reset);
        }
    }

    fn start_content(&mut self) {
        self.sending = Some(DotStuffer::default());
        self.events.push_back(Event::SendContent);
    }

    pub(super) fn over(&mut self, usable: bool) {
        let usable = usable && !self.closing;
        if !usable {
            self.expected.clear();
            self.sending = None;
        }
        if self.transaction.take().is_some() {
            self.events.push_back(Event::Over { usable });
        }
    }
}
