//! Configuration files, good and bad, and what is said about them.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::path::Path;
use std::time::Duration;

use config::{Config, Errors, Language, LogFormat, LogLevel};

use common::{good, said};

#[test]
fn an_empty_file_gives_the_defaults() {
    assert_eq!(good(""), Config::default());
    let config = Config::default();
    assert_eq!(config.listen.smtp[0].to_string(), "127.0.0.1:2525");
    assert_eq!(config.queue.lifetime, Duration::from_secs(432_000));
    assert!(
        config
            .relay
            .networks
            .iter()
            .all(|n| n.address.is_loopback())
    );
}

const FULL: &str = r#"
[server]
hostname = "relay.example.org"
[listen]
smtp = ["127.0.0.1:0", "[::1]:2525"]
smtps = ["127.0.0.1:4650"]
submissions = ["127.0.0.1:4651"]
submission = ["127.0.0.1:5870"]
lmtp = ["127.0.0.1:24", "unix:/run/lmtp"]
[listen.trusted]
xclient = ["192.0.2.1/32"]
proxy = ["192.0.2.2/32"]
[auth]
users = "/etc/users"
allow_plaintext = []
failures = "3/1m"
[submission]
domain = "office.example"
check_from = false
show_client = false
[submission.senders]
"bert" = ["@sales.example", "info@office.example"]
"*" = ["*"]
[relay]
networks = ["10.0.0.0/8", "192.0.2.7", "2001:db8::/32"]
[[route]]
sender = "news.example"
header = { name = "X-Stream", value = "bulk" }
to = "mx"
name = "bulk"
source = ["192.0.2.7", "2001:db8::7"]
helo = "bulk.example"
[[route]]
sender = "<>"
recipient = ".example.com"
to = "pipe:/usr/lib/dovecot/deliver -d {recipient}"
[routes]
"smart.example" = { to = "smtp://smart.example:587", user = "anna", password_file = "/etc/secret", unencrypted = true }
"example.org" = "smtp://127.0.0.1:2600"
".example.org" = "lmtp://localhost:24"
"box.example" = "maildir:/var/mail/box"
"*" = "mx"
[queue]
lifetime = "4h"
report_lifetime = "1d"
retention = "90m"
[limits]
message_size = 1048576
recipients = 500
connections = 10
connections_per_client = 5
connections_per_network = 8
connection_rate = "60/1m"
message_rate = "1000/1h"
recipient_rate = "5000/1d"
network_connection_rate = "600/1m"
network_message_rate = "none"
network_recipient_rate = "1/500ms"
uncounted = []
hops = 30
own_hops = 2
min_free = "64 KiB"
min_inodes = 0
min_memory = "1 MiB"
max_resident = "2 GiB"
margin = 10
[limits.destination."example.org"]
sessions = 2
rate = "60/1m"
[limits.destination."smtp://127.0.0.1:2600"]
rate = "none"
[limits.provider."google.com"]
sessions = 8
[greylisting]
enabled = true
delay = "1m"
window = "4h"
keep = "90d"
auto_allow = 0
exempt = ["192.0.2.0/24"]
[maildir]
quota = "1 GiB"
quota_messages = 10000
[delivery]
smtp_port = 2525
tls = "required"
connect_timeout = "500ms"
sessions = 7
sessions_per_destination = 3
sessions_per_provider = 9
recipients_per_transaction = 50
messages_per_connection = 9
idle = "0s"
[tls]
handshake_timeout = "5s"
authorities = ["/etc/ssl/ours.pem"]
[[tls.certificate]]
chain = "/etc/ssl/a.pem"
key = "/etc/ssl/a.key"
[[tls.certificate]]
chain = "/etc/ssl/both.pem"
[tls.reports]
organization = "Example, Ltd"
contact = "postmaster@example.org"
[tls.policy."example.org"]
level = "verify"
names = ["mx.example.net"]
[tls.policy."example.net"]
level = "fingerprint"
fingerprints = ["00:11:22:33:44:55:66:77:88:99:aa:bb:cc:dd:ee:ff:00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF"]
[dns]
servers = ["127.0.0.1:5353"]
[log]
format = "json"
level = "debug"
[explain]
language = "nl"
"#;

#[test]
fn every_key_is_read() {
    let config = good(FULL);
    assert_eq!(config.server.hostname.as_deref(), Some("relay.example.org"));
    assert_eq!(config.listen.smtp.len(), 2);
    assert_eq!(config.relay.networks[1].to_string(), "192.0.2.7/32");
    let doors = &config.listen.doors;
    assert_eq!(doors.submission[0].to_string(), "127.0.0.1:5870");
    let lmtp: Vec<String> = doors.lmtp.iter().map(ToString::to_string).collect();
    assert_eq!(lmtp, ["127.0.0.1:24", "unix:/run/lmtp"]);
    assert_eq!(doors.xclient[0].to_string(), "192.0.2.1/32");
    assert_eq!(doors.proxy[0].to_string(), "192.0.2.2/32");
    assert_eq!(config.auth.users.as_deref(), Some(Path::new("/etc/users")));
    assert!(config.auth.allow_plaintext.is_empty());
    assert_eq!(config.auth.failures.map(|rate| rate.count), Some(3));
    let submission = &config.submission;
    assert_eq!(submission.domain.as_deref(), Some("office.example"));
    assert!(!submission.check_from && !submission.show_client);
    assert_eq!(
        submission.senders[0].1,
        ["@sales.example", "info@office.example"]
    );
    assert_eq!(
        config.routes.next_hop("example.org").to_string(),
        "smtp://127.0.0.1:2600"
    );
    assert_eq!(
        config.routes.next_hop("a.example.org").to_string(),
        "lmtp://localhost:24"
    );
    assert_eq!(config.routes.next_hop("else.example").to_string(), "mx");
    assert_eq!(config.queue.lifetime, Duration::from_secs(4 * 3600));
    assert_eq!(
        (config.limits.message_size, config.limits.min_free),
        (1 << 20, 64 << 10)
    );
    assert_eq!(config.delivery.connect_timeout, Duration::from_millis(500));
    let one = config.pacing.destinations["example.org"];
    assert_eq!((one.sessions, one.rate.unwrap().count), (Some(2), 60));
    assert_eq!(config.pacing.providers["google.com"].sessions, Some(8));
    assert_eq!(
        (config.log.format, config.log.level),
        (LogFormat::Json, LogLevel::Debug)
    );
    assert_eq!(config.explain.language, Language::Nl);
    let policy = &config.tls.policies["example.net"];
    assert_eq!(
        policy.fingerprints,
        ["00112233445566778899aabbccddeeff".repeat(2)]
    );
    assert_eq!(config.tls.sending, config::TlsLevel::Required);
    assert_eq!(config.listen.smtps.len(), 1);
    let keys: Vec<_> = config.tls.certificates.iter().map(|c| &c.key).collect();
    assert_eq!(
        keys,
        [Path::new("/etc/ssl/a.key"), Path::new("/etc/ssl/both.pem")]
    );
}

#[test]
fn what_is_shown_reads_back_to_the_same() {
    for text in ["", FULL, "[routes]\n\"ex\\\"ample\" = \"mx\"\n"] {
        let Ok(parsed) = Config::parse(text) else {
            continue;
        };
        let shown = parsed.config.to_toml();
        assert_eq!(good(&shown), parsed.config, "{shown}");
    }
    insta::assert_snapshot!("defaults", Config::default().to_toml());
}

#[test]
fn a_bad_file_is_told_with_line_caret_and_what_is_allowed() {
    for (name, text) in [
        ("syntax", "[listen]\nsmtp = [\"127.0.0.1:2525\"\n"),
        ("no_equals", "[listen]\nsmtp \"127.0.0.1:2525\"\n"),
        ("unknown_section", "[listn]\nsmtp = []\n"),
        ("unknown_key", "[delivery]\nconect_timeout = \"30s\"\n"),
        ("unknown_key_far_off", "[log]\ncolour = true\n"),
        ("number_for_text", "[queue]\nlifetime = 5\n"),
        ("no_duration", "[queue]\nlifetime = \"5 days\"\n"),
        ("no_size", "[limits]\nmessage_size = \"big\"\n"),
        ("out_of_range", "[delivery]\nsmtp_port = 70000\n"),
        ("no_rate", "[limits]\nmessage_rate = \"60 per minute\"\n"),
        ("number_for_flag", "[greylisting]\nenabled = 1\n"),
        (
            "window_within_delay",
            "[greylisting]\ndelay = \"1h\"\nwindow = \"30m\"\n",
        ),
        (
            "unknown_pace",
            "[limits.destination.\"example.org\"]\nconnections = 3\n",
        ),
        ("pace_for_nobody", "[limits.provider]\nsessions = 3\n"),
        ("not_a_place", "[listen]\nlmtp = [\"unix:lmtp\"]\n"),
        (
            "not_a_sender",
            "[submission.senders]\n\"bert\" = [\"office\"]\n",
        ),
        ("two_auth", "[auth]\nusers = \"/u\"\ndovecot = \"/d\"\n"),
        ("no_auth", "[listen]\nsubmission = [\"127.0.0.1:587\"]\n"),
        ("trusted_as_list", "[listen]\ntrusted = [\"127.0.0.1\"]\n"),
        (
            "smtps_without_certificate",
            "[listen]\nsmtps = [\"127.0.0.1:465\"]\n",
        ),
        (
            "certificate_without_chain",
            "[[tls.certificate]]\nkey = \"/etc/ssl/mail.key\"\n",
        ),
        (
            "tls_reports_without_contact",
            "[tls.reports]\norganization = \"\"\n",
        ),
        (
            "tls_reports_by_nobody",
            "[tls.reports]\ncontact = \"postmaster\"\nfrom = \"tlsrpt@example.org\"\n",
        ),
        (
            "policy_without_fingerprint",
            "[tls.policy.\"example.org\"]\nlevel = \"fingerprint\"\n",
        ),
        (
            "no_fingerprint",
            "[tls.policy.\"example.org\"]\nlevel = \"fingerprint\"\nfingerprints = [\"abcd\"]\n",
        ),
        (
            "certificate_as_text",
            "[tls]\ncertificate = \"/etc/ssl/mail.pem\"\n",
        ),
        ("negative", "[limits]\nrecipients = -5\n"),
        ("text_for_number", "[limits]\nhops = \"50\"\n"),
        ("no_address", "[listen]\nsmtp = [\"localhost:25\"]\n"),
        ("text_for_list", "[listen]\nsmtp = \"127.0.0.1:25\"\n"),
        ("empty_list", "[listen]\nsmtp = []\n"),
        ("no_network", "[relay]\nnetworks = [\"everybody\"]\n"),
        ("prefix_too_long", "[relay]\nnetworks = [\"10.0.0.0/33\"]\n"),
        ("host_bits", "[relay]\nnetworks = [\"10.0.0.1/8\"]\n"),
        (
            "no_next_hop",
            "[routes]\n\"example.org\" = \"mail.example.org\"\n",
        ),
        (
            "no_port",
            "[routes]\n\"example.org\" = \"smtp://host:zero\"\n",
        ),
        (
            "smtps_port",
            "[routes]\n\"example.org\" = \"smtps://host:0\"\n",
        ),
        ("unquoted_domain", "[routes]\nexample.org = \"mx\"\n"),
        (
            "route_problems",
            "[[route]]\nsender = \"a b\"\nto = \"mx\"\n[[route]]\nsender = \"a.example\"\n\
             [[route]]\nto = \"maildir:/box\"\nhelo = \"x\"\n[[route]]\nto = \"smtp://h\"\nuser = \"u\"\n\
             [[route]]\nheader = { value = \"x\" }\nto = \"mx\"\nname = \"a b\"\n[[route]]\nto = \"mx\"\nhelo = \"h\"\n\
             [routes]\n\"a.example\" = { too = \"mx\", user = \"x\" }\n\"b.example\" = { to = \"pipe:x\" }\n",
        ),
        ("no_domain", "[routes]\n\"info@example.org\" = \"mx\"\n"),
        ("no_hostname", "[server]\nhostname = \"my relay\"\n"),
        ("not_one_of", "[log]\nlevel = \"loud\"\n"),
        (
            "several",
            "[log]\nlevel = \"loud\"\nformat = 3\n[queue]\nlifetime = \"long\"\n[lgo]\n",
        ),
        ("section_as_key", "log = \"json\"\n"),
        ("not_ascii", "# ünïcödé\n[log]\nlevel = \"größe\"\n"),
    ] {
        insta::assert_snapshot!(name, said(text));
    }
}

#[test]
fn what_has_no_effect_yet_is_a_warning() {
    let text = "[listen]\nconsole = \"127.0.0.1:8025\"\n";
    let parsed = Config::parse(text).unwrap();
    insta::assert_snapshot!(
        "console",
        Errors::new(parsed.warnings).render("postrider.toml", text, false)
    );
}

proptest::proptest! {
    #[test]
    fn no_text_makes_it_panic(text in "(\\[|\\]|=|\"|\n|[a-z]{1,6}|listen|smtp|routes|\\PC){0,60}") {
        if let Err(errors) = Config::parse(&text) {
            proptest::prop_assert!(!errors.render("x", &text, false).is_empty());
        }
    }
}

#[test]
fn the_lists_and_our_addresses_are_read_and_what_is_wrong_is_told() {
    let config = good(
        "[checks]\nblock_lists = [\"bl.example\", \"domain:DBL.example\"]\nour_addresses = [\"192.0.2.25\", \"2001:db8::25\"]\n",
    );
    let lists: Vec<String> = config
        .checks
        .block_lists
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(lists, ["bl.example", "domain:dbl.example"]);
    assert_eq!(config.checks.our_addresses.len(), 2);
    let told = said(
        "[checks]\nblock_lists = [\"example\", \"a b.c\"]\nour_addresses = [\"192.0.2.25:25\"]\n",
    );
    assert_eq!(told.matches("this is no block list").count(), 2, "{told}");
    assert!(told.contains("without a port"), "{told}");
}

#[test]
fn the_languages_of_domains_are_read_and_what_is_wrong_is_told() {
    let config = good(
        "[reports]\nlanguages = [\"example.NL : nl\", \".example.org: en\"]\ndelay_after = \"0s\"\n",
    );
    let languages: Vec<String> = config
        .reports
        .languages
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(languages, ["example.nl: nl", "example.org: en"]);
    assert!(config.reports.delay_after.is_zero());
    let told = said("[reports]\nlanguages = [\"example.nl\", \"example.fr: fr\"]\n");
    assert_eq!(
        told.matches("this is no domain with a language").count(),
        2,
        "{told}"
    );
}
