//! Reports in words, as each kind of server writes them: who failed, with which codes, said by whom.

use diagnosis::Ended;
use readers::{Case, Intake, Kind, Note};

fn cases(mail: &str) -> Vec<Case> {
    let mut cases = Vec::new();
    let mut intake = Intake::new();
    intake.push(mail.as_bytes(), &mut cases);
    intake.finish(&mut cases);
    cases
}

/// A mail from a server to a sender.
fn report(from: &str, subject: &str, body: &str) -> String {
    format!(
        "Return-Path: <>\r\nFrom: {from}\r\nTo: sender@example.com\r\nSubject: {subject}\r\n\
         Date: Mon, 1 Jan 2024 12:00:00 +0000\r\n\r\n{}",
        body.replace('\n', "\r\n")
    )
}

/// `address reply status dialect`, `-` for what is not there.
fn shown(case: &Case) -> String {
    let or_dash = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
    format!(
        "{} {} {} {}",
        or_dash(case.recipient.clone()),
        or_dash(case.reply.map(|reply| reply.value.to_string())),
        or_dash(case.status.map(|status| status.value.to_string())),
        case.dialect.map_or("-", |dialect| dialect.id()),
    )
}

macro_rules! reports {
    ($($name:ident: $from:literal, $subject:literal, $body:literal => [$($expected:literal),*];)+) => {
        $(#[test]
        fn $name() {
            let mail = report($from, $subject, $body);
            let cases = cases(&mail);
            let found: Vec<String> = cases.iter().map(shown).collect();
            let expected: &[&str] = &[$($expected),*];
            assert_eq!(found, expected, "{cases:#?}");
            for case in &cases {
                assert_eq!(case.kind, Kind::Bounce);
                assert!(!case.words.is_empty());
                let (from, to) = case.words.origin((0, case.words.text().len())).unwrap();
                assert!(from < to && to <= mail.len());
            }
        })+
    };
}

reports! {
    qmail: "MAILER-DAEMON@mx.example.net", "failure notice",
        "Hi. This is the qmail-send program at mx.example.net.\nI'm afraid I wasn't able to deliver your message to the following addresses.\n\n<a@example.org>:\n192.0.2.1 does not like recipient.\nRemote host said: 550 5.1.1 no such mailbox\nGiving up on 192.0.2.1.\n\n<b@example.org>:\nThis user has too much mail. (#5.2.2)\n\n--- Below this line is a copy of the message.\n\nReturn-Path: <sender@example.com>\nSubject: to c@example.org\n"
        => ["a@example.org 550 5.1.1 qmail", "b@example.org - 5.2.2 qmail"];
    exim: "Mail Delivery System <Mailer-Daemon@mx.example.net>", "Mail delivery failed: returning message to sender",
        "This message was created automatically by mail delivery software.\n\nA message that you sent could not be delivered to one or more of its\nrecipients. This is a permanent error. The following address(es) failed:\n\n  a@example.org\n    host mx.example.org [192.0.2.1]\n    SMTP error from remote mail server after RCPT TO:<a@example.org>:\n    550 5.1.1 unknown user\n  b@example.org\n    (generated from list@example.com)\n    mailbox is full\n\n------ This is a copy of the message, including all the headers. ------\n\nReturn-path: <sender@example.com>\n"
        => ["a@example.org 550 5.1.1 exim", "b@example.org - - exim"];
    exim_with_a_hidden_address: "Mailer-Daemon@mx.example.net", "Mail delivery failed",
        "A message that you sent could not be delivered to all of its recipients.\nThe following address(es) failed:\n\n  an undisclosed address\n    (generated from a@example.org)\n    retry timeout exceeded\n"
        => ["a@example.org - - exim"];
    postfix: "MAILER-DAEMON@mx.example.net (Mail Delivery System)", "Undelivered Mail Returned to Sender",
        "This is the mail system at host mx.example.net.\n\nI'm sorry to have to inform you that your message could not\nbe delivered to one or more recipients.\n\n                   The mail system\n\n<a@example.org>: host mx.example.org[192.0.2.1] said: 452 4.2.2 Mailbox\n    full (in reply to RCPT TO command)\n\n<b@example.org>: Host or domain name not found. Name service error for\n    name=example.org type=A: Host not found\n"
        => ["a@example.org 452 4.2.2 postfix", "b@example.org - - postfix"];
    sendmail: "Mail Delivery Subsystem <MAILER-DAEMON@mx.example.net>", "Returned mail: see transcript for details",
        "The original message was received at Mon, 1 Jan 2024 12:00:00 GMT\nfrom pc.example.com [192.0.2.9]\n\n   ----- The following addresses had permanent fatal errors -----\n<a@example.org>\n    (reason: 550 5.1.1 no such user)\n\n   ----- Transcript of session follows -----\n... while talking to mx.example.org.:\n>>> AUTH PLAIN c2VjcmV0\n>>> RCPT To:<a@example.org>\n<<< 550 5.1.1 no such user\n550 5.1.1 <a@example.org>... User unknown\n"
        => ["a@example.org 550 5.1.1 sendmail"];
    sendmail_of_old: "MAILER-DAEMON@mx.example.net", "Returned mail: User unknown",
        "   ----- Transcript of session follows -----\nWhile talking to mx.example.org:\n>>> RCPT To:<a@example.org>\n<<< 550 no such user here\n554 <a@example.org>... 550 User unknown\n\n   ----- Unsent message follows -----\nReceived: by mx.example.net\n"
        => ["a@example.org 550 - sendmail"];
    exchange_of_old: "System Administrator <postmaster@example.net>", "Undeliverable: Hello",
        "Your message\n\n  To:      someone@example.net\n  Subject: Hello\n  Sent:    Mon, 1 Jan 2024 12:00:00 -0000\n\ndid not reach the following recipient(s):\n\na@example.org on Mon, 1 Jan 2024 12:00:00 -0000\n    The recipient name is not recognized\n    MSEXCH:IMS:Example:SITE:SERVER 0 (000C05A6) Unknown Recipient\n"
        => ["a@example.org - - exchange"];
    exchange_by_directory_name: "System Administrator <postmaster@example.net>", "Undeliverable: Hello",
        "Your message did not reach some or all of the intended recipients.\n\nThe following recipient(s) could not be reached:\n\nc=US;a= ;p=Example;o=Site;dda:SMTP=a@example.org; on Mon, 1 Jan 2024\n    The recipient name is not recognized\n"
        => ["a@example.org - - exchange"];
    microsoft_365: "postmaster@example.net", "Undeliverable: Hello",
        "Delivery has failed to these recipients or groups:\n\na@example.org\nThe email address wasn't found at the destination domain.\n\nDiagnostic information for administrators:\n\nGenerating server: AB1PR01.prod.example.net\n\na@example.org\nRemote Server returned '550 5.1.10 RESOLVER.ADR.RecipientNotFound; not found'\n\nOriginal message headers:\n\nReceived: from x\n"
        => ["a@example.org 550 5.1.10 microsoft-365"];
    google: "Mail Delivery Subsystem <mailer-daemon@googlemail.com>", "Delivery Status Notification (Failure)",
        "Delivery to the following recipient failed permanently:\n\n     a@example.org\n\nTechnical details of permanent failure:\nGoogle tried to deliver your message, but it was rejected by the server for the recipient domain example.org by mx.example.org. [192.0.2.1].\n\nThe error that the other server returned was:\n550 5.1.1 <a@example.org> unknown\n\n----- Original message -----\n\nReceived: by x\n"
        => ["a@example.org 550 5.1.1 google"];
    yahoo: "MAILER-DAEMON@yahoo.com", "Failure Notice",
        "Sorry, we were unable to deliver your message to the following address.\n\n<a@example.org>:\nRemote host said:\n552 5.2.2 over quota\n[RCPT_TO]\n\n--- Below this line is a copy of the message.\n\nReceived: from x\n"
        => ["a@example.org 552 5.2.2 yahoo"];
    gmx: "GMX Mailer Daemon <mailer-daemon@gmx.net>", "Mail delivery failed: returning message to sender",
        "This message was created automatically by mail delivery software.\n\nA message that you sent could not be delivered to one or more of\nits recipients. The following address failed:\n\n\"a@example.org\":\nSMTP error from remote server after RCPT command:\nhost: mx.example.org\n5.1.1 no such recipient\n\n--- The header of the original message is following. ---\n\nReceived: from x\n"
        => ["a@example.org - 5.1.1 gmx"];
    groupwise: "Mailer-Daemon@example.net", "Message status - undeliverable",
        "The attached file had the following undeliverable recipient(s):\n\n\ta@example.org\n\n   The user's mailbox is not known here\n"
        => ["a@example.org - - groupwise"];
    domino: "Postmaster@example.net", "DELIVERY FAILURE: User a (a@example.org) not listed",
        "Your message\n\n  Subject: Hello\n\nwas not delivered to:\n\n  a@example.org\n\nbecause:\n\n  User a (a@example.org) not listed in Domino Directory\n"
        => ["a@example.org - - domino"];
    courier: "Courier mail server at mx.example.net <postmaster@mx.example.net>", "NOTICE: mail delivery status.",
        "This is a delivery status notification from mx.example.net.\n\n  UNDELIVERABLE MAIL\n\nYour message to the following recipients cannot be delivered:\n\n<a@example.org>:\n    mx.example.org [192.0.2.1]:\n>>> RCPT TO:<a@example.org>\n<<< 550 5.1.1 unknown user\n"
        => ["a@example.org 550 5.1.1 courier"];
    james: "postmaster@example.net", "Re: Hello",
        "Hi. This is the James mail server at example.net.\nI'm afraid I wasn't able to deliver your message to the following addresses.\nThis is a permanent error; I've given up.\n\na@example.org\n\nError message below:\n550 - no such user here\n"
        => ["a@example.org 550 - qmail"];
    amazon_work_mail: "MAILER-DAEMON@eu-west-1.amazonses.com", "Delivery Status Notification (Failure)",
        "An error occurred while trying to deliver the mail to the following recipients:\na@example.org\n\nTechnical report:\n\nReporting-MTA: dsn; a1.example.net\n\nAction: failed\nFinal-Recipient: rfc822; a@example.org\nDiagnostic-Code: smtp; 550 5.2.2 mailbox full\nStatus: 5.2.2\n"
        => ["a@example.org 550 5.2.2 amazon-ses"];
    mdaemon: "MDaemon@example.net", "Permanent Delivery Failure",
        "The attached message had PERMANENT fatal delivery errors!\n\n  >> Failed address: a@example.org\n\n  --> RCPT To:<a@example.org>\n  <-- 550 5.1.1 no such user\n"
        => ["a@example.org 550 5.1.1 mdaemon"];
    mail_enable: "POSTMASTER@example.net", "Message Delivery Failure",
        "Message could not be delivered to some recipients.\nThe following recipient(s) could not be reached:\n\n\tRecipient: [SMTP:a@example.org]\n\tReason: Remote SMTP Server Returned: 550 mailbox unavailable\n"
        => ["a@example.org 550 - exchange"];
    imail: "Postmaster <postmaster@example.net>", "Undeliverable Mail",
        "User mailbox exceeds allowed size: a@example.org\n\nOriginal message follows.\n\nReceived: from x\n"
        => ["a@example.org - - -"];
    zoho: "mailer-daemon@mail.zoho.com", "Undelivered Mail Returned to Sender",
        "This message was created automatically by mail delivery software.\nA message that you sent could not be delivered to one or more of its recipients.\n\na@example.org Invalid Address, ERROR_CODE :550, ERROR_CODE :5.1.1 user unknown\n"
        => ["a@example.org 550 5.1.1 exim"];
    a_carrier: "Postmaster@ezweb.ne.jp", "Mail System Error - Returned Mail",
        "Your mail sent on Mon, 1 Jan 2024 12:00:00\nCould not be delivered to the following address\n\n<a@example.org>:\n>>> RCPT TO:<a@example.org>\n<<< 550 : User unknown\n"
        => ["a@example.org 550 - kddi"];
    a_mailing_list: "list-admin@example.net", "You are not member",
        "You are not a member of this mailing list <list@example.org>.\n"
        => ["list@example.org - - -"];
    a_sentence: "postmaster@example.net", "Delivery problem",
        "The message addressed to 'a@example.org' failed because it has not been collected.\n"
        => ["a@example.org - - -"];
    addresses_that_share_their_reason: "MAILER-DAEMON@example.net", "Undeliverable",
        "Could not deliver to:\n\na@example.org\nb@example.org\n\nThe mailbox is disabled: 550 5.2.1\n"
        => ["a@example.org 550 5.2.1 -", "b@example.org 550 5.2.1 -"];
    another_language: "MAILER-DAEMON@example.net", "返送",
        "次の宛先に届きませんでした。\n\n<a@example.org>:\n\n<b@example.org>:\n"
        => ["a@example.org - - -", "b@example.org - - -"];
}

#[test]
fn secrets_of_a_transcript_are_not_kept() {
    let mail = report(
        "MAILER-DAEMON@example.net",
        "Returned mail",
        "   ----- Transcript of session follows -----\n>>> AUTH PLAIN c2VjcmV0\n<<< 535 no\n>>> AUTH LOGIN\n334 VXNlcm5hbWU6\n550 <a@example.org>... refused\n",
    );
    let found = cases(&mail);
    assert!(!found.is_empty());
    assert!(
        found
            .iter()
            .all(|case| !case.words.text().contains("c2VjcmV0"))
    );
}

#[test]
fn what_is_no_failure_gives_no_case() {
    for (from, subject, body) in [
        (
            "Jan <jan@example.org>",
            "Lunch",
            "I could not reach you at a@example.org. 550 euros!\n",
        ),
        (
            "Jan <jan@example.org>",
            "Re: Hello",
            "It failed for <a@example.org>: 550 unknown user.\n",
        ),
    ] {
        let mail = report(from, subject, body).replace("Return-Path: <>\r\n", "Received: x\r\n");
        assert!(cases(&mail).is_empty(), "{subject}");
    }
    let vacation = report(
        "Jan <jan@example.org>",
        "Out of office: problem",
        "I am away. Mail to a@example.org fails.\n",
    )
    .replace("Subject:", "Auto-Submitted: auto-replied\r\nSubject:");
    assert!(cases(&vacation).is_empty());
}

#[test]
fn a_delay_notice_is_still_being_tried() {
    let mail = report(
        "MAILER-DAEMON@example.net",
        "Warning: message delayed 24 hours",
        "A message that you sent has not yet been delivered to one or more of its\nrecipients after more than 24 hours.\n\n  a@example.org\n    Delay reason: 450 4.7.1 try later\n\nNo action is required on your part.\n",
    );
    let found = cases(&mail);
    assert_eq!(found[0].ended, Some(Ended::StillTrying));
    assert!(found[0].notes.contains(&Note::DelayNotice));
}

#[test]
fn the_words_for_each_recipient_are_its_own() {
    let mail = report(
        "MAILER-DAEMON@example.net",
        "failure notice",
        "Hi. This is the qmail-send program at example.net.\n\n<a@example.org>:\nno such user (#5.1.1)\n\n<b@example.org>:\ntoo much mail (#5.2.2)\n",
    );
    let found = cases(&mail);
    assert_eq!(found[0].words.text(), "no such user (#5.1.1)");
    assert_eq!(found[1].words.text(), "too much mail (#5.2.2)");
}

#[test]
fn a_pasted_body_is_read_like_the_mail_that_it_came_from() {
    let body = "<a@example.org>: host mx.example.org[192.0.2.1] said: 550 5.1.1 User unknown\n    (in reply to RCPT TO command)\n\n<b@example.org>: host mx.example.org[192.0.2.1] said: 552 5.2.2 mailbox full\n    (in reply to RCPT TO command)\n";
    let found: Vec<String> = cases(body).iter().map(shown).collect();
    assert_eq!(
        found,
        ["a@example.org 550 5.1.1 -", "b@example.org 552 5.2.2 -"]
    );
    let one = cases("550 5.1.1 <a@example.org>: user unknown");
    assert_eq!((one.len(), one[0].kind), (1, Kind::Reply));
}

/// The words of the only case of a report of a server.
fn words(body: &str) -> (Option<String>, Option<String>, String) {
    let mail = report("MAILER-DAEMON@mx.example.net", "Undelivered mail", body);
    let cases = cases(&mail);
    assert_eq!(cases.len(), 1, "{cases:#?}");
    let case = &cases[0];
    let words = case.words.text().to_owned();
    (
        case.recipient.clone(),
        case.original_recipient.clone(),
        words,
    )
}

#[test]
fn the_reason_is_in_the_paragraph_after_the_one_that_announces_it() {
    let (recipient, _, said) = words(
        "This is the DragonFly Mail Agent v0.13 at mx.example.net.\n\n\
         There was an error delivering your mail to <a@example.org>.\n\n\
         DNS lookup failure: host example.org not found\n\nMessage headers follow.\n\nSubject: x\n",
    );
    assert_eq!(recipient.as_deref(), Some("a@example.org"));
    assert!(said.contains("DNS lookup failure"), "{said}");
    let (_, _, said) = words(
        "A message that you sent could not be delivered.\n\nThe following address failed:\n\n\
         a@example.org\n\nFor the following reason:\n\nThe message is larger than we take.\n",
    );
    assert!(said.contains("larger than we take"), "{said}");
}

#[test]
fn a_list_of_what_a_message_was_is_not_what_was_said_of_it() {
    let (recipient, _, said) = words(
        "Error message below:\n550 - there is nobody of that name\n\nMessage details:\n  \
         Subject: x\n  MAIL FROM: sender@example.com\n  RCPT TO: a@example.org\n  Size (in bytes): 7\n",
    );
    assert_eq!(recipient.as_deref(), Some("a@example.org"));
    assert!(said.contains("nobody of that name"), "{said}");
}

#[test]
fn an_address_in_advice_is_no_recipient() {
    for advice in [
        "If it fails, try\nb@example.org instead.",
        "Send a mail with the word help to the address\n\n    b@example.org\n",
    ] {
        let (recipient, _, _) = words(&format!(
            "Your message to <a@example.org> could not be delivered: no such user.\n\n{advice}\n"
        ));
        assert_eq!(recipient.as_deref(), Some("a@example.org"), "{advice}");
    }
}

#[test]
fn the_address_written_to_is_told_beside_the_one_that_failed() {
    let (recipient, original, _) = words(
        "Sorry, unable to deliver your message to list@example.com for\nthe following reason:\n\n \
         552 Quota violation for a@example.org\n",
    );
    assert_eq!(recipient.as_deref(), Some("a@example.org"));
    assert_eq!(original.as_deref(), Some("list@example.com"));
}

#[test]
fn words_of_a_repeated_recipient_go_on() {
    let (_, _, said) = words(
        "   ----- The following addresses had permanent fatal errors -----\n<a@example.org>\n\n   \
         ----- Transcript of session follows -----\n451 reply: read error from mx.example.org.\n\
         <a@example.org>... Deferred: Connection timed out with mx.example.org.\n",
    );
    assert!(said.contains("timed out"), "{said}");
}
