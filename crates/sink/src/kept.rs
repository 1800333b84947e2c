//! What the sink received: messages and sessions, in memory and, where asked, in a directory.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use jiff::Timestamp;
use parking_lot::Mutex;
use serde::Serialize;
use smtp::envelope::{MailParams, OriginalRecipient, RcptParams, Return};
use tokio::sync::watch;
use world::World;

use crate::handshake::TlsSeen;
use crate::transcript::Transcript;

/// Messages and bytes of content that stay in memory; beyond, the oldest are forgotten.
const MOST_MESSAGES: usize = 20_000;
const MOST_BYTES: usize = 256 << 20;
/// Sessions that stay in memory.
const MOST_SESSIONS: usize = 10_000;

/// A message that was received.
#[derive(Clone, Debug, Serialize)]
pub struct Message {
    /// Its number, from 1.
    pub id: u64,
    /// The session that brought it.
    pub session: u64,
    /// When.
    pub time: Timestamp,
    /// The client's address.
    pub client: String,
    /// What the client called itself.
    pub hello: String,
    /// The TLS session that it came over.
    pub tls: Option<TlsSeen>,
    /// The user that the client logged in as.
    pub user: Option<String>,
    /// Which protocol: `SMTP`, `ESMTP` or `LMTP`.
    pub protocol: &'static str,
    /// The sender (MAIL FROM).
    pub from: String,
    /// The recipients that were accepted (RCPT TO).
    pub to: Vec<String>,
    /// Recipients of the transaction that were not.
    pub refused: Vec<String>,
    /// The accepted ones with what was asked for each.
    pub recipients: Vec<Recipient>,
    /// What MAIL said beside the sender.
    pub parameters: Parameters,
    /// Bytes of content.
    pub size: u64,
    /// The size that MAIL announced.
    pub announced: Option<u64>,
    /// Whether it came with BODY=8BITMIME.
    pub eight_bit: bool,
    /// Whether it came with SMTPUTF8.
    pub smtputf8: bool,
    /// Whether it came in chunks (BDAT).
    pub chunked: bool,
    /// Whether the client was told yes.
    pub accepted: bool,
    /// The content, dots removed.
    #[serde(skip)]
    pub content: Bytes,
}

/// A recipient with what was asked for it (RFC 3461 §4).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Recipient {
    /// The address.
    pub address: String,
    /// NOTIFY, as it is written.
    pub notify: Option<String>,
    /// ORCPT, as it is written.
    pub orcpt: Option<String>,
}

impl Recipient {
    pub(crate) fn new(address: String, params: &RcptParams) -> Recipient {
        Recipient {
            address,
            notify: params.notify.map(|notify| notify.to_string()),
            orcpt: params.original.as_ref().map(OriginalRecipient::to_xtext),
        }
    }
}

/// What MAIL said beside the sender.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Parameters {
    /// BODY: `7BIT`, `8BITMIME` or `BINARYMIME`.
    pub body: &'static str,
    /// RET: `FULL` or `HDRS` (RFC 3461 §4.3).
    pub ret: Option<&'static str>,
    /// ENVID, decoded (RFC 3461 §4.4).
    pub envid: Option<String>,
    /// REQUIRETLS (RFC 8689).
    pub require_tls: bool,
    /// MT-PRIORITY (RFC 6710).
    pub priority: String,
    /// BY (RFC 2852), as it is written.
    pub by: Option<String>,
    /// AUTH (RFC 4954 §5): who wrote the message; empty: `<>`.
    pub auth: Option<String>,
}

impl Parameters {
    pub(crate) fn of(params: &MailParams) -> Parameters {
        Parameters {
            body: params.body.as_str(),
            ret: params.ret.map(Return::as_str),
            envid: params.envelope_id.as_ref().map(|id| id.as_str().to_owned()),
            require_tls: params.require_tls,
            priority: params.priority.to_string(),
            by: params.deliver_by.map(|by| by.to_string()),
            auth: params.submitter.as_ref().map(|by| by.as_str().to_owned()),
        }
    }
}

#[derive(Default)]
struct Inner {
    messages: BTreeMap<u64, Arc<Message>>,
    bytes: usize,
    last: u64,
    sessions: BTreeMap<u64, Arc<Transcript>>,
    last_session: u64,
}

/// Everything that was received.
pub struct Kept {
    world: World,
    directory: Option<PathBuf>,
    inner: Mutex<Inner>,
    /// Grows with each message.
    changed: watch::Sender<u64>,
}

impl Kept {
    /// Nothing yet. Numbers go on after those of messages that are in the directory.
    pub fn new(world: World, directory: Option<PathBuf>) -> io::Result<Kept> {
        let mut inner = Inner::default();
        if let Some(directory) = &directory {
            world.disk.create_dir_all(directory)?;
            let files = world.disk.list(directory)?;
            inner.last = files
                .iter()
                .filter_map(|file| number(file))
                .max()
                .unwrap_or(0);
        }
        Ok(Kept {
            world,
            directory,
            inner: Mutex::new(inner),
            changed: watch::Sender::new(0),
        })
    }

    /// Keeps a message; its number. With a directory, it is written there first: `N.eml`, `N.json`.
    pub fn keep(&self, mut message: Message) -> io::Result<u64> {
        let id = {
            let mut inner = self.inner.lock();
            inner.last += 1;
            inner.last
        };
        message.id = id;
        if let Some(directory) = &self.directory {
            let json = serde_json::to_vec_pretty(&message)?;
            self.write(&directory.join(format!("{id:06}.json")), &json)?;
            self.write(&directory.join(format!("{id:06}.eml")), &message.content)?;
        }
        let mut inner = self.inner.lock();
        inner.bytes += message.content.len();
        inner.messages.insert(id, Arc::new(message));
        while inner.messages.len() > 1
            && (inner.messages.len() > MOST_MESSAGES || inner.bytes > MOST_BYTES)
        {
            if let Some((_, oldest)) = inner.messages.pop_first() {
                inner.bytes -= oldest.content.len();
            }
        }
        drop(inner);
        self.changed.send_modify(|count| *count += 1);
        Ok(id)
    }

    fn write(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        let mut file = self.world.disk.create(path)?;
        file.write_all(bytes)?;
        file.flush()
    }

    /// The messages, oldest first.
    #[must_use]
    pub fn messages(&self) -> Vec<Arc<Message>> {
        self.inner.lock().messages.values().cloned().collect()
    }

    /// A message.
    #[must_use]
    pub fn message(&self, id: u64) -> Option<Arc<Message>> {
        self.inner.lock().messages.get(&id).cloned()
    }

    /// Forgets a message; files stay.
    pub fn forget(&self, id: u64) -> bool {
        let mut inner = self.inner.lock();
        let gone = inner.messages.remove(&id);
        if let Some(message) = &gone {
            inner.bytes -= message.content.len();
        }
        gone.is_some()
    }

    /// Forgets all messages; how many there were. Files stay.
    pub fn forget_messages(&self) -> usize {
        let mut inner = self.inner.lock();
        inner.bytes = 0;
        std::mem::take(&mut inner.messages).len()
    }

    /// Begins the transcript of a session.
    #[must_use]
    pub fn begin(&self, client: std::net::SocketAddr) -> Arc<Transcript> {
        let mut inner = self.inner.lock();
        inner.last_session += 1;
        let id = inner.last_session;
        let transcript = Arc::new(Transcript::new(id, client, self.world.clock.now()));
        inner.sessions.insert(id, Arc::clone(&transcript));
        if inner.sessions.len() > MOST_SESSIONS {
            inner.sessions.pop_first();
        }
        transcript
    }

    /// The sessions, oldest first.
    #[must_use]
    pub fn sessions(&self) -> Vec<Arc<Transcript>> {
        self.inner.lock().sessions.values().cloned().collect()
    }

    /// A session.
    #[must_use]
    pub fn session(&self, id: u64) -> Option<Arc<Transcript>> {
        self.inner.lock().sessions.get(&id).cloned()
    }

    /// Forgets the sessions; how many there were.
    pub fn forget_sessions(&self) -> usize {
        std::mem::take(&mut self.inner.lock().sessions).len()
    }

    /// Tells when messages come.
    #[must_use]
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }
}

fn number(file: &Path) -> Option<u64> {
    let known = file.extension().is_some_and(|e| e == "eml" || e == "json");
    file.file_stem().filter(|_| known)?.to_str()?.parse().ok()
}
