//! What the client says beside the addresses, and to whom.

#![allow(missing_docs, clippy::unwrap_used)]

use smtp::Address;
use smtp::client::{Connection, Envelope, Protocol, Recipient, Settings, Unfit};
use smtp::envelope::{
    BodyKind, DeliverBy, EnvelopeId, MailParams, Notify, OriginalRecipient, Priority, RcptParams,
    Return,
};

/// A connection to a server that announces this, one keyword a word.
fn ready(protocol: Protocol, keywords: &str) -> Connection {
    let mut connection = Connection::new(Settings::new("me.test", "peer", protocol));
    connection.receive(b"220 hi\r\n250-hi\r\n");
    for keyword in keywords.split(',').filter(|k| !k.is_empty()) {
        connection.receive(format!("250-{keyword}\r\n").as_bytes());
    }
    connection.receive(b"250 PIPELINING\r\n");
    while connection.poll().unwrap().is_some() {}
    connection.sent();
    connection
}

fn envelope(params: MailParams) -> Envelope {
    Envelope {
        sender: "a@b".parse().unwrap(),
        recipients: vec![Recipient {
            address: "c@d".parse().unwrap(),
            params: RcptParams {
                notify: Notify::parse("SUCCESS,FAILURE"),
                original: OriginalRecipient::parse("utf-8;d\u{f6}rte@d"),
            },
        }],
        size: 20,
        params,
    }
}

fn said(keywords: &str, params: MailParams) -> Result<String, Unfit> {
    let mut connection = ready(Protocol::Smtp, keywords);
    connection.begin(envelope(params))?;
    let text = String::from_utf8(connection.output().to_vec()).unwrap();
    Ok(text
        .lines()
        .filter(|line| *line != "DATA")
        .collect::<Vec<_>>()
        .join(" / "))
}

fn everything() -> MailParams {
    MailParams {
        ret: Some(Return::Full),
        envelope_id: EnvelopeId::parse("QQ+20314159"),
        priority: Priority::new(-2),
        deliver_by: DeliverBy::parse("60;N"),
        submitter: Some("anna+x@b".parse::<Address>().unwrap()),
        ..MailParams::default()
    }
}

#[test]
fn what_the_server_announces_is_passed_on_and_the_rest_is_left_out() {
    assert_eq!(
        said("", everything()).unwrap(),
        "MAIL FROM:<a@b> / RCPT TO:<c@d>"
    );
    assert_eq!(
        said("DSN,MT-PRIORITY,DELIVERBY 30,AUTH PLAIN", everything()).unwrap(),
        "MAIL FROM:<a@b> RET=FULL ENVID=QQ+20314159 BY=60;N MT-PRIORITY=-2 AUTH=anna+2Bx@b / \
         RCPT TO:<c@d> NOTIFY=SUCCESS,FAILURE ORCPT=utf-8;d\\x{F6}rte@d"
    );
    // The server needs more time than is left.
    assert_eq!(
        said("DELIVERBY 61", everything()).unwrap(),
        "MAIL FROM:<a@b> / RCPT TO:<c@d>"
    );
}

#[test]
fn what_must_go_back_in_time_goes_only_to_who_promises_the_time() {
    let by = MailParams {
        deliver_by: DeliverBy::parse("60;R"),
        ..MailParams::default()
    };
    assert!(
        said("DELIVERBY", by.clone())
            .unwrap()
            .starts_with("MAIL FROM:<a@b> BY=60;R")
    );
    for keywords in ["", "DELIVERBY 61"] {
        assert_eq!(
            said(keywords, by.clone()),
            Err(Unfit::DeliverBy { seconds: 60 })
        );
    }
    assert!(ready(Protocol::Lmtp, "").begin(envelope(by)).is_ok());
}

#[test]
fn what_requires_tls_goes_only_to_who_requires_it_too() {
    let require_tls = MailParams {
        require_tls: true,
        ..MailParams::default()
    };
    assert_eq!(
        said("STARTTLS", require_tls.clone()),
        Err(Unfit::RequireTls)
    );
    assert!(
        said("REQUIRETLS", require_tls)
            .unwrap()
            .starts_with("MAIL FROM:<a@b> REQUIRETLS")
    );
}

#[test]
fn binary_content_goes_in_chunks_to_who_takes_it() {
    let binary = || MailParams {
        body: BodyKind::Binary,
        ..MailParams::default()
    };
    for keywords in ["BINARYMIME", "CHUNKING,8BITMIME", ""] {
        assert_eq!(said(keywords, binary()), Err(Unfit::Binary), "{keywords}");
    }
    assert!(
        ready(Protocol::Lmtp, "BINARYMIME,CHUNKING")
            .begin(envelope(binary()))
            .is_err()
    );
    let mut connection = ready(Protocol::Smtp, "BINARYMIME,CHUNKING");
    connection.begin(envelope(binary())).unwrap();
    assert!(
        connection
            .output()
            .starts_with(b"MAIL FROM:<a@b> BODY=BINARYMIME\r\n")
    );
    connection.sent();
    connection.receive(b"250 ok\r\n250 ok\r\n");
    while connection.poll().unwrap().is_some() {}
    connection.content(b"\0\n.\n");
    connection.content_end();
    assert_eq!(connection.output(), b"BDAT 4\r\n\0\n.\nBDAT 0 LAST\r\n");
}
