//! The command line, as clap reads it.

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::place::Options;

/// A mail relay that tells you why.
#[derive(Debug, Parser)]
#[command(name = "postrider", version, about, disable_help_subcommand = true)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) place: Options,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run the relay: receive, keep, deliver, explain. Ends on SIGTERM or Ctrl-C.
    Serve,
    /// Hand in a message, as programs do that call sendmail (-t, -f, -i, -bs, -bp …).
    Sendmail {
        /// sendmail's options and recipients.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Look at the queue and act on it.
    #[command(subcommand)]
    Queue(QueueCommand),
    /// Stop taking mail (clients are told 421 4.3.2 and come back), or stop sending to a destination.
    ///
    /// Without a destination the relay takes no mail until `postrider resume`, over restarts too; what
    /// is in its queue goes on. With one, mail for it waits.
    Pause {
        /// A domain, or a destination as `queue list --json` names it; none: stop taking mail.
        destination: Option<String>,
    },
    /// Take mail again, or send to a destination again.
    Resume {
        /// A domain, or a destination as `queue list --json` names it; none: take mail again.
        destination: Option<String>,
    },
    /// Have the running relay read its certificates again where the files have changed.
    ///
    /// It also does so on SIGHUP, and by itself within a minute. A file that cannot be used leaves the
    /// old certificate in use; then this says why, and ends with 1.
    ReloadCertificates,
    /// Show our certificates: names, file or authority, until when, and what failed.
    Certificates(Certificates),
    /// List what is gathered for reports on TLS to the domains to which mail goes, or send it now.
    TlsReports(crate::tls_reports_command::TlsReports),
    /// Say in plain words what a code, a reply, a bounce or a log means.
    Explain(Explain),
    /// Look from here why mail for somebody may not arrive: route, DNS, servers, our own standing.
    Check(Check),
    /// List what came back of mail that had been handed on: reports, complaints, answers.
    Bounces(crate::bounces_command::Bounces),
    /// Look at the addresses to which nothing is sent, put one there, or take one off.
    #[command(subcommand)]
    Suppression(SuppressionCommand),
    /// Run a receiving server that fails as it is told, to test senders against.
    Sink(Sink),
    /// Run retry policies on a virtual clock: ours, Postfix's, Exim's, Sendmail's, Exchange's, KumoMTA's.
    Simulate(crate::simulate_command::Simulate),
    /// Keep the keys that sign mail (DKIM): make them, look whether they are published, change them.
    #[command(subcommand)]
    Dkim(crate::dkim_command::DkimCommand),
    /// Keep the file of users, who may hand in mail with AUTH.
    #[command(subcommand)]
    User(UserCommand),
    /// Look at the configuration.
    #[command(subcommand)]
    Config(ConfigCommand),
}

#[derive(Debug, Args)]
#[command(after_help = "\
What it is given is found out by looking at it: a code in any spelling (4.2.1, 421, #4.4.7), the reply
of a server, a bounce (as a file, a mailbox or a Maildir), the log of a mail server. Examples:

    postrider explain 4.2.1
    postrider explain 452 4.2.2 mailbox is full
    postrider explain --lang nl bounce.eml
    postrider explain --summary /var/log/mail.log
    postrider explain --json - < mailbox

It ends with 0 when it explained something, with 1 when it found nothing to explain.")]
pub(crate) struct Explain {
    /// One JSON object for each failed recipient, or for each code.
    #[arg(long)]
    pub(crate) json: bool,
    /// The language; else that of the environment (LANG).
    #[arg(long, value_enum)]
    pub(crate) lang: Option<Language>,
    /// Group what belongs together, and say whether it is us or them.
    #[arg(long)]
    pub(crate) summary: bool,
    /// Go on with a log as it grows; only what is new is explained. Ends with Ctrl-C.
    #[arg(long, conflicts_with = "summary")]
    pub(crate) follow: bool,
    /// Write the JSON Schema of the objects of --json.
    #[arg(long, conflicts_with_all = ["follow", "summary", "inputs"])]
    pub(crate) schema: bool,
    /// Files, directories, `-` for the standard input, or the words themselves.
    #[arg(value_name = "FILE|TEXT|-", allow_hyphen_values = false)]
    pub(crate) inputs: Vec<String>,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Mail is never sent. With --probe the servers are asked whether they would take the address (MAIL, RCPT,
RSET); that leaves a trace there, and some do not like it. Examples:

    postrider check example.org
    postrider check --sender news@example.com anna@example.org
    postrider check --sender example.com --selector s2026 example.org
    postrider check --message 019f2a

It ends with 0 when nothing is wrong, with 1 when it found a problem.")]
pub(crate) struct Check {
    /// One JSON object for each finding.
    #[arg(long)]
    pub(crate) json: bool,
    /// The language; else that of the environment (LANG).
    #[arg(long, value_enum)]
    pub(crate) lang: Option<Language>,
    /// Who sends: SPF, DKIM and DMARC of this domain are held against our address.
    #[arg(long, value_name = "DOMAIN|ADDRESS")]
    pub(crate) sender: Option<String>,
    /// A DKIM selector of the sender's domain; may be given several times.
    #[arg(long = "selector", value_name = "NAME")]
    pub(crate) selectors: Vec<String>,
    /// Ask the servers whether they would take the address. Nothing is sent.
    #[arg(long)]
    pub(crate) probe: bool,
    /// The size of the message in bytes, to hold against the servers' limit.
    #[arg(long, value_name = "BYTES")]
    pub(crate) size: Option<u64>,
    /// A header field of the message, like `X-Stream: bulk`: routes may go by it. May be given several times.
    #[arg(
        long = "header",
        value_name = "NAME: VALUE",
        conflicts_with = "message"
    )]
    pub(crate) headers: Vec<String>,
    /// A message of the queue: its attempts, its trail, and every destination that it still waits for.
    #[arg(long, value_name = "ID", conflicts_with_all = ["probe", "size", "subjects"])]
    pub(crate) message: Option<String>,
    /// Write the JSON Schema of the objects of --json.
    #[arg(long, conflicts_with_all = ["message", "subjects"])]
    pub(crate) schema: bool,
    /// A domain, or an address.
    #[arg(value_name = "DOMAIN|ADDRESS", required_unless_present_any = ["message", "schema"])]
    pub(crate) subjects: Vec<String>,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Without a script it takes everything, but a recipient's local part may ask for a failure:
user-4.2.2@…, user+452@…, user+451+end-of-data@…, user+reset+content@…, user+450+twice@…

When it is ready it prints one line of JSON with its ports. Then each session is logged on the standard
error, or with --json on the standard output. It ends on SIGTERM or Ctrl-C. Examples:

    postrider sink --code 4.2.2 --dialect exchange
    postrider sink --scenario greylisting --port 0 --api 0 --json
    postrider sink --script fails.toml --keep received/

A script is a TOML file; the first rule that acts at a step decides:

    [server]
    name = \"mx.example.org\"
    dialect = \"postfix\"
    extensions = [\"PIPELINING\", \"SIZE\", \"8BITMIME\"]   # also SMTPUTF8 ENHANCEDSTATUSCODES CHUNKING STARTTLS AUTH

    [[rule]]
    at = \"rcpt\"                  # connect greeting ehlo helo starttls handshake auth mail rcpt data content
                                   # end-of-data rset quit
    recipient = \"*@full.example\" # also sender, client, hello; * stands for anything
    per = \"triplet\"              # what counts apart: server session transaction client sender recipient triplet
    times = 2                      # also after, lasts, chance, rate, quota, open, hops, larger, bytes
    do = \"4.2.2\"                 # a code, a whole reply, accept, close, reset, silence, raw …; or a list in turn
    delay = \"2s\"                 # also tarpit (time for each byte), dialect, keep, repeat

docs/sink.md tells all of it, the API too.")]
pub(crate) struct Sink {
    /// What it does: a TOML file.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["scenario", "code", "reply"])]
    pub(crate) script: Option<std::path::PathBuf>,
    /// What it does: a scenario of the library.
    #[arg(long, value_name = "NAME", conflicts_with_all = ["code", "reply"])]
    pub(crate) scenario: Option<String>,
    /// Say this code (4.2.2, 452, "452 4.2.2"), where such is said.
    #[arg(long, value_name = "CODE", conflicts_with = "reply")]
    pub(crate) code: Option<String>,
    /// Say this reply, word for word.
    #[arg(long, value_name = "TEXT")]
    pub(crate) reply: Option<String>,
    /// Say it at this step in place of where such is said.
    #[arg(long, value_name = "STEP")]
    pub(crate) at: Option<String>,
    /// Speak like this software or service (exchange, postfix, google …).
    #[arg(long, value_name = "NAME")]
    pub(crate) dialect: Option<String>,
    /// List the scenarios.
    #[arg(long)]
    pub(crate) list: bool,
    /// Write the script of a scenario, to begin one's own with.
    #[arg(long, value_name = "NAME")]
    pub(crate) show: Option<String>,
    /// Its port; 0 chooses a free one.
    #[arg(long, default_value_t = 2525)]
    pub(crate) port: u16,
    /// The address to listen on.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1")]
    pub(crate) listen: std::net::IpAddr,
    /// A port for SMTP under TLS from the first byte on; 0 chooses a free one.
    #[arg(long, value_name = "PORT")]
    pub(crate) smtps: Option<u16>,
    /// Speak LMTP in place of SMTP: each recipient is answered after the dot.
    #[arg(long)]
    pub(crate) lmtp: bool,
    /// Announce STARTTLS, whatever the script says.
    #[arg(long)]
    pub(crate) starttls: bool,
    /// Show this certificate (PEM, with those between it and an authority); announces STARTTLS.
    #[arg(long, value_name = "FILE")]
    pub(crate) certificate: Option<std::path::PathBuf>,
    /// Its private key (PEM), where it is in another file.
    #[arg(long, value_name = "FILE", requires = "certificate")]
    pub(crate) key: Option<std::path::PathBuf>,
    /// Write the certificate of the sink's own authority here, for senders that are to trust it.
    #[arg(long, value_name = "FILE")]
    pub(crate) authority: Option<std::path::PathBuf>,
    /// Where its HTTP API is: a port of loopback, or an address with a port. 0 chooses one.
    #[arg(long, value_name = "[ADDRESS:]PORT")]
    pub(crate) api: Option<String>,
    /// Write each message here too, as N.eml and N.json.
    #[arg(long, value_name = "DIR")]
    pub(crate) keep: Option<std::path::PathBuf>,
    /// The start of chance, to repeat a run.
    #[arg(long)]
    pub(crate) seed: Option<u64>,
    /// Log sessions (and list scenarios) as JSON lines on the standard output.
    #[arg(long)]
    pub(crate) json: bool,
    /// Log no sessions.
    #[arg(long, conflicts_with = "json")]
    pub(crate) quiet: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Certificates {
    /// One JSON object for each.
    #[arg(long)]
    pub(crate) json: bool,
    /// The language; else that of the environment (LANG).
    #[arg(long, value_enum)]
    pub(crate) lang: Option<Language>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum SuppressionCommand {
    /// All that are there, with the reason and who told it.
    List {
        /// One JSON object for each.
        #[arg(long)]
        json: bool,
        /// The language; else that of the environment (LANG).
        #[arg(long, value_enum)]
        lang: Option<Language>,
    },
    /// One of them, with the words that it rests on. Ends with 1 where it is not there.
    Show {
        /// The address.
        address: String,
        /// As a JSON object.
        #[arg(long)]
        json: bool,
        /// The language; else that of the environment (LANG).
        #[arg(long, value_enum)]
        lang: Option<Language>,
    },
    /// Send nothing to an address: mail for it is refused, with the reason.
    Add {
        /// The address.
        address: String,
        /// Why; clients are told.
        #[arg(long)]
        reason: Option<String>,
        /// For how long, like 30d; else until it is removed.
        #[arg(long, value_name = "TIME")]
        keep: Option<String>,
    },
    /// Send to an address again.
    Remove {
        /// The address.
        address: String,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum QueueCommand {
    /// One line for each recipient that waits.
    List(List),
    /// The story of a message: each attempt, what the other side said, what it means, what is next.
    Show(Show),
    /// Keep a message in the queue without trying to deliver it.
    Hold(Which),
    /// Let a held message go on.
    Release(Which),
    /// Try a message again now.
    Retry(Which),
    /// Remove a message from the queue without a report to its sender.
    Drop(Which),
    /// Write the content of messages.
    Export(Export),
}

#[derive(Debug, Args)]
pub(crate) struct List {
    /// One JSON object a line.
    #[arg(long)]
    pub(crate) json: bool,
    /// Also what is delivered, failed or dropped.
    #[arg(long)]
    pub(crate) all: bool,
    /// Only this destination: a domain, or a destination's name.
    #[arg(long, value_name = "DESTINATION")]
    pub(crate) to: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Show {
    /// The message's name, or a part of it that only it has.
    #[arg(required = true, value_name = "ID")]
    pub(crate) ids: Vec<String>,
    /// One JSON object for each message.
    #[arg(long)]
    pub(crate) json: bool,
    /// The language; else that of the environment (LANG).
    #[arg(long, value_enum)]
    pub(crate) lang: Option<Language>,
}

#[derive(Debug, Args)]
pub(crate) struct Which {
    /// The message's name, or a part of it that only it has.
    #[arg(required = true, value_name = "ID")]
    pub(crate) ids: Vec<String>,
    /// Only this recipient; may be given several times.
    #[arg(long = "recipient", value_name = "ADDRESS")]
    pub(crate) recipients: Vec<String>,
    /// Tell what was done as JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Export {
    /// The message's name, or a part of it that only it has.
    #[arg(required = true, value_name = "ID")]
    pub(crate) ids: Vec<String>,
    /// Write a file ID.eml for each into this directory, in place of the standard output.
    #[arg(long = "to", value_name = "DIR")]
    pub(crate) directory: Option<std::path::PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Read the configuration and say what is wrong with it.
    Check,
    /// Write the configuration in force, defaults included.
    Show,
    /// Write what is done about each cause of a failure: who waits, and for how long.
    Policy {
        /// One JSON object for each line of the table.
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum UserCommand {
    /// Add a user. The password is asked for, or is a line of the standard input.
    Add {
        /// The name: best the address that the user sends as.
        name: String,
        /// The file of users; else that of the configuration.
        #[arg(long, value_name = "FILE")]
        file: Option<std::path::PathBuf>,
    },
    /// Remove a user.
    Remove {
        /// The name.
        name: String,
        /// The file of users; else that of the configuration.
        #[arg(long, value_name = "FILE")]
        file: Option<std::path::PathBuf>,
    },
    /// Change a user's password, asked for like that of a new one.
    Passwd {
        /// The name.
        name: String,
        /// The file of users; else that of the configuration.
        #[arg(long, value_name = "FILE")]
        file: Option<std::path::PathBuf>,
    },
    /// List the users.
    List {
        /// One JSON object a line.
        #[arg(long)]
        json: bool,
        /// The file of users; else that of the configuration.
        #[arg(long, value_name = "FILE")]
        file: Option<std::path::PathBuf>,
    },
}

/// A language of explanations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Language {
    /// English.
    En,
    /// Dutch.
    Nl,
}

impl From<Language> for explain::Lang {
    fn from(language: Language) -> explain::Lang {
        match language {
            Language::En => explain::Lang::En,
            Language::Nl => explain::Lang::Nl,
        }
    }
}
