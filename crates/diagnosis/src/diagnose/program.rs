//! What it means that a program did not take a message: the statuses of `sysexits.h`.

use super::Finding;
use crate::facts::{ProgramEnd, ProgramFailure};
use crate::{Alternative, Cause, Evidence, EvidenceSource, Finality};

use Finality::{Permanent, Transient};

/// What each status of `sysexits.h` means where a program takes mail; every other status is trouble of
/// the program, which mail must not die of.
const STATUSES: &[(i32, &str, Cause, Finality)] = &[
    (64, "EX_USAGE", Cause::LocalFailure, Transient),
    (65, "EX_DATAERR", Cause::ContentMalformed, Permanent),
    (66, "EX_NOINPUT", Cause::LocalFailure, Transient),
    (67, "EX_NOUSER", Cause::MailboxUnknown, Permanent),
    (68, "EX_NOHOST", Cause::DomainUnknown, Permanent),
    (
        69,
        "EX_UNAVAILABLE",
        Cause::MailboxDeliveryFailed,
        Permanent,
    ),
    (70, "EX_SOFTWARE", Cause::LocalFailure, Transient),
    (71, "EX_OSERR", Cause::MailboxDeliveryFailed, Transient),
    (72, "EX_OSFILE", Cause::LocalFailure, Transient),
    (73, "EX_CANTCREAT", Cause::MailboxDeliveryFailed, Transient),
    (74, "EX_IOERR", Cause::MailboxDeliveryFailed, Transient),
    (75, "EX_TEMPFAIL", Cause::MailboxDeliveryFailed, Transient),
    (76, "EX_PROTOCOL", Cause::LocalFailure, Transient),
    (77, "EX_NOPERM", Cause::MailboxDeliveryFailed, Permanent),
    (78, "EX_CONFIG", Cause::LocalFailure, Transient),
];

pub(super) fn ended(failure: &ProgramFailure) -> Finding {
    let program = &failure.program;
    let (cause, finality, text) = match &failure.how {
        ProgramEnd::Exited { status } => {
            match STATUSES.iter().find(|(known, ..)| known == status) {
                Some((status, name, cause, finality)) => {
                    let text = format!("{program} ended with status {status} ({name})");
                    (*cause, *finality, text)
                }
                None => {
                    let text = format!("{program} ended with status {status}");
                    (Cause::LocalFailure, Transient, text)
                }
            }
        }
        ProgramEnd::Killed { signal } => {
            let text = format!("{program} was ended by signal {signal}");
            (Cause::LocalFailure, Transient, text)
        }
        ProgramEnd::TimedOut { seconds } => {
            let text = format!("{program} had not ended after {seconds} seconds, and was stopped");
            (Cause::LocalFailure, Transient, text)
        }
        ProgramEnd::NotStarted { reported } => (
            Cause::LocalFailure,
            Transient,
            format!("starting {program}: {reported}"),
        ),
        ProgramEnd::LooksLikeOption => {
            let text = format!("the address begins with a hyphen, as options of {program} do");
            (Cause::AddressSyntax, Permanent, text)
        }
    };
    let mut finding = Finding::seen(cause, finality, EvidenceSource::Program, text);
    if !failure.output.trim().is_empty() {
        finding.evidence.push(Evidence {
            text: failure.output.trim().to_owned(),
            source: EvidenceSource::Program,
            span: None,
        });
    }
    // Dovecot ends so where a mailbox is full.
    if failure.how == (ProgramEnd::Exited { status: 77 }) {
        let (cause, confidence) = (Cause::MailboxFull, 0.3);
        finding.alternatives.push(Alternative { cause, confidence });
        finding.confidence = 0.6;
    }
    finding
}

#[cfg(test)]
mod tests {
    use smtp::Stage;

    use crate::facts::{Circumstances, Outcome, ProgramEnd, ProgramFailure};
    use crate::{Cause, Failure, FailureKind, Finality, Scope, diagnose};

    #[test]
    fn a_status_is_read_as_sysexits_means_it_and_any_other_keeps_the_mail() {
        for (status, cause, finality, scope) in [
            (
                67,
                Cause::MailboxUnknown,
                Finality::Permanent,
                Scope::Recipient,
            ),
            (
                75,
                Cause::MailboxDeliveryFailed,
                Finality::Transient,
                Scope::Recipient,
            ),
            (78, Cause::LocalFailure, Finality::Transient, Scope::Us),
            (1, Cause::LocalFailure, Finality::Transient, Scope::Us),
            (127, Cause::LocalFailure, Finality::Transient, Scope::Us),
        ] {
            let kind = FailureKind::Program(ProgramFailure {
                program: "/bin/deliver".into(),
                how: ProgramEnd::Exited { status },
                output: "why it did not\n".into(),
            });
            let stage = Stage::Content;
            let outcome = Outcome::Failed(Failure { stage, kind });
            let found = diagnose(&outcome, &Circumstances::default()).unwrap();
            assert_eq!(
                (found.cause, found.finality, found.scope),
                (cause, finality, scope)
            );
            assert_eq!(found.evidence[1].text, "why it did not");
            assert_eq!((found.reply, found.status), (None, None));
        }
    }
}
