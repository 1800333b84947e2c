//! A relay's sending half in a simulated world.

use std::sync::Arc;
use std::time::Duration;

use delivery::{Engine, Settings};
use dns::{Mx, TableResolver};
use jiff::Timestamp;
use queue::route::{Asked, Routes};
use queue::{
    BodyKind, Message, MessageId, MessageKind, NewMessage, NewRecipient, Origin, Recipient,
    RecipientState, Store, Story,
};
use store_sqlite::SqliteStore;
use world::{RealDisk, SeededRandom, SimNet, VirtualClock, World};

use crate::peer::{Answer, Ask, Peer, at};

pub(crate) struct Relay {
    pub(crate) world: World,
    pub(crate) net: Arc<SimNet>,
    pub(crate) dns: Arc<TableResolver>,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) engine: Engine,
    routes: Arc<Routes>,
}

impl Relay {
    /// A relay that knows `example.org` with exchangers 1 and 2, `other.example` with 3, and
    /// `sender.example`, where reports go, with 9.
    pub(crate) async fn start() -> Relay {
        Relay::start_with(Routes::default(), |_| {}).await
    }

    /// The same with these routes and changes of its settings.
    pub(crate) async fn start_with(routes: Routes, change: impl FnOnce(&mut Settings)) -> Relay {
        let net = Arc::new(SimNet::default());
        let world = World {
            clock: Arc::new(VirtualClock::new("2026-01-01T00:00:00Z".parse().unwrap())),
            random: Arc::new(SeededRandom::new(1)),
            net: net.clone(),
            disk: Arc::new(RealDisk),
            host: Arc::new(world::RealHost),
        };
        let dns = Arc::new(TableResolver::default());
        for (domain, exchangers) in [
            ("example.org", &[1, 2][..]),
            ("other.example", &[3]),
            ("sender.example", &[9]),
        ] {
            let mx = |n: &u8| Mx {
                preference: u16::from(*n),
                exchange: format!("mx{n}.example"),
            };
            dns.set_mx(domain, Ok(exchangers.iter().map(mx).collect()));
            for n in exchangers {
                dns.set_addresses(&format!("mx{n}.example"), Ok(vec![at(*n).ip()]));
            }
        }
        let store: Arc<dyn Store> = Arc::new(SqliteStore::open_in_memory(&world).unwrap());
        let routes = Arc::new(routes);
        let mut settings = Settings {
            hostname: "relay.example".into(),
            routes: routes.clone(),
            ..Settings::default()
        };
        change(&mut settings);
        let engine = Engine::start(world.clone(), store.clone(), dns.clone(), settings)
            .await
            .unwrap();
        Relay {
            world,
            net,
            dns,
            store,
            engine,
            routes,
        }
    }

    /// Stops sending and starts again with what the store has.
    pub(crate) async fn restart(self) -> Relay {
        self.engine.stop(Duration::from_secs(60)).await;
        let settings = Settings {
            hostname: "relay.example".into(),
            routes: self.routes.clone(),
            ..Settings::default()
        };
        let (world, store, dns) = (self.world.clone(), self.store.clone(), self.dns.clone());
        let engine = Engine::start(world, store, dns, settings).await.unwrap();
        Relay { engine, ..self }
    }

    /// Lets a domain's only exchanger be this host, at the address of exchanger `n`.
    pub(crate) fn exchanger(&self, domain: &str, host: &str, n: u8) {
        let mx = Mx {
            preference: 10,
            exchange: host.to_owned(),
        };
        self.dns.set_mx(domain, Ok(vec![mx]));
        self.dns.set_addresses(host, Ok(vec![at(n).ip()]));
    }

    pub(crate) async fn peer(
        &self,
        n: u8,
        script: impl FnMut(&Ask) -> Answer + Send + 'static,
    ) -> Arc<Peer> {
        Peer::start(self.world.net.listen(at(n)).await.unwrap(), script)
    }

    /// A server that says yes to everything.
    pub(crate) async fn willing_peer(&self, n: u8) -> Arc<Peer> {
        self.peer(n, |_| Answer::Say("")).await
    }

    /// A willing one that answers EHLO so, and encrypts when it is asked to.
    pub(crate) async fn secure_peer(
        &self,
        n: u8,
        acceptor: &tls::Acceptor,
        offers: &'static str,
    ) -> Arc<Peer> {
        let listener = self.world.net.listen(at(n)).await.unwrap();
        Peer::start_secure(listener, Some(acceptor.clone()), move |ask| match ask {
            Ask::Hello => Answer::Say(offers),
            _ => Answer::Say(""),
        })
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.world.clock.now()
    }

    pub(crate) async fn send(&self, sender: &str, recipients: &[&str]) -> MessageId {
        self.send_with(sender, recipients, |_| {}).await
    }

    /// Sends a message that is changed before it is kept.
    pub(crate) async fn send_with(
        &self,
        sender: &str,
        recipients: &[&str],
        change: impl FnOnce(&mut NewMessage),
    ) -> MessageId {
        let now = self.now();
        let mut random = [0; 10];
        self.world.random.fill(&mut random);
        let id = MessageId::new(now.as_millisecond() as u64, &random);
        let content = format!("Subject: {id}\r\n\r\nHello.\r\n");
        let mut writer = self.store.stage(id);
        writer.write(content.as_bytes()).await.unwrap();
        let body = writer.finish().await.unwrap();
        let recipient = |address: &&str| {
            let address = address.parse().unwrap();
            let destination = self.routes.lead(&Asked::to(&address)).key();
            NewRecipient {
                address,
                destination,
                next_attempt: now,
                rewritten: None,
                options: queue::RecipientOptions::default(),
            }
        };
        let message = Message {
            id,
            sender: sender.parse().unwrap(),
            received_at: now,
            expires_at: now + Duration::from_secs(5 * 86_400),
            size: body.size(),
            body_kind: BodyKind::SevenBit,
            smtputf8: false,
            hops: 1,
            kind: MessageKind::Mail,
            origin: Origin {
                client: "127.0.0.1".into(),
                helo: Some("client.example".into()),
                protocol: "ESMTP".into(),
                about: None,
            },
            options: queue::Options::default(),
        };
        let recipients = recipients.iter().map(recipient).collect();
        let mut new = NewMessage {
            message,
            body,
            recipients,
            events: Vec::new(),
            held: false,
        };
        change(&mut new);
        self.engine.intake().accept(new).await.unwrap();
        id
    }

    pub(crate) async fn story(&self, id: MessageId) -> Story {
        self.store.story(id).await.unwrap()
    }

    pub(crate) async fn recipient(&self, id: MessageId, index: usize) -> Recipient {
        self.story(id).await.recipients[index].clone()
    }

    /// Lets virtual time pass.
    pub(crate) async fn pass(&self, seconds: u64) {
        tokio::time::sleep(Duration::from_secs(seconds)).await;
    }

    /// Lets time pass until a recipient's fate is settled; fails after ten days.
    pub(crate) async fn settled(&self, id: MessageId) -> Story {
        for _ in 0..10 * 24 * 60 {
            let story = self.story(id).await;
            if story.recipients.iter().all(|r| r.state.is_final()) {
                return story;
            }
            self.pass(60).await;
        }
        panic!(
            "not settled after ten days: {:?}",
            self.story(id).await.recipients
        );
    }
}

/// The states of all recipients.
pub(crate) fn states(story: &Story) -> Vec<RecipientState> {
    story.recipients.iter().map(|r| r.state).collect()
}

/// The ids of the causes of all failed attempts, oldest first.
pub(crate) fn causes(story: &Story) -> Vec<&'static str> {
    let verdicts = story.attempts.iter().flat_map(|a| &a.verdicts);
    verdicts
        .filter_map(|v| v.diagnosis.as_ref())
        .map(|d| d.cause.id())
        .collect()
}
