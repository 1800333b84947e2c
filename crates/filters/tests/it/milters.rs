//! Milters: opendkim, and libmilter by way of Python.

use std::sync::Arc;

use filters::Milter;
use screening::{Codes, Conclusion, Edit, Field, Reason, Stage, Verdict};
use world::World;

use crate::stage::{Mail, chain, local, refused};

fn milter(port: u16) -> Milter {
    Milter {
        world: World::real(),
        peer: local(port),
    }
}

/// A milter that does what the address of the recipient or the subject says, and writes down what it
/// hears.
const SCRIPT: &str = r#"
import sys, Milter
class M(Milter.Base):
    def note(self, *what): print(*what, flush=True)
    def connect(self, name, family, address): self.note('connect', name, address[0], self.getsymval('j')); return Milter.CONTINUE
    def hello(self, name):
        self.note('helo', name, *[self.getsymval(m) for m in ('{tls_version}', '{cipher}', '{cipher_bits}')])
        return Milter.CONTINUE
    def envfrom(self, sender, *args):
        self.note('mail', sender, self.getsymval('{auth_type}'), self.getsymval('{auth_authen}'))
        self.subject, self.body_seen = '', b''
        if sender == '<accept@client.example>': return Milter.ACCEPT
        if sender == '<reject@client.example>': return Milter.REJECT
        return Milter.CONTINUE
    def envrcpt(self, to, *args):
        self.note('rcpt', to)
        if to.startswith('<own@'):
            self.setreply('553', '5.1.8', 'not', 'for', '100%% you'); return Milter.REJECT
        if to.startswith('<later@'): return Milter.TEMPFAIL
        return Milter.CONTINUE
    def header(self, name, value):
        self.note('header', name, repr(value))
        if name == 'Subject': self.subject = value.strip()
        return Milter.CONTINUE
    def eoh(self): self.note('eoh', self.getsymval('i')); return Milter.CONTINUE
    def body(self, piece): self.body_seen += piece; return Milter.CONTINUE
    def eom(self):
        self.note('eom', len(self.body_seen))
        s = self.subject
        if s == 'discard': return Milter.DISCARD
        if s == 'reject': return Milter.REJECT
        if s == 'hold': self.quarantine('looks odd')
        if s == 'change':
            self.progress()
            self.addheader('X-Last', 'one\n two')
            self.addheader('X-First', 'top', 0)
            self.chgheader('Subject', 0, 'changed')
            self.chgheader('X-Gone', 1, None)
            self.replacebody(b'another\nbody\r\n.\r\n')
            self.addrcpt('<carla@example.org>')
            self.delrcpt('<bert@example.org>')
            self.chgfrom('<bounce@client.example>')
        return Milter.CONTINUE
    def abort(self): self.note('abort'); return Milter.CONTINUE
Milter.factory = M
Milter.set_flags(Milter.CHGBODY | Milter.CHGHDRS | Milter.ADDHDRS | Milter.ADDRCPT | Milter.DELRCPT | Milter.CHGFROM | Milter.QUARANTINE)
Milter.runmilter('test', 'inet:%s@127.0.0.1' % sys.argv[1], 240)
"#;

async fn verdict(port: u16, sender: &str, to: &str, subject: &str) -> (Conclusion, String) {
    let text = format!("Subject: {subject}\r\nX-Gone: x\r\nX-Folded: a\r\n\tb\r\n\r\nbody\r\n");
    let mut mail = Mail::new(&text).await;
    mail.envelope.sender = sender.parse().unwrap();
    mail.envelope.recipients = vec![to.parse().unwrap()];
    let mut screening = chain(milter(port)).open();
    let conclusion = mail.through(&mut screening).await;
    let text = mail.text().await;
    (conclusion, text)
}

#[tokio::test]
async fn a_milter_of_libmilter_says_each_thing_and_hears_all_of_a_session() {
    let python = peers::Milter::python(SCRIPT).unwrap();
    let port = python.port;
    let (anna, bert) = ("anna@client.example", "bert@example.org");
    let (passed, text) = verdict(port, anna, bert, "plain").await;
    assert_eq!(passed.verdict, Ok(Verdict::Pass));
    assert!(text.starts_with("Subject: plain\r\n"));
    let log = python.log();
    for heard in [
        "connect [192.0.2.1] 192.0.2.1 relay.example",
        "helo client.example",
        "mail <anna@client.example>",
        "rcpt <bert@example.org>",
        "header Subject 'plain'",
        r"header X-Folded 'a\n\tb'",
        "eoh 0E1R",
        "eom 6",
    ] {
        let heard = heard.split(" 0E1R").next().unwrap();
        assert!(log.contains(heard), "{heard}: {log}");
    }
    let mut mail = Mail::new("Subject: plain\r\n\r\nbody\r\n").await;
    let mut screening = chain(milter(port)).open();
    mail.through(&mut screening).await;
    screening.forget();
    // STARTTLS, and the same name once more.
    mail.log_in_under_tls();
    mail.through(&mut screening).await;
    let log = python.log();
    for heard in [
        "helo client.example None None None",
        "mail <anna@client.example> None None",
        "helo client.example TLSv1.3 TLS_AES_256_GCM_SHA384 256",
        "mail <anna@client.example> SCRAM-SHA-256 anna",
    ] {
        assert!(log.contains(heard), "{heard}: {log}");
    }
    let (accepted, _) = verdict(port, "accept@client.example", "own@example.org", "reject").await;
    assert_eq!(accepted.verdict, Ok(Verdict::Pass));
    let (rejected, _) = verdict(port, "reject@client.example", bert, "x").await;
    assert!(
        matches!(rejected.verdict, Ok(Verdict::Reject(_))),
        "{rejected:?}"
    );
    let (own, _) = verdict(port, anna, "own@example.org", "x").await;
    let own = own.verdict.unwrap();
    assert_eq!(refused(&own).1, Codes::new(553, 1, 8));
    assert_eq!(refused(&own).0, &Reason::Said("not for 100% you".into()));
    let (later, _) = verdict(port, anna, "later@example.org", "x").await;
    assert!(matches!(later.verdict, Ok(Verdict::Defer(_))), "{later:?}");
    let (discarded, _) = verdict(port, anna, bert, "discard").await;
    assert!(
        matches!(discarded.verdict, Ok(Verdict::Discard(_))),
        "{discarded:?}"
    );
    let (rejected, _) = verdict(port, anna, bert, "reject").await;
    assert!(
        matches!(rejected.verdict, Ok(Verdict::Reject(_))),
        "{rejected:?}"
    );
    let (held, _) = verdict(port, anna, bert, "hold").await;
    let why = Reason::Said("looks odd".into());
    assert_eq!(held.verdict, Ok(Verdict::Hold(why)));
}

#[tokio::test]
async fn what_a_milter_changes_is_changed_in_header_body_and_envelope() {
    let python = peers::Milter::python(SCRIPT).unwrap();
    let (changed, text) = verdict(
        python.port,
        "anna@client.example",
        "bert@example.org",
        "change",
    )
    .await;
    assert_eq!(changed.verdict, Ok(Verdict::Pass), "{}", python.log());
    assert_eq!(
        text,
        "X-First: top\r\nSubject: changed\r\nX-Folded: a\r\n\tb\r\nX-Last: one\r\n two\r\n\r\n\
         another\r\nbody\r\n.\r\n"
    );
    let address = |text: &str| text.parse().unwrap();
    for edit in [
        Edit::AddRecipient(address("carla@example.org")),
        Edit::RemoveRecipient(address("bert@example.org")),
        Edit::Sender(address("bounce@client.example")),
    ] {
        assert!(changed.envelope.contains(&edit), "{edit:?}: {changed:?}");
    }
}

#[tokio::test]
async fn a_transaction_that_is_given_up_is_aborted_and_the_next_begins_anew() {
    let python = peers::Milter::python(SCRIPT).unwrap();
    let mut screening = chain(milter(python.port)).open();
    let mut mail = Mail::new("Subject: x\r\n\r\nx\r\n").await;
    for stage in [Stage::Connect, Stage::Helo, Stage::Mail] {
        let conclusion = screening.ask(mail.moment(stage), None).await;
        assert_eq!(conclusion.verdict, Ok(Verdict::Pass));
    }
    screening.forget();
    let conclusion = mail.through(&mut screening).await;
    assert_eq!(conclusion.verdict, Ok(Verdict::Pass));
    let log = python.log();
    assert_eq!(log.matches("connect ").count(), 1, "{log}");
    assert_eq!(log.matches("mail <").count(), 2, "{log}");
    assert!(log.find("abort") < log.rfind("mail <"), "{log}");
}

#[tokio::test]
async fn a_connection_that_is_opened_late_is_told_what_came_before() {
    let python = peers::Milter::python(SCRIPT).unwrap();
    let mut mail = Mail::new("Subject: x\r\n\r\nx\r\n").await;
    let mut screening = chain(milter(python.port)).open();
    let envelope = mail.envelope.clone();
    let moment = screening::Moment {
        stage: Stage::Content,
        hostname: "relay.example",
        client: &mail.client,
        envelope: Some(&envelope),
        recipient: None,
        message: None,
    };
    let conclusion = screening.ask(moment, Some(&mut mail.message)).await;
    assert_eq!(conclusion.verdict, Ok(Verdict::Pass), "{}", python.log());
    let log = python.log();
    for heard in ["connect", "helo", "mail <anna", "rcpt <bert", "eom 3"] {
        assert!(log.contains(heard), "{heard}: {log}");
    }
}

#[tokio::test]
async fn what_opendkim_signs_holds_byte_for_byte() {
    let signer = peers::Milter::opendkim_signer("client.example", "s1").unwrap();
    let text = "From: Anna <anna@client.example>\r\nSubject:  two  spaces\r\n\tfolded\r\n\
                Date: Tue, 24 Nov 2026 02:29:23 +0000\r\n\r\nbody  with   spaces \r\n\r\nend\r\n";
    let mut mail = Mail::new(text).await;
    // It signs for those it knows; loopback it does.
    mail.client = screening::Client {
        helo: Some("client.example".into()),
        ..screening::Client::new("127.0.0.1:4000".parse().unwrap())
    };
    let mut screening = chain(milter(signer.port)).open();
    let conclusion = mail.through(&mut screening).await;
    assert_eq!(conclusion.verdict, Ok(Verdict::Pass), "{}", signer.log());
    let signed = mail.text().await;
    assert!(signed.starts_with("DKIM-Signature:"), "{signed}");
    assert!(signed.ends_with(text), "{signed}");
    let resolver = Arc::new(dns::TableResolver::default());
    let key = dns::RecordData::Txt(signer.public_key().unwrap());
    resolver.set(
        "s1._domainkey.client.example",
        dns::RecordKind::Txt,
        Ok(vec![key]),
    );
    let verified = crate::authentication::verified(&mail, resolver).await;
    assert!(
        verified.contains("dkim=pass header.d=client.example header.s=s1"),
        "{verified}\n{signed}"
    );
}

#[test]
fn a_field_that_a_milter_gives_is_one_field() {
    let field = Field::new("X-A", "1\nBcc: x").unwrap();
    assert_eq!(field.raw(), &b"X-A: 1\r\n\tBcc: x\r\n"[..]);
}
