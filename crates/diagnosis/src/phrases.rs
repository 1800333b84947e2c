//! What peers say, as data: words in a reply's text, and the cause they point to.
//!
//! A row is a phrase: parts joined by `…` that occur in this order, compared without regard to
//! ASCII case. Rows are tried from the top; of all that fit, the strongest counts, and among equals
//! the first. Each has an example as it was seen, and a test reads every example back.

use crate::Cause;

/// One row.
pub(crate) struct Phrase {
    pub(crate) words: &'static str,
    pub(crate) cause: Cause,
    /// How sure these words alone make us, in percent.
    pub(crate) strength: u8,
    /// A reply in which they occur.
    #[cfg_attr(not(test), allow(dead_code, reason = "read by the test of the table"))]
    pub(crate) example: &'static str,
}

const fn row(words: &'static str, cause: Cause, strength: u8, example: &'static str) -> Phrase {
    Phrase {
        words,
        cause,
        strength,
        example,
    }
}

/// Where a phrase stands in a text (of lower case): the first byte of its first part, the end of
/// its last. Each part begins where a word does.
pub(crate) fn find(words: &str, lower: &str) -> Option<(usize, usize)> {
    let mut from = 0;
    let mut first = None;
    for part in words.split('…') {
        let at = at_word_start(part, lower, from)?;
        first.get_or_insert(at);
        from = at + part.len();
    }
    first.map(|first| (first, from))
}

fn at_word_start(part: &str, lower: &str, from: usize) -> Option<usize> {
    let inside_a_word = |at: usize| lower[..at].ends_with(|c: char| c.is_ascii_alphanumeric());
    let found = lower.get(from..)?.match_indices(part);
    found
        .map(|(at, _)| from + at)
        .find(|at| !inside_a_word(*at))
}

use Cause as C;

/// The table.
#[rustfmt::skip]
pub(crate) const PHRASES: &[Phrase] = &[
    // Greylisting: by name, and by the words of those who do not name it.
    row("greylist", C::Greylisting, 97, "450 4.2.0 <a@example.org>: Recipient address rejected: Greylisted, see http://postgrey.schweikert.ch/help/example.org.html"),
    row("graylist", C::Greylisting, 97, "451 4.7.1 Graylisted, please try again in 300 seconds"),
    row("grey-list", C::Greylisting, 97, "451 Grey-listed, try again later"),
    row("grey list", C::Greylisting, 95, "450 grey list, come back in 5 minutes"),
    row("gray list", C::Greylisting, 95, "450 gray list, come back in 5 minutes"),
    row("not yet authorized to deliver mail from", C::Greylisting, 90, "451 4.7.1 [192.0.2.1] is not yet authorized to deliver mail from <a@example.com> to <b@example.org>. Please try later."),
    row("first-time connection", C::Greylisting, 85, "450 4.7.1 First-time connection, please retry in 60 seconds"),
    row("temporarily deferred due to unusual", C::PolicyRate, 80, "421 4.7.0 Messages temporarily deferred due to unusual sending"),

    // Too many recipients in one transaction. Before "too many": those are rates.
    row("too many recipients", C::TooManyRecipients, 95, "452 4.5.3 Error: too many recipients"),
    row("too many rcpts", C::TooManyRecipients, 95, "452 Too many rcpts in this transaction"),
    row("too much recipients", C::TooManyRecipients, 90, "452 too much recipients"),
    row("recipient limit", C::TooManyRecipients, 88, "452 4.5.3 Recipient limit reached; send the rest in a new transaction"),
    row("maximum number of recipients", C::TooManyRecipients, 88, "452 Maximum number of recipients reached"),
    row("recipients per message exceeded", C::TooManyRecipients, 85, "550 5.5.3 Recipients per message exceeded"),
    row("recipients per transaction", C::TooManyRecipients, 85, "452 4.5.3 At most 10 recipients per transaction"),

    // The mailbox is full.
    row("over quota", C::MailboxFull, 95, "452 4.2.2 The email account that you tried to reach is over quota"),
    row("overquota", C::MailboxFull, 95, "550 5.2.2 user is overquota"),
    row("quota exceeded", C::MailboxFull, 93, "452 4.2.2 <u@example.org> Quota exceeded (mailbox for user is full)"),
    row("quota…exceeded", C::MailboxFull, 88, "552 5.2.2 Disk quota for this user exceeded"),
    row("exceeded…quota", C::MailboxFull, 88, "552 RCPT TO:<a@example.org> has exceeded mailbox quota"),
    row("mailbox is full", C::MailboxFull, 95, "452 4.2.2 Mailbox is full"),
    row("mailbox full", C::MailboxFull, 95, "422 4.2.2 Mailbox full"),
    row("mailbox…is full", C::MailboxFull, 90, "552 5.2.2 The mailbox of this user is full"),
    row("inbox is full", C::MailboxFull, 90, "552-5.2.2 The recipient's inbox is full"),
    row("out of storage space", C::MailboxFull, 90, "452-4.2.2 The recipient's inbox is out of storage space"),
    row("mailbox size limit", C::MailboxFull, 88, "552 5.2.2 This message is larger than what is left of the mailbox size limit"),
    row("not enough space in mailbox", C::MailboxFull, 90, "452 not enough space in mailbox"),
    row("quota", C::MailboxFull, 70, "452 4.2.2 Quota"),

    // The message is too large.
    row("message size exceeds", C::MessageTooLarge, 95, "552 5.3.4 Message size exceeds fixed limit"),
    row("message too big", C::MessageTooLarge, 95, "552 5.3.4 Message too big"),
    row("message too large", C::MessageTooLarge, 95, "552 5.2.3 Message too large"),
    row("message is too large", C::MessageTooLarge, 95, "552 message is too large"),
    row("exceeded the maximum…size", C::MessageTooLarge, 92, "550 5.3.4 ROUTING.SizeLimit; your message exceeded the maximum message size"),
    row("exceeded…message size limits", C::MessageTooLarge, 92, "552 5.3.4 Your message exceeded Google's message size limits"),
    row("exceeds maximum message size", C::MessageTooLarge, 92, "552 Size exceeds maximum message size"),
    row("max message size", C::MessageTooLarge, 85, "552 5.3.4 Error: max message size 10240000"),

    // The mailbox does not exist.
    row("user unknown", C::MailboxUnknown, 93, "550 5.1.1 <x@example.org>: Recipient address rejected: User unknown in virtual mailbox table"),
    row("unknown user", C::MailboxUnknown, 93, "550 Unknown user"),
    row("no such user", C::MailboxUnknown, 93, "550 5.1.1 No such user here"),
    row("no such recipient", C::MailboxUnknown, 93, "550 No such recipient"),
    row("no such mailbox", C::MailboxUnknown, 93, "550 no such mailbox"),
    row("no such address", C::MailboxUnknown, 93, "550 No such address here"),
    row("does not exist", C::MailboxUnknown, 80, "550-5.1.1 The email account that you tried to reach does not exist"),
    row("doesn't exist", C::MailboxUnknown, 80, "550 User <x@example.org> doesn't exist"),
    row("user not found", C::MailboxUnknown, 90, "550 5.1.10 RESOLVER.ADR.RecipientNotFound; user not found"),
    row("recipient not found", C::MailboxUnknown, 90, "550 5.1.1 Recipient not found"),
    row("recipientnotfound", C::MailboxUnknown, 90, "550 5.1.10 RESOLVER.ADR.RecipientNotFound; not found"),
    row("mailbox not found", C::MailboxUnknown, 92, "550 5.1.1 Mailbox not found"),
    row("unknown recipient", C::MailboxUnknown, 90, "550 unknown recipient"),
    row("recipient unknown", C::MailboxUnknown, 90, "550 Recipient unknown"),
    row("invalid recipient", C::MailboxUnknown, 85, "550 #5.1.0 Invalid recipient"),
    row("unrouteable address", C::MailboxUnknown, 75, "550 Unrouteable address"),
    row("user does not have", C::MailboxUnknown, 80, "550 5.1.1 This user does not have a yahoo.com account"),
    row("no mailbox here by that name", C::MailboxUnknown, 93, "550 sorry, no mailbox here by that name (#5.1.1)"),
    row("mailbox unavailable", C::MailboxUnknown, 55, "550 Requested action not taken: mailbox unavailable"),

    // The mailbox is disabled.
    row("account…disabled", C::MailboxDisabled, 90, "550 5.2.1 The email account that you tried to reach is disabled"),
    row("mailbox disabled", C::MailboxDisabled, 92, "550 5.2.1 Mailbox disabled"),
    row("mailbox…inactive", C::MailboxDisabled, 85, "550 5.2.1 This mailbox has been inactive for a year"),
    row("account…inactive", C::MailboxDisabled, 88, "550 5.2.1 The account is inactive"),
    row("account…suspended", C::MailboxDisabled, 88, "550 5.2.1 This account has been suspended"),
    row("not accepting messages", C::MailboxDisabled, 70, "550 5.2.1 Mailbox is not accepting messages"),

    // The mailbox is busy.
    row("mailbox…locked", C::MailboxBusy, 90, "450 4.2.0 Mailbox is locked by another process"),
    row("mailbox busy", C::MailboxBusy, 90, "450 mailbox busy"),
    row("mailbox is busy", C::MailboxBusy, 90, "450 mailbox is busy, try again later"),

    // How much, how fast.
    row("receiving mail at a rate", C::PolicyRate, 92, "450 4.2.1 The user you are trying to contact is receiving mail at a rate that prevents additional messages"),
    row("receiving mail too quickly", C::PolicyRate, 92, "450 4.2.1 The user you are trying to contact is receiving mail too quickly"),
    row("rate limit", C::PolicyRate, 92, "421 4.7.28 Our system has detected an unusual rate of mail; rate limited"),
    row("unusual rate", C::PolicyRate, 90, "421 4.7.28 Gmail has detected an unusual rate of unsolicited mail"),
    row("too many messages", C::PolicyRate, 88, "451 Too many messages from your address"),
    row("too many mails", C::PolicyRate, 88, "450 too many mails in this hour"),
    row("sending too", C::PolicyRate, 80, "421 You are sending too fast"),
    row("throttl", C::PolicyRate, 88, "451 4.7.500 Server busy; throttled"),
    row("message rate", C::PolicyRate, 85, "450 4.7.1 Error: message rate exceeded"),
    row("exceeded…rate", C::PolicyRate, 80, "421 you have exceeded the permitted rate"),
    row("too many concurrent", C::ServerBusy, 90, "421 4.7.0 Too many concurrent SMTP connections"),
    row("too many connections", C::ServerBusy, 92, "421 4.7.0 mx.example.org Error: too many connections from 192.0.2.1"),
    row("too many…sessions", C::ServerBusy, 88, "421 Too many SMTP sessions for this host"),
    row("connection limit", C::ServerBusy, 88, "421 connection limit reached"),

    // Name with the receiver.
    row("spamhaus", C::ReputationListed, 95, "554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using zen.spamhaus.org"),
    row("blocked using", C::ReputationListed, 93, "554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using bl.example.net"),
    row("blacklist", C::ReputationListed, 90, "550 5.7.1 Your address is blacklisted"),
    row("blocklist", C::ReputationListed, 90, "550 5.7.1 Client host is on our blocklist"),
    row("block list", C::ReputationListed, 90, "550 5.7.1 Unfortunately, messages from [192.0.2.1] weren't sent; part of their network is on our block list (S3140)"),
    row("dnsbl", C::ReputationListed, 93, "550 rejected by DNSBL"),
    row("listed at", C::ReputationListed, 80, "550 192.0.2.1 is listed at bl.example.net"),
    row("listed in", C::ReputationListed, 80, "550 192.0.2.1 is listed in bl.example.net"),
    row("poor reputation", C::ReputationListed, 90, "554 Your access to this mail system has been rejected due to the sending MTA's poor reputation"),
    row("low reputation", C::ReputationListed, 90, "421-4.7.0 very low reputation of the sending IP address"),
    row("reputation of", C::ReputationListed, 85, "550 5.7.1 bad reputation of the sending domain"),
    row("banned sending ip", C::ReputationListed, 92, "550 5.7.511 Access denied, banned sender; Banned sending IP [192.0.2.1]"),

    // Proof of identity.
    row("reverse hostname", C::IdentityUnproven, 92, "450 4.7.1 Client host rejected: cannot find your reverse hostname, [192.0.2.1]"),
    row("reverse dns", C::IdentityUnproven, 90, "550 5.7.25 The sending address has no reverse DNS"),
    row("rdns", C::IdentityUnproven, 90, "554 No rDNS for your address"),
    row("ptr record", C::IdentityUnproven, 92, "550 5.7.25 The IP address sending this message does not have a PTR record setup"),
    row("cannot find your hostname", C::IdentityUnproven, 92, "450 4.7.25 Client host rejected: cannot find your hostname, [192.0.2.1]"),
    row("spf", C::IdentityUnproven, 88, "550 5.7.23 The message was rejected because of SPF policy violation"),
    row("dkim", C::IdentityUnproven, 88, "550 5.7.20 No passing DKIM signature found"),
    row("dmarc", C::IdentityUnproven, 92, "550 5.7.26 Unauthenticated email from example.com is not accepted due to domain's DMARC policy"),
    row("unauthenticated", C::IdentityUnproven, 80, "550-5.7.26 Your email has been blocked because the sender is unauthenticated"),
    row("helo command rejected", C::IdentityUnproven, 90, "450 4.7.1 <localhost>: Helo command rejected: Host not found"),

    // The sender's address.
    row("sender address rejected", C::SenderRefused, 92, "450 4.1.8 <a@nowhere.example>: Sender address rejected: Domain not found"),
    row("sender domain", C::SenderRefused, 82, "451 4.1.8 Sender domain does not resolve"),
    row("sender verify failed", C::SenderRefused, 92, "550 Sender verify failed"),
    row("domain of sender address", C::SenderRefused, 92, "553 5.1.8 Domain of sender address a@nowhere.example does not exist"),
    row("sender denied", C::SenderRefused, 85, "550 5.7.1 sender denied"),
    row("sender rejected", C::SenderRefused, 85, "550 sender rejected"),

    // Relaying.
    row("relay access denied", C::PolicyRelaying, 96, "554 5.7.1 <a@example.net>: Relay access denied"),
    row("relaying denied", C::PolicyRelaying, 96, "550 5.7.1 Relaying denied"),
    row("relay not permitted", C::PolicyRelaying, 96, "550 relay not permitted"),
    row("unable to relay", C::PolicyRelaying, 96, "550 5.7.1 Unable to relay"),
    row("not permitted to relay", C::PolicyRelaying, 96, "550 host is not permitted to relay through us"),
    row("not local", C::PolicyRelaying, 70, "551 User not local; please try another path"),
    row("rcpthosts", C::PolicyRelaying, 95, "553 sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)"),

    // Log in, encrypt.
    row("authentication required", C::AuthRequired, 95, "530 5.7.0 Authentication required"),
    row("authentication is required", C::AuthRequired, 95, "550 5.7.1 authentication is required"),
    row("smtp auth", C::AuthRequired, 75, "553 you must use SMTP AUTH to send from this address"),
    row("must issue a starttls", C::TlsRequired, 97, "530 5.7.0 Must issue a STARTTLS command first"),
    row("starttls", C::TlsRequired, 75, "530 STARTTLS is required"),
    row("tls required", C::TlsRequired, 92, "530 5.7.10 TLS required"),
    row("encryption required", C::TlsRequired, 92, "523 5.7.10 Encryption required"),

    // The content.
    row("virus", C::ContentRefused, 92, "554 5.7.1 Message rejected: virus found"),
    row("malware", C::ContentRefused, 92, "554 5.7.1 malware detected"),
    row("spam message", C::ContentRefused, 90, "550 5.7.1 Spam message rejected"),
    row("considered…spam", C::ContentRefused, 88, "550 5.7.1 This message is considered to be spam"),
    row("detected as spam", C::ContentRefused, 92, "550 5.7.1 Message was detected as spam"),
    row("likely unsolicited", C::ContentRefused, 90, "550-5.7.1 Our system has detected that this message is likely unsolicited mail"),
    row("spam", C::ContentRefused, 70, "554 rejected as spam"),
    row("content…rejected", C::ContentRefused, 80, "550 5.7.1 Message content rejected"),
    row("content…refused", C::ContentRefused, 80, "550 message content refused"),
    row("attachment", C::ContentRefused, 75, "552 5.7.0 This message was blocked because its attachment presents a potential security issue"),
    row("not rfc 5322 compliant", C::ContentRefused, 85, "550-5.7.1 Messages missing a valid From header are not RFC 5322 compliant"),

    // Characters.
    row("code page", C::CharsetUnsupported, 92, "465 code page not available"),
    row("codepage", C::CharsetUnsupported, 92, "465 4.6.5 codepage unavailable"),
    row("character set", C::CharsetUnsupported, 85, "554 5.6.0 character set not supported"),
    row("8bit", C::CharsetUnsupported, 80, "554 5.6.3 8BITMIME not supported here: 8bit content"),
    row("smtputf8", C::AddressNeedsUtf8, 90, "553 5.6.7 SMTPUTF8 is required"),

    // Loops.
    row("too many hops", C::RouteLoop, 96, "554 5.4.0 Error: too many hops"),
    row("too many \"received\"", C::RouteLoop, 95, "550 Too many \"Received\" headers - suspected mail loop"),
    row("mail loop", C::RouteLoop, 92, "554 5.4.6 mail loop detected"),
    row("loops back to myself", C::RouteLoop, 95, "554 5.4.6 mail for example.org loops back to myself"),
    row("hop count", C::RouteLoop, 93, "554 5.4.6 Hop count exceeded - possible mail loop"),
    row("routing loop", C::RouteLoop, 92, "550 5.4.6 routing loop detected"),

    // The domain and the way on from there.
    row("domain not found", C::DomainUnknown, 80, "550 5.1.2 <a@nowhere.example>: Domain not found"),
    row("host not found", C::DomainUnknown, 72, "550 5.1.2 Host unknown: host not found"),
    row("host unknown", C::DomainUnknown, 80, "550 5.1.2 Host unknown (Name server: nowhere.example.: not found)"),
    row("does not accept mail", C::DomainTakesNoMail, 88, "556 5.1.10 example.org does not accept mail (nullMX)"),
    row("nullmx", C::DomainTakesNoMail, 95, "556 5.1.10 Recipient address has a nullMX"),
    row("null mx", C::DomainTakesNoMail, 95, "550 5.1.10 Domain has a null MX"),
    row("name service error", C::DnsFailing, 85, "451 4.4.3 Name service error for name=example.com"),
    row("dns", C::DnsFailing, 60, "451 4.4.3 Temporary DNS failure"),
    row("domain name resolution", C::DnsFailing, 82, "451 Temporary failure in domain name resolution"),

    // The server itself.
    row("insufficient system storage", C::ServerFull, 92, "452 4.3.1 Insufficient system storage"),
    row("insufficient system resources", C::ServerFull, 90, "452 4.3.1 Insufficient system resources (TotalNumberOfConnections)"),
    row("insufficient storage", C::ServerFull, 82, "452 Requested action not taken: insufficient storage"),
    row("out of memory", C::ServerFull, 92, "451 4.3.0 Out of memory"),
    row("disk full", C::ServerFull, 93, "452 4.3.1 disk full"),
    row("no space left", C::ServerFull, 93, "451 4.3.0 No space left on device"),
    row("low on disk", C::ServerFull, 90, "452 4.3.1 server is low on disk space"),
    row("not accepting network messages", C::ServerNotAccepting, 95, "453 4.3.2 System not accepting network messages"),
    row("not accepting mail", C::ServerNotAccepting, 88, "421 4.3.2 Server is not accepting mail now"),
    row("maintenance", C::ServerNotAccepting, 82, "421 4.3.2 Down for maintenance"),
    row("stand by", C::ServerNotAccepting, 60, "432 4.3.2 Please stand by, queue stopped"),
    row("queue…stopped", C::ServerNotAccepting, 88, "432 4.3.2 The recipient's incoming mail queue has been stopped"),
    row("shutting down", C::ServerBusy, 90, "421 4.3.0 mx.example.org shutting down"),
    row("closing transmission channel", C::ServerBusy, 75, "421 mx.example.org Service not available, closing transmission channel"),
    row("load too high", C::ServerBusy, 90, "421 load too high, try again later"),
    row("overload", C::ServerBusy, 88, "421 server overloaded"),
    row("server busy", C::ServerBusy, 88, "451 4.3.2 Server busy, try again later"),
    row("too busy", C::ServerBusy, 88, "421 too busy; try later"),
    row("timeout exceeded", C::ConnectionDropped, 82, "421 4.4.2 mx.example.org Error: timeout exceeded"),
    row("idle", C::ConnectionDropped, 60, "421 idle timeout, closing connection"),
    row("local error in processing", C::ServerError, 88, "451 Requested action aborted: local error in processing"),
    row("local problem", C::ServerError, 80, "451 4.3.0 temporary local problem - please try later"),
    row("server configuration problem", C::ServerError, 88, "451 4.3.5 Server configuration problem"),
    row("internal error", C::ServerError, 82, "451 4.3.0 internal error"),
    row("internal server error", C::ServerError, 85, "451 Internal server error"),
    row("queue file write error", C::ServerError, 88, "451 4.3.0 Error: queue file write error"),
    row("command not", C::ProtocolRefused, 75, "502 5.5.1 Command not implemented"),
    row("unrecognized command", C::ProtocolRefused, 88, "500 5.5.2 unrecognized command"),
    row("syntax error", C::ProtocolRefused, 70, "501 5.5.4 Syntax error in parameters"),
    row("bad address syntax", C::AddressSyntax, 92, "501 5.1.3 Bad address syntax"),

    // Policy without more words: weaker than everything above.
    row("access denied", C::PolicyRefused, 60, "554 5.7.1 Access denied"),
    row("rejected by policy", C::PolicyRefused, 65, "550 5.7.1 Message rejected by policy"),
    row("policy", C::PolicyRefused, 45, "550 5.7.1 refused for policy reasons"),
    row("administratively prohibited", C::PolicyRefused, 65, "550 Administratively prohibited"),
    row("blocked", C::PolicyRefused, 50, "554 5.7.1 blocked"),
    row("not allowed", C::PolicyRefused, 45, "550 not allowed"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_found_in_its_own_example() {
        for row in PHRASES {
            let lower = row.example.to_ascii_lowercase();
            let (start, end) = find(row.words, &lower)
                .unwrap_or_else(|| panic!("`{}` is not in `{}`", row.words, row.example));
            assert!(start < end && row.strength <= 100);
            assert_eq!(row.words, row.words.to_ascii_lowercase());
        }
    }

    #[test]
    fn parts_must_come_in_order() {
        assert_eq!(find("a…c", "x a b c"), Some((2, 7)));
        assert_eq!(find("c…a", "a b c"), None);
        assert_eq!(
            find("dns", "the rdns is gone"),
            None,
            "words count, not letters"
        );
    }
}
