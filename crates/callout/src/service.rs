//! Questions of the receiving side: from memory, or asked once for all who wait.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use dns::Resolver;
use parking_lot::Mutex;
use queue::route::{NextHop, Routes, Target};
use queue::{
    Answer, Callout, CalloutMemory, CalloutPolicy, DestinationKey, Freshness, Remembered,
    Unanswered, suppression_key,
};
use smtp::Address;
use tokio::sync::{Semaphore, watch};
use tokio::time::{Instant, timeout};
use world::World;

use crate::asking::{self, Outcome, Question};
use crate::verdict;

/// What questions are asked with.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The name by which we introduce ourselves.
    pub hostname: String,
    /// What is said of next hops besides where they are.
    pub routes: Arc<Routes>,
    /// The port of mail exchangers found in the DNS.
    pub smtp_port: u16,
    /// How long to wait for a connection to one address.
    pub connect_timeout: Duration,
    /// How long to wait for a reply.
    pub reply_timeout: Duration,
    /// What encrypts; none: nothing does.
    pub tls: Option<tls::Connector>,
}

/// How often what happened, since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Questions of clients.
    pub questions: u64,
    /// Those answered from memory.
    pub from_memory: u64,
    /// Talks with next hops.
    pub talks: u64,
    /// Talks after which a recipient was known to be there.
    pub taken: u64,
    /// Talks after which it was known not to be.
    pub refused: u64,
    /// Talks after which nobody could tell.
    pub failed: u64,
}

#[derive(Debug, Default)]
struct Counters {
    questions: AtomicU64,
    from_memory: AtomicU64,
    talks: AtomicU64,
    taken: AtomicU64,
    refused: AtomicU64,
    failed: AtomicU64,
}

/// Asks next hops about recipients, and remembers what they answered.
#[derive(Clone)]
pub struct Callouts {
    shared: Arc<Shared>,
}

pub(crate) struct Shared {
    pub(crate) world: World,
    pub(crate) resolver: Arc<dyn Resolver>,
    pub(crate) settings: Settings,
    /// Whom we ask for where the empty reverse-path is disliked.
    pub(crate) postmaster: Address,
    memory: Arc<dyn CalloutMemory>,
    state: Mutex<State>,
    counters: Counters,
}

/// An address at a server.
type Key = (String, DestinationKey);

#[derive(Default)]
struct State {
    /// What is being asked, and who hears the answer.
    asking: HashMap<Key, watch::Receiver<Option<Answer>>>,
    /// Room at each destination, and how many are there or wait.
    gates: HashMap<DestinationKey, (Arc<Semaphore>, usize)>,
    /// Of whom nobody could tell, and until when nobody is asked again.
    unsure: HashMap<Key, (Instant, Answer)>,
}

/// Who may wait to be asked about at one destination.
const MOST_WAITING: usize = 200;
/// How long nobody is asked again about whom nobody could tell.
const PAUSE: Duration = Duration::from_secs(60);
/// The longest of such pauses, whatever the next hop asks for.
const LONGEST_PAUSE: Duration = Duration::from_secs(600);
/// Of so many the pauses are remembered.
const MOST_UNSURE: usize = 10_000;
/// What the memory has for a whole domain: whether it takes every name.
const EVERY_NAME: &str = "*";

impl std::fmt::Debug for Callouts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Callouts").finish_non_exhaustive()
    }
}

impl Callouts {
    /// One that sees the world through these.
    #[must_use]
    pub fn new(
        world: World,
        resolver: Arc<dyn Resolver>,
        memory: Arc<dyn CalloutMemory>,
        settings: Settings,
    ) -> Callouts {
        let postmaster = format!("postmaster@{}", settings.hostname).parse();
        Callouts {
            shared: Arc::new(Shared {
                world,
                resolver,
                postmaster: postmaster.unwrap_or_else(|_| Address::null()),
                settings,
                memory,
                state: Mutex::default(),
                counters: Counters::default(),
            }),
        }
    }

    /// How often what happened.
    #[must_use]
    pub fn counts(&self) -> Counts {
        let of = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let counters = &self.shared.counters;
        Counts {
            questions: of(&counters.questions),
            from_memory: of(&counters.from_memory),
            talks: of(&counters.talks),
            taken: of(&counters.taken),
            refused: of(&counters.refused),
            failed: of(&counters.failed),
        }
    }
}

#[async_trait]
impl Callout for Callouts {
    async fn ask(&self, address: &Address, target: &Target, policy: &CalloutPolicy) -> Answer {
        let shared = &self.shared;
        count(&shared.counters.questions);
        let target = match &policy.server {
            Some(server) if *server != NextHop::Mx => Target::Hop(server.clone()),
            Some(_) => Target::Domain(address.domain().unwrap_or_default().to_lowercase()),
            None => target.clone(),
        };
        let key = (suppression_key(address), target.key());
        let known = shared.recall(&key, policy).await;
        match known {
            Some((answer, Freshness::Fresh)) => {
                count(&shared.counters.from_memory);
                return answer;
            }
            Some((answer, Freshness::Aging)) => {
                count(&shared.counters.from_memory);
                // It is asked for anew; nobody waits for that.
                let _ = shared.begin(key, address, target, policy);
                return answer;
            }
            Some((_, Freshness::Stale)) | None => {}
        }
        if let Some(answer) = shared.unsure(&key) {
            count(&shared.counters.from_memory);
            return answer;
        }
        let Some(mut told) = shared.begin(key, address, target, policy) else {
            return unanswered(Unanswered::Crowded, PAUSE);
        };
        match timeout(policy.wait, told.wait_for(Option::is_some)).await {
            Ok(Ok(answer)) => answer
                .clone()
                .unwrap_or_else(|| unanswered(Unanswered::Asking, PAUSE)),
            // The question goes on; who comes back finds the answer.
            Ok(Err(_)) | Err(_) => {
                let wait = policy.timeout.saturating_sub(policy.wait);
                unanswered(Unanswered::Asking, wait.clamp(PAUSE / 4, PAUSE))
            }
        }
    }
}

fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

fn unanswered(why: Unanswered, wait: Duration) -> Answer {
    Answer::Unanswered { why, wait }
}

impl Shared {
    async fn recall(&self, key: &Key, policy: &CalloutPolicy) -> Option<(Answer, Freshness)> {
        let (address, server) = key;
        let recalled = self.memory.recall(address, server.as_str()).await;
        let remembered = recalled.unwrap_or_else(|error| {
            tracing::warn!(%error, "the memory of asked recipients cannot be read: the next hop is asked");
            None
        })?;
        let freshness = policy.judge(&remembered, self.world.clock.now());
        let answer = match remembered.refused {
            Some(reply) => Answer::Refused {
                reply,
                at: remembered.at,
            },
            None => Answer::Taken,
        };
        Some((answer, freshness))
    }

    /// What is known of one of whom nobody could tell just now.
    fn unsure(&self, key: &Key) -> Option<Answer> {
        let mut state = self.state.lock();
        let (until, answer) = state.unsure.get(key)?;
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            state.unsure.remove(key);
            return None;
        }
        Some(match answer {
            Answer::Unanswered { why, .. } => unanswered(why.clone(), left),
            answer @ (Answer::Taken | Answer::Refused { .. }) => answer.clone(),
        })
    }

    /// Begins to ask, or joins those who wait; none: too many do.
    fn begin(
        self: &Arc<Self>,
        key: Key,
        address: &Address,
        target: Target,
        policy: &CalloutPolicy,
    ) -> Option<watch::Receiver<Option<Answer>>> {
        let mut state = self.state.lock();
        if let Some(told) = state.asking.get(&key) {
            return Some(told.clone());
        }
        let gate = state.gates.entry(key.1.clone());
        let room = || (Arc::new(Semaphore::new(policy.connections.max(1))), 0);
        let (gate, waiting) = gate.or_insert_with(room);
        if *waiting >= MOST_WAITING {
            return None;
        }
        *waiting += 1;
        let gate = Arc::clone(gate);
        let (tell, told) = watch::channel(None);
        state.asking.insert(key.clone(), told.clone());
        drop(state);
        let asking = Asking {
            shared: Arc::clone(self),
            key,
            address: address.clone(),
            target,
            policy: policy.clone(),
        };
        tokio::spawn(async move {
            let answer = asking.run(&gate).await;
            // Nobody may have waited so long.
            let _ = tell.send(Some(answer));
        });
        Some(told)
    }
}

/// A question under way. Its place is given back however it ends.
struct Asking {
    shared: Arc<Shared>,
    key: Key,
    address: Address,
    target: Target,
    policy: CalloutPolicy,
}

impl Drop for Asking {
    fn drop(&mut self) {
        let mut state = self.shared.state.lock();
        state.asking.remove(&self.key);
        let Some((_, waiting)) = state.gates.get_mut(&self.key.1) else {
            return;
        };
        *waiting = waiting.saturating_sub(1);
        if *waiting == 0 {
            state.gates.remove(&self.key.1);
        }
    }
}

impl Asking {
    async fn run(self, gate: &Semaphore) -> Answer {
        // The gate is never closed.
        let _place = gate.acquire().await;
        let shared = &self.shared;
        count(&shared.counters.talks);
        let began = Instant::now();
        let outcome = match timeout(self.policy.timeout, self.ask()).await {
            Ok(outcome) => outcome,
            Err(_) => asking::out_of_time(began.elapsed()),
        };
        let answer = self.conclude(outcome).await;
        let took_ms = began.elapsed().as_millis() as u64;
        let said = match &answer {
            Answer::Taken => "there",
            Answer::Refused { .. } => "not there",
            Answer::Unanswered { .. } => "unanswered",
        };
        tracing::debug!(recipient = %self.address, destination = %self.key.1, said, took_ms, "asked the next hop about a recipient");
        answer
    }

    async fn ask(&self) -> Outcome {
        let shared = &self.shared;
        let ways = shared.settings.routes.ways(&self.key.1);
        let nobody = match self.knows_every_name().await {
            true => None,
            false => self.nobody(),
        };
        let question = Question {
            address: &self.address,
            target: &self.target,
            helo: ways
                .identity
                .helo
                .as_deref()
                .unwrap_or(&shared.settings.hostname),
            nobody: nobody.as_ref(),
        };
        asking::ask(shared, question).await
    }

    /// A name that nobody has.
    fn nobody(&self) -> Option<Address> {
        let domain = self.address.domain()?;
        let number = self.shared.world.random.unit().to_bits();
        let text = format!("nobody-{number:016x}@{domain}");
        Address::parse(&text, true).ok()
    }

    fn domain_key(&self) -> String {
        let domain = self.address.domain().unwrap_or_default().to_lowercase();
        format!("{EVERY_NAME} {domain}")
    }

    /// Whether it is known if the server takes every name of the domain.
    async fn knows_every_name(&self) -> bool {
        let key = (self.domain_key(), self.key.1.clone());
        let known = self.shared.recall(&key, &self.policy).await;
        known.is_some_and(|(_, freshness)| freshness != Freshness::Stale)
    }

    async fn conclude(&self, outcome: Outcome) -> Answer {
        let (shared, at) = (&self.shared, self.shared.world.clock.now());
        match outcome {
            Outcome::Taken { any } => {
                count(&shared.counters.taken);
                if let Some(any) = any {
                    self.note_every_name(any).await;
                }
                self.keep(self.key.0.as_str(), Remembered { at, refused: None })
                    .await;
                Answer::Taken
            }
            Outcome::Refused(reply) => {
                count(&shared.counters.refused);
                let refused = Some(reply.clone());
                self.keep(self.key.0.as_str(), Remembered { at, refused })
                    .await;
                Answer::Refused { reply, at }
            }
            Outcome::Failed(failure) => {
                count(&shared.counters.failed);
                let asked = verdict::wait(&failure).unwrap_or(PAUSE);
                let wait = asked.clamp(PAUSE / 4, LONGEST_PAUSE);
                let answer = unanswered(Unanswered::Failed(Box::new(failure)), wait);
                let mut state = shared.state.lock();
                if state.unsure.len() >= MOST_UNSURE {
                    let now = Instant::now();
                    state.unsure.retain(|_, (until, _)| *until > now);
                }
                if state.unsure.len() < MOST_UNSURE {
                    let entry = (Instant::now() + wait, answer.clone());
                    state.unsure.insert(self.key.clone(), entry);
                }
                answer
            }
        }
    }

    /// Somebody should know that asking this server tells nothing.
    async fn note_every_name(&self, any: bool) {
        let destination = &self.key.1;
        let domain = self.address.domain().unwrap_or_default();
        if any {
            tracing::warn!(domain, %destination, "the next hop takes every name of the domain, one made up just now too: asking it keeps nobody out");
        }
        // A positive answer: what is kept is that it was asked.
        let remembered = Remembered {
            at: self.shared.world.clock.now(),
            refused: None,
        };
        self.keep(&self.domain_key(), remembered).await;
    }

    async fn keep(&self, address: &str, remembered: Remembered) {
        let keep = self.policy.keep(&remembered);
        let until = remembered.at.checked_add(keep).unwrap_or(remembered.at);
        let memory = &self.shared.memory;
        let server = self.key.1.as_str();
        if let Err(error) = memory.keep(address, server, &remembered, until).await {
            tracing::warn!(%error, "the memory of asked recipients cannot be written");
        }
    }
}
