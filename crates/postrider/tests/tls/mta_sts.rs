//! MTA-STS with a real web server (Python's) and a Postfix that is as its domains' policies say, or
//! not.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use peers::{Client, Mail, Named, Place, Process, Relay, tool, wait_until};

use crate::authority::{Authority, Pair};

const PATIENCE: Duration = Duration::from_secs(60);
const BINARY: &str = env!("CARGO_BIN_EXE_postrider");

/// Serves `HOST/.well-known/…` of its directory over TLS.
const WEB: &str = "
import http.server, os, ssl, sys
class Handler(http.server.SimpleHTTPRequestHandler):
    def translate_path(self, path):
        host = os.path.basename(self.headers.get('Host', ''))
        return os.path.join(sys.argv[1], host, path.lstrip('/'))
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(sys.argv[3], sys.argv[4])
server = http.server.ThreadingHTTPServer((sys.argv[2], 443), Handler)
server.socket = context.wrap_socket(server.socket, server_side=True)
print('listening', flush=True)
server.serve_forever()
";

/// A domain, its policy, and what comes of mail to it.
struct Case {
    domain: &'static str,
    mode: &'static str,
    /// The exchanger that the policy names.
    mx: &'static str,
    delivered: bool,
    /// What the story says.
    told: &'static str,
}

const CASES: [Case; 4] = [
    Case {
        domain: "good.example",
        mode: "enforce",
        mx: "*.good.example",
        delivered: true,
        told: "an authority vouches for mx.good.example",
    },
    Case {
        domain: "moved.example",
        mode: "enforce",
        mx: "mx.elsewhere.example",
        delivered: false,
        told: "the domain's policy of MTA-STS does not name this server; MTA-STS of moved.example, \
               id 1, mode enforce, mx mx.elsewhere.example",
    },
    Case {
        domain: "renamed.example",
        mode: "enforce",
        mx: "mx.renamed.example",
        delivered: false,
        told: "the certificate is for mx.good.example, not for mx.renamed.example; \
               certificate: subject",
    },
    Case {
        domain: "testing.example",
        mode: "testing",
        mx: "mx.elsewhere.example",
        delivered: true,
        told: "who the server is was not demanded",
    },
];

/// An address of loopback that no other test has, by a number of its own: HTTPS has its port.
pub(crate) fn address(number: u8) -> String {
    let [.., high, low] = std::process::id().to_be_bytes();
    format!("127.{number}.{high}.{low}")
}

/// Serves policies: domain, mode, and the exchanger that is named.
pub(crate) fn web(
    place: &Place,
    address: &str,
    pair: &Pair,
    policies: &[(&str, &str, &str)],
) -> Process {
    serve(WEB, place, address, pair, policies)
}

/// The same with a server of one's own, a script in Python that says `listening`.
pub(crate) fn serve(
    script: &str,
    place: &Place,
    address: &str,
    pair: &Pair,
    policies: &[(&str, &str, &str)],
) -> Process {
    let root = place.path().join("web");
    for (domain, mode, mx) in policies {
        let directory = root.join(format!("mta-sts.{domain}/.well-known"));
        std::fs::create_dir_all(&directory).unwrap();
        let policy = format!("version: STSv1\r\nmode: {mode}\r\nmx: {mx}\r\nmax_age: 86400\r\n");
        std::fs::write(directory.join("mta-sts.txt"), policy).unwrap();
    }
    let script = place.file("web.py", script).unwrap();
    let mut command = Command::new(tool("python3").unwrap());
    command
        .arg(script)
        .arg(&root)
        .arg(address)
        .arg(&pair.chain)
        .arg(&pair.key);
    let log = place.path().join("web.log");
    let process = Process::start("web.py", &mut command, &log).unwrap();
    let said = || std::fs::read_to_string(&log).unwrap_or_default();
    let there = wait_until(PATIENCE, || said().contains("listening").then_some(()));
    assert!(there.is_some(), "{}", said());
    process
}

fn send(relay: &Relay, place: &Place) -> Vec<(String, String, String)> {
    let to: Vec<String> = CASES.iter().map(|c| format!("bert@{}", c.domain)).collect();
    let mail = Mail {
        from: "anna@client.example",
        to: &to,
        content: b"Subject: secret\r\n\r\nhello\r\n",
    };
    let sent = Client::Smtplib.send(relay.port, &mail, place.path(), Path::new(BINARY));
    sent.unwrap();
    let text =
        |row: &serde_json::Value, key: &str| row[key].as_str().unwrap_or_default().to_owned();
    let rows = relay.settled().unwrap();
    let rows = rows
        .iter()
        .map(|row| (text(row, "id"), text(row, "recipient"), text(row, "state")));
    rows.collect()
}

#[test]
fn servers_are_held_to_the_policies_of_their_domains_even_when_nobody_tells_them_any_more() {
    let (place, address) = (Place::new("mta-sts").unwrap(), address(77));
    let authority = Authority::new(place.path());
    let hosts: Vec<String> = CASES
        .iter()
        .map(|c| format!("mta-sts.{}", c.domain))
        .collect();
    let hosts: Vec<&str> = hosts.iter().map(String::as_str).collect();
    let policies: Vec<_> = CASES.iter().map(|c| (c.domain, c.mode, c.mx)).collect();
    let of_web = authority.issue_for("web", &hosts);
    let web = web(&place, &address, &of_web, &policies);
    let pair = authority.issue("postfix", "mx.good.example");
    let domains: Vec<&str> = CASES.iter().map(|case| case.domain).collect();
    let postfix = pair.postfix(&domains);
    let records = format!(
        "@ IN MX 10 mx\nmx IN A 127.0.0.1\nmta-sts IN A {address}\n\
         _mta-sts IN TXT \"v=STSv1; id=1;\"\n"
    );
    let zones: Vec<(&str, &str)> = domains.iter().map(|d| (*d, records.as_str())).collect();
    let named = Named::start_zones(&zones).unwrap();
    let config = |named: &Named| {
        format!(
            "[dns]\nservers = [\"127.0.0.1:{}\"]\n[delivery]\nsmtp_port = {}\n\
             [checks]\nlive = false\n[tls]\nauthorities = [\"{}\"]\n",
            named.port,
            postfix.port,
            authority.file.display()
        )
    };
    let mut relay = Relay::start(Path::new(BINARY), &config(&named)).unwrap();
    let rows = send(&relay, &place);
    assert_eq!(rows.len(), CASES.len());
    let story = relay.ask(&["queue", "show", "--lang", "en", &rows[0].0]);
    let story = story.unwrap();
    let story = story.split_whitespace().collect::<Vec<_>>().join(" ");
    for case in &CASES {
        let recipient = format!("bert@{}", case.domain);
        let row = rows.iter().find(|row| row.1 == recipient).unwrap();
        let state = if case.delivered {
            "delivered"
        } else {
            "queued"
        };
        assert_eq!(row.2, state, "{}: {story}\n{}", case.domain, relay.log());
        assert!(story.contains(case.told), "{}: {story}", case.domain);
    }
    assert!(story.contains("tls.mta-sts"), "{story}");

    // Who suppresses the policy in the meantime does not end it.
    relay.stop().unwrap();
    web.kill();
    drop(named);
    let zones: Vec<(&str, &str)> = domains
        .iter()
        .map(|d| (*d, "@ IN MX 10 mx\nmx IN A 127.0.0.1\n"))
        .collect();
    let named = Named::start_zones(&zones).unwrap();
    relay.configure(&config(&named)).unwrap();
    relay.run().unwrap();
    relay.ask(&["queue", "retry", &rows[0].0]).unwrap();
    let again = |rows: &[serde_json::Value]| {
        let waits = |row: &&serde_json::Value| row["state"] != "delivered";
        let twice = |row: &serde_json::Value| row["state"] == "queued" && row["attempts"] == 2;
        rows.iter().filter(waits).all(twice)
    };
    let kept = relay.wait(PATIENCE, again).unwrap();
    let causes = kept.iter().filter(|row| row["cause"] == "tls.mta-sts");
    assert_eq!(causes.count(), 2, "{kept:?}\n{}", relay.log());
}
