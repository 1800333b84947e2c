//! What clients say beside the addresses, who they say they are, and LMTP: what is kept and answered.

use std::process::{Command, Stdio};
use std::time::Duration;

use peers::{Client, Mail, Place, Postfix, tool, wait_until};
use serde_json::json;

use crate::stage::{Sink, postrider};

const CONTENT: &str = "From: anna@client.example\r\nSubject: hi\r\n\r\nhello\r\n";

fn python(sink: &Sink, script: &str) -> (bool, String) {
    let place = Place::new("client").unwrap();
    let authority = place.path().join("authority.pem");
    let (_, pem) = sink.ask("GET", "/authority", "");
    std::fs::write(&authority, pem).unwrap();
    let script = format!(
        "import smtplib, ssl, sys\nport = {}\ncontent = {CONTENT:?}\n\
         context = ssl.create_default_context(cafile={:?})\n{script}",
        sink.port(),
        authority.display().to_string(),
    );
    let output = Command::new(tool("python3").unwrap())
        .args(["-c", &script])
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    (output.status.success(), said)
}

#[test]
fn parameters_of_mail_and_rcpt_are_kept() {
    let sink = Sink::start(&[]);
    let (sent, said) = python(
        &sink,
        "server = smtplib.SMTP('localhost', port)
server.ehlo('client.example')
def say(line):
    code, reply = server.docmd(line)
    assert code == 250, (line, code, reply)
say('MAIL FROM:<anna@client.example> BODY=BINARYMIME SMTPUTF8 RET=HDRS ENVID=a+2Bb')
say('RCPT TO:<bert@dest.example> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;old+2Bbert@dest.example')
say('RCPT TO:<cora@dest.example>')
server.send(('BDAT %d LAST\\r\\n' % (len(content) + 2)).encode() + content.encode() + b'\\n\\0')
code, reply = server.getreply()
assert code == 250, (code, reply)
",
    );
    assert!(sent, "{said}");
    let message = &sink.messages()[0];
    let parameters = &message["parameters"];
    for (key, value) in [
        ("body", json!("BINARYMIME")),
        ("ret", json!("HDRS")),
        ("envid", json!("a+b")),
        ("require_tls", json!(false)),
    ] {
        assert_eq!(parameters[key], value, "{parameters}");
    }
    assert_eq!(
        (&message["smtputf8"], &message["protocol"]),
        (&json!(true), &json!("ESMTP"))
    );
    let bert = &message["recipients"][0];
    assert_eq!(bert["orcpt"], "rfc822;old+2Bbert@dest.example", "{message}");
    let notify = bert["notify"].as_str().unwrap();
    assert!(
        notify.contains("SUCCESS") && notify.contains("DELAY"),
        "{notify}"
    );
    assert_eq!(message["recipients"][1]["notify"], json!(null));
    let (_, raw) = sink.ask("GET", "/messages/1/raw", "");
    assert!(raw.ends_with("hello\r\n\n\0"), "{raw:?}");
}

#[test]
fn postfix_passes_what_a_sender_wants_to_hear_on_to_the_sink() {
    let sink = Sink::start(&[]);
    let postfix = Postfix::start(&format!("relayhost = [127.0.0.1]:{}\n", sink.port())).unwrap();
    let script = format!(
        "server = smtplib.SMTP('127.0.0.1', {})
server.sendmail('anna@client.example', ['bert@far.example'], content,
    ['RET=HDRS', 'ENVID=QQ314159'], ['NOTIFY=FAILURE,DELAY'])
",
        postfix.port
    );
    let (sent, said) = python(&sink, &script);
    assert!(sent, "{said}");
    let (status, body) = sink.ask("GET", "/messages/wait?timeout=60", "");
    assert_eq!(status, 200, "{body} {}", postfix.log());
    let message = &sink.messages()[0];
    assert_eq!(message["parameters"]["envid"], "QQ314159", "{message}");
    assert_eq!(message["parameters"]["ret"], "HDRS");
    let one = &message["recipients"][0];
    assert_eq!(one["orcpt"], "rfc822;bert@far.example", "{message}");
    assert!(one["notify"].as_str().unwrap().contains("FAILURE"));
}

#[test]
fn auth_takes_the_users_of_the_script_and_is_offered_under_tls_alone() {
    let sink = Sink::scenario("auth-required");
    let login = |how: &str, password: &str| {
        python(
            &sink,
            &format!(
                "server = smtplib.SMTP('localhost', port)\n{how}\nserver.login('anna', '{password}')\n\
                 server.sendmail('anna@client.example', ['bert@dest.example'], content)\n"
            ),
        )
    };
    let (sent, said) = login("", "secret");
    assert!(
        !sent && said.contains("SMTP AUTH extension not supported"),
        "{said}"
    );
    let (sent, said) = login("server.starttls(context=context)", "wrong");
    assert!(!sent && said.contains("535, b'5.7.8"), "{said}");
    let (sent, said) = login("server.starttls(context=context)", "secret");
    assert!(sent, "{said}");
    let (sent, said) = python(
        &sink,
        "server = smtplib.SMTP('localhost', port)
server.ehlo()
print(server.docmd('AUTH PLAIN AGFubmEAc2VjcmV0'))
server.sendmail('anna@client.example', ['bert@dest.example'], content)
",
    );
    assert!(
        !sent && said.contains("538") && said.contains("530"),
        "{said}"
    );
    let output = Command::new(tool("swaks").unwrap())
        .args(["--server", &format!("127.0.0.1:{}", sink.port()), "--tls"])
        .args([
            "--auth",
            "LOGIN",
            "--auth-user",
            "anna",
            "--auth-password",
            "secret",
        ])
        .args(["--from", "anna@client.example", "--to", "bert@dest.example"])
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let kept = sink.messages();
    assert_eq!(kept.len(), 2);
    assert!(kept.iter().all(|message| message["user"] == "anna"));
}

/// smtplib's own `sendmail` reads the first of the replies alone, and takes it for all recipients.
fn lmtp(to: &[&str]) -> String {
    format!(
        "server = smtplib.LMTP('localhost', port)
server.ehlo('client.example')
server.mail('anna@client.example')
to = {to:?}
for one in to:
    assert server.rcpt(one)[0] == 250
codes = [server.data(content)[0]] + [server.getreply()[0] for one in to[1:]]
print(codes)
"
    )
}

#[test]
fn lmtp_answers_each_recipient_and_postfix_comes_again_for_those_alone() {
    let sink = Sink::scenario("lmtp-one-full");
    let (sent, said) = python(
        &sink,
        &lmtp(&[
            "bert@dest.example",
            "full@dest.example",
            "cora@dest.example",
        ]),
    );
    assert!(sent && said.contains("[250, 452, 250]"), "{said}");
    let first = &sink.messages()[0];
    assert_eq!(
        first["to"],
        json!(["bert@dest.example", "cora@dest.example"])
    );
    assert_eq!(first["refused"], json!(["full@dest.example"]));
    assert_eq!(
        (&first["protocol"], &first["accepted"]),
        (&json!("LMTP"), &json!(true))
    );

    let postfix = Postfix::start(&format!(
        "transport_maps = inline:{{{{dest.example = lmtp:inet:[127.0.0.1]:{}}}}}\n\
         lmtp_destination_recipient_limit = 10\n",
        sink.port()
    ))
    .unwrap();
    let place = Place::new("client").unwrap();
    let mail = Mail {
        from: "anna@client.example",
        to: &[
            "bert@dest.example".to_owned(),
            "full@dest.example".to_owned(),
        ],
        content: CONTENT.as_bytes(),
    };
    Client::Smtplib
        .send(postfix.port, &mail, place.path(), postrider())
        .unwrap();
    let seen = wait_until(Duration::from_secs(60), || {
        let log = postfix.log();
        let has = |to: &str, words: &str| {
            let mut lines = log.lines().filter(|line| line.contains(to));
            lines.any(|line| line.contains(words))
        };
        (has("to=<bert@dest.example>", "status=sent")
            && has("to=<full@dest.example>", "said: 452 4.2.2"))
        .then_some(())
    });
    assert!(seen.is_some(), "{}", postfix.log());
    assert_eq!(sink.messages()[1]["to"], json!(["bert@dest.example"]));
    let sink = Sink::start(&["--lmtp"]);
    let (sent, said) = python(
        &sink,
        &lmtp(&["bert+452+end-of-data@dest.example", "cora@dest.example"]),
    );
    assert!(sent && said.contains("[452, 250]"), "{said}");
    assert_eq!(sink.messages()[0]["to"], json!(["cora@dest.example"]));
}
