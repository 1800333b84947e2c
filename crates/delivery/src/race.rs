//! Which of several addresses answers first (RFC 8305, "Happy Eyeballs").

use std::net::IpAddr;
use std::time::Duration;

use diagnosis::Stage;
use diagnosis::facts::{ConnectError, ConnectTry, StepKind};
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use routing::Candidate;
use tokio::time::{Instant, timeout};
use world::{Net, Peer, Stream};

use crate::presence::Presence;
use crate::trail::Trail;

/// RFC 8305 §5: how long one address has before the next is tried beside it.
const STAGGER: Duration = Duration::from_millis(250);

/// Addresses that are equally good, and what they are tried with.
pub(crate) struct Race<'a> {
    pub(crate) net: &'a dyn Net,
    pub(crate) presence: &'a Presence<'a>,
    pub(crate) patience: Duration,
}

/// A connection, and whose it is.
pub(crate) struct Won {
    pub(crate) stream: Stream,
    pub(crate) candidate: Candidate,
    /// The address of ours that was chosen for it.
    pub(crate) from: Option<IpAddr>,
}

impl Race<'_> {
    /// The first of `left` that answers, which is taken out, like those that failed. Those that were
    /// still waited for stay: they may be tried again where the first turns out to be of no use.
    pub(crate) async fn run(
        &self,
        left: &mut Vec<Candidate>,
        tries: &mut Vec<ConnectTry>,
        trail: &mut Trail,
    ) -> Option<Won> {
        let all = std::mem::take(left);
        let mut running = FuturesUnordered::new();
        let mut waiting = all.iter().enumerate();
        let mut began = vec![None; all.len()];
        let mut more = true;
        loop {
            match waiting.next().filter(|_| more) {
                Some((place, candidate)) => {
                    began[place] = Some(Instant::now());
                    running.push(async move { (place, self.one(candidate).await) });
                }
                None => more = false,
            }
            if running.is_empty() {
                return None;
            }
            tokio::select! {
                Some((place, tried)) = running.next() => match tried {
                    Ok((stream, from)) => {
                        began[place] = None;
                        let outrun = self.given_up(&all, &began);
                        for lost in outrun {
                            trail.add(Stage::Connect, StepKind::NotConnected(lost));
                        }
                        let candidate = all[place].clone();
                        let not_failed = |(n, _): &(usize, &Candidate)| {
                            *n != place && !tries.iter().any(|t| is_of(t, &all[*n]))
                        };
                        *left = all.iter().enumerate().filter(not_failed).map(|(_, c)| c.clone()).collect();
                        return Some(Won { stream, candidate, from });
                    }
                    Err(failed) => {
                        began[place] = None;
                        trail.add(Stage::Connect, StepKind::NotConnected(failed.clone()));
                        tries.push(failed);
                    }
                },
                () = tokio::time::sleep(STAGGER), if more => {}
            }
        }
    }

    /// Those that were being tried when another answered.
    fn given_up(&self, all: &[Candidate], began: &[Option<Instant>]) -> Vec<ConnectTry> {
        let waited = |began: &Instant| began.elapsed().as_millis() as u64;
        let tried = all.iter().zip(began);
        tried
            .filter_map(|(candidate, began)| {
                Some(failed(
                    candidate,
                    ConnectError::Outrun,
                    waited(began.as_ref()?),
                ))
            })
            .collect()
    }

    async fn one(&self, candidate: &Candidate) -> Result<(Stream, Option<IpAddr>), ConnectTry> {
        let began = Instant::now();
        let error = match self.presence.address_for(&candidate.peer) {
            Ok(from) => {
                let connecting = self.net.connect_from(from, &candidate.peer);
                match timeout(self.patience, connecting).await {
                    Ok(Ok(stream)) => return Ok((stream, from)),
                    Ok(Err(error)) => ConnectError::from(&error),
                    Err(_) => ConnectError::TimedOut,
                }
            }
            Err(none) => none,
        };
        Err(failed(candidate, error, began.elapsed().as_millis() as u64))
    }
}

fn failed(candidate: &Candidate, error: ConnectError, waited_ms: u64) -> ConnectTry {
    ConnectTry {
        host: candidate.host.clone(),
        address: candidate.peer.to_string(),
        error,
        waited_ms,
    }
}

fn is_of(tried: &ConnectTry, candidate: &Candidate) -> bool {
    tried.host == candidate.host && tried.address == candidate.peer.to_string()
}

/// The order in which equally good addresses are tried (RFC 8305 §4, RFC 6724 §5 rules 1 and 2): those
/// that we have an address to come from first; among them the families take turns, IPv6 first.
pub(crate) fn in_order(
    tier: Vec<Candidate>,
    net: &dyn Net,
    presence: &Presence<'_>,
) -> Vec<Candidate> {
    let usable = |candidate: &Candidate| match &candidate.peer {
        Peer::Unix(_) => true,
        Peer::Tcp(address) => {
            presence.address_for(&candidate.peer).is_ok() && net.source(*address).is_ok()
        }
    };
    let (usable, unusable): (Vec<_>, Vec<_>) = tier.into_iter().partition(usable);
    let is_v6 = |candidate: &Candidate| match &candidate.peer {
        Peer::Tcp(address) => address.is_ipv6(),
        Peer::Unix(_) => false,
    };
    let (v6, v4): (Vec<_>, Vec<_>) = usable.into_iter().partition(is_v6);
    let (mut v6, mut v4) = (v6.into_iter(), v4.into_iter());
    let mut ordered = Vec::new();
    loop {
        let (six, four) = (v6.next(), v4.next());
        if six.is_none() && four.is_none() {
            break;
        }
        ordered.extend(six.into_iter().chain(four));
    }
    ordered.extend(unusable);
    ordered
}

/// The candidates by tier, the best first.
pub(crate) fn tiers(candidates: &[Candidate]) -> Vec<Vec<Candidate>> {
    let mut tiers: Vec<Vec<Candidate>> = Vec::new();
    for candidate in candidates {
        match tiers.last_mut() {
            Some(tier) if tier.last().is_some_and(|last| last.tier == candidate.tier) => {
                tier.push(candidate.clone());
            }
            Some(_) | None => tiers.push(vec![candidate.clone()]),
        }
    }
    tiers
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use queue::DestinationKey;
    use queue::route::{Identity, Ways};
    use world::{Fault, SimNet};

    use super::*;

    const SIX: &str = "[2001:db8::1]:25";
    const FOUR: &str = "192.0.2.1:25";
    const OTHER: &str = "192.0.2.2:25";

    fn at(text: &str) -> SocketAddr {
        text.parse().unwrap()
    }

    fn candidates(texts: &[&str]) -> Vec<Candidate> {
        let one = |text: &&str| Candidate {
            host: "mx.example".into(),
            peer: Peer::Tcp(at(text)),
            tier: 0,
            signed: routing::Signed::default(),
        };
        texts.iter().map(one).collect()
    }

    struct Course {
        net: SimNet,
        key: DestinationKey,
        source: Vec<IpAddr>,
    }

    impl Course {
        async fn new(listening: &[&str]) -> (Course, Vec<world::Listener>) {
            let net = SimNet::default();
            for own in ["2001:db8::ff", "192.0.2.99", "192.0.2.98"] {
                net.add_source(own.parse().unwrap());
            }
            let mut listeners = Vec::new();
            for address in listening {
                listeners.push(net.listen(at(address)).await.unwrap());
            }
            let course = Course {
                net,
                key: DestinationKey::new("mx:example.org"),
                source: Vec::new(),
            };
            (course, listeners)
        }

        /// Who won, after how long, and what the trail says; and who is left.
        async fn run(&self, texts: &[&str]) -> (Option<String>, u64, Vec<String>, Vec<String>) {
            let identity = Identity {
                source: self.source.clone(),
                helo: None,
            };
            let login = None;
            let ways = Ways { login, identity };
            let presence = Presence::new(&self.key, ways, "us.example");
            let race = Race {
                net: &self.net,
                presence: &presence,
                patience: Duration::from_secs(30),
            };
            let mut left = in_order(candidates(texts), &self.net, &presence);
            let (mut tries, mut trail) = (Vec::new(), Trail::begin());
            let began = Instant::now();
            let won = race.run(&mut left, &mut tries, &mut trail).await;
            let told = trail.into_steps().into_iter().map(|step| match step.what {
                StepKind::NotConnected(t) => {
                    format!("{} {} {}", t.address, t.error.as_str(), t.waited_ms)
                }
                other => panic!("{other:?}"),
            });
            (
                won.map(|won| won.candidate.peer.to_string()),
                began.elapsed().as_millis() as u64,
                told.collect(),
                left.into_iter().map(|c| c.peer.to_string()).collect(),
            )
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_silent_address_costs_a_quarter_of_a_second_and_stands_in_the_story() {
        let (course, _listening) = Course::new(&[FOUR, OTHER]).await;
        course.net.set_fault(at(SIX), Some(Fault::Silent));
        let (won, after, told, left) = course.run(&[FOUR, SIX, OTHER]).await;
        assert_eq!((won.as_deref(), after), (Some(FOUR), 250));
        assert_eq!(told, [format!("{SIX} another address answered first 250")]);
        assert_eq!(
            left,
            [SIX, OTHER],
            "they may be tried if the winner is of no use"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_refuses_makes_room_for_the_next_at_once() {
        let (course, _listening) = Course::new(&[OTHER]).await;
        let (won, after, told, left) = course.run(&[FOUR, SIX, OTHER]).await;
        assert_eq!((won.as_deref(), after), (Some(OTHER), 0));
        assert_eq!(told.len(), 2, "{told:?}");
        assert!(left.is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn where_nobody_answers_all_have_had_their_time_side_by_side() {
        let (course, _listening) = Course::new(&[]).await;
        for address in [FOUR, SIX, OTHER] {
            course.net.set_fault(at(address), Some(Fault::Silent));
        }
        let (won, after, told, _) = course.run(&[FOUR, SIX, OTHER]).await;
        assert_eq!((won, after), (None, 30_500));
        assert!(
            told.iter()
                .all(|line| line.ends_with("no answer in time 30000"))
        );
        assert_eq!(told.len(), 3);
    }

    #[tokio::test(start_paused = true)]
    async fn families_take_turns_and_one_that_we_do_not_have_comes_last() {
        let (mut course, listening) = Course::new(&[FOUR, SIX]).await;
        let (won, ..) = course.run(&[FOUR, OTHER, SIX]).await;
        assert_eq!(won.as_deref(), Some(SIX), "IPv6 first");
        course.source = vec!["192.0.2.98".parse().unwrap()];
        let (won, _, told, _) = course.run(&[SIX, FOUR]).await;
        assert_eq!(won.as_deref(), Some(FOUR), "our only address is of IPv4");
        assert!(told.is_empty());
        let (_, client) = listening[0].accept().await.unwrap();
        assert_eq!(client.ip(), course.source[0]);
        let (won, _, told, _) = course.run(&[SIX]).await;
        assert_eq!(won, None);
        assert!(told[0].contains("this machine could not"), "{told:?}");
    }
}
