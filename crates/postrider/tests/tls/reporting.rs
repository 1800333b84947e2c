//! Reports on TLS of our own: sessions with a real Postfix are counted, and the reports arrive there as
//! mail, signed, and at a web server (Python's) that is given them over HTTPS. Python reads them.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use peers::{Client, Mail, Named, Place, Postfix, Process, Relay, run, wait_until, with_crlf};
use serde_json::Value;

use crate::authority::{Authority, Pair};
use crate::mta_sts::{address, serve};

const PATIENCE: Duration = Duration::from_secs(60);
const BINARY: &str = env!("CARGO_BIN_EXE_postrider");

/// Serves policies by `Host`, and keeps what is posted: the head as JSON, the body as it came.
const WEB: &str = "
import http.server, json, os, ssl, sys
root = sys.argv[1]
class Handler(http.server.SimpleHTTPRequestHandler):
    def translate_path(self, path):
        host = os.path.basename(self.headers.get('Host', ''))
        return os.path.join(root, host, path.lstrip('/'))
    def do_POST(self):
        body = self.rfile.read(int(self.headers['Content-Length']))
        number = len([n for n in os.listdir(root) if n.endswith('.gz')])
        head = dict(self.headers.items(), path=self.path)
        open(os.path.join(root, 'posted%d.json' % number), 'w').write(json.dumps(head))
        open(os.path.join(root, 'posted%d.part' % number), 'wb').write(body)
        os.rename(os.path.join(root, 'posted%d.part' % number), os.path.join(root, 'posted%d.gz' % number))
        self.send_response(201)
        self.send_header('Content-Length', '0')
        self.end_headers()
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(sys.argv[3], sys.argv[4])
server = http.server.ThreadingHTTPServer((sys.argv[2], 443), Handler)
server.socket = context.wrap_socket(server.socket, server_side=True)
print('listening', flush=True)
server.serve_forever()
";

/// What Python finds in a mail with a report, by the standard's words alone.
const READER: &str = "
import email, email.policy, gzip, json, sys
mail = email.message_from_binary_file(open(sys.argv[1], 'rb'), policy=email.policy.default)
assert mail.get_content_type() == 'multipart/report', mail.get_content_type()
assert mail['Content-Type'].params['report-type'] == 'tlsrpt'
words, packed = mail.iter_parts()
assert words.get_content_type() == 'text/plain'
assert packed.get_content_type() == 'application/tlsrpt+gzip'
report = json.loads(gzip.decompress(packed.get_content()))
print(json.dumps({'report': report, 'file': packed.get_filename(), 'words': words.get_content(),
    'fields': {name.lower(): str(value) for name, value in mail.items()}}))
";

/// What dkimpy says of the signatures of a mail, with the keys that BIND has.
const VERIFIER: &str = r"
import subprocess, sys, dkim, re
def answer(name, timeout=5):
    asked = ['dig', '+short', '@127.0.0.1', '-p', sys.argv[2], 'TXT', name.decode()]
    said = subprocess.run(asked, capture_output=True, check=True).stdout
    return b''.join(re.findall(rb'\x22([^\x22]*)\x22', said)) or None
message = open(sys.argv[1], 'rb').read()
one = dkim.DKIM(message)
held = one.verify(dnsfunc=answer)
print(one.signature_fields[b'd'].decode(), held, one.signature_fields[b'h'].decode().lower())
";

const DOMAINS: [&str; 3] = ["good.example", "moved.example", "silent.example"];

fn web(place: &Place, address: &str, pair: &Pair) -> Process {
    let policies = [
        ("good.example", "enforce", "mx.good.example"),
        ("moved.example", "enforce", "mx.elsewhere.example"),
    ];
    serve(WEB, place, address, pair, &policies)
}

fn zone(domain: &str, web: &str) -> String {
    let common = "@ IN MX 10 mx\nmx IN A 127.0.0.1\n";
    let policy = format!("mta-sts IN A {web}\n_mta-sts IN TXT \"v=STSv1; id=1;\"\n");
    match domain {
        "good.example" => format!(
            "{common}{policy}_smtp._tls IN TXT \"v=TLSRPTv1; rua=mailto:reports@good.example\"\n"
        ),
        "moved.example" => format!(
            "{common}{policy}web IN A {web}\n_smtp._tls IN TXT \"v=TLSRPTv1;\" \
             \"rua=mailto:reports@moved.example,https://web.moved.example/v1/tlsrpt,mailto:r@broken.example\"\n"
        ),
        _ => common.to_owned(),
    }
}

/// What is listed, as scripts read it.
fn listed(relay: &Relay) -> Vec<Value> {
    let text = relay.ask(&["tls-reports", "--json"]).unwrap();
    let lines = text.lines().map(|line| serde_json::from_str(line).unwrap());
    lines.collect()
}

fn python(place: &Place, script: &str, arguments: &[&str]) -> String {
    let script = place.file("script.py", script).unwrap();
    // dkimpy is Debian's.
    run(Command::new("/usr/bin/python3").arg(script).args(arguments)).unwrap()
}

/// The mail about a domain that has arrived.
fn report_about(domain: &str, postfix: &Postfix) -> Option<Vec<u8>> {
    let field = format!("TLS-Report-Domain: {domain}\n");
    let all = postfix.maildir.messages().unwrap();
    let found: Vec<_> = all
        .into_iter()
        .filter(|mail| String::from_utf8_lossy(&mail.content).contains(&field))
        .collect();
    assert!(found.len() < 2, "it arrives once");
    found
        .into_iter()
        .next()
        .map(|mail| with_crlf(&mail.content))
}

/// Whether the report to the domain that does not answer waits where no policy holds it back.
fn waits_apart(relay: &Relay) -> bool {
    let rows = relay.recipients().unwrap();
    let waits = |row: &Value| {
        row["recipient"] == "r@broken.example"
            && row["state"] == "queued"
            && row["destination"] == "mx:broken.example!tls-optional"
    };
    rows.iter().any(waits)
}

fn explained(path: &Path) -> String {
    let mut command = Command::new(BINARY);
    let said = run(command.args(["explain", "--lang", "en"]).arg(path)).unwrap();
    said.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn who_wants_reports_gets_what_came_of_the_sessions_by_mail_and_https() {
    let (place, address) = (Place::new("tls-reporting").unwrap(), address(79));
    let authority = Authority::new(place.path());
    let hosts = ["mta-sts.good.example", "mta-sts.moved.example"];
    // Not for `web.moved.example`: that is no reason to keep a report back (RFC 8460 §3).
    let _web = web(&place, &address, &authority.issue_for("web", &hosts));
    let pair = authority.issue("postfix", "mx.good.example");
    let postfix = Postfix::start(&format!(
        "smtpd_tls_security_level = may\nsmtpd_tls_chain_files = {}, {}\n\
         virtual_mailbox_domains = {}\n",
        pair.key.display(),
        pair.chain.display(),
        DOMAINS.join(" "),
    ))
    .unwrap();
    let mut relay = Relay::prepare(Path::new(BINARY), "").unwrap();
    let own = relay.ask(&["dkim", "new", "relay.example"]).unwrap();
    let records: Vec<String> = DOMAINS.iter().map(|d| zone(d, &address)).collect();
    let zones = DOMAINS.iter().zip(&records).map(|(d, r)| (*d, r.as_str()));
    // Whose name servers do not answer: what goes there waits.
    let more = [("relay.example", own.as_str()), ("broken.example", "(")];
    let zones: Vec<_> = zones.chain(more).collect();
    let named = Named::start_zones(&zones).unwrap();
    relay
        .configure(&format!(
            "[dns]\nservers = [\"127.0.0.1:{}\"]\n[delivery]\nsmtp_port = {}\n\
             [checks]\nlive = false\n[tls]\nauthorities = [\"{}\"]\n[tls.reports]\n\
             organization = \"Our Relay\"\ncontact = \"postmaster@relay.example\"\n\
             from = \"tlsrpt@relay.example\"\n",
            named.port,
            postfix.port,
            authority.file.display()
        ))
        .unwrap();
    relay.run().unwrap();
    let to: Vec<String> = DOMAINS.iter().map(|d| format!("bert@{d}")).collect();
    let mail = Mail {
        from: "anna@client.example",
        to: &to,
        content: b"Subject: hello\r\n\r\nhello\r\n",
    };
    Client::Smtplib
        .send(relay.port, &mail, place.path(), Path::new(BINARY))
        .unwrap();
    relay.settled().unwrap();
    let gathered = wait_until(PATIENCE, || {
        Some(listed(&relay)).filter(|all| all.len() == DOMAINS.len())
    });
    let gathered = gathered.unwrap_or_else(|| panic!("{:?}\n{}", listed(&relay), relay.log()));
    let about = |all: &[Value], domain: &str| {
        let one = all.iter().find(|one| one["domain"] == domain);
        one.cloned().unwrap_or_default()
    };
    assert_eq!(about(&gathered, "good.example")["policies"][0]["good"], 1);
    assert_eq!(
        about(&gathered, "moved.example")["policies"][0]["failed"],
        1
    );
    let text = relay.ask(&["tls-reports", "--lang", "en"]).unwrap();
    assert!(text.contains("is being gathered"), "{text}");

    let said = relay.ask(&["tls-reports", "send", "--lang", "en"]).unwrap();
    assert!(said.starts_with("3 reports go now"), "{said}");
    let posted = place.path().join("web/posted0.gz");
    let arrived = wait_until(PATIENCE, || {
        let mails = ["good.example", "moved.example"].map(|d| report_about(d, &postfix));
        let [Some(good), Some(moved)] = mails else {
            return None;
        };
        posted.exists().then_some((good, moved))
    });
    let (good, moved) = arrived.unwrap_or_else(|| panic!("{}", relay.log()));

    for (domain, mail, results) in [
        ("good.example", &good, [1, 0]),
        ("moved.example", &moved, [0, 1]),
    ] {
        let path = place.path().join(format!("{domain}.eml"));
        std::fs::write(&path, mail).unwrap();
        let path = path.to_str().unwrap();
        let read: Value = serde_json::from_str(&python(&place, READER, &[path])).unwrap();
        let (report, fields) = (&read["report"], &read["fields"]);
        assert_eq!(report["organization-name"], "Our Relay");
        assert_eq!(report["contact-info"], "postmaster@relay.example");
        let policy = &report["policies"][0];
        assert_eq!(policy["policy"]["policy-type"], "sts", "{report}");
        assert_eq!(policy["policy"]["policy-domain"], domain);
        let lines = policy["policy"]["policy-string"].as_array().unwrap();
        assert!(lines.contains(&"mode: enforce".into()), "{report}");
        let summary = &policy["summary"];
        assert_eq!(summary["total-successful-session-count"], results[0]);
        assert_eq!(summary["total-failure-session-count"], results[1]);
        assert_eq!(fields["tls-report-submitter"], "relay.example");
        assert_eq!(fields["from"], "Our Relay <tlsrpt@relay.example>");
        let id = report["report-id"].as_str().unwrap();
        let subject = format!("Report Domain: {domain} Submitter: relay.example Report-ID: <{id}>");
        assert_eq!(fields["subject"], subject);
        let file = read["file"].as_str().unwrap();
        assert!(
            file.starts_with(&format!("relay.example!{domain}!")),
            "{file}"
        );
        let said = python(&place, VERIFIER, &[path, &named.port.to_string()]);
        assert!(said.starts_with("relay.example True"), "{said}");
        assert!(said.contains("tls-report-domain"), "{said}");
    }
    let path = place.path().join("moved.example.eml");
    let told = explained(&path);
    assert!(
        told.contains("TLS report by Our Relay about moved.example: 1 of 1 sessions were not as they should be"),
        "{told}"
    );
    assert!(
        told.contains("1 × validation-failure at mx.moved.example [127.0.0.1] from 127.0.0.1"),
        "{told}"
    );
    assert_eq!(explained(&posted), told, "it is the same report");
    let head = std::fs::read_to_string(posted.with_extension("json")).unwrap();
    let head: Value = serde_json::from_str(&head).unwrap();
    assert_eq!(head["content-type"], "application/tlsrpt+gzip");
    assert_eq!(head["path"], "/v1/tlsrpt");

    // Nobody counts the sessions of reports, and who wants none is forgotten.
    let over = |all: &Vec<Value>| {
        let posts = all.iter().flat_map(|one| one["posts"].as_array().unwrap());
        let sent = posts.filter(|post| post["state"] == "sent").count();
        all.len() == 2 && sent == 4 && all.iter().all(|one| one["end"].is_string())
    };
    let reached = wait_until(PATIENCE, || Some(listed(&relay)).filter(over));
    assert!(reached.is_some(), "{:?}\n{}", listed(&relay), relay.log());
    assert!(waits_apart(&relay));
    // Neither a crash nor the administrator's wish sends them again.
    relay.kill();
    relay.run().unwrap();
    assert!(waits_apart(&relay));
    let said = relay.ask(&["tls-reports", "send", "--lang", "en"]).unwrap();
    assert!(said.starts_with("Nothing was gathered"), "{said}");
    std::thread::sleep(Duration::from_secs(3));
    assert!(over(&listed(&relay)), "{:?}", listed(&relay));
    assert!(report_about("moved.example", &postfix).is_some());
    assert!(!posted.with_file_name("posted1.gz").exists());
}

#[test]
fn who_would_report_by_mail_without_a_signature_is_told_so() {
    let config = |domain: &str| {
        format!("[tls.reports]\norganization = \"Our Relay\"\ncontact = \"postmaster@{domain}\"\n")
    };
    let missing = "there is no DKIM key for the domain of `from` in [tls.reports]";
    let mut relay = Relay::start(Path::new(BINARY), &config("relay.example")).unwrap();
    assert!(relay.log().contains(missing), "{}", relay.log());
    relay.stop().unwrap();
    relay.ask(&["dkim", "new", "relay.example"]).unwrap();
    let before = relay.log().len();
    relay.run().unwrap();
    assert!(!relay.log()[before..].contains(missing), "{}", relay.log());
}

#[test]
fn without_reports_in_the_configuration_the_command_says_what_to_write() {
    let relay = Relay::start(Path::new(BINARY), "").unwrap();
    assert_eq!(relay.ask(&["tls-reports", "--json"]).unwrap(), "");
    let output = relay
        .command()
        .args(["tls-reports", "send"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("add [tls.reports]"), "{said}");
    let output = relay
        .command()
        .args(["tls-reports", "send", "--day", "yesterday"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
}
