//! Users: who knows them, where they hand in mail, and servers next door.

use std::sync::Arc;

use auth::{Authenticator, Dovecot, FileError, UserFile};
use config::{Config, Place};
use reception::{Door, Role, Sender, Senders};
use world::{Listener, Peer, World};

use super::StartError;
use super::settings::{networks, rate};

/// Who knows users, where anybody does.
pub(super) fn authenticator(
    config: &Config,
    world: &World,
) -> Result<Option<Arc<dyn Authenticator>>, FileError> {
    let auth = &config.auth;
    if let Some(path) = &auth.users {
        let file = UserFile::open(world.clone(), path.clone())?;
        return Ok(Some(Arc::new(file)));
    }
    let dovecot = auth.dovecot.clone();
    Ok(dovecot.map(|path| Arc::new(Dovecot::at(world.clone(), path)) as Arc<dyn Authenticator>))
}

/// What the receiving role is told of users, and of those who speak for others.
pub(super) fn settings(config: &Config, settings: reception::Settings) -> reception::Settings {
    let mut senders = Senders::default();
    for (user, listed) in &config.submission.senders {
        senders.allow(
            user,
            listed
                .iter()
                .filter_map(|text| Sender::read(text))
                .collect(),
        );
    }
    reception::Settings {
        auth: reception::AuthSettings {
            plaintext_networks: networks(&config.auth.allow_plaintext),
            failures: rate(config.auth.failures),
        },
        submission: reception::Submission {
            domain: config.submission.domain.clone(),
            senders,
            check_from: config.submission.check_from,
            show_client: config.submission.show_client,
        },
        trusted: reception::Trusted {
            xclient: networks(&config.listen.doors.xclient),
            proxy: networks(&config.listen.doors.proxy),
        },
        ..settings
    }
}

/// Listens where users and servers next door hand in mail.
pub(super) async fn listen(
    config: &Config,
    world: &World,
) -> Result<Vec<(Listener, Door)>, StartError> {
    let doors = &config.listen.doors;
    let submission = doors
        .submission
        .iter()
        .map(|a| (Peer::Tcp(*a), Role::Submission, false));
    let submissions = config.listen.submissions.iter();
    let secure = submissions.map(|a| (Peer::Tcp(*a), Role::Submission, true));
    let lmtp = doors.lmtp.iter().map(|place| match place {
        Place::Tcp(address) => (Peer::Tcp(*address), Role::Lmtp, false),
        Place::Unix(path) => (Peer::Unix(path.clone()), Role::Lmtp, false),
    });
    let mut listeners = Vec::new();
    for (at, role, implicit_tls) in submission.chain(secure).chain(lmtp) {
        let listener = match &at {
            Peer::Tcp(address) => world.net.listen(*address).await,
            Peer::Unix(path) => world.net.listen_unix(path).await,
        };
        let listener = listener.map_err(|source| StartError::ListenAt { at, source })?;
        listeners.push((listener, Door { role, implicit_tls }));
    }
    Ok(listeners)
}

/// The same for the log, as they were asked for.
pub(super) fn listed(config: &Config) -> Option<String> {
    let doors = &config.listen.doors;
    let submission = doors.submission.iter().map(|a| format!("submission {a}"));
    let secure = config.listen.submissions.iter();
    let secure = secure.map(|a| format!("submissions {a}"));
    let lmtp = doors.lmtp.iter().map(|place| format!("lmtp {place}"));
    let all: Vec<String> = submission.chain(secure).chain(lmtp).collect();
    (!all.is_empty()).then(|| all.join(", "))
}
