//! Replies as servers send them, and what they mean.
#![allow(clippy::unwrap_used)]

use diagnosis::facts::{Circumstances, Outcome};
use diagnosis::{
    AddressDead, Cause, Diagnosis, Failure, FailureKind, Finality, Hint, Scope, Stage, diagnose,
};
use smtp::Reply;

fn read_at(stage: Stage, text: &str, accepted: u32) -> Diagnosis {
    let reply = Reply::parse("mx.example.org", text.as_bytes()).unwrap();
    let circumstances = Circumstances {
        accepted_recipients: accepted,
        all_recipients: accepted + 1,
        ..Circumstances::default()
    };
    let kind = FailureKind::Replied(reply);
    diagnose(&Outcome::Failed(Failure { stage, kind }), &circumstances).unwrap()
}

fn at_rcpt(text: &str) -> Diagnosis {
    read_at(Stage::Rcpt, text, 0)
}

#[test]
fn the_fifteen_codes_are_read_as_what_they_are() {
    use Cause as C;
    use Stage as S;
    for (stage, text, cause, scope) in [
        (
            S::Greeting,
            "421 4.3.2 Service not available",
            C::ServerNotAccepting,
            Scope::Destination,
        ),
        (
            S::Greeting,
            "421 mx.example.org Service not available, closing transmission channel",
            C::ServerBusy,
            Scope::Destination,
        ),
        (
            S::Greeting,
            "421 4.2.1 Service not available",
            C::ServerBusy,
            Scope::Destination,
        ),
        (
            S::Rcpt,
            "452 4.2.2 The email account that you tried to reach is over quota",
            C::MailboxFull,
            Scope::Recipient,
        ),
        (
            S::Rcpt,
            "422 Mailbox full",
            C::MailboxFull,
            Scope::Recipient,
        ),
        (
            S::Rcpt,
            "552 5.2.2 user over quota",
            C::MailboxFull,
            Scope::Recipient,
        ),
        (
            S::Mail,
            "452 4.3.1 Insufficient system storage",
            C::ServerFull,
            Scope::Destination,
        ),
        (
            S::Mail,
            "431 4.3.1 disk full",
            C::ServerFull,
            Scope::Destination,
        ),
        (
            S::Greeting,
            "432 4.3.2 The recipient's Exchange Server incoming mail queue has been stopped",
            C::ServerNotAccepting,
            Scope::Destination,
        ),
        (
            S::EndOfData,
            "554 5.4.6 Hop count exceeded - possible mail loop",
            C::RouteLoop,
            Scope::Message,
        ),
        (
            S::Rcpt,
            "450 4.2.0 <b@example.org>: Recipient address rejected: Greylisted",
            C::Greylisting,
            Scope::Recipient,
        ),
        (
            S::Rcpt,
            "450 Requested mail action not taken: mailbox is busy",
            C::MailboxBusy,
            Scope::Recipient,
        ),
        (
            S::EndOfData,
            "451 4.3.0 Requested action aborted: local error in processing",
            C::ServerError,
            Scope::Message,
        ),
        (
            S::Rcpt,
            "452 4.5.3 Error: too many recipients",
            C::TooManyRecipients,
            Scope::Message,
        ),
        (
            S::EndOfData,
            "465 4.6.5 code page unavailable",
            C::CharsetUnsupported,
            Scope::Message,
        ),
        (
            S::Rcpt,
            "471 4.7.1 Greylisting in action, please come back later",
            C::Greylisting,
            Scope::Recipient,
        ),
        (
            S::Rcpt,
            "450 4.7.1 Client host rejected: cannot find your reverse hostname, [192.0.2.1]",
            C::IdentityNoPtr,
            Scope::Destination,
        ),
    ] {
        let diagnosis = read_at(stage, text, 0);
        assert_eq!(
            (diagnosis.cause, diagnosis.scope),
            (cause, scope),
            "{text}: {diagnosis:#?}"
        );
        assert!(diagnosis.confidence >= 0.5, "{text}");
        assert!(!diagnosis.evidence.is_empty(), "{text}");
    }
}

#[test]
fn an_unknown_mailbox_is_dead_and_final() {
    let diagnosis = at_rcpt("550 5.1.1 <x@example.org>: Recipient address rejected: User unknown");
    assert_eq!(diagnosis.cause, Cause::MailboxUnknown);
    assert_eq!(diagnosis.finality, Finality::Permanent);
    assert_eq!(diagnosis.address_dead, AddressDead::True);
    assert!(diagnosis.confidence > 0.95);
    assert_eq!(diagnosis.reply, Some(550));
}

#[test]
fn a_cause_on_our_side_never_kills_the_address() {
    for text in [
        "550 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using zen.spamhaus.org",
        "554 5.7.1 <a@example.net>: Relay access denied",
        "550 5.7.26 Unauthenticated email is not accepted due to DMARC policy",
        "550 5.7.1 detected as spam",
        "530 5.7.0 Authentication required",
        "552 5.3.4 Message size exceeds fixed limit",
    ] {
        let diagnosis = at_rcpt(text);
        assert_eq!(diagnosis.address_dead, AddressDead::False, "{text}");
        assert_eq!(diagnosis.finality, Finality::Permanent, "{text}");
    }
}

#[test]
fn where_reply_and_status_disagree_the_reply_decides_on_finality_and_the_status_on_the_cause() {
    let diagnosis = at_rcpt("550 4.2.2 over quota");
    assert_eq!(diagnosis.cause, Cause::MailboxFull);
    assert_eq!(diagnosis.finality, Finality::Permanent);
    assert!(
        diagnosis
            .evidence
            .iter()
            .any(|e| e.text.contains("disagree")),
        "{diagnosis:#?}"
    );
    let diagnosis = at_rcpt("450 5.1.1 User unknown");
    assert_eq!(
        (diagnosis.cause, diagnosis.finality),
        (Cause::MailboxUnknown, Finality::Transient)
    );
    assert_eq!(
        diagnosis.address_dead,
        AddressDead::Unknown,
        "not for good: the reply says later"
    );
}

#[test]
fn words_outrank_weak_codes_and_do_not_outrank_strong_ones() {
    assert_eq!(
        at_rcpt("550 5.7.1 User unknown").cause,
        Cause::MailboxUnknown
    );
    assert_eq!(at_rcpt("450 4.7.1 Greylisted").cause, Cause::Greylisting);
    assert_eq!(
        at_rcpt("554 5.0.0 mailbox is full").cause,
        Cause::MailboxFull
    );
    let strong = at_rcpt("550 5.1.1 account inactive");
    assert_eq!(strong.cause, Cause::MailboxUnknown);
    assert!(
        strong
            .alternatives
            .iter()
            .any(|a| a.cause == Cause::MailboxDisabled)
    );
}

#[test]
fn too_many_recipients_needs_words_or_a_recipient_that_was_taken() {
    assert_eq!(
        read_at(Stage::Rcpt, "452 try later", 5).cause,
        Cause::TooManyRecipients
    );
    assert_eq!(
        read_at(Stage::Rcpt, "452 try later", 0).cause,
        Cause::ServerFull
    );
    let old = read_at(Stage::Rcpt, "552 too many recipients", 5);
    assert_eq!(
        (old.cause, old.finality),
        (Cause::TooManyRecipients, Finality::Transient)
    );
}

#[test]
fn the_wait_a_reply_asks_for_is_a_hint_with_its_place() {
    let diagnosis =
        at_rcpt("451-4.7.1 Greylisting in action\r\n451 4.7.1 please try again in 5 minutes\r\n");
    assert_eq!(
        diagnosis.hint,
        Some(Hint::RetryAfter(std::time::Duration::from_secs(300)))
    );
    let asked = diagnosis
        .evidence
        .iter()
        .find(|e| e.text == "5 minutes")
        .unwrap();
    let reply = Reply::parse(
        "x",
        b"451-4.7.1 Greylisting in action\r\n451 4.7.1 please try again in 5 minutes\r\n",
    )
    .unwrap();
    let (start, end) = asked.span.unwrap();
    assert_eq!(&reply.text()[start..end], "5 minutes");
}

#[test]
fn a_reply_that_says_nothing_is_not_guessed_at() {
    for text in ["499 zzz", "599 zzz", "498 zzz"] {
        let diagnosis = read_at(Stage::EndOfData, text, 1);
        assert_eq!(diagnosis.cause, Cause::CannotTell, "{text}");
        assert_eq!(diagnosis.reply, text[..3].parse().ok());
        assert_eq!(diagnosis.address_dead, AddressDead::Unknown);
    }
}

#[test]
fn any_reply_has_a_diagnosis_whose_evidence_lies_within_its_text() {
    for code in 400..600 {
        for words in [
            "",
            " 4.2.2 ü quota ünd mehr",
            " 5.7.1 Größe DNS spam greylisted 10 min",
            " \u{1F4E7} mailbox full",
        ] {
            for stage in [Stage::Greeting, Stage::Mail, Stage::Rcpt, Stage::EndOfData] {
                let text = format!("{code}{words}");
                let diagnosis = read_at(stage, &text, 0);
                let reply = Reply::parse("x", text.as_bytes()).unwrap();
                for evidence in diagnosis.evidence.iter().filter(|e| e.span.is_some()) {
                    let (start, end) = evidence.span.unwrap();
                    assert_eq!(
                        reply.text().get(start..end),
                        Some(evidence.text.as_str()),
                        "{text}"
                    );
                }
            }
        }
    }
}

#[test]
fn a_cause_with_a_name_outranks_a_refusal_without_one() {
    for (text, cause) in [
        (
            "554 5.7.1 Rejected by policy: message contains spam",
            Cause::ContentSpam,
        ),
        (
            "550 5.7.9 Message not accepted: header error",
            Cause::ContentMalformed,
        ),
        (
            "451 4.4.7 Message expired: connection refused",
            Cause::ConnectionRefused,
        ),
    ] {
        let diagnosis = at_rcpt(text);
        assert_eq!(diagnosis.cause, cause, "{text}: {diagnosis:#?}");
    }
    let expired = at_rcpt("451 4.4.7 Message expired: connection refused");
    assert!(
        expired
            .alternatives
            .iter()
            .any(|a| a.cause == Cause::QueueExpired)
    );
    assert_eq!(
        at_rcpt("554 5.4.7 Message expired").cause,
        Cause::QueueExpired
    );
}

#[test]
fn what_a_server_does_not_know_at_mail_is_the_sender() {
    let diagnosis = read_at(Stage::Mail, "550 5.1.1 User unknown", 0);
    assert_eq!(diagnosis.cause, Cause::SenderUnverified);
    assert_eq!(diagnosis.address_dead, AddressDead::False);
}

#[test]
fn an_unknown_user_after_the_whole_message_leaves_the_address_in_doubt() {
    let diagnosis = read_at(Stage::EndOfData, "550 5.1.1 User unknown", 1);
    assert_eq!(diagnosis.cause, Cause::MailboxUnknown);
    assert_eq!(diagnosis.address_dead, AddressDead::Unknown);
}

#[test]
fn the_limits_that_a_reply_names_are_typed() {
    use diagnosis::Limit;
    let diagnosis = at_rcpt("552 5.3.4 Message size exceeds fixed maximum message size (10485760)");
    assert_eq!(diagnosis.limits, [Limit::MessageBytes(10_485_760)]);
    let place = diagnosis.evidence.iter().find(|e| e.text == "10485760");
    assert!(place.is_some_and(|e| e.span.is_some()));
}
