//! What a server answered, and what the relay's own diagnosis makes of it.

use diagnosis::facts::{Circumstances, ConnectError, ConnectTry};
use diagnosis::{Diagnosis, Failure, FailureKind, Outcome, Stage, diagnose};

use crate::workload::Says;

/// Names an [`Answer`] of a run.
pub(crate) type AnswerId = u16;

/// What a failure concerns, as senders see that go by the step and the code alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Level {
    /// No connection, or a refusal before MAIL: the host.
    Host,
    /// A refusal of MAIL or of the content: this message.
    Message,
    /// A refusal of RCPT: this recipient.
    Recipient,
}

/// A failure that servers of the run have in common.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    /// What it concerns.
    pub(crate) level: Level,
    /// Whether the reply is of the 500s.
    pub(crate) permanent: bool,
    /// Whether the sender waits for its time-out.
    pub(crate) silent: bool,
    /// Whether no connection came about.
    pub(crate) unreached: bool,
    /// What the relay's diagnosis says; each text is diagnosed once in a run.
    pub(crate) diagnosis: Diagnosis,
}

impl Answer {
    pub(crate) fn of(says: &Says) -> Option<Answer> {
        let failure = match says {
            Says::Silent => unconnected(ConnectError::TimedOut),
            Says::Refused => unconnected(ConnectError::Refused),
            Says::Reply(stage, reply) => Failure {
                stage: *stage,
                kind: FailureKind::Replied(reply.clone()),
            },
        };
        let level = match says {
            Says::Silent | Says::Refused => Level::Host,
            Says::Reply(stage, _) => level(*stage),
        };
        let permanent = matches!(says, Says::Reply(_, reply) if reply.code() >= 500);
        let silent = *says == Says::Silent;
        // A single recipient: none was taken beside it.
        let circumstances = Circumstances {
            all_recipients: 1,
            ..Circumstances::default()
        };
        let diagnosis = diagnose(&Outcome::Failed(failure), &circumstances)?;
        Some(Answer {
            level,
            permanent,
            silent,
            unreached: matches!(says, Says::Silent | Says::Refused),
            diagnosis,
        })
    }
}

fn level(stage: Stage) -> Level {
    match stage {
        Stage::Rcpt => Level::Recipient,
        Stage::Mail | Stage::Data | Stage::Content | Stage::EndOfData | Stage::Reset => {
            Level::Message
        }
        Stage::Route
        | Stage::Connect
        | Stage::Greeting
        | Stage::Hello
        | Stage::StartTls
        | Stage::Auth
        | Stage::Quit => Level::Host,
    }
}

fn unconnected(error: ConnectError) -> Failure {
    let tried = ConnectTry {
        host: "mx.example".to_owned(),
        address: "192.0.2.1:25".to_owned(),
        error,
        waited_ms: 0,
    };
    Failure {
        stage: Stage::Connect,
        kind: FailureKind::Connect(vec![tried]),
    }
}
