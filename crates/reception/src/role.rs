//! What a listener is for.

use crate::Settings;

/// What a listener is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Role {
    /// Mail between servers (RFC 5321).
    #[default]
    Relay,
    /// Mail of users, who must say who they are (RFC 6409).
    Submission,
    /// Mail from a server next door, by LMTP (RFC 2033).
    Lmtp,
}

impl Role {
    /// All of them.
    pub(crate) const ALL: [Role; 3] = [Role::Relay, Role::Submission, Role::Lmtp];

    pub(crate) fn is_lmtp(self) -> bool {
        self == Role::Lmtp
    }

    pub(crate) fn is_submission(self) -> bool {
        self == Role::Submission
    }

    /// How its sessions speak.
    pub(crate) fn protocol(self, settings: &Settings) -> smtp::server::Config {
        let usual = smtp::server::Config {
            max_size: settings.max_message_size,
            max_recipients: settings.max_recipients,
            max_errors: settings.max_errors,
            max_messages: settings.max_messages,
            dsn: true,
            binary_mime: true,
            require_tls: true,
            deliver_by: true,
            priority: true,
            starttls: settings.tls.is_some(),
            ..smtp::server::Config::new(settings.hostname.clone())
        };
        match self {
            Role::Relay => usual,
            Role::Submission => smtp::server::Config {
                qualify: settings.submission.domain.clone(),
                ..usual
            },
            // RFC 3030 does not say who answers a chunk that is refused, and how often.
            Role::Lmtp => smtp::server::Config {
                lmtp: true,
                chunking: false,
                binary_mime: false,
                ..usual
            },
        }
    }
}
