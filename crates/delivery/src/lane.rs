//! One destination in memory: what waits for it, what is in hand, how many connections it bears.
//!
//! A lane does no I/O and holds no clock. The store is the truth about what is queued; the lane
//! knows which of it somebody in this process has in hand (*claimed*), so that no recipient is
//! taken twice.

use std::collections::HashSet;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use jiff::Timestamp;
use queue::policy::{Class, FairQueue, Pace, Provider, PutOff, sender_group};
use queue::route::{NextHop, Target};
use queue::{Body, DestinationKey, Lease, Message, MessageId, Queued, Recipient, Waiting};
use smtp::Address;
use tokio::sync::Notify;

use crate::engine::Standing;
use crate::returned::Read;

/// A recipient of a message, as the lane counts them.
pub(crate) type Claim = (MessageId, u32);

/// A message ready to be sent, with recipients that this process has claimed.
#[derive(Clone, Debug)]
pub(crate) struct Work {
    pub(crate) message: Arc<Message>,
    pub(crate) recipients: Vec<Recipient>,
    pub(crate) body: Option<Body>,
    /// Servers that were asked in this round and sent us on.
    pub(crate) asked: Vec<String>,
    /// It was refused for its character sets, and can go in UTF-8.
    pub(crate) convertible: bool,
    /// How it was handed over, once it was.
    pub(crate) handed: Option<Handed>,
    /// The return address that it goes with in place of its own reverse-path.
    pub(crate) return_path: Option<Address>,
    /// What is to be recorded of it, where it came back and was read here.
    pub(crate) read: Option<Box<Read>>,
}

/// How mail is handed over, which says who tells of its arrival (RFC 3461 §5.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Handed {
    /// It is where it was to go: a mailbox, or whoever keeps mailboxes (LMTP).
    ToMailbox,
    /// To a server that tells of it.
    WithDsn,
    /// To a server that does not.
    WithoutDsn,
}

impl Work {
    pub(crate) fn new(
        message: Arc<Message>,
        recipients: Vec<Recipient>,
        body: Option<Body>,
    ) -> Work {
        Work {
            message,
            recipients,
            body,
            asked: Vec::new(),
            convertible: false,
            handed: None,
            return_path: None,
            read: None,
        }
    }

    /// The same message with other recipients of it.
    pub(crate) fn with(&self, recipients: Vec<Recipient>) -> Work {
        Work {
            message: self.message.clone(),
            recipients,
            body: self.body.clone(),
            asked: self.asked.clone(),
            convertible: false,
            handed: None,
            return_path: None,
            read: None,
        }
    }

    /// How urgent it is, and with whom it takes turns.
    fn turn(&self) -> (Class, u64) {
        let class = Class::of(self.message.options.priority.number());
        (class, sender_group(&self.message.sender))
    }

    pub(crate) fn claims(&self) -> impl Iterator<Item = Claim> + '_ {
        self.recipients.iter().map(|r| (self.message.id, r.index))
    }

    /// The reverse-path that it is sent with: all its recipients have the same, once [`alike`](Work::alike)
    /// has been asked.
    pub(crate) fn sender(&self) -> &Address {
        if let Some(path) = &self.return_path {
            return path;
        }
        self.kept_sender()
    }

    /// The reverse-path that the queue has of them.
    pub(crate) fn kept_sender(&self) -> &Address {
        let own = self.recipients.first().and_then(Recipient::sender);
        own.unwrap_or(&self.message.sender)
    }

    /// Leaves only recipients with one reverse-path; answers the others.
    pub(crate) fn alike(&mut self) -> Option<Work> {
        let first = self.recipients.first()?.sender().cloned();
        if self.recipients.iter().all(|r| r.sender() == first.as_ref()) {
            return None;
        }
        let (alike, others) = std::mem::take(&mut self.recipients)
            .into_iter()
            .partition(|r| r.sender() == first.as_ref());
        self.recipients = alike;
        Some(self.with(others))
    }

    /// Bytes of content held in memory.
    pub(crate) fn held_bytes(&self) -> usize {
        match &self.body {
            Some(Body::Inline(bytes)) => bytes.len(),
            Some(Body::File(_)) | None => 0,
        }
    }
}

/// The state of one destination.
#[derive(Debug)]
pub(crate) struct Lane {
    /// What it bears.
    pub(crate) pace: Pace,
    /// How long it puts off what it sees for the first time.
    pub(crate) put_off: PutOff,
    /// Whoever runs its servers, once that was looked up.
    pub(crate) provider: Option<Provider>,
    /// Whether it does not go over our line.
    pub(crate) on_this_machine: bool,
    /// Whether it has taken mail lately.
    pub(crate) proven: bool,
    /// When none of its servers could be reached, last.
    pub(crate) unreached_at: Option<Timestamp>,
    /// In which line for a free connection it stands.
    pub(crate) parked: Option<Standing>,
    /// Whose turn it was in the store, last.
    pub(crate) turn: Option<i64>,
    /// Stopped by the administrator.
    pub(crate) paused: bool,
    /// The right to send there, once taken.
    pub(crate) lease: Option<Lease>,
    /// Held by the session that takes the lease.
    pub(crate) taking_lease: Arc<tokio::sync::Mutex<()>>,
    /// Told when there is something to take.
    pub(crate) work_came: Arc<Notify>,
    /// When the store has something due that is not claimed; `None` if nothing is known of.
    pub(crate) next_due: Option<Timestamp>,
    /// Sessions open or opening.
    pub(crate) sessions: usize,
    /// Those of them that will take the next work: opening, or idle.
    pub(crate) hungry: usize,
    ready: FairQueue<Work>,
    /// Whether what is ready came from reception.
    fresh: bool,
    claimed: HashSet<Claim>,
    /// While the store is being read: what was concluded since, which the answer may still show.
    concluded_while_reading: Option<HashSet<Claim>>,
}

impl Lane {
    pub(crate) fn new(key: &DestinationKey) -> Lane {
        Lane {
            pace: Pace::of_destination(),
            put_off: PutOff::default(),
            provider: None,
            on_this_machine: is_on_this_machine(key),
            proven: false,
            unreached_at: None,
            parked: None,
            turn: None,
            paused: false,
            lease: None,
            taking_lease: Arc::default(),
            work_came: Arc::new(Notify::new()),
            next_due: None,
            sessions: 0,
            hungry: 0,
            ready: FairQueue::default(),
            fresh: false,
            claimed: HashSet::new(),
            concluded_while_reading: None,
        }
    }

    /// The lane of a destination that the store remembers, with something due.
    pub(crate) fn of(waiting: &Waiting) -> Lane {
        let (failures, until) = (waiting.failures, waiting.blocked_until);
        Lane {
            pace: Pace::remembered(failures, until),
            paused: waiting.paused,
            next_due: Some(waiting.earliest),
            ..Lane::new(&waiting.key)
        }
    }

    /// Whether the lane can be forgotten: nothing in it, nothing known to come.
    pub(crate) fn is_forgettable(&self) -> bool {
        self.sessions == 0
            && self.claimed.is_empty()
            && self.next_due.is_none()
            && self.concluded_while_reading.is_none()
            && self.pace.failures() == 0
            && !self.pace.has_learnt()
            && !self.put_off.has_learnt()
            && !self.paused
    }

    pub(crate) fn claim(&mut self, claims: impl IntoIterator<Item = Claim>) {
        self.claimed.extend(claims);
    }

    /// Claims a recipient unless it is claimed; answers whether it now is.
    pub(crate) fn claim_if_free(&mut self, claim: Claim) -> bool {
        self.claimed.insert(claim)
    }

    /// Gives up claims on recipients that stay in the store, due at `due`.
    pub(crate) fn give_back(&mut self, claims: impl IntoIterator<Item = Claim>, due: Timestamp) {
        for claim in claims {
            self.claimed.remove(&claim);
        }
        self.due_at(due);
    }

    /// Gives up claims on recipients whose outcome is recorded.
    pub(crate) fn conclude(&mut self, claims: impl IntoIterator<Item = Claim>) {
        for claim in claims {
            self.claimed.remove(&claim);
            if let Some(concluded) = &mut self.concluded_while_reading {
                concluded.insert(claim);
            }
        }
    }

    /// Notes that the store has something due at `at`.
    pub(crate) fn due_at(&mut self, at: Timestamp) {
        self.next_due = Some(self.next_due.map_or(at, |known| known.min(at)));
    }

    fn push(&mut self, work: Work) {
        let (class, group) = work.turn();
        self.ready.push(class, group, work);
        self.work_came.notify_one();
    }

    /// Takes in what has just come.
    pub(crate) fn push_fresh(&mut self, work: Work) {
        self.fresh = true;
        self.push(work);
    }

    /// Takes back in what was begun and goes on.
    pub(crate) fn push_front(&mut self, work: Work) {
        let (class, group) = work.turn();
        self.ready.push_front(class, group, work);
        self.work_came.notify_one();
    }

    /// Takes what has its turn.
    pub(crate) fn pop(&mut self) -> Option<Work> {
        let work = self.ready.pop();
        self.fresh &= !self.ready.is_empty();
        work
    }

    /// Takes back the last of the sender that has most at hand.
    pub(crate) fn pop_of_longest(&mut self) -> Option<Work> {
        self.ready.pop_of_longest()
    }

    /// Whether the sender of this has less at hand than its share, where all room is taken.
    pub(crate) fn has_room_for(&self, work: &Work) -> bool {
        let (class, group) = work.turn();
        let (own, senders) = self.ready.share(class, group);
        let all = senders + usize::from(own == 0);
        own < self.ready.len() / all.max(1)
    }

    /// Whether mail that has just come is ready.
    pub(crate) fn has_fresh(&self) -> bool {
        self.fresh
    }

    pub(crate) fn ready(&self) -> usize {
        self.ready.len()
    }

    /// Takes out of the ready work what is about these recipients of a message (all of them for `None`).
    pub(crate) fn withdraw(&mut self, message: MessageId, only: Option<&[u32]>) -> Vec<Work> {
        let mut out = Vec::new();
        if self.ready.is_empty() {
            return out;
        }
        self.ready.retain(|work| {
            if work.message.id != message {
                return true;
            }
            let (gone, kept): (Vec<_>, Vec<_>) = std::mem::take(&mut work.recipients)
                .into_iter()
                .partition(|r| only.is_none_or(|only| only.contains(&r.index)));
            work.recipients = kept;
            let is_empty = work.recipients.is_empty();
            // With the last recipient the content goes, too.
            let body = work.body.take_if(|_| is_empty);
            out.push(Work::new(work.message.clone(), gone, body));
            !is_empty
        });
        out
    }

    /// Empties the ready work, to be read from the store again.
    pub(crate) fn drain_ready(&mut self) -> Vec<Work> {
        self.fresh = false;
        self.ready.drain()
    }

    /// Begins to read the store; answers what is claimed now. `None` if a reading is under way.
    pub(crate) fn begin_reading(&mut self) -> Option<Vec<Claim>> {
        if self.concluded_while_reading.is_some() {
            return None;
        }
        self.concluded_while_reading = Some(HashSet::new());
        self.next_due = None;
        Some(self.claimed.iter().copied().collect())
    }

    /// Takes in what the store answered: claims and readies what nobody has or had meanwhile. Answers
    /// how many bytes of content that are.
    pub(crate) fn end_reading(&mut self, found: Vec<Queued>, next: Option<Timestamp>) -> usize {
        let mut held = 0;
        let concluded = self.concluded_while_reading.take().unwrap_or_default();
        for mut queued in found {
            let id = queued.message.id;
            queued.recipients.retain(|r| {
                !concluded.contains(&(id, r.index)) && self.claimed.insert((id, r.index))
            });
            if !queued.recipients.is_empty() {
                let Queued {
                    message,
                    recipients,
                    body,
                } = queued;
                let work = Work::new(message, recipients, body);
                held += work.held_bytes();
                self.push(work);
            }
        }
        if let Some(next) = next {
            self.due_at(next);
        }
        held
    }

    /// Whether the destination may be tried at `now`.
    pub(crate) fn is_open(&self, now: Timestamp) -> bool {
        !self.paused && self.pace.opens_at(now).is_none()
    }

    /// When something can be done again, if nothing can be done now.
    pub(crate) fn wakes_at(&self, now: Timestamp) -> Option<Timestamp> {
        if self.paused {
            return None;
        }
        let due = if self.ready.is_empty() {
            self.next_due?
        } else {
            Timestamp::MIN
        };
        let opens = self.pace.opens_at(now);
        Some(opens.map_or(due, |until| until.max(due)))
    }
}

/// Whether a next hop of the configuration is on this machine: our line has no part in it.
fn is_on_this_machine(key: &DestinationKey) -> bool {
    match Target::of(key) {
        Ok(Target::Hop(NextHop::Smtp(to) | NextHop::Smtps(to) | NextHop::Lmtp(to))) => {
            is_here(&to.host)
        }
        Ok(Target::Hop(NextHop::LmtpUnix(_) | NextHop::Maildir(_) | NextHop::Pipe(_)))
        | Ok(Target::Bounces) => true,
        Ok(_) | Err(_) => false,
    }
}

/// Whether an address, with or without a port, or a path, is on this machine.
pub(crate) fn is_here(address: &str) -> bool {
    let address_alone = address
        .parse::<SocketAddr>()
        .map(|a| a.ip())
        .or_else(|_| address.parse::<IpAddr>());
    match address_alone {
        Ok(ip) => ip.is_loopback(),
        Err(_) => address.starts_with('/') || address == "localhost",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use queue::{BodyKind, MessageKind, Origin, RecipientState};

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + seconds).unwrap()
    }

    fn queued(n: u8, recipients: u32) -> Queued {
        let key = DestinationKey::new("mx:example.org");
        let message = Message {
            id: MessageId::from_bytes([n; 16]),
            sender: "a@example.com".parse().unwrap(),
            received_at: at(0),
            expires_at: at(432_000),
            size: 3,
            body_kind: BodyKind::SevenBit,
            smtputf8: false,
            hops: 1,
            kind: MessageKind::Mail,
            origin: Origin {
                client: "127.0.0.1".into(),
                helo: None,
                protocol: "ESMTP".into(),
                about: None,
            },
            options: queue::Options::default(),
        };
        let recipient = |index| Recipient {
            index,
            address: format!("r{index}@example.org").parse().unwrap(),
            destination: key.clone(),
            state: RecipientState::Queued,
            next_attempt: Some(at(0)),
            attempts: 0,
            last: None,
            basis: None,
            rewritten: None,
            options: queue::RecipientOptions::default(),
        };
        Queued {
            message: Arc::new(message),
            recipients: (0..recipients).map(recipient).collect(),
            body: None,
        }
    }

    fn lane() -> Lane {
        Lane::new(&DestinationKey::new("mx:example.org"))
    }

    #[test]
    fn what_was_concluded_during_a_reading_is_not_taken_again() {
        let mut lane = lane();
        lane.claim([(queued(1, 1).message.id, 0)]);
        assert_eq!(lane.begin_reading().unwrap().len(), 1);
        lane.conclude([(queued(1, 1).message.id, 0)]);
        lane.end_reading(vec![queued(1, 1), queued(2, 2)], None);
        let work = lane.pop().unwrap();
        assert_eq!(
            (work.message.id, work.recipients.len()),
            (queued(2, 1).message.id, 2)
        );
        assert!(lane.pop().is_none());
    }

    #[test]
    fn what_is_claimed_is_not_taken_twice_and_what_is_given_back_is_read_again() {
        let mut lane = lane();
        lane.begin_reading().unwrap();
        assert!(lane.begin_reading().is_none(), "one reading at a time");
        lane.end_reading(vec![queued(1, 2)], Some(at(60)));
        lane.begin_reading().unwrap();
        lane.end_reading(vec![queued(1, 2)], None);
        assert_eq!(lane.ready(), 1);
        let work = lane.pop().unwrap();
        lane.give_back(work.claims(), at(5));
        assert_eq!(lane.next_due, Some(at(5)));
        assert_eq!(lane.begin_reading().unwrap(), []);
        lane.end_reading(vec![queued(1, 2)], None);
        assert_eq!(lane.ready(), 1);
    }

    #[test]
    fn a_due_time_noted_during_a_reading_survives_it() {
        let mut lane = lane();
        lane.begin_reading().unwrap();
        lane.due_at(at(3));
        lane.end_reading(Vec::new(), Some(at(9)));
        assert_eq!(lane.next_due, Some(at(3)));
    }

    #[test]
    fn withdrawing_some_recipients_leaves_the_others() {
        let mut lane = lane();
        lane.begin_reading().unwrap();
        lane.end_reading(vec![queued(1, 3), queued(2, 1)], None);
        let gone = lane.withdraw(queued(1, 1).message.id, Some(&[1]));
        assert_eq!(
            gone.iter()
                .flat_map(Work::claims)
                .map(|c| c.1)
                .collect::<Vec<_>>(),
            [1]
        );
        assert_eq!(lane.pop().unwrap().recipients.len(), 2);
        lane.withdraw(queued(2, 1).message.id, None);
        assert!(lane.pop().is_none());
    }
}
